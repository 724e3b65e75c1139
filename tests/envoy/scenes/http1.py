"""Upstreams of a few lines on raw connections and over HTTP/1."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import Awaitable, Callable
from contextlib import suppress

Handler = Callable[[Reader, Writer], Awaitable[None]]
Request = tuple[str, dict[str, str]]
"""Path and headers (lower-case names)."""

Answer = Callable[[Reader, Writer, Request], Awaitable[bool]]
"""Answers one request; False ends the connection."""

RST = struct.pack("ii", 1, 0)
FOREVER = 3600.0


def reset(writer: Writer) -> None:
    """Close with a RST."""
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
    writer.transport.abort()


async def read_request(reader: Reader) -> Request:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    if " " not in lines[0]:
        raise ConnectionError("no request")  # the end of HTTP/2's preface
    headers = dict(re.split(r":\s*", line, maxsplit=1) for line in lines[1:] if ":" in line)
    return lines[0].split(" ")[1], {name.lower(): value for name, value in headers.items()}


def serving(answer: Answer) -> Handler:
    """A server that answers request after request in this way."""

    async def handle(reader: Reader, writer: Writer) -> None:
        while await answer(reader, writer, await read_request(reader)):
            pass

    return handle


def plain(status: int, *headers: str, body: bytes = b"ok") -> bytes:
    lines = [f"HTTP/1.1 {status} X", *headers, f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def writes(data: bytes, then: str = "keeps", after: float = 0.0, before: float = 0.0) -> Answer:
    """Writes, and then keeps the connection, closes it, resets it or stays silent for ever."""

    async def answer(reader: Reader, writer: Writer, request: Request) -> bool:
        await asyncio.sleep(before)
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(after)
        if then == "resets":
            await asyncio.sleep(0.05)
            reset(writer)
        elif then == "silent":
            await asyncio.sleep(FOREVER)
        return then == "keeps"

    return answer


def drips(head: bytes, piece: bytes, times: int, interval: float) -> Answer:
    """The head, then pieces one by one; the end of a chunked body is sent, too."""

    async def answer(reader: Reader, writer: Writer, request: Request) -> bool:
        writer.write(head)
        for _ in range(times):
            await asyncio.sleep(interval)
            writer.write(piece)
            await writer.drain()
        if b"chunked" in head:
            writer.write(b"0\r\n\r\n")
        return False

    return answer


def bytewise(data: bytes, interval: float) -> Answer:
    """One byte at a time."""

    async def answer(reader: Reader, writer: Writer, request: Request) -> bool:
        for at in range(len(data)):
            writer.write(data[at : at + 1])
            await writer.drain()
            await asyncio.sleep(interval)
        return True

    return answer


def health(check: Answer, other: Answer) -> Answer:
    """One answer for Envoy's health checks, another one for everybody else; a probe's check asks for the same path."""

    async def answer(reader: Reader, writer: Writer, request: Request) -> bool:
        return await (check if request[0] == "/healthz" else other)(reader, writer, request)

    return answer


def raw(data: bytes = b"", then: str = "closes", *, reads: bool = True) -> Handler:
    """Reads the first bytes (or nothing), writes, and then closes, resets, stays silent or reads on."""

    async def handle(reader: Reader, writer: Writer) -> None:
        if reads:
            await reader.read(65536)
        writer.write(data)
        if data:
            await writer.drain()
        if then == "resets":
            reset(writer)
        elif then == "silent":
            await asyncio.sleep(FOREVER)
        elif then == "reads":
            while await reader.read(65536):
                pass

    return handle


def ping_pong() -> Handler:
    """PONG to PING, HTTP to anything else."""

    async def handle(reader: Reader, writer: Writer) -> None:
        while data := await reader.read(65536):
            writer.write(b"PONG\r\n" if data.startswith(b"PING") else plain(200))
            await writer.drain()

    return handle
