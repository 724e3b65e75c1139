"""One line a route, to paste into a chat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from ..model import Report, RouteReport, Severity, Status
from . import fold, words
from .clean import ascii_only, clean, prose
from .conclusion import summary
from .layout import ASCII_MARKS, COLORS, MARKS
from .style import Style
from .unforeseen import unforeseen


def write(report: Report, out: TextIO, style: Style) -> None:
    """Errors of the config, what is not well, worst first, further problems of the config, what is well, and the summary."""
    errors = [p for p in fold.problems(report.findings) if p.first.severity is Severity.ERROR]
    others = [p for p in fold.problems(report.findings) if p.first.severity is not Severity.ERROR]
    worst = words.worst_first(report.routes)
    well = [r for r in worst if words.standing(r) in (Status.OK, Status.SKIPPED)]
    for problem in errors:
        out.write(_ascii(problem_line(problem), style.unicode) + "\n")
    _routes(worst[: len(worst) - len(well)], out, style)
    for problem in others:
        out.write(_ascii(problem_line(problem), style.unicode) + "\n")
    _routes(well, out, style)
    out.write(_ascii(summary(report), style.unicode) + "\n")


def problem_line(problem: fold.Problem) -> str:
    """A problem of the config on one line, with how often else it is there."""
    finding = problem.first
    more = f" (and {words.plural(len(problem.others), 'more place')})" if problem.others else ""
    return f"{finding.severity} {clean(finding.place)} {finding.rule.code} {prose(finding.message)}{more}"


def _routes(routes: Sequence[RouteReport], out: TextIO, style: Style) -> None:
    for route in routes:
        said = line(route, unicode=style.unicode)
        out.write((f"\x1b[{COLORS[words.standing(route).value]}m{said}\x1b[0m" if style.color else said) + "\n")


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
    parts += [f"({prose(report.confirmed.partition(':')[0])})"] if report.confirmed else []
    parts += ["(known)"] if words.known(report) else []
    return _ascii(" ".join(parts), unicode)


def _answers(report: RouteReport, standing: Status) -> str:
    if standing is Status.SKIPPED or not report.forecast:
        return prose(unforeseen(report))
    answers = []
    for entry in report.forecast:
        details = "" if words.own(entry.reply) else " " + clean(entry.reply.response_code_details)
        share = "" if entry.share >= 0.9995 else f"{100 * entry.share:.0f} % "
        status = str(entry.reply.status) if words.own(entry.reply) else clean(words.answer(entry.reply))
        answers.append(f"{share}{status}{details}")
    return ", ".join(answers)


def _ascii(text: str, unicode: bool) -> str:
    return text if unicode else ascii_only(text)
