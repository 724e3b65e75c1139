"""Every recorded fault played again: what pomprobe forecasts for it is what a real Envoy answered, word for word."""

from __future__ import annotations

import json
import sys

import anyio
import pytest

import pomprobe
from pomprobe.model import EnvoyReply

from .scenes.playing import Played, chosen, compare, play
from .scenes.rows import Entry, Row, rows
from .scenes.scene import Scene

ENVOY = "1.37"
"""The recording that a forecast for the newest released Pomerium is compared with."""

LONG = 45.0
"""Seconds of Envoy's own from which on a row is left to `make conformance`."""

ALL = [pytest.param(name, marks=[pytest.mark.conformance] if row.seconds > LONG else []) for name, row in rows().items()]


@pytest.fixture(scope="module")
async def forecasts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Played]:
    """The forecast of each chosen row; one that our own congestion kept from being made is made again."""
    folder = tmp_path_factory.mktemp("scenes")
    return await play(chosen(request), folder, _forecast, at_once=12, slow_at_once=60, again=lambda _, found: not found)


async def _forecast(row: Row, played: Scene) -> list[Entry]:
    if played.prefix:
        return await _from_outside(played)
    report = await pomprobe.probe(pomprobe.load(played.config))
    return [(entry.reply, entry.share) for entry in report.routes[0].forecast]


async def _from_outside(played: Scene) -> list[Entry]:
    """The forecast of a program in a network namespace of its own."""
    command = [*played.prefix, sys.executable, "-m", "pomprobe", "check", str(played.config), "-o", "json"]
    answer = await anyio.run_process(command, check=False)
    entries = json.loads(answer.stdout)["routes"][0]["forecast"]
    return [(EnvoyReply(e["status"], e["response_flags"], e["response_code_details"], e["code"]), e["share"]) for e in entries]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ALL)
async def test_forecast(name: str, forecasts: dict[str, Played]) -> None:
    """The forecast is the recorded answer of Envoy, with its shares."""
    compare(name, forecasts, ENVOY)
