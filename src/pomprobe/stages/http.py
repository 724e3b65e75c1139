"""An answer comes: one request over the connection that the stages before have opened, and its whole response."""

from __future__ import annotations

from contextlib import nullcontext
from time import monotonic

import anyio

from ..model import Fact, Facts, Failure, Protocol, Retries, StageFailed, Timer, Timers
from ..net import http
from ..net.boringssl import alert_name
from ..net.http_events import Closed, Refused, Reset
from ..net.speaks import guess, printable
from ..net.tls_stream import TLSStream
from .tunnel import through_proxy
from .walk import Clock, Walk

PATIENCE = 30.0
"""Seconds for an answer, and for a body that does not end, where no timer of Envoy's would end the request: a stream, or silence."""

BODY_LIMIT = 64 * 1024 * 1024
"""Bytes of body that are read: enough to see a download being cut, not the whole of a large one."""

BEGIN = 2048
"""Bytes of body that are looked into."""

WANTS_TLS = (
    b"plain HTTP request was sent to HTTPS port",  # nginx
    b"Client sent an HTTP request to an HTTPS server",  # Go
    b"speaking plain HTTP to an SSL-enabled server port",  # Apache
    b"This combination of host and port requires TLS",  # Tomcat
)
"""How servers say in a 400 that they got plain HTTP on a TLS port (rows tls-nginx-http-to-https, http-to-tls-go400)."""


async def exchange(walk: Walk) -> Facts:
    """Send the cluster's request, read the response to its end; what is known so far stands in `walk.facts["http"]` at any time.

    Timers, measured on Envoy 1.37: x-envoy-upstream-rq-per-try-timeout-ms ends with the response's headers or with a 100, 102, 103 or
    104 before them (row hdr-pertry-after-headers), x-envoy-upstream-stream-duration-ms with the body (row hdr-streamdur-set). Headers
    and pieces of body start the idle timer anew; an interim response, PING and part of an HTTP/2 frame do not.
    """
    assert walk.stream is not None
    clock, timers = walk.clock, walk.cluster.timers
    sent = walk.cluster.request_to(walk.upstream)
    connect = sent.method == "CONNECT"
    http2 = _is_http2(walk)
    facts: dict[str, Fact] = {"protocol": "HTTP/2" if http2 else "HTTP/1.1"} | ({"connect": True} if connect else {})
    handshake = walk.facts.get("tls", {})
    facts |= {name: handshake[name] for name in ("client_certificate_requested", "client_certificate_sent") if name in handshake}
    walk.facts["http"] = facts

    def interim() -> None:
        facts["interim"] = True
        clock.disarm(Timer.PER_TRY)

    clock.arm(Timer.PER_TRY, timers.per_try)
    clock.arm(Timer.STREAM_DURATION, timers.stream_duration)
    target = sent.host if connect else sent.path
    request = http.Request(sent.method, target, sent.host, sent.headers, zeros=sent.body)
    clock.arm(Timer.PATIENCE, PATIENCE if _endless(timers) and timers.idle is None else None)
    try:
        exchanged = http.Exchange(walk.stream, request, http2=http2, on_interim=interim)
        clock.begin()
        began = monotonic()
        response = await exchanged.ask()
        clock.disarm(Timer.PER_TRY)
        clock.disarm(Timer.PATIENCE)
        clock.disarm(Timer.REQUEST)
        clock.headers()
        facts |= _head(response, monotonic() - began)
        if walk.cluster.retries.conditions:
            facts |= _retried_for(response, walk.cluster.retries)
        if request.upgrades:
            return _upgrade(response.status, facts)
        if connect and 200 <= response.status < 300:
            return await through_proxy(exchanged.piece, facts)
        begin = await _read(exchanged, clock, timers, facts)
    except http.Broken as broken:
        if isinstance(walk.stream, TLSStream) and walk.stream.renegotiation:
            facts["renegotiation"] = True
        raise _failed(broken, facts) from broken
    except http.Unsendable as error:
        raise _with(Failure.NOT_KNOWN, {**facts, "limit": "a line break or control character in the request"}, str(error)) from error
    if response.status == 400 and walk.tls is None:
        facts["answered_tls"] = any(words in begin for words in WANTS_TLS)
    if 400 <= response.status < 600 or connect:
        raise _with(Failure.APP_ERROR if response.status >= 500 else Failure.APP_REFUSAL, facts)
    return facts


