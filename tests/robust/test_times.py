"""True times: what is measured is the upstream's, and what is our own lateness is blamed on nobody."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from pomprobe import limits
from pomprobe.limits import Lag
from pomprobe.model import Failure, StageFailed, StageName, Status, Timer
from pomprobe.stages.walk import Clock
from pomprobe.timed import timed
from robust.hostile import context
from robust.running import COMMAND, environment
from robust.threads import served
from servers.dns import dns_server

PAUSE = 0.2
"""Seconds that the servers of these tests take, by their own clock."""

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


Play = Callable[["Upstream", asyncio.StreamReader, asyncio.StreamWriter], Any]


class Upstream:
    """A server with a clock of its own. took: seconds between request and answer; came: how many connections."""

    def __init__(self, play: Play, tls: ssl.SSLContext | None = None) -> None:
        self.play, self.tls = play, tls
        self.took: list[float] = []
        self.came = 0
        self.port = 0

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Upstream]:
        writers: list[asyncio.StreamWriter] = []

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            self.came += 1
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self.play(self, reader, writer)

        server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=self.tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in writers:
                writer.transport.abort()
            await asyncio.sleep(0.05)


async def slow(self: Upstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    began = time.monotonic()
    await asyncio.sleep(PAUSE)
    writer.write(OK)
    self.took.append(time.monotonic() - began)
    await reader.read()


async def mute(self: Upstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(65536):
        pass


async def strict(self: Upstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hangs up after three seconds without an answer."""
    with suppress(TimeoutError):
        await asyncio.wait_for(mute(self, reader, writer), 3)
    writer.close()


