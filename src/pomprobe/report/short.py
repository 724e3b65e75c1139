"""One line a route, to paste into a chat."""

from __future__ import annotations

from typing import TextIO

from ..model import Report, RouteReport, Status
from . import fold, words
from .clean import ascii_only, clean, prose
from .conclusion import summary
from .layout import ASCII_MARKS, COLORS, MARKS
from .style import Style


def write(report: Report, out: TextIO, style: Style) -> None:
    """Problems of the config, the routes worst first, and the summary."""
    for finding in report.findings:
        out.write(_ascii(f"{finding.severity} {clean(finding.place)} {finding.rule.code} {prose(finding.message)}", style.unicode) + "\n")
    for route in words.worst_first(report.routes):
        said = line(route, unicode=style.unicode)
        out.write((f"\x1b[{COLORS[words.standing(route).value]}m{said}\x1b[0m" if style.color else said) + "\n")
    out.write(_ascii(summary(report), style.unicode) + "\n")


def line(report: RouteReport, *, unicode: bool = True) -> str:
    """A route on one line: mark, name, what users get, the findings with their endpoints, the first fix."""
    status = words.standing(report)
    parts = [(MARKS if unicode else ASCII_MARKS)[status], clean(report.route.name) + ":", _answers(report, status)]
    bad = [v for v in report.verdicts if v.severity in words.SEVERITY_ORDER[:2]] or list(report.verdicts[:1])
    rules: dict[str, list[str]] = {}
    for verdict in bad:
        where = rules.setdefault(f"{verdict.rule.code} {verdict.rule.name}", [])
        if verdict.endpoint is not None and clean(verdict.endpoint) not in where:
            where.append(clean(verdict.endpoint))
    parts += [f"· {name}" + (f" at {fold.listed(where)}" if where else "") for name, where in rules.items()]
    return _ascii(" ".join(parts), unicode)


def _answers(report: RouteReport, standing: Status) -> str:
    if standing is Status.SKIPPED:
        return "skipped: " + prose(words.why_skipped(report))
    if not report.forecast:
        return "not known: " + prose(words.why_unknown(report))
    answers = []
    for entry in report.forecast:
        details = "" if words.own(entry.reply) else " " + clean(entry.reply.response_code_details)
        share = "" if entry.share >= 0.9995 else f"{100 * entry.share:.0f} % "
        status = str(entry.reply.status) if words.own(entry.reply) else clean(words.answer(entry.reply))
        answers.append(f"{share}{status}{details}")
    return ", ".join(answers)


def _ascii(text: str, unicode: bool) -> str:
    return text if unicode else ascii_only(text)
