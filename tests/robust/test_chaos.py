"""A fault at every await of a run: the report is there, the upstream is not blamed, the exit code says that something is wrong with us."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from factories import cluster, upstream
from pomprobe.fleet import Fleet
from pomprobe.model import Discovery
from pomprobe.net.resolv_conf import Machine
from pomprobe.runner import Options, Runner
from robust.running import environment, needs_envoy, run

TESTS = Path(__file__).parents[1]


@pytest.mark.slow
def test_a_fault_at_every_await_never_loses_the_report() -> None:
    """Each await that a run over eleven kinds of upstreams comes to raises once, all the stages, doors and the scheduler."""
    done = subprocess.run(
        [sys.executable, "-m", "robust.chaos"], capture_output=True, cwd=TESTS, env=environment({"PYTHONPATH": str(TESTS)}),
        timeout=110, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    code, whole, _, _ = told.pop("")
    assert (1, 3) == (code, sum(route[0] == "failing" for route in whole.values())), whole
    assert len(told) > 70, "the hook sees fewer awaits than there are"
    for place, (code, routes, leaked, error) in told.items():
        assert not leaked, (place, error)
        assert routes is not None, (place, error)
        assert "Traceback" not in error, (place, error)
        changed = {name: told for name, told in routes.items() if told != whole[name]}
        assert changed, place  # what broke shows
        assert {"undetermined"} == {status for status, *_ in changed.values()}, (place, changed)
        assert code in (1, 3), place  # the upstreams that really fail are findings still


@pytest.mark.envoy
@pytest.mark.slow
@pytest.mark.timeout(300)
@needs_envoy
def test_a_fault_at_every_await_around_envoy_loses_no_report() -> None:
    """check --confirm prints its report and says in a line what broke; reproduce says it; no Envoy and no file is left."""
    done = subprocess.run(
        [sys.executable, "-m", "robust.envoy_chaos"], capture_output=True, cwd=TESTS, env=environment({"PYTHONPATH": str(TESTS)}),
        timeout=290, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert ([1, True, False, "", [], []], [0, True, False, "", [], []]) == (told["check"].pop(""), told["reproduce"].pop(""))
    for command, (code, reported) in {"check": (1, True), "reproduce": (3, False)}.items():
        assert len(told[command]) > 30, "the hook sees fewer awaits than there are"
        for place, (ended, report, leaked, error, processes, files) in told[command].items():
            if place.startswith("envoy.compare") and report:  # our own probes, which have another turn where they know nothing
                assert (0, False, [], [], "") == (ended, leaked, processes, files, error), place
                continue
            assert (code, reported, False, [], []) == (ended, report, leaked, processes, files), (command, place, error)
            assert 1 == error.count("\n") and "a defect of pomprobe, please report it: RuntimeError at" in error, (command, place)


@pytest.mark.envoy
@pytest.mark.slow
@needs_envoy
def test_a_defect_while_probing_does_not_lose_what_envoy_answered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """reproduce tells them apart."""

    async def broken(self: Runner) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(Runner, "run", broken)
    path = tmp_path / "c.yaml"
    path.write_text("routes: [{from: https://a.example.com, to: http://127.0.0.1:1}]")
    ran = run("reproduce", "-o", "json", "--requests", "1", str(path))
    (route,) = json.loads(ran.out)["routes"]
    assert 1 == route["requests"]
    assert "a secret" not in ran.all


def test_a_defect_in_a_process_of_a_large_run_is_told(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """What a fork has not probed is not known, with the place of the defect; no traceback, and no message that may be secret."""

    async def broken(self: Runner) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(Runner, "run", broken)
    clusters = [cluster((upstream(f"http://127.0.0.{n}:1", f"127.0.0.{n}", 1),), discovery=Discovery.STATIC) for n in range(1, 9)]
    fleet = Fleet(clusters, Options(), Machine(), processes=2)
    anyio.run(fleet.run)
    assert {False} == {probed.done for probed in fleet.probed}
    assert {"a defect of pomprobe (RuntimeError at test_chaos.py"} == {probed.limit.rpartition(":")[0] for probed in fleet.probed}
    assert ("", "") == capfd.readouterr()
