"""pomprobe rules: the catalogue for people and for scripts."""

from __future__ import annotations

import json

from pomprobe.catalog import load

from .program import Ended, pomprobe


def test_the_catalogue_is_listed() -> None:
    """A line a rule, those of one stage where that is asked for."""
    lines = pomprobe("rules", "--stage", "dns").out.splitlines()
    assert lines and all(line.startswith("DNS") for line in lines)


def test_scripts_get_every_rule_whole() -> None:
    """Code, name, stage, severity, title, why, fixes and what users see: what a dashboard needs to explain a code."""
    rules = {rule["rule"]: rule for rule in json.loads(pomprobe("rules", "-o", "json").out)}
    assert {rule.code for rule in load().rules if not rule.retired} == set(rules)
    expired = rules["TLS102"]
    assert ("certificate-expired", "tls", "error") == (expired["name"], expired["stage"], expired["severity"])
    assert ("503", "UF") == (expired["means"]["status"], expired["means"]["response_flags"]) and expired["fixes"]


def test_another_format_is_wrong_usage() -> None:
    """One line that says what there is."""
    assert Ended(2, "", "pomprobe: --output yaml: one of text, json\n") == pomprobe("rules", "-o", "yaml")
