"""Odd answers of an HTTP/2 upstream, written by hand frame by frame; http2_envoy.txt holds what a real Envoy 1.37 made of each.

A case is the pieces that are sent after the request's HEADERS (numbers are pauses in seconds), then how it ends: "hold" (nothing more
comes), "fin" or "rst". `first` is sent when the connection opens.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)


@dataclass(frozen=True, slots=True)
class Case:
    """What an upstream does. on_connect: the steps do not wait for the request, and `first` is not sent."""

    steps: tuple[bytes | float, ...]
    end: str = "hold"
    first: bytes = b""
    on_connect: bool = False


CASES: dict[str, Case] = {}


def frame(kind: int, flags: int = 0, stream: int = 1, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def string(text: bytes) -> bytes:
    """A string of HPACK without Huffman coding (RFC 7541, 5.2)."""
    length, out = len(text), bytearray()
    if length < 127:
        return bytes((length,)) + text
    length -= 127
    while length >= 128:
        out.append(length % 128 + 128)
        length //= 128
    return b"\x7f" + bytes((*out, length)) + text


def block(fields: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Headers as literals that leave the table alone."""
    return b"".join(b"\x00" + string(name) + string(value) for name, value in fields)


def headers(fields: Sequence[tuple[bytes, bytes]], end: bool = False, sid: int = 1) -> bytes:
    return frame(HEADERS, 4 | end, sid, block(fields))


def large(fields: Sequence[tuple[bytes, bytes]], end: bool = False) -> bytes:
    """Headers in as many CONTINUATION frames as they need."""
    whole = block(fields)
    parts = [whole[at : at + 16384] for at in range(0, len(whole), 16384)]
    out = frame(HEADERS, (4 if len(parts) == 1 else 0) | end, 1, parts[0])
    return out + b"".join(frame(CONTINUATION, 4 if part is parts[-1] else 0, 1, part) for part in parts[1:])


def data(content: bytes, end: bool = False, pad: int | None = None) -> bytes:
    if pad is None:
        return frame(DATA, int(end), 1, content)
    return frame(DATA, 8 | end, 1, bytes((pad,)) + content + bytes(pad))


def rst(code: int, sid: int = 1) -> bytes:
    return frame(RST_STREAM, 0, sid, struct.pack(">I", code))


def goaway(last: int, code: int, debug: bytes = b"") -> bytes:
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, code) + debug)


S = frame(SETTINGS, 0, 0)
ACK = frame(SETTINGS, 1, 0)
ST = (b":status", b"200")
OK = headers([ST])


def case(name: str, *steps: bytes | float, end: str = "hold", first: bytes = S + ACK, **more: Any) -> None:
    assert name not in CASES, name
    CASES[name] = Case(steps, end, first, **more)


# the ordinary, and trailers

case("ok", OK + data(b"ok", True))
case("ok-end-on-headers", headers([ST], True))
case("ok-empty-data-end", OK + data(b"ok") + data(b"", True))
case("ok-padded", OK + data(b"ok", True, pad=10))
case("ok-trailers", OK + data(b"ok") + headers([(b"grpc-status", b"0")], True))
case("trailers-no-end", OK + data(b"ok") + headers([(b"grpc-status", b"0")]))
case("trailers-status", OK + data(b"ok") + headers([ST], True))
case("trailers-pseudo", OK + data(b"ok") + headers([(b":path", b"/")], True))
case("trailers-101", OK + data(b"ok") + large([(b"x-%d" % i, b"a") for i in range(101)], True))
case("trailers-100", OK + data(b"ok") + large([(b"x-%d" % i, b"a") for i in range(100)], True))
case("trailers-upper", OK + headers([(b"X", b"0")], True))
case("trailers-conn", OK + headers([(b"connection", b"close")], True))
case("trailers-only-grpc", headers([ST, (b"content-type", b"application/grpc"), (b"grpc-status", b"14")], True))
case("trailers-70k", OK + large([(b"x-%d" % i, b"a" * 1000) for i in range(70)], True))
case("data-after-trailers", OK + headers([(b"x", b"0")], True) + data(b"x", True))
case("trailers-twice", OK + headers([(b"x", b"0")]) + headers([(b"x", b"0")], True))
case("trailers-cl", OK + data(b"ok") + headers([(b"content-length", b"9")], True))
case("headers-twice", OK + headers([ST]) + data(b"ok", True))

# nothing, and SETTINGS

case("nothing")
case("nothing-fin", end="fin")
case("nothing-rst", end="rst")
case("no-settings-ok", OK + data(b"ok", True), first=b"")
case("no-settings-hold", first=b"")
case("no-settings-fin", first=b"", end="fin")
case("settings-late", OK + data(b"ok", True) + S, first=b"")
case("no-ack-ok", OK + data(b"ok", True), first=S)
case("settings-many", *[S] * 50, OK + data(b"ok", True))
case("settings-ack-first", OK + data(b"ok", True), first=ACK + S)
case("ping-first", OK + data(b"ok", True), first=frame(PING, 0, 0, b"12345678") + S)
case("wu-first", OK + data(b"ok", True), first=frame(WINDOW_UPDATE, 0, 0, b"\x00\x00\x01\x00") + S)
case("goaway-first-nosettings", first=goaway(0, 0))

# RST_STREAM and GOAWAY

for code, name in enumerate(
    [
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    ]
):
    case(f"rst-{name}", rst(code))
    case(f"rst-after-{name}", OK + data(b"x"), 0.03, rst(code))
    case(f"rst-afterhead-{name}", OK, 0.03, rst(code))
    case(f"goaway0-{name}", goaway(0, code))
    case(f"goaway1-{name}", goaway(1, code))
    case(f"goaway1-fin-{name}", goaway(1, code), 0.02, end="fin")
    case(f"goaway-max-fin-{name}", goaway(2**31 - 1, code), 0.02, end="fin")
    case(f"goaway0-fin-{name}", goaway(0, code), end="fin")
    case(f"goaway-mid-{name}", OK + data(b"x"), 0.03, goaway(1, code), end="fin")
    case(f"goaway0-mid-{name}", OK + data(b"x"), 0.03, goaway(0, code))
    case(f"rst-end-{name}", OK + data(b"ok", True) + rst(code))
