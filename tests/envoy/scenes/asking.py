"""A config, put to pomprobe and to a live Envoy."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio

import pomprobe
from pomprobe.api import Session
from pomprobe.envoy.find import Binary
from pomprobe.envoy.reproduce import Options, reproduce
from pomprobe.model import EnvoyReply
from pomprobe.plan import plan
from pomprobe.system_ca import read_bundle

from .batches import LONG, Stage, patience, requests
from .rows import Entry, Row

POMERIUM = {"1.36": "0.32", "1.37": "0.33", "1.40": "next"}
"""Envoy version -> the `--pomerium-version` that forecasts in its words."""


@dataclass(frozen=True)
class Seen:
    """What came of one row. forecasts: in the words of each Envoy version; empty where undetermined. live: a live Envoy's answers."""

    forecasts: Mapping[str, list[Entry]]
    live: list[Entry]


NEXT = "1.40"
"""The Envoy of no released Pomerium: the same probe tells its forecast, too, where it costs no further run."""


def recording(envoy: Binary) -> str:
    """The version of an Envoy as recordings have it, as in 1.37."""
    return envoy.version.rpartition(".")[0]


async def see(rows: Sequence[Row], stage: Stage, version: str, envoy: Binary | None) -> list[Seen]:
    """Both look at the same upstreams: one after the other, since the start of an Envoy would make our own clocks late.

    Where they wait for long, they do so at the same time.
    """
    wanted = [version, *([] if stage.prefix else [NEXT]), *([] if envoy is None else [recording(envoy)])]
    versions = list(dict.fromkeys(wanted))
    told: dict[str, list[list[Entry]]] = {}
    live: list[list[Entry]] = []

    async def ours() -> None:
        told.update(await (_forecasts_outside(stage, versions) if stage.prefix else forecasts(stage.config, versions)))

    async def theirs() -> None:
        if envoy is None:
            live.extend([] for _ in rows)
        else:
            live.extend(await (_answers_outside(stage, rows, envoy) if stage.prefix else answers(stage.config, rows, envoy)))

    if rows[0].seconds >= LONG:
        async with anyio.create_task_group() as group:
            group.start_soon(ours)
            group.start_soon(theirs)
    else:
        await ours()
        await theirs()
    return [Seen({version: told[version][index] for version in versions}, live[index]) for index in range(len(rows))]


async def forecasts(config: Path, versions: Sequence[str]) -> Mapping[str, list[list[Entry]]]:
    """Each route's forecast in the words of each of these Envoy versions; empty where a route is undetermined."""
    session = Session(pomprobe.load(config))
    await session.run()
    told = {}
    for version in versions:
        session.speak_as(version)
        told[version] = [[(entry.reply, entry.share) for entry in route.forecast] for route in session.report().routes]
    return told


async def answers(config: Path, rows: Sequence[Row], envoy: Binary) -> list[list[Entry]]:
    """What this Envoy answers for each route."""
    loaded = pomprobe.load(config)
    chosen = list(zip(loaded.routes, plan(loaded, read_bundle()), strict=True))
    _, found = await reproduce(loaded, chosen, Options(str(envoy.path), requests(rows[0]), patience(rows)))
    return [list(one.entries) for one in found]


async def _forecasts_outside(stage: Stage, versions: Sequence[str]) -> Mapping[str, list[list[Entry]]]:
    return {version: await _program(stage, "check", "--pomerium-version", POMERIUM[version], key="forecast") for version in versions}


async def _answers_outside(stage: Stage, rows: Sequence[Row], envoy: Binary) -> list[list[Entry]]:
    return await _program(stage, "reproduce", "--envoy", str(envoy.path), "--requests", str(requests(rows[0])), key="answers")


async def _program(stage: Stage, command: str, *options: str, key: str) -> list[list[Entry]]:
    """What a program in a network namespace of its own says."""
    run = [*stage.prefix, sys.executable, "-m", "pomprobe", command, str(stage.config), *options, "-o", "json"]
    printed = await anyio.run_process(run, check=False)
    return [[_entry(entry) for entry in route[key]] for route in json.loads(printed.stdout)["routes"]]


def _entry(entry: Mapping[str, str | int | float]) -> Entry:
    words = (str(entry[key]) for key in ("response_flags", "response_code_details", "code"))
    return EnvoyReply(int(entry["status"]), *words), float(entry["share"])
