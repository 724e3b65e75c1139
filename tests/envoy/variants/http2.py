"""HTTP/2 upstreams, over cleartext: GOAWAY and RST_STREAM with every code, interim responses, trailers, limits, broken frames."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer

import h2.errors

from ..scenes import http2
from ..scenes.http1 import Handler, raw
from ..scenes.http2 import Connection, Headers, Reply, flush
from .catalogue import variant
from .timers import SECURE, secure

TO = "h2c://127.0.0.1:{port}"
OK: Headers = [(":status", "200")]


def sends(*blocks: Headers, body: bytes | None = b"ok", trailers: Headers | None = None, then: str = "") -> Reply:
    """Header blocks one after the other, a body, trailers."""

    async def reply(connection: Connection, writer: Writer, stream: int) -> None:
        for number, block in enumerate(blocks):
            last = number == len(blocks) - 1
            connection.send_headers(stream, block, end_stream=last and body is None and trailers is None)
        if body is not None:
            connection.send_data(stream, body, end_stream=trailers is None and then == "")
        if trailers is not None:
            connection.send_headers(stream, trailers, end_stream=True)
        await flush(connection, writer)
        if then == "closes":
            await asyncio.sleep(0.1)
            writer.close()

    return reply


def frames(*parts: bytes | float, settings: bool = True, then: str = "closes") -> Handler:
    """After the preface and the request: these bytes as they are."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await reader.readexactly(24)
        if settings:
            writer.write(frame(4, 0, 0))
        while True:
            head = await reader.readexactly(9)
            await reader.readexactly(int.from_bytes(head[:3]))
            if head[3] == 1:
                break
        for part in parts:
            if isinstance(part, bytes):
                writer.write(part)
                await writer.drain()
            else:
                await asyncio.sleep(part)
        if then == "closes":
            if not writer.can_write_eof():  # TLS
                return
            writer.write_eof()
        while await reader.read(65536):
            pass

    return handle


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + payload


HEADERS = frame(1, 4, 1, b"\x88")
HEADERS_END = frame(1, 5, 1, b"\x88")
GOAWAY = 7
for code in range(15):
    name = h2.errors.ErrorCodes(code).name.lower() if code < 14 else "unknown"
    variant(f"h2-rst-{name}", frames(frame(3, 0, 1, code.to_bytes(4))), to=TO)
    variant(f"h2-rst-after-headers-{name}", frames(HEADERS, 0.1, frame(3, 0, 1, code.to_bytes(4))), to=TO)
    variant(f"h2-rst-after-end-{name}", frames(HEADERS_END, frame(3, 0, 1, code.to_bytes(4))), to=TO, any=True)
    for last in (0, 1):
        data = frame(GOAWAY, 0, 0, last.to_bytes(4) + code.to_bytes(4))
        variant(f"h2-goaway-{last}-{name}", frames(data), to=TO)
        variant(f"h2-goaway-{last}-{name}-then-answer", frames(data, 0.1, HEADERS_END), to=TO)
        variant(f"h2-goaway-{last}-{name}-after-headers", frames(HEADERS, 0.1, data, 0.1), to=TO)
