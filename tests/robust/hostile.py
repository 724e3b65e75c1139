"""Upstreams that mean harm, a table of them; run as a program they all listen, and their addresses are printed as JSON."""

from __future__ import annotations

import asyncio
import datetime
import gzip
import json
import os
import socket
import ssl
import struct
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from robust.hostile_dns import DNS
from servers.dns import dns_server

Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
PAUSE = 0.01
"""Seconds between two pieces of a flood: it is to be endless, not to take the machine."""

OK = b"HTTP/1.1 200 OK\r\n"
ESCAPES = "\x1b[31mred\x1b]0;title\x07\u202eRTL\u2066\x9b\x00end"
RAW_ESCAPES = b"\x1b[31mred\x1b]0;t\x07\xe2\x80\xaeRTL\x9b7m\x7f"


@dataclass(frozen=True)
class Row:
    """play: what happens on a connection, once the request has come where `wait` is set.

    scheme: that of the route's `to`; keys: more of the route.

    judged: the certificate is looked at; else the route has tls_skip_verify, so that it comes to the play.
    """

    name: str
    scheme: str
    play: Play
    wait: bool = True
    tls: Callable[[], ssl.SSLContext] | None = None
    judged: bool = True
    keys: Mapping[str, Any] = field(default_factory=dict)


# ------------------------------------------------------------------------------------------------- what is played


def send(*pieces: bytes, end: str = "hold") -> Play:
    """These bytes, then nothing more ("hold"), FIN or RST."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        await _end(reader, writer, end)

    return play


def flood(first: bytes, piece: bytes, pause: float = PAUSE, times: int = 10**6) -> Play:
    """The first bytes, then the piece again and again."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        for _ in range(times):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        await _end(reader, writer, "hold")

    return play


def drip(data: bytes, pause: float = 0.1) -> Play:
    """One byte at a time."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in range(len(data)):
            writer.write(data[number : number + 1])
            await writer.drain()
            await asyncio.sleep(pause)
        await _end(reader, writer, "hold")

    return play


def below_tls(data: bytes, first: bytes = b"") -> Play:
    """`first` through TLS, then bytes that are not encrypted."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        await writer.drain()
        with suppress(BlockingIOError):
            os.write(writer.get_extra_info("socket").fileno(), data)
        await _end(reader, writer, "hold")

    return play


async def unfinished(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Half an answer through TLS, then FIN without close_notify."""
    writer.write(OK + b"content-length: 5\r\n\r\nx")
    await writer.drain()
    writer.get_extra_info("socket").shutdown(socket.SHUT_WR)
    await _end(reader, writer, "hold")


async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads nothing: the receive window closes."""
    await asyncio.sleep(3600)


async def _end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, end: str) -> None:
    if end == "rst":
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    elif end == "hold":
        while await reader.read(65536):
            pass


# ------------------------------------------------------------------------------------------------------- HTTP/2


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def literal(name: bytes, value: bytes) -> bytes:
    """A header of HPACK without indexing and Huffman coding."""
    return b"\0" + _length(name) + name + _length(value) + value


def _length(text: bytes) -> bytes:
    if len(text) < 127:
        return bytes((len(text),))
    rest, out = len(text) - 127, b"\x7f"
    while rest >= 128:
        out += bytes((rest % 128 + 128,))
        rest //= 128
    return out + bytes((rest,))


SETTINGS = frame(4)
HEADERS = frame(1, 4, 1, b"\x88")
H2 = SETTINGS + HEADERS


# ------------------------------------------------------------------------------------------------- certificates


@cache
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def context(common_name: str = "up", sans: Iterable[str] = ("up.test",), copies: int = 0, tickets: int = 2) -> Callable[[], ssl.SSLContext]:
    """TLS of a server with a certificate of its own; copies: how often it is sent once more; tickets: of TLS 1.3."""

    def make() -> ssl.SSLContext:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder(name, name, _key().public_key(), x509.random_serial_number(), now, now + datetime.timedelta(9))
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(san) for san in sans]), critical=False)
        pem = builder.sign(_key(), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        private = _key().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )  # fmt: skip
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "c.pem")
            path.write_bytes(private + pem * (copies + 1))
            made.load_cert_chain(path)
        made.num_tickets = tickets
        return made

    return make


plain = context()

# -------------------------------------------------------------------------------------------------------- the table

MEGABYTE = b"x" * 1_000_000
BOMB = gzip.compress(b"\0" * 50_000_000)
COMPLETE = OK + b"server: app\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx: y\r\n\r\n"
RECORD = b"\x16\x03\x03\x00\x04\x02\x00\x00\x00"

