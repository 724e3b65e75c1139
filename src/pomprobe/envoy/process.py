"""One private Envoy: its own process group, dead when we are dead, gone with its folder when we are done."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio

from .find import Binary, EnvoyError

START = 30.0
"""Seconds that Envoy may take until it is there."""

STOP = 3.0
"""Seconds between asking it to stop and killing it."""

SOON = 0.01
"""Seconds between two looks at whether it has ended, once it was told to."""

EVERY = 0.1
"""Seconds between two looks at whether it still runs."""

LOG = "envoy.log"

TRAMPOLINE = (
    "import ctypes, os, sys; "
    "ctypes.CDLL(None).prctl(1, 9); "  # PR_SET_PDEATHSIG, SIGKILL: survives the exec
    "os.getppid() == int(sys.argv[1]) or sys.exit(1); "
    "os.execv(sys.argv[2], sys.argv[2:])"
)
"""Run between fork and Envoy: a preexec_fn would run Python in a forked copy of a program with threads."""


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder that only this user can read. Short, since a unix socket's path has at most 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="pomprobe-"))
    if len(str(folder)) > 80:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="pomprobe-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def running(binary: Binary, folder: Path, config: Path) -> AsyncIterator[subprocess.Popen[bytes]]:
    """Envoy with this configuration, stopped at the end whatever happens. Must be entered from the main thread."""
    process = _start(binary, folder, config)
    try:
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            await _stop(process)


ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    """A signal ended the work, and nothing of it is left behind."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number.name)
        self.number = number


async def tidily(work: Callable[[], Awaitable[None]]) -> None:
    """Do the work. Raises Interrupted when a signal has ended it; one that is ignored stays so (nohup)."""
    came: list[signal.Signals] = []
    heard = [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    with unwrapped():
        async with anyio.create_task_group() as group:

            async def listen() -> None:
                with anyio.open_signal_receiver(*heard) as signals:
                    async for number in signals:
                        came.append(number)
                        group.cancel_scope.cancel()

            group.start_soon(listen)
            await work()
            group.cancel_scope.cancel()
    for number in came:
        raise Interrupted(number)


@contextmanager
def unwrapped() -> Iterator[None]:
    """Let an EnvoyError out of the groups that task groups put it in."""
    try:
        yield
    except BaseExceptionGroup as group:
        ours, others = group.split(EnvoyError)
        if ours is None or others is not None:
            raise
        error: BaseException = ours
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None


async def watch(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Raise EnvoyError when it ends."""
    while True:
        check(process, folder)
        await anyio.sleep(EVERY)


def check(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Raise EnvoyError, with Envoy's own words, if it has ended."""
    if process.poll() is not None:
        raise EnvoyError(f"Envoy ended with exit code {process.returncode}: {last_words(folder)}")


def last_words(folder: Path) -> str:
    """The end of Envoy's log, without what could repeat its configuration."""
    lines = (folder / LOG).read_text(errors="replace").splitlines()
    told = [line for line in lines if "[critical]" in line or "[error]" in line] or lines[-1:]
    return " / ".join(line.partition("] ")[2] or line for line in told[-3:])[:500]


def _start(binary: Binary, folder: Path, config: Path) -> subprocess.Popen[bytes]:
    arguments = [
        *("-c", str(config), "--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"),
        *("--file-flush-interval-msec", "20", "--drain-time-s", "1", "--parent-shutdown-time-s", "2"),
    ]
    with (folder / LOG).open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", TRAMPOLINE, str(os.getpid()), str(binary.path), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


async def _stop(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
            for _ in range(int(STOP / SOON)):
                if process.poll() is not None:
                    return
                await anyio.sleep(SOON)
