"""A large run in several processes: the same report as from one, whatever becomes of the processes."""

from __future__ import annotations

import json
import multiprocessing
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from factories import cluster, upstream
from pomprobe.api import LARGE
from pomprobe.fleet import LOST, deal, processors
from pomprobe.model import Discovery, Endpoint, EndpointOutcomes, Failure, Outcome, StageName, Status, Timer

HOSTS = st.lists(st.sampled_from([f"h{number}.test" for number in range(9)]), min_size=1, max_size=3)


@given(st.lists(HOSTS, max_size=30), st.integers(1, 5))
def test_every_cluster_is_dealt_once_and_a_name_to_one_share_alone(names: list[list[str]], shares: int) -> None:
    """What asks for one name meets in one process, also by way of a third cluster."""
    clusters = [cluster(tuple(upstream(f"http://{host}", host, 80) for host in hosts)) for hosts in names]
    dealt = deal(clusters, shares)
    assert list(range(len(clusters))) == sorted(index for share in dealt for index in share)
    assert len(dealt) <= shares
    for host in {host for hosts in names for host in hosts}:
        assert 1 == sum(any(host in names[index] for index in share) for share in dealt)


def test_clusters_that_share_nothing_are_dealt_evenly() -> None:
    """Addresses differ already by their port."""
    clusters = [
        cluster((upstream(f"http://127.0.0.1:{port}", "127.0.0.1", port),), discovery=Discovery.STATIC) for port in range(8000, 8011)
    ]
    assert [5, 6] == sorted(map(len, deal(clusters, 2)))


@pytest.mark.parametrize(
    ("quota", "expected"), [("max 100000", None), ("50000 100000", 1), ("100000 100000", 1), ("9900000 100000", None), ("?", None)]
)
def test_a_quota_of_the_control_group_counts(quota: str, expected: int | None, tmp_path: Path) -> None:
    """Half a processor is one process; without a quota, or with more than there is, it is the affinity."""
    path = tmp_path / "cpu.max"
    path.write_text(quota + "\n")
    assert (expected or len(os.sched_getaffinity(0))) == processors(path)
    assert len(os.sched_getaffinity(0)) == processors(tmp_path / "missing")


def test_outcomes_come_back_as_they_were() -> None:
    """Over a pipe of multiprocessing: endpoints, samples, enums and facts, whatever bytes made their text."""
    endpoint = Endpoint("::1", 443)
    walk = (
        Outcome(StageName.TCP, Status.OK, endpoint, elapsed=0.25),
        Outcome(StageName.HTTP, Status.FAILING, endpoint, Failure.TIMED_OUT, Timer.ROUTE, {"s": False, "sans": ("a", "\udcff")}, 1.5, "x"),
    )
    told = (Outcome(StageName.DNS, Status.OK),), (EndpointOutcomes(endpoint, walk, (walk,)),)
    ours, theirs = multiprocessing.Pipe()
    with ours, theirs:
        theirs.send(told)
        came = ours.recv()
    assert told == came
    assert came[1][0].outcomes[1].timer is Timer.ROUTE


# ------------------------------------------------------------------------------------------------ the whole program

COUNT = LARGE + 30
SILENT = 6


several = pytest.mark.skipif(processors() == 1, reason="one processor: there is nothing to fork for")


@pytest.fixture
def silent() -> Iterator[list[socket.socket]]:
    """Listeners that never accept: the kernel completes the connection, and nobody answers."""
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(SILENT)]
        yield listeners