case("rst-unknown-code", rst(153))
case("rst-100-first", headers([(b":status", b"100")]) + rst(8))
case("goaway1-ok", goaway(1, 0) + OK + data(b"ok", True))
case("goaway-max-ok", goaway(2**31 - 1, 0) + OK + data(b"ok", True))
case("goaway-mid-ok", OK + data(b"o") + goaway(1, 0) + data(b"k", True))
case("goaway0-then-ok", goaway(0, 0) + OK + data(b"ok", True))
case("goaway-debug", goaway(0, 0, b"bye"))
case("goaway-twice", goaway(2**31 - 1, 0) + goaway(0, 0))
case("goaway-short", frame(GOAWAY, 0, 0, b"\x00\x00\x00\x00"))
case("goaway-sid1", frame(GOAWAY, 0, 1, struct.pack(">II", 0, 0)))

# before the request, and other protocols

case("connect-goaway", S + goaway(0, 0), on_connect=True, end="hold")
case("connect-goaway-fin", S + goaway(0, 0), 0.1, on_connect=True, end="fin")
case("connect-goaway-err", S + goaway(0, 2), on_connect=True)
case("connect-fin", on_connect=True, end="fin")
case("connect-settings-fin", S, 0.1, on_connect=True, end="fin")
case("connect-goawaymax", S + goaway(2**31 - 1, 0), on_connect=True)
case("connect-http1", b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", on_connect=True)
case("connect-http1-fin", b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", on_connect=True, end="fin")
case("http1", b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", first=b"")
case("http1-short", b"HTTP", first=b"")
case("http1-short-fin", b"HTTP", first=b"", end="fin")
case("http1-8-fin", b"HTTP/1.1", first=b"", end="fin")
case("http1-9-fin", b"HTTP/1.1 ", first=b"", end="fin")
case("http1-nginx", b"<html>\r\n<head><title>400 Bad Request</title></head></html>\r\n", first=b"", end="fin")
case("tls-alert", b"\x15\x03\x01\x00\x02\x02\n", first=b"", end="fin")
case("tls-alert-hold", b"\x15\x03\x01\x00\x02\x02\n", first=b"")
case("ssh", b"SSH-2.0-OpenSSH_9.2\r\n", first=b"")
case("ssh-fin", b"SSH-2.0-OpenSSH_9.2\r\n", first=b"", end="fin")
case("smtp", b"220 mail.example ESMTP ready\r\n", first=b"")
case("zeros", b"\x00" * 40, first=b"")
case("one-byte-fin", b"x", first=b"", end="fin")
case("http1-after-settings", b"HTTP/1.1 200 OK\r\n\r\n")

# the connection ends

for n in (5, 8, 9, 10, 20):
    case(f"frame-cut-{n}", (OK + data(b"ok", True))[:n], end="fin")
case("settings-cut", first=S[:5], end="fin")
case("data-cut", (OK + data(b"x" * 100))[:60], end="fin")
case("data-cut-rst", (OK + data(b"x" * 100))[:60], end="rst")
case("fin-after-head", OK, end="fin")
case("fin-mid", OK + data(b"x"), end="fin")
case("rst-mid", OK + data(b"x"), end="rst")
case("fin-mid-cl", headers([ST, (b"content-length", b"100")]) + data(b"x"), end="fin")
case("ok-fin", OK + data(b"ok", True), end="fin")
case("ok-rst", OK + data(b"ok", True), end="rst")
case("hang-after-head", OK)
case("hang-after-data", OK + data(b"x"))

# statuses

for v in (
    b"200",
    b"201",
    b"204",
    b"205",
    b"304",
    b"404",
    b"500",
    b"503",
    b"600",
    b"999",
    b"000",
    b"099",
    b"20",
    b"2000",
    b"abc",
    b"",
    b"2x0",
    b"+20",
    b" 200",
    b"200 ",
    b"0200",
    b"200 OK",
    b"101",
    b"1000",
    b"65736",
):
    case("status-" + v.decode().replace(" ", "_"), headers([(b":status", v)]) + data(b"ok", True))
    case("status-end-" + v.decode().replace(" ", "_"), headers([(b":status", v)], True))
for v in (b"100", b"101", b"102", b"103", b"104", b"105", b"150", b"199"):
    interim = headers([(b":status", v)])
    case(f"1xx-{v.decode()}", interim + OK + data(b"ok", True))
    case(f"1xx-{v.decode()}-fin", interim, end="fin")
    case(f"1xx-{v.decode()}-hold", interim)
    case(f"1xx-{v.decode()}-end", headers([(b":status", v)], True))
    case(f"1xx-{v.decode()}-rst", interim, 0.02, rst(8))
    case(f"1xx-{v.decode()}-refused", interim, 0.02, rst(7))
    case(f"1xx-{v.decode()}-data", interim + data(b"ok", True))
    case(f"1xx-{v.decode()}-bad", interim + headers([(b"X", b"y")]))
    case(f"1xx-{v.decode()}-goaway", interim, 0.02, goaway(0, 0))
for n in (2, 10, 100, 101, 200, 1000):
    case(f"1xx-many-{n}", headers([(b":status", b"100")]) * n + OK + data(b"ok", True))

# pseudo-headers, and frames on wrong streams

case("no-status", headers([(b"content-type", b"a")]) + data(b"ok", True))
case("no-status-end", headers([(b"content-type", b"a")], True))
case("no-headers-at-all", headers([]) + data(b"ok", True))
case("two-status", headers([ST, ST]) + data(b"ok", True))
case("status-last", headers([(b"x", b"y"), ST]) + data(b"ok", True))
case("unknown-pseudo", headers([ST, (b":foo", b"b")]) + data(b"ok", True))
case("request-pseudo", headers([ST, (b":path", b"/")]) + data(b"ok", True))
case("pseudo-authority", headers([ST, (b":authority", b"a")]) + data(b"ok", True))
case("colon-only", headers([ST, (b":", b"a")]) + data(b"ok", True))
case("data-first", data(b"ok", True))
case("data-on-0", OK + frame(DATA, 0, 0, b"x"))
case("data-on-3", OK + frame(DATA, 0, 3, b"x"))
case("headers-on-3", headers([ST], sid=3) + OK + data(b"ok", True))
case("headers-on-2", headers([ST], sid=2) + OK + data(b"ok", True))
case("headers-on-0", headers([ST], sid=0))
case("rst-on-3", rst(8, 3) + OK + data(b"ok", True))
case("rst-on-0", rst(8, 0))
case("rst-on-2", rst(8, 2) + OK + data(b"ok", True))
case("rst-short", frame(RST_STREAM, 0, 1, b"\x00\x00"))
case("data-after-end", OK + data(b"ok", True) + data(b"more", True))
case("rst-after-ok", OK + data(b"ok", True), 0.03, rst(8))
for name, field in {
    "connection": (b"connection", b"close"),
    "keep-alive": (b"keep-alive", b"timeout=5"),
    "te": (b"te", b"trailers"),
    "te-gzip": (b"te", b"gzip"),
    "transfer-encoding": (b"transfer-encoding", b"chunked"),
    "upgrade": (b"upgrade", b"h2c"),
    "proxy-connection": (b"proxy-connection", b"close"),
    "host": (b"host", b"a"),
    "upper": (b"X-Upper", b"b"),
    "upper-last": (b"x-uppeR", b"b"),
    "underscore": (b"x_a", b"b"),
    "empty-name": (b"", b"b"),
    "name-space": (b"x a", b"b"),
    "name-colon": (b"x:a", b"b"),
    "name-nul": (b"x\x00a", b"b"),
    "name-latin1": (b"x\xe9", b"b"),
    "name-quote": (b'x"a', b"b"),
    "name-slash": (b"x/a", b"b"),
    "name-at": (b"x@a", b"b"),
    "name-tchar": (b"!#$%&'*+-.^_`|~09az", b"b"),
    "name-del": (b"x\x7f", b"b"),
    "empty-value": (b"x", b""),
    "value-space": (b"x", b" b "),
    "value-tab": (b"x", b"\tb"),
    "value-intab": (b"x", b"b\tc"),
    "value-nul": (b"x", b"b\x00"),
    "value-lf": (b"x", b"b\nc"),
    "value-cr": (b"x", b"b\rc"),
    "value-esc": (b"x", b"b\x1b"),
    "value-del": (b"x", b"b\x7f"),
    "value-latin1": (b"x", b"\xe9"),
    "value-soh": (b"x", b"\x01"),
    "value-utf8": (b"x", "é".encode()),
    "cl-2": (b"content-length", b"2"),
    "cl-5": (b"content-length", b"5"),
    "cl-1": (b"content-length", b"1"),
    "cl-0": (b"content-length", b"0"),
    "cl-abc": (b"content-length", b"abc"),
    "cl-empty": (b"content-length", b""),
    "cl-plus": (b"content-length", b"+2"),
    "cl-list": (b"content-length", b"2, 2"),
    "cl-02": (b"content-length", b"02"),
    "cl-neg": (b"content-length", b"-2"),
    "cl-huge": (b"content-length", b"99999999999999999999"),
    "cl-space": (b"content-length", b" 2"),
    "big-value": (b"x", b"a" * 15000),
}.items():
    case("h-" + name, headers([ST, field]) + data(b"ok", True))
for code in range(256):
    case(f"bv-{code:02x}", headers([ST, (b"x", b"b" + bytes((code,)) + b"c")]) + data(b"ok", True))
    case(f"bn-{code:02x}", headers([ST, (b"x" + bytes((code,)) + b"c", b"b")]) + data(b"ok", True))

# Content-Length and statuses without a body

case("two-cl-same", headers([ST, (b"content-length", b"2"), (b"content-length", b"2")]) + data(b"ok", True))
case("two-cl-diff", headers([ST, (b"content-length", b"2"), (b"content-length", b"3")]) + data(b"ok", True))
case("cl-5-trailers", headers([ST, (b"content-length", b"5")]) + data(b"ok") + headers([(b"x", b"y")], True))
case("cl-5-endhead", headers([ST, (b"content-length", b"5")], True))
case("cl-1-part", headers([ST, (b"content-length", b"1")]) + data(b"ok"))
case("204-body", headers([(b":status", b"204")]) + data(b"ok", True))
case("204-cl2", headers([(b":status", b"204"), (b"content-length", b"2")], True))
case("304-cl2", headers([(b":status", b"304"), (b"content-length", b"2")], True))
case("304-cl2-body", headers([(b":status", b"304"), (b"content-length", b"2")]) + data(b"ok", True))
case("204-cl0", headers([(b":status", b"204"), (b"content-length", b"0")], True))

# numbers and sizes of headers

for n in (98, 99, 100, 101, 150):
    case(f"count-{n}", large([ST] + [(b"x-%d" % i, b"a") for i in range(n)]) + data(b"ok", True))
case("count-same-150", large([ST] + [(b"x-a", b"a")] * 150) + data(b"ok", True))
case("count-via-150", large([ST] + [(b"via", b"a")] * 150) + data(b"ok", True))
case("count-cookie-150", large([ST] + [(b"set-cookie", b"a")] * 150) + data(b"ok", True))
case("count-cookie2-150", large([ST] + [(b"cookie", b"a")] * 150) + data(b"ok", True))


def sized(total: int) -> list[tuple[bytes, bytes]]:
    """Headers whose names and values have this many bytes together."""
    fields = [ST]
    while total - sum(len(name) + len(value) for name, value in fields) > 2000:
        fields.append((b"x-%02d" % (len(fields) - 1), b"a" * 1000))
    return [*fields, (b"y", b"b" * (total - sum(len(name) + len(value) for name, value in fields) - 1))]


for n in (
    58000,
    59392,
    61000,
    61400,
    61430,
    61440,
    61441,
    61450,
    62000,
    64000,
    65000,
    65500,
    65536,
    66000,
    70000,
    80000,
    82000,
    100000,
    130000,
    300000,
):
    case(f"size-{n}", large(sized(n)) + data(b"ok", True))
for n in (59000, 60000, 61000, 61440, 62000, 63000, 64000):
    case(f"size1-{n}", large([ST, (b"x", b"a" * n)]) + data(b"ok", True))

# CONTINUATION and HPACK

case("cont-ok", frame(HEADERS, 0, 1, block([ST])) + frame(CONTINUATION, 4, 1, block([(b"x", b"y")])) + data(b"ok", True))
case("cont-missing", frame(HEADERS, 0, 1, block([ST])) + data(b"ok", True))
case("cont-hold", frame(HEADERS, 0, 1, block([ST])))
case("cont-fin", frame(HEADERS, 0, 1, block([ST])), end="fin")
case("cont-other", frame(HEADERS, 0, 1, block([ST])) + frame(CONTINUATION, 4, 3, b""))
case("cont-alone", frame(CONTINUATION, 4, 1, block([ST])))
for n in (5, 7, 8, 9, 10, 50, 64, 65, 100, 500, 2000):
    case(
        f"cont-empty-{n}",
        frame(HEADERS, 0, 1, block([ST])) + frame(CONTINUATION, 0, 1, b"") * n + frame(CONTINUATION, 4, 1, b"") + data(b"ok", True),
    )
    case(
        f"cont-small-{n}",
        frame(HEADERS, 0, 1, block([ST]))
        + b"".join(frame(CONTINUATION, 0, 1, block([(b"x-a", b"b")])) for i in range(min(n, 95)))
        + frame(CONTINUATION, 4, 1, b"")
        + data(b"ok", True),
    ) if n < 100 else None
case("hpack-bad", frame(HEADERS, 4, 1, b"\xff\xff\xff\xff\xff\xff"))
case("hpack-index", frame(HEADERS, 4, 1, b"\xbe") + data(b"ok", True))
case("hpack-trunc", frame(HEADERS, 4, 1, b"\x00\x05ab"))
case("hpack-huffman-bad", frame(HEADERS, 4, 1, b"\x00\x81\xff\x01a"))
case("hpack-index0", frame(HEADERS, 4, 1, b"\x80"))
case("hpack-static-200", frame(HEADERS, 4, 1, b"\x88") + data(b"ok", True))
case("hpack-tablesize", frame(HEADERS, 4, 1, b"?\xe1\x1f\x88") + data(b"ok", True))
case("hpack-tablesize-big", frame(HEADERS, 4, 1, b"?\xe1\xff\x03\x88") + data(b"ok", True))
case("hpack-dynamic", frame(HEADERS, 4, 1, b"\x88@\x01x\x01y\xbe") + data(b"ok", True))
case("hpack-tablesize-late", frame(HEADERS, 4, 1, b"\x88 ") + data(b"ok", True))

# every frame, malformed or misplaced

for name, kind, flags, sid, payload in [
    ("set-5", SETTINGS, 0, 0, b"12345"),
    ("set-sid1", SETTINGS, 0, 1, b""),
    ("set-ack-payload", SETTINGS, 1, 0, b"\x00\x01\x00\x00\x00\x00"),
    ("set-unknown", SETTINGS, 0, 0, struct.pack(">HI", 153, 1)),
    ("set-win-big", SETTINGS, 0, 0, struct.pack(">HI", 4, 2**31)),
    ("set-frame-small", SETTINGS, 0, 0, struct.pack(">HI", 5, 100)),
    ("set-frame-big", SETTINGS, 0, 0, struct.pack(">HI", 5, 2**24)),
    ("set-push-2", SETTINGS, 0, 0, struct.pack(">HI", 2, 2)),
    ("set-push-1", SETTINGS, 0, 0, struct.pack(">HI", 2, 1)),
    ("set-push-0", SETTINGS, 0, 0, struct.pack(">HI", 2, 0)),
    ("set-table-0", SETTINGS, 0, 0, struct.pack(">HI", 1, 0)),
    ("set-conc-0", SETTINGS, 0, 0, struct.pack(">HI", 3, 0)),
    ("set-win-0", SETTINGS, 0, 0, struct.pack(">HI", 4, 0)),
    ("set-connect", SETTINGS, 0, 0, struct.pack(">HI", 8, 1)),
    ("set-connect-2", SETTINGS, 0, 0, struct.pack(">HI", 8, 2)),
    ("set-list-10", SETTINGS, 0, 0, struct.pack(">HI", 6, 10)),
    ("ping", PING, 0, 0, b"12345678"),
    ("ping-7", PING, 0, 0, b"1234567"),
    ("ping-sid1", PING, 0, 1, b"12345678"),
    ("ping-ack", PING, 1, 0, b"12345678"),
    ("wu-0", WINDOW_UPDATE, 0, 0, b"\x00\x00\x00\x00"),
    ("wu-0-s1", WINDOW_UPDATE, 0, 1, b"\x00\x00\x00\x00"),
    ("wu-short", WINDOW_UPDATE, 0, 0, b"\x00\x00"),
    ("wu-over", WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff"),
    ("wu-over-s1", WINDOW_UPDATE, 0, 1, b"\x7f\xff\xff\xff"),
    ("wu-idle", WINDOW_UPDATE, 0, 3, b"\x00\x00\x00\x01"),
    ("wu-ok", WINDOW_UPDATE, 0, 1, b"\x00\x00\x00\x01"),
    ("prio", PRIORITY, 0, 1, b"\x00\x00\x00\x00\x00"),
    ("prio-short", PRIORITY, 0, 1, b"\x00\x00"),
    ("prio-0", PRIORITY, 0, 0, b"\x00\x00\x00\x00\x00"),
    ("prio-self", PRIORITY, 0, 1, b"\x00\x00\x00\x01\x00"),
    ("unknown-type", 119, 0, 0, b"abc"),
    ("unknown-type-s1", 119, 0, 1, b"abc"),
    ("altsvc", 10, 0, 0, b"\x00\x01ah3=x"),
    ("origin", 12, 0, 0, b"\x00\x01a"),
    (
        "push",
        PUSH_PROMISE,
        4,
        1,
        struct.pack(">I", 2) + block([(b":method", b"GET"), (b":path", b"/"), (b":scheme", b"http"), (b":authority", b"a")]),
    ),
    ("push-odd", PUSH_PROMISE, 4, 1, struct.pack(">I", 3) + block([(b":method", b"GET")])),
    ("prio-update", 16, 0, 0, b"\x00\x00\x00\x01u=1"),
    ("reserved-bit", SETTINGS, 0, 2**31, b""),
]:
    case("f-" + name, frame(kind, flags, sid, payload) + OK + data(b"ok", True))
    case("f-" + name + "-mid", OK + data(b"o") + frame(kind, flags, sid, payload) + data(b"k", True))
    if kind == SETTINGS and sid == 0 and flags == 0:
        case("first-" + name, OK + data(b"ok", True), first=frame(kind, flags, sid, payload) + ACK)
case("frame-16385", OK + frame(DATA, 1, 1, b"a" * 16385))
case("frame-16384", OK + frame(DATA, 1, 1, b"a" * 16384))
case("frame-huge-len", OK + b"\xff\xff\xff\x00\x00\x00\x00\x00\x01")
case("unknown-huge", frame(119, 0, 0, b"a" * 16385) + OK + data(b"ok", True))
case("headers-16385", frame(HEADERS, 4, 1, block([ST, (b"x", b"a" * 16370)])) + data(b"ok", True))
case("pad-too-long", OK + frame(DATA, 9, 1, b"\x05ab"))
case("pad-all", OK + frame(DATA, 9, 1, b"\x02ab"))
case("pad-empty", OK + frame(DATA, 9, 1, b""))
case("headers-pad", frame(HEADERS, 12, 1, b"\x03" + block([ST]) + b"\x00\x00\x00") + data(b"ok", True))
case("headers-pad-bad", frame(HEADERS, 12, 1, b"\xff" + block([ST])) + data(b"ok", True))
case("headers-prio", frame(HEADERS, 36, 1, b"\x00\x00\x00\x00\x10" + block([ST])) + data(b"ok", True))
case("headers-prio-self", frame(HEADERS, 36, 1, b"\x00\x00\x00\x01\x10" + block([ST])) + data(b"ok", True))
case("data-unknown-flags", OK + frame(DATA, 241 & ~8, 1, b"ok"))

# floods

for n in (4, 5, 7, 9, 10, 11, 20, 100, 1000):
    case(f"empty-data-{n}", OK + data(b"") * n + data(b"ok", True))
for n in (100, 101, 200, 999, 1000, 1001, 1002, 5000, 9999, 10001, 20000):
    case(f"pings-{n}", frame(PING, 0, 0, b"12345678") * n + OK + data(b"ok", True))
    case(f"settings-{n}", S * n + OK + data(b"ok", True))
for n in (10, 100, 101, 1000, 10001):
    case(f"prios-{n}", frame(PRIORITY, 0, 1, b"\x00\x00\x00\x00\x00") * n + OK + data(b"ok", True))
    case(f"wus-{n}", frame(WINDOW_UPDATE, 0, 1, b"\x00\x00\x00\x01") * n + OK + data(b"ok", True))
    case(f"unknowns-{n}", frame(119, 0, 0, b"") * n + OK + data(b"ok", True))
    case(f"pingacks-{n}", frame(PING, 1, 0, b"12345678") * n + OK + data(b"ok", True))
    case(f"acks-{n}", ACK * n + OK + data(b"ok", True))
    case(f"altsvcs-{n}", frame(10, 0, 1, b"\x00\x00h3=x") * n + OK + data(b"ok", True))
case("window-exceed", OK + b"".join(data(b"a" * 16384) for _ in range(80)) + data(b"ok", True))
case("window-exceed-stream", OK + b"".join(data(b"a" * 16384) for _ in range(5)) + data(b"ok", True))
case("big-body-4", OK + b"".join(data(b"a" * 16384) for _ in range(3)) + data(b"a" * 16384, True))
case("big-body-4-1", OK + b"".join(data(b"a" * 16384) for _ in range(4)) + data(b"a", True))
case("settings-ack-extra", ACK + ACK + OK + data(b"ok", True))
case("byte-by-byte", *[step for byte in OK + data(b"ok", True) for step in (bytes((byte,)), 0.002)])

# the limits of the floods, and what came up on the way

for n in (1, 2, 3):
    case(f"empty-data-{n}", OK + data(b"") * n + data(b"ok", True))
    case(f"empty-data-apart-{n}", OK + (data(b"") + data(b"x")) * (n * 4) + data(b"ok", True))
case("empty-data-padded", OK + data(b"", pad=5) * 6 + data(b"ok", True))
case("empty-data-end", OK + data(b"", True))
case("empty-data-then-end", OK + data(b"") * 1 + data(b"", True))
case("empty-data-2-end", OK + data(b"") * 2 + data(b"", True))
case("empty-data-ping", OK + (data(b"") + frame(PING, 0, 0, b"12345678")) * 6 + data(b"ok", True))
case("empty-data-wu", OK + (data(b"") + frame(WINDOW_UPDATE, 0, 0, b"\x00\x00\x00\x01")) * 4 + data(b"ok", True))
case("empty-data-settings", OK + (data(b"") + S) * 6 + data(b"ok", True))
case("empty-data-sleep", OK, *[x for _ in range(6) for x in (data(b""), 0.02)], data(b"ok", True))
for n in (1, 2, 3, 4):
    case(
        f"cont-empty-{n}",
        frame(HEADERS, 0, 1, block([ST])) + frame(CONTINUATION, 0, 1, b"") * n + frame(CONTINUATION, 4, 1, b"") + data(b"ok", True),
    )
    case(
        f"cont-emptyx-{n}",
        frame(HEADERS, 0, 1, block([ST]))
        + frame(CONTINUATION, 0, 1, b"") * n
        + frame(CONTINUATION, 4, 1, block([(b"x", b"y")]))
        + data(b"ok", True),
    )
    case(
        f"head-empty-{n}",
        frame(HEADERS, 0, 1, b"") + frame(CONTINUATION, 0, 1, b"") * (n - 1) + frame(CONTINUATION, 4, 1, block([ST])) + data(b"ok", True),
    )
for n in range(1, 10):
    case(f"wus-{n}", frame(WINDOW_UPDATE, 0, 1, b"\x00\x00\x00\x01") * n + OK + data(b"ok", True))
    case(f"wus0-{n}", frame(WINDOW_UPDATE, 0, 0, b"\x00\x00\x00\x01") * n + OK + data(b"ok", True))
    case(
        f"wusmix-{n}",
        (frame(WINDOW_UPDATE, 0, 0, b"\x00\x00\x00\x01") + frame(WINDOW_UPDATE, 0, 1, b"\x00\x00\x00\x01")) * n + OK + data(b"ok", True),
    )
case("wus-after-head", OK + frame(WINDOW_UPDATE, 0, 0, b"\x00\x00\x00\x01") * 7 + data(b"ok", True))
case("wus-after-head-6", OK + frame(WINDOW_UPDATE, 0, 0, b"\x00\x00\x00\x01") * 6 + data(b"ok", True))
case("wus-after-head-5", OK + frame(WINDOW_UPDATE, 0, 0, b"\x00\x00\x00\x01") * 5 + data(b"ok", True))
for n in (150, 199, 200, 201, 202, 250, 300, 400, 500):
    case(f"prios-{n}", frame(PRIORITY, 0, 1, b"\x00\x00\x00\x00\x00") * n + OK + data(b"ok", True))
for n in (1003, 1004, 1200, 1500, 1900, 2000, 2500, 3000, 4000):
    case(f"pings-{n}", frame(PING, 0, 0, b"12345678") * n + OK + data(b"ok", True))
    case(f"settings-{n}", S * n + OK + data(b"ok", True))
for v in (b"2", b"3", b"0", b"abc"):
    case("trailers-cl-" + v.decode(), OK + data(b"ok") + headers([(b"content-length", v)], True))
for st in (b"204", b"304", b"205"):
    s = st.decode()
    H = headers([(b":status", st)])
    case(f"nb-{s}-emptydata", H + data(b"", True))
    case(f"nb-{s}-trailers", H + headers([(b"x", b"y")], True))
    case(f"nb-{s}-hold", H)
    case(f"nb-{s}-data-cl", headers([(b":status", st), (b"content-length", b"2")]) + data(b"ok", True))
    case(f"nb-{s}-cl0-data", headers([(b":status", st), (b"content-length", b"0")]) + data(b"ok", True))
    case(f"nb-{s}-cl5-end", headers([(b":status", st), (b"content-length", b"5")], True))
    case(f"nb-{s}-fin", H, end="fin")
    case(f"nb-{s}-clabc", headers([(b":status", st), (b"content-length", b"abc")], True))
    case(f"nb-{s}-data-noend", H + data(b"o"))
for v in (b"100", b"103", b"105"):
    case(f"1xxh-cl-{v.decode()}", headers([(b":status", v), (b"content-length", b"5")]) + OK + data(b"ok", True))
    case(f"1xxh-x-{v.decode()}", headers([(b":status", v), (b"link", b"a")]) + OK + data(b"ok", True))
    case(f"1xxh-101-{v.decode()}", large([(b":status", v)] + [(b"x-%d" % i, b"a") for i in range(101)]) + OK + data(b"ok", True))
    case(f"1xxh-conn-{v.decode()}", headers([(b":status", v), (b"connection", b"close")]) + OK + data(b"ok", True))
    case(f"1xxh-emptydata-{v.decode()}", headers([(b":status", v)]) + data(b"") + OK + data(b"ok", True))
    case(f"1xxh-trail-{v.decode()}", headers([(b":status", v)]) + headers([(b"x", b"y")], True))
    case(f"1xxh-70k-{v.decode()}", large([(b":status", v)] + [(b"x-%d" % i, b"a" * 1000) for i in range(70)]) + OK + data(b"ok", True))
case("endless-cont", frame(HEADERS, 0, 1, block([ST])), *[frame(CONTINUATION, 0, 1, block([(b"x", b"a" * 16000)]))] * 40)
case("endless-cont-same", frame(HEADERS, 0, 1, block([ST])), *[frame(CONTINUATION, 0, 1, b"\x88" * 16000)] * 10)
case("count-open-120", frame(HEADERS, 0, 1, block([ST])) + frame(CONTINUATION, 0, 1, block([(b"x", b"a")] * 120)))
case(
    "size-open-70k", frame(HEADERS, 0, 1, block([ST])), *[frame(CONTINUATION, 0, 1, block([(b"x-%d" % i, b"a" * 16000)])) for i in range(5)]
)
case("count-100-then-bad", large([ST] + [(b"x-%d" % i, b"a") for i in range(101)] + [(b"X", b"y")]) + data(b"ok", True))
case("bad-then-count", large([ST, (b"X", b"y")] + [(b"x-%d" % i, b"a") for i in range(101)]) + data(b"ok", True))
case("hpack-one-huge", frame(HEADERS, 0, 1, block([ST]) + b"\x00\x01x\x7f\x80\x80@"), *[frame(CONTINUATION, 0, 1, b"a" * 16384)] * 30)
case("hpack-bomb", frame(HEADERS, 4, 1, b"\x88" + b"@" + string(b"x") + string(b"a" * 4000) + b"\xbe" * 1000) + data(b"ok", True))
case("hpack-bomb-2", frame(HEADERS, 4, 1, b"\x88" + b"@" + string(b"x") + string(b"a" * 4000) + b"\xbe" * 14) + data(b"ok", True))
case("data-on-1-after-trailers-noend", OK + headers([(b"x", b"y")], True) + rst(8))
case("two-responses", OK + data(b"ok", True) + OK)
case("head-end-then-data", headers([ST], True) + data(b"x", True))
case("data-huge-sid", OK + frame(DATA, 0, 2**31 - 1, b"x"))
case("headers-odd-new", OK + headers([ST], sid=5) + data(b"ok", True))
case("rst-on-5-mid", OK + rst(8, 5) + data(b"ok", True))
case("wu-on-2", frame(WINDOW_UPDATE, 0, 2, b"\x00\x00\x00\x01") + OK + data(b"ok", True))
case("prio-on-3", frame(PRIORITY, 0, 3, b"\x00\x00\x00\x00\x00") + OK + data(b"ok", True))
case("cont-on-0", frame(CONTINUATION, 4, 0, b""))
case(
    "ping-between", frame(HEADERS, 0, 1, block([ST])) + frame(PING, 0, 0, b"12345678") + frame(CONTINUATION, 4, 1, b"") + data(b"ok", True)
)
case("unknown-between", frame(HEADERS, 0, 1, block([ST])) + frame(119, 0, 0, b"") + frame(CONTINUATION, 4, 1, b"") + data(b"ok", True))
case("goaway-then-goaway-bigger", goaway(1, 0) + goaway(3, 0) + OK + data(b"ok", True))
case("goaway-max-then-1", goaway(2**31 - 1, 0) + goaway(1, 0) + OK + data(b"ok", True))
case("goaway-with-err-then-ok", goaway(1, 2) + OK + data(b"ok", True))
case("goaway-err-mid-ok", OK + data(b"o") + goaway(1, 2) + data(b"k", True))
case("goaway-sid2", goaway(2, 0) + OK + data(b"ok", True))
case("goaway-0-after-end", OK + data(b"ok", True) + goaway(0, 0))
case("settings-two-values", OK + data(b"ok", True), first=frame(SETTINGS, 0, 0, struct.pack(">HIHI", 3, 100, 4, 65535)) + ACK)
case("settings-big", OK + data(b"ok", True), first=frame(SETTINGS, 0, 0, struct.pack(">HI", 153, 1) * 30) + ACK)
case("settings-huge", OK + data(b"ok", True), first=frame(SETTINGS, 0, 0, struct.pack(">HI", 153, 1) * 100) + ACK)
case("settings-33", OK + data(b"ok", True), first=frame(SETTINGS, 0, 0, struct.pack(">HI", 153, 1) * 33) + ACK)
case("settings-32", OK + data(b"ok", True), first=frame(SETTINGS, 0, 0, struct.pack(">HI", 153, 1) * 32) + ACK)
case("settings-flags", OK + data(b"ok", True), first=frame(SETTINGS, 254, 0, b"") + ACK)
case("settings-norfc7540", OK + data(b"ok", True), first=frame(SETTINGS, 0, 0, struct.pack(">HI", 9, 1)) + ACK)
case("settings-norfc7540-2", OK + data(b"ok", True), first=frame(SETTINGS, 0, 0, struct.pack(">HI", 9, 2)) + ACK)
case(
    "settings-connect-1-then-0",
    OK + data(b"ok", True),
    first=frame(SETTINGS, 0, 0, struct.pack(">HI", 8, 1)) + frame(SETTINGS, 0, 0, struct.pack(">HI", 8, 0)) + ACK,
)
case("settings-win-change", OK + data(b"ok", True), first=frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 2**31 - 1)) + ACK)
case(
    "settings-win-over-mid",
    frame(WINDOW_UPDATE, 0, 1, b"\x00\x00\x00\x01") + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 2**31 - 1)) + OK + data(b"ok", True),
)
case("settings-only-ack", OK + data(b"ok", True), first=ACK)
case("settings-late-2", OK + data(b"ok", True), first=frame(119, 0, 0, b"") + S)
case("goaway-before-settings-fin", first=goaway(0, 0), end="fin")
case("rst-before-settings", rst(7), first=b"")
case("settings-sid-first", OK + data(b"ok", True), first=frame(SETTINGS, 0, 1, b""))

