"""Health checks against real servers, as Envoy makes them; named rows are those of the recorded truth."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable

import anyio
import pytest

from factories import cluster, upstream
from pomprobe.model import Endpoint, Fact, Facts, Failure, HealthCheck, Protocol, StageFailed, UpstreamTLS
from pomprobe.record import replace
from pomprobe.stages import health
from servers.health import AUTHORITY, HTTP1, HTTP2, Handler, by_alpn, closed_port, response, serve, tls

HTTP = HealthCheck("http", 1.0, 1.0, 1, 1, path="/healthz")
TCP = HealthCheck("tcp", 1.0, 1.0, 1, 1)
CONTEXT = UpstreamTLS("up.lab.test", "up.lab.test", False, AUTHORITY.cert_pem.bytes(), "test", ("h2", "http/1.1"))


async def ask(
    port: int, check: HealthCheck, scheme: str = "http", context: UpstreamTLS | None = None, seen: dict[str, Fact] | None = None
) -> Facts:
    """Check 127.0.0.1:port."""
    to = upstream(f"{scheme}://up.lab.test:{port}", "up.lab.test", port)
    protocol = {"http": Protocol.HTTP1, "h2c": Protocol.HTTP2, "https": Protocol.AUTO}[scheme]
    return await health.check(cluster((to,), protocol=protocol), to, Endpoint("127.0.0.1", port), context, check, seen)


async def passes(handler: Handler, check: HealthCheck, scheme: str = "http") -> Facts:
    async with serve(handler) as port:
        return await ask(port, check, scheme)


async def fails(handler: Handler, check: HealthCheck, scheme: str = "http") -> StageFailed:
    async with serve(handler) as port:
        with pytest.raises(StageFailed) as caught:
            await ask(port, check, scheme)
    return caught.value


class Seen(dict[str, Fact]):
    """What a check has seen; tells when that is enough."""

    def __init__(self, when: Callable[[Facts], bool]) -> None:
        super().__init__()
        self.enough = anyio.Event()
        self._when = when

    def __setitem__(self, name: str, value: Fact) -> None:
        super().__setitem__(name, value)
        if self._when(self):
            self.enough.set()


async def cancelled(handler: Handler, check: HealthCheck, when: Callable[[Facts], bool], scheme: str = "http") -> Facts:
    """What was seen of a check that was cancelled once enough was seen."""
    seen = Seen(when)
    async with serve(handler) as port, anyio.create_task_group() as group:
        group.start_soon(ask, port, check, scheme, None, seen)
        await seen.enough.wait()
        group.cancel_scope.cancel()
    return seen


# ------------------------------------------------------------------------------------------ http


async def test_request() -> None:
    """GET with the cluster's name as Host and Envoy's health checker as User-Agent, and nothing else (row hc-ok)."""
    server = HTTP1(response(200))
    facts = await passes(server, HTTP)
    assert server.requests == [b"GET /healthz HTTP/1.1\r\nhost: route-1\r\nuser-agent: Envoy/HC\r\n\r\n"]
    assert facts == {
        "checker": "http",
        "path": "/healthz",
        "connected": True,
        "host_header": "route-1",
        "protocol": "HTTP/1.1",
        "scheme": "http",
        "status": 200,
    }


async def test_request_as_configured() -> None:
    """`host` and request_headers_to_remove count (row hc-host-header-set)."""
    server = HTTP1(response(200))
    check = replace(HTTP, host="x.example", raw={"http_health_check": {"request_headers_to_remove": ["User-Agent"]}})
    await passes(server, check)
    assert server.requests == [b"GET /healthz HTTP/1.1\r\nhost: x.example\r\n\r\n"]


async def test_head() -> None:
    """A HEAD check expects no body (row hc-method-head)."""
    await passes(HTTP1(response(200, body=b"").replace(b"length: 0", b"length: 2")), replace(HTTP, method="HEAD"))


async def test_payload_is_sent() -> None:
    """`send` is the body of a POST."""
    server = HTTP1(response(200))
    await passes(server, replace(HTTP, method="POST", send=b"PING"))
    assert server.requests[0].endswith(b"content-length: 4\r\n\r\n")


@pytest.mark.parametrize("status", [404, 301, 204, 503])
async def test_status(status: int) -> None:
    """Only 200 passes by default (rows hc-404-wrong-path-panic0, hc-301-panic0, hc-204-panic0, hc-503-panic-1)."""
    answer = response(status) if status != 204 else b"HTTP/1.1 204 N\r\n\r\n"
    failed = await fails(HTTP1(answer), HTTP)
    assert (failed.failure, failed.facts["status"], failed.facts["expected"]) == (Failure.HEALTH_STATUS, status, "200")


@pytest.mark.parametrize(("ranges", "expected"), [(((204, 205),), "204"), (((201, 300), (404, 405)), "201-299, 404")])
async def test_expected_statuses(ranges: tuple[tuple[int, int], ...], expected: str) -> None:
    """expected_statuses takes 200's place (row hc-200-not-in-expected-panic0)."""
    failed = await fails(HTTP1(response(200)), replace(HTTP, expected_statuses=ranges, retriable_statuses=((200, 300),)))
    assert (failed.failure, failed.facts["expected"], failed.facts["retriable"]) == (Failure.HEALTH_STATUS, expected, True)


