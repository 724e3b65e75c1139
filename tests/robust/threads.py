"""Servers of asyncio in a thread of their own, for tests of programs that keep the main thread to themselves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def served(*makers: Callable[[], AbstractAsyncContextManager[T]]) -> Iterator[list[T]]:
    """What the context managers give, entered in a loop of their own, and left when the block ends."""
    ready, given, broke = threading.Event(), list[T](), list[BaseException]()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def hold() -> None:
        try:
            async with AsyncExitStack() as stack:
                for maker in makers:
                    given.append(await stack.enter_async_context(maker()))
                ready.set()
                await stop.wait()
        except BaseException as error:
            broke.append(error)
            raise
        finally:
            ready.set()

    def work() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(hold())

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    try:
        if broke:
            raise broke[0]
        yield given
    finally:
        if not broke:
            loop.call_soon_threadsafe(stop.set)
        thread.join()


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]


class Ports(list[int]):
    """Ports of servers, and how many connections they have taken so far."""

    taken = 0


@asynccontextmanager
async def silent(count: int = 1) -> AsyncIterator[Ports]:
    """Servers that take connections and never say a word."""
    ports = Ports()
    writers: list[asyncio.StreamWriter] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        ports.taken += 1
        try:
            while await reader.read(65536):
                pass
        except ConnectionError:
            pass
        finally:
            writer.close()

    servers = [await asyncio.start_server(take, "127.0.0.1", 0) for _ in range(count)]
    before = {asyncio.current_task()}
    ports.extend(server.sockets[0].getsockname()[1] for server in servers)
    try:
        yield ports
    finally:
        for server in servers:
            server.close()
        for writer in writers:
            writer.transport.abort()
        tasks = asyncio.all_tasks() - before
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
