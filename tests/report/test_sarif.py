"""The SARIF report: what code scanning needs of it (SARIF 2.1.0, and GitHub's page on SARIF support)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from pomprobe.model import Endpoint, Place
from pomprobe.record import replace
from pomprobe.report.clean import clean

from . import examples
from .conftest import Printed


def run(text: str) -> Any:
    log = json.loads(text)
    assert "2.1.0" == log["version"]
    (only,) = log["runs"]
    return only


@pytest.mark.parametrize("case", examples.CASES)
def test_every_result_points_at_its_rule_and_at_a_line(case: str, printed: Printed) -> None:
    """Rule, level, message, location from 1, fingerprint."""
    report = run(printed(examples.CASES[case](), "sarif"))
    rules = [rule["id"] for rule in report["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules)
    for result in report["results"]:
        assert result["ruleId"] == rules[result["ruleIndex"]]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        region = result["locations"][0]["physicalLocation"]["region"]
        assert region["startLine"] >= 1 and region["startColumn"] >= 1
        assert 64 == len(result["partialFingerprints"]["pomprobe/v1"])


def test_a_result_stands_at_the_upstream_s_line(printed: Printed) -> None:
    """The finding is at the `to` entry; the route is a related place; the message has answer and fix."""
    (result,) = run(printed(examples.report(examples.expired()), "sarif"))["results"]
    place = result["locations"][0]["physicalLocation"]
    assert ("pomerium.yaml", 21) == (place["artifactLocation"]["uri"], place["region"]["startLine"])
    assert 20 == result["relatedLocations"][0]["physicalLocation"]["region"]["startLine"]
    assert f"Users see 503 UF {examples.EXPIRED.response_code_details}" in result["message"]["text"]
    assert "Fix: Renew the certificate" in result["message"]["text"]


def test_one_finding_on_several_endpoints_is_one_result(printed: Printed) -> None:
    """The endpoints are properties of it."""
    (result,) = run(printed(examples.report(examples.refusing()), "sarif"))["results"]
    assert ["10.0.0.2:8080", "10.0.0.3:8080"] == result["properties"]["endpoints"]
    assert 0.666667 == result["properties"]["share"]


def test_the_fingerprint_stays_when_lines_and_addresses_move(printed: Printed) -> None:
    """Another run, another line, another address: the same alert. Another route: another one."""

    def fingerprint(route: Any) -> str:
        (result,) = run(printed(examples.report(route), "sarif"))["results"]
        return str(result["partialFingerprints"]["pomprobe/v1"])

    route = examples.expired()
    moved = replace(route, verdicts=(replace(route.verdicts[0], endpoint=Endpoint("10.9.9.9", 443), place=Place("pomerium.yaml", 99, 1)),))
    assert fingerprint(route) == fingerprint(moved)
    assert fingerprint(route) != fingerprint(examples.expired("other"))


def test_what_is_not_known_is_a_notification(printed: Printed) -> None:
    """It is no result, and it is not silent."""
    notes = run(printed(examples.everything(), "sarif"))["invocations"][0]["toolExecutionNotifications"]
    assert ["odd", "slow"] == sorted(note["message"]["text"].partition(" ")[0] for note in notes)


def test_files_are_uris(printed: Printed) -> None:
    """Hostile and absolute names are valid URIs and come back."""
    (config, finding) = run(printed(examples.hostile(), "sarif"))["results"]
    uri = finding["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert clean(f"dir/{examples.HOSTILE}.yaml") == unquote(uri)
    assert uri.isascii() and "<" not in uri
    assert config["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri
    problem = replace(examples.finding(), place=Place("/etc/pomerium/config file.yaml", 1, 1))
    (result,) = run(printed(examples.report(findings=[problem]), "sarif"))["results"]
    assert "file:///etc/pomerium/config%20file.yaml" == result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]


def test_help_pages_are_web_pages(printed: Printed) -> None:
    """A `see` that is no web page is left out."""
    rules = run(printed(examples.hostile(), "sarif"))["tool"]["driver"]["rules"]
    assert ["https"] == [urlsplit(rule["helpUri"]).scheme for rule in rules if "helpUri" in rule]
