"""`ulimit -u`: no room for another process or thread. One process does it all, or a line says so; no report is lost, no traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pomprobe.api import LARGE
from robust.running import COMMAND, Ran, environment, needs_envoy

LAUNCHER = """
import ctypes, os, resource, sys
if os.geteuid() == 0:  # whom the limit does not bind: another real user, without CAP_SYS_RESOURCE (24) and CAP_SYS_ADMIN (21)
    for capability in (24, 21):
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
    os.setresuid(60_000 + os.getpid() % 5000, 0, 0)
count = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NPROC, (count, count))
os.execv(sys.argv[2], sys.argv[2:])
"""
"""The command behind the limit, threads included; its files are still those of root (kernel/fork.c, copy_process)."""


def limited(count: int, *command: str, stdin: bytes = b"") -> Ran:
    """A command that may have so many processes and threads. stdin: a config, since a file of root's cannot be read by another."""
    launched = [sys.executable, "-c", LAUNCHER, str(count), *command]
    done = subprocess.run(launched, input=stdin, capture_output=True, env=environment(), timeout=100, check=False)
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def binds() -> bool:
    """Does the limit hold here? In some containers no capability can be given up."""
    return "11" in limited(1, sys.executable, "-c", "import os\ntry: os.fork()\nexcept OSError as error: print(error.errno)").out


pytestmark = pytest.mark.skipif(not binds(), reason="RLIMIT_NPROC does not bind us on this machine")


def config(*to: str) -> bytes:
    return yaml.safe_dump({"routes": [{"from": f"https://r{n}.example.com", "to": one} for n, one in enumerate(to)]}).encode()


SMALL = config("http://localhost:1", "http://127.0.0.1:1")
"""A name of the hosts file and an address, where nothing listens."""

MANY = config(*(f"http://127.3.{n // 250}.{n % 250 + 1}:1" for n in range(LARGE + 20)))
"""More routes than one process would probe alone."""


@pytest.mark.parametrize("count", [1, 2])
def test_a_large_run_that_cannot_fork_is_one_process(count: int) -> None:
    """None at all, and one too few: every route is probed, and nothing is said."""
    ran = limited(count, *COMMAND, "check", "-o", "json", "-", stdin=MANY)
    assert (1, "") == (ran.code, ran.err)
    assert {"failing"} == {route["status"] for route in json.loads(ran.out)["routes"]}


def test_lines_without_a_thread_that_writes(tmp_path: Path) -> None:
    """-o jsonl to standard output and to a file: all lines are there in the end."""
    ran = limited(1, *COMMAND, "check", "-o", "jsonl", "-o", f"jsonl={tmp_path / 'lines'}", "-", stdin=SMALL)
    assert (1, "") == (ran.code, ran.err)
    for text in (ran.out, (tmp_path / "lines").read_text()):
        assert ["route", "route", "summary"] == [json.loads(line)["type"] for line in text.splitlines()]


@pytest.mark.envoy
@pytest.mark.slow
@needs_envoy
@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 8, 10])
@pytest.mark.parametrize("command", ["reproduce", "check"])
def test_an_envoy_that_has_no_room(command: str, count: int) -> None:
    """No process, no thread of ours to watch it, none for Envoy's own threads: one line that says what is missing; the report is there."""
    ran = limited(count, *COMMAND, *(("check", "--confirm", "-o", "json") if command == "check" else ("reproduce",)), "-", stdin=SMALL)
    if command == "check":
        assert (1, ["failing"] * 2) == (ran.code, [route["status"] for route in json.loads(ran.out)["routes"]])
    if not ran.err:
        assert count >= 10
        return
    assert 1 == len(ran.err.splitlines())
    assert any(words in ran.err for words in ("does not run", "leaves us no room", "could not look at", "Envoy ended with ")), ran
    if command == "reproduce":
        assert (3, "") == (ran.code, ran.out)


def test_a_demo_that_has_no_room() -> None:
    """Its servers are threads."""
    ran = limited(1, *COMMAND, "demo")
    assert (3, 1) == (ran.code, len(ran.err.splitlines()))
    assert "leaves us no room for another thread" in ran.err
