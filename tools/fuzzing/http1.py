"""Random HTTP/1 responses: put together from plausible and odd parts, then damaged byte by byte."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

STARTS = (
    b"HTTP/1.1 200 OK", b"HTTP/1.1 200", b"HTTP/1.1 200 ", b"HTTP/1.0 200 OK", b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 Not Modified",
    b"HTTP/1.1 404 Not Found", b"HTTP/1.1 500 E", b"HTTP/1.1 101 Switching Protocols", b"HTTP/1.1 205 R", b"HTTP/1.1 099 X",
    b"HTTP/1.1 999 X", b"HTTP/1.1 2000 X", b"HTTP/1.1 20 X", b"HTTP/2 200", b"HTTP/1.2 200 OK", b"HTTP/0.9 200 OK", b"http/1.1 200 OK",
    b"HTTP/1.1\t200\tOK", b"HTTP/1.1  200  OK", b" HTTP/1.1 200 OK", b"HTTP/1.1 200 \xe9\xff", b"HTTP/1.1 +20 OK", b"HTTP/11.1 200 OK",
    b"HTTP/1.1 200OK", b"ICY 200 OK",
)  # fmt: skip
INTERIM = (b"HTTP/1.1 100 Continue", b"HTTP/1.1 102 Processing", b"HTTP/1.1 103 Early Hints", b"HTTP/1.1 199 X", b"HTTP/1.1 104 X")
LENGTHS = (
    b"content-length: 2", b"content-length: 0", b"content-length: 5", b"Content-Length:2", b"content-length: 02", b"content-length: +2",
    b"content-length: -2", b"content-length: 2, 2", b"content-length: 2,3", b"content-length: ", b"content-length: 0x2",
    b"content-length: 2 ", b"content-length:\t2", b"content-length: 99999999999999999999", b"content-length: 18446744073709551615",
    b"content-length: 2 2",
)  # fmt: skip
CODINGS = (
    b"transfer-encoding: chunked", b"Transfer-Encoding: Chunked", b"transfer-encoding: identity", b"transfer-encoding: gzip, chunked",
    b"transfer-encoding: chunked, chunked", b"transfer-encoding: chunked ", b"transfer-encoding:", b"transfer-encoding: x",
    b"transfer-encoding: gzip", b"transfer-encoding: chunked, identity", b"transfer-encoding : chunked",
    b"transfer-encoding: \x0bchunked",
)  # fmt: skip
OTHERS = (
    b"server: x", b"connection: close", b"connection: keep-alive", b"connection: upgrade", b"upgrade: websocket", b"x: \xff\xfe",
    b"x: a\x00b", b"x: a\x01b", b"x: a\tb", b"x:", b":", b": x", b"x", b"x y: z", b"x(y): z", b"x_y: z", b" folded", b"\tfolded",
    b"x: a\rb", b"\xe9: x", b"x\x00: y", b"x: " + b"y" * 9000, b"trailer: x", b"content-type: text/html", b"x: a\x7fb", b"x : y",
    b"keep-alive: timeout=5", b"te: x", b'x: "', b"x@y: z", b"proxy-connection: close", b"connection: content-length",
    b"connection: transfer-encoding", b"date: now", b"x: " + b" " * 70,
)  # fmt: skip
CHUNKED = (
    b"2\r\nok\r\n0\r\n\r\n", b"0\r\n\r\n", b"2\nok\n0\n\n", b"2;ext=1\r\nok\r\n0\r\n\r\n", b"2 \r\nok\r\n0\r\n\r\n",
    b"02\r\nok\r\n0\r\n\r\n", b"0x2\r\nok\r\n0\r\n\r\n", b"2\r\nok0\r\n\r\n", b"2\r\nok\r\n0\r\nx: y\r\n\r\n",
    b"2\r\nok\r\n0\r\nx y\r\n\r\n", b"z\r\nok\r\n0\r\n\r\n", b"2\r\nok\r\n", b"\r\n", b"2\r\nokay\r\n0\r\n\r\n",
    b"ffffffffffffffffff\r\nok", b"A\r\n0123456789\r\n000\r\n\r\n", b"-2\r\nok\r\n0\r\n\r\n", b"2\rok\r\n0\r\n\r\n",
    b"2\r\nok\r\n0;x\r\n\r\n", b'2;a="b\r\n"\r\nok\r\n0\r\n\r\n', b"2\r\nok\r\n0\r\n", b"2\r\nok\r\n0\r\n\r\nmore", b"\n0\r\n\r\n",
)  # fmt: skip
PLAIN = (b"ok", b"", b"o", b"okay", b"hello", b"ok" * 4000, b"HTTP/1.1 200 OK\r\n\r\n", b"\x00\x01")
BYTES = b'\r\n\t :;,/\x00\x01\x7f\x80\xff01Aaz("HTP.-+_@[\x0b\x0c'
TOKENS = (
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"\n\n",
    b" ",
    b"\t",
    b":",
    b"HTTP/1.1 200 OK\r\n",
    b"content-length: 2\r\n",
    b"transfer-encoding: chunked\r\n",
    b"0\r\n\r\n",
)


def response(random: Random) -> bytes:
    """One response, possibly damaged."""
    end = random.choices((b"\r\n", b"\n", b"\r"), (90, 9, 1))[0]
    message = b""
    while random.random() < 0.12:
        message += random.choice(INTERIM) + end + _headers(random, end, random.choice((0, 0, 1))) + end
    start = STARTS[0] if random.random() < 0.7 else random.choice(STARTS)
    framing, body = _framing(random)
    headers = [*framing, *(random.choice(OTHERS) for _ in range(random.choice((0, 0, 1, 1, 2, 3))))]
    if random.random() < 0.02:
        headers += [b"x-%d: y" % number for number in range(random.choice((90, 97, 98, 99, 100, 101, 120)))]
    random.shuffle(headers)
    message += start + end + b"".join(header + end for header in headers) + end + body
    for _ in range(random.choices((0, 1, 2, 4), (55, 25, 12, 8))[0]):
        message = _damaged(random, message)
    return message


def _framing(random: Random) -> tuple[Sequence[bytes], bytes]:
    kind = random.randrange(10)
    if kind < 4:
        return (random.choice(LENGTHS[:3]) if random.random() < 0.6 else random.choice(LENGTHS),), random.choice(PLAIN)
    if kind < 7:
        return (random.choice(CODINGS[:2]) if random.random() < 0.7 else random.choice(CODINGS),), random.choice(CHUNKED)
    if kind == 7:
        return (), random.choice(PLAIN)
    framing = [random.choice(LENGTHS + CODINGS) for _ in range(2)]
    return framing, random.choice(PLAIN + CHUNKED)


def _headers(random: Random, end: bytes, count: int) -> bytes:
    return b"".join(random.choice(OTHERS + LENGTHS + CODINGS) + end for _ in range(count))


def _damaged(random: Random, message: bytes) -> bytes:
    at = random.randrange(len(message) + 1) if random.random() < 0.4 else random.randrange(min(len(message), 120) + 1)
    match random.randrange(6):
        case 0:
            return message[:at]
        case 1:
            return message[:at] + message[at + random.randint(1, 4) :]
        case 2:
            return message[:at] + bytes([random.choice(BYTES)]) + message[at + 1 :]
        case 3:
            return message[:at] + bytes([random.choice(BYTES)]) + message[at:]
        case 4:
            return message[:at] + random.choice(TOKENS) + message[at:]
        case _:
            other = random.randrange(len(message) + 1)
            low, high = min(at, other), min(max(at, other), min(at, other) + 60)
            return message[:high] + message[low:high] + message[high:]
