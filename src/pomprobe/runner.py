"""The only scheduler: walks every endpoint of every cluster through its stages, with Envoy's clock, and keeps what it learned.

A stage raises StageFailed or returns facts; everything else that it raises is a defect of ours and becomes a `bug` outcome (timed.py).
Results are kept as they come, so that an interrupted run reports what is known.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Hashable, Sequence
from time import monotonic
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from .extra import Looker, recheck
from .limits import TICK, Lag, Slots, watch
from .model import (
    Cluster,
    DNSSettings,
    Endpoint,
    EndpointOutcomes,
    Fact,
    Facts,
    HealthCheck,
    Outcome,
    Protocol,
    RouteKind,
    StageName,
    Status,
    Timer,
    Upstream,
    UpstreamOutcomes,
    UpstreamTLS,
)
from .net.resolv_conf import Machine
from .probed import Observer, Probed, unprobed
from .record import Record, replace
from .redact import redacted, secrets
from .samples import Walked, alike, summarised
from .shared import Shared, together
from .stages import dns, health, http, tcp, tls, tunnel, udp
from .stages.idle import hold
from .stages.walk import Clock, Walk
from .timed import CONGESTED, bug, timed

if TYPE_CHECKING:
    from .net.resolver import Resolver

Stage = Callable[[Walk], Awaitable[Facts]]

CONNECTION: tuple[tuple[StageName, Stage], ...] = (
    (StageName.TCP, tcp.connect),
    (StageName.TLS, tls.handshake),
    (StageName.HTTP, http.exchange),
)
"""The stages of one connection, in order. The socket that one opens is the next one's."""

TUNNEL: tuple[tuple[StageName, Stage], ...] = ((StageName.TCP, tunnel.open_tunnel), (StageName.TLS, tls.handshake))
"""The same for a tcp or ssh route, where Envoy only passes bytes on; TLS is for a second look."""

DATAGRAM: tuple[tuple[StageName, Stage], ...] = ((StageName.TCP, udp.knock),)
"""The same for a udp route."""

PATIENCE = 5.0
"""Seconds for a name's addresses of the other family."""


class Options(Record, frozen=True):
    """How to probe. Times in seconds; None: no cap. websocket: a path at which every route is asked for one. upload: bytes of a body."""

    max_wait: float | None = None
    deadline: float | None = None
    concurrency: int = 8  # more compete for one processor, and what is measured is our own queue
    per_host: int = 20
    samples: int = 1
    second_look: bool = True
    idle_probe: float | None = None
    stages: Collection[StageName] = tuple(StageName)
    websocket: str = ""
    upload: int = 0


