"""One private Envoy: its own process group, dead when we are dead, gone with its folder when we are done."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import BinaryIO

import anyio

from ..signals import heeded, received
from .find import Binary, EnvoyError

START = 30.0
"""Seconds that Envoy may take until it is there."""

STOP = 3.0
"""Seconds between asking it to stop and killing it."""

SOON = 0.01
"""Seconds between two looks at whether it has ended, once it was told to."""

EVERY = 0.1
"""Seconds between two looks at whether it still runs."""

ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "TMPDIR", "LANG", "LC_ALL")
"""Variables that Envoy gets; ours may hold secrets: those of Pomerium, and the password of the mail server."""

LOG = "envoy.log"

FRAME = re.compile(r"/backtrace\.h:|\] #\d+|stacktrace for")
"""Lines of Envoy's log that show where in its own code it broke."""

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
        try:
            with anyio.CancelScope(shield=True):
                await _stop(process)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


async def tidily(work: Callable[[], Awaitable[None]]) -> signal.Signals | None:
    """Do the work. Returns the signal that has ended it, and nothing is left behind; one that is ignored stays so (nohup)."""
    came: list[signal.Signals] = []
    with unwrapped(), received(heeded()) as signals:  # before anything is there that could be left behind
        async with anyio.create_task_group() as group:

            async def listen() -> None:
                async for number in signals:
                    came.append(number)
                    group.cancel_scope.cancel()

            group.start_soon(listen)
            await work()
            group.cancel_scope.cancel()
    return came[0] if came else None


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


async def output(command: Sequence[str], file: Path) -> tuple[int, str]:
    """Run a command to its end: its exit code, and what it says, which stands in a file of ours meanwhile. Killed when we are cancelled.

    asyncio's own subprocesses need a thread each until Python 3.12, and tell of a child that outlives their loop on standard error.
    """
    with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "r+b") as out:
        os.unlink(file)
        process = _started(command, out)
        try:
            while process.poll() is None:  # noqa: ASYNC110 (without a thread there is nothing to wait for)
                await anyio.sleep(SOON)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        out.seek(0)
        return process.returncode, out.read().decode(errors="replace")


async def watch(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Raise EnvoyError when it ends."""
    while True:
        check(process, folder)
        await anyio.sleep(EVERY)


def check(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Raise EnvoyError, with Envoy's own words, if it has ended."""
    if process.poll() is not None:
        code = process.returncode
        raise EnvoyError(f"Envoy ended with {f'exit code {code}' if code >= 0 else f'signal {-code}'}: {last_words(folder)}")


def last_words(folder: Path) -> str:
    """The end of Envoy's log, without what could repeat its configuration."""
    lines = [line for line in (folder / LOG).read_text(errors="replace").splitlines() if not FRAME.search(line)]
    told = [line for line in lines if "[critical]" in line or "[error]" in line] or lines[-1:]
    return " / ".join(line.partition("] ")[2] or line for line in told[-3:])[:500]


def _start(binary: Binary, folder: Path, config: Path) -> subprocess.Popen[bytes]:
    arguments = [
        *("-c", str(config), "--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"),
        *("--file-flush-interval-msec", "20", "--drain-time-s", "1", "--parent-shutdown-time-s", "2"),
    ]
    trampoline = [sys.executable, "-I", "-S", "-c", TRAMPOLINE, str(os.getpid())]
    with (folder / LOG).open("wb") as log:
        return _started([*trampoline, str(binary.path), *arguments], log)


def _started(command: Sequence[str], out: BinaryIO) -> subprocess.Popen[bytes]:
    needed = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, env=needed)


async def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to stop, and give it time."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    for _ in range(int(STOP / SOON)):
        if process.poll() is not None:
            return
        await anyio.sleep(SOON)
