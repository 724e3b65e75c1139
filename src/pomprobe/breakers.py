"""Circuit breakers that let nothing through (pure): what Envoy answers is a matter of the config alone, or nearly so."""

from __future__ import annotations

from .model import Cluster, Failure, Outcome, StageName, Status


def no_pools(cluster: Cluster) -> Outcome | None:
    """max_connection_pools: 0, with which Envoy finds no host healthy."""
    return _closed("max_connection_pools", pools=True) if cluster.circuit_breakers.max_connection_pools == 0 else None


def closed(cluster: Cluster) -> Outcome | None:
    """The breaker that refuses every request once a host is chosen.

    max_requests counts only when a connection is there (variants breaker-*), max_pending_requests before.
    """
    limits = cluster.circuit_breakers
    key = next((key for key in ("max_pending_requests", "max_requests") if getattr(limits, key) == 0), None)
    return None if key is None else _closed(key, pools=False)


def _closed(key: str, *, pools: bool) -> Outcome:
    return Outcome(StageName.CONFIG, Status.FAILING, failure=Failure.CIRCUIT_BREAKER, facts={"breaker": key, "pools": pools})