# errors of the stream alone, and what comes with them in one packet

HUNDRED_AND_ONE = [ST] + [(b"x-%d" % i, b"a") for i in range(101)]
case("too-many-end", large(HUNDRED_AND_ONE, True))
case("too-many-end-fin", large(HUNDRED_AND_ONE, True), end="fin")
case("too-many-data", large(HUNDRED_AND_ONE) + data(b"ok", True))
case("too-many-alone", large(HUNDRED_AND_ONE))
case("too-many-alone-fin", large(HUNDRED_AND_ONE), end="fin")
case("too-many-rst", large(HUNDRED_AND_ONE) + rst(7))
case("too-many-rst-later", large(HUNDRED_AND_ONE), 0.05, rst(7))
case("too-many-goaway", large(HUNDRED_AND_ONE) + goaway(0, 0))
case("too-large-end", large(sized(62000), True))
case("too-large-alone", large(sized(62000)))
case("too-many-trailers-alone", OK + large([(b"x-%d" % i, b"a") for i in range(101)], True), end="fin")
case("1xx-too-many-end", headers([(b":status", b"103")]) + large(HUNDRED_AND_ONE, True))
case("too-many-101-bad-later", large([*HUNDRED_AND_ONE, (b"X", b"y")], True))
case("too-many-end-ping", large(HUNDRED_AND_ONE, True) + frame(PING, 0, 0, b"12345678"))
BAD = headers([ST, (b"X", b"y")])
BADE = headers([ST, (b"X", b"y")], True)
CLX = headers([ST, (b"content-length", b"0")]) + data(b"xx")
NB = headers([(b":status", b"304")]) + data(b"ok")
TRB = OK + headers([(b"X", b"y")], True)
TRN = OK + headers([(b"x", b"y")])
for name, bad in {
    "badheader": BAD,
    "badheader-end": BADE,
    "cl": CLX,
    "nobody": NB,
    "trailerbad": TRB,
    "trailernoend": TRN,
    "nostatus": headers([(b"x", b"y")]),
    "status": headers([(b":status", b"abc")]),
    "connection": headers([ST, (b"connection", b"close")]),
    "clend": headers([ST, (b"content-length", b"5")], True),
    "clshort": headers([ST, (b"content-length", b"5")]) + data(b"ok", True),
    "datafirst": data(b"ok"),
    "1xxend": headers([(b":status", b"100")], True),
    "1xxdata": headers([(b":status", b"100")]) + data(b"x"),
    "clbad": headers([ST, (b"content-length", b"x")]),
    "2cl": headers([ST, (b"content-length", b"2"), (b"content-length", b"2")]),
    "valuenul": headers([ST, (b"x", b"\x00")]),
    "101": headers([(b":status", b"101")]),
    "204cl": headers([(b":status", b"204"), (b"content-length", b"2")]),
}.items():
    case(f"err-{name}-rst8", bad + rst(8))
    case(f"err-{name}-rst7", bad + rst(7))
    case(f"err-{name}-rst1", bad + rst(1))
    case(f"err-{name}-goaway", bad + goaway(0, 0))
    case(f"err-{name}-fin", bad, end="fin")
    case(f"err-{name}-later", bad, 0.05, rst(8))
    case(f"err-{name}-ok", bad + OK + data(b"ok", True))
    case(f"err-{name}-hold", bad)
    case(f"err-{name}-dataend", bad + data(b"ok", True))
    case(f"err-{name}-badframe", bad + frame(PING, 0, 0, b"1"))
    case(f"err-{name}-trailers", bad + headers([(b"x", b"y")], True))