class Runner:
    """One run over some clusters; `probed` has what is known at any moment, in the clusters' order."""

    def __init__(self, clusters: Sequence[Cluster], options: Options, machine: Machine, observer: Observer | None = None) -> None:
        self.options = options
        self.observer = observer
        self.probed = unprobed(clusters)
        self._machine = machine
        self._resolvers: dict[object, Resolver] = {}
        self._slots = Slots(options.concurrency, options.per_host)
        self._lag = Lag()
        self._shared: dict[Hashable, Shared] = {}
        self._ends = float("inf")

    async def run(self) -> None:
        """Probe every cluster. Ends at the deadline; what is missing then is undetermined."""
        if self.options.deadline is not None:
            self._ends = monotonic() + self.options.deadline
        for context in {context for probed in self.probed for context in probed.cluster.tls if context is not None}:
            tls.prepare(context)  # before the first clock runs
        async with anyio.create_task_group() as background:
            background.start_soon(watch, self._slots, self._lag)
            await together(self._cluster, [(probed,) for probed in self.probed], self._room)
            background.cancel_scope.cancel()

    async def _room(self) -> None:
        """Wait while what was started already waits for a slot: each task takes memory."""
        while True:
            await anyio.lowlevel.checkpoint()
            if not self._slots.crowded:
                return
            await anyio.sleep(TICK / 4)

    # -------------------------------------------------------------------------------------- one cluster

    async def _cluster(self, probed: Probed) -> None:
        if not probed.cluster.refusals:  # Envoy would not have this cluster at all
            await together(self._upstream, [(probed, index) for index in range(len(probed.upstreams))])
        probed.done = True
        if self.observer:
            self.observer(probed)

    async def _upstream(self, probed: Probed, index: int) -> None:
        cluster, upstream = probed.cluster, probed.cluster.upstreams[index]
        endpoints: tuple[Endpoint, ...] = ()
        try:
            endpoints, outcome = await self._resolve(cluster, upstream)
        except Exception as defect:
            outcome = bug(StageName.DNS, None, defect)
        found = [EndpointOutcomes(endpoint, ()) for endpoint in endpoints]
        hidden = secrets(cluster)

        def keep() -> None:
            probed.upstreams[index] = UpstreamOutcomes(upstream, (outcome,), tuple(found))

        async def one(position: int) -> None:
            try:
                walks, checks = await self._endpoint(cluster, index, endpoints[position])
                first, *more = [tuple(redacted(outcome, hidden) for outcome in walk) for walk in ((*walks[0], *checks), *walks[1:])]
                found[position] = EndpointOutcomes(endpoints[position], first, tuple(more))
            except Exception as defect:  # of what is around the stages: those say so themselves
                found[position] = EndpointOutcomes(endpoints[position], (bug(StageName.TCP, endpoints[position], defect),))
            keep()

        keep()
        await together(one, [(position,) for position in range(len(endpoints))], self._room)

    async def _resolve(self, cluster: Cluster, upstream: Upstream) -> tuple[tuple[Endpoint, ...], Outcome]:
        clock = Clock()
        self._arm_caps(clock)
        found: list[Endpoint] = []

        async def stage() -> Facts:
            endpoints, facts = await dns.resolve(upstream, cluster, self._resolver, self.options.samples)
            found.extend(endpoints)
            return facts

        outcome = await timed(StageName.DNS, stage, clock, None, {}, self._lag)
        return tuple(found), outcome

    def _resolver(self, settings: DNSSettings) -> Resolver:
        resolver = self._resolvers.get(settings)
        if resolver is None:
            from .net.resolver import Resolver  # 50 ms that a config of addresses does not need

            resolver = self._resolvers[settings] = Resolver(settings, self._machine)
        return resolver

    # -------------------------------------------------------------------------------------- one endpoint

    async def _endpoint(self, cluster: Cluster, index: int, endpoint: Endpoint) -> tuple[list[Walked], Walked]:
        """The walks over one endpoint and its health check, each on a connection of its own."""
        upstream, context = cluster.upstreams[index], cluster.tls[index]
        walks: list[Walked] = []
        checks: tuple[Outcome, ...] = ()

        async def walk() -> None:
            key = (
                endpoint, context, cluster.protocol, cluster.timers.limits, cluster.request, cluster.source_address, upstream.url,
                cluster.route.websockets, cluster.route.spdy, cluster.route.upgrades, cluster.route.kind,
                self.options.samples == 1 or (id(cluster), index),
            )  # fmt: skip
            walks.extend(await self._once(key, lambda: self._looked(cluster, upstream, context, endpoint)))

        async def check() -> None:
            nonlocal checks
            first = cluster.health_checks[0]
            seen = await self._health(cluster, upstream, context, endpoint, first)
            if self.options.second_look:

                async def again(other: HealthCheck) -> Outcome:
                    return await self._health(cluster, upstream, context, endpoint, other)

                seen = await recheck(again, cluster, upstream, first, seen)
            checks = (seen,)

        checked = cluster.health_checks and StageName.HEALTH in self.options.stages
        await together(lambda work: work(), [(walk,), (check,)] if checked else [(walk,)])
        return walks, checks

    async def _once(self, key: Hashable, walk: Callable[[], Awaitable[list[Walked]]]) -> list[Walked]:
        """The same request over the same connection is made once, however many routes want it."""
        shared = self._shared.get(key)
        if shared is None:
            shared = self._shared[key] = Shared()
            try:
                shared.walks = await walk()
            finally:
                shared.end()
        await shared.wait()
        return shared.walks

    async def _looked(self, cluster: Cluster, upstream: Upstream, context: UpstreamTLS | None, endpoint: Endpoint) -> list[Walked]:
        """The walks of one endpoint, and what further connections tell about the first."""
        walks = [await self._walk(cluster, upstream, context, endpoint) for _ in range(self.options.samples)]
        if self.options.second_look and StageName.HTTP in self.options.stages and walks:

            async def walk(cluster: Cluster, context: UpstreamTLS | None, endpoint: Endpoint) -> Walked:
                return await self._walk(cluster, upstream, context, endpoint, idle=False)

            patience = min(PATIENCE, self.options.max_wait or PATIENCE, self._ends - monotonic())
            looker = Looker(walk, self._resolver, patience, self.options.websocket, self.options.upload)
            walks[0] = await looker.look(cluster, upstream, context, endpoint, walks[0])
        return summarised(alike(walks))

    async def _walk(
        self, cluster: Cluster, upstream: Upstream, context: UpstreamTLS | None, endpoint: Endpoint, *, idle: bool = True
    ) -> Walked:
        """One connection through its stages; the stages that it does not reach are skipped."""
        table = CONNECTION
        if cluster.protocol is Protocol.RAW:
            table = DATAGRAM if cluster.route.kind is RouteKind.UDP else TUNNEL
        outcomes: list[Outcome] = []
        async with self._slots.slot(str(endpoint)):
            clock = Clock()
            self._arm(clock, cluster)
            walk = Walk(cluster, upstream, endpoint, context, clock)
            reached = True
            try:
                for name, stage in table:
                    if name is StageName.TLS and context is None:
                        continue
                    if not reached or name not in self.options.stages:
                        reached = False
                        outcomes.append(
                            Outcome(
                                name,
                                Status.SKIPPED,
                                endpoint,
                                facts={"reason": "not reached" if name in self.options.stages else "not asked for"},
                            )
                        )
                        continue
                    if name is StageName.HTTP:
                        clock.disarm(Timer.CONNECT)
                    elif name is StageName.TLS and cluster.timers.handshake:
                        clock.arm(Timer.CONNECT, cluster.timers.handshake)

                    async def run(stage: Stage = stage) -> Facts:
                        return await stage(walk)

                    outcome = await timed(name, run, clock, endpoint, walk.facts, self._lag)
                    outcomes.append(outcome)
                    walk.facts[name.value] = {**walk.facts.get(name.value, {}), **outcome.facts}
                    reached = outcome.status is Status.OK
                patience = self.options.idle_probe
                if idle and patience and reached and outcomes and outcomes[-1].stage is StageName.HTTP and walk.stream is not None:
                    began = monotonic()
                    kept = await hold(walk.stream, patience)
                    if self._lag.worst(began) > CONGESTED:  # when it was closed is not known
                        kept = {}
                    outcomes[-1] = replace(outcomes[-1], facts={**outcomes[-1].facts, **kept})
            finally:
                if walk.stream is not None:
                    walk.stream.close()
        return tuple(outcomes)

    async def _health(
        self, cluster: Cluster, upstream: Upstream, context: UpstreamTLS | None, endpoint: Endpoint, check: HealthCheck
    ) -> Outcome:
        async with self._slots.slot(f"{endpoint} health"):
            clock = Clock()
            clock.arm(Timer.HEALTH, check.timeout)
            self._arm_caps(clock)

            seen: dict[str, Fact] = {}

            async def run() -> Facts:
                return await health.check(cluster, upstream, endpoint, context, check, seen)

            outcome = await timed(StageName.HEALTH, run, clock, endpoint, {"health": seen}, self._lag)
        if outcome.timer is Timer.HEALTH and outcome.status is Status.FAILING:
            return replace(outcome, failure=health.timed_out(check, seen))
        return outcome

    def _arm(self, clock: Clock, cluster: Cluster) -> None:
        timers = cluster.timers
        clock.arm(Timer.CONNECT, timers.connect)
        if cluster.protocol is not Protocol.RAW:
            clock.arm(Timer.ROUTE, timers.route)
        if cluster.route.kind is not RouteKind.UDP:
            clock.arm(Timer.IDLE, timers.idle)
            clock.arm(Timer.MAX_DURATION, timers.max_duration)
            clock.arm(Timer.REQUEST, timers.request)
        self._arm_caps(clock)

    def _arm_caps(self, clock: Clock) -> None:
        clock.arm(Timer.MAX_WAIT, self.options.max_wait)
        if self._ends != float("inf"):
            clock.arm(Timer.DEADLINE, max(0.0, self._ends - monotonic()))
