"""What one walk over a connection carries from stage to stage: the connection, and the clock of Envoy's timers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import monotonic

import anyio

from ..model import Cluster, Endpoint, Facts, Timer, Upstream, UpstreamTLS
from ..net.stream import Stream

NOT_ENVOYS = frozenset({Timer.MAX_WAIT, Timer.DEADLINE, Timer.PATIENCE})
"""Caps of our own: an answer that comes together with one of them is an answer."""


class Clock:
    """Envoy's timers of one request: which one fires first, and when.

    The runner runs each stage in `scope`, whose deadline follows the earliest timer. A stage tells the clock what moves timers:
    `headers`, `activity` (they or a piece of the body passed on: the idle timer starts anew), `arm` and `disarm`.
    Times are of the event loop's clock, which is time.monotonic.
    """

    def __init__(self) -> None:
        self.scope: anyio.CancelScope | None = None
        self.armed = monotonic()
        self.measured: tuple[float, float | None] | None = None  # of this stage: when the upstream's part began and ended
        self.overtaken: Timer | None = None  # of this stage: the timer of Envoy's beyond whose end something was still taken for in time
        self.started = False  # response headers were passed on: a timeout now cuts the body of a good status
        self._expiries: dict[Timer, float] = {}
        self._lengths: dict[Timer, float] = {}
        self._idle: float | None = None

    def arm(self, timer: Timer, seconds: float | None) -> None:
        """Let `timer` fire in so many seconds from now; None: not at all."""
        if seconds is None:
            if self._expiries.pop(timer, None) is None:
                return
        else:
            self._expiries[timer] = monotonic() + seconds
            self._lengths[timer] = seconds
        if timer is Timer.IDLE:
            self._idle = seconds
        if self.scope is not None and self.scope.deadline != (ends := self._ends()):  # to set it starts a timer of the loop
            self.scope.deadline = ends

    def disarm(self, timer: Timer) -> None:
        self._look([timer])
        self.arm(timer, None)

    def headers(self) -> None:
        """Response headers went on to the client: a timer that ends from now on cuts a body."""
        self._look(self._expiries)
        self.started = True
        self.activity()

    def activity(self) -> None:
        """Headers or a piece of the body went on to the client: the idle timer starts anew."""
        self._look([Timer.IDLE])
        if self._idle is not None:
            self.arm(Timer.IDLE, self._idle)

    def over(self) -> None:
        """The stage is over: no timer ends it any more."""
        self._look(self._expiries)

    def _look(self, timers: Iterable[Timer]) -> None:
        """Something came now that makes a difference to these timers: did one of them end before it?

        A loop that runs late sees what came meanwhile before the timers that ended meanwhile, and does not know which was first.
        """
        if self.overtaken is not None:
            return
        end = (self.measured and self.measured[1]) or monotonic()
        if self._ends() >= end:  # as nearly always
            return
        ended = [timer for timer in timers if timer not in NOT_ENVOYS and self._expiries.get(timer, math.inf) < end]
        self.overtaken = min(ended, key=self._expiries.__getitem__, default=None)

    def begin(self) -> None:
        """The upstream's part of this stage begins now: what was before is our own preparation."""
        self.measured = monotonic(), None

    def end(self) -> None:
        """The upstream has done its part of this stage: what follows is our own work."""
        self.measured = (self.measured[0] if self.measured else -math.inf), monotonic()

    def length(self, timer: Timer | None) -> float:
        """For how many seconds the timer was armed; infinity where it was not."""
        return math.inf if timer is None else self._lengths.get(timer, math.inf)

    def renew(self) -> anyio.CancelScope:
        """A fresh cancel scope for the next stage; the timers go on."""
        self.measured = self.overtaken = None
        self.scope = anyio.CancelScope(deadline=self._ends())
        return self.scope

    def first(self) -> Timer | None:
        """The timer that fires first."""
        return min(self._expiries, key=self._expiries.__getitem__, default=None)

    def _ends(self) -> float:
        """When it fires; infinity where none is armed."""
        return min(self._expiries.values(), default=math.inf)


@dataclass(slots=True)
class Walk:
    """One connection to one endpoint on its way through the stages. A stage reads it, and adds what the next one needs."""

    cluster: Cluster
    upstream: Upstream
    endpoint: Endpoint
    tls: UpstreamTLS | None
    clock: Clock
    stream: Stream | None = None  # set by tcp, wrapped by tls
    facts: dict[str, Facts] = field(default_factory=dict)  # stage -> what it returned (alpn, client_certificate_requested …)
