"""The library: a config in, a report out. Everything that the command line can do goes through here."""

from __future__ import annotations

import contextlib
import copy
import datetime
import signal
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from . import config as reader
from .defects import place_of
from .diagnose import WARN_AT, Knowledge, diagnose, findings, without_upstream
from .model import Cluster, Config, Report, Route, RouteReport, StageName, Status
from .net.resolv_conf import Machine
from .plan import authorize, plan
from .probed import Probed
from .record import replace
from .repeats import at_their_keys, left
from .runner import Options, Runner
from .selection import Selection, concerning
from .services import problems as problems_of_services
from .signals import received
from .system_ca import read_bundle
from .timed import bug
from .upload import limit as upload_limit

if TYPE_CHECKING:
    from .fleet import Fleet

Observer = Callable[[RouteReport], None]

NEWEST = "0.33"
"""The newest released Pomerium, which bundles Envoy 1.37."""

LARGE = 250
"""Clusters from which on a second process saves more time than it costs."""

TICK = 0.2
"""Seconds between two calls of a session's tick."""

ENVOY = {"next": "1.40"} | dict.fromkeys(("0.29", "0.30", "0.31", "0.32"), "1.36")
"""Pomerium version -> Envoy whose words are forecast, where it is not 1.37: 0.32 bundles 1.36.4, and what is older no later one."""


class Session:
    """One run over one config: what was planned, what is known so far, and the report of it at any moment."""

    def __init__(
        self,
        config: Config,
        options: Options | None = None,
        *,
        routes: Iterable[str] = (),
        pomerium_version: str = NEWEST,
        warn_at: float = WARN_AT,
        observer: Observer | None = None,
        fork: bool = False,
        apart: bool = False,
    ) -> None:
        """fork: more than one process may be used, where it pays; then no event loop may run yet, nor any other thread.

        apart: the same, and it pays however few routes there are, since the event loop has other work meanwhile.
        """
        selection = Selection(tuple(routes))
        self.config = config
        self.options = options or Options()
        self.knowledge = Knowledge(_envoy(pomerium_version), warn_at)
        bundle = read_bundle()
        planned = zip(config.routes, plan(config, bundle), strict=True)
        self.chosen: list[tuple[Route, Cluster | None]] = [(route, cluster) for route, cluster in planned if route in selection]
        self.signal: signal.Signals | None = None
        self._observer = observer
        self._scope: anyio.CancelScope | None = None
        self._defect: Exception | None = None
        self._judged: dict[int, tuple[Knowledge, RouteReport]] = {}
        self._started = datetime.datetime.now(datetime.UTC)
        self._began = time.monotonic()
        self._authorize = authorize(config, bundle) if any(cluster for _, cluster in self.chosen) else None
        self._runner = _runner(self._clusters(), self.options, self._finished, observer is not None, fork, apart)

    def _clusters(self) -> list[Cluster]:
        """What is probed: the clusters of the routes, and behind them Pomerium's own service where there is one."""
        return [cluster for cluster in (*(cluster for _, cluster in self.chosen), self._authorize) if cluster is not None]

    @property
    def total(self) -> int:
        """Clusters that are probed: one for each route, and Pomerium's own service where that is another process."""
        return len(self._runner.probed)

    def pending(self) -> list[str]:
        """Names of the routes that are not finished yet, in the config's order."""
        return [probed.cluster.route.name for probed in self._runner.probed if not probed.done]

    def left(self) -> float | None:
        """Seconds to the deadline; None without one."""
        return None if self.options.deadline is None else max(0.0, self.options.deadline - (time.monotonic() - self._began))

    async def run(self, interrupts: Sequence[signal.Signals] = (), tick: Callable[[], None] | None = None) -> None:
        """Probe, until it ends by itself or by one of the signals. tick: called now and then.

        It returns nothing, since asyncio formats the result of its main task (`signal.signal` does, of the handler that holds
        it): with a report of ten thousand routes that takes seconds.
        """
        if self._observer is not None:
            for route in (route for route, cluster in self.chosen if cluster is None):
                self._observer(without_upstream(route))
        with received(interrupts) as signals:
            await self._run(signals, tick)

    async def _run(self, signals: AsyncIterator[signal.Signals], tick: Callable[[], None] | None) -> None:
        async with anyio.create_task_group() as group:
            self._scope = group.cancel_scope

            async def listen() -> None:
                async for number in signals:
                    self.signal = number
                    group.cancel_scope.cancel()
                    return

            async def beat(call: Callable[[], None]) -> None:
                while True:
                    await anyio.sleep(TICK)
                    call()

            group.start_soon(listen)
            if tick is not None:
                group.start_soon(beat, tick)
            await self._runner.run()
            group.cancel_scope.cancel()

    def broke(self, defect: Exception) -> None:
        """A defect of ours ended the run: what is known stands, the rest is not known."""
        for probed in self._runner.probed:
            if not probed.done:
                probed.limit = f"a defect of pomprobe ({place_of(defect)})"
        self._defect = defect

    def stop(self) -> None:
        """End the run now, since nobody wants to know any more. Called from where the run is: by a tick or an observer."""
        if self._scope is not None:
            self._scope.cancel()

    def again(self, routes: Collection[int]) -> Session:
        """A session over these of its routes (by index) alone, of which nothing is known yet."""
        other = copy.copy(self)
        other.chosen = [(route, cluster) for route, cluster in self.chosen if route.index in routes]
        other.signal, other._scope, other._defect, other._judged, other._authorize = None, None, None, {}, None
        other._runner = _runner(other._clusters(), self.options, other._finished, self._observer is not None)
        return other

    def speak_as(self, envoy: str) -> None:
        """Forecast in the words of this Envoy (as in 1.40.0) from now on, to be compared with its own."""
        version = tuple(int(part) for part in envoy.split(".")[:2])
        self.knowledge = replace(self.knowledge, envoy="1.40" if version >= (1, 40) else "1.37" if version >= (1, 37) else "1.36")

    def report(self) -> Report:
        """What is known by now."""
        probed = iter(self._runner.probed)
        routes = tuple(without_upstream(route) if cluster is None else self._route(next(probed)) for route, cluster in self.chosen)
        elapsed = time.monotonic() - self._began
        started = self._started.isoformat(timespec="seconds").replace("+00:00", "Z")
        problems = concerning(self.config.problems, self.config.routes, [route for route, _ in self.chosen])
        services = tuple(self._route(own) for own in probed)
        problems += problems_of_services(services) + (upload_limit(self.config, self.options.upload) if self.options.upload else ())
        told = findings(left(problems, routes), self.knowledge)
        return Report(self.config.file, started, elapsed, told, routes, self.signal is not None, services=services)

    def _route(self, probed: Probed) -> RouteReport:
        """What is known of one route; of a finished one it is found out once."""
        knowledge, judged = self._judged.get(id(probed), (None, None))
        if judged is not None and knowledge is self.knowledge:
            return judged
        try:
            judged = diagnose(probed.cluster, probed.upstreams, self.knowledge, "" if probed.done else probed.limit)
            judged = at_their_keys(judged, self.config.problems, self.knowledge.catalog) if probed.cluster.refusals else judged
        except Exception as defect:
            outcome = bug(StageName.CONFIG, None, defect)
            judged = RouteReport(probed.cluster.route, probed.cluster, Status.UNDETERMINED, (), (), tuple(probed.upstreams), (outcome,))
        if self._defect is not None and not probed.done:
            judged = replace(judged, outcomes=(*judged.outcomes, bug(StageName.CONFIG, None, self._defect)))
        if probed.done:
            self._judged[id(probed)] = self.knowledge, judged
        return judged

    def _finished(self, probed: Probed) -> None:
        if probed.cluster is self._authorize:
            return
        report = self._route(probed)
        if self._observer is not None:
            self._observer(report)