# what shows in a frame's header

for name, bad in {
    "set-sid1": frame(SETTINGS, 0, 1, b"123456"),
    "set-len5": frame(SETTINGS, 0, 0, b"12345"),
    "set-len7": frame(SETTINGS, 0, 0, b"1234567"),
    "set-33": frame(SETTINGS, 0, 0, b"\x00\x99\x00\x00\x00\x01" * 33),
    "set-ack6": frame(SETTINGS, 1, 0, b"123456"),
    "ping-7": frame(PING, 0, 0, b"1234567"),
    "ping-9": frame(PING, 0, 0, b"123456789"),
    "ping-sid": frame(PING, 0, 1, b"12345678"),
    "wu-3": frame(WINDOW_UPDATE, 0, 0, b"123"),
    "wu-5": frame(WINDOW_UPDATE, 0, 0, b"12345"),
    "wu-sid2": frame(WINDOW_UPDATE, 0, 2, b"1234"),
    "rst-3": frame(RST_STREAM, 0, 1, b"123"),
    "rst-5": frame(RST_STREAM, 0, 1, b"12345"),
    "rst-sid0": frame(RST_STREAM, 0, 0, b"1234"),
    "rst-sid3": frame(RST_STREAM, 0, 3, b"1234"),
    "goaway-7": frame(GOAWAY, 0, 0, b"1234567"),
    "goaway-sid1": frame(GOAWAY, 0, 1, b"12345678"),
    "prio-4": frame(PRIORITY, 0, 1, b"1234"),
    "prio-6": frame(PRIORITY, 0, 1, b"123456"),
    "head-sid0": frame(HEADERS, 4, 0, b"\x88"),
    "head-sid2": frame(HEADERS, 4, 2, b"\x88"),
    "head-sid3": frame(HEADERS, 4, 3, b"\x88"),
    "head-prio4": frame(HEADERS, 36, 1, b"\x00\x00\x00\x00"),
    "head-pad0": frame(HEADERS, 12, 1, b""),
    "head-prio-pad5": frame(HEADERS, 44, 1, b"\x00\x00\x00\x00\x00"),
    "data-sid0": frame(DATA, 0, 0, b"x"),
    "data-sid3": frame(DATA, 0, 3, b"x"),
    "data-first": frame(DATA, 0, 1, b"x"),
    "data-pad0": frame(DATA, 8, 1, b""),
    "push-4": frame(PUSH_PROMISE, 4, 1, b"\x00\x00\x00\x02"),
    "push-3": frame(PUSH_PROMISE, 4, 1, b"\x00\x00\x00"),
    "push-sid0": frame(PUSH_PROMISE, 4, 0, b"\x00\x00\x00\x02\x82"),
    "push-sid3": frame(PUSH_PROMISE, 4, 3, b"\x00\x00\x00\x02\x82"),
    "cont": frame(CONTINUATION, 4, 1, b"x"),
    "big": frame(119, 0, 0, b"x" * 16385),
}.items():
    case(f"form-{name}-open", bad[:9])
    case(f"form-{name}-mid", OK + bad[:9], end="fin")
    case(f"form-{name}-open-fin", bad[:9], end="fin")
    case(f"form-{name}-first", first=bad[:9], end="fin")
    case(f"form-{name}-10", bad[:10], end="fin")
