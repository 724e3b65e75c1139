"""A signal, or a reader who leaves, at random moments of a large run and of one around Envoy: nothing half-written, nothing left."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from pomprobe.api import LARGE
from robust.running import COMMAND, environment, needs_envoy, not_begun
from robust.threads import served, silent

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

COUNT, SILENT, SEED = LARGE + 10, 4, 20261127
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
MOMENTS = 51
PHASES = ("reading", "probing", "writing")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Routes that refuse, in as many processes as there are processors, and a few whose upstreams say nothing for a second."""
    with served(lambda: silent(SILENT)) as (ports,):
        urls = [f"http://127.4.{n // 250}.{n % 250 + 1}:1" for n in range(COUNT - SILENT)]
        urls += [f"http://127.0.0.1:{port}" for port in ports]
        routes = [{"from": f"https://r{n}.example.com", "to": url, "timeout": "1s"} for n, url in enumerate(urls)]
        path = tmp_path_factory.mktemp("moments") / "large.yaml"
        path.write_text(yaml.safe_dump({"routes": routes}))
        yield path


class Run:
    """The program in a session of its own, with folders of its own for what it writes and for its temporary files."""

    def __init__(self, folder: Path, *args: str) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "tmp").mkdir()
        with (folder / "err").open("wb") as error:
            self.process = subprocess.Popen(
                [*COMMAND, *args], cwd=folder, stdout=subprocess.PIPE, stderr=error, start_new_session=True,
                env=environment({"TMPDIR": str(folder / "tmp")}),
            )  # fmt: skip

    def interrupt(self, moment: float, number: signal.Signals) -> None:
        """Send the signal after so many seconds, unless the program has ended by then."""
        try:
            self.process.wait(moment)
        except subprocess.TimeoutExpired:
            self.process.send_signal(number)

    def end(self) -> tuple[int, str, str]:
        """Its exit code and what it printed, when nothing of it runs any more."""
        try:
            out, _ = self.process.communicate(timeout=60)
            until = time.monotonic() + 10
            while _runs(self.process.pid):
                assert time.monotonic() < until, "a process is left"
                time.sleep(0.02)
        finally:
            if self.process.poll() is None:
                self.process.kill()
        left = [path.name for path in self.folder.rglob("*") if path.name.endswith(".tmp") or path.parent.name == "tmp"]
        assert [] == left
        return self.process.returncode, out.decode(), (self.folder / "err").read_text()


def _runs(session: int) -> bool:
    """Is there a process of that session, the dead ones aside?"""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, its = stat.read_text().rpartition(")")[2].split()[:4]
        except (OSError, ValueError):
            continue
        if int(its) == session and state != "Z":
            return True
    return False


def whole(path: Path) -> bool:
    """A report that was begun is there as a whole; is it there?"""
    if not path.exists():
        return False
    text = path.read_text()
    if path.suffix == ".json":
        json.loads(text)
    elif path.suffix == ".html":
        assert text.rstrip().endswith("</html>")
    else:
        assert text.endswith("\n") or not text
        for line in text.splitlines():
            json.loads(line)
    return True


def moments(count: int, most: float) -> list[float]:
    """Seconds after the start, one in each of so many equal parts."""
    chosen = random.Random(SEED)
    return [most * (number + chosen.random()) / count for number in range(count)]


def test_a_signal_at_any_moment_of_a_large_run(config: Path, tmp_path: Path) -> None:
    """While modules load, the config is read, forks probe, files are written: each file whole or not there; the code is the signal's."""
    wanted = ("-o", "json", "-o", "json=r.json", "-o", "html=r.html", "-o", "jsonl=r.jsonl")
    began = time.monotonic()
    whole_run = Run(tmp_path / "whole", "check", *wanted, str(config))
    assert 1 == whole_run.end()[0]
    took = time.monotonic() - began
    assert all(whole(whole_run.folder / f"r.{suffix}") for suffix in ("json", "html", "jsonl"))
    seen = dict.fromkeys(PHASES, 0)

    def at(turn: int, moment: float) -> None:
        number, run = SIGNALS[turn % 3], Run(tmp_path / str(turn), "check", *wanted, str(config))
        run.interrupt(moment, number)
        code, out, error = run.end()
        if not_begun(error):
            return
        there = {suffix: whole(run.folder / f"r.{suffix}") for suffix in ("json", "html", "jsonl")}
        cut = there["json"] and "interrupted" in json.loads((run.folder / "r.json").read_text())
        seen["probing" if cut else "writing" if there["json"] else "reading"] += 1
        assert code in (128 + number, -number, 1), (moment, code, error)
        assert "in main" not in error and (code < 0 or not error), (moment, code, error)  # before that it is Python's own start
        if code >= 0:  # one that comes while a file is written ends the run behind that file, before anything is printed
            assert out or there["json"], (moment, took, code, error, there)
            report = json.loads(out or (run.folder / "r.json").read_text())
            assert COUNT == len(report["routes"])
            assert code != 1 or (all(there.values()) and "interrupted" not in report)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(at, range(MOMENTS), moments(MOMENTS, took)))
    for turn, moment in enumerate(moments(MOMENTS, 2 * took), MOMENTS):  # a machine that has become slower: a phase comes later than it did
        if all(seen.values()):
            break
        at(turn, moment)
    assert all(seen.values()), seen


@pytest.mark.parametrize("format", ["jsonl", "json", "text"])
def test_a_reader_who_leaves_at_any_moment_of_a_large_run(format: str, config: Path, tmp_path: Path) -> None:
    """The exit code is that of SIGPIPE, or the run was over; no word, no process, no file."""

    def at(turn: int, moment: float) -> None:
        run = Run(tmp_path / str(turn), "check", "-o", format, str(config))
        time.sleep(moment)
        assert run.process.stdout is not None
        run.process.stdout.close()
        run.process.stdout = open(os.devnull, "rb")  # noqa: SIM115
        code, _, error = run.end()
        assert (code in (1, 141), "") == (True, error), (moment, code, error)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(at, range(9), moments(9, 3.0)))


@pytest.mark.envoy
@needs_envoy
@pytest.mark.parametrize("command", [("reproduce", "-o", "json"), ("check", "--confirm", "-o", "json")], ids=" ".join)
def test_a_signal_at_any_moment_around_envoy(command: tuple[str, ...], tmp_path: Path) -> None:
    """No Envoy and no folder with keys is left; check has its report as soon as it has one."""
    config = tmp_path / "c.yaml"
    config.write_text(yaml.safe_dump({"routes": [{"from": "https://a.example.com", "to": "http://127.0.0.1:1"}]}))

    def at(turn: int, moment: float) -> None:
        number = SIGNALS[turn % 3]
        with tempfile.TemporaryDirectory(prefix="pm-", dir="/tmp") as short:  # a unix socket lies in it
            run = Run(Path(short, "r"), *command, str(config))
            run.interrupt(moment, number)
            code, out, error = run.end()
        if not_begun(error):
            return
        assert code in (128 + number, -number, 0, 1), (moment, code, error)
        assert "in main" not in error, (moment, error)
        if command[0] == "check" and code >= 0:
            assert out, (moment, code, error)
            assert 1 == len(json.loads(out)["routes"])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(at, range(24), moments(24, 2.5)))
