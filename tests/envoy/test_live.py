"""Every recorded fault put to a live Envoy through `pomprobe reproduce`: it still answers what was recorded (make conformance)."""

from __future__ import annotations

import json
import sys
from functools import partial

import anyio
import pytest

import pomprobe
from pomprobe.envoy.find import Binary
from pomprobe.envoy.reproduce import Options, reproduce
from pomprobe.model import EnvoyReply
from pomprobe.plan import plan
from pomprobe.system_ca import read_bundle

from .scenes.playing import SLOW, Played, chosen, compare, play
from .scenes.rows import Entry, Row, mismatch, rows
from .scenes.scene import Scene

pytestmark = pytest.mark.conformance

PATIENCE = 15.0
"""Seconds beyond the recorded ones."""


@pytest.fixture(scope="module")
async def answers(request: pytest.FixtureRequest, envoy: Binary, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Played]:
    """What the Envoy answered for each chosen row; every row has an Envoy of its own, since global keys differ."""
    folder, version = tmp_path_factory.mktemp("live"), _recorded(envoy)

    def again(row: Row, found: list[Entry]) -> bool:
        return mismatch(row, found, version) != ""  # an upstream of ours that was late on a busy machine

    return await play(chosen(request), folder, partial(_ask, envoy), at_once=3, slow_at_once=20, again=again)


async def _ask(envoy: Binary, row: Row, played: Scene) -> list[Entry]:
    several = len(row.expected(_recorded(envoy))) > 1
    requests = (4 if row.seconds >= SLOW else 12) if several else 1  # many slow ones would wait for one another's connection
    if played.prefix:
        return await _from_outside(envoy, played, requests)
    config = pomprobe.load(played.config)
    planned = list(zip(config.routes, plan(config, read_bundle()), strict=True))
    _, (found,) = await reproduce(config, planned, Options(str(envoy.path), requests, row.seconds + PATIENCE))
    return list(found.entries)


async def _from_outside(envoy: Binary, played: Scene, requests: int) -> list[Entry]:
    """The answer to a program in a network namespace of its own."""
    program = [sys.executable, "-m", "pomprobe", "reproduce", str(played.config), "-o", "json", "--envoy", str(envoy.path)]
    answer = await anyio.run_process([*played.prefix, *program, "--requests", str(requests)], check=False)
    entries = json.loads(answer.stdout)["routes"][0]["answers"]
    return [(EnvoyReply(e["status"], e["response_flags"], e["response_code_details"], e["code"]), e["share"]) for e in entries]


def _recorded(envoy: Binary) -> str:
    """The recording of this Envoy, as in 1.37."""
    return envoy.version.rpartition(".")[0]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", rows())
async def test_answer(name: str, answers: dict[str, Played], envoy: Binary) -> None:
    """A live Envoy answers what was recorded, with its shares."""
    compare(name, answers, _recorded(envoy))