for name, bad in {
    "head": frame(HEADERS, 12, 1, b"@" + b"a" * 12),
    "data": OK + frame(DATA, 8, 1, b"@" + b"a" * 12),
    "headprio": frame(HEADERS, 44, 1, b"@" + b"a" * 12),
    "headpriolate": frame(HEADERS, 44, 1, b"\x08" + b"a" * 12),
    "headok": frame(HEADERS, 12, 1, b"\x05" + b"a" * 12),
}.items():
    at = len(OK) if name == "data" else 0
    case(f"pad-{name}-10", bad[: at + 10], end="fin")
    case(f"pad-{name}-10-hold", bad[: at + 10])
    case(f"pad-{name}-12", bad[: at + 12], end="fin")
    case(f"pad-{name}-15", bad[: at + 15], end="fin")

# PUSH_PROMISE before our settings are acknowledged


def push(sid: int = 2, on: int = 1, flags: int = 4, fields: bytes = b"\x82\x84\x87A\x01a") -> bytes:
    return frame(PUSH_PROMISE, flags, on, struct.pack(">I", sid) + fields)


for name, bad in {
    "ok": push() + OK + data(b"ok", True),
    "alone": push(),
    "mid": OK + push() + data(b"ok", True),
    "fin": push(),
    "odd": push(3) + OK + data(b"ok", True),
    "zero": push(0) + OK + data(b"ok", True),
    "twice": push() + push() + OK + data(b"ok", True),
    "two": push(2) + push(4) + OK + data(b"ok", True),
    "down": push(4) + push(2) + OK + data(b"ok", True),
    "sid0": push(on=0) + OK + data(b"ok", True),
    "sid3": push(on=3) + OK + data(b"ok", True),
    "sid2": push() + push(4, on=2) + OK + data(b"ok", True),
    "short": frame(PUSH_PROMISE, 4, 1, b"\x00\x00") + OK + data(b"ok", True),
    "empty": push(fields=b"") + OK + data(b"ok", True),
    "badblock": push(fields=b"\xff\xff\xff\xff\xff") + OK,
    "badheader": push(fields=block([(b"X", b"y")])) + OK + data(b"ok", True),
    "status": push(fields=b"\x88") + OK + data(b"ok", True),
    "cont": push(flags=0, fields=b"\x82\x84") + frame(CONTINUATION, 4, 1, b"\x87A\x01a") + OK + data(b"ok", True),
    "response": push() + frame(HEADERS, 4, 2, b"\x88") + OK + data(b"ok", True),
    "response-data": push() + frame(HEADERS, 4, 2, b"\x88") + frame(DATA, 1, 2, b"x") + OK + data(b"ok", True),
    "data": push() + frame(DATA, 1, 2, b"x") + OK + data(b"ok", True),
    "rst2": push() + rst(8, 2) + OK + data(b"ok", True),
    "wu2": push() + frame(WINDOW_UPDATE, 0, 2, b"\x00\x00\x00\x01") + OK + data(b"ok", True),
    "thenack": push() + ACK + OK + data(b"ok", True),
    "ack-response": push() + ACK + frame(HEADERS, 5, 2, b"\x88") + OK + data(b"ok", True),
    "many": b"".join(push(2 * i) for i in range(1, 120)) + OK + data(b"ok", True),
    "101": b"".join(push(2 * i) for i in range(1, 103)) + OK + data(b"ok", True),
    "large": push(fields=block([(b"x-%d" % i, b"a") for i in range(120)])) + OK + data(b"ok", True),
    "dyn": push(fields=b"\x82\x84\x87A\x01a@\x01x\x01y") + frame(HEADERS, 4, 1, b"\x88\xbe") + data(b"ok", True),
    "pad": frame(PUSH_PROMISE, 12, 1, b"\x02" + struct.pack(">I", 2) + b"\x82\x84\x00\x00") + OK + data(b"ok", True),
    "padbad": frame(PUSH_PROMISE, 12, 1, b" " + struct.pack(">I", 2) + b"\x82\x84\x00\x00") + OK + data(b"ok", True),
    "1xx": headers([(b":status", b"103")]) + push() + OK + data(b"ok", True),
    "prio": push() + frame(PRIORITY, 0, 2, b"\x00\x00\x00\x00\x00") + OK + data(b"ok", True),
}.items():
    case("push-" + name, bad, end="fin" if name in ("fin",) else "hold", first=S)
