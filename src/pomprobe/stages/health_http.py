"""The checks that speak HTTP: http_health_check and grpc_health_check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ..model import Fact, Facts, Failure, HealthCheck, Protocol, StageFailed
from ..net import http
from ..net.boringssl import alert_name
from ..net.http_events import Refused, Reset
from ..net.speaks import guess, printable
from ..record import Record
from . import grpc_health
from .payload import Matcher
from .walk import Walk

AGENT = ("user-agent", "Envoy/HC")

BUFFER = 1024
"""Bytes of an HTTP answer that `receive` is looked for in, unless response_buffer_size says otherwise (0: all of them)."""

EVERYTHING = 64 * 1024 * 1024
"""Bytes that stand for all of a body."""

GRPC_BODY = 65536
"""Bytes of a gRPC answer that are kept; a HealthCheckResponse has two, and its frame five."""


def failed(failure: Failure, facts: Facts, error: str = "", **more: Fact) -> StageFailed:
    """The failure with everything that was seen."""
    made = StageFailed(failure, error=error)
    made.facts = {**facts, **more}
    return made


class Answer(Record, frozen=True):
    """A complete response. body: its first bytes, as many as were to be kept."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    trailers: Mapping[str, str]


async def http_check(walk: Walk, health_check: HealthCheck, seen: dict[str, Fact]) -> None:
    """Ask for the path, with the cluster's name as Host unless `host` is set; only 200 passes unless expected_statuses says more."""
    own = cast("Mapping[str, Any]", health_check.raw.get("http_health_check", {}))
    removed = {name.lower() for name in own.get("request_headers_to_remove", ())}
    headers = [(name, value) for name, value in (AGENT, *health_check.request_headers) if name.lower() not in removed]
    if health_check.send:
        headers.append(("content-length", str(len(health_check.send))))
    host = seen["host_header"] = health_check.host or walk.cluster.name
    keep = int(own.get("response_buffer_size", BUFFER)) or EVERYTHING
    request = (health_check.method, health_check.path, host, tuple(headers), health_check.send)
    answer = await _exchange(walk, request, seen, http2=health_check.http2, keep=keep)
    expected = health_check.expected_statuses
    if not _within(answer.status, expected):
        wanted = ", ".join(str(start) if end == start + 1 else f"{start}-{end - 1}" for start, end in expected)
        retriable = _within(answer.status, health_check.retriable_statuses)
        raise failed(Failure.HEALTH_STATUS, seen, f"HTTP status {answer.status}", expected=wanted, retriable=retriable)
    if not Matcher(health_check.receive).feed(answer.body):
        raise failed(Failure.HEALTH_PAYLOAD, seen, "the body does not hold the bytes of receive", received=printable(answer.body))
    if "x-envoy-degraded" in answer.headers:
        seen["degraded"] = True  # passes; Envoy prefers hosts that do not say so (row hc-degraded)


async def grpc_check(walk: Walk, health_check: HealthCheck, seen: dict[str, Fact]) -> None:
    """Call grpc.health.v1.Health/Check; always over HTTP/2, whatever ALPN selected (ProdGrpcHealthCheckerImpl::createCodecClient)."""
    waits = ("grpc-timeout", grpc_health.timeout(health_check.timeout))
    headers = (("content-type", "application/grpc"), ("te", "trailers"), AGENT, waits)
    host = seen["host_header"] = health_check.authority or walk.cluster.name
    request = ("POST", grpc_health.PATH, host, headers, grpc_health.request(health_check.service_name))
    answer = await _exchange(walk, request, seen, http2=True, keep=GRPC_BODY)
    read = grpc_health.read(answer.status, answer.headers, answer.body, answer.trailers)
    seen["grpc_status"] = read.grpc_status
    if read.serving_status is not None:
        seen["serving_status"] = read.serving_status
    if not read.passes:
        raise failed(Failure.HEALTH_GRPC, seen, read.message)


Sent = tuple[str, str, str, tuple[tuple[str, str], ...], bytes]
"""Method, path, host, headers and body of a request."""


async def _exchange(walk: Walk, sent: Sent, seen: dict[str, Fact], *, http2: bool, keep: int) -> Answer:
    """Send the request, read the response to its end; the check's codec is the configured one, not what ALPN selected."""
    assert walk.stream is not None
    method, path, host, headers, body = sent
    seen["protocol"] = "HTTP/2" if http2 else "HTTP/1.1"
    seen["scheme"] = walk.upstream.scheme
    upstream_http2 = seen["alpn"] == "h2" if walk.tls is not None else walk.cluster.protocol is Protocol.HTTP2
    if http2 != upstream_http2:
        seen["codec_mismatch"] = True
    kept = b""
    try:
        request = http.Request(method, path, host, headers, "https" if walk.tls else "http", body)
        exchanged = http.Exchange(walk.stream, request, http2=http2)
        response = await exchanged.ask()
        seen["status"] = response.status
        while (piece := await exchanged.piece()) is not None:
            kept += piece[: keep - len(kept)]
    except http.Broken as broken:
        raise _broke(broken, seen) from broken
    except ValueError as error:  # a path that our codec would not write, while Envoy's does
        raise failed(Failure.NOT_KNOWN, seen, str(error), limit=str(error)) from error
    return Answer(response.status, response.headers, kept, http.by_name(exchanged.trailers))


def _broke(broken: http.Broken, seen: Facts) -> StageFailed:
    """What Envoy counts as a network failure of the check: codec and server disagree, or the connection ended."""
    cause: dict[str, Fact]
    match broken.ending:
        case Refused(problem=problem) if broken.closed and "status" in seen:
            cause = {"cause": problem}  # the body was cut
        case Refused(problem=problem):
            speaks = guess(broken.first)
            cause = {"cause": problem, "speaks": speaks}
            if speaks != "HTTP":  # headers may hold what is secret
                cause["first_bytes"] = printable(broken.first)
            return failed(Failure.HEALTH_PROTOCOL, seen, str(broken), **cause)
        case Reset() as reset:
            cause = {"cause": "stream_reset", "error_code": reset.error_code, "goaway": reset.goaway}
        case _:
            cause = {"cause": "closed", "reset": broken.reset}
            if broken.alert is not None:  # TLS 1.3 shows a refused client certificate only now
                cause |= {"alert": broken.alert, "alert_name": alert_name(broken.alert)}
    failure = Failure.HEALTH_PROTOCOL if seen.get("codec_mismatch") else Failure.HEALTH_CONNECTION
    return failed(failure, seen, str(broken), **cause)


def _within(status: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(start <= status < end for start, end in ranges)
