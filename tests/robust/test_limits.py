"""Limits of the machine: few descriptors, no resolver, no CA bundle, full disks; never blamed on an upstream, never a traceback."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import yaml

from factories import cluster, upstream
from pomprobe import api, system_ca
from pomprobe.model import Cluster, Discovery, Failure, Outcome, StageName, Status
from pomprobe.net.resolv_conf import Machine
from pomprobe.report import FORMATS
from pomprobe.runner import Options, Runner
from robust.running import run, spawn
from robust.threads import served
from servers import http
from servers.health import tls
from servers.http import say

FINE = say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
ROOT = os.geteuid() == 0


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served(lambda: http.upstream(FINE)) as (server,):
        yield server.port


def written(path: Path, *to: str, **more: object) -> Path:
    routes = [{"from": f"https://r{number}.example.com", "to": one, "timeout": "20s"} for number, one in enumerate(to)]
    path.write_text(yaml.safe_dump({**more, "routes": routes}))
    return path


def limited(count: int) -> tuple[str, ...]:
    """A command that starts another one with so many file descriptors."""
    words = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, ({0}, {0})); os.execv(sys.argv[1], sys.argv[1:])"
    return (sys.executable, "-c", words.format(count))


@pytest.mark.parametrize("descriptors", [64, 48, 24])
def test_few_descriptors_blame_no_upstream(descriptors: int, tmp_path: Path) -> None:
    """200 endpoints with `ulimit -n 64`: each is right or undetermined."""
    with served(_everywhere) as (everywhere,):
        targets = [f"http://127.0.{n // 100}.{n % 100 + 1}:{everywhere}" for n in range(200)]
        ran = spawn("check", "-o", "json", str(written(tmp_path / "c.yaml", *targets)), before=limited(descriptors))
    assert "Traceback" not in ran.err
    report = json.loads(ran.out)
    assert 200 == len(report["routes"])
    assert {one["status"] for one in report["routes"]} <= {"ok", "warning", "undetermined"}
    assert descriptors < 48 or "ok" in {one["status"] for one in report["routes"]}


@asynccontextmanager
async def _everywhere() -> AsyncIterator[int]:
    """The port of a server on every address of 127.0.0.0/8."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            await writer.drain()
            await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "0.0.0.0", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def probed(made: Cluster, here: Machine) -> list[Outcome]:
    ran = Runner((made,), Options(), here)
    await ran.run()
    (one,) = ran.probed[0].upstreams
    return [*one.outcomes, *(outcome for endpoint in one.endpoints for outcome in endpoint.outcomes)]


async def test_no_resolver_is_undetermined() -> None:
    """A machine without name servers cannot say anything about a name: neither can we."""
    (dns,) = await probed(cluster((upstream("http://app.test:80", "app.test", 80),)), Machine(nameservers=()))
    assert (Status.UNDETERMINED, Failure.NO_RESOLVER) == (dns.status, dns.failure)


def test_no_ca_bundle_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a bundle no certificate can be judged: undetermined, no word about the server's, and nothing is sent."""
    monkeypatch.setattr(api, "read_bundle", lambda: system_ca.read_bundle(()))
    with served(lambda: http.upstream(FINE, tls("127.0.0.1"))) as (server,):
        ran = run("check", "-v", "--color", "never", str(written(tmp_path / "c.yaml", f"https://127.0.0.1:{server.port}")))
    assert 3 == ran.code
    assert "cannot be judged on this machine" in ran.out
    assert "this machine has no bundle of certificate authorities" in " ".join(ran.out.split())
    assert [] == server.requests