HTTP1 = [
    ("endless header value", flood(OK + b"x: ", b"y" * 4096)),
    ("endless headers", flood(OK, b"x-a: " + b"y" * 100 + b"\r\n")),
    ("endless header name", flood(OK, b"y" * 4096)),
    ("endless status line", flood(b"HTTP/1.1 200 ", b"y" * 4096)),
    ("endless line ends", flood(b"", b"\r\n" * 100)),
    ("header flood at once", send(OK + b"".join(b"x-%d: y\r\n" % n for n in range(50_000)) + b"\r\n")),
    ("header of a megabyte", send(OK + b"x: " + MEGABYTE + b"\r\n\r\n")),
    ("drip-fed status line", drip(OK)),
    ("drip-fed headers", drip(OK + b"x: y\r\n" * 100)),
    ("drip-fed body", flood(OK + b"content-length: 1000\r\n\r\n", b"x", 0.1)),
    ("drip-fed chunks", flood(OK + b"transfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 0.1)),
    ("drip-fed chunk size", flood(OK + b"transfer-encoding: chunked\r\n\r\n", b"0", 0.1)),
    ("endless body", flood(OK + b"\r\n", MEGABYTE[:65536])),
    ("endless chunks", flood(OK + b"transfer-encoding: chunked\r\n\r\n", b"10000\r\n" + MEGABYTE[:65536] + b"\r\n")),
    ("endless chunk extension", flood(OK + b"transfer-encoding: chunked\r\n\r\n5;", b"y" * 4096)),
    ("endless chunk size", flood(OK + b"transfer-encoding: chunked\r\n\r\n", b"0" * 4096)),
    ("endless trailers", flood(OK + b"transfer-encoding: chunked\r\n\r\n0\r\n", b"x: y\r\n" * 100)),
    ("enormous chunk", send(OK + b"transfer-encoding: chunked\r\n\r\nfffffffffffffff\r\nx")),
    ("more than enormous chunk", send(OK + b"transfer-encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\nx")),
    ("negative chunk", send(OK + b"transfer-encoding: chunked\r\n\r\n-1\r\nx")),
    ("enormous length", send(OK + b"content-length: 99999999999999999\r\n\r\nx")),
    ("more than enormous length", send(OK + b"content-length: " + b"9" * 5000 + b"\r\n\r\nx")),
    ("endless 100", flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 50)),
    ("endless 103", flood(b"", b"HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n" * 50)),
    ("drip-fed 100", flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.2)),
    ("101 nobody asked for", send(b"HTTP/1.1 101 X\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n")),
    ("gzip bomb", send(OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(BOMB) + BOMB)),
    ("status 999", send(b"HTTP/1.1 999 X\r\ncontent-length: 0\r\n\r\n")),
    ("status 000", send(b"HTTP/1.1 000 X\r\ncontent-length: 0\r\n\r\n")),
    ("status of digits", send(b"HTTP/1.1 " + b"2" * 5000 + b" X\r\n\r\n")),
    ("binary noise", send(bytes(range(256)) * 100)),
    ("zeros", send(b"\0" * 100_000)),
    ("folded header", send(OK + b"x: a\r\n b\r\n\r\n")),
    ("response before the end of nothing", send(COMPLETE * 50)),
    ("deaf", deaf),
    ("reset at once", send(end="rst")),
    ("reset in the body", send(OK + b"content-length: 100\r\n\r\nx", end="rst")),
    *((f"closed after {cut} bytes", send(COMPLETE[:cut], end="fin")) for cut in (1, 7, 12, 16, 17, 30, 60, 62, 66, 70, 74, 80)),
    ("escapes in server", send(OK + b"server: " + RAW_ESCAPES + b"\r\ncontent-length: 0\r\n\r\n")),
    ("RTL in server", send(OK + "server: \u202egnp\u2066x\u200b\r\ncontent-length: 0\r\n\r\n".encode())),
    ("latin-1 in location", send(b"HTTP/1.1 302 X\r\nlocation: http://\x9b31m\xff/\r\ncontent-length: 0\r\n\r\n")),
    ("line end in location", send(b"HTTP/1.1 302 X\r\nlocation: /a\rb\r\ncontent-length: 0\r\n\r\n")),
    ("CI command in server", send(b"HTTP/1.1 500 X\r\nserver: ::error::x ##vso[task.x]y\r\ncontent-length: 0\r\n\r\n")),
    ("markup in server", send(b"HTTP/1.1 500 X\r\nserver: </td><script>alert(1)</script>]]>|`\r\ncontent-length: 0\r\n\r\n")),
    ("escapes in content type", send(b"HTTP/1.1 500 X\r\ncontent-type: \xe2\x80\xae\xc2\x9b31m\r\ncontent-length: 0\r\n\r\n")),
    ("escapes for an answer", send(RAW_ESCAPES * 10)),
    ("answer of an SSH server with escapes", send(b"SSH-2.0-\x1b[2J\r\n")),
]