async def late(self: Upstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(3)
    writer.write(OK)
    await reader.read()


def check(path: Path, routes: list[dict[str, Any]], **more: Any) -> list[str]:
    path.write_text(yaml.safe_dump({**more, "routes": routes}))
    return [*COMMAND, "check", "-o", "json", str(path)]


def to(name: str, port: int, scheme: str = "http", **more: Any) -> dict[str, Any]:
    return {"name": name, "from": f"https://{name}.example.com", "to": f"{scheme}://127.0.0.1:{port}", **more}


def outcomes(route: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """stage -> its outcome, of a route with one upstream and one endpoint."""
    (upstream,) = route["upstreams"]
    return {o["stage"]: o for o in [*upstream["outcomes"], *(o for e in upstream["endpoints"] for o in e["outcomes"])]}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_times_of_a_lone_upstream_are_its_own(scheme: str, tmp_path: Path) -> None:
    """Within ten per cent of the server's clock, in the best of some runs: what was ours is a constant, what the machine did is not."""
    upstream = Upstream(slow, context()() if scheme == "https" else None)
    errors, shaking = [], []
    with served(upstream.serve):
        command = check(tmp_path / "c.yaml", [to("a", upstream.port, scheme, tls_skip_verify=True)])
        for _ in range(5):
            done = subprocess.run(command, capture_output=True, env=environment(), timeout=60, check=False)
            seen = outcomes(json.loads(done.stdout)["routes"][0])
            errors.append(abs(seen["http"]["elapsed"] - upstream.took[-1]))
            shaking.append(seen["tls"]["elapsed"] if "tls" in seen else 0.0)
    assert min(errors) <= PAUSE / 10
    assert min(shaking) <= 0.02  # a handshake on loopback; reading the CA bundle takes longer, and is not the upstream's


class Stopped:
    """The program, stopped for some seconds in the middle of its run."""

    def __init__(self, command: list[str], ready: Callable[[], bool], seconds: float) -> None:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment())
        try:
            while process.poll() is None and not ready():
                time.sleep(0.01)
            time.sleep(0.3)
            process.send_signal(signal.SIGSTOP)
            time.sleep(seconds)
            process.send_signal(signal.SIGCONT)
            out, _ = process.communicate(timeout=60)
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
        self.routes = {route["name"]: route for route in json.loads(out)["routes"]}


@pytest.mark.slow
def test_a_process_that_was_stopped_blames_nobody(tmp_path: Path) -> None:
    """SIGSTOP for twelve seconds: no timer, no hang-up and no slow answer of that time is an upstream's."""
    plays = {"mute": mute, "shake": mute, "strict": strict, "late": late, "sick": mute}
    upstreams = {name: Upstream(play) for name, play in plays.items()}
    sick = {"timeout": "5s", "interval": "5s", "healthy_threshold": 1, "unhealthy_threshold": 1, "http_health_check": {"path": "/"}}
    with served(*(one.serve for one in upstreams.values())), served(lambda: dns_server({"a.test": "DROP"})) as (names,):
        routes = [to(name, one.port, "https" if name == "shake" else "http", timeout="10s") for name, one in upstreams.items()]
        routes[-1]["health_checks"] = [sick]
        routes += [to("strict30", upstreams["strict"].port), to("late14", upstreams["late"].port, timeout="14s")]
        routes.append({**to("name", 1), "to": "http://a.test:1"})
        command = check(
            tmp_path / "c.yaml", routes, dns_resolvers=[f"udp://127.0.0.1:{names.port}"], dns_query_timeout="2s", dns_query_tries=1
        )  # fmt: skip
        stopped = Stopped(command, lambda: all(one.came for one in upstreams.values()), 12)
    for name, route in stopped.routes.items():
        assert [] == [reply for reply in route["forecast"] if reply["response_flags"] != "-"], (name, route)
        assert {"ok", "undetermined"} >= {route["status"]}, (name, route["verdicts"])
        told = outcomes(route)
        measured = told["dns"] if name == "name" else told["tls"] if name == "shake" else told["http"]
        assert measured["facts"]["late"] > 10, (name, measured)


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Other processes that take all the time they get."""
    burners = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(count)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


@pytest.mark.slow
def test_on_a_busy_machine_fast_upstreams_stay_well(tmp_path: Path) -> None:
    """A low priority beside as many burners as there are processors, and timeouts of half a second: right or undetermined."""

    async def quick(self: Upstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await reader.read()

    upstream = Upstream(quick)
    with ExitStack() as stack:
        stack.enter_context(served(upstream.serve))
        routes = [to(f"r{number}", upstream.port, prefix=f"/{number}", timeout="500ms") for number in range(60)]
        command = check(tmp_path / "c.yaml", [{**route, "prefix_rewrite": f"/{n}"} for n, route in enumerate(routes)])
        stack.enter_context(busy(os.cpu_count() or 1))
        done = subprocess.run(["nice", "-n", "10", *command], capture_output=True, env=environment(), timeout=110, check=False)
    told = json.loads(done.stdout)["routes"]
    assert {"ok", "undetermined"} >= {route["status"] for route in told}


async def test_a_machine_that_slept_blames_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A suspended laptop: the monotonic clock stood still, and a server hung up meanwhile."""
    asleep = 0.0
    real = limits.awake
    monkeypatch.setattr(limits, "awake", lambda: real() + asleep)
    lag, clock = Lag(), Clock()
    lag.expect(limits.TICK)

    async def stage() -> dict[str, Any]:
        nonlocal asleep
        asleep = 3600.0
        raise StageFailed(Failure.CLOSED)

    outcome = await timed(StageName.HTTP, stage, clock, None, {}, lag)
    assert (Status.UNDETERMINED, Failure.NOT_KNOWN) == (outcome.status, outcome.failure)
    assert "3600" in str(outcome.facts["limit"])


@pytest.mark.parametrize(
    ("seconds", "late", "status"),
    [
        (10, 0.4, Status.FAILING), (10, 0.6, Status.UNDETERMINED), (0.4, 0.2, Status.UNDETERMINED),
        (300, 5, Status.FAILING), (300, 7, Status.UNDETERMINED),
    ],
)  # fmt: skip
async def test_how_late_is_too_late(seconds: float, late: float, status: Status) -> None:
    """Half a second, a quarter of a short timer, a fiftieth of a long one, since the clock runs: also in a stage before."""
    lag, clock = Lag(), Clock()
    clock.arm(Timer.CONNECT, seconds)
    lag.saw(late)
    clock.arm(Timer.CONNECT, 0.0)
    clock._lengths[Timer.CONNECT] = seconds

    async def stage() -> dict[str, Any]:
        await asyncio.sleep(10)
        return {}

    outcome = await timed(StageName.TLS, stage, clock, None, {}, lag)
    assert status is outcome.status


@pytest.mark.parametrize(
    ("timer", "more", "status"),
    [
        (Timer.ROUTE, False, Status.UNDETERMINED),
        (Timer.IDLE, False, Status.UNDETERMINED),
        (Timer.IDLE, True, Status.UNDETERMINED),
        (Timer.ROUTE, True, Status.FAILING),
        (Timer.MAX_WAIT, False, Status.OK),
    ],
)
async def test_what_came_while_a_timer_ended_unseen(timer: Timer, more: bool, status: Status) -> None:
    """The loop stood still: an answer lies there, and the timer is over. Which was first is not known.

    It does not matter for a cap of ours, nor for a piece of an answer that is not whole before the route's timer in any case.
    """
    lag, clock = Lag(), Clock()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)

        def stall() -> None:
            time.sleep(0.3)
            theirs.send(b"x")

        async def stage() -> dict[str, Any]:
            loop = asyncio.get_running_loop()
            loop.call_soon(stall)
            await loop.sock_recv(ours, 1)
            clock.activity()
            if more:
                await loop.sock_recv(ours, 1)
            return {"status": 200}

        if status is not Status.FAILING:  # else nobody was late
            lag.expect(limits.TICK)
        clock.arm(Timer.CONNECT, 10.0)
        clock.arm(timer, 0.2)
        outcome = await timed(StageName.HTTP, stage, clock, None, {}, lag)
    assert status is outcome.status
    if status is Status.FAILING:
        assert timer is outcome.timer
    if status is Status.UNDETERMINED:
        assert timer is outcome.timer
        assert "our own congestion" in str(outcome.facts["limit"])


def test_the_longest_delay_since_a_moment() -> None:
    """What came before does not count, and neither does what nobody would notice."""
    lag = Lag()
    began = time.monotonic()
    for delay in (0.3, 0.1, 0.2, 0.001):
        lag.saw(delay)
    assert 0.3 == lag.worst(began)
    between = lag._at[-1]
    assert 0.2 == lag.worst(between)
    assert 0.0 == lag.worst(time.monotonic() + 1)
