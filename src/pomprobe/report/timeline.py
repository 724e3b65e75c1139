"""How long each stage took, against the timer that limits it, on one small line (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..model import Cluster, EndpointOutcomes, Outcome, RouteReport, StageName, Status
from . import words
from .clean import clean
from .layout import Span

SEPARATOR = " · "


def timeline(report: RouteReport, *, unicode: bool) -> Iterator[list[Span]]:
    """One line for each upstream: of the endpoint that went worst, the slowest of those."""
    several = len(report.upstreams) > 1
    for upstream in report.upstreams:
        endpoint = _telling(upstream.endpoints)
        stages = [*(o for o in upstream.outcomes if o.facts.get("source") != "literal"), *(endpoint.outcomes if endpoint else ())]
        if not stages:
            continue
        spans: list[Span] = []
        for outcome in stages:
            text, role = _stage(outcome, report.cluster, unicode)
            spans += [(SEPARATOR if spans else "", "dim"), (text, role)]
        if of := _samples(stages):
            spans += [(SEPARATOR, "dim"), (of, "dim")]
        where = f"{clean(upstream.upstream.url)}  " if several else ""
        which = f"{clean(endpoint.endpoint)}  " if endpoint and len(upstream.endpoints) > 1 else ""
        yield [(where, "dim"), (which, "dim"), *spans]


def _telling(endpoints: Sequence[EndpointOutcomes]) -> EndpointOutcomes | None:
    return max(endpoints, key=lambda e: (-_rank(e), sum(o.elapsed for o in e.outcomes)), default=None)


def _rank(endpoint: EndpointOutcomes) -> int:
    return min(
        (words.STATUS_ORDER.index(o.status) for o in endpoint.outcomes if o.status is not Status.SKIPPED), default=len(words.STATUS_ORDER)
    )


def _stage(outcome: Outcome, cluster: Cluster | None, unicode: bool) -> tuple[str, str]:
    name = outcome.stage.value
    if outcome.status is Status.SKIPPED:
        return f"{name} not reached", "dim"
    took = f"{name} {words.took(outcome)}"
    limit = allowance(outcome, cluster)
    if limit:
        took += f" of {words.duration(limit)}"
    if outcome.status is Status.OK:
        return took, "dim"
    cross = "✗" if unicode else "x"
    what = words.failure(outcome.failure) if outcome.failure else outcome.status.value
    return f"{took} {cross} {what}" if outcome.status is Status.FAILING else f"{took} {what}", outcome.status.value


def _samples(outcomes: Sequence[Outcome]) -> str:
    """The figures of --samples, where an outcome has them."""
    for outcome in outcomes:
        facts = outcome.facts
        if "samples" in facts:
            times = [f"{name} {words.duration(value)}" for name in ("p50", "p95", "max") if isinstance(value := facts.get(name), float)]
            failed = [f"{facts['failed']} failed"] if facts.get("failed") else []
            return f"{facts['samples']} requests: {', '.join((*failed, *times))}"
    return ""


def allowance(outcome: Outcome, cluster: Cluster | None) -> float | None:
    """Seconds that Envoy gives this stage: the timer that fired, else for HTTP the earliest that could."""
    if cluster is None:
        return None
    if outcome.timer is not None:
        return cluster.timers.seconds(outcome.timer, outcome.stage)
    return words.limit(cluster) if outcome.stage is StageName.HTTP else None
