"""An answer comes: one request over the connection that the stages before have opened, and its whole response."""

from __future__ import annotations

import anyio
import httpx

from ..model import Fact, Facts, Failure, Protocol, StageFailed, Timer, Timers
from ..net import http
from ..net.boringssl import alert_name
from ..net.http_events import Closed, Refused, Reset
from ..net.speaks import guess, printable
from .walk import Clock, Walk

PATIENCE = 30.0
"""Seconds after which a body that keeps flowing counts as a stream without end, where no timer of Envoy's would end it."""

BODY_LIMIT = 64 * 1024 * 1024
"""Bytes of body that are read: enough to see a download being cut, not the whole of a large one."""


async def exchange(walk: Walk) -> Facts:
    """Send the cluster's request, read the response to its end; what is known so far stands in `walk.facts["http"]` at any time.

    Timers: x-envoy-upstream-rq-per-try-timeout-ms ends with the response's headers, x-envoy-upstream-stream-duration-ms with the body
    (source/common/router/upstream_request.cc; rows hdr-pertry-after-headers, hdr-streamdur-set).
    """
    assert walk.stream is not None
    clock, timers = walk.clock, walk.cluster.timers
    sent = walk.cluster.request_to(walk.upstream)
    http2 = _is_http2(walk)
    facts: dict[str, Fact] = {"protocol": "HTTP/2" if http2 else "HTTP/1.1"}
    walk.facts["http"] = facts
    transport = http.OpenStreamTransport(walk.stream, http2=http2)
    clock.arm(Timer.PER_TRY, timers.per_try)
    clock.arm(Timer.STREAM_DURATION, timers.stream_duration)
    began = anyio.current_time()
    try:
        response = await transport.handle_async_request(http.request(sent.method, sent.path, sent.host, sent.headers))
        clock.disarm(Timer.PER_TRY)
        clock.started = True
        clock.activity()
        facts |= _head(response, anyio.current_time() - began)
        if any(name.lower() == "upgrade" for name, _ in sent.headers):
            return _upgrade(response.status_code, facts)
        await _read(response, clock, timers, facts)
    except http.Broken as broken:
        raise _failed(broken, walk, facts, transport.interim) from broken
    finally:
        if transport.interim:
            facts["interim"] = True
    if 400 <= response.status_code < 600:
        raise _with(Failure.APP_ERROR if response.status_code >= 500 else Failure.APP_REFUSAL, facts)
    return facts


def _is_http2(walk: Walk) -> bool:
    """The configured protocol; AUTO is what ALPN selected, HTTP/1.1 without a selection."""
    if walk.cluster.protocol is Protocol.AUTO:
        return walk.facts.get("tls", {}).get("alpn") == "h2"
    return walk.cluster.protocol is Protocol.HTTP2


def _head(response: httpx.Response, waited: float) -> dict[str, Fact]:
    """The facts of a response's headers."""
    headers = response.headers
    facts: dict[str, Fact] = {"status": response.status_code, "first_byte": waited, "body_bytes": 0, "keep_alive": _stays(response)}
    named = {"server": headers.get("server"), "content_type": headers.get("content-type"), "location": headers.get("location")}
    facts |= {name: value for name, value in named.items() if value}
    if "location" in facts:
        facts["location"] = headers["location"].partition("?")[0].partition("#")[0]  # the rest may hold what is secret
    return facts


def _stays(response: httpx.Response) -> bool:
    """Will the server keep the connection, as far as its headers say?"""
    connection = response.headers.get("connection", "").lower()
    return "close" not in connection and (response.http_version != "HTTP/1.0" or "keep-alive" in connection)


def _upgrade(status: int, facts: dict[str, Fact]) -> Facts:
    """A WebSocket handshake ends with the headers: Envoy drops what follows a refusal below 400, and shows the rest as it is."""
    if status != 101:
        raise _with(Failure.UPGRADE_REFUSED, facts)
    facts["upgraded"] = True
    return facts


async def _read(response: httpx.Response, clock: Clock, timers: Timers, facts: dict[str, Fact]) -> None:
    """Read the body, counting it. Ends early at BODY_LIMIT, and after PATIENCE where no timer of Envoy's limits the response."""
    endless = timers.route is None and timers.max_duration is None and timers.stream_duration is None
    patience = anyio.current_time() + PATIENCE
    read = 0
    assert isinstance(response.stream, http.Body)
    async for piece in response.stream:
        read += len(piece)
        facts["body_bytes"] = read
        clock.activity()
        if read >= BODY_LIMIT:
            facts["body_limit"] = True
            return
        if endless and anyio.current_time() > patience:
            facts["streaming"] = True
            return


def _failed(broken: http.Broken, walk: Walk, facts: dict[str, Fact], interim: bool) -> StageFailed:
    """The failure that Envoy makes of an exchange that broke."""
    started = "status" in facts
    known: dict[str, Fact] = {**facts, "interim": interim, "started": started}
    if broken.closed:
        known["reset"] = broken.reset
    match broken.ending:
        case Refused(problem=problem) if started:
            failure = Failure.BODY_CUT
            known |= {"problem": problem, "closed": broken.closed}
        case Refused(problem=problem):
            failure = Failure.PROTOCOL_ERROR
            known |= {"problem": problem, **_spoken(broken.first)}
        case Closed() if started:
            failure = Failure.BODY_CUT
            known |= {"problem": "the connection ended inside the body", "closed": True}
        case Closed():
            failure = Failure.CLOSED
            known |= _tls(broken, walk)
        case Reset() as reset:
            failure = Failure.STREAM_RESET
            known |= {"error_code": reset.error_code, "goaway": reset.goaway, "problem": reset.problem}
    return _with(failure, known, str(broken))


def _with(failure: Failure, facts: dict[str, Fact], error: str = "") -> StageFailed:
    failed = StageFailed(failure, error=error)
    failed.facts = dict(facts)
    return failed


def _spoken(first: bytes) -> dict[str, Fact]:
    """What the first bytes tell of a server that does not speak as it should."""
    speaks = guess(first)
    facts: dict[str, Fact] = {"speaks": speaks, "answered_tls": speaks == "TLS"}
    if not first.startswith(b"HTTP/"):  # headers may hold what is secret
        facts["first_bytes"] = printable(first)
    return facts


def _tls(broken: http.Broken, walk: Walk) -> dict[str, Fact]:
    """On TLS 1.3 a refused client certificate shows only now; Envoy just says connection_termination (row tlsa-mtls-missing-13)."""
    handshake = walk.facts.get("tls", {})
    asked = {name: handshake.get(name, False) for name in ("client_certificate_requested", "client_certificate_sent")}
    return asked | ({"alert": broken.alert, "alert_name": alert_name(broken.alert)} if broken.alert is not None else {})