def _runner(
    clusters: Sequence[Cluster], options: Options, finished: Callable[[Probed], None], heard: bool, fork: bool = False, apart: bool = False
) -> Runner | Fleet:
    """finished: called with what is done where somebody wants to hear of it (`heard`), or while others probe."""
    machine = Machine.read()
    if clusters and (apart or (fork and len(clusters) >= LARGE)):
        from .fleet import Fleet, processors  # multiprocessing takes a while to load

        processes = processors() if len(clusters) >= LARGE else 1
        if apart or processes > 1:
            with contextlib.suppress(OSError):  # no room for more processes: this one can do it all
                return Fleet(clusters, options, machine, finished, processes)
    return Runner(clusters, options, machine, finished if heard else None)


def _envoy(pomerium_version: str) -> str:
    """The Envoy of a release, of whichever patch: 0.32.1 as 0.32."""
    return ENVOY.get(".".join(pomerium_version.strip().removeprefix("v").split(".")[:2]), "1.37")


def load(
    source: str | Path, *, text: bytes | None = None, env: Mapping[str, str] | None = None, pomerium_version: str = NEWEST
) -> Config:
    """Read a Pomerium config as Pomerium reads it. env: variables that win over it, such as os.environ where Pomerium runs.

    Raises ConfigError, with every problem and its place, where it cannot be read or where Pomerium would refuse it.
    """
    return reader.load(source, text=text, env=env, pomerium_version=pomerium_version)


async def probe(config: Config, options: Options | None = None, *, routes: Iterable[str] = (), observer: Observer | None = None) -> Report:
    """Probe every upstream of the config, inside an event loop. observer: called with each route's report as it is finished."""
    session = Session(config, options, routes=routes, observer=observer)
    await session.run()
    return session.report()


def run(config: Config, options: Options | None = None, *, routes: Iterable[str] = (), observer: Observer | None = None) -> Report:
    """Probe every upstream of the config and return the report."""
    session = Session(config, options, routes=routes, observer=observer)
    anyio.run(session.run)
    return session.report()
