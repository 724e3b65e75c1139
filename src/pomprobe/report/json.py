"""The JSON report, schema_version 1: the contract for scripts (schema/report.schema.json).

Times are seconds, the order is the config's, the shares of a route add up to 1. Keys that may be absent carry nothing when they are.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TextIO

from .. import __version__
from ..model import (
    EndpointOutcomes,
    EnvoyReply,
    Fact,
    Finding,
    ForecastEntry,
    Outcome,
    Place,
    Report,
    RouteReport,
    Status,
    UpstreamOutcomes,
    Verdict,
)
from ..record import replace, to_json
from .clean import clean, prose
from .style import Style
from .unforeseen import ssh

SCHEMA_VERSION = 1
MILLIONTHS = 1_000_000

LARGE = 200
"""Endpoints or verdicts from which on a route's text is not made as a whole, which would be faster."""

Document = dict[str, Any]


def write(report: Report, out: TextIO, style: Style) -> None:
    """One document, plain ASCII: each problem and route on a line of its own, written one by one (ten thousand take 60 MiB at once)."""
    out.write(json.dumps(head(report), indent=2, allow_nan=False).removesuffix("\n}"))
    _write_list(out, "problems", ((line(problem(finding)),) for finding in report.findings))
    _write_list(out, "routes", map(_pieces, report.routes))
    out.write("\n}\n")


def _write_list(out: TextIO, key: str, documents: Iterable[Iterable[str]]) -> None:
    out.write(f',\n  "{key}": [')
    end = "]"
    for number, pieces in enumerate(documents):
        out.write(",\n    " if number else "\n    ")
        out.writelines(pieces)
        end = "\n  ]"
    out.write(end)


def _pieces(report: RouteReport) -> Iterable[str]:
    """The text of one route; of a large one piece by piece, made as it is written: four thousand addresses take 30 MB at once."""
    if len(report.verdicts) < LARGE and all(len(upstream.endpoints) < LARGE for upstream in report.upstreams):
        return (line(route(report)),)
    document = route(replace(report, verdicts=(), upstreams=()))
    document["verdicts"] = _Each(verdict, report.verdicts)
    document["upstreams"] = [
        _upstream(replace(one, endpoints=())) | {"endpoints": _Each(_endpoint, one.endpoints)} for one in report.upstreams
    ]
    return json.JSONEncoder(allow_nan=False).iterencode(document)


def line(document: Document, *, spaced: bool = True) -> str:
    """One line in plain ASCII; what is ASCII already takes a fifth of the time of Python's own writer."""
    with suppress(UnicodeEncodeError, OverflowError):  # half a surrogate pair, 2**64
        made = to_json(document, spaced=spaced)
        if made.isascii():
            return made.decode()
    return json.dumps(document, allow_nan=False, separators=None if spaced else (",", ":"))


class _Each(list[Any]):
    """Items that are made while they are written: iterencode walks through a list by iteration."""

    def __init__(self, make: Callable[[Any], Document], items: Sequence[object]) -> None:
        super().__init__(items)
        self._make = make

    def __iter__(self) -> Iterator[Document]:
        return map(self._make, super().__iter__())


def document(report: Report) -> Document:
    """The report as plain data."""
    return head(report) | {"problems": [problem(f) for f in report.findings], "routes": [route(r) for r in report.routes]}


def head(report: Report) -> Document:
    """What stands above the problems and routes."""
    document: Document = {
        "schema_version": SCHEMA_VERSION,
        "pomprobe": __version__,
        "config": clean(report.config),
        "started": report.started,
        "elapsed": _seconds(report.elapsed),
        "summary": summary(report),
    }
    if report.interrupted:
        document["interrupted"] = True
    if report.suppressed:
        document["suppressed"] = [problem(s.what) | {"by": clean(s.by)} for s in report.suppressed if isinstance(s.what, Finding)]
    return document


def summary(report: Report) -> dict[str, int]:
    """How many routes came out how; `bug` only where there is one."""
    counts = {status.value: sum(r.status is status for r in report.routes) for status in Status}
    if not counts[Status.BUG.value]:
        del counts[Status.BUG.value]
    return {"routes": len(report.routes)} | counts


def problem(finding: Finding) -> Document:
    """One problem of the config itself."""
    return {
        "code": finding.rule.code,
        "severity": finding.severity.value,
        "message": prose(finding.message),
        "place": place(finding.place),
        "fixes": [prose(fix) for fix in finding.fixes],
    }


