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
from robust.running import environment

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
