"""A large run on more than one processor: the clusters are dealt out to forks of this process, each with a Runner of its own.

A fork has read the config already, and what it has learned comes back over a pipe as it learns it. Limits hold as with one Runner:
what meets at one address, or asks for one name, is one fork's.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
from collections.abc import Hashable, Iterable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import anyio

from .defects import place_of
from .model import Cluster, Discovery, Upstream, UpstreamOutcomes
from .net.resolv_conf import Machine
from .probed import Observer, unprobed
from .record import replace
from .runner import Options, Runner

MOST = 8
"""Processes at most: the one that collects is busy then."""

BATCH = 0.02
"""Seconds between two reports of a fork, so that one message tells of many clusters."""

GRACE = 3.0
"""Seconds in which a fork that was told to stop has said what it knows."""

LOST = "a process of pomprobe ended early"


def processors(quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """The processors that this process may use: by its affinity, and by the quota of its control group (cgroup v2), as in a container."""
    allowed = len(os.sched_getaffinity(0))
    try:
        time, period = map(int, quota.read_text().split())
    except (OSError, ValueError):  # no such file, or "max 100000"
        return allowed
    return max(1, min(allowed, time // period))


class Fleet:
    """One run over some clusters, to be used as a Runner; processes: at most so many.

    It forks at once, so no event loop may run yet. Raises OSError where the machine has no room for another process.
    """

    def __init__(
        self,
        clusters: Sequence[Cluster],
        options: Options,
        machine: Machine,
        observer: Observer | None = None,
        processes: int | None = None,
    ) -> None:
        self.probed = unprobed(clusters)
        self._observer = observer
        shares = deal(clusters, min(processes or processors(), options.concurrency, MOST))
        ours = replace(options, concurrency=max(1, options.concurrency // len(shares)))
        self._forks: list[_Fork] = []
        anyio.run(anyio.sleep, 0)  # loads what every fork would load by itself
        gc.freeze()  # pages that the forks share with us stay shared
        try:
            for share in shares:
                self._forks.append(_Fork(share, [clusters[index] for index in share], ours, machine, self._forks))
        except OSError:
            self._end()
            raise

    async def run(self) -> None:
        """Wait for every fork. Where it is cancelled, each fork still says what it knows by then."""
        try:
            async with anyio.create_task_group() as group:
                for fork in self._forks:
                    group.start_soon(self._listen, fork)
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(GRACE, shield=True):
                async with anyio.create_task_group() as group:
                    for fork in self._forks:
                        fork.stop()
                        group.start_soon(self._listen, fork)
            raise
        finally:
            self._end()

    def _end(self) -> None:
        for fork in self._forks:
            fork.end()

    async def _listen(self, fork: _Fork) -> None:
        """Take in what a fork says, to the end."""
        lost = LOST
        while (message := await fork.hear()) is not None:
            if isinstance(message, str):  # where it broke
                lost = f"a defect of pomprobe ({message})"
                continue
            for position, told, done in message:
                probed = self.probed[fork.share[position]]
                probed.upstreams = [UpstreamOutcomes(one.upstream, *seen) for one, seen in zip(probed.upstreams, told, strict=True)]
                probed.done = done
                if done and self._observer:
                    self._observer(probed)
        if not fork.finished and not fork.stopping:
            for index in fork.share:
                if not self.probed[index].done:
                    self.probed[index].limit = lost


class _Fork:
    """A process that probes a share of the clusters, seen from the one that made it."""

    def __init__(self, share: Sequence[int], clusters: Sequence[Cluster], options: Options, machine: Machine, others: list[_Fork]) -> None:
        context = multiprocessing.get_context("fork")  # it has the clusters already: nothing to send
        self.share = share
        self.finished = False
        self.stopping = False
        self._ours, theirs = context.Pipe()
        elsewhere = [other._ours for other in others] + [self._ours]
        self._process: BaseProcess = context.Process(target=_probe, args=(clusters, options, machine, theirs, elsewhere), daemon=True)
        self._process.start()
        theirs.close()

    async def hear(self) -> Any:
        """The next message; None when there is none to come."""
        if self._ours.closed:
            return None
        try:
            await anyio.wait_readable(self._ours.fileno())
            message = self._ours.recv()
        except (EOFError, OSError):  # it ended, or was ended, before its time
            return None
        self.finished = message is None
        return message

    def stop(self) -> None:
        """Ask for what is known by now."""
        self.stopping = True
        with contextlib.suppress(OSError):  # it may be gone
            self._ours.send(None)

    def end(self) -> None:
        """Leave nothing behind."""
        if not self.finished:
            self._process.kill()
        self._process.join()
        self._ours.close()


def _probe(clusters: Sequence[Cluster], options: Options, machine: Machine, pipe: Connection, elsewhere: Iterable[Connection]) -> None:
    """A fork's whole life. It ends when the other end of its pipe says so, or is gone; signals are its parent's to handle."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for connection in elsewhere:
        connection.close()
    news: list[int] = []
    where = {id(cluster): position for position, cluster in enumerate(clusters)}
    runner = Runner(clusters, options, machine, lambda probed: news.append(where[id(probed.cluster)]))

    def tell(positions: Iterable[int]) -> None:  # what was found at each upstream: the upstream itself is known there
        found = [(at, runner.probed[at]) for at in positions]
        pipe.send([(at, [(one.outcomes, one.endpoints) for one in probed.upstreams], probed.done) for at, probed in found])

    async def work() -> None:
        async with anyio.create_task_group() as group:

            async def report() -> None:
                while True:
                    await anyio.sleep(BATCH)
                    if news:
                        told = news.copy()
                        news.clear()
                        tell(told)

            async def listen() -> None:
                await anyio.wait_readable(pipe.fileno())
                group.cancel_scope.cancel()

            group.start_soon(report)
            group.start_soon(listen)
            await runner.run()
            group.cancel_scope.cancel()

    try:
        anyio.run(work)
        tell([*news, *(at for at, probed in enumerate(runner.probed) if not probed.done)])
        pipe.send(None)
    except OSError:  # nobody listens any more
        pass
    except Exception as defect:
        with contextlib.suppress(OSError):
            pipe.send(place_of(defect))
    os._exit(0)  # what the standard streams have in their buffers is the parent's to write, whose threads may hold their locks


def deal(clusters: Sequence[Cluster], shares: int) -> list[list[int]]:
    """The clusters' numbers in at most so many shares of about the same size; what has to stay together does (union-find)."""
    leader = list(range(len(clusters)))

    def lead(index: int) -> int:
        while leader[index] != index:
            leader[index] = leader[leader[index]]
            index = leader[index]
        return index

    first: dict[Hashable, int] = {}
    for index, cluster in enumerate(clusters):
        for upstream in cluster.upstreams:
            leader[lead(index)] = lead(first.setdefault(_place(cluster, upstream), index))
    groups: dict[int, list[int]] = {}
    for index in range(len(clusters)):
        groups.setdefault(lead(index), []).append(index)
    dealt: list[list[int]] = [[] for _ in range(shares)]
    for group in sorted(groups.values(), key=len, reverse=True):
        min(dealt, key=len).extend(group)
    return [sorted(share) for share in dealt if share]


def _place(cluster: Cluster, upstream: Upstream) -> Hashable:
    """What two upstreams of one fork have in common: an address and port, or a name that is to be asked for once."""
    if upstream.scheme.endswith("unix"):
        return upstream.path
    if cluster.discovery is Discovery.STATIC or upstream.host == "localhost":
        return upstream.host, upstream.port
    return upstream.host
