"""Upstreams that mean harm, all at once, against the real program: it ends, judges, stays small, and prints nothing that they control."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from pomprobe.report import FORMATS
from robust.hostile import DNS, ROWS
from robust.running import environment, measured

MEMORY = 400 * 1024 * 1024
"""Bytes that the program may take at its worst; every upstream here would give it more than that."""

ASKED = ("-v", "--deadline", "60s", "--concurrency", "10", "--idle-probe", "1s")
"""Ten at a time: a timer that fires while the machine is behind says nothing about an upstream."""

NAMES = [name for name in DNS if not re.match("chain[0-9]", name)]
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069]")
FROM = {"tcp": "tcp+https://r{}.example.com:1", "ssh": "ssh://r{}"}
TESTS = Path(__file__).parents[1]


@dataclass(frozen=True)
class Result:
    """What one run over all of them gave: the reports by format, the routes by name, the memory at its worst."""

    code: int
    error: str
    reports: dict[str, str]
    routes: dict[str, Any]
    memory: int


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Result]:
    folder = tmp_path_factory.mktemp("hostile")
    servers = subprocess.Popen(
        [sys.executable, "-m", "robust.hostile"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=TESTS, env=environment({"PYTHONPATH": str(TESTS)}),
    )  # fmt: skip
    try:
        assert servers.stdout is not None
        told = json.loads(servers.stdout.readline())
        config = folder / "c.yaml"
        config.write_text(yaml.safe_dump(_config(told)))
        yield _run(config, folder)
    finally:
        servers.kill()
        servers.communicate()


def _config(told: dict[str, Any]) -> dict[str, Any]:
    routes = [
        {
            "name": f"{row.scheme} {row.name}",
            "from": FROM.get(row.scheme, "https://r{}.example.com").format(number),
            "to": f"{row.scheme}://127.0.0.1:{port}",
            "timeout": "1s",
            "tls_skip_verify": not row.judged,
            **row.keys,
        }
        for number, (row, port) in enumerate(zip(ROWS, told["ports"], strict=True))
    ]
    routes += [{"name": name, "from": f"https://{name}.example.com", "to": f"http://{name}:1", "timeout": "1s"} for name in NAMES]
    return {"dns_resolvers": [told["resolver"]], "dns_query_timeout": "1s", "dns_query_tries": 1, "routes": routes}


def _run(config: Path, folder: Path) -> Result:
    files = {format: folder / f"report.{format}" for format in FORMATS}
    asked = [f"-o{format}={path}" for format, path in files.items()]
    used = measured("check", *ASKED, *asked, str(config), out=folder / "out", err=folder / "err")
    error = (folder / "err").read_text()
    reports = {format: path.read_bytes().decode() for format, path in files.items() if path.exists()}
    routes = {route["name"]: route for route in json.loads(reports["json"])["routes"]}
    return Result(used.code, error, reports, routes, used.memory * 1024)


@pytest.mark.parametrize("name", [*(f"{row.scheme} {row.name}" for row in ROWS), *NAMES])
def test_it_gives_a_verdict_or_a_reply(name: str, result: Result) -> None:
    """Every upstream is judged, by Envoy's timers where it has no end: no defect of ours, and unknown only where we were too slow."""
    route = result.routes[name]
    told = json.dumps(route)
    assert '"bug"' not in told, told
    if route["status"] == "undetermined":
        assert "our own congestion" in told, told
    else:
        assert route["status"] in ("ok", "warning", "failing"), told
        assert route["forecast"] or name.startswith("ssh ")  # which speaks no HTTP


@pytest.mark.parametrize("name", [f"{row.scheme} {row.name}" for row in ROWS])
def test_it_takes_no_longer_than_its_timer(name: str, result: Result) -> None:
    """A second for the route, a second for the health check, and a second more; where we were late ourselves it is told, and some more."""
    for upstream in result.routes[name]["upstreams"]:
        for endpoint in upstream["endpoints"]:
            for outcome in endpoint["outcomes"]:
                late = outcome["facts"].get("late", 0.0)
                assert outcome["elapsed"] <= (2.0 if late < 0.1 else 5.0), outcome


def test_most_are_not_left_unknown(result: Result) -> None:
    """The machine that runs this may be slow; the program is to keep up all the same."""
    unknown = [name for name, route in result.routes.items() if route["status"] == "undetermined"]
    assert len(unknown) < len(result.routes) / 2, unknown


def test_it_ends_and_stays_small(result: Result) -> None:
    """Exit code 1 (there are findings), nothing on standard error, and no more memory than a run may take."""
    assert (1, "") == (result.code, result.error)
    assert result.memory < MEMORY


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_of_theirs_controls_the_terminal(format: str, result: Result) -> None:
    """No escape, no direction mark, no control character but the line end, in any format."""
    assert [] == CONTROL.findall(result.reports[format])


@pytest.mark.parametrize("format", ["text", "short", "markdown", "github", "nagios"])
def test_nothing_of_theirs_is_a_command_of_ci(format: str, result: Result) -> None:
    """GitHub's and Azure's commands in a log are obeyed at the beginning of a line, and those of Azure anywhere."""
    lines = [line for line in result.reports[format].splitlines() if re.match(r"\s*::error::x", line) or "##vso[" in line]
    assert [] == lines


@pytest.mark.parametrize("format", ["html", "markdown", "junit"])
def test_nothing_of_theirs_is_markup(format: str, result: Result) -> None:
    """Their tags are text."""
    assert "<script>" not in result.reports[format].replace("`", "")
