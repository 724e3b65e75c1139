"""Run the program: in this process for what it prints, as a process of its own for what signals and limits do to it."""

from __future__ import annotations

import io
import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

from pomprobe.cli import main


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


def forked_with() -> int:
    """Bytes of memory that a child's ru_maxrss may show of ours: what is forked begins with the size of who forks (getrusage(2))."""
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + 8 * 1024) * 1024


COMMAND = (sys.executable, "-m", "pomprobe")


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a process of its own: without what could change how it prints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("POMPROBE_", "PYTEST", "PYTHONUNBUFFERED"))}
    return {**kept, "PYTHONUTF8": "1", **(more or {})}


def spawn(*args: str, before: Sequence[str] = (), env: Mapping[str, str] | None = None, seconds: float = 60) -> Ran:
    """The program as a process of its own. before: a command that starts it (prlimit, setpriv …)."""
    done = subprocess.run([*before, *COMMAND, *args], capture_output=True, env=environment(env), timeout=seconds, check=False)
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
