"""gRPC health checks against a real HTTP/2 server."""

from __future__ import annotations

import pytest

from factories import cluster, upstream
from pomprobe.model import Endpoint, Fact, Facts, Failure, HealthCheck, Protocol, StageFailed
from pomprobe.record import replace
from pomprobe.stages import grpc_health, health
from servers.health import HTTP1, HTTP2, Pairs, response, serve

GRPC = HealthCheck("grpc", 1.5, 1.0, 1, 1)
HEADERS = [(":status", "200"), ("content-type", "application/grpc")]
OK = [("grpc-status", "0")]


def framed(*messages: bytes) -> bytes:
    return b"".join(b"\x00" + len(message).to_bytes(4) + message for message in messages)


SERVING, NOT_SERVING, UNKNOWN = (framed(b"\x08" + bytes([status])) for status in (1, 2, 0))


async def ask(server: HTTP2 | HTTP1, check: HealthCheck = GRPC) -> Facts:
    async with serve(server) as port:
        to = upstream(f"h2c://up.lab.test:{port}", "up.lab.test", port)
        return await health.check(cluster((to,), protocol=Protocol.HTTP2), to, Endpoint("127.0.0.1", port), None, check)


async def test_serving() -> None:
    """SERVING passes; the call goes to the whole server under the cluster's name."""
    server = HTTP2(HEADERS, SERVING, OK)
    assert await ask(server) == {
        "checker": "grpc",
        "connected": True,
        "host_header": "route-1",
        "protocol": "HTTP/2",
        "scheme": "h2c",
        "status": 200,
        "grpc_status": 0,
        "serving_status": "SERVING",
    }
    expected = {
        ":method": "POST",
        ":scheme": "http",
        ":authority": "route-1",
        ":path": "/grpc.health.v1.Health/Check",
        "content-type": "application/grpc",
        "te": "trailers",
        "user-agent": "Envoy/HC",
        "grpc-timeout": "1500m",
    }
    assert (server.requests, server.bodies) == ([expected], [b"\x00\x00\x00\x00\x00"])


async def test_as_configured() -> None:
    """service_name and authority count."""
    server = HTTP2(HEADERS, SERVING, OK)
    await ask(server, replace(GRPC, service_name="a.B", authority="x.example"))
    assert (server.requests[0][":authority"], server.bodies) == ("x.example", [b"\x00\x00\x00\x00\x05\x0a\x03a.B"])


@pytest.mark.parametrize(
    ("headers", "body", "trailers", "facts"),
    [
        (HEADERS, NOT_SERVING, OK, {"grpc_status": 0, "serving_status": "NOT_SERVING"}),  # hc-grpc-not-serving
        (HEADERS, UNKNOWN, OK, {"grpc_status": 0, "serving_status": "UNKNOWN"}),  # hc-grpc-unknown
        ([*HEADERS, ("grpc-status", "12"), ("grpc-message", "lab")], None, [], {"grpc_status": 12}),  # hc-grpc-unimplemented
        ([(":status", "200"), ("grpc-status", "5")], None, [], {"grpc_status": 5}),
        (HEADERS, SERVING, [("grpc-status", "14")], {"grpc_status": 14, "serving_status": "SERVING"}),
        (HEADERS, framed(b""), OK, {"grpc_status": 0}),
        (HEADERS, SERVING, [("x", "y")], {"grpc_status": 13, "serving_status": "SERVING"}),
        (HEADERS, SERVING, [], {"grpc_status": 13}),
        (HEADERS, SERVING + SERVING, OK, {"grpc_status": 13}),
        (HEADERS, b"\x01" + SERVING[1:], OK, {"grpc_status": 13}),
        (HEADERS, framed(b"\x08"), OK, {"grpc_status": 13}),
        (HEADERS, None, [], {"grpc_status": 13}),
        ([(":status", "200"), ("content-type", "text/html")], b"ok", [], {"grpc_status": 13}),
        ([(":status", "404")], b"not found", [], {"grpc_status": 12, "status": 404}),
        ([(":status", "503"), ("grpc-status", "8")], None, [], {"grpc_status": 8, "status": 503}),
        ([(":status", "500")], None, [], {"grpc_status": 2, "status": 500}),
    ],
)
async def test_not_serving(headers: Pairs, body: bytes | None, trailers: Pairs, facts: dict[str, Fact]) -> None:
    """Anything but OK and SERVING fails, with the status that Envoy would log."""
    with pytest.raises(StageFailed) as caught:
        await ask(HTTP2(headers, body, trailers))
    assert caught.value.failure is Failure.HEALTH_GRPC
    known = {name: caught.value.facts.get(name) for name in ("grpc_status", "serving_status", "status")}
    assert known == {"serving_status": None, "status": 200, **facts}


async def test_message() -> None:
    """The server's own words are kept."""
    with pytest.raises(StageFailed) as caught:
        await ask(HTTP2([*HEADERS, ("grpc-status", "12"), ("grpc-message", "no%20such service")], None))
    assert caught.value.error == "no such service"


async def test_http1_server() -> None:
    """A server that does not speak HTTP/2."""
    with pytest.raises(StageFailed) as caught:
        await ask(HTTP1(response(400)))
    assert caught.value.failure is Failure.HEALTH_PROTOCOL


@pytest.mark.parametrize(
    ("message", "serving"),
    [(b"\x08\x01", 1), (b"\x12\x02hi\x08\x01", 1), (b"\x08\x02\x08\x01\x19" + b"x" * 8 + b"\x25" + b"x" * 4, 1), (b"\x08\x80\x01", 128)],
)
def test_fields(message: bytes, serving: int) -> None:
    """Unknown fields are passed over, the last value counts."""
    answer = grpc_health.read(200, dict(HEADERS), framed(message), {"grpc-status": "0"})
    assert answer.serving == serving


@pytest.mark.parametrize("message", [b"\x0b", b"\x12\x05hi", b"\x19x", b"\x80" * 11])
def test_broken_fields(message: bytes) -> None:
    """What is no message of protobuf's is INTERNAL."""
    assert grpc_health.read(200, dict(HEADERS), framed(message), {"grpc-status": "0"}).grpc_status == 13


@pytest.mark.parametrize(("seconds", "text"), [(0.5, "500m"), (60, "60000m"), (200_000, "200000S"), (1e8, "1666666M"), (1e10, "2777777H")])
def test_timeout(seconds: float, text: str) -> None:
    """grpc-timeout has at most eight digits."""
    assert grpc_health.timeout(seconds) == text