HTTP2 = [
    ("CONTINUATION flood", flood(SETTINGS + frame(1, 0, 1, b"\x88"), frame(9, 0, 1, literal(b"x", b"y" * 1000)) * 10)),
    ("empty CONTINUATION flood", flood(SETTINGS + frame(1, 0, 1, b"\x88"), frame(9, 0, 1) * 1000)),
    ("SETTINGS flood", flood(SETTINGS, frame(4) * 1000)),
    ("PING flood", flood(SETTINGS, frame(6, 0, 0, b"12345678") * 1000)),
    ("RST_STREAM flood", flood(SETTINGS, frame(3, 0, 1, b"\0\0\0\x08") * 1000)),
    ("PRIORITY flood", flood(SETTINGS, frame(2, 0, 1, b"\0\0\0\0\x10") * 1000)),
    ("WINDOW_UPDATE flood", flood(SETTINGS, frame(8, 0, 0, b"\0\0\0\x01") * 1000)),
    ("empty DATA flood", flood(H2, frame(0, 0, 1) * 1000)),
    ("padded DATA flood", flood(H2, frame(0, 8, 1, b"\xff" + b"\0" * 255) * 100)),
    ("unknown frames", flood(SETTINGS, frame(200, 0, 1, b"x" * 1000) * 10)),
    ("ALTSVC flood", flood(SETTINGS, frame(10, 0, 0, b"\0\x01ax") * 100)),
    ("GOAWAY flood", flood(SETTINGS, frame(7, 0, 0, b"\x7f\xff\xff\xff\0\0\0\0") * 100)),
    ("PUSH_PROMISE flood", flood(SETTINGS, frame(5, 4, 1, b"\0\0\0\x02\x82") * 100)),
    ("zero window", send(frame(4, 0, 0, b"\0\x04\0\0\0\0") + frame(1, 0, 1, b"\x88"))),
    ("table of no size", flood(frame(4, 0, 0, b"\0\x01\xff\xff\xff\xff"), frame(1, 4, 1, literal(b"x", b"y")) * 10)),
    ("HPACK bomb", send(SETTINGS + frame(1, 4, 1, b"\x88" + b"\x40\x01x" + _length(b"y" * 4000) + b"y" * 4000 + b"\xbe" * 12_000))),
    ("HPACK noise", send(SETTINGS + frame(1, 4, 1, bytes(range(255, 0, -1))))),
    ("HPACK integer without end", send(SETTINGS + frame(1, 4, 1, b"\x7f" + b"\xff" * 200))),
    ("frame of 16 MB", send(SETTINGS + b"\xff\xff\xff\x00\x00\0\0\0\x01" + MEGABYTE)),
    ("endless interim responses", flood(SETTINGS, frame(1, 4, 1, literal(b":status", b"103")) * 100)),
    ("endless body", flood(H2, frame(0, 0, 1, b"x" * 16384))),
    ("drip-fed frame", flood(SETTINGS, b"\0", 0.1)),
    ("no settings", flood(b"", frame(6, 0, 0, b"12345678"), 0.1)),
    ("escapes in server", send(H2[:9] + frame(1, 5, 1, b"\x88" + literal(b"server", b"\xc2\x9b31m\xe2\x80\xaex")))),
    ("line ends in location", send(SETTINGS + frame(1, 5, 1, literal(b":status", b"302") + literal(b"location", b"/a\r\nb\0")))),
    ("escapes in GOAWAY", send(SETTINGS + frame(7, 0, 0, b"\0\0\0\0\0\0\0\x0b" + RAW_ESCAPES), end="fin")),
    ("upper-case header", send(SETTINGS + frame(1, 5, 1, b"\x88" + literal(b"X-\x1b[31m", b"x")))),
    ("HTTP/1 answers", send(b"HTTP/1.1 400 Bad Request\r\n\r\n", end="fin")),
]

