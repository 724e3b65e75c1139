"""An exchange over streams of a test's own and over real connections: what goes out, what comes in, how it breaks."""

from __future__ import annotations

import pytest

from pomprobe.model import Endpoint
from pomprobe.net import http, tcp
from pomprobe.net.http_events import Closed, Refused, Reset
from pomprobe.net.stream import TLSBroken
from servers.http import say, upstream

from . import http2_cases as frames


class Scripted:
    """A stream that gives what a test lays down (an exception is raised), then the end; keeps what is sent."""

    def __init__(self, *pieces: bytes | Exception, sending: Exception | None = None) -> None:
        self.pieces = list(pieces)
        self.sending = sending
        self.sent = b""

    async def receive(self) -> bytes:
        piece = self.pieces.pop(0) if self.pieces else b""
        if isinstance(piece, Exception):
            raise piece
        return piece

    async def send(self, data: bytes) -> None:
        if self.sending is not None:
            raise self.sending
        self.sent += data

    def close(self) -> None: ...


GET = http.Request("GET", "/a?b", "up.lab.test", (("X-B", "1"), ("x-a", "2"), ("X-B", "3")))
ANSWER = b"HTTP/1.1 200 Fine\r\nx-b: 1\r\nX-A: 2\r\nx-b: 3\r\ncontent-length: 4\r\n\r\nbody"


async def exchange(
    stream: Scripted, request: http.Request = GET, http2: bool = False
) -> tuple[http.Response, bytes, http.Exchange]:
    exchanged = http.Exchange(stream, request, http2=http2)
    response = await exchanged.ask()
    body = b""
    while (piece := await exchanged.piece()) is not None:
        body += piece
    return response, body, exchanged


async def broken(stream: Scripted, http2: bool = False) -> http.Broken:
    with pytest.raises(http.Broken) as caught:
        await exchange(stream, http2=http2)
    return caught.value


async def test_request_goes_out_as_given() -> None:
    """Target, case and order of the headers are the caller's; nothing is added."""
    stream = Scripted(ANSWER)
    await exchange(stream)
    assert b"GET /a?b HTTP/1.1\r\nhost: up.lab.test\r\nX-B: 1\r\nx-a: 2\r\nX-B: 3\r\n\r\n" == stream.sent


async def test_request_with_a_body() -> None:
    """A body follows the headers; its length is the caller's to say."""
    stream = Scripted(ANSWER)
    await exchange(stream, http.Request("POST", "/", "a", (("content-length", "2"),), body=b"hi"))
    assert b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi" == stream.sent


async def test_response_comes_in_as_sent() -> None:
    """Status, reason, version, headers in their order, body."""
    response, body, _ = await exchange(Scripted(ANSWER[:30], ANSWER[30:]))
    assert (200, "Fine", "HTTP/1.1", b"body") == (response.status, response.reason, response.version, body)
    assert [(b"x-b", b"1"), (b"x-a", b"2"), (b"x-b", b"3"), (b"content-length", b"4")] == list(response.raw)


@pytest.mark.parametrize("status", [0, 99, 299, 600, 999])
async def test_any_status_is_passed_on(status: int) -> None:
    """Numbers that nobody has a name for are statuses all the same."""
    response, _, _ = await exchange(Scripted(b"HTTP/1.1 %03d X\r\ncontent-length: 0\r\n\r\n" % status))
    assert status == response.status


