"""Work that is done at once, and work that is done once for all who want it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import anyio

from .samples import Walked

AT_ONCE = 50
"""Calls that are started before a look at how many wait."""


async def together(
    work: Callable[..., Coroutine[Any, Any, None]], calls: Sequence[tuple[object, ...]], room: Callable[[], Awaitable[None]] | None = None
) -> None:
    """All the calls at once; a single one without a task of its own. room: waits until more may be started, since each takes memory."""
    if len(calls) == 1:
        await work(*calls[0])
        return
    async with anyio.create_task_group() as group:
        for number, call in enumerate(calls, 1):
            group.start_soon(work, *call)
            if room is not None and number % AT_ONCE == 0:
                await room()


class Shared:
    """The outcomes of walks that several routes wait for."""

    __slots__ = ("_ended", "_event", "walks")

    def __init__(self) -> None:
        self.walks: list[Walked] = []
        self._ended = False
        self._event: anyio.Event | None = None  # made for the first who has to wait: most have no one

    def end(self) -> None:
        self._ended = True
        if self._event is not None:
            self._event.set()

    async def wait(self) -> None:
        if not self._ended:
            self._event = self._event or anyio.Event()
            await self._event.wait()
