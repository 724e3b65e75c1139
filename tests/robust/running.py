"""Run the program: in this process for what it prints, as a process of its own for what signals and limits do to it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from pomprobe.cli import main
from pomprobe.envoy.find import EnvoyError, find


@dataclass(frozen=True)
class Ran:
    """How a run ended, and everything that it printed."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return f"{self.out}\n{self.err}"


def run(*args: str, stdin: bytes = b"") -> Ran:
    """The command line, within this process."""
    out, err = _utf8(), _utf8()
    before = sys.argv, sys.stdin
    sys.argv, sys.stdin = ["pomprobe", *args], io.TextIOWrapper(io.BytesIO(stdin))
    code = 0
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as exit:
        code = exit.code if isinstance(exit.code, int) else 1 if exit.code else 0
    finally:
        sys.argv, sys.stdin = before
    return Ran(code, _text(out), _text(err))


def _utf8() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    raw = stream.buffer
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode()



def _has_envoy() -> bool:
    try:
        find()
    except EnvoyError:
        return False
    return True


needs_envoy = pytest.mark.skipif(not _has_envoy(), reason="no Envoy here")

COMMAND = (sys.executable, "-m", "pomprobe")


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a process of its own: without what could change how it prints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("POMPROBE_", "PYTEST", "PYTHONUNBUFFERED"))}
    return {**kept, "PYTHONUTF8": "1", **(more or {})}


def spawn(*args: str, before: Sequence[str] = (), env: Mapping[str, str] | None = None, seconds: float = 60) -> Ran:
    """The program as a process of its own. before: a command that starts it (prlimit, setpriv …)."""
    done = subprocess.run([*before, *COMMAND, *args], capture_output=True, env=environment(env), timeout=seconds, check=False)
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


@dataclass(frozen=True)
class Used:
    """How a run ended, and what it took: kilobytes at most, seconds of processor time as a user."""

    code: int
    memory: int
    seconds: float


LAUNCHER = """
import os, sys
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(child, 0)
os.write(int(sys.argv[1]), f"{os.waitstatus_to_exitcode(status)} {used.ru_maxrss} {used.ru_utime}".encode())
"""
"""A small process to start it from: a child's memory at its worst begins with that of who forks it (getrusage(2), ru_maxrss)."""


def measured(*args: str, out: Path, err: Path | None = None) -> Used:
    """The program as a process of its own, measured. out: what it prints; err: what it says on standard error, by default the same."""
    read, write = os.pipe()
    with open(out, "wb") as printed, open(err or os.devnull, "wb") as said, os.fdopen(read) as told:
        try:
            command = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(write), *COMMAND, *args]
            errors = said if err else subprocess.STDOUT
            subprocess.run(command, stdout=printed, stderr=errors, env=environment(), pass_fds=[write], check=True)
        finally:
            os.close(write)
        code, memory, seconds = told.read().split()
    return Used(int(code), int(memory), float(seconds))


def not_begun(error: str) -> bool:
    """Did a signal come while Python itself was starting, by what it said?"""
    return "init_import_site" in error or "runpy module" in error