RAW_TLS = [
    ("alert without end", flood(b"", b"\x15\x03\x03\0\x02\x01\0")),
    ("warning alerts", flood(b"", b"\x15\x03\x03\0\x02\x01\x70" * 100)),
    ("handshake records without end", flood(b"", RECORD * 100)),
    ("empty records", flood(b"", b"\x16\x03\x03\0\0" * 100)),
    ("record of 64 KB", send(b"\x16\x03\x03\xff\xff" + b"\0" * 65535)),
    ("ServerHello of 16 MB", flood(b"\x16\x03\x03\x40\0\x02\xff\xff\xff" + b"\0" * 16380, b"\x16\x03\x03\x40\0" + b"\0" * 16384)),
    ("certificate of 16 MB", flood(b"\x16\x03\x03\x40\0\x0b\xff\xff\xff" + b"\0" * 16380, b"\x16\x03\x03\x40\0" + b"\0" * 16384)),
    ("half a record", send(b"\x16\x03\x03\x40\0\x02")),
    ("drip-fed record", drip(b"\x16\x03\x03\0\x7a\x02" + b"\0" * 100)),
    ("change cipher specs", flood(b"", b"\x14\x03\x03\0\x01\x01" * 1000)),
    ("application data at once", flood(b"", b"\x17\x03\x03\0\x10" + b"x" * 16)),
    ("HTTP with escapes", send(b"HTTP/1.1 400 \x1b[31m\r\n\r\n", end="fin")),
    ("escapes", send(RAW_ESCAPES * 5, end="fin")),
    ("reset at once", send(end="rst")),
    *((f"closed after {cut} bytes", send(RECORD[:cut], end="fin")) for cut in (0, 1, 4, 5, 6, 9)),
]

OVER_TLS = [
    Row("garbage after the handshake", "https", below_tls(b"garbage" * 100), False, plain, False),
    Row("garbage within the answer", "https", below_tls(b"garbage" * 100, OK), True, plain, False),
    Row("FIN without close_notify", "https", unfinished, True, plain, False),
    Row("answer before the request", "https", send(COMPLETE), False, plain, False),
    Row("endless body over TLS", "https", flood(OK + b"\r\n", MEGABYTE[:65536]), True, plain, False),
    Row("tiny records", "https", flood(OK + b"\r\n", b"x", 0.001), True, plain, False),
    Row("chain of 1,000 certificates", "https", send(COMPLETE), True, context(copies=1000)),
    Row("chain of 1,000 certificates that is not judged", "https", send(COMPLETE), True, context(copies=1000), False),
    Row("certificate of 4,000 names", "https", send(COMPLETE), True, context(sans=[f"host{n}.example.test" for n in range(4000)])),
    Row("escapes in the subject", "https", send(COMPLETE), True, context(ESCAPES)),
    Row("escapes in the names", "https", send(COMPLETE), True, context(sans=["\x1b[31m.test", "a\nb.test", "::error::x", "<b>.test"])),
    Row("markup in the subject", "https", send(COMPLETE), True, context("</td><script>x</script>,CN=y\n::error::z")),
]

TCP = [
    ("endless bytes", flood(b"", MEGABYTE[:65536])),
    ("closed at once", send(end="fin")),
    ("reset at once", send(end="rst")),
    ("escapes", send(RAW_ESCAPES)),
]

TIMES = {"timeout": "1s", "interval": "1s", "healthy_threshold": 1, "unhealthy_threshold": 1}
HTTP_CHECK = {"health_checks": [{**TIMES, "http_health_check": {"path": "/", "receive": [{"text": "00ff"}]}}]}
TCP_CHECK = {"health_checks": [{**TIMES, "tcp_health_check": {"send": {"text": "0d0a0d0a"}, "receive": [{"text": "00ff00"}]}}]}
GRPC_CHECK = {"health_checks": [{**TIMES, "grpc_health_check": {}}]}
WEBSOCKET = {"allow_websockets": True}
GRPC = literal(b"content-type", b"application/grpc") + literal(b"grpc-status", b"2")
SWITCHED = b"HTTP/1.1 101 \x1b[2J\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"

