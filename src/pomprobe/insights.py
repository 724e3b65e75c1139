"""Warnings and notes that outcomes give away although no stage failed (pure): little headroom, a certificate near its end …"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from .model import Cluster, EnvoyReply, Facts, Failure, Outcome, StageName, Status, Timer, Upstream

EXPIRY_DAYS = 21
"""Days before the end of a certificate from which on it is a warning (Let's Encrypt renews 30 days before)."""

SLOW_NAME = 2.0
"""Seconds; c-ares gives a query 5 before it asks again."""

POOL_IDLE = 3600
"""Seconds that Envoy keeps an idle upstream connection (cluster common_http_protocol_options.idle_timeout's default)."""


def notices(cluster: Cluster, upstream: Upstream, outcomes: Sequence[Outcome], warn_at: float) -> Iterator[Outcome]:
    """What is worth saying about outcomes of one endpoint. warn_at: share of a timeout that may be used (0.8)."""
    for outcome in outcomes:
        if outcome.stage is StageName.DNS and outcome.status is Status.OK and outcome.elapsed > SLOW_NAME:
            yield _notice(outcome, Failure.SLOW_NAME, {"seconds": round(outcome.elapsed, 1)})
        if outcome.stage is StageName.TLS:
            days = outcome.facts.get("days_left")
            if outcome.status is Status.OK and isinstance(days, int) and 0 <= days < EXPIRY_DAYS:
                yield _notice(outcome, Failure.CERTIFICATE_EXPIRES_SOON, {})
        if (
            outcome.stage is StageName.HTTP
            and "status" in outcome.facts
            and outcome.failure in (None, Failure.APP_ERROR, Failure.APP_REFUSAL)
        ):
            yield from _answer(cluster, upstream, outcomes, outcome, warn_at)


def blind(check: Outcome, reply: EnvoyReply | None) -> Outcome | None:
    """A health check that passes while requests get an error of Envoy's: it does not look at what users use."""
    if check.status is Status.OK and reply is not None and reply.response_flags != "-":
        return _notice(check, Failure.HEALTH_BLIND, {"status": reply.status})
    return None


def _answer(cluster: Cluster, upstream: Upstream, outcomes: Sequence[Outcome], outcome: Outcome, warn_at: float) -> Iterator[Outcome]:
    used = sum(o.elapsed for o in outcomes if o.stage in (StageName.TCP, StageName.TLS, StageName.HTTP))
    limit = cluster.timers.route
    if outcome.facts.get("streaming"):
        yield _notice(outcome, Failure.STREAMING, {})
    elif limit and used > warn_at * limit:
        yield _notice(
            outcome,
            Failure.LITTLE_HEADROOM,
            {
                "used_percent": round(100 * used / limit),
                "seconds": round(used, 2),
                "timeout_seconds": limit,
                "timeout_key": cluster.timers.keys.get(Timer.ROUTE.value, "timeout"),
            },
        )
    idle = outcome.facts.get("idle_seconds")
    if isinstance(idle, float) and not outcome.facts.get("connection_close"):
        yield _notice(outcome, Failure.IDLE_CLOSED, {})
    elif (seconds := _keep_alive(outcome.facts)) is not None and seconds < POOL_IDLE:
        yield _notice(outcome, Failure.KEEPALIVE_SHORT, {"keep_alive_seconds": seconds})
    location = str(outcome.facts.get("location") or "")
    if location and _points_at(location, upstream, cluster):
        yield _notice(outcome, Failure.REDIRECT_TO_UPSTREAM, {})


def _keep_alive(facts: Facts) -> int | None:
    match = re.search(r"timeout=(\d{1,6})", str(facts.get("keep_alive") or ""))
    return int(match[1]) if match else None


def _points_at(location: str, upstream: Upstream, cluster: Cluster) -> bool:
    """Does the redirect lead to the upstream's own name, rather than to the name that users know?"""
    try:
        host = urlsplit(location).hostname
    except ValueError:  # not a URL at all: the browser's business
        return False
    return bool(host) and host != cluster.route.from_host.lower() and host == upstream.host.lower()


def _notice(outcome: Outcome, failure: Failure, facts: Facts) -> Outcome:
    return replace(outcome, status=Status.WARNING, failure=failure, timer=None, facts={**outcome.facts, **facts})