async def test_compressed_body_is_not_unpacked() -> None:
    """What the server sends is what is counted."""
    _, body, _ = await exchange(Scripted(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nabcd"))
    assert b"abcd" == body


async def test_redirect_is_not_followed() -> None:
    """A redirect is an answer like any other."""
    stream = Scripted(b"HTTP/1.1 302 Found\r\nlocation: /b\r\ncontent-length: 0\r\n\r\n")
    response, _, _ = await exchange(stream)
    assert (302, 1) == (response.status, stream.sent.count(b"HTTP/1.1"))


async def test_http2_request_and_trailers() -> None:
    """Pseudo-headers first, names in lower case, headers of the connection left out; trailers are kept."""
    answer = frames.OK + frames.data(b"ab") + frames.headers([(b"grpc-status", b"0")], True)
    stream = Scripted(frames.S + frames.ACK + answer)
    request = http.Request(
        "POST", "/x", "up.lab.test", (("TE", "trailers"), ("Connection", "close"), ("X-A", "1")), scheme="http", body=b"hi"
    )
    response, body, exchanged = await exchange(stream, request, http2=True)
    assert ("HTTP/2", b"ab", ((b"grpc-status", b"0"),)) == (response.version, body, exchanged.trailers)
    assert b"\x00\x00\x02\x00\x01\x00\x00\x00\x01hi" in stream.sent
    assert stream.sent.endswith(frames.frame(frames.SETTINGS, 1, 0))


@pytest.mark.parametrize("error", [ConnectionResetError(104, "reset"), BrokenPipeError(32, "broken pipe"), TLSBroken("closed")])
async def test_answer_counts_although_sending_failed(error: Exception) -> None:
    """A server may answer and close before it has read the request."""
    response, _, _ = await exchange(Scripted(ANSWER, sending=error))
    assert 200 == response.status


async def test_nothing_came() -> None:
    """The end before an answer, with nothing wrong otherwise."""
    found = await broken(Scripted())
    assert (Closed(), True, False, None, b"") == (found.ending, found.closed, found.reset, found.alert, found.first)


@pytest.mark.parametrize(("piece", "reset", "alert"), [(ConnectionResetError(104, "x"), True, None), (TLSBroken("x", 116), False, 116)])
async def test_connection_broke(piece: Exception, reset: bool, alert: int | None) -> None:
    """RST and TLS errors end the exchange as FIN does; what they were is told."""
    found = await broken(Scripted(piece))
    assert (Closed(), True, reset, alert) == (found.ending, found.closed, found.reset, found.alert)


async def test_refused_bytes_are_no_end_of_the_connection() -> None:
    """What the codec refuses is told with its first bytes."""
    found = await broken(Scripted(b"220 mail.example ESMTP\r\n" + b"x" * 100))
    assert (Refused("what came is no HTTP response"), False, 64) == (found.ending, found.closed, len(found.first))


async def test_reset_stream() -> None:
    """HTTP/2's resets have the name of their code."""
    found = await broken(Scripted(frames.S + frames.ACK + frames.rst(7)), http2=True)
    assert (Reset("REFUSED_STREAM"), False) == (found.ending, found.closed)


async def test_interim_responses_are_announced() -> None:
    """Each of those that Envoy counts is told once, before the final headers."""
    told: list[bool] = []
    answer = b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 105 X\r\n\r\nHTTP/1.1 103 E\r\n\r\n" + ANSWER
    await http.Exchange(Scripted(answer), GET, on_interim=lambda: told.append(True)).ask()
    assert [True, True] == told


@pytest.mark.parametrize("http2", [False, True])
@pytest.mark.parametrize("request_", [http.Request("GET", "/\n", "a"), http.Request("GET", "/", "a", (("x", "b\r\nx: y"),))])
async def test_request_that_would_be_two_is_not_sent(request_: http.Request, http2: bool) -> None:
    """A line end in a request is our defect: it never reaches the server."""
    stream = Scripted(ANSWER)
    with pytest.raises(ValueError, match="control character"):
        await exchange(stream, request_, http2)
    assert b"" == stream.sent


async def test_body_can_be_left_at_any_point() -> None:
    """An endless body is left in the middle, without a trace."""
    async with upstream(say(b"HTTP/1.1 200 OK\r\n\r\n", b"a", 0.01, b"b")) as server:
        stream = await tcp.connect(Endpoint("127.0.0.1", server.port))
        exchanged = http.Exchange(stream, GET)
        await exchanged.ask()
        assert await exchanged.piece()
        stream.close()