async def test_ipv6_that_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ::1 endpoint on a machine without IPv6: the errors of the system have a name, and none is a bug."""
    real = socket.socket.connect_ex
    for number, name in ((99, "EADDRNOTAVAIL"), (101, "ENETUNREACH"), (97, "EAFNOSUPPORT"), (13, "EACCES"), (1, "EPERM")):

        def connect(self: socket.socket, address: object, number: int = number) -> int:
            return number if self.family == socket.AF_INET6 else real(self, address)  # type: ignore[arg-type]

        with monkeypatch.context() as patch:
            patch.setattr(socket.socket, "connect_ex", connect)
            found = await probed(cluster((upstream("http://[::1]:80", "::1", 80),), discovery=Discovery.STATIC), Machine())
        tcp = next(outcome for outcome in found if outcome.stage is StageName.TCP)
        assert tcp.status in (Status.FAILING, Status.UNDETERMINED), tcp
        if tcp.status is Status.FAILING:
            assert name == tcp.facts["errno"]


async def test_no_socket_at_all_is_undetermined(monkeypatch: pytest.MonkeyPatch) -> None:
    """EMFILE, ENFILE, ENOBUFS and ENOMEM are ours."""
    for number in (24, 23, 105, 12):

        def connect(self: socket.socket, address: object, number: int = number) -> int:
            return number

        with monkeypatch.context() as patch:
            patch.setattr(socket.socket, "connect_ex", connect)
            found = await probed(cluster((upstream("http://127.0.0.1:80", "127.0.0.1", 80),), discovery=Discovery.STATIC), Machine())
        tcp = next(outcome for outcome in found if outcome.stage is StageName.TCP)
        assert (Status.UNDETERMINED, Failure.NOT_KNOWN) == (tcp.status, tcp.failure)


@pytest.mark.parametrize("format", FORMATS)
def test_a_full_disk_is_said_in_one_line(format: str, port: int, tmp_path: Path) -> None:
    """/dev/full takes nothing: as a file and as standard output."""
    config = str(written(tmp_path / "c.yaml", f"http://127.0.0.1:{port}"))
    ran = run("check", "-o", f"{format}=/dev/full", config)
    assert 3 == ran.code
    assert "pomprobe: cannot write /dev/full: No space left on device\n" == ran.err


def test_a_full_standard_output_is_said_in_one_line(port: int, tmp_path: Path) -> None:
    """`pomprobe check >/dev/full`"""
    config = str(written(tmp_path / "c.yaml", f"http://127.0.0.1:{port}"))
    for args in (("check", "-o", "json"), ("check",), ("list",), ("lint",), ("rules",), ("explain", "no_healthy_upstream")):
        inner = [sys.executable, "-m", "pomprobe", *args, *([config] if args[0] in ("check", "list", "lint") else [])]
        words = "import os, sys; os.dup2(os.open('/dev/full', os.O_WRONLY), 1); os.execv(sys.argv[1], sys.argv[1:])"
        done = subprocess.run([sys.executable, "-c", words, *inner], capture_output=True, timeout=60, check=False)
        assert b"Traceback" not in done.stderr, (args, done.stderr.decode())
        assert done.returncode != 0, args
        assert b"No space left" in done.stderr, (args, done)


def test_a_full_disk_leaves_the_old_report(port: int, tmp_path: Path) -> None:
    """RLIMIT_FSIZE stands for the disk: the old file stays as it was, and nothing lies beside it."""
    config, target = written(tmp_path / "c.yaml", f"http://127.0.0.1:{port}"), tmp_path / "out" / "report.json"
    target.parent.mkdir()
    target.write_text("old")
    words = (
        "import os, resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)); os.execv(sys.argv[1], sys.argv[1:])"
    )
    ran = spawn("check", "-o", f"json={target}", str(config), before=(sys.executable, "-B", "-c", words))
    assert ("old", ["report.json"]) == (target.read_text(), os.listdir(target.parent))
    assert 3 == ran.code
    assert "cannot write" in ran.err and "Traceback" not in ran.err


@pytest.mark.skipif(ROOT, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written(port: int, tmp_path: Path) -> None:
    """-o json=FILE and --state FILE in a read-only folder: one line each."""
    config, folder = str(written(tmp_path / "c.yaml", f"http://127.0.0.1:{port}")), tmp_path / "ro"
    folder.mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)
    ran = run("check", "-o", f"json={folder / 'r.json'}", "--state", str(folder / "state"), config)
    assert 3 == ran.code
    assert "cannot write" in ran.err


@pytest.mark.parametrize("target", ["none/there/r.json", "file/r.json", "folder", "\x00", "x" * 300])
def test_places_where_no_file_can_be(target: str, port: int, tmp_path: Path) -> None:
    """A folder that is missing, a file or a folder in its place, names that no system takes: one line, the report is not lost."""
    config = str(written(tmp_path / "c.yaml", f"http://127.0.0.1:{port}"))
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    ran = run("check", "-o", f"json={tmp_path / target}", "-o", "text", config)
    assert 3 == ran.code
    assert "1 route" in ran.out
    assert 1 == ran.err.count("\n") and ran.err.startswith("pomprobe: cannot write")


@pytest.mark.parametrize("target", ["none/there/state", "folder", "full"])
def test_a_state_that_cannot_be_kept(target: str, port: int, tmp_path: Path) -> None:
    """The report is printed; that the state is lost is said in a line."""
    config = str(written(tmp_path / "c.yaml", f"http://127.0.0.1:{port}"))
    (tmp_path / "folder").mkdir()
    (tmp_path / "full").symlink_to("/dev/full")
    ran = run("check", "--state", str(tmp_path / target), config)
    assert "1 route" in ran.out
    assert ran.err.startswith("pomprobe: ") and "Traceback" not in ran.err


def test_a_terminal_of_no_size(port: int, tmp_path: Path) -> None:
    """COLUMNS=1, TERM=dumb, a C locale: a report without a traceback."""
    config = str(written(tmp_path / "c.yaml", f"http://127.0.0.1:{port}"))
    for env in ({"COLUMNS": "1"}, {"TERM": "dumb"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}, {"HOME": "/none"}):
        ran = spawn("check", "-v", config, env=env)
        assert (0, "") == (ran.code, ran.err), env
