"""Colours, letters and the progress bar: what the environment and the terminal decide."""

from __future__ import annotations

import os
import pty
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pomprobe.cli.progress import waiting
from pomprobe.cli.terminal import colored, unicode
from servers.app import app

from .program import PROGRAM, config

ESCAPE = "\x1b["


@pytest.mark.parametrize(
    ("environ", "terminal", "expected"),
    [
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "xterm"}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"CLICOLOR": "0"}, True, False),
        ({"CLICOLOR_FORCE": "1"}, False, True),
        ({"CLICOLOR_FORCE": "1", "TERM": "dumb"}, False, True),
        ({"CLICOLOR_FORCE": "0"}, False, False),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, True, False),
    ],
)
def test_the_environment_decides_about_colours(environ: dict[str, str], terminal: bool, expected: bool) -> None:
    """As no-color.org and bixense.com/clicolors say; NO_COLOR wins."""
    assert expected == colored(environ, terminal)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"LANG": "C"}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),  # Python has set LC_CTYPE itself
        ({"LANG": "C.UTF-8"}, True),
        ({"LANG": "de_DE.UTF-8"}, True),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "C", "PYTHONUTF8": "1"}, True),
        ({"LANG": "C", "PYTHONIOENCODING": "utf-8"}, True),
    ],
)
def test_the_locale_decides_about_letters(environ: dict[str, str], expected: bool) -> None:
    """Where the locale is C, marks are ASCII, although Python would write UTF-8."""
    assert expected == unicode(environ, "utf-8", utf8_mode=True)


def test_an_encoding_without_more_letters_decides_too() -> None:
    """Latin-1 has no check mark."""
    assert not unicode({"LANG": "C.UTF-8"}, "iso8859-1", utf8_mode=False)


def run(*arguments: str, **environment: str) -> str:
    """Standard output of the program, in a pipe, with no variable of the caller's about its terminal."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    done = subprocess.run([str(PROGRAM), *arguments], env=kept | environment, capture_output=True, check=False)
    assert b"" == done.stderr
    return done.stdout.decode()


@pytest.mark.parametrize("format", ["text", "short"])
def test_a_pipe_gets_colours_and_letters_only_where_they_are_wanted(format: str) -> None:
    """LANG=C: ASCII throughout; CLICOLOR_FORCE: colours also in a pipe."""
    with app(running=False) as down:
        name = config(f"to: {down.url}")
        plain = run("check", name, "-o", format, LANG="C")
        assert plain.isascii() and ESCAPE not in plain and plain.startswith(("x a.example.com", "warning config.yaml"))
        assert "✗ a.example.com" in run("check", name, "-o", format, LANG="C.UTF-8")
        assert ESCAPE in run("check", name, "-o", format, LANG="C", CLICOLOR_FORCE="1")
        assert ESCAPE not in run("check", name, "-o", format, LANG="C", CLICOLOR_FORCE="1", NO_COLOR="1")


def test_a_file_gets_no_colours_by_the_environment() -> None:
    """CLICOLOR_FORCE is about the terminal, not about what is kept."""
    with app() as up:
        run("check", config(f"to: {up.url}"), "-o", "text=report.txt", LANG="C.UTF-8", CLICOLOR_FORCE="1")
    with open("report.txt") as file:
        assert ESCAPE not in file.read()


@contextmanager
def terminal(*arguments: str, **environment: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The program with standard error on a terminal; its other side, and the program."""
    ours, theirs = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name == "PATH"} | {"COLUMNS": "80", "LANG": "C.UTF-8"}
    with subprocess.Popen([str(PROGRAM), *arguments], env=kept | environment, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        try:
            yield ours, process
        finally:
            process.kill()
            os.close(ours)


@contextmanager
def silent() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.skipif(sys.platform != "linux", reason="a pseudo-terminal as Linux has it")
def test_a_long_run_draws_a_bar_on_a_terminal() -> None:
    """How many routes are done, what is waited for, and the time to the deadline; none of it on standard output."""
    with app() as up, silent() as waiting_for:
        name = config(f"to: {up.url}", f"to: {waiting_for}")
        with terminal("check", name, "--deadline", "3s", "-o", "short", TERM="xterm") as (screen, process):
            seen = ""
            while "waiting for" not in seen:
                seen += os.read(screen, 4096).decode()
            assert process.stdout is not None
            assert ESCAPE not in process.stdout.read().decode()
    assert re.search(r"1/2 routes .*\d s left, waiting for b\.example\.com", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen))


def test_a_dumb_terminal_gets_no_bar() -> None:
    """It could not take a line back."""
    with silent() as waiting_for, terminal("check", config(f"to: {waiting_for}"), "--deadline", "2s", TERM="dumb") as (screen, process):
        assert process.stdout is not None
        process.stdout.read()
        process.wait()
        with pytest.raises(OSError, match="Input/output error"):  # the other side is closed, and nothing was written
            os.read(screen, 4096)


@pytest.mark.parametrize(
    ("pending", "left", "room", "expected"),
    [
        (["app", "wiki", "git"], 12.0, 60, "12 s left, waiting for app +2"),
        (["app"], None, 60, "waiting for app"),
        (["a-very-long-name-of-a-route"], None, 30, "waiting for a-very-long-name-…"),
        (["app", "wiki"], 12.0, 20, "12 s left, app +1"),
        (["a-very-long-name-of-a-route"], 12.0, 15, "12 s left"),
        ([], None, 60, ""),
        (["\x1b[2Jx"], None, 60, "waiting for \\x1b[2Jx"),
    ],
)
def test_what_is_waited_for_fits(pending: list[str], left: float | None, room: int, expected: str) -> None:
    """The route that began first is the slowest; what does not fit is left out."""
    assert expected == waiting(pending, left, room)
    assert len(expected) <= room
