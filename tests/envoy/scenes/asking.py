"""A config, put to pomprobe and to a live Envoy."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import anyio

import pomprobe
from pomprobe.api import Session
from pomprobe.envoy.find import Binary
from pomprobe.envoy.reproduce import Options, Reproducer
from pomprobe.model import EnvoyReply, RouteReport
from pomprobe.plan import plan
from pomprobe.system_ca import read_bundle

from .batches import LONG, Stage, patience, requests
from .rows import Entry, Row

POMERIUM = {"1.36": "0.32", "1.37": "0.33", "1.40": "next"}
"""Envoy version -> the `--pomerium-version` that forecasts in its words."""


NEXT = "1.40"
"""The Envoy of no released Pomerium: the same probe tells its forecast, too, where it costs no further run."""


def recording(envoy: Binary) -> str:
    """The version of an Envoy as recordings have it, as in 1.37."""
    return envoy.version.rpartition(".")[0]


async def forecasts_of(rows: Sequence[Row], stage: Stage, versions: Sequence[str]) -> list[Mapping[str, list[Entry]]]:
    """Each row's forecast in the words of each of these Envoy versions; empty where it is not known.

    Where it is waited for long, a process of its own does so: what is played meanwhile would make our own clocks late.
    """
    outside = stage.prefix or rows[0].seconds >= LONG
    wanted = list(dict.fromkeys([*versions] if outside else [*versions, NEXT]))
    told = await (_forecasts_outside(stage, wanted) if outside else forecasts(stage.config, wanted))
    return [{version: told[version][index] for version in wanted} for index in range(len(rows))]


async def answers_of(rows: Sequence[Row], stage: Stage, envoy: Binary) -> list[list[Entry]]:
    """What this Envoy answers to each row."""
    return await (_answers_outside(stage, rows, envoy) if stage.prefix else answers(stage.config, rows, envoy))


async def forecasts(config: Path, versions: Sequence[str]) -> Mapping[str, list[list[Entry]]]:
    """Each route's forecast in the words of each of these Envoy versions; empty where a route is undetermined."""
    session = Session(pomprobe.load(config))
    await session.run()
    told = {}
    for version in versions:
        session.speak_as(version)
        told[version] = [_sure(route) for route in session.report().routes]
    return told


def _sure(route: RouteReport) -> list[Entry]:
    """The forecast, unless our own congestion kept an endpoint from being known: its share is missing."""
    outcomes = [o for upstream in route.upstreams for endpoint in upstream.endpoints for o in endpoint.outcomes]
    if any("congestion" in str(outcome.facts.get("limit")) for outcome in outcomes):
        return []
    return [(entry.reply, entry.share) for entry in route.forecast]


async def answers(config: Path, rows: Sequence[Row], envoy: Binary) -> list[list[Entry]]:
    """What this Envoy answers for each route."""
    loaded = pomprobe.load(config)
    chosen = list(zip(loaded.routes, plan(loaded, read_bundle()), strict=True))
    asked = Reproducer(loaded, chosen, Options(envoy, requests(rows[0]), patience(rows)))
    await asked.run()
    return [list(one.entries) for one in asked.seen()]


async def _forecasts_outside(stage: Stage, versions: Sequence[str]) -> Mapping[str, list[list[Entry]]]:
    told: dict[str, list[list[Entry]]] = {}

    async def ask(version: str) -> None:
        told[version] = await _program(stage, "check", "--pomerium-version", POMERIUM[version], key="forecast")

    async with anyio.create_task_group() as group:  # one after the other takes minutes more than a batch is given
        for version in versions:
            group.start_soon(ask, version)
    return told


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
