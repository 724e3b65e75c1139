"""Upstreams that mean harm, all at once, against the real program: it ends, judges, stays small, and prints nothing that they control."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from pomprobe.report import FORMATS
from robust.hostile import BENIGN, ROWS
from robust.hostile_dns import DNS, FALSE, TRUE
from robust.running import environment, measured

MEMORY = 400 * 1024 * 1024
"""Bytes that the program may take at its worst over all of them; every upstream here would give it more than that."""

MORE = 20_000
"""Kilobytes that one of them may cost beyond one of its kind that means well."""

SHORT, SECONDS, SECONDS_OF_NAMES = "500ms", 2.0, 3.0
"""A timer of one that is measured alone, and seconds for it: two timers, one after the other (the answer and the idle time; the A and the
AAAA query, of a second each: c-ares has no shorter ones), and a second."""

EACH = 0.003
"""Seconds that an endpoint may take from us: of a name with 4,000 addresses each one is connected to."""

ENOUGH = 60
"""Upstreams that mean harm, at least."""

SHARES = 8

ASKED = ("-v", "--deadline", "60s", "--concurrency", "10", "--idle-probe")
"""Ten at a time: a timer that fires while the machine is behind says nothing about an upstream."""

FINE = "fine.test"
NAMES = [name for name in DNS if not re.match("chain[0-9]", name) and name != FINE]
HARMFUL = [*(f"{row.scheme} {row.name}" for row in ROWS), *NAMES]
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
def upstreams() -> Iterator[dict[str, Any]]:
    """The config with all of them and those that mean well, while they listen."""
    servers = subprocess.Popen(
        [sys.executable, "-m", "robust.hostile"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=TESTS, env=environment({"PYTHONPATH": str(TESTS)}),
    )  # fmt: skip
    try:
        assert servers.stdout is not None
        yield _config(json.loads(servers.stdout.readline()))
    finally:
        servers.kill()
        servers.communicate()


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory, upstreams: dict[str, Any]) -> Result:
    folder = tmp_path_factory.mktemp("hostile")
    config = folder / "c.yaml"
    routes = [route for route in upstreams["routes"] if route["name"] in HARMFUL]
    config.write_text(yaml.safe_dump({**upstreams, "routes": routes}))
    return _run(config, folder)


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
        for number, (row, port) in enumerate(zip((*ROWS, *BENIGN), told["ports"], strict=True))
    ]
    named = [FINE, *NAMES]
    routes += [{"name": name, "from": f"https://{name}.example.com", "to": f"http://{name}:1", "timeout": "1s"} for name in named]
    return {"dns_resolvers": [told["resolver"]], "dns_query_timeout": "1s", "dns_query_tries": 1, "routes": routes}


def _run(config: Path, folder: Path) -> Result:
    files = {format: folder / f"report.{format}" for format in FORMATS}
    asked = [f"-o{format}={path}" for format, path in files.items()]
    used = measured("check", *ASKED, "1s", *asked, str(config), out=folder / "out", err=folder / "err")
    error = (folder / "err").read_text()
    reports = {format: path.read_bytes().decode() for format, path in files.items() if path.exists()}
    routes = {route["name"]: route for route in json.loads(reports["json"])["routes"]}
    return Result(used.code, error, reports, routes, used.memory * 1024)


def test_there_are_many() -> None:
    """Each is another one."""
    assert len(HARMFUL) == len(set(HARMFUL)) >= ENOUGH


@pytest.mark.parametrize("name", HARMFUL)
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


def alone(upstreams: dict[str, Any], name: str, folder: Path, timer: str = "1s") -> tuple[int, dict[str, Any]]:
    """A run over one of them: kilobytes at its worst, and the report. timer: for the route and an idle connection."""
    (route,) = [route for route in upstreams["routes"] if route["name"] == name]
    path = folder / str(upstreams["routes"].index(route))
    config, told, said = (path.with_suffix(f".{suffix}") for suffix in ("yaml", "json", "err"))
    config.write_text(yaml.safe_dump({**upstreams, "routes": [{**route, "timeout": timer}]}))
    used = measured("check", *ASKED, timer, "-o", "text", f"-ojson={told}", str(config), out=path, err=said)
    assert (used.code in (0, 1, 3), "") == (True, said.read_text()), name
    return used.memory, json.loads(told.read_text())


@pytest.mark.parametrize("name", ["identity.test", "elsewhere.test", "question.test", "type.test", "bailiwick.test"])
def test_the_true_answer_is_waited_for(name: str, upstreams: dict[str, Any], tmp_path: Path) -> None:
    """Another id, another source port, another question before it, a stranger's address in another section: none of them counts."""
    _, report = alone(upstreams, name, tmp_path)
    (upstream,) = report["routes"][0]["upstreams"]
    (dns,) = upstream["outcomes"]
    assert [TRUE] == dns["facts"].get("addresses"), dns
    assert FALSE not in json.dumps(report)


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
def test_each_costs_little(share: int, upstreams: dict[str, Any], tmp_path: Path) -> None:
    """Alone in a run of its own: no more than MORE beyond one that means well, and no longer than its timers and a second."""

    def cost(name: str) -> tuple[int, float]:
        memory, report = alone(upstreams, name, tmp_path, SHORT)
        endpoints = sum(len(upstream["endpoints"]) for upstream in report["routes"][0]["upstreams"])
        return memory, report["elapsed"] - EACH * endpoints

    def late() -> dict[str, float]:
        return {name: took for name, (_, took) in costs.items() if took > (SECONDS_OF_NAMES if name in NAMES else SECONDS)}

    names = HARMFUL[share::SHARES]
    kinds = {name: FINE if name in NAMES else f"{name.partition(' ')[0]} fine" for name in names}
    fine = {name: cost(name)[0] for name in dict.fromkeys(kinds.values())}
    with ThreadPoolExecutor(2) as pool:
        costs = dict(zip(names, pool.map(cost, names), strict=True))
    costs |= {name: cost(name) for name in late()}  # the machine may have been busy
    large = {name: memory - fine[kinds[name]] for name, (memory, _) in costs.items() if memory - fine[kinds[name]] > MORE}
    assert ({}, {}) == (large, late())


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
