"""The runner: every endpoint's outcomes, our own limits said as such, and a report that survives any defect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from factories import cluster, upstream
from pomprobe import runner
from pomprobe.model import Cluster, Discovery, Failure, Outcome, StageName, Status, Timer, Timers
from pomprobe.net.resolv_conf import Machine
from pomprobe.probed import Probed
from pomprobe.runner import Options, Runner
from pomprobe.stages.walk import Walk

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(ANSWER)
    await writer.drain()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[tuple[int, list[int]]]:
    """A server on loopback; gives its port and a list that grows with each connection."""
    connections: list[int] = []

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        try:
            await handler(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], connections
    finally:
        server.close()


def to(port: int, **more: Any) -> Cluster:
    return cluster((upstream(f"http://127.0.0.1:{port}", "127.0.0.1", port),), discovery=Discovery.STATIC, **more)


async def probe(*clusters: Cluster, **options: Any) -> list[Probed]:
    made = Runner(clusters, Options(**options), Machine.read())
    await made.run()
    return made.probed


def outcomes(probed: Probed) -> dict[StageName, Outcome]:
    return {o.stage: o for o in probed.upstreams[0].endpoints[0].outcomes}


async def test_one_connection_walks_all_stages() -> None:
    """One GET on one connection: the socket of the TCP stage carries the request."""
    async with serving(answering) as (port, connections):
        (probed,) = await probe(to(port))
    assert [(StageName.TCP, Status.OK), (StageName.HTTP, Status.OK)] == [(s, o.status) for s, o in outcomes(probed).items()]
    assert 1 == len(connections)


async def test_the_same_request_of_two_routes_is_sent_once() -> None:
    """Work is not done twice: both routes share the outcomes."""
    async with serving(answering) as (port, connections):
        first, second = await probe(to(port), to(port))
    assert 1 == len(connections)
    assert first.upstreams[0].endpoints == second.upstreams[0].endpoints


async def test_samples_are_requests_of_their_own() -> None:
    """--samples 3 sends three."""
    async with serving(answering) as (port, connections):
        (probed,) = await probe(to(port), samples=3)
    assert 3 == len(connections)
    assert 2 == len(probed.upstreams[0].endpoints[0].samples)


async def test_a_stage_that_was_not_reached_is_skipped() -> None:
    """A refused connection leaves HTTP skipped, and says why."""
    async with serving(answering) as (port, _):
        pass
    (probed,) = await probe(to(port))
    found = outcomes(probed)
    assert (Failure.CONNECTION_REFUSED, Status.SKIPPED) == (found[StageName.TCP].failure, found[StageName.HTTP].status)
    assert {"reason": "not reached"} == found[StageName.HTTP].facts


async def test_the_timer_that_fires_first_is_named() -> None:
    """The route's timer is shorter than the idle timer: it is the one."""
    async with serving(silent) as (port, _):
        (probed,) = await probe(to(port, timers=Timers(route=0.1, idle=5.0)))
    http = outcomes(probed)[StageName.HTTP]
    assert (Failure.TIMED_OUT, Timer.ROUTE, False) == (http.failure, http.timer, http.facts["started"])


@pytest.mark.parametrize(("options", "timer"), [({"max_wait": 0.1}, Timer.MAX_WAIT), ({"deadline": 0.1}, Timer.DEADLINE)])
async def test_what_our_caps_cut_off_is_undetermined(options: dict[str, float], timer: Timer) -> None:
    """--max-wait and --deadline say nothing about the upstream."""
    async with serving(silent) as (port, _):
        (probed,) = await probe(to(port), **options)
    http = outcomes(probed)[StageName.HTTP]
    assert (Status.UNDETERMINED, Failure.NOT_KNOWN, timer) == (http.status, http.failure, http.timer)


async def test_stages_that_were_not_asked_for_are_skipped() -> None:
    """--skip http stops after TCP; nothing is sent."""
    async with serving(silent) as (port, _):
        (probed,) = await probe(to(port), stages=(StageName.DNS, StageName.TCP))
    assert {"reason": "not asked for"} == outcomes(probed)[StageName.HTTP].facts


@pytest.mark.parametrize("broken", [StageName.TCP, StageName.HTTP])
async def test_a_defect_in_a_stage_is_a_bug_and_the_report_survives(broken: StageName, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that no stage should raise is an outcome of its own, without its message (which may hold what is secret)."""

    async def defect(walk: Walk) -> dict[str, str]:
        raise ValueError("a secret")

    table = tuple((name, defect if name is broken else stage) for name, stage in runner.CONNECTION)
    monkeypatch.setattr(runner, "CONNECTION", table)
    async with serving(answering) as (port, _):
        (probed,) = await probe(to(port))
    found = outcomes(probed)[broken]
    assert (Status.BUG, Failure.BUG) == (found.status, found.failure)
    assert "a secret" not in repr(found)


async def test_waiting_for_a_slot_is_not_the_upstreams_time() -> None:
    """With one slot for each endpoint the fourth walk waits 1.8 s, and its clock of 2 s starts when it has the slot."""

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.6)
        writer.write(ANSWER)
        await writer.drain()

    async with serving(late) as (port, _):
        made = await probe(*(to(port, timers=Timers(route=2.0 + n / 10)) for n in range(4)), per_host=1)
    assert [Status.OK] * 4 == [outcomes(probed)[StageName.HTTP].status for probed in made]


async def test_walks_that_only_wait_hold_up_no_others() -> None:
    """Ten silent upstreams and a single busy slot: the healthy one behind them is asked long before they time out."""
    answered = anyio.Event()

    async def noted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answering(reader, writer)
        answered.set()

    async with serving(silent) as (port, _), serving(noted) as (good, _), anyio.create_task_group() as group:
        made = Runner([*(to(port, timers=Timers(route=60.0 + n)) for n in range(10)), to(good)], Options(concurrency=1), Machine.read())
        group.start_soon(made.run)
        with anyio.fail_after(30):
            await answered.wait()
        group.cancel_scope.cancel()


async def test_an_idle_connection_that_the_server_closes_is_timed() -> None:
    """--idle-probe: the server hangs up after its answer."""

    async def keeps_for_a_moment(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER.replace(b"connection: close\r\n", b""))
        await writer.drain()

    async with serving(keeps_for_a_moment) as (port, _):
        (probed,) = await probe(to(port), idle_probe=20.0)
    assert "idle_seconds" in outcomes(probed)[StageName.HTTP].facts


async def test_an_interrupted_run_keeps_what_it_knows() -> None:
    """The finished route has its outcomes, the other one is not done."""
    async with serving(silent) as (port, _), serving(answering) as (good, _):
        finished = anyio.Event()
        made = Runner([to(good), to(port)], Options(), Machine.read(), lambda probed: finished.set())
        async with anyio.create_task_group() as group:
            group.start_soon(made.run)
            await finished.wait()
            group.cancel_scope.cancel()
    assert [True, False] == [probed.done for probed in made.probed]
    assert Status.OK == outcomes(made.probed[0])[StageName.HTTP].status
