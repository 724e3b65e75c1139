"""Every recorded fault played again: what pomprobe forecasts for it is what a real Envoy answered, word for word.

The scenes are independent, and nearly all of their time is waiting: all that were chosen are played at once, in one event loop, and
each test looks at its own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Mapping

import anyio
import pytest

import pomprobe
from pomprobe.model import EnvoyReply

from .scenes.pki import Authority
from .scenes.programs import missing
from .scenes.rows import Entry, Row, mismatch, rows
from .scenes.scene import Scene, prepare, scene

ENVOY = "1.37"
"""The recording that a forecast for the newest released Pomerium is compared with."""

AT_ONCE, SLOW_AT_ONCE = 12, 60
SLOW, LONG = 3.0, 45.0
"""Seconds of Envoy's own: from SLOW on a scene mostly waits, from LONG on it is left to `make conformance`."""

GRACE = 60.0
"""Seconds beyond Envoy's own after which a scene hangs."""

Played = list[Entry] | Exception
ALL = [pytest.param(name, marks=[pytest.mark.conformance] if row.seconds > LONG else []) for name, row in rows().items()]


@pytest.fixture(scope="module")
async def forecasts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mapping[str, Played]]:
    """The forecast of each chosen row."""
    asked = [item.callspec.params for item in request.session.items if isinstance(item, pytest.Function) and hasattr(item, "callspec")]
    names = {str(params.get("name")) for params in asked}
    chosen = [row for name, row in rows().items() if name in names]
    found: dict[str, Played] = {}
    folder = tmp_path_factory.mktemp("scenes")
    (folder / "pki").mkdir()
    authority = Authority(folder / "pki")
    chosen = [row for row in chosen if not any(map(missing, row.needs))]
    for row in chosen:
        prepare(row, authority)  # keys take their time to make: not while clocks run
    quick, slow = anyio.CapacityLimiter(AT_ONCE), anyio.CapacityLimiter(SLOW_AT_ONCE)

    async def play(row: Row, attempt: int = 1) -> None:
        try:
            async with slow if row.seconds >= SLOW else quick:
                with anyio.fail_after(row.seconds + GRACE):
                    async with scene(row, folder / f"{row.id}-{attempt}", authority) as played:
                        found[row.id] = await _forecast(played)
        except Exception as error:  # raised again by the row's own test
            found[row.id] = error

    async with anyio.create_task_group() as group:
        for row in sorted(chosen, key=lambda row: -row.seconds):
            group.start_soon(play, row)
    for row in chosen:  # a forecast that our own congestion kept from being made is made again, alone
        if found[row.id] == []:
            await play(row, 2)
    yield found


async def _forecast(played: Scene) -> list[Entry]:
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
async def test_forecast(name: str, forecasts: Mapping[str, Played]) -> None:
    """The forecast is the recorded answer of Envoy, with its shares."""
    if name not in forecasts:
        pytest.skip(f"needs {', '.join(rows()[name].needs)}")
    forecast = forecasts[name]
    if isinstance(forecast, Exception):
        raise forecast
    assert "" == mismatch(rows()[name], forecast, ENVOY)
