"""Many rows at once in one event loop: nearly all of their time is waiting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import anyio
import pytest

from servers.certificates import Unable

from .pki import Authority
from .programs import missing
from .rows import Entry, Row, mismatch, rows
from .scene import Scene, prepare, scene

SLOW = 3.0
"""Seconds of Envoy's own from which on a scene mostly waits, and takes no place from the quick ones."""

GRACE = 60.0
"""Seconds beyond Envoy's own after which a scene hangs."""

Played = list[Entry] | Exception
Ask = Callable[[Row, Scene], Awaitable[list[Entry]]]


def chosen(request: pytest.FixtureRequest) -> list[Row]:
    """The rows of the tests that were selected, as far as this machine has what they need."""
    module = request.node.path
    asked = [item.callspec.params for item in request.session.items if item.path == module and hasattr(item, "callspec")]
    names = {str(params.get("name")) for params in asked}
    return [row for name, row in rows().items() if name in names and not any(map(missing, row.needs))]


async def play(
    those: Sequence[Row], folder: Path, ask: Ask, *, at_once: int, slow_at_once: int, again: Callable[[Row, list[Entry]], bool]
) -> dict[str, Played]:
    """What `ask` finds for each row, the slow ones first. again: whether a row is to be played once more, alone."""
    (folder / "pki").mkdir()
    authority = Authority(folder / "pki")
    for row in those:
        prepare(row, authority)  # keys take their time to make: not while clocks run
    found: dict[str, Played] = {}
    quick, slow = anyio.CapacityLimiter(at_once), anyio.CapacityLimiter(slow_at_once)

    async def one(row: Row, attempt: int = 1) -> None:
        try:
            async with slow if row.seconds >= SLOW else quick:
                with anyio.fail_after(row.seconds + GRACE):
                    async with scene(row, folder / f"{row.id}-{attempt}", authority) as played:
                        found[row.id] = await ask(row, played)
        except Exception as error:  # raised again by the row's own test
            found[row.id] = error

    async with anyio.create_task_group() as group:
        for row in sorted(those, key=lambda row: -row.seconds):
            group.start_soon(one, row)
    for row in those:
        first = found[row.id]
        if not isinstance(first, Exception) and again(row, first):
            await one(row, 2)
    return found


def compare(name: str, found: dict[str, Played], version: str) -> None:
    """Fail unless what was found is what was recorded."""
    if name not in found:
        pytest.skip(f"needs {', '.join(rows()[name].needs)}")
    answers = found[name]
    if isinstance(answers, Unable):
        pytest.skip(str(answers))
    if isinstance(answers, Exception):
        raise answers
    if wrong := mismatch(rows()[name], answers, version):
        pytest.fail(wrong)
