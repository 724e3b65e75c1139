"""SARIF 2.1.0 for code scanning: a result at the line of the config that the finding is about."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, TextIO
from urllib.parse import quote

from .. import __version__
from ..model import Place, Report, RouteReport, Rule, Severity, Verdict
from . import fold, identity, words
from .clean import clean, prose
from .style import Style

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "pomprobe/v1"
Node = dict[str, Any]


def write(report: Report, out: TextIO, style: Style) -> None:
    """One log with one run."""
    rules = list({rule.code: rule for rule in _rules(report)}.values())
    index = {rule.code: number for number, rule in enumerate(rules)}
    results = [result | {"ruleIndex": index[result["ruleId"]]} for result in _results(report)]
    run: Node = {
        "tool": {"driver": {"name": "pomprobe", "version": __version__, "rules": [_rule(r) for r in rules]}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report)],
        "results": results,
    }
    json.dump({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, out, indent=2)
    out.write("\n")


def _rules(report: Report) -> Iterator[Rule]:
    yield from (finding.rule for finding in report.findings)
    yield from (verdict.rule for verdict in report.problems)
    yield from (suppressed.what.rule for route in report.routes for suppressed in route.suppressed)


def _rule(rule: Rule) -> Node:
    node: Node = {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.name.replace("-", " ").capitalize()},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"tags": [rule.stage.value]},
    }
    page = next((url for url in rule.see if url.startswith(("https://", "http://"))), None)
    return node | ({"helpUri": quote(clean(page), safe=":/?#[]@!$&'()*+,;=%~")} if page else {})


def _results(report: Report) -> Iterator[Node]:
    for finding in report.findings:
        yield {
            "ruleId": finding.rule.code,
            "level": LEVELS[finding.severity],
            "message": {"text": "\n".join([prose(finding.message), *(f"Fix: {prose(fix)}" for fix in finding.fixes)])},
            "locations": [_location(finding.place)],
            "partialFingerprints": {FINGERPRINT: _fingerprint(identity.of_finding(finding))},
        }
    for route in report.routes:
        for seen in fold.findings(route.verdicts):
            yield _result(route, seen)
        for suppressed in route.suppressed:
            if isinstance(suppressed.what, Verdict):
                (seen,) = fold.findings([suppressed.what])
                yield _result(route, seen) | {"suppressions": [{"kind": "external", "justification": clean(suppressed.by)}]}


def _result(route: RouteReport, seen: fold.Seen) -> Node:
    verdict = seen.verdict
    lines = [f"{clean(route.route.name)}: {prose(seen.title)}{seen.at}"]
    if verdict.means is not None:
        lines.append(f"Users see {clean(words.answer(verdict.means))} {clean(verdict.means.response_code_details)}")
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


def _invocation(report: Report) -> Node:
    """What could not be judged is no result: it is a notification."""
    unknown = [r for r in report.routes if words.standing(r) in words.UNKNOWN]
    notes = [
        {
            "level": "warning",
            "message": {"text": f"{clean(r.route.name)} is not known: {prose(words.why_unknown(r))}"},
            "locations": [_location(r.route.place)],
        }
        for r in unknown
    ]
    return {"executionSuccessful": not report.interrupted, "startTimeUtc": report.started, "toolExecutionNotifications": notes}