def place(place: Place) -> Document:
    """Where a value stands."""
    return {"file": clean(place.file), "line": place.line, "column": place.column, "path": clean(place.path)}


def route(report: RouteReport) -> Document:
    """Everything about one route."""
    document: Document = {
        "name": clean(report.route.name),
        "from": clean(report.route.from_url),
        "place": place(report.route.place),
        "status": report.status.value,
        "forecast": forecast(report.forecast),
        "verdicts": [verdict(v) for v in report.verdicts],
        "upstreams": [_upstream(u) for u in report.upstreams],
    }
    if report.suppressed:
        document["suppressed"] = [verdict(s.what) | {"by": clean(s.by)} for s in report.suppressed if isinstance(s.what, Verdict)]
    if report.status in (Status.FAILING, Status.OK) and (said := ssh(report)):
        document["ssh"] = said
    if report.confirmed:
        document["confirmed"] = prose(report.confirmed)
    if report.outcomes:
        document["outcomes"] = [outcome(o) for o in report.outcomes]
    if report.route.serves:
        document["serves"] = prose(report.route.serves)
    return document


def forecast(entries: Sequence[ForecastEntry]) -> list[Document]:
    """The answers with their shares, rounded so that they still add up to 1."""
    return [
        {"share": share} | reply(entry.reply) | {"rule": entry.rule} | ({"note": prose(entry.note)} if entry.note else {})
        for entry, share in zip(entries, shares([e.share for e in entries]), strict=True)
    ]


def shares(exact: Sequence[float]) -> list[float]:
    """Shares in whole millionths: the largest remainders are rounded up, so that the sum stays what it was."""
    scaled = [share * MILLIONTHS for share in exact]
    whole = [math.floor(s) for s in scaled]
    missing = round(sum(scaled)) - sum(whole)
    for i in sorted(range(len(exact)), key=lambda i: whole[i] - scaled[i])[:missing]:
        whole[i] += 1
    return [w / MILLIONTHS for w in whole]


def reply(reply: EnvoyReply) -> Document:
    """Envoy's answer: status, flags, the documented code and the details word for word."""
    return {
        "status": reply.status,
        "response_flags": clean(reply.response_flags),
        "code": clean(reply.code),
        "response_code_details": clean(reply.response_code_details),
    }


def verdict(verdict: Verdict) -> Document:
    """A finding with its words."""
    return {
        "rule": verdict.rule.code,
        "name": verdict.rule.name,
        "severity": verdict.severity.value,
        "title": prose(verdict.title),
        "why": prose(verdict.why),
        "fixes": [prose(fix) for fix in verdict.fixes],
        "see": [clean(url) for url in verdict.rule.see],
        "stage": verdict.stage.value,
        "upstream": clean(verdict.upstream.url) if verdict.upstream else None,
        "endpoint": clean(verdict.endpoint) if verdict.endpoint else None,
        "means": reply(verdict.means) if verdict.means else None,
        "place": place(verdict.place),
    }


def _upstream(upstream: UpstreamOutcomes) -> Document:
    return {
        "url": clean(upstream.upstream.url),
        "weight": upstream.upstream.weight,
        "endpoints": [_endpoint(e) for e in upstream.endpoints],
        "outcomes": [outcome(o) for o in upstream.outcomes],
    }


def _endpoint(endpoint: EndpointOutcomes) -> Document:
    document: Document = {
        "address": clean(endpoint.endpoint.address),
        "port": endpoint.endpoint.port,
        "outcomes": [outcome(o) for o in endpoint.outcomes],
    }
    if endpoint.samples:
        document["samples"] = [[outcome(o) for o in walk] for walk in endpoint.samples]
    return document


def outcome(outcome: Outcome) -> Document:
    """How one stage came out."""
    return {
        "stage": outcome.stage.value,
        "status": outcome.status.value,
        "failure": outcome.failure.value if outcome.failure else None,
        "timer": outcome.timer.value if outcome.timer else None,
        "elapsed": _seconds(outcome.elapsed),
        "facts": {name: fact(value) for name, value in outcome.facts.items()},  # the names are ours
        "error": clean(outcome.error),
    }


def fact(value: Fact) -> object:
    """A fact as JSON has it: tuples are lists, what is no finite number is text."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, tuple):
        return [clean(item) for item in value]
    return value


def _seconds(elapsed: float) -> float:
    return round(elapsed, 6)
