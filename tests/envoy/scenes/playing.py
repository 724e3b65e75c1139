"""Many rows at once in one event loop, to pomprobe and to a live Envoy: nearly all of their time is waiting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TypeVar

import anyio
import pytest

from pomprobe.envoy.find import Binary
from servers.certificates import Unable

from .asking import answers_of, forecasts_of, recording
from .batches import LONG, SLOW, Stage, batches, staged
from .pki import Authority
from .programs import missing
from .rows import Entry, Row, mismatch
from .scene import prepare

AT_ONCE, SLOW_AT_ONCE, AGAIN_AT_ONCE = 3, 20, 6

GRACE = 120.0
"""Seconds beyond Envoy's own after which a batch hangs."""

T = TypeVar("T")
Ask = Callable[[Sequence[Row], Stage], Awaitable[Sequence[T]]]


@dataclass
class Found:
    """By row: what is forecast in the words of each Envoy version, and what the live Envoy answered."""

    forecasts: dict[str, Mapping[str, list[Entry]] | Exception] = field(default_factory=dict)
    live: dict[str, list[Entry] | Exception] = field(default_factory=dict)


def chosen(request: pytest.FixtureRequest, known: Mapping[str, Row]) -> tuple[list[Row], set[str]]:
    """The rows of the tests of this file that were selected, as far as this machine has what they need, and the names of those tests."""
    here = [item for item in request.session.items if item.path == request.node.path and hasattr(item, "callspec")]
    names = {str(item.callspec.params.get("name")) for item in here}
    rows = [row for name, row in known.items() if name in names and not any(map(missing, row.needs))]
    return rows, {str(getattr(item, "originalname", "")) for item in here}


async def play(rows: Sequence[Row], folder: Path, version: str, envoy: Binary | None) -> Found:
    """What is forecast in the words of this Envoy version (and of `envoy`), and what `envoy` answers.

    First all are put to us, then all to Envoys, whose starts would make our own clocks late; what takes long is put to both meanwhile.
    """
    (folder / "pki").mkdir()
    authority = Authority(folder / "pki")
    for row in rows:
        prepare(row, authority)  # keys take their time to make: not while clocks run
    found = Found()
    versions = list(dict.fromkeys([version] if envoy is None else [version, recording(envoy)]))
    stages = (folder / str(number) for number in count())

    async def ours(some: Sequence[Row]) -> None:
        async def ask(batch: Sequence[Row], stage: Stage) -> Sequence[Mapping[str, list[Entry]]]:
            return await forecasts_of(batch, stage, versions)

        await _play(some, stages, authority, ask, found.forecasts, lambda _, told: not told[version])

    async def theirs(some: Sequence[Row]) -> None:
        if envoy is None:
            return
        asked, recorded = envoy, recording(envoy)

        async def ask(batch: Sequence[Row], stage: Stage) -> Sequence[list[Entry]]:
            return await answers_of(batch, stage, asked)

        await _play(some, stages, authority, ask, found.live, lambda row, answers: mismatch(row, answers, recorded) != "")

    async with anyio.create_task_group() as group:
        for side in (ours, theirs):
            group.start_soon(side, [row for row in rows if row.seconds >= LONG])
        for side in (ours, theirs):
            await side([row for row in rows if row.seconds < LONG])
    return found


async def _play(
    rows: Sequence[Row],
    stages: Iterator[Path],
    authority: Authority,
    ask: Ask[T],
    found: dict[str, T | Exception],
    again: Callable[[Row, T], bool],
) -> None:
    """What is asked of all rows, in batches.

    A batch that breaks is played again, and so is a row without a forecast, or whose Envoy says what was not recorded: a busy machine
    may be to blame. First a few at once, then one alone, unless that takes minutes.
    """
    quick, slow = anyio.CapacityLimiter(AT_ONCE), anyio.CapacityLimiter(SLOW_AT_ONCE)

    async def one(batch: Sequence[Row], limiter: anyio.CapacityLimiter) -> None:
        async with limiter:
            try:
                with anyio.fail_after(max(row.seconds for row in batch) + GRACE):
                    async with staged(batch, next(stages), authority) as stage:
                        entries = await ask(batch, stage)
                found.update({row.id: entry for row, entry in zip(batch, entries, strict=True)})
            except Exception as error:  # raised again by the row's own test
                found.update({row.id: error for row in batch})

    def is_again(row: Row) -> bool:
        first = found[row.id]
        return not isinstance(first, Unable) if isinstance(first, Exception) else again(row, first)

    async with anyio.create_task_group() as group:
        for batch in sorted(batches(rows), key=lambda batch: -batch[0].seconds):
            group.start_soon(one, batch, slow if batch[0].seconds >= SLOW else quick)
    for at_once in (AGAIN_AT_ONCE, 1):
        few = anyio.CapacityLimiter(at_once)
        async with anyio.create_task_group() as group:
            for row in (row for row in rows if (at_once > 1 or row.seconds < LONG) and is_again(row)):
                group.start_soon(one, [row], few)


def unless_broken(row: Row, found: Mapping[str, T | Exception]) -> T:
    """What was found for this row; skips where this machine cannot play it, and raises what kept it from being played."""
    if row.id not in found:
        pytest.skip(f"needs {', '.join(row.needs)}")
    one = found[row.id]
    if isinstance(one, Unable):
        pytest.skip(str(one))
    if isinstance(one, Exception):
        raise one
    return one


def agree(row: Row, found: Found, envoy: Binary) -> str:
    """ "" where the live Envoy answered what was recorded, and what is forecast for it; else what is wrong."""
    version = recording(envoy)
    if wrong := mismatch(row, unless_broken(row, found.live), version):
        return f"Envoy: {wrong}"
    wrong = mismatch(row, unless_broken(row, found.forecasts)[version], version)
    return wrong and f"forecast: {wrong}"
