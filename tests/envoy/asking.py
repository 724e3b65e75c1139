"""What the tests of this folder share: upstreams of a few lines, and routes put through a real Envoy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from pomprobe.envoy.find import Binary
from pomprobe.envoy.reproduce import Options, Reproducer
from pomprobe.envoy.results import Reproduction
from pomprobe.model import Config, Route, Settings
from pomprobe.plan import plan
from pomprobe.system_ca import read_bundle

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

DEFAULTS = Settings()
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"


async def ask_envoy(
    envoy: Binary, *routes: Route, settings: Settings = DEFAULTS, requests: int = 1, patience: float = 20, enough: int | None = None
) -> list[Reproduction]:
    """Each route's answers; indices are given to the routes in their order."""
    config = Config("config.yaml", routes, settings)
    chosen = list(zip(routes, plan(config, read_bundle()), strict=True))
    asked = Reproducer(config, chosen, Options(envoy, requests, patience, enough))
    await asked.run()
    return list(asked.seen())


def answers(found: Reproduction) -> list[tuple[int, str, str]]:
    """Status, flags and details of each answer, most frequent first."""
    return [(s.reply.status, s.reply.response_flags, s.reply.response_code_details) for s in found.shares]


@asynccontextmanager
async def upstream(handler: Handler, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """A TCP server; gives its port."""
    writers: set[asyncio.StreamWriter] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        try:
            await handler(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, host, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)


def saying(answer: bytes, heads: list[bytes] | None = None) -> Handler:
    """A handler that reads a request's head, keeps it, sends these bytes and closes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if heads is not None:
            heads.append(head)
        writer.write(answer)
        await writer.drain()

    return handle


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A handler that reads and never answers."""
    while await reader.read(65536):
        pass
