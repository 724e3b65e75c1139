"""HTTP upstreams on loopback that answer with the very bytes a test gives, HTTP/1 or HTTP/2, with TLS or without."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@dataclass(frozen=True)
class Script:
    """What an upstream does on each connection.

    steps: bytes, and pauses in seconds, once the request has come. end: "hold" (keep the connection open and read on), "fin" or "rst".
    first: bytes that are sent when the connection opens. silent: the steps do not wait for the request.
    """

    steps: tuple[bytes | float, ...] = ()
    end: str = "hold"
    first: bytes = b""
    silent: bool = False


def say(*steps: bytes | float, end: str = "hold", first: bytes = b"", silent: bool = False) -> Script:
    return Script(steps, end, first, silent)


@dataclass
class HTTPServer:
    """Where the server is, what came on each connection, and whether a script has been played to its last step."""

    script: Script
    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    played: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, ssl.SSLError):
            try:
                await self._serve(reader, writer)
            finally:
                writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.script.first)
        if not self.script.silent:
            received = b""
            while not _complete(received):
                data = await reader.read(65536)
                if not data:
                    return
                received += data
            self.requests.append(received)
        for step in self.script.steps:
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
            else:
                await asyncio.sleep(step)
        self.played.set()
        if self.script.end == "rst":
            await _reset(writer)
        elif self.script.end == "hold":
            while await reader.read(65536):
                pass


async def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST; what was sent before is still on its way, and gets there first on loopback."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _complete(received: bytes) -> bool:
    """Has the head of a request come, or the HEADERS frame of one?"""
    if not received.startswith(GREETING[:3]):
        return b"\r\n\r\n" in received
    at = len(GREETING)
    while len(received) >= at + 9:
        length = int.from_bytes(received[at : at + 3], "big")
        if received[at + 3] == 1:
            return len(received) >= at + 9 + length
        at += 9 + length
    return False


@asynccontextmanager
async def upstream(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[HTTPServer]:
    """A server on a port of 127.0.0.1, stopped with all its connections at the end."""
    served = HTTPServer(script)
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(served.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
