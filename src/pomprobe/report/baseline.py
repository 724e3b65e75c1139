"""A baseline: a JSON report of before, whose findings are known (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..model import Report, Severity
from . import identity
from .clean import clean
from .json import SCHEMA_VERSION
from .suppress import moved
from .words import SEVERITY_ORDER


class BaselineError(ValueError):
    """What was given is no JSON report of this schema; the message is for people."""


Known = Mapping[identity.Identity, Severity]
"""Findings, and how bad each was."""


def read(text: str) -> Known:
    """The findings of a JSON report, or of its JSON lines. Raises BaselineError."""
    try:
        known: dict[identity.Identity, Severity] = {}
        for found, severity in (pair for document in _documents(text) for pair in _findings(document)):
            known[found] = min(severity, known.get(found, severity), key=SEVERITY_ORDER.index)
        return known
    except json.JSONDecodeError as error:
        raise BaselineError(f"not JSON (line {error.lineno}: {error.msg}); write it with -o json=FILE") from error
    except BaselineError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BaselineError("not a JSON report of pomprobe; write it with -o json=FILE") from error


def _documents(text: str) -> list[dict[str, Any]]:
    try:
        documents = [json.loads(text)]
    except json.JSONDecodeError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        documents = [json.loads(line) for line in lines]
    version = documents[-1]["schema_version"]
    if version != SCHEMA_VERSION:
        raise BaselineError(f"schema_version {clean(version)}, not {SCHEMA_VERSION}; write it anew with -o json=FILE")
    return documents


def _findings(document: dict[str, Any]) -> Iterator[tuple[identity.Identity, Severity]]:
    for problem in document["problems"] if document.get("type") != "route" else ():
        yield (str(problem["code"]), "", str(problem["place"]["path"]), str(problem["message"])), Severity(problem["severity"])
    for route in {"route": [document], "summary": []}.get(document.get("type", "")) or document.get("routes", []):
        for verdict in route["verdicts"]:
            found = (str(verdict["rule"]), str(route["name"]), str(route["from"]), str(verdict["upstream"] or ""))
            yield found, Severity(verdict["severity"])


def without(report: Report, known: Known) -> tuple[Report, set[identity.Identity]]:
    """The report without the findings of the baseline, and those of the baseline that it has. One that got worse is new."""
    met: set[identity.Identity] = set()

    def by(found: identity.Identity, severity: Severity) -> str | None:
        if found not in known:
            return None
        met.add(found)
        return "baseline" if SEVERITY_ORDER.index(severity) >= SEVERITY_ORDER.index(known[found]) else None

    left = moved(report, lambda r, v: by(identity.of_verdict(r, v), v.severity), lambda f: by(identity.of_finding(f), f.severity))
    return left, met


def only_new(report: Report, known: Known) -> tuple[Report, int]:
    """The report without the findings of the baseline, and how many of those have gone."""
    left, met = without(report, known)
    return left, len(known.keys() - met)
