"""Many rows at once in one event loop, to pomprobe and to a live Envoy: nearly all of their time is waiting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import anyio
import pytest

from pomprobe.envoy.find import Binary
from servers.certificates import Unable

from .asking import Seen, recording, see
from .batches import SLOW, batches, staged
from .pki import Authority
from .programs import missing
from .rows import Row, mismatch
from .scene import prepare

AT_ONCE, SLOW_AT_ONCE, AGAIN_AT_ONCE = 2, 20, 6

GRACE = 120.0
"""Seconds beyond Envoy's own after which a batch hangs."""

Found = Mapping[str, Seen | Exception]


def chosen(request: pytest.FixtureRequest, known: Mapping[str, Row]) -> tuple[list[Row], set[str]]:
    """The rows of the tests of this file that were selected, as far as this machine has what they need, and the names of those tests."""
    here = [item for item in request.session.items if item.path == request.node.path and hasattr(item, "callspec")]
    names = {str(item.callspec.params.get("name")) for item in here}
    rows = [row for name, row in known.items() if name in names and not any(map(missing, row.needs))]
    return rows, {str(getattr(item, "originalname", "")) for item in here}


async def play(rows: Sequence[Row], folder: Path, version: str, envoy: Binary | None) -> Found:
    """What is forecast in the words of this Envoy version, and what `envoy` answers.

    A batch that breaks is played again, and so is a row without a forecast, or whose Envoy says what was not recorded: a busy machine
    may be to blame. First a few at once, then one alone.
    """
    (folder / "pki").mkdir()
    authority = Authority(folder / "pki")
    for row in rows:
        prepare(row, authority)  # keys take their time to make: not while clocks run
    found: dict[str, Seen | Exception] = {}
    quick, slow = anyio.CapacityLimiter(AT_ONCE), anyio.CapacityLimiter(SLOW_AT_ONCE)
    taken = iter(range(10**6))

    async def one(batch: Sequence[Row], limiter: anyio.CapacityLimiter) -> None:
        async with limiter:
            try:
                with anyio.fail_after(max(row.seconds for row in batch) + GRACE):
                    async with staged(batch, folder / str(next(taken)), authority) as stage:
                        seen = await see(batch, stage, version, envoy)
                found.update({row.id: one for row, one in zip(batch, seen, strict=True)})
            except Exception as error:  # raised again by the row's own test
                found.update({row.id: error for row in batch})

    def again(row: Row) -> bool:
        seen = found[row.id]
        if isinstance(seen, Exception) or not seen.forecasts[version]:
            return not isinstance(seen, Unable)
        return envoy is not None and mismatch(row, seen.live, recording(envoy)) != ""

    async with anyio.create_task_group() as group:
        for batch in sorted(batches(rows), key=lambda batch: -batch[0].seconds):
            group.start_soon(one, batch, slow if batch[0].seconds >= SLOW else quick)
    for at_once in (AGAIN_AT_ONCE, 1):
        few = anyio.CapacityLimiter(at_once)
        async with anyio.create_task_group() as group:
            for row in filter(again, rows):
                group.start_soon(one, [row], few)
    return found


def unless_broken(row: Row, found: Found) -> Seen:
    """What was found for this row; skips where this machine cannot play it, and raises what kept it from being played."""
    if row.id not in found:
        pytest.skip(f"needs {', '.join(row.needs)}")
    seen = found[row.id]
    if isinstance(seen, Unable):
        pytest.skip(str(seen))
    if isinstance(seen, Exception):
        raise seen
    return seen


def agree(row: Row, seen: Seen, envoy: Binary) -> str:
    """ "" where the live Envoy answered what was recorded, and what is forecast for it; else what is wrong."""
    version = recording(envoy)
    if wrong := mismatch(row, seen.live, version):
        return f"Envoy: {wrong}"
    wrong = mismatch(row, seen.forecasts[version], version)
    return wrong and f"forecast: {wrong}"


