"""Our own limits: slots for connections at once, file descriptors, and how late our event loop runs.

What these cause is never blamed on an upstream: a walk waits for its slot before its clock starts, and a timer that fired
while the loop ran late is undetermined.
"""

from __future__ import annotations

import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

import anyio

PATIENCE = 0.05
"""Seconds after which a walk that only waits gives its slot to the next one: a thousand dead endpoints are no queue."""

TICK = 0.02
"""Seconds between two looks at the loop's lag and at the slots."""

LATE = 0.05
"""Seconds of delay from which on the loop's lag is kept."""

RESERVED = 40
"""File descriptors kept for everything but probes (reports, DNS, the loop itself)."""


def descriptors() -> int:
    """Connections that the limit on open files leaves room for, after raising the soft limit to the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
        except (ValueError, OSError):  # some systems cap below the hard limit: stay with what we have
            pass
    if soft == resource.RLIM_INFINITY:
        return 1 << 16
    return max(1, int(soft) - RESERVED)


class Slots:
    """How many walks may be busy at once, and how many connections may be open at once.

    A busy slot bounds the work that competes for our processor; it is given up after PATIENCE seconds, when the walk is
    waiting for the other side. The descriptor is held until the connection is closed.
    """

    def __init__(self, busy: int, per_endpoint: int) -> None:
        self._busy = _semaphore(busy)
        self._open = _semaphore(descriptors())
        self._per_endpoint = per_endpoint
        self._endpoints: dict[str, anyio.Semaphore] = {}
        self._since: dict[object, float] = {}

    @property
    def crowded(self) -> bool:
        """Do walks wait for a busy slot?"""
        return self._busy.statistics().tasks_waiting > 0

    @asynccontextmanager
    async def slot(self, endpoint: str) -> AsyncIterator[None]:
        """Hold a place for one connection to `endpoint`."""
        limiter = self._endpoints.get(endpoint)
        if limiter is None:
            limiter = self._endpoints[endpoint] = _semaphore(self._per_endpoint)
        borrower = object()
        async with limiter, self._open:
            await self._busy.acquire()
            self._since[borrower] = monotonic()
            try:
                yield
            finally:
                self._give_up(borrower)

    def release_the_patient(self) -> None:
        """Give the busy slots of walks that have waited long enough to the next ones."""
        limit = monotonic() - PATIENCE
        for borrower in [b for b, since in self._since.items() if since < limit]:
            self._give_up(borrower)

    def _give_up(self, borrower: object) -> None:
        if self._since.pop(borrower, None) is not None:
            self._busy.release()


def _semaphore(places: int) -> anyio.Semaphore:
    return anyio.Semaphore(places, fast_acquire=True)  # without a turn of the loop for each that is free


class Lag:
    """How late the event loop has run: `worst(since)` is the longest delay, in seconds, of a tick after `since`."""

    def __init__(self) -> None:
        self._delays: list[tuple[float, float]] = []

    def saw(self, delay: float) -> None:
        if delay > LATE:
            self._delays.append((monotonic(), delay))

    def worst(self, since: float) -> float:
        return max((delay for at, delay in reversed(self._delays) if at >= since), default=0.0)


async def watch(slots: Slots, lag: Lag) -> None:
    """Tick until cancelled: measure the loop's lag, let patient walks give up their slots."""
    while True:
        due = monotonic() + TICK
        await anyio.sleep(TICK)
        lag.saw(monotonic() - due)
        slots.release_the_patient()
