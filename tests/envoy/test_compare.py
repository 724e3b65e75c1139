"""A real Envoy and our own probes at the same routes, at once."""

from __future__ import annotations

import asyncio

import anyio
import pytest

import pomprobe
from envoy.asking import OK, Handler, saying, silent, upstream
from pomprobe.api import Session
from pomprobe.envoy.compare import Comparison
from pomprobe.envoy.find import Binary
from pomprobe.envoy.reproduce import Options
from pomprobe.envoy.results import agrees

pytestmark = pytest.mark.envoy


async def compared(envoy: Binary, handler: Handler, patience: str) -> list[tuple[bool | None, tuple[int, ...]]]:
    """What is said of a route to this upstream."""
    async with upstream(handler) as port:
        comparison = planned(envoy, [port], patience)
        await comparison.run()
    return said(comparison)


def planned(envoy: Binary, ports: list[int], patience: str) -> Comparison:
    """One with a route to each port."""
    routes = [f"{{from: https://a{port}.example.com, to: 'http://127.0.0.1:{port}', timeout: {patience}}}" for port in ports]
    session = Session(pomprobe.load("config.yaml", text=f"routes: [{', '.join(routes)}]".encode()))
    return Comparison(session, Options(envoy, requests=1))


def said(comparison: Comparison) -> list[tuple[bool | None, tuple[int, ...]]]:
    """Whether they agree on each route, and the statuses that Envoy answered."""
    return [(agrees(seen, told.forecast), tuple(reply.status for reply, _ in seen.entries)) for seen, told in comparison.pairs()]


async def test_both_at_once(envoy: Binary) -> None:
    """An upstream that answers once both have asked: a hanging one takes its timeout once, not twice."""
    here = anyio.Event()
    asked = 0

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await reader.readuntil(b"\r\n\r\n")
        asked += 1
        if asked == 2:
            here.set()
        await here.wait()
        writer.write(OK)

    assert [(True, (200,))] == await compared(envoy, meet, "30s")
    assert 2 == asked


async def test_one_after_the_other_where_they_do_not_agree(envoy: Binary) -> None:
    """An upstream that has no time for two at once fails one of them, and is asked again by each alone."""
    busy = False
    refused = 0

    async def single(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal busy, refused
        await reader.readuntil(b"\r\n\r\n")
        if busy:
            refused += 1
            writer.write(OK.replace(b"200 OK", b"503 Busy"))
            return
        busy = True
        try:
            with anyio.move_on_after(2 if refused else 30):  # until the other one comes
                while not refused:  # noqa: ASYNC110
                    await anyio.sleep(0.01)
            writer.write(OK)
        finally:
            busy = False

    assert [(True, (200,))] == await compared(envoy, single, "60s")
    assert 1 == refused


async def test_what_is_known_when_it_is_ended(envoy: Binary) -> None:
    """The route that Envoy has answered keeps its answer, and the other one says why it has none."""
    async with upstream(saying(OK)) as fine, upstream(silent) as mute, anyio.create_task_group() as group:
        comparison = planned(envoy, [fine, mute], "60s")
        group.start_soon(comparison.run)
        while not said(comparison)[0][1]:  # noqa: ASYNC110
            await anyio.sleep(0.02)
        group.cancel_scope.cancel()
    assert [(True, (200,)), (None, ())] == said(comparison)
    assert ["", "the run ended before Envoy had answered"] == [seen.skipped for seen, _ in comparison.pairs()]
