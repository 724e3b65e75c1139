"""Warnings and notes that outcomes give away although no stage failed (pure): little headroom, a certificate near its end …"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from . import upload, websocket
from .model import Cluster, EnvoyReply, Fact, Facts, Failure, Outcome, RouteKind, StageName, Status, Timer, Upstream
from .record import replace

EXPIRY_DAYS = 21
"""Days before the end of a certificate from which on it is a warning (Let's Encrypt renews 30 days before)."""

SLOW_NAME = 2.0
"""Seconds; c-ares gives a query 5 before it asks again."""

SINKHOLES = ("0.0.0.0", "::")
"""What filtering resolvers answer for a blocked name. Linux connects to itself instead."""

METADATA = ("169.254.169.254", "fd00:ec2::254", "169.254.170.2", "100.100.100.200", "192.0.0.192")
"""Where clouds serve the machine's own credentials (AWS, Google, Azure and others; AWS over IPv6; its containers; Alibaba; Oracle)."""

METADATA_NAMES = ("metadata.google.internal", "metadata")
"""Google's names for it."""

PRIVATE = (".local", ".internal", ".lan", ".corp", ".home.arpa", ".localdomain", "localhost", ".svc")
"""Ends of names that no user on the internet resolves."""

HASTY = {"uvicorn": 5, "hypercorn": 5, "gunicorn": 2}
"""Servers that send no Keep-Alive header, and after how many seconds they close idle connections unless told otherwise."""

POOL_IDLE = 3600
"""Seconds that Envoy keeps an idle upstream connection (cluster common_http_protocol_options.idle_timeout's default)."""


def notices(cluster: Cluster, upstream: Upstream, outcomes: Sequence[Outcome], warn_at: float) -> Iterator[Outcome]:
    """What is worth saying about outcomes of one endpoint. warn_at: share of a timeout that may be used (0.8)."""
    for outcome in outcomes:
        slow = SLOW_NAME * max(1, _number(outcome.facts.get("samples")))
        if outcome.stage is StageName.DNS and outcome.status is Status.OK and _own(outcome) > slow and not outcome.facts.get("failed"):
            yield _notice(outcome, Failure.SLOW_NAME, {"seconds": round(outcome.elapsed, 1)})
        if outcome.stage is StageName.TCP:
            yield from _where(outcome, upstream)
            if outcome.facts.get("tls_behind"):
                yield _notice(outcome, Failure.TLS_BEHIND, {})
            yield from _opening(cluster, outcomes, outcome, warn_at)
        failed, samples = outcome.facts.get("failed"), outcome.facts.get("samples")
        if isinstance(failed, int) and isinstance(samples, int) and 0 < failed < samples:
            yield _notice(outcome, Failure.INTERMITTENT, {})
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


def hurried(check: Outcome, timeout: float, warn_at: float) -> Outcome | None:
    """A health check that passes with hardly any time left."""
    used = _own(check)
    if check.status is Status.OK and used > warn_at * timeout:
        return _notice(check, Failure.LITTLE_HEADROOM, _used(Timer.HEALTH, used, timeout, "timeout"))
    return None


def wrong(check: Outcome, reply: EnvoyReply) -> Outcome | None:
    """A health check that fails while requests get a good answer: the check is what is wrong."""
    if check.status is Status.FAILING and reply.response_flags == "-" and reply.status < 400:
        return _notice(check, Failure.HEALTH_WRONG, {"answered": reply.status})
    return None


def _answer(cluster: Cluster, upstream: Upstream, outcomes: Sequence[Outcome], outcome: Outcome, warn_at: float) -> Iterator[Outcome]:
    if outcome.facts.get("streaming"):
        yield _notice(outcome, Failure.STREAMING, {})
    else:
        yield from _headroom(cluster, outcomes, outcome, warn_at)
    by_envoy = cluster.route.kind is RouteKind.HTTP  # Go's proxy takes HTTP/1.1 for upgrades by itself
    if by_envoy and cluster.route.spdy and not cluster.route.websockets and outcome.facts.get("protocol") == "HTTP/2":
        yield _notice(outcome, Failure.SPDY_OVER_HTTP2, {})
    idle = outcome.facts.get("idle_seconds")
    if isinstance(idle, float) and not outcome.facts.get("connection_close"):
        yield _notice(outcome, Failure.IDLE_CLOSED, {})
    elif (seconds := _keep_alive(outcome.facts)) is not None and seconds < POOL_IDLE:
        yield _notice(outcome, Failure.KEEPALIVE_SHORT, {"keep_alive_seconds": seconds})
    elif (name := str(outcome.facts.get("server") or "").partition("/")[0].lower()) in HASTY and not outcome.facts.get("connection_close"):
        yield _notice(outcome, Failure.KEEPALIVE_SHORT, {"by_name": name, "keep_alive_seconds": HASTY[name]})
    if origin := redirected(outcome.facts, upstream, cluster):
        yield _notice(outcome, Failure.REDIRECT_TO_UPSTREAM, {"redirect_origin": origin})
    if seen := _pomerium(outcome.facts):
        yield _notice(outcome, Failure.LOOP_SEEN, {"loop": seen})
    if outcome.facts.get("upgrade_status") == websocket.OPEN and not cluster.route.websockets:
        yield _notice(outcome, Failure.UPGRADE_NOT_ALLOWED, {})
    elif cluster.route.websockets and (refusal := websocket.refusal(outcome.facts)) is not None:
        yield _notice(outcome, Failure.UPGRADE_REFUSED, refusal)
    if isinstance(answered := outcome.facts.get("upload_answered"), int):
        size = upload.shown(_number(outcome.facts.get("upload_size")))
        yield _notice(outcome, Failure.UPLOAD_REFUSED, {"size": size, "answered": answered or None, "closed": not answered})
    spdy = outcome.facts.get("spdy_status")
    if isinstance(spdy, int) and spdy != websocket.OPEN and spdy != outcome.facts.get("status"):
        yield _notice(outcome, Failure.SPDY_REFUSED, {"answered": spdy})
    refused = outcome.facts.get("upgrades_refused")
    told = [one for one in refused if not one.endswith(f": {outcome.facts.get('status')}")] if isinstance(refused, tuple) else []
    for one in told if outcome.status is Status.OK else ():
        protocol, _, answered = one.partition(": ")
        yield _notice(outcome, Failure.OTHER_UPGRADE_REFUSED, {"protocol": protocol, "answered": answered.replace("_", " ")})


def _opening(cluster: Cluster, outcomes: Sequence[Outcome], outcome: Outcome, warn_at: float) -> Iterator[Outcome]:
    """A connection that took nearly all of the time that Envoy gives it, which is fixed."""
    done = [o for o in outcomes if o.stage in (StageName.TCP, StageName.TLS) and o.status is Status.OK]
    used, limit = sum(_own(o) for o in done), cluster.timers.connect
    listened = cluster.route.kind in (RouteKind.TCP, RouteKind.SSH, RouteKind.UDP)
    if outcome in done and not listened and used > warn_at * limit:
        yield _notice(outcome, Failure.LITTLE_HEADROOM, _used(Timer.CONNECT, used, limit, "fixed by Pomerium"))


def _headroom(cluster: Cluster, outcomes: Sequence[Outcome], outcome: Outcome, warn_at: float) -> Iterator[Outcome]:
    """The timer of which this answer used most, if that is more than `warn_at`."""
    total = sum(_own(o) for o in outcomes if o.stage in (StageName.TCP, StageName.TLS, StageName.HTTP))
    late = outcome.elapsed - _own(outcome)
    if isinstance(slowest := outcome.facts.get("max"), float):
        total = max(total, slowest - late)
    waited = outcome.facts.get("first_byte")
    first = waited - late if isinstance(waited, float) else 0.0
    timers = cluster.timers
    used = (
        (Timer.ROUTE, total, timers.route),
        (Timer.MAX_DURATION, total, timers.max_duration),
        (Timer.STREAM_DURATION, _own(outcome), timers.stream_duration),
        (Timer.IDLE, first, timers.idle),
        (Timer.PER_TRY, first, timers.per_try),
    )
    most = max(((seconds / limit, timer, seconds, limit) for timer, seconds, limit in used if limit), default=None)
    if most is not None and most[0] > warn_at:
        _, timer, seconds, limit = most
        yield _notice(outcome, Failure.LITTLE_HEADROOM, _used(timer, seconds, limit, timers.keys.get(timer.value, timer.value)))


def _used(timer: Timer, seconds: float, limit: float, key: str) -> Facts:
    used = {"used_percent": round(100 * seconds / limit), "seconds": round(seconds, 2), "timeout_seconds": limit}
    return {**used, "timeout_key": key, "of": timer.value, "twice": f"{2 * limit:g}s"}


def _own(outcome: Outcome) -> float:
    """Seconds of a stage that are surely not our own lateness."""
    late = outcome.facts.get("late")
    return max(0.0, outcome.elapsed - late) if isinstance(late, float) else outcome.elapsed


def _number(fact: Fact) -> int:
    return fact if isinstance(fact, int) else 0


def _keep_alive(facts: Facts) -> int | None:
    match = re.search(r"timeout=(\d{1,6})", str(facts.get("keep_alive") or ""))
    return int(match[1]) if match else None


def redirected(facts: Facts, upstream: Upstream, cluster: Cluster) -> str:
    """The origin to which an answer redirects, if that is one that users cannot reach: the upstream's own, or a private name."""
    try:
        parts = urlsplit(str(facts.get("location") or ""))
        host = (parts.hostname or "").lower()
    except ValueError:  # not a URL at all: the browser's business
        return ""
    own = cluster.route.from_host.lower()
    theirs = host == own or (own.startswith("*") and host.endswith(own[1:]))
    if not host or theirs or not (host == upstream.host.lower() or host.endswith(PRIVATE)):
        return ""
    return f"{parts.scheme or 'https'}://{parts.netloc.rpartition('@')[2]}/"


def _pomerium(facts: Facts) -> str:
    """By what the upstream's answer shows that it is Pomerium: one of its headers, or its own path in a redirect."""
    location = str(facts.get("location") or "")
    if "/.pomerium/" in location or location.endswith("/.pomerium"):
        return f"a redirect to {location}"
    header = facts.get("pomerium_header")
    return f"the response header {header}" if header else ""


def _where(outcome: Outcome, upstream: Upstream) -> Iterator[Outcome]:
    """Addresses at which no app is."""
    address = outcome.endpoint.address if outcome.endpoint else ""
    if address in SINKHOLES and outcome.failure is not Failure.CONNECTION_REFUSED:
        yield _notice(outcome, Failure.SINKHOLE, {"written": upstream.host == address})
    elif address in METADATA or upstream.host.rstrip(".").lower() in METADATA_NAMES:
        yield _notice(outcome, Failure.METADATA_ADDRESS, {"name": upstream.host if upstream.host != address else None})


def _notice(outcome: Outcome, failure: Failure, facts: Facts) -> Outcome:
    return replace(outcome, status=Status.WARNING, failure=failure, timer=None, facts={**outcome.facts, **facts})
