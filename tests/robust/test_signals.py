"""Signals, closed pipes and defects: whatever ends a run, what is known by then is told, whole and in one piece."""

from __future__ import annotations

import array
import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from pomprobe import runner
from pomprobe.model import Facts, StageName
from pomprobe.stages import dns, health
from robust.running import COMMAND, Ran, environment, not_begun, run
from robust.threads import Ports, served, silent
from servers.http import say, upstream

MOMENTS = random.Random(20250101).sample(range(0, 2000), 50)
"""Milliseconds after the start: before the config is read, while it is, and while the upstreams are slow."""


PIPE = 32768
"""Bytes that are in a pipe that nobody reads: it holds about twice as many, less what does not fit into a page."""


@pytest.fixture(scope="module")
def ports() -> Iterator[Ports]:
    with served(lambda: silent(6)) as (found,):
        yield found


def written(path: Path, ports: list[int], **more: object) -> Path:
    """A config with one route to each port."""
    routes = [
        {"from": f"https://r{number}.example.com", "to": f"http://127.0.0.1:{port}", "timeout": "30s", **more}
        for number, port in enumerate(ports)
    ]
    path.write_text(yaml.safe_dump({"routes": routes}))
    return path


@contextmanager
def started(*args: str, **more: object) -> Iterator[subprocess.Popen[bytes]]:
    """The program in a session of its own, which is ended in any case."""
    process = subprocess.Popen(
        [*COMMAND, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), start_new_session=True, **more
    )  # type: ignore[call-overload]
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended(process: subprocess.Popen[bytes]) -> Ran:
    out, err = process.communicate(timeout=60)
    return Ran(process.returncode, out.decode(), err.decode())


def connected(process: subprocess.Popen[bytes], before: int, ports: Ports) -> None:
    """Wait until the program has connected to an upstream: it probes now."""
    while process.poll() is None and ports.taken == before:
        time.sleep(0.01)


def group_is_gone(pid: int) -> bool:
    """No process of the session that the program led is left."""
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["int", "term", "hup"])
def test_a_signal_while_probing_gives_a_partial_report(number: signal.Signals, ports: Ports, tmp_path: Path) -> None:
    """130, 143 or 129, valid JSON on standard output and in the file, which says that it was interrupted; no child is left."""
    config, target = written(tmp_path / "c.yaml", ports), tmp_path / "report.json"
    before = ports.taken
    with started("check", "-o", "json", "-o", f"json={target}", str(config)) as process:
        connected(process, before, ports)
        process.send_signal(number)
        ran = ended(process)
        assert group_is_gone(process.pid)
    assert (128 + number, "") == (ran.code, ran.err)
    for text in (ran.out, target.read_text()):
        report = json.loads(text)
        assert (True, len(ports)) == (report["interrupted"], len(report["routes"]))
    assert ["c.yaml", "report.json"] == sorted(os.listdir(tmp_path))


def test_a_signal_at_any_moment_is_no_traceback(ports: Ports, tmp_path: Path) -> None:
    """Fifty moments, the three signals in turn: nothing at all or a whole report; never half a file, never a traceback."""
    config = written(tmp_path / "c.yaml", ports)

    def at(turn: int) -> None:
        milliseconds, number = MOMENTS[turn], (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[turn % 3]
        target = tmp_path / f"{turn}.json"
        with started("check", "-o", "json", "-o", f"json={target}", str(config)) as process:
            try:
                process.wait(milliseconds / 1000)
            except subprocess.TimeoutExpired:
                process.send_signal(number)
            ran = ended(process)
            assert group_is_gone(process.pid)
        if not_begun(ran.err):
            return
        assert ran.code in (128 + number, -number), (milliseconds, ran)
        assert "in main" not in ran.err, (milliseconds, ran.err)  # before that it is Python's own start
        if ran.out:
            assert json.loads(ran.out)["interrupted"]
        if target.exists():
            assert json.loads(target.read_text())["interrupted"]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(at, range(len(MOMENTS))))
    assert [] == [name for name in os.listdir(tmp_path) if name.endswith(".tmp")]


def test_a_second_control_c_ends_it_too(ports: Ports, tmp_path: Path) -> None:
    """Two and five in a row: still an exit code of a signal, and no traceback."""
    config = written(tmp_path / "c.yaml", ports)
    for times in (2, 5):
        before = ports.taken
        with started("check", "-o", "json", str(config)) as process:
            connected(process, before, ports)
            for _ in range(times):
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)
            ran = ended(process)
        assert ran.code in (130, -signal.SIGINT)
        assert "Traceback" not in ran.err
        if ran.code == 130 and ran.out:
            assert json.loads(ran.out)["interrupted"]


def test_a_signal_while_it_waits_to_try_again(tmp_path: Path) -> None:
    """--wait sleeps between two tries; Ctrl-C there ends it as well, without a traceback."""
    with served(lambda: upstream(say(b"HTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n"))) as (server,):
        config, target = written(tmp_path / "c.yaml", [server.port]), tmp_path / "out.json"
        with started("check", "--wait", "60s", "-o", f"json={target}", str(config)) as process:
            while not server.requests:
                time.sleep(0.01)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(1.0)  # the first try is over, the next one three seconds away
            process.send_signal(signal.SIGINT)
            ran = ended(process)
    assert ran.code in (130, -signal.SIGINT)
    assert "Traceback" not in ran.err


