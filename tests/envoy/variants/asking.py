"""A config with many routes, put to pomprobe and to a live Envoy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pomprobe
from pomprobe.api import Session
from pomprobe.envoy.find import Binary
from pomprobe.envoy.reproduce import Options, reproduce
from pomprobe.plan import plan
from pomprobe.system_ca import read_bundle

from ..scenes.rows import Entry, Row
from .batches import requests

PATIENCE = 30.0
"""Seconds beyond what the slowest row takes."""


async def forecasts(config: Path, envoys: Sequence[str]) -> Mapping[str, list[list[Entry]]]:
    """Each route's forecast in the words of each of these Envoy versions; empty where a route is undetermined."""
    session = Session(pomprobe.load(config))
    await session.run()
    told = {}
    for version in envoys:
        session.speak_as(version)
        told[version] = [[(entry.reply, entry.share) for entry in route.forecast] for route in session.report().routes]
    return told


async def answers(config: Path, rows: Sequence[Row], envoy: Binary) -> list[list[Entry]]:
    """What this Envoy answers for each route."""
    loaded = pomprobe.load(config)
    chosen = list(zip(loaded.routes, plan(loaded, read_bundle()), strict=True))
    patience = 1.5 * max(row.seconds for row in rows) + PATIENCE
    _, found = await reproduce(loaded, chosen, Options(str(envoy.path), requests(rows[0]), patience))
    return [list(one.entries) for one in found]
