"""One exchange over a real connection: what the stage finds in what servers really do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

import factories
from net.http2_cases import ACK, OK, S, data, headers, rst
from pomprobe.model import Endpoint, Fact, Facts, Failure, Outcome, Protocol, Request, StageFailed, StageName, Status, Timer, Timers
from pomprobe.net import tcp
from pomprobe.net.stream import TLSBroken
from pomprobe.stages import http
from pomprobe.stages.walk import Clock, Walk
from servers.http import HTTPServer, Script, say, upstream

from .http_rows import HEAD, ROWS, TWO

OFF = Timers(route=None, idle=None)
Seen = Callable[[Facts], bool]


def walk_to(server: HTTPServer, protocol: Protocol = Protocol.HTTP1, **more: Any) -> Walk:
    """A walk to the server, with every timer off unless the test says otherwise; `tls` are the facts of its TLS stage."""
    handshake = more.pop("tls", None)
    cluster = factories.cluster(protocol=protocol, **{"timers": OFF, **more})
    walk = Walk(cluster, cluster.upstreams[0], Endpoint("127.0.0.1", server.port), None, Clock())
    if handshake is not None:
        walk.facts["tls"] = handshake
    return walk


async def exchange(walk: Walk) -> Outcome:
    """Connect and run the stage as the runner does; a timer that fires is the outcome TIMED_OUT."""
    walk.stream = await tcp.connect(walk.endpoint)
    try:
        with walk.clock.renew():
            return Outcome(StageName.HTTP, Status.OK, facts=await http.exchange(walk))
    except StageFailed as failed:
        return Outcome(StageName.HTTP, Status.FAILING, failure=failed.failure, facts=failed.facts, error=failed.error)
    finally:
        walk.stream.close()
    facts: Facts = {**walk.facts["http"], "started": walk.clock.started}
    return Outcome(StageName.HTTP, Status.FAILING, failure=Failure.TIMED_OUT, timer=walk.clock.first(), facts=facts)


async def ask(script: Script, protocol: Protocol = Protocol.HTTP1, **more: Any) -> Outcome:
    async with upstream(script) as server:
        return await exchange(walk_to(server, protocol, **more))


async def ask_until(seen: Seen, timer: Timer, script: Script, protocol: Protocol = Protocol.HTTP1, **more: Any) -> Outcome:
    """Let the timer fire as soon as the script has been played and the facts so far satisfy the test."""
    outcomes: list[Outcome] = []
    async with upstream(script) as server, anyio.create_task_group() as group:
        walk = walk_to(server, protocol, **more)

        async def run() -> None:
            outcomes.append(await exchange(walk))

        group.start_soon(run)
        await server.played.wait()
        while not seen(walk.facts.get("http", {})):  # noqa: ASYNC110 (facts are plain data, nobody announces them)
            await anyio.sleep(0.001)
        walk.clock.arm(timer, 0)
    return outcomes[0]


def found(facts: Facts, wanted: Mapping[str, Fact]) -> dict[str, Fact]:
    """The facts of the outcome that the test names."""
    return {name: facts.get(name, "missing") for name in wanted}


UNSEEN = {
    "h1-client-gives-up",
    "h1-client-gives-up-mid-body",
    "h1-early-200-keep",
    "h1-early-413",
    "h1-early-413-rst",
    "h1-expect-continue",
    "h1-head-with-body",
    "h1-host-header",
    "h1-keepalive-race",
    "h1-keepalive-race-rst",
    "h1-no-response-post",
    "h1-to-path",
    "h2-downstream-truncation",
    "h2-max-concurrent-1",
}
"""Recorded rows that are about the client, about uploads or about several requests: one GET cannot see them."""


def test_rows_are_those_of_the_truth() -> None:
    """Every recorded HTTP/1 and HTTP/2 upstream that a GET can see is asked here; the one behind ALPN has a test of its own."""
    truth = json.loads((Path(__file__).parents[1] / "data" / "truth.json").read_text(encoding="utf-8"))
    recorded = {row["id"] for row in truth if row["category"] in ("HTTP/1 upstream", "HTTP/2 upstream")}
    assert recorded - UNSEEN == {*ROWS, "h2-https-rst-http11"}


@pytest.mark.parametrize("name", sorted(ROWS))
async def test_row(name: str) -> None:
    """The stage finds in each recorded upstream what Envoy answered to."""
    row = ROWS[name]
    if row.failure is Failure.TIMED_OUT:
        started = bool(row.facts["started"])
        outcome = await ask_until(lambda facts: ("status" in facts) >= started, Timer.ROUTE, row.script, row.protocol)
        assert Timer.ROUTE == outcome.timer
    else:
        outcome = await ask(row.script, row.protocol)
    assert (row.failure, row.facts) == (outcome.failure, found(outcome.facts, row.facts))


async def test_rst_stream_over_alpn() -> None:
    """With AUTO the ALPN selection decides: h2 is spoken, and its resets are those of HTTP/2 (row h2-https-rst-http11)."""
    outcome = await ask(say(rst(13), first=S + ACK), Protocol.AUTO, tls={"alpn": "h2"})
    wanted: dict[str, Fact] = {"protocol": "HTTP/2", "error_code": "HTTP_1_1_REQUIRED", "goaway": False, "started": False}
    assert (Failure.STREAM_RESET, wanted) == (outcome.failure, found(outcome.facts, wanted))


@pytest.mark.parametrize("alpn", ["http/1.1", ""])
async def test_auto_without_h2_is_http1(alpn: str) -> None:
    """Without a selection of h2, AUTO speaks HTTP/1.1."""
    outcome = await ask(say(HEAD + TWO + b"\r\nok"), Protocol.AUTO, tls={"alpn": alpn})
    assert (None, "HTTP/1.1") == (outcome.failure, outcome.facts["protocol"])


# ------------------------------------------------------------------------------------------------ what is sent


async def test_request_that_cannot_be_sent() -> None:
    """A line break that a header value brings along is undetermined, and nothing is sent: the upstream is not to blame."""
    async with upstream(say(HEAD + TWO + b"\r\nok")) as server:
        outcome = await exchange(walk_to(server, request=Request("GET", "/", "a", (("x", "y\n"),))))
    assert (Failure.NOT_KNOWN, []) == (outcome.failure, server.requests)


async def test_request_is_sent_as_planned() -> None:
    """Host first, then the planned headers in their order and case, and nothing else."""
    request = Request("GET", "/a%20b?c=d", "up.lab.test:8080", (("X-B", "1"), ("accept", "*/*"), ("x-b", "é")))
    async with upstream(say(HEAD + TWO + b"\r\nok")) as server:
        await exchange(walk_to(server, request=request))
    expected = b"GET /a%20b?c=d HTTP/1.1\r\nhost: up.lab.test:8080\r\nX-B: 1\r\naccept: */*\r\nx-b: \xc3\xa9\r\n\r\n"
    assert [expected] == server.requests


async def test_host_is_that_of_the_upstream() -> None:
    """Where the upstreams differ in their Host, each gets its own."""
    request = Request("GET", "/", "first.test", (), ("first.test", "second.test"))
    upstreams = (factories.upstream("http://first.test", number=0), factories.upstream("http://second.test", number=1))
    async with upstream(say(HEAD + TWO + b"\r\nok")) as server:
        walk = walk_to(server, upstreams=upstreams, request=request)
        walk.upstream = walk.cluster.upstreams[1]
        await exchange(walk)
    assert [b"GET / HTTP/1.1\r\nhost: second.test\r\n\r\n"] == server.requests


# ------------------------------------------------------------------------------------------------ facts


async def test_facts_of_a_good_answer() -> None:
    """Server, type, keep-alive and size are kept; the query of a redirect is not, for it may hold a secret."""
    head = b"Server: nginx\r\nContent-Type: text/html\r\nKeep-Alive: timeout=5\r\nLocation: https://a.test/login?token=s3cret#x\r\n"
    outcome = await ask(say(b"HTTP/1.1 302 Found\r\n" + head + b"content-length: 5\r\n\r\nhello"))
    wanted: dict[str, Fact] = {
        "status": 302,
        "server": "nginx",
        "content_type": "text/html",
        "keep_alive": "timeout=5",
        "location": "https://a.test/login",
        "body_bytes": 5,
        "connection_close": False,
        "protocol": "HTTP/1.1",
    }
    assert (None, wanted) == (outcome.failure, found(outcome.facts, wanted))
    first_byte = outcome.facts["first_byte"]
    assert isinstance(first_byte, float) and first_byte >= 0


@pytest.mark.parametrize(
    ("head", "closes"),
    [
        (b"HTTP/1.1 200 OK\r\n", False),
        (b"HTTP/1.1 200 OK\r\nConnection: Close\r\n", True),
        (b"HTTP/1.0 200 OK\r\n", True),
        (b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n", False),
    ],
)
async def test_announced_close(head: bytes, closes: bool) -> None:
    """Whether the server keeps the connection is what its headers and its version say."""
    assert closes == (await ask(say(head + TWO + b"\r\nok"))).facts["connection_close"]


async def test_interim_response_is_told() -> None:
    """A 103 before a good answer is a fact, no failure."""
    outcome = await ask(say(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + HEAD + TWO + b"\r\nok"))
    assert (None, 200, True) == (outcome.failure, outcome.facts["status"], outcome.facts["interim"])


@pytest.mark.parametrize(
    "words",
    [
        b"<center>The plain HTTP request was sent to HTTPS port</center>",
        b"Client sent an HTTP request to an HTTPS server.\n",
        b"Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
        b"Bad Request\nThis combination of host and port requires TLS.\n",
    ],
)
async def test_400_of_a_tls_port(words: bytes) -> None:
    """nginx, Go, Apache and Tomcat say in a 400 that they want TLS (rows tls-nginx-http-to-https, http-to-tls-go400)."""
    outcome = await ask(say(b"HTTP/1.0 400 Bad Request\r\nconnection: close\r\n\r\n" + words, end="fin"))
    assert (Failure.APP_REFUSAL, 400, True) == (outcome.failure, outcome.facts["status"], outcome.facts["answered_tls"])


async def test_400_of_the_app() -> None:
    """Any other 400 is the app's own."""
    assert (await ask(say(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"))).facts["answered_tls"] is False


async def test_tls_alert_to_a_plain_request() -> None:
    """A TLS port that answers plain HTTP with an alert (row http-to-tls-python)."""
    outcome = await ask(say(b"\x15\x03\x01\x00\x02\x02\x46", end="fin"))
    wanted: dict[str, Fact] = {"answered_tls": True, "speaks": "TLS", "first_bytes": "\\x15\\x03\\x01\\x00\\x02\\x02F"}
    assert (Failure.PROTOCOL_ERROR, wanted) == (outcome.failure, found(outcome.facts, wanted))


async def test_headers_are_not_quoted() -> None:
    """What is refused in the middle of HTTP headers is not shown: they may hold what is secret."""
    outcome = await ask(say(b"HTTP/1.1 200 OK\r\nset-cookie: session=s3cret\r\nfoo\r\n\r\n"))
    assert Failure.PROTOCOL_ERROR == outcome.failure
    assert not any("s3cret" in str(value) for value in (*outcome.facts.values(), outcome.error))


async def test_garbage_after_an_interim_response() -> None:
    """Envoy then says reset *after* the response started; the fact tells it apart."""
    outcome = await ask(say(b"HTTP/1.1 100 Continue\r\n\r\ngarbage"))
    assert (Failure.PROTOCOL_ERROR, True) == (outcome.failure, outcome.facts["interim"])


async def test_reset_before_the_response() -> None:
    """A RST is told from a FIN, though Envoy says the same of both."""
    outcome = await ask(say(end="rst"))
    assert (Failure.CLOSED, True) == (outcome.failure, outcome.facts["reset"])


async def test_answer_before_the_connection_is_reset() -> None:
    """A server that answers and closes without reading: its answer counts, not the reset."""
    outcome = await ask(say(b"HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", end="fin", silent=True))
    assert (Failure.APP_REFUSAL, 413) == (outcome.failure, outcome.facts["status"])


class Broken:
    """A TLS stream on which the refusal of our client certificate comes with the first read."""

    async def send(self, data: bytes) -> None: ...

    async def receive(self) -> bytes:
        raise TLSBroken("tlsv13 alert certificate required", 116)

    def close(self) -> None: ...


async def test_client_certificate_refused_after_the_handshake() -> None:
    """TLS 1.3 shows it only now: a closed connection to Envoy, an alert to us (row tlsa-mtls-missing-13)."""
    asked = {"client_certificate_requested": True, "client_certificate_sent": False}
    walk = walk_to(HTTPServer(say()), tls=asked)
    walk.stream = Broken()
    with pytest.raises(StageFailed) as caught:
        await http.exchange(walk)
    wanted: dict[str, Fact] = {**asked, "alert": 116, "alert_name": "TLSV1_ALERT_CERTIFICATE_REQUIRED", "reset": False}
    assert (Failure.CLOSED, wanted) == (caught.value.failure, found(caught.value.facts, wanted))


# ------------------------------------------------------------------------------------------------ timers


async def test_knowledge_survives_a_timeout() -> None:
    """When a timer cuts the body, status, size and type so far are known."""
    script = say(HEAD + b"content-type: text/event-stream\r\n\r\n", b"data:")
    outcome = await ask_until(lambda facts: facts.get("body_bytes") == 5, Timer.ROUTE, script)
    wanted: dict[str, Fact] = {"status": 200, "content_type": "text/event-stream", "body_bytes": 5, "started": True}
    assert (Failure.TIMED_OUT, wanted) == (outcome.failure, found(outcome.facts, wanted))


async def test_try_timer_fires_before_the_headers() -> None:
    """x-envoy-upstream-rq-per-try-timeout-ms limits the wait for the headers (row hdr-pertry-internal)."""
    outcome = await ask(say(HEAD), timers=Timers(route=None, idle=None, per_try=0.01))
    assert (Failure.TIMED_OUT, Timer.PER_TRY) == (outcome.failure, outcome.timer)


@pytest.mark.parametrize("head", [HEAD + b"content-length: 9\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_try_timer_ends_with_the_headers(head: bytes) -> None:
    """Once headers have come, an interim response's too, the timer of a try is off (row hdr-pertry-after-headers)."""
    timers = Timers(route=None, idle=None, per_try=60)
    outcome = await ask_until(lambda facts: "status" in facts or "interim" in facts, Timer.ROUTE, say(head), timers=timers)
    assert (Failure.TIMED_OUT, Timer.ROUTE) == (outcome.failure, outcome.timer)


async def test_dropped_interim_response_leaves_the_try_timer() -> None:
    """Envoy drops a 105 without a trace: it does not count as an answer."""
    outcome = await ask(say(b"HTTP/1.1 105 X\r\n\r\n"), timers=Timers(route=None, idle=None, per_try=0.05))
    assert (Timer.PER_TRY, False) == (outcome.timer, "interim" in outcome.facts)


async def test_stream_duration_cuts_the_body() -> None:
    """x-envoy-upstream-stream-duration-ms goes on through the body."""
    outcome = await ask(say(HEAD + b"\r\n", b"x"), timers=Timers(route=None, idle=None, stream_duration=0.2))
    assert (Failure.TIMED_OUT, Timer.STREAM_DURATION) == (outcome.failure, outcome.timer)


async def test_idle_timer_starts_anew_with_each_piece() -> None:
    """Headers and each piece of the body keep the stream alive; then silence ends it (row to-idle-2s-after-headers)."""
    async with upstream(say(HEAD + b"\r\n", b"a", 0.01, b"b")) as server:
        walk = walk_to(server)
        counted = Counting()
        walk.clock = counted
        counted.arm(Timer.IDLE, 0.3)
        outcome = await exchange(walk)
    assert (Failure.TIMED_OUT, Timer.IDLE, 2) == (outcome.failure, outcome.timer, outcome.facts["body_bytes"])
    assert counted.activities >= 2


class Counting(Clock):
    """A clock that counts what was told to it."""

    activities = 0

    def activity(self) -> None:
        self.activities += 1
        super().activity()


async def test_interim_responses_do_not_keep_a_stream_alive() -> None:
    """Envoy does not pass them on, so that its idle timer runs on."""
    async with upstream(say(b"HTTP/1.1 103 X\r\n\r\n" * 3)) as server:
        walk = walk_to(server)
        counted = Counting()
        walk.clock = counted
        counted.arm(Timer.IDLE, 0.2)
        outcome = await exchange(walk)
    assert (Timer.IDLE, 0, True) == (outcome.timer, counted.activities, outcome.facts["interim"])


# ------------------------------------------------------------------------------------------------ bodies without end


async def test_endless_body_without_a_limit_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no timer of Envoy's would end a body that keeps flowing, we stop and say so."""
    monkeypatch.setattr(http, "PATIENCE", 0.05)
    outcome = await ask(say(HEAD + b"\r\n", b"a", 0.01, b"b", 0.01, b"c"))
    assert (None, True) == (outcome.failure, outcome.facts["streaming"])


@pytest.mark.parametrize("timers", [Timers(route=0.3), Timers(route=None, max_duration=0.3), Timers(route=None, stream_duration=0.3)])
async def test_limited_body_is_waited_for(timers: Timers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a timer of Envoy's will cut the body, patience has no say: the timer decides."""
    monkeypatch.setattr(http, "PATIENCE", 0.0)
    outcome = await ask(say(HEAD + b"\r\n", b"a", 0.01, b"b", end="fin"), timers=timers)
    assert (None, False) == (outcome.failure, "streaming" in outcome.facts)


async def test_large_body_is_read_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A download is not read to its end, only far enough."""
    monkeypatch.setattr(http, "BODY_LIMIT", 1000)
    outcome = await ask(say(HEAD + b"content-length: 99999999\r\n\r\n" + b"x" * 2000))
    assert (None, True) == (outcome.failure, outcome.facts["body_limit"])


# ------------------------------------------------------------------------------------------------ upgrades

UPGRADE = Request("GET", "/", "up.lab.test", (("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-key", "x")))


async def test_upgrade() -> None:
    """101 ends the exchange well; the connection stays open and is not read on."""
    outcome = await ask(say(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"), request=UPGRADE)
    assert (None, 101, True) == (outcome.failure, outcome.facts["status"], outcome.facts["upgraded"])


@pytest.mark.parametrize("status", [200, 204, 302, 404, 426, 503])
async def test_upgrade_refused(status: int) -> None:
    """Anything else is a refusal, told without waiting for a body (rows ws-upstream-200, ws-upstream-404)."""
    outcome = await ask(say(b"HTTP/1.1 %d X\r\n\r\n" % status), request=UPGRADE)
    assert (Failure.UPGRADE_REFUSED, status) == (outcome.failure, outcome.facts["status"])


# ------------------------------------------------------------------------------------------------ HTTP/2


async def test_http2_answers_over_a_real_connection() -> None:
    """Status, headers and size come the same way as with HTTP/1; a second frame of SETTINGS and a PING are answered."""
    ping = b"\x00\x00\x08\x06\x00\x00\x00\x00\x0012345678"
    script = say(ping + headers([(b":status", b"404"), (b"server", b"x")]) + data(b"gone", True), first=S + ACK)
    outcome = await ask(script, Protocol.HTTP2)
    wanted: dict[str, Fact] = {"status": 404, "server": "x", "body_bytes": 4, "protocol": "HTTP/2"}
    assert (Failure.APP_REFUSAL, wanted) == (outcome.failure, found(outcome.facts, wanted))


async def test_http2_reset_of_the_connection_in_the_body() -> None:
    """RST of TCP and FIN in the body are the same to Envoy (UC), and told apart by a fact."""
    outcome = await ask(say(OK + data(b"part"), end="rst", first=S + ACK), Protocol.HTTP2)
    assert (Failure.BODY_CUT, True, True) == (outcome.failure, outcome.facts["closed"], outcome.facts["reset"])


async def test_http1_answer_to_http2() -> None:
    """An HTTP/1 server behind h2c: its 400 is no frame of HTTP/2."""
    outcome = await ask(say(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", end="fin", silent=True), Protocol.HTTP2)
    assert (Failure.PROTOCOL_ERROR, "HTTP") == (outcome.failure, outcome.facts["speaks"])