def _is_http2(walk: Walk) -> bool:
    """The configured protocol; AUTO is what ALPN selected, HTTP/1.1 without a selection."""
    if walk.cluster.protocol is Protocol.AUTO:
        return walk.facts.get("tls", {}).get("alpn") == "h2"
    return walk.cluster.protocol is Protocol.HTTP2


def _head(response: http.Response, waited: float) -> dict[str, Fact]:
    """The facts of a response's headers."""
    headers = response.headers
    facts: dict[str, Fact] = {"status": response.status, "first_byte": waited, "body_bytes": 0, "connection_close": _closes(response)}
    named = {"server": headers.get("server"), "content_type": headers.get("content-type"), "location": headers.get("location")}
    named["keep_alive"] = headers.get("keep-alive")
    named["pomerium_header"] = next((name for name in headers if name.startswith("x-pomerium-")), None)
    facts |= {name: value for name, value in named.items() if value}
    if "location" in facts:
        facts["location"] = headers["location"].partition("?")[0].partition("#")[0]  # the rest may hold what is secret
    return facts


def _retried_for(response: http.Response, retries: Retries) -> Facts:
    """What in the headers can make Envoy try again, where x-envoy-* headers ask for that (RetryStateImpl::wouldRetryFromHeaders)."""
    grpc = response.headers.get("grpc-status", "")
    return {
        "ratelimited": "x-envoy-ratelimited" in response.headers,
        "grpc_status": int(grpc) if grpc.isdecimal() and len(grpc) < 4 else None,
        "retriable_header": next((name for name in retries.headers if name in response.headers), None),
    }


def _closes(response: http.Response) -> bool:
    """Does the server say that it closes the connection after this response?"""
    connection = response.headers.get("connection", "").lower()
    return "close" in connection or (response.version == "HTTP/1.0" and "keep-alive" not in connection)


def _upgrade(status: int, facts: dict[str, Fact]) -> Facts:
    """A WebSocket handshake ends with the headers: Envoy drops what follows a refusal below 400, and shows the rest as it is."""
    if status != 101:
        raise _with(Failure.UPGRADE_REFUSED, facts)
    facts["upgraded"] = True
    return facts


async def _read(exchanged: http.Exchange, clock: Clock, timers: Timers, facts: dict[str, Fact]) -> bytes:
    """Read the body, counting it; returns its beginning.

    Ends early at BODY_LIMIT, and after PATIENCE where no timer of Envoy's limits the response.
    """
    read, begin = 0, b""
    with anyio.move_on_after(PATIENCE) if _endless(timers) else nullcontext() as patience:
        while (piece := await exchanged.piece()) is not None:
            read += len(piece)
            begin += piece[: BEGIN - len(begin)]
            facts["body_bytes"] = read
            clock.activity()
            if read >= BODY_LIMIT:
                facts["body_limit"] = True
                break
    if patience is not None and patience.cancelled_caught:
        facts["streaming"] = True
    return begin


def _endless(timers: Timers) -> bool:
    """Does no timer of Envoy's limit how long a response takes? Only idle_timeout may still end one that is silent."""
    return timers.route is None and timers.max_duration is None and timers.request is None and timers.stream_duration is None


def _failed(broken: http.Broken, facts: dict[str, Fact]) -> StageFailed:
    """The failure that Envoy makes of an exchange that broke."""
    started = "status" in facts
    known: dict[str, Fact] = {"interim": False, **facts, "started": started}
    if broken.closed:
        known["reset"] = broken.reset
    match broken.ending:
        case Refused(problem=problem) if started:
            failure = Failure.BODY_CUT
            known |= {"problem": problem, "closed": broken.closed and facts.get("protocol") != "HTTP/2"}
        case Refused(problem=problem, older_status=older):
            failure = Failure.PROTOCOL_ERROR
            known |= {"problem": problem, **_spoken(broken.first), **({"older_status": older} if older else {})}
        case Closed() if started:
            failure = Failure.BODY_CUT
            known |= {"problem": "the connection ended inside the body", "closed": True}
        case Closed(goaway=goaway):
            failure = Failure.CLOSED
            known |= {"goaway": goaway, **_spoken(broken.first)}
            if broken.alert is not None:  # TLS 1.3 shows a refused client certificate only now (row tlsa-mtls-missing-13)
                known |= {"alert": broken.alert, "alert_name": alert_name(broken.alert)}
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
