"""SARIF 2.1.0 for code scanning: a result at the line of the config that the finding is about.

GitHub refuses an upload of more than 25 000 results, shows 5 000 of them (by severity), ten tags of a rule, and wants of a rule a
short and a full description of at most 1024 characters, and a help text (its page "SARIF support for code scanning").
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, TextIO
from urllib.parse import quote

from .. import __version__
from ..catalog import plain
from ..model import Finding, Place, Report, RouteReport, Rule, Severity, Verdict
from . import fold, identity, words
from .clean import clean, prose
from .style import Style

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
PROBLEM = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "pomprobe/v1"
MOST = 25_000
"""Results of a run; what is beyond is counted in a notification, the worst come first."""

DESCRIPTION = 1024
"""Characters of a rule's descriptions."""
Node = dict[str, Any]


def write(report: Report, out: TextIO, style: Style) -> None:
    """One log with one run."""
    rules = list({rule.code: rule for rule in _rules(report)}.values())
    index = {rule.code: number for number, rule in enumerate(rules)}
    results = [result | {"ruleIndex": index[result["ruleId"]]} for result in _results(report)]
    left_out = len(results) - MOST
    if left_out > 0:
        results = sorted(results, key=lambda result: ("error", "warning", "note").index(result["level"]))[:MOST]
    run: Node = {
        "tool": {"driver": {"name": "pomprobe", "version": __version__, "rules": [_rule(r) for r in rules]}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report, max(0, left_out))],
        "results": results,
    }
    json.dump({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, out, indent=2)
    out.write("\n")


def _rules(report: Report) -> Iterator[Rule]:
    yield from (finding.rule for finding in report.findings)
    yield from (verdict.rule for verdict in report.problems)
    yield from (suppressed.what.rule for _, suppressed in words.suppressed(report))


def _rule(rule: Rule) -> Node:
    why = plain(rule.why)
    node: Node = {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": plain(rule.title)[:DESCRIPTION]},
        "fullDescription": {"text": (why or plain(rule.title))[:DESCRIPTION]},
        "help": {"text": "\n".join([why or plain(rule.title), *(f"- {plain(fix)}" for fix in rule.fixes)])},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"tags": [rule.stage.value], "problem.severity": PROBLEM[rule.severity]},
    }
    page = next((url for url in rule.see if url.startswith(("https://", "http://"))), None)
    return node | ({"helpUri": quote(clean(page), safe=":/?#[]@!$&'()*+,;=%~")} if page else {})


def _results(report: Report) -> Iterator[Node]:
    for finding in report.findings:
        yield _of_config(finding)
    for suppressed in report.suppressed:
        if isinstance(suppressed.what, Finding):
            yield _of_config(suppressed.what) | _aside(suppressed.by)
    for route in report.routes:
        for seen in fold.findings(route.verdicts):
            yield _result(route, seen)
        for suppressed in route.suppressed:
            if isinstance(suppressed.what, Verdict):
                (seen,) = fold.findings([suppressed.what])
                yield _result(route, seen) | _aside(suppressed.by)


def _aside(by: str) -> Node:
    """It stays in the file: code scanning would take an alert that is not for one that is mended."""
    return {"suppressions": [{"kind": "inSource" if by.startswith("comment") else "external", "justification": clean(by)}]}


def _of_config(finding: Finding) -> Node:
    return {
        "ruleId": finding.rule.code,
        "level": LEVELS[finding.severity],
        "message": {"text": "\n".join([prose(finding.message), *(f"Fix: {prose(fix)}" for fix in finding.fixes)])},
        "locations": [_location(finding.place)],
        "partialFingerprints": {FINGERPRINT: _fingerprint(identity.of_finding(finding))},
    }


def _result(route: RouteReport, seen: fold.Seen) -> Node:
    verdict = seen.verdict
    lines = [f"{clean(route.route.name)}: {prose(seen.title)}{seen.at}"]
    if verdict.means is not None:
        lines.append(f"Users see {clean(words.answer(verdict.means))} {clean(verdict.means.response_code_details)}")
    lines += [words.capital(prose(route.confirmed))] if route.confirmed else []
    lines += [prose(seen.why)] if seen.why else []
    lines += [f"Fix: {prose(fix)}" for fix in seen.fixes]
    properties: Node = {
        "route": clean(route.route.name),
        "stage": verdict.stage.value,
        "upstream": clean(verdict.upstream.url) if verdict.upstream else None,
        "endpoints": list(seen.endpoints),
        "share": round(sum(entry.share for entry in route.forecast if entry.rule == verdict.rule.code), 6),
    }
    if verdict.means is not None:
        properties |= {"status": verdict.means.status, "response_flags": clean(verdict.means.response_flags)}
        properties["response_code_details"] = clean(verdict.means.response_code_details)
    if route.confirmed:
        properties["confirmed"] = prose(route.confirmed)
    return {
        "ruleId": verdict.rule.code,
        "level": LEVELS[verdict.severity],
        "message": {"text": "\n".join(lines)},
        "locations": [_location(seen.place) | {"logicalLocations": [{"name": clean(route.route.name), "kind": "object"}]}],
        "relatedLocations": [_location(route.route.place) | {"id": 1, "message": {"text": "the route"}}],
        "partialFingerprints": {FINGERPRINT: _fingerprint(identity.of_verdict(route, verdict))},
        "properties": properties,
    }


def _location(place: Place) -> Node:
    region = {"startLine": max(1, place.line), "startColumn": max(1, place.column)}
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(place.file)}, "region": region}}


def _uri(file: str) -> str:
    path = PurePosixPath(clean(file))
    return ("file://" if path.is_absolute() else "") + quote(str(path))


def _fingerprint(identity: identity.Identity) -> str:
    return hashlib.sha256("\x00".join(identity).encode()).hexdigest()


def _invocation(report: Report, left_out: int) -> Node:
    """What could not be judged is no result: it is a notification."""
    unknown = [r for r in report.routes if words.standing(r) in words.UNKNOWN]
    notes: list[Node] = [
        {
            "level": "warning",
            "message": {"text": f"{clean(r.route.name)} is not known: {prose(words.why_unknown(r))}"},
            "locations": [_location(r.route.place)],
        }
        for r in unknown
    ]
    if left_out:
        notes.append({"level": "warning", "message": {"text": f"{left_out} more results are in the JSON report alone"}})
    return {"executionSuccessful": not report.interrupted, "startTimeUtc": report.started, "toolExecutionNotifications": notes}