async def test_expected_range() -> None:
    """A range of statuses passes, its end excluded (row hc-201-expected-2xx-panic0)."""
    await passes(HTTP1(response(201)), replace(HTTP, expected_statuses=((200, 300),)))


async def test_degraded() -> None:
    """A host that says it is degraded is healthy (row hc-degraded)."""
    assert (await passes(HTTP1(response(200, "x-envoy-degraded: 1\r\n")), HTTP))["degraded"] is True


async def test_interim_response() -> None:
    """A 100 before the answer does not count."""
    await passes(HTTP1(b"HTTP/1.1 100 Continue\r\n\r\n" + response(200)), HTTP)


@pytest.mark.parametrize(("body", "found"), [(b"all GOOD, and so on", True), (b"-" * 1020 + b"GOOD", True), (b"-" * 1021 + b"GOOD", False)])
async def test_receive(body: bytes, found: bool) -> None:
    """`receive` is looked for in the first 1,024 bytes of the body."""
    server, check = HTTP1(response(200, body=body)), replace(HTTP, receive=(b"GO", b"D"))
    if found:
        await passes(server, check)
    else:
        assert (await fails(server, check)).failure is Failure.HEALTH_PAYLOAD
        await passes(server, replace(check, raw={"http_health_check": {"response_buffer_size": 0}}))


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (b"", "closed"),  # hc-close-panic0
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort", "cut 4 bytes before the end of the body"),
    ],
)
async def test_closed(answer: bytes, cause: str) -> None:
    """A connection that ends before the answer does."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    failed = await fails(handle, HTTP)
    assert (failed.failure, failed.facts["cause"]) == (Failure.HEALTH_CONNECTION, cause)


async def test_refused() -> None:
    """A port on which nothing listens (row hc-tcp-refused)."""
    for check in (HTTP, TCP):
        with closed_port() as port, pytest.raises(StageFailed) as caught:
            await ask(port, check)
        assert (caught.value.failure, caught.value.facts["cause"]) == (Failure.HEALTH_CONNECTION, "connection_refused")
        assert caught.value.facts["reason"] == "Connection_refused"


async def test_not_http() -> None:
    """Bytes that are no HTTP/1 are of another protocol."""
    failed = await fails(HTTP1(b"SSH-2.0-OpenSSH_9.6\r\n"), HTTP)
    assert (failed.failure, failed.facts["speaks"]) == (Failure.HEALTH_PROTOCOL, "SSH")
    assert failed.facts["first_bytes"] == "SSH-2.0-OpenSSH_9.6\\r\\n"


async def test_a_path_that_cannot_be_written() -> None:
    """A path with a control character is undetermined, not a failure of the upstream."""
    assert (await fails(HTTP1(response(200)), replace(HTTP, path="/a\tb"))).failure is Failure.NOT_KNOWN


async def test_no_file_descriptor_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine lacks is not blamed on the upstream."""

    def refuse(*_: object) -> object:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("pomprobe.net.tcp.socket.socket", refuse)
    with pytest.raises(StageFailed) as caught:
        await ask(1, HTTP)
    assert caught.value.failure is Failure.NOT_KNOWN


