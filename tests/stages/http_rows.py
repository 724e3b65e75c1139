"""What the upstreams of the recorded truth do, row by row, and what the stage must find in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from net.http2_cases import ACK, OK, ST, S, data, goaway, headers, large, rst
from pomprobe.model import Fact, Failure, Protocol
from servers.http import Script, say

HEAD = b"HTTP/1.1 200 OK\r\n"
TWO = b"content-length: 2\r\n"


@dataclass(frozen=True)
class Row:
    """failure: None is a good outcome; TIMED_OUT: the route's timer fires once the script is played and the headers, if any, are seen."""

    script: Script
    failure: Failure | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)
    protocol: Protocol = Protocol.HTTP1


def good(*steps: bytes | float, end: str = "hold", status: int = 200, size: int = 2) -> Row:
    return Row(say(*steps, end=end), None, {"status": status, "body_bytes": size, "protocol": "HTTP/1.1"})


def bad(problem: str, *steps: bytes | float, end: str = "hold", speaks: str = "HTTP") -> Row:
    return Row(
        say(*steps, end=end), Failure.PROTOCOL_ERROR, {"problem": problem, "speaks": speaks, "interim": False, "protocol": "HTTP/1.1"}
    )


def slow(*steps: bytes | float, started: bool, end: str = "hold") -> Row:
    return Row(say(*steps, end=end), Failure.TIMED_OUT, {"started": started})


