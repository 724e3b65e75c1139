"""Annotations for GitHub's workflow logs (`::error file=…,line=…::message`), within the limits that GitHub sets.

GitHub shows at most 10 annotations of a type per step: the worst come first, and one annotation tells of the rest.
Escapes: actions/toolkit packages/core/src/command.ts (% CR LF, in properties also : and ,). For the step summary: -o markdown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TextIO

from ..model import Place, Report, Severity
from ..record import Record
from . import fold, words
from .clean import clean, prose
from .conclusion import summary
from .style import Style

MOST = 10
"""Annotations of a type that GitHub shows for one step."""

TYPES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
LONGEST = 2000
"""Characters of a message; the page folds longer ones."""


class _Annotation(Record, frozen=True):
    type: str
    place: Place
    title: str
    message: str


def write(report: Report, out: TextIO, style: Style) -> None:
    """The annotations, worst first, and the summary as an ordinary line of the log."""
    found = list(_annotations(report))
    for type in TYPES.values():
        these = _varied([a for a in found if a.type == type])
        shown = these if len(these) <= MOST else these[: MOST - 1]
        for annotation in shown:
            out.write(_command(annotation) + "\n")
        if rest := these[len(shown) :]:
            out.write(_command(_together(rest)) + "\n")
    out.write(f"pomprobe: {summary(report)}\n")


def _varied(annotations: list[_Annotation]) -> list[_Annotation]:
    """One of each rule first, so that the ten that are shown tell of everything; otherwise the order stays."""
    seen: Counter[str] = Counter()
    ranked = []
    for annotation in annotations:
        rule = annotation.title.partition(" ")[0]
        ranked.append((seen[rule], annotation))
        seen[rule] += 1
    return [annotation for _, annotation in sorted(ranked, key=lambda pair: pair[0])]


def _annotations(report: Report) -> Iterator[_Annotation]:
    for finding in report.findings:
        fixes = "".join(f"\nFix: {prose(fix)}" for fix in finding.fixes)
        yield _Annotation(TYPES[finding.severity], finding.place, finding.rule.code, prose(finding.message) + fixes)
    for alike in fold.routes(words.worst_first(report.routes)):
        route = alike.first
        for seen in fold.findings(route.verdicts):
            yield _of_finding(alike, seen)
        if words.standing(route) in words.UNKNOWN and not route.verdicts:
            yield _Annotation("warning", route.route.place, f"{clean(route.route.name)}: not known", prose(words.why_unknown(route)))


def _of_finding(alike: fold.Alike, seen: fold.Seen) -> _Annotation:
    route, verdict = alike.first, seen.verdict
    lines = [prose(seen.title) + seen.at]
    lines += [clean(words.capital(words.foreseen(e))) for e in route.forecast if e.rule == verdict.rule.code]
    lines += [words.capital(prose(route.confirmed))] if route.confirmed else []
    lines += [f"Fix: {prose(fix)}" for fix in seen.fixes]
    if alike.others:
        lines.append(f"The same for {words.plural(len(alike.others), 'more route')}: " + ", ".join(alike.others))
    return _Annotation(TYPES[verdict.severity], seen.place, f"{verdict.rule.code} {clean(route.route.name)}", "\n".join(lines))


def _together(rest: list[_Annotation]) -> _Annotation:
    lines = [f"{a.title} ({clean(a.place.file)}:{a.place.line})" for a in rest]
    return _Annotation(rest[0].type, rest[0].place, f"{len(rest)} more of this kind", "\n".join(lines))


def _command(annotation: _Annotation) -> str:
    place = annotation.place
    properties = {"file": clean(place.file), "line": str(max(1, place.line)), "col": str(max(1, place.column)), "title": annotation.title}
    said = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{annotation.type} {said}::{_data(annotation.message[:LONGEST])}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