OTHER = [
    Row("health check: endless body", "http", flood(OK + b"\r\n", MEGABYTE[:65536]), keys=HTTP_CHECK),
    Row("health check: endless headers", "http", flood(OK, b"x-a: " + b"y" * 100 + b"\r\n"), keys=HTTP_CHECK),
    Row("health check: drip-fed", "http", drip(OK + b"x: y\r\n" * 100), keys=HTTP_CHECK),
    Row("health check: escapes in the body", "http", send(OK + b"content-length: 60\r\n\r\n" + RAW_ESCAPES * 4), keys=HTTP_CHECK),
    Row("health check: deaf", "http", deaf, keys=HTTP_CHECK),
    Row("health check: endless bytes", "http", flood(RAW_ESCAPES, MEGABYTE[:65536]), keys=TCP_CHECK),
    Row("health check: bytes that nearly match", "http", flood(b"", b"\x00\xff" * 8192), keys=TCP_CHECK),
    Row("gRPC health check: CONTINUATION flood", "h2c", HTTP2[0][1], keys=GRPC_CHECK),
    Row("gRPC health check: escapes in the message", "h2c", send(
        SETTINGS + frame(1, 5, 1, b"\x88" + GRPC + literal(b"grpc-message", b"%1B%5B31m%E2%80%AE%0A::error::x"))), keys=GRPC_CHECK),
    Row("gRPC health check: message of 4 GB", "h2c", flood(
        SETTINGS + frame(1, 4, 1, b"\x88" + literal(b"content-type", b"application/grpc")) + frame(0, 0, 1, b"\0\xff\xff\xff\xff"),
        frame(0, 0, 1, b"x" * 16384)), keys=GRPC_CHECK),
    Row("gRPC health check: varint without end", "h2c", send(
        SETTINGS + frame(1, 4, 1, b"\x88" + literal(b"content-type", b"application/grpc")) + frame(0, 0, 1, b"\0\0\0\0\x14" + b"\xff" * 20)
        + frame(1, 5, 1, literal(b"grpc-status", b"0"))), keys=GRPC_CHECK),
    Row("websocket: switched, then a flood", "http", flood(SWITCHED, b"\x82\x7e\xff\xff" + b"x" * 65535), keys=WEBSOCKET),
    Row("websocket: endless headers", "http", flood(b"HTTP/1.1 101 X\r\n", b"x-a: " + b"y" * 100 + b"\r\n"), keys=WEBSOCKET),
    Row("websocket: refused with an endless body", "http", flood(b"HTTP/1.1 403 X\r\n\r\n", MEGABYTE[:65536]), keys=WEBSOCKET),
    Row("websocket: escapes", "http", send(b"HTTP/1.1 426 \x1b[2J\r\nserver: \xc2\x9b31m\r\ncontent-length: 0\r\n\r\n"), keys=WEBSOCKET),
    Row("a flood after the answer", "http", flood(OK + b"content-length: 0\r\n\r\n", MEGABYTE[:65536])),
    Row("drip-fed after the answer", "http", flood(OK + b"content-length: 0\r\n\r\n", b"x", 0.05)),
    Row("redirects to itself", "http", send(b"HTTP/1.1 302 X\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n")),
    Row("redirect of a megabyte", "http", send(b"HTTP/1.1 302 X\r\nlocation: http://" + b"a" * 70_000 + b"\r\ncontent-length: 0\r\n\r\n")),
    Row("10,000 session tickets", "https", send(COMPLETE), True, context(tickets=10_000), False),
    Row("SSH banner of escapes", "ssh", send(b"SSH-2.0-" + RAW_ESCAPES + b"\r\n"), False),
    Row("endless SSH banner", "ssh", flood(b"SSH-2.0-", b"y" * 4096), False),
]

ROWS = (
    *OTHER,
    *(Row(name, "http", play) for name, play in HTTP1),
    *(Row(name, "h2c", play) for name, play in HTTP2),
    *(Row(name, "https", play, False) for name, play in RAW_TLS),
    *OVER_TLS,
    *(Row(name, "tcp", play, False) for name, play in TCP),
)

BENIGN = (
    Row("fine", "http", send(COMPLETE)),
    Row("fine", "h2c", send(SETTINGS + frame(1, 5, 1, b"\x88"))),
    Row("fine", "https", send(COMPLETE), tls=plain, judged=False),
    Row("fine", "tcp", send(b"hello\r\n"), False),
    Row("fine", "ssh", send(b"SSH-2.0-OpenSSH_9.6\r\n"), False),
)
"""One of each kind that means well, to compare with."""


# -------------------------------------------------------------------------------------------------------- the program


@asynccontextmanager
async def listening(row: Row) -> AsyncIterator[int]:
    """The row's server; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            if row.wait and row.play is not deaf:
                await reader.readuntil(b"\r\n\r\n")
            await row.play(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=row.tls() if row.tls else None)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def main() -> None:
    """Serve until standard input ends."""
    async with AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(listening(row)) for row in (*ROWS, *BENIGN)]
        names = await stack.enter_async_context(dns_server(DNS))
        print(json.dumps({"ports": ports, "resolver": f"udp://127.0.0.1:{names.port}"}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        os._exit(0)  # hundreds of connections in the middle of a flood


if __name__ == "__main__":
    asyncio.run(main())