@pytest.mark.parametrize(("answer", "known"), [(None, "protocol"), (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok", "status")])
async def test_timeout(answer: bytes | None, known: str) -> None:
    """A check that is cancelled by its timeout says how far it came (row hc-timeout-panic0)."""
    seen = await cancelled(HTTP1(answer), HTTP, lambda seen: known in seen)
    assert health.timed_out(HTTP, seen) is Failure.HEALTH_TIMEOUT
    assert (seen["connected"], seen["path"]) == (True, "/healthz")


# ------------------------------------------------------------------------------------------ codec and protocol


async def test_http2_check() -> None:
    """codec_client_type HTTP2 on an h2c upstream (row hc-h2c-http2-hc)."""
    server = HTTP2()
    assert (await passes(server, replace(HTTP, http2=True), "h2c"))["protocol"] == "HTTP/2"
    expected = {":method": "GET", ":scheme": "http", ":authority": "route-1", ":path": "/healthz", "user-agent": "Envoy/HC"}
    assert server.requests == [expected]


async def test_http1_check_of_an_h2c_upstream() -> None:
    """The default check of an h2c upstream speaks HTTP/1.1 and fails."""
    failed = await fails(HTTP2(), HTTP, "h2c")
    assert (failed.failure, failed.facts["scheme"], failed.facts["speaks"]) == (Failure.HEALTH_PROTOCOL, "h2c", "HTTP/2")


async def test_http2_check_of_an_http1_upstream() -> None:
    """An HTTP/2 check of a server that only knows HTTP/1.1, whether it answers or closes."""
    for answer in (response(400), b""):
        failed = await fails(HTTP1(answer), replace(HTTP, http2=True))
        assert failed.failure is Failure.HEALTH_PROTOCOL


async def test_silent_mismatch() -> None:
    """Where both sides wait for the other's protocol, the timeout's reason is known all the same."""

    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    seen = await cancelled(silent, HTTP, lambda seen: "codec_mismatch" in seen, "h2c")
    assert health.timed_out(HTTP, seen) is Failure.HEALTH_PROTOCOL


async def test_stream_reset() -> None:
    """RST_STREAM fails the check."""
    failed = await fails(HTTP2(reset=7), replace(HTTP, http2=True), "h2c")
    assert (failed.failure, failed.facts["error_code"]) == (Failure.HEALTH_CONNECTION, "REFUSED_STREAM")


# ------------------------------------------------------------------------------------------ tls

DUAL = by_alpn(HTTP1(response(200)), HTTP2())
BOTH = ("h2", "http/1.1")


@pytest.mark.parametrize(
    ("offered", "selected", "check", "alpn"),
    [
        (BOTH, ("http/1.1",), HTTP, "http/1.1"),  # hc-https-alpn-h1
        (BOTH, (), HTTP, ""),
        (BOTH, BOTH, replace(HTTP, http2=True), "h2"),  # hc-https-alpn-h2-codec
        (("http/1.1",), BOTH, HTTP, "http/1.1"),  # hc-https-dual-websockets
    ],
)
async def test_tls(offered: tuple[str, ...], selected: tuple[str, ...], check: HealthCheck, alpn: str) -> None:
    """The check offers the route's ALPN, and passes where its own codec is what the server selects."""
    async with serve(DUAL, tls(alpn=selected)) as port:
        assert (await ask(port, check, "https", replace(CONTEXT, alpn=offered)))["alpn"] == alpn


@pytest.mark.parametrize(
    ("offered", "selected", "check", "alpn"),
    [
        (BOTH, BOTH, HTTP, "h2"),  # hc-https-dual
        (("http/1.1",), BOTH, replace(HTTP, http2=True), "http/1.1"),
    ],
)
async def test_tls_with_the_wrong_codec(offered: tuple[str, ...], selected: tuple[str, ...], check: HealthCheck, alpn: str) -> None:
    """The check's codec is the configured one, whatever the server selects: then it fails although requests work."""
    async with serve(DUAL, tls(alpn=selected)) as port:
        with pytest.raises(StageFailed) as caught:
            await ask(port, check, "https", replace(CONTEXT, alpn=offered))
    assert (caught.value.failure, caught.value.facts["alpn"]) == (Failure.HEALTH_PROTOCOL, alpn)


async def test_tls_wrong_name() -> None:
    """The check verifies the certificate as the route does (row hc-tls-bad-cert-panic0)."""
    async with serve(HTTP1(response(200)), tls("other.lab.test")) as port:
        for check in (HTTP, TCP):
            with pytest.raises(StageFailed) as caught:
                await ask(port, check, "https", CONTEXT)
            assert (caught.value.failure, caught.value.facts["cause"]) == (Failure.HEALTH_CONNECTION, "name_mismatch")


# ------------------------------------------------------------------------------------------ tcp


async def pong(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers PONG to PING, in two pieces."""
    while data := await reader.read(4096):
        if data == b"PING":
            writer.write(b"time 12: PO")
            await writer.drain()
            writer.write(b"NG\r\n")


async def test_connect_only() -> None:
    """Without `receive` an open connection passes, also one that is closed at once; `send` does not leave."""

    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    assert await passes(close, replace(TCP, send=b"PING")) == {"checker": "tcp", "connected": True}


@pytest.mark.parametrize("receive", [(b"PONG",), (b"time", b"PO", b"\r\n")])
async def test_tcp_payload(receive: tuple[bytes, ...]) -> None:
    """The pieces of `receive` must come in their order; what stands between them does not matter."""
    facts = await passes(pong, replace(TCP, send=b"PING", receive=receive))
    assert str(facts["received"]).startswith("time 12: PO")


async def test_tcp_mismatch() -> None:
    """Envoy waits for bytes that do not come until its timeout (row hc-tcp-recv-mismatch)."""
    check = replace(TCP, send=b"PING", receive=(b"NOPE",))
    seen = await cancelled(pong, check, lambda seen: seen.get("received") == "time 12: PONG\\r\\n")
    assert health.timed_out(check, seen) is Failure.HEALTH_PAYLOAD


@pytest.mark.parametrize("reset", [False, True])
async def test_tcp_closed(reset: bool) -> None:
    """A connection that ends before the bytes have come."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4)
        if reset:
            writer.transport.abort()  # with a RST, for the rest of PINGPING is unread
        writer.close()

    failed = await fails(handle, replace(TCP, send=b"PING", receive=(b"PONG",)))
    assert failed.failure is Failure.HEALTH_PAYLOAD
    assert failed.facts["cause"] in (("closed", "reset") if reset else ("closed",))
