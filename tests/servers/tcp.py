"""Ports and unix sockets of every kind: refused, silent, closing at once, resetting, or saying a few bytes."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
RESET = struct.pack("ii", 1, 0)


@contextmanager
def refused_port() -> Iterator[int]:
    """A port of 127.0.0.1 on which nothing listens, and which nobody else gets meanwhile."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


@contextmanager
def silent_port() -> Iterator[int]:
    """A port whose queue is full, so that the kernel drops every further SYN."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for sock in waiting:
            sock.close()


@contextmanager
def stale_unix_socket(folder: Path) -> Iterator[Path]:
    """The file of a unix socket on which nobody listens."""
    path = folder / "stale.sock"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
        yield path


@asynccontextmanager
async def listening(handler: Handler, tls: ssl.SSLContext | None = None, unix: Path | None = None) -> AsyncIterator[int]:
    """A server on a port of 127.0.0.1, or a unix socket; at the end it is stopped with all its connections."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, ssl.SSLError):
            try:
                await handler(reader, writer)
            finally:
                writer.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    if unix:
        server = await asyncio.start_unix_server(connected, unix, ssl=tls)
    else:
        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    try:
        yield 0 if unix else server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def says(data: bytes) -> Handler:
    """Says this as soon as the connection opens, and then listens."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await hold(reader, writer)

    return handle


def answers(data: bytes | Callable[[bytes], bytes], end: str = "fin") -> Handler:
    """Reads once, answers with these bytes (or what the function makes of what came), then "fin", "rst" or "hold"."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came = await reader.read(65536)
        writer.write(data(came) if callable(data) else data)
        await writer.drain()
        if end == "rst":
            await reset(reader, writer)
        elif end == "hold":
            await hold(reader, writer)

    return handle


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads on and on."""
    while await reader.read(65536):
        pass


async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Closes at once."""


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Closes with RST."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