def app(status: int) -> Row:
    failure = {4: Failure.APP_REFUSAL, 5: Failure.APP_ERROR}.get(status // 100)
    answer = b"HTTP/1.1 %d X\r\ncontent-length: 0\r\nlocation: http://other.example/\r\n\r\n" % status
    return Row(say(answer), failure, {"status": status, "body_bytes": 0, "location": "http://other.example/"})


def many(count: int, value: bytes = b"a") -> bytes:
    return HEAD + TWO + b"".join(b"x-h%d: %s\r\n" % (number, value) for number in range(count)) + b"\r\nok"


TOO_LARGE, TOO_MANY = "headers larger than 80 KiB", "more than 100 headers"

HTTP1: dict[str, Row] = {
    "h1-ok": good(HEAD + TWO + b"\r\nok"),
    **{f"h1-status-{status}": app(status) for status in (200, 201, 302, 307, 400, 404, 408, 413, 429, 501, 502, 504, 600, 999)},
    "h1-no-response": slow(started=False),
    "h1-status-line-then-hang": slow(HEAD + b"content-type: text/plain\r\n", started=False),
    "h1-headers-drip": slow(b"H", b"T", b"T", b"P", b"/", b"1", b".", b"1", started=False),
    "h1-headers-then-hang": slow(HEAD + b"content-length: 100\r\n\r\n", started=True),
    "h1-body-trickle-eof": slow(HEAD + b"connection: close\r\n\r\n", b"hello", 0.01, b"hello", started=True),
    "h1-sse": slow(HEAD + b"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n", b"5\r\ndata:\r\n", started=True),
    "h1-close-before-response": Row(say(end="fin"), Failure.CLOSED, {"reset": False, "interim": False, "speaks": ""}),
    "h1-close-mid-status-line": bad("cut inside the status line", b"HTTP/1.1 20", end="fin"),
    "h1-close-mid-headers": bad("cut inside the headers", HEAD + b"content-length: 5\r\nx-a: b", end="fin"),
    "h1-close-mid-body-cl-immediate": Row(
        say(HEAD + b"content-length: 100\r\n\r\n0123456789", end="fin"),
        Failure.BODY_CUT,
        {"status": 200, "problem": "cut 90 bytes before the end of the body", "closed": True, "reset": False, "body_bytes": 10},
    ),
    "h1-chunked-cut": Row(
        say(HEAD + b"transfer-encoding: chunked\r\n\r\n10\r\nabc", end="fin"),
        Failure.BODY_CUT,
        {"status": 200, "problem": "cut inside a chunked body", "closed": True, "protocol": "HTTP/1.1"},
    ),
    "h1-garbage": bad("what came is no HTTP response", b"\x00\x01\x02garbage\r\n\r\n", end="fin", speaks=""),
    "h1-garbage-hold": bad("what came is no HTTP response", b"hello world this is not http\r\n\r\n", speaks=""),
    "h1-http09": bad("what came is no HTTP response", b"<html>hi</html>\n", end="fin"),
    "h1-no-reason": good(b"HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok"),
    "h1-http10": good(b"HTTP/1.0 200 OK\r\n\r\nok", end="fin"),
    "h1-http20-line": bad("the status line names no HTTP/1 version", b"HTTP/2 200 OK\r\ncontent-length: 2\r\n\r\nok"),
    "h1-icy": bad("what came is no HTTP response", b"ICY 200 OK\r\n\r\nok", end="fin", speaks=""),
    **{f"h1-headers-{size}k": good(many(size, b"a" * 1000)) for size in (61, 78)},
    **{f"h1-headers-{size}k": bad(TOO_LARGE, many(size, b"a" * 1000)) for size in (82, 126, 130)},
    "h1-nheaders-95": good(many(95)),
    **{f"h1-nheaders-{count}": bad(TOO_MANY, many(count)) for count in (100, 150)},
    "h1-big-cookie": good(HEAD + TWO + b"set-cookie: a=" + b"a" * 70000 + b"\r\n\r\nok"),
    "h1-header-latin1": good(HEAD + TWO + b"x-a: caf\xe9\r\n\r\nok"),
    "h1-header-utf8": good(HEAD + TWO + b"x-a: caf\xc3\xa9\r\n\r\nok"),
    "h1-header-space-colon": bad("a character in a header name that is not allowed there", HEAD + TWO + b"x-a : b\r\n\r\nok"),
    "h1-header-nocolon": bad("a header line without a colon", HEAD + TWO + b"foobar\r\n\r\nok"),
    "h1-header-underscore": good(HEAD + TWO + b"x_under_score: b\r\n\r\nok"),
    "h1-100-only": slow(b"HTTP/1.1 100 Continue\r\n\r\n", started=False),
    "h1-100-close": Row(say(b"HTTP/1.1 100 Continue\r\n\r\n", end="fin"), Failure.CLOSED, {"reset": False, "interim": True}),
    "h1-two-cl-same": bad("two Content-Length headers", HEAD + TWO + TWO + b"\r\nok"),
    "h1-two-cl-diff": bad("two Content-Length headers", HEAD + TWO + b"content-length: 3\r\n\r\nokk"),
    "h1-cl-list": bad("Content-Length is not a number", HEAD + b"content-length: 2, 2\r\n\r\nok"),
    "h1-cl-nonnum": bad("Content-Length is not a number", HEAD + b"content-length: abc\r\n\r\nok", end="fin"),
    "h1-te-unknown": bad("a Transfer-Encoding other than chunked", HEAD + b"transfer-encoding: foo\r\n\r\nok", end="fin"),
    "h1-te-chunked-twice": bad(
        "a Transfer-Encoding other than chunked", HEAD + b"transfer-encoding: chunked\r\n" * 2 + b"\r\n2\r\nok\r\n0\r\n\r\n"
    ),
    "h1-te-chunked-10": good(b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", end="fin"),
    "h1-204-with-body": bad("a 204 response that announces a body", b"HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\nok"),
    "h1-204-te": bad("a 204 response that announces a body", b"HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    "h1-304-with-cl": good(b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", status=304, size=0),
    "h1-extra-bytes": good(HEAD + TWO + b"\r\nokEXTRA"),
    "h1-cl-too-small": good(HEAD + TWO + b"\r\nokokok"),
    "h1-silent-rst-after-response": good(HEAD + TWO + b"\r\nok", end="rst"),
    "h1-big-body": good(HEAD + b"content-length: 20000000\r\n\r\n", *[b"x" * 1_000_000] * 20, size=20_000_000),
}


def h2(*steps: bytes | float, end: str = "hold", first: bytes = S + ACK, silent: bool = False) -> Script:
    return say(*steps, end=end, first=first, silent=silent)


def fine(*steps: bytes) -> Row:
    return Row(h2(*steps), None, {"status": 200, "body_bytes": 2, "protocol": "HTTP/2"}, Protocol.HTTP2)


def failing(failure: Failure, script: Script, **facts: Fact) -> Row:
    return Row(script, failure, {"protocol": "HTTP/2", **facts}, Protocol.HTTP2)


def refused(problem: str, *steps: bytes) -> Row:
    return failing(Failure.PROTOCOL_ERROR, h2(*steps), problem=problem)


def numbered(count: int, value: bytes = b"a") -> bytes:
    return large([ST, *((b"x-h%d" % number, value) for number in range(count))]) + data(b"ok", True)


CODES = {"PROTOCOL_ERROR": 1, "INTERNAL_ERROR": 2, "REFUSED_STREAM": 7, "CANCEL": 8, "CONNECT_ERROR": 10, "HTTP_1_1_REQUIRED": 13}

HTTP2: dict[str, Row] = {
    "h2c-ok": fine(OK + data(b"ok", True)),
    "h2c-http1-server-close": failing(Failure.CLOSED, h2(first=b"", end="fin"), reset=False, goaway=False),
    "h2c-server-on-http-route": Row(
        say(first=S + goaway(0, 1), end="fin", silent=True), Failure.PROTOCOL_ERROR, {"speaks": "HTTP/2", "protocol": "HTTP/1.1"}
    ),
    "h2c-goaway-immediately": failing(
        Failure.STREAM_RESET, h2(first=S + goaway(0, 0), silent=True), error_code="NO_ERROR", goaway=True, started=False
    ),
    "h2c-goaway-on-request-lastid": failing(Failure.CLOSED, h2(goaway(1, 0), end="fin"), goaway=True, interim=False),
    **{
        f"h2c-rst-{name.lower()}": failing(Failure.STREAM_RESET, h2(rst(code)), error_code=name, goaway=False, started=False)
        for name, code in CODES.items()
    },
    **{
        f"h2c-rst-after-{name.lower()}": failing(
            Failure.STREAM_RESET, h2(OK + data(b"part") + rst(code)), error_code=name, started=True, status=200, body_bytes=4
        )
        for name, code in (("NO_ERROR", 0), ("CANCEL", 8))
    },
    "h2c-hang": Row(h2(), Failure.TIMED_OUT, {"started": False}, Protocol.HTTP2),
    "h2c-no-settings": failing(
        Failure.PROTOCOL_ERROR, h2(OK + data(b"ok", True), first=b""), problem="what came first is no SETTINGS frame of HTTP/2"
    ),
    "h2c-cl-mismatch": failing(
        Failure.BODY_CUT,
        h2(headers([ST, (b"content-length", b"5")]) + data(b"ok", True)),
        problem="content-length 5, body 2",
        status=200,
        closed=False,
    ),
    "h2c-no-status": refused("no :status", headers([(b"content-type", b"text/plain")]) + data(b"ok", True)),
    "h2c-bad-status": refused("the :status is not a number of three digits", headers([(b":status", b"abc")]) + data(b"ok", True)),
    "h2c-connection-header": refused(
        "the connection header, which HTTP/2 does not have", headers([ST, (b"connection", b"close")]) + data(b"ok", True)
    ),
    "h2c-header-underscore": fine(headers([ST, (b"x_a", b"b")]) + data(b"ok", True)),
    **{f"h2c-headers-{size}k": fine(numbered(size, b"a" * 1000)) for size in (50, 58)},
    **{f"h2c-nheaders-{count}": fine(numbered(count)) for count in (98, 99)},
    **{
        f"h2c-nheaders-{count}": failing(Failure.STREAM_RESET, h2(numbered(count)), error_code="", problem=TOO_MANY, started=False)
        for count in (100, 101, 150)
    },
    "h2c-fin-mid-body": failing(
        Failure.BODY_CUT, h2(headers([ST, (b"content-length", b"100")]) + data(b"part"), end="fin"), status=200, closed=True, reset=False
    ),
    "h2c-trickle": Row(h2(OK, data(b"part"), data(b"part")), Failure.TIMED_OUT, {"started": True}, Protocol.HTTP2),
}

ROWS = HTTP1 | HTTP2
