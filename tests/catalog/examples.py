"""The examples of the rules as outcomes, and the recorded answers of real Envoys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pomprobe.catalog import load
from pomprobe.model import Fact, Facts, Failure, Rule, StageName, Timer

DATA = Path(__file__).parent.parent / "data"
CATALOG = load()
ACTIVE = [rule for rule in CATALOG.rules if not rule.retired]
VERSIONS = ("1.37", "1.40")


@dataclass(frozen=True)
class Example:
    """One entry of a rule's `examples`."""

    rule: Rule
    failure: Failure
    stage: StageName
    timer: Timer | None
    facts: Facts

    def __str__(self) -> str:
        return f"{self.rule.code} {self.failure} {dict(self.facts)}"


def examples(rule: Rule, kind: str) -> Iterator[Example]:
    """fires or silent: `failure`, `stage` and `timer` are those of the entry, else the rule's own."""
    entries = rule.examples.get(kind, [])
    assert isinstance(entries, list)
    for entry in entries:
        facts: dict[str, Fact] = dict(entry)
        failure = facts.pop("failure", rule.when["failure"])
        stage = facts.pop("stage", rule.when.get("stage", rule.stage.value))
        timer = facts.pop("timer", None)
        yield Example(rule, Failure(str(failure)), StageName(str(stage)), Timer(str(timer)) if timer else None, facts)


def recorded() -> dict[str, dict[str, Any]]:
    """Row id -> row, of the recorded truth and of what was measured for the catalogue."""
    truth = json.loads((DATA / "truth.json").read_text())
    measured = json.loads((DATA / "measured.json").read_text())["rows"]
    variants = json.loads((DATA / "variants.json").read_text())
    return {name: {"outcomes": outcomes} for name, outcomes in variants.items()} | {row["id"]: row for row in (*truth, *measured)}


ROWS = recorded()


def answers(row: str, version: str) -> set[tuple[int, str, str]]:
    """Every status, flags and details that Envoy of this version gave in the row."""
    return {(o["status"], o["response_flags"], o["response_code_details"]) for o in ROWS[row]["outcomes"][version]}


def evidence(rule: Rule) -> list[str]:
    """The rows that a rule names."""
    assert rule.means is not None
    rows = rule.means["evidence"]
    return [str(row) for row in rows] if isinstance(rows, list) else [str(rows)]
