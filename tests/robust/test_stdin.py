"""Everything that standard input can be: a config is read from it, or a line says why not, and exit code 2."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from robust.running import COMMAND, Ran, environment

TEXT = b"routes: [{from: https://a.example.com, to: http://app.internal}]\n"


def lint(name: str, stdin: int, *before: str, shell: str = "") -> Ran:
    """`pomprobe lint NAME` with this as its standard input."""
    command = ["sh", "-c", f'exec "$@" {shell}', "sh", *COMMAND, "lint", name]
    done = subprocess.run([*before, *command], stdin=stdin, capture_output=True, env=environment(), timeout=60, check=False)
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


@contextmanager
def file(folder: Path) -> Iterator[int]:
    path = folder / "c.yaml"
    path.write_bytes(TEXT)
    with open(path, "rb") as opened:
        yield opened.fileno()


@contextmanager
def pipe(folder: Path) -> Iterator[int]:
    read, write = os.pipe()
    os.write(write, TEXT)
    os.close(write)
    yield read
    os.close(read)


@contextmanager
def named_pipe(folder: Path) -> Iterator[int]:
    path = folder / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(TEXT,))
    writer.start()
    with open(path, "rb") as opened:
        yield opened.fileno()
    writer.join()


@contextmanager
def connection(folder: Path) -> Iterator[int]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(TEXT)
        ours.shutdown(socket.SHUT_WR)
        yield theirs.fileno()


@pytest.mark.parametrize("name", ["-", "/dev/stdin", "/dev/fd/0"])
@pytest.mark.parametrize("kind", [file, pipe, named_pipe, connection])
def test_a_config_is_read_from_it(kind: object, name: str, tmp_path: Path) -> None:
    """A file, a pipe, a named pipe, a socket; `-` and the names that the system has for it. A socket has no name that can be opened."""
    with kind(tmp_path) as stdin:  # type: ignore[operator]
        ran = lint(name, stdin)
    if kind is connection and name != "-":
        assert (2, f"{name}:1:1: {name} is neither a file nor a pipe\n") == (ran.code, ran.err)
    else:
        assert (0, "") == (ran.code, ran.err)
        assert "no route was probed" in ran.out


@pytest.mark.parametrize(
    ("shell", "said"),
    [
        ("</dev/null", "<stdin>:1:1: the file is empty; routes:\n"),
        ("<&-", "<stdin>:1:1: the file is empty; routes:\n"),
        ("0>/dev/null", "<stdin>:1:1: read /dev/stdin: bad file descriptor\n"),
    ],
    ids=["null", "closed", "write-only"],
)
def test_one_that_gives_nothing(shell: str, said: str) -> None:
    """One line, exit code 2."""
    ran = lint("-", subprocess.DEVNULL, shell=shell)
    assert (2, "", said) == (ran.code, ran.out, ran.err)


def test_one_without_an_end() -> None:
    """Read up to what a config can be, in bounded memory."""
    limit = f"({resource.RLIMIT_AS}, ({600 << 20}, {600 << 20}))"
    words = f"import os, resource, sys; resource.setrlimit{limit}; os.execvp(sys.argv[1], sys.argv[1:])"
    with open("/dev/zero", "rb") as zeros:
        ran = lint("-", zeros.fileno(), COMMAND[0], "-c", words)
    assert (2, "<stdin>:1:1: more than 64 MiB: this is no Pomerium config\n") == (ran.code, ran.err)


def test_a_folder_is_refused_by_python_itself(tmp_path: Path) -> None:
    """Before any of our code runs: Python's words and its exit code 1 (docs/limits.md says so)."""
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        ran = lint("-", folder)
    finally:
        os.close(folder)
    assert (1, "") == (ran.code, ran.out)
    assert "<stdin> is a directory, cannot continue" in ran.err