variant("h2-goaway-max-then-answer", frames(frame(GOAWAY, 0, 0, (2**31 - 1).to_bytes(4) + bytes(4)), 0.1, HEADERS_END), to=TO)
variant("h2-goaway-debug", frames(frame(GOAWAY, 0, 0, bytes(4) + (11).to_bytes(4) + b"too_many_pings")), to=TO)
variant("h2-goaway-short", frames(frame(GOAWAY, 0, 0, bytes(4))), to=TO)
variant("h2-goaway-on-stream", frames(frame(GOAWAY, 0, 1, bytes(8))), to=TO)
variant("h2-closes", frames(), to=TO)
variant("h2-closes-after-headers", frames(HEADERS), to=TO)
variant("h2-closes-after-data", frames(HEADERS + frame(0, 0, 1, b"part"), 0.1), to=TO)
variant("h2-no-settings-closes", frames(settings=False), to=TO)
variant("h2-no-settings-answers", frames(HEADERS_END, settings=False), to=TO)
variant("h2-closes-at-once", raw(reads=False), to=TO)
variant("h2-http1-answer", raw(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"), to=TO)
variant("h2-garbage", raw(b"garbage" * 10), to=TO)
variant("h2-short-garbage", raw(b"gar"), to=TO)
variant("h2-interim-100", http2.serving(sends([(":status", "100")], OK)), to=TO)
variant("h2-interim-103", http2.serving(sends([(":status", "103"), ("link", "x")], OK)), to=TO)
variant("h2-interim-103-twice", http2.serving(sends([(":status", "103")], [(":status", "103")], OK)), to=TO)
variant("h2-interim-102", http2.serving(sends([(":status", "102")], OK)), to=TO)
variant("h2-interim-150", http2.serving(sends([(":status", "150")], OK)), to=TO)
variant("h2-interim-closes", frames(frame(1, 4, 1, b"\x08\x03103"), 0.1), to=TO)
variant("h2-interim-100-closes", frames(frame(1, 4, 1, b"\x08\x03100"), 0.1), to=TO)
variant("h2-interim-rst", frames(frame(1, 4, 1, b"\x08\x03103"), 0.1, frame(3, 0, 1, (2).to_bytes(4))), to=TO)
variant("h2-interim-100-rst", frames(frame(1, 4, 1, b"\x08\x03100"), 0.1, frame(3, 0, 1, (2).to_bytes(4))), to=TO)
variant("h2-interim-with-end", frames(frame(1, 5, 1, b"\x08\x03103")), to=TO)
variant("h2-interim-101", http2.serving(sends([(":status", "101")], OK)), to=TO)
variant("h2-trailers", http2.serving(sends(OK, trailers=[("x-checksum", "1")])), to=TO)
variant("h2-trailers-without-body", http2.serving(sends(OK, body=None, trailers=[("x", "1")])), to=TO)
variant("h2-trailers-pseudo", http2.serving(sends(OK, trailers=[(":status", "200")])), to=TO)
variant("h2-trailers-upper-case", http2.serving(sends(OK, trailers=[("X-A", "1")])), to=TO)
variant("h2-trailers-not-last", frames(HEADERS + frame(0, 0, 1, b"ok") + frame(1, 4, 1, b"\x00\x01x\x011"), 0.1), to=TO)
variant("h2-headers-end", http2.serving(sends(OK, body=None)), to=TO)
variant("h2-empty-data", http2.serving(sends(OK, body=b"")), to=TO)
for status in ("0", "20", "099", "2000", "abc", "600", "999", "", "+200", "200 "):
    variant(f"h2-status-{status or 'empty'}".replace(" ", "space"), http2.serving(sends([(":status", status)])), to=TO)
variant("h2-no-status", http2.serving(sends([("server", "x")])), to=TO)
variant("h2-two-statuses", http2.serving(sends([(":status", "200"), (":status", "200")])), to=TO)
variant("h2-status-last", http2.serving(sends([("server", "x"), (":status", "200")])), to=TO)
variant("h2-request-pseudo", http2.serving(sends([(":status", "200"), (":path", "/")])), to=TO)
variant("h2-unknown-pseudo", http2.serving(sends([(":status", "200"), (":x", "/")])), to=TO)
FIELDS: dict[str, tuple[str, str]] = {
    "upper-case": ("X-A", "1"),
    "space": ("x a", "1"),
    "empty-name": ("", "1"),
    "underscore": ("x_a", "1"),
    "newline": ("x", "a\nb"),
    "nul": ("x", "a\0b"),
    "cr": ("x", "a\rb"),
    "del": ("x", "a\x7fb"),
    "escape": ("x", "\x1b"),
    "latin": ("x", "é"),
    "leading-space": ("x", " a"),
    "trailing-space": ("x", "a "),
    "tab": ("x", "a\tb"),
    "connection": ("connection", "close"),
    "keep-alive": ("keep-alive", "x"),
    "te-chunked": ("transfer-encoding", "chunked"),
    "upgrade": ("upgrade", "x"),
    "proxy-connection": ("proxy-connection", "x"),
    "te": ("te", "gzip"),
    "host": ("host", "x"),
    "latin-name": ("é", "1"),
    "colon-name": ("a:b", "1"),
    "grpc-status": ("grpc-status", "14"),
    "length-wrong": ("content-length", "9"),
    "length-short": ("content-length", "1"),
    "length-bad": ("content-length", "x"),
    "length-plus": ("content-length", "+2"),
    "length-empty": ("content-length", ""),
    "length-list": ("content-length", "2,2"),
}
for name, field in FIELDS.items():
    variant(f"h2-field-{name}", http2.serving(sends([*OK, field])), to=TO)
variant("h2-two-lengths", http2.serving(sends([*OK, ("content-length", "2"), ("content-length", "2")])), to=TO)
variant("h2-length-and-no-body", http2.serving(sends([*OK, ("content-length", "2")], body=None)), to=TO)
variant("h2-length-zero-and-body", http2.serving(sends([*OK, ("content-length", "0")])), to=TO)
variant("h2-204-with-body", http2.serving(sends([(":status", "204")])), to=TO)
variant("h2-204-with-length", http2.serving(sends([(":status", "204"), ("content-length", "0")], body=None)), to=TO)
variant("h2-304-with-length", http2.serving(sends([(":status", "304"), ("content-length", "20")], body=None)), to=TO)
variant("h2-304-with-body", http2.serving(sends([(":status", "304")])), to=TO)
for count in (98, 99, 100, 101):
    variant(f"h2-fields-{count}", http2.serving(sends([*OK, *((f"x-{n}", "1") for n in range(count))])), to=TO)
for size in (15, 16, 31, 32, 58, 59, 60, 61, 62, 63, 64, 70):
    variant(f"h2-fields-of-{size}k", http2.serving(sends([*OK, *((f"x-{n}", "a" * 1000) for n in range(size))])), to=TO)
    variant(f"h2-field-of-{size}k", http2.serving(sends([*OK, ("x", "a" * size * 1024)])), to=TO)
BROKEN = {
    "data-before-headers": frame(0, 1, 1, b"ok"),
    "data-on-stream-3": HEADERS + frame(0, 1, 3, b"ok"),
    "headers-on-stream-3": frame(1, 5, 3, b"\x88"),
    "headers-on-stream-2": frame(1, 5, 2, b"\x88"),
    "headers-on-0": frame(1, 5, 0, b"\x88"),
    "push": frame(5, 4, 1, b"\0\0\0\2\x88"),
    "ping-short": frame(6, 0, 0, b"123") + HEADERS_END,
    "ping-stream": frame(6, 0, 1, bytes(8)),
    "ping-ok": frame(6, 0, 0, bytes(8)) + HEADERS_END,
    "window-zero": frame(8, 0, 0, bytes(4)) + HEADERS_END,
    "window-zero-stream": frame(8, 0, 1, bytes(4)) + HEADERS_END,
    "window-over": frame(8, 0, 0, b"\x7f\xff\xff\xff") + HEADERS_END,
    "unknown-frame": frame(77, 0, 1, b"x") + HEADERS_END,
    "continuation": frame(1, 1, 1, b"\x88") + frame(9, 4, 1, b""),
    "continuation-alone": frame(9, 4, 1, b"\x88"),
    "continuation-missing": frame(1, 1, 1, b"\x88") + frame(0, 1, 1, b"ok"),
    "bad-hpack": frame(1, 5, 1, b"\xff\xff\xff\xff\xff"),
    "hpack-index-0": frame(1, 5, 1, b"\x80"),
    "hpack-index-99": frame(1, 5, 1, b"\xe3"),
    "table-size": frame(1, 5, 1, b"\x3f\xe1\x1f\x88"),
    "table-size-large": frame(1, 5, 1, b"\x3f\xff\xff\x7f\x88"),
    "padded": frame(1, 0x0D, 1, b"\x02\x88\0\0"),
    "padding-too-long": frame(1, 0x0D, 1, b"\x09\x88\0\0"),
    "priority": frame(1, 0x25, 1, b"\0\0\0\0\x10\x88"),
    "priority-self": frame(1, 0x25, 1, b"\0\0\0\1\x10\x88"),
    "frame-too-large": (20000).to_bytes(3) + b"\0\1\0\0\0\1" + bytes(20000),
    "settings-bad-length": frame(4, 0, 0, b"123"),
    "settings-on-stream": frame(4, 0, 1),
    "settings-window-bad": frame(4, 0, 0, b"\0\4\xff\xff\xff\xff") + HEADERS_END,
    "settings-push-2": frame(4, 0, 0, b"\0\2\0\0\0\2") + HEADERS_END,
    "settings-frame-size-bad": frame(4, 0, 0, b"\0\5\0\0\0\1") + HEADERS_END,
    "settings-ack-payload": frame(4, 1, 0, b"123456"),
    "settings-window-0": frame(4, 0, 0, b"\0\4\0\0\0\0") + HEADERS_END,
    "settings-max-streams-0": frame(4, 0, 0, b"\0\3\0\0\0\0") + HEADERS_END,
    "rst-on-0": frame(3, 0, 0, bytes(4)),
    "rst-short": frame(3, 0, 1, b"12"),
    "rst-idle-stream": frame(3, 0, 5, bytes(4)),
    "data-after-end": HEADERS_END + frame(0, 1, 1, b"ok"),
    "headers-after-end": HEADERS_END + frame(1, 5, 1, b"\x88"),
    "altsvc": frame(10, 0, 1, b'\0\0h2=":1"') + HEADERS_END,
    "empty-data-frames": HEADERS + frame(0, 0, 1) * 20000 + frame(0, 1, 1),
    "pings": frame(6, 0, 0, bytes(8)) * 20000 + HEADERS_END,
    "settings-flood": frame(4, 0, 0) * 20000 + HEADERS_END,
    "empty-continuations": frame(1, 1, 1, b"\x88") + frame(9, 0, 1) * 50 + frame(9, 4, 1),
    "priority-flood": frame(2, 0, 1, b"\0\0\0\0\x10") * 20000 + HEADERS_END,
    "window-flood": frame(8, 0, 1, b"\0\0\0\1") * 20000 + HEADERS_END,
    "rst-and-answer": frame(3, 0, 1, (8).to_bytes(4)) + HEADERS_END,
    "half-frame": frame(1, 5, 1, b"\x88" * 4)[:10],
}
for name, data in BROKEN.items():
    variant(f"h2-{name}", frames(data), to=TO)
for name in ("goaway", "rst-refused", "closes", "headers-cut"):
    told = {
        "goaway": frame(GOAWAY, 0, 0, bytes(8)),
        "rst-refused": frame(3, 0, 1, (7).to_bytes(4)),
        "closes": b"",
        "headers-cut": HEADERS,
    }[name]
    variant(f"h2-tls-{name}", play=secure(frames(told, 0.05), ("h2",)), **SECURE)
variant("h2-tls-ok", play=secure(http2.serving(http2.OK), ("h2",)), **SECURE)
variant("h2-tls-http1-with-h2-alpn", play=secure(raw(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"), ("h2",)), **SECURE)
variant("h2-tls-closes-at-once", play=secure(raw(reads=False), ("h2",)), any=True, **SECURE)
variant("h2-tls-h2-without-alpn", play=secure(http2.serving(http2.OK)), **SECURE)
