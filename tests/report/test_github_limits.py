"""GitHub's limits: 10 annotations of a type in a step and 50 in a job, 1 MiB of step summary, 25 000 results and 10 MB (gzip) of SARIF."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from functools import cache

import pytest

from pomprobe.model import Report
from pomprobe.report import sarif

from . import examples
from .conftest import Printed
from .test_github import commands

FINDINGS = 2000


@cache
def large() -> Report:
    """2,000 findings, each of a route of its own."""
    make = (examples.expired, examples.nameless)
    return examples.report(*(make[i % 2](f"route-{i}", line=10 * i + 3) for i in range(FINDINGS)))


def test_annotations_stay_below_the_limits(printed: Printed) -> None:
    """Ten of a type, whatever there is; the number of all is said, and every rule is among the first."""
    found = commands(printed(large(), "github"))
    counts = Counter(name for name, _, _ in found)
    assert counts["error"] == 10 and counts.total() <= 30
    assert f"{FINDINGS - 9} more of this kind" == found[-1][1]["title"]
    assert {"TLS102", "DNS101"} <= {properties["title"].partition(" ")[0] for _, properties, _ in found}
    assert all(len(message) <= 4096 for _, _, message in found)


def test_the_step_summary_stays_below_its_limit(printed: Printed) -> None:
    """What does not fit is counted."""
    text = printed(large(), "markdown")
    assert len(text.encode()) < 1024 * 1024
    assert "2000 routes: 2000 failing" in text and "too long for here" in text.splitlines()[-1]


def test_sarif_and_json_lose_none(printed: Printed) -> None:
    """Each finding is a result and a verdict; the upload is a small part of what GitHub takes."""
    text = printed(large(), "sarif")
    (run,) = json.loads(text)["runs"]
    routes = json.loads(printed(large(), "json"))["routes"]
    names = {route.route.name for route in large().routes}
    assert names == {result["properties"]["route"] for result in run["results"]} == {route["name"] for route in routes if route["verdicts"]}
    assert len(gzip.compress(text.encode())) < 10_000_000
    assert len({result["partialFingerprints"]["pomprobe/v1"] for result in run["results"]}) == FINDINGS


def test_more_results_than_github_takes_are_cut_and_counted(printed: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worst stay: a file that is refused as a whole would show nothing."""
    monkeypatch.setattr(sarif, "MOST", 3)
    report = examples.report(examples.expiring(), examples.expired(), examples.nameless(), examples.refusing())
    (run,) = json.loads(printed(report, "sarif"))["runs"]
    assert ["error"] * 3 == [result["level"] for result in run["results"]]
    notes = [note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]]
    assert ["1 more results are in the JSON report alone"] == notes


def test_rules_are_described_within_the_limits(printed: Printed) -> None:
    """GitHub wants a short and a full description of at most 1024 characters, a help text, and few tags."""
    (run,) = json.loads(printed(examples.everything(), "sarif"))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert rules
    for rule in rules:
        assert 0 < len(rule["shortDescription"]["text"]) <= 1024 and 0 < len(rule["fullDescription"]["text"]) <= 1024
        assert rule["help"]["text"] and len(rule["name"]) <= 255 and len(rule["properties"]["tags"]) <= 10


def test_what_is_set_aside_is_suppressed_not_gone(printed: Printed) -> None:
    """Code scanning would take an alert that is gone for one that is mended; this holds for problems of the config too."""
    (run,) = json.loads(printed(examples.known(), "sarif"))["runs"]
    aside = {result["ruleId"] for result in run["results"] if result.get("suppressions")}
    assert {"TCP101", "CFG101"} == aside