def test_a_signal_that_is_ignored_stays_so(tmp_path: Path) -> None:
    """`nohup pomprobe check`, and a shell's background job: what the shell told us to ignore does not end the run."""
    with served(lambda: silent(1)) as (found,):
        config = written(tmp_path / "c.yaml", found, timeout="2s")
        words = "import os, signal, sys; [signal.signal(n, signal.SIG_IGN) for n in (1, 2)]; os.execv(sys.argv[1], sys.argv[1:])"
        process = subprocess.Popen([sys.executable, "-c", words, *COMMAND, "check", str(config)], stdout=subprocess.PIPE, env=environment())
        connected(process, 0, found)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert 1 == process.returncode
    assert b"response_timeout" in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_while_a_file_is_written(number: signal.Signals, tmp_path: Path) -> None:
    """It waits until the report is in its place; the next one is not begun, and nothing lies beside it."""
    config, target = written(tmp_path / "c.yaml", [1]), tmp_path / "out" / "r.json"
    target.parent.mkdir()
    words = (
        "import os, sys; real = os.fsync\n"
        f"def fsync(fd): os.fsync = real; os.kill(os.getpid(), {int(number)}); real(fd)\n"
        "os.fsync = fsync; from pomprobe.cli import main; sys.argv[0] = 'pomprobe'; main()"
    )
    command = [sys.executable, "-c", words, "check", "-o", f"json={target}", "--state", str(target.with_name("state")), str(config)]
    done = subprocess.run(command, capture_output=True, env=environment(), timeout=60, check=False)
    assert done.returncode in (-number, 128 + number), done
    assert b"Traceback" not in done.stderr
    assert 1 == len(json.loads(target.read_text())["routes"])
    assert not [name for name in os.listdir(target.parent) if name.endswith(".tmp")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_while_mail_is_sent(number: signal.Signals, tmp_path: Path) -> None:
    """A mail server that says nothing: the report is out already, and the signal ends the wait without a word."""
    with served(lambda: silent(1)) as (found,):
        config, target = written(tmp_path / "c.yaml", [1]), tmp_path / "r.json"
        mail = ("--mail-to", "a@example.com", "--mail-from", "b@example.com", "--smtp", f"smtp://127.0.0.1:{found[0]}")
        with started("check", "-o", f"json={target}", "-o", "text", *mail, str(config)) as process:
            connected(process, 0, found)
            process.send_signal(number)
            ran = ended(process)
            assert group_is_gone(process.pid)
    assert (ran.code in (-number, 128 + number), "") == (True, ran.err)
    assert "1 route" in ran.out
    assert 1 == len(json.loads(target.read_text())["routes"])


@pytest.mark.parametrize("format", ["text", "json", "jsonl", "html"])
def test_a_reader_that_leaves_early_is_no_traceback(format: str, tmp_path: Path) -> None:
    """`pomprobe check | head -1`: the report is larger than the pipe, nobody reads it to its end."""
    config = written(tmp_path / "c.yaml", list(range(1, 400)))
    with started("check", "-v", "-o", format, "--only", "dns", str(config)) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        error = process.stderr.read().decode()
        process.wait(60)
    assert (141, "") == (process.returncode, error)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_while_nobody_reads_what_is_printed(number: signal.Signals, tmp_path: Path) -> None:
    """The report is cut, and the exit code does not look as if it were whole: the signal ends us, as it ends any program."""
    config = written(tmp_path / "c.yaml", list(range(1, 400)))
    with started("check", "-o", "json", "--only", "tcp", str(config)) as process:
        assert process.stdout is not None
        waiting = array.array("i", [0])
        while waiting[0] < PIPE and process.poll() is None:
            fcntl.ioctl(process.stdout, termios.FIONREAD, waiting)
            time.sleep(0.01)
        process.send_signal(number)
        process.wait(60)
        ran = ended(process)
    assert (-number, "") == (ran.code, ran.err)


def test_a_closed_standard_output_is_no_traceback(ports: Ports, tmp_path: Path) -> None:
    """`pomprobe check >&-`, and the same for standard error and input: the exit code says what it has to say."""
    config = written(tmp_path / "c.yaml", [1])
    for closed in (">&-", "2>&-", "<&-", ">&- 2>&-"):
        done = subprocess.run(
            ["sh", "-c", f'"$@" {closed}', "sh", *COMMAND, "check", "--only", "dns", str(config)],
            capture_output=True, env=environment(), timeout=60, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr.decode(), closed
        assert done.returncode in (0, 1, 3), (closed, done)


# ------------------------------------------------------------------------------------------------------- defects

DEFECTS = (ValueError("a secret"), KeyError("k"), RecursionError(), MemoryError(), OSError(5, "a secret"), StopAsyncIteration())


@pytest.mark.parametrize("defect", DEFECTS, ids=repr)
@pytest.mark.parametrize("stage", [StageName.DNS, StageName.TCP, StageName.HTTP, StageName.HEALTH])
def test_a_defect_in_a_stage_never_loses_the_report(
    stage: StageName, defect: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a `bug` of that stage, without its message, and nothing is blamed on the upstream."""

    async def broken(*args: object) -> Facts:
        raise defect

    match stage:
        case StageName.DNS:
            monkeypatch.setattr(dns, "resolve", broken)
        case StageName.HEALTH:
            monkeypatch.setattr(health, "check", broken)
        case _:
            table = tuple((name, broken if name is stage else function) for name, function in runner.CONNECTION)
            monkeypatch.setattr(runner, "CONNECTION", table)
    check = {
        "timeout": "1s", "interval": "1s", "healthy_threshold": 1, "unhealthy_threshold": 1, "http_health_check": {"path": "/"}
    }  # fmt: skip
    with served(lambda: upstream(say(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"))) as (server,):
        ran = run("check", "-o", "json", str(written(tmp_path / "c.yaml", [server.port, server.port], health_checks=[check])))
    report = json.loads(ran.out)
    assert "a secret" not in ran.all
    assert {one["status"] for one in report["routes"]} <= {"undetermined", "bug"}
    assert '"status": "bug"' in ran.out
