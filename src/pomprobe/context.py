"""What the words of a rule may name beside an outcome's own facts (pure)."""

from __future__ import annotations

from . import kubernetes
from .model import Cluster, Endpoint, Facts, Outcome, RouteKind, Upstream


def context(cluster: Cluster, upstream: Upstream | None, endpoint: Endpoint | None, outcome: Outcome) -> Facts:
    """Where an outcome was seen, and what of the config matters there."""
    facts: dict[str, str | int | float | bool | tuple[str, ...] | None] = {
        "route": cluster.route.name,
        "from": cluster.route.from_url,
        "panic_threshold": cluster.panic_threshold,
        "kind": cluster.route.kind.value,
        "own_tries": cluster.dns.query_timeout is not None or cluster.dns.query_tries is not None,
        "others": len(cluster.upstreams) - 1 if len(cluster.upstreams) > 1 and not cluster.health_checks else None,
    }
    if cluster.retries.conditions:
        facts["tries"] = cluster.retries.count + 1
    if cluster.route.kind is RouteKind.KUBERNETES and (reason := kubernetes.reason(outcome)):
        facts["log"] = kubernetes.LOG + reason
    if upstream is not None:
        facts |= {
            "upstream": upstream.url,
            "host": upstream.host,
            "port": upstream.port,
            "scheme": upstream.scheme,
            "line": upstream.place.line,
        }
        tls = cluster.tls[cluster.upstreams.index(upstream)]
        if tls is not None:
            facts |= {"server_name": tls.server_name, "match_name": tls.match_name, "trust_source": tls.trust_source}
    if endpoint is not None:
        facts |= {"endpoint": str(endpoint), "address": endpoint.address}
    if outcome.timer is not None:
        facts |= {
            "timeout_key": cluster.timers.keys.get(outcome.timer.value, outcome.timer.value),
            "timeout_seconds": cluster.timers.seconds(outcome.timer, outcome.stage),
        }
    return facts
