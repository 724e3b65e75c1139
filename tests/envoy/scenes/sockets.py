"""Ports on which nobody answers, and servers whose every connection is closed at the end."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from servers.dns import ROUNDS

from .http1 import Handler


@asynccontextmanager
async def listening(
    handle: Handler, context: ssl.SSLContext | None = None, host: str = "127.0.0.1", path: Path | None = None
) -> AsyncIterator[int]:
    """Serve until the block ends; every connection is closed then."""
    tasks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks[task] = writer
        try:
            await handle(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # the end of a connection, or of the scene
        finally:
            del tasks[task]
            writer.close()

    reserved = ExitStack()
    if path is not None:
        server = await asyncio.start_unix_server(accept, path, ssl=context)
    else:  # one on ::1 alone is one that nobody, of another scene either, answers for on 127.0.0.1
        port = reserved.enter_context(closed_port()) if host == "::1" else 0
        server = await asyncio.start_server(accept, host, port, ssl=context, limit=1 << 20)
    try:
        yield server.sockets[0].getsockname()[1] if path is None else 0
    finally:
        reserved.close()
        server.close()
        for _ in range(ROUNDS):
            await asyncio.sleep(0)
        left = list(tasks.items())
        for task, writer in left:
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*(task for task, _ in left), return_exceptions=True)


@contextmanager
def closed_port() -> Iterator[int]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@contextmanager
def full_backlog() -> Iterator[int]:
    """A listener whose backlog is full: the kernel drops every further SYN."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
            waiting.append(one)
        try:
            yield listener.getsockname()[1]
        finally:
            for one in waiting:
                one.close()
