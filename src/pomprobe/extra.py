"""Further connections, beside the one that a route's request takes: what would work instead, and whether a websocket opens.

None of them is part of the forecast. Each stands in the fact `tried` of the outcome that it is about.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import anyio

from . import secondlook, upload, websocket
from .model import (
    Cluster,
    Discovery,
    DNSSettings,
    Endpoint,
    Fact,
    Failure,
    HealthCheck,
    Outcome,
    RouteKind,
    StageFailed,
    StageName,
    Status,
    Upstream,
    UpstreamTLS,
)
from .record import Record, replace
from .redact import shown

if TYPE_CHECKING:
    from .net.resolver import Resolver

Walk = Callable[[Cluster, UpstreamTLS | None, Endpoint], Awaitable[tuple[Outcome, ...]]]

FAMILIES = {False: ("V6_ONLY", "AAAA"), True: ("V4_ONLY", "A")}
"""Is it an IPv6 address? -> how to look for the addresses of the other kind."""

UNREACHED = (Failure.CONNECTION_REFUSED, Failure.CONNECT_ERROR, Failure.CONNECT_TIMEOUT)


class Looker(Record, frozen=True):
    """How to look further. walk: a walk over a connection of its own; resolver: the one for these settings; patience: in seconds.

    websocket: the path at which every route is asked for a websocket; "": its own, where it allows them.
    upload: bytes of a body to try, 0 for none.
    """

    walk: Walk
    resolver: Callable[[DNSSettings], Resolver]
    patience: float
    websocket: str = ""
    upload: int = 0

    async def look(
        self, cluster: Cluster, upstream: Upstream, context: UpstreamTLS | None, endpoint: Endpoint, outcomes: tuple[Outcome, ...]
    ) -> tuple[Outcome, ...]:
        """The outcomes, the failing one (or else the last) with what further connections tell: facts `tried`, `works` and others."""
        at = next((i for i, o in enumerate(outcomes) if o.status is Status.FAILING), len(outcomes) - 1)
        if not outcomes or outcomes[at].status not in (Status.OK, Status.FAILING):
            return outcomes
        facts: dict[str, Fact] = {}
        tried: list[str] = []
        trials = secondlook.trials(cluster, upstream, context, endpoint, outcomes)
        if outcomes[at].failure in UNREACHED and cluster.discovery is Discovery.STRICT_DNS:
            trials += await self._other_family(cluster, upstream, context, endpoint, facts, tried)
        if secondlook.may_hide_tls(cluster, endpoint, outcomes):
            tried.append(f"TLS to {endpoint}")
            facts |= secondlook.hidden_tls(await self.walk(*secondlook.behind(cluster, upstream), endpoint))
        for trial in trials:
            tried.append(trial.what)
            seen = await self.walk(secondlook.hurried(trial.cluster), trial.context, trial.endpoint)
            if secondlook.works(trial, cluster, upstream, outcomes, seen):
                facts["works"] = trial.works
                break
            if secondlook.in_vain(seen):
                facts["in_vain"] = (*_tuple(facts.get("in_vain")), trial.works)
        if cluster.route.kind is RouteKind.HTTP and secondlook.answered(outcomes[at]):
            if cluster.route.websockets or self.websocket:
                await self._upgrade(cluster, context, endpoint, facts, tried)
            if cluster.route.spdy and (cluster.route.websockets or outcomes[at].facts.get("protocol") == "HTTP/1.1"):
                tried.append(f"SPDY upgrade at {shown(cluster.request.path)} of {endpoint}")
                answer = websocket.read(await self.walk(websocket.asking_for_spdy(cluster), _http1(context), endpoint))
                facts |= {name.replace("upgrade", "spdy"): value for name, value in answer.items()}
            if cluster.route.websockets or outcomes[at].facts.get("protocol") == "HTTP/1.1":
                await self._others(cluster, context, endpoint, facts, tried)
            if self.upload:
                await self._upload(cluster, context, endpoint, facts, tried)
        if not tried:
            return outcomes
        told = replace(outcomes[at], facts={**outcomes[at].facts, **facts, "tried": tuple(tried)})
        return (*outcomes[:at], told, *outcomes[at + 1 :])

    async def _other_family(
        self,
        cluster: Cluster,
        upstream: Upstream,
        context: UpstreamTLS | None,
        endpoint: Endpoint,
        facts: dict[str, Fact],
        tried: list[str],
    ) -> list[secondlook.Trial]:
        """A trial over an address of the other family, if the name has one that the route does not use. Fact `other_family`."""
        family, record = FAMILIES[":" in endpoint.address]
        if cluster.dns.lookup_family == "ALL":
            return []
        tried.append(sys.intern(f"{record} records of {upstream.host}"))
        with anyio.move_on_after(self.patience):
            try:
                found = await self.resolver(replace(cluster.dns, lookup_family=family)).resolve(upstream.host)
            except StageFailed:  # then there are none
                return []
            facts["other_family"] = found.addresses
            other = Endpoint(found.addresses[0], endpoint.port)
            return [secondlook.Trial(cluster, context, other, f"dns_lookup_family: {family}", f"the same request to {other}")]
        return []

    async def _others(
        self, cluster: Cluster, context: UpstreamTLS | None, endpoint: Endpoint, facts: dict[str, Fact], tried: list[str]
    ) -> None:
        """Ask for what else `allow_upgrades` lets through. Fact `upgrades_refused`: "PROTOCOL: status", or how it ended."""
        refused = []
        for protocol in websocket.others(cluster.route):
            tried.append(f"upgrade to {protocol} at {shown(self.websocket or cluster.request.path)} of {endpoint}")
            asked = websocket.asking_for(cluster, protocol, self.websocket)
            answer = websocket.read(await self.walk(asked, _http1(context), endpoint))
            if answer and answer.get("upgrade_status") != websocket.OPEN:
                refused.append(f"{protocol}: {answer.get('upgrade_status') or answer.get('upgrade_failure')}")
        if refused:
            facts["upgrades_refused"] = tuple(refused)

    async def _upgrade(
        self, cluster: Cluster, context: UpstreamTLS | None, endpoint: Endpoint, facts: dict[str, Fact], tried: list[str]
    ) -> None:
        """Ask for a websocket as a browser would, and where that is refused once more with the Host that users type."""
        facts["upgrade_path"] = shown(self.websocket or cluster.request.path)
        for asked, works, what in websocket.attempts(cluster, self.websocket):
            tried.append(f"{what} of {endpoint}")
            seen = websocket.read(await self.walk(asked, _http1(context), endpoint))
            if not works:
                facts |= seen
            elif seen.get("upgrade_status") == websocket.OPEN:
                facts["upgrade_works"] = works
            if not websocket.may_be_the_host(seen):
                return

    async def _upload(
        self, cluster: Cluster, context: UpstreamTLS | None, endpoint: Endpoint, facts: dict[str, Fact], tried: list[str]
    ) -> None:
        """Send a large body, and where that is refused a small one."""

        async def answer(size: int) -> int | None:
            tried.append(f"GET with a body of {upload.shown(size)} at {shown(cluster.request.path)} of {endpoint}")
            return upload.answer(await self.walk(upload.asking(cluster, size), _http1(context), endpoint))

        large = await answer(self.upload)
        if upload.refused(large):
            facts |= upload.facts(self.upload, large, await answer(upload.SMALL))


async def recheck(
    again: Callable[[HealthCheck], Awaitable[Outcome]], cluster: Cluster, upstream: Upstream, check: HealthCheck, outcome: Outcome
) -> Outcome:
    """The outcome of a health check, with what came of the Host that requests have where its own may be what is refused, and of their path.

    Without `host` Envoy sends the cluster's name (row hc-host-header-set). At most two connections.
    """
    if outcome.failure is not Failure.HEALTH_STATUS or check.checker != "http":
        return outcome
    status, host, path = outcome.facts.get("status"), cluster.request_to(upstream).host, cluster.request.path
    others: list[tuple[HealthCheck, str, str]] = []
    if status in secondlook.HOST_REFUSALS and not check.host:
        others.append((replace(check, host=host), f"http_health_check.host: {host}", f"at {shown(check.path)} of {{}} with Host: {host}"))
    if isinstance(status, int) and 300 <= status < 500 and path.partition("?")[0] != check.path.partition("?")[0]:
        others.append((replace(check, path=path), f"http_health_check.path: {shown(path)}", f"at {shown(path)} of {{}}"))
    tried, vain, works = [], [], {}
    for other, key, where in others:
        tried.append(f"the health check {where.format(outcome.endpoint)}")
        if (await again(other)).status is Status.OK:
            works = {"works": key}
            break
        vain += [key, *([f"http_health_check.host: {upstream.host}"] if other.host != check.host else [])]
    return replace(outcome, facts={**outcome.facts, "tried": tuple(tried), "in_vain": tuple(vain), **works}) if tried else outcome


def _tuple(fact: Fact) -> tuple[str, ...]:
    return fact if isinstance(fact, tuple) else ()


def _http1(context: UpstreamTLS | None) -> UpstreamTLS | None:
    """An upgrade needs HTTP/1.1: the context that offers nothing else."""
    return context and replace(context, alpn=("http/1.1",))


def reached(outcomes: Sequence[Outcome]) -> bool:
    """Did the walk get as far as an answer?"""
    return bool(outcomes) and outcomes[-1].stage is StageName.HTTP and outcomes[-1].status is not Status.SKIPPED
