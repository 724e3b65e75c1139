"""A health check as Envoy makes it, on a connection of its own.

Sources: Envoy's source/extensions/health_checkers/{http,tcp,grpc}/health_checker_impl.cc, the hc-* rows of the recorded truth. Hosts start
unhealthy and the first result decides at once (thresholds count later), so one check is all that a forecast needs.
"""

from __future__ import annotations

from ..model import Cluster, Endpoint, Fact, Facts, Failure, HealthCheck, StageFailed, Upstream, UpstreamTLS
from ..net.speaks import printable
from ..net.stream import TLSBroken
from . import tcp, tls
from .health_http import failed, grpc_check, http_check
from .payload import Matcher
from .walk import Clock, Walk

OURS = frozenset({Failure.NOT_KNOWN, Failure.TRUST_UNAVAILABLE})
"""Failures of a connection that tell about this machine."""

FIRST = 64
"""Bytes of an answer that are kept for people."""


async def check(
    cluster: Cluster,
    upstream: Upstream,
    endpoint: Endpoint,
    context: UpstreamTLS | None,
    health_check: HealthCheck,
    seen: dict[str, Fact] | None = None,
) -> Facts:
    """Connect, shake hands, ask, judge. The caller's scope is the check's timeout, which covers all of it.

    seen: is given what is known so far, so that a timeout can be explained (`timed_out`).
    Raises StageFailed HEALTH_…, or with what is this machine's fault.
    """
    seen = {} if seen is None else seen
    seen["checker"] = health_check.checker
    if health_check.path:
        seen["path"] = health_check.path
    walk = Walk(cluster, upstream, endpoint, context, Clock())
    try:
        await _connect(walk, seen)
        match health_check.checker:
            case "tcp":
                await _tcp(walk, health_check, seen)
            case "grpc":
                await grpc_check(walk, health_check, seen)
            case _:
                await http_check(walk, health_check, seen)
    finally:
        if walk.stream is not None:
            walk.stream.close()
    return seen


def timed_out(health_check: HealthCheck, seen: Facts) -> Failure:
    """What a check that did not end in time has failed for, given how far it was `seen` to come."""
    if seen.get("connected") and health_check.checker == "tcp":
        return Failure.HEALTH_PAYLOAD  # Envoy cannot know that the bytes will not come, and waits (row hc-tcp-recv-mismatch)
    return Failure.HEALTH_PROTOCOL if seen.get("codec_mismatch") else Failure.HEALTH_TIMEOUT


async def _connect(walk: Walk, seen: dict[str, Fact]) -> None:
    try:
        await tcp.connect(walk)
        if walk.tls is not None:
            walk.facts["tls"] = await tls.handshake(walk)
            seen["alpn"] = walk.facts["tls"]["alpn"]
    except StageFailed as broken:
        if broken.failure in OURS:
            raise
        raise failed(Failure.HEALTH_CONNECTION, {**broken.facts, **seen}, broken.error, cause=broken.failure.value) from broken
    seen["connected"] = True


async def _tcp(walk: Walk, health_check: HealthCheck, seen: dict[str, Fact]) -> None:
    """Without `receive` an open connection is all that is asked for, and what `send` holds never leaves."""
    if not health_check.receive:
        return
    assert walk.stream is not None
    matcher, first = Matcher(health_check.receive), b""
    try:
        if health_check.send:
            await walk.stream.send(health_check.send)
        while data := await walk.stream.receive():
            first += data[: FIRST - len(first)]
            seen["received"] = printable(first)
            if matcher.feed(data):
                return
    except (OSError, TLSBroken) as error:
        raise failed(Failure.HEALTH_PAYLOAD, seen, str(error), cause="reset") from error
    raise failed(Failure.HEALTH_PAYLOAD, seen, "the server closed the connection", cause="closed")