@pytest.fixture
def config(tmp_path: Path, silent: list[socket.socket]) -> Path:
    """Routes whose upstreams refuse, and a few, among them the last, whose upstream never answers."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: refused, and nobody else's
        port = closed.getsockname()[1]
    urls = [f"http://127.3.{number // 250}.{number % 250 + 1}:{port}" for number in range(COUNT - SILENT)]
    urls += [f"http://127.0.0.1:{listener.getsockname()[1]}" for listener in silent]
    path = tmp_path / "large.yaml"
    path.write_text(yaml.safe_dump({"routes": [{"from": f"https://r{n}.example.com", "to": url} for n, url in enumerate(urls)]}))
    return path


@contextmanager
def started(*args: str) -> Iterator[subprocess.Popen[bytes]]:
    """pomprobe check as a process, in a session of its own, which is ended in any case."""
    argv = (sys.executable, "-m", "pomprobe", "check", *args)
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def children(process: subprocess.Popen[bytes]) -> list[int]:
    """The processes that it has forked, once all refusals can be known; waits for them."""
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        forks = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        if len(forks) == processors():
            return [int(fork) for fork in forks]
        time.sleep(0.01)
    raise TimeoutError("no forks")


def waiting(listener: socket.socket) -> None:
    """Return when a fork has connected: it probes."""
    assert select.select([listener], [], [], 30)[0]


def gone(pid: int) -> bool:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            if "State:\tZ" in Path(f"/proc/{pid}/status").read_text():
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def ended(process: subprocess.Popen[bytes]) -> tuple[int, dict[str, Any], str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, json.loads(out), err.decode()


@pytest.mark.slow
def test_the_report_is_in_the_order_of_the_config_and_whole(config: Path) -> None:
    """Every route has its outcomes, as from one process; a cap is said as such."""
    with started(str(config), "-o", "json", "--max-wait", "1s") as process:
        code, report, err = ended(process)
    assert (1, "") == (code, err)
    assert [f"r{number}.example.com" for number in range(COUNT)] == [route["name"] for route in report["routes"]]
    assert {"routes": COUNT, "failing": COUNT - SILENT, "undetermined": SILENT} == {k: v for k, v in report["summary"].items() if v}
    assert {"UF"} == {route["forecast"][0]["response_flags"] for route in report["routes"][:-SILENT]}
    assert {"--max-wait"} == {
        route["upstreams"][0]["endpoints"][0]["outcomes"][-1]["facts"]["limit"] for route in report["routes"][-SILENT:]
    }


WATCHED = """
import os, sys
from pathlib import Path
os.register_at_fork(before=lambda: print("threads", len(os.listdir("/proc/self/task")), file=sys.stderr))
from pomprobe.cli import main
main()
"""
"""The program, telling of each fork how many threads it has then."""


@several
def test_forks_are_made_while_there_is_one_thread(config: Path, tmp_path: Path) -> None:
    """Two large configs, and lines that go out as the run goes on: what writes them starts behind the forks, and ends before the next."""
    lines = tmp_path / "lines"
    wanted = ("check", str(config), str(config), "--max-wait", "100ms", "-o", "jsonl", "-o", f"jsonl={lines}")
    argv = (sys.executable, "-c", WATCHED, *wanted)
    done = subprocess.run(argv, capture_output=True, timeout=60, check=False)
    assert (1, {"threads 1"}) == (done.returncode, set(done.stderr.decode().splitlines()))
    assert 2 * COUNT + 1 == done.stdout.count(b"\n") == lines.read_bytes().count(b"\n")


@several
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["int", "term"])
@pytest.mark.parametrize("whole_group", [False, True], ids=["parent", "group"])
def test_a_signal_ends_every_process_and_keeps_what_is_known(
    number: signal.Signals, whole_group: bool, config: Path, silent: list[socket.socket]
) -> None:
    """130 or 143, a valid report that says that it was interrupted; a Ctrl-C of a terminal reaches the forks too."""
    with started(str(config), "-o", "json") as process:
        forks = children(process)
        waiting(silent[-1])
        time.sleep(0.5)
        (os.killpg if whole_group else os.kill)(process.pid, number)
        code, report, err = ended(process)
    assert (128 + number, "") == (code, err)
    assert report["interrupted"] is True
    assert SILENT <= report["summary"]["undetermined"]
    assert 0 < report["summary"]["failing"]
    assert COUNT == report["summary"]["undetermined"] + report["summary"]["failing"]
    assert all(gone(fork) for fork in forks)


@several
@pytest.mark.slow
def test_no_process_outlives_one_that_is_killed(config: Path, silent: list[socket.socket]) -> None:
    """Even SIGKILL leaves nothing behind."""
    with started(str(config)) as process:
        forks = children(process)
        waiting(silent[0])
        process.kill()
        process.wait()
    assert all(gone(fork) for fork in forks)


@several
@pytest.mark.slow
def test_a_fork_that_dies_takes_no_report_with_it(config: Path, silent: list[socket.socket]) -> None:
    """What it had not told is undetermined, which is said; nothing of it is blamed on an upstream."""
    with started(str(config), "-o", "json", "--max-wait", "3s") as process:
        fork = children(process)[-1]
        waiting(silent[-1])
        os.kill(fork, signal.SIGKILL)
        code, report, _ = ended(process)
    assert 1 == code
    limits = {outcome["facts"]["limit"] for route in report["routes"] for outcome in route.get("outcomes", ())}
    assert {LOST} == limits
    assert COUNT == report["summary"]["failing"] + report["summary"]["undetermined"]