case("push-acked", push() + OK + data(b"ok", True))
case("push-acked-rst2", push() + rst(8, 2) + OK + data(b"ok", True))

# very long numbers and values

case("h-cl-zeros", headers([ST, (b"content-length", b"0" * 300 + b"2")]) + data(b"ok", True))
case("h-cl-5000", headers([ST, (b"content-length", b"2" * 5000)]) + data(b"ok", True))
case("h-cl-max", headers([ST, (b"content-length", b"9223372036854775807")]) + data(b"ok"), end="fin")
case("h-cl-max1", headers([ST, (b"content-length", b"9223372036854775808")]) + data(b"ok"), end="fin")
case("size1-65530", large([ST, (b"x", b"a" * 65530)]) + data(b"ok", True))
case("size1-65536", large([ST, (b"x", b"a" * 65536)]) + data(b"ok", True))
case("size1-65537", large([ST, (b"x", b"a" * 65537)]) + data(b"ok", True))
case("size1-70000", large([ST, (b"x", b"a" * 70000)]) + data(b"ok", True))
case("name-70000", large([ST, (b"x" * 70000, b"a")]) + data(b"ok", True))
case("size1-100000-end", large([ST, (b"x", b"a" * 100000)], True))
case("size1-130000", large([ST, (b"x", b"a" * 130000)], True))
case("size1-200000", large([ST, (b"x", b"a" * 200000)], True))
