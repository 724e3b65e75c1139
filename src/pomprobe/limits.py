"""Our own limits: slots for connections at once, file descriptors, and how late our event loop runs.

What these cause is never blamed on an upstream: a walk waits for its slot before its clock starts, and a timer that fired
while the loop ran late is undetermined.
"""

from __future__ import annotations

import resource
from bisect import bisect_left
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import CLOCK_BOOTTIME, clock_gettime, monotonic, process_time

import anyio

PATIENCE, BUSY = 0.001, 0.3
"""Seconds after which a walk gives its slot to the next one: a thousand dead endpoints are no queue. BUSY: while we have enough to do."""

TICK = 0.002
"""Seconds between two looks at the loop's lag and at the slots."""

SATURATED = 0.8 * TICK
"""Seconds of processor time between two ticks that are enough to do. How late a tick is would tell of other processes, too."""

NOTICED = 0.003
"""Seconds of lag from which on a time that was measured is not quite the upstream's."""

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

    A busy slot bounds the work that competes for our processor; a walk that is waiting for the other side gives it up. The
    descriptor is held until the connection is closed.
    """

    def __init__(self, busy: int, per_endpoint: int) -> None:
        self._busy = _semaphore(busy)
        self._open = _semaphore(descriptors())
        self._per_endpoint = per_endpoint
        self._endpoints: dict[str, tuple[anyio.Semaphore, list[None]]] = {}  # and one item for each who uses it
        self._since: dict[object, float] = {}

    @property
    def crowded(self) -> bool:
        """Do walks wait for a busy slot?"""
        return self._busy.statistics().tasks_waiting > 0

    @asynccontextmanager
    async def slot(self, endpoint: str) -> AsyncIterator[None]:
        """Hold a place for one connection to `endpoint`."""
        limiter, users = self._endpoints.setdefault(endpoint, (_semaphore(self._per_endpoint), []))
        users.append(None)
        borrower = object()
        try:
            async with limiter, self._open:
                await self._busy.acquire()
                self._since[borrower] = monotonic()
                try:
                    yield
                finally:
                    self._give_up(borrower)
        finally:
            users.pop()
            if not users:
                del self._endpoints[endpoint]

    def release_the_patient(self, patience: float) -> None:
        """Give the busy slots of walks that have held them for so many seconds to the next ones."""
        limit = monotonic() - patience
        for borrower in [b for b, since in self._since.items() if since < limit]:
            self._give_up(borrower)

    def _give_up(self, borrower: object) -> None:
        if self._since.pop(borrower, None) is not None:
            self._busy.release()


def _semaphore(places: int) -> anyio.Semaphore:
    return anyio.Semaphore(places, fast_acquire=True)  # without a turn of the loop for each that is free


class Lag:
    """How late the event loop has run: it was busy, the whole process was stopped, or the machine slept.

    `worst(since)` is the longest delay, in seconds, of a tick after `since` (a time.monotonic); 0 for less than NOTICED.
    """

    def __init__(self) -> None:
        self._at: list[float] = []
        self._delays: list[float] = []  # the longest first: what a later and longer one covers is dropped
        self._due: float | None = None

    def expect(self, seconds: float) -> None:
        """The next tick is due in so many seconds."""
        self._due = awake() + seconds

    def saw(self, delay: float) -> None:
        if delay < NOTICED:
            return
        while self._delays and self._delays[-1] <= delay:
            self._delays.pop()
            self._at.pop()
        self._at.append(monotonic())
        self._delays.append(delay)

    def tick(self, seconds: float) -> None:
        """The tick is there, and the next one is due in so many seconds, however long we are kept from waiting for it."""
        late, self._due = self._overdue(), awake() + seconds
        self.saw(late)

    def worst(self, since: float) -> float:
        # Who was woken together with the tick may come first: a tick that is overdue counts as well.
        overdue = self._overdue()
        first = bisect_left(self._at, since)
        worst = max(overdue, self._delays[first]) if first < len(self._at) else overdue
        return worst if worst >= NOTICED else 0.0

    def _overdue(self) -> float:
        return 0.0 if self._due is None else max(0.0, awake() - self._due)


def awake() -> float:
    """Seconds, those in which the machine slept included: time.monotonic stands still then, the upstreams do not."""
    return clock_gettime(CLOCK_BOOTTIME)


async def watch(slots: Slots, lag: Lag) -> None:
    """Tick until cancelled: measure the loop's lag, let patient walks give up their slots."""
    used = process_time()
    lag.expect(TICK)
    while True:
        await anyio.sleep(TICK)
        lag.tick(TICK)
        before, used = used, process_time()
        slots.release_the_patient(BUSY if used - before > SATURATED else PATIENCE)
