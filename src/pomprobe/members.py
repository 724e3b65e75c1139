"""What the hosts of a cluster tell together, and none of them alone (pure): panic, ejection, and members that are not the same app."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from . import balance
from .forecast import Host, ejected
from .model import Cluster, Endpoint, Facts, Failure, Outcome, RouteKind, StageName, Status, UpstreamOutcomes

NOT_ABOUT_THE_APP = (401, 429)
"""Refusals that say who asks, or how often, and not whether this is the app."""


def notices(cluster: Cluster, upstreams: Sequence[UpstreamOutcomes], hosts: Sequence[Host]) -> Iterator[Outcome]:
    """hosts: those of the upstreams, in their order."""
    yield from _panic(cluster, hosts)
    yield from _ejected(cluster, hosts)
    if cluster.route.kind is RouteKind.HTTP:
        yield from _different(upstreams)


def _panic(cluster: Cluster, hosts: Sequence[Host]) -> Iterator[Outcome]:
    """Failing hosts get requests beside healthy ones, and users see it (row hc-3hosts-2-failing)."""
    healthy = sum(host.healthy is True for host in hosts)
    if not cluster.health_checks or not healthy or any(host.healthy is None for host in hosts):
        return
    seen = [balance.Host(host.weight, bool(host.healthy), host.degraded) for host in hosts]
    bad = [a for host in hosts if not host.healthy for a in host.answers if a.reply.response_flags != "-" or a.reply.status >= 500]
    if bad and balance.panics(seen, cluster.panic_threshold):
        facts = {"healthy": healthy, "hosts": len(hosts), "threshold": cluster.panic_threshold}
        yield Outcome(StageName.HEALTH, Status.FAILING, failure=Failure.HEALTH_PANIC, facts=facts)


def _ejected(cluster: Cluster, hosts: Sequence[Host]) -> Iterator[Outcome]:
    """What is answered now is not what users see once outlier detection has seen it often enough."""
    if soon := ejected(cluster, hosts):
        facts: Facts = {"count": soon.count, "ejected_for": soon.time, "others": soon.others}
        yield Outcome(StageName.HEALTH, Status.WARNING, failure=Failure.EJECTION, facts=facts)


def _different(upstreams: Sequence[UpstreamOutcomes]) -> Iterator[Outcome]:
    """To the same request one member gives its page, and another one says that it has none: mostly another port of the app."""
    answers = [answer for upstream in upstreams for probed in upstream.endpoints if (answer := _status(probed.outcomes))]
    fine = next(((endpoint, status) for endpoint, status in answers if status < 400), None)
    for endpoint, status in answers:
        if fine is not None and 400 <= status < 500 and status not in NOT_ABOUT_THE_APP:
            facts: Facts = {"bad": str(endpoint), "bad_status": status, "fine": str(fine[0]), "fine_status": fine[1]}
            yield Outcome(StageName.HTTP, Status.WARNING, endpoint, Failure.MEMBERS_DIFFER, facts=facts)


def _status(outcomes: Sequence[Outcome]) -> tuple[Endpoint, int] | None:
    last = next((o for o in reversed(outcomes) if o.stage is StageName.HTTP), None)
    status = last.facts.get("status") if last is not None and last.failure in (None, Failure.APP_REFUSAL) else None
    return (last.endpoint, status) if last is not None and last.endpoint is not None and isinstance(status, int) else None
