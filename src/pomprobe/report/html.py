"""One self-contained page: for the browser, a phone, the printer or a mail. No script, nothing is loaded; dark where the system is.

The page gets only cleaned text, and Jinja escapes all of it. Mail programs are why the layout is made of tables, why what matters is
said by attributes too (some drop the style sheet), and why a mail's page has a size that it keeps below.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any, TextIO

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from .. import __version__
from ..model import Report, RouteReport, Severity, Status
from . import fold, words
from .cards import card, cause, glimpse
from .clean import clean, prose
from .conclusion import summary
from .layout import MARKS
from .style import Style

Node = dict[str, Any]

FULL = 8
"""Cards with the drawing and all of the words; of further ones only what no card before them said, unless verbose."""

MAIL = 95_000
"""Bytes of a mail's page: Gmail cuts what is longer than 102 KB."""

HUES = {
    "failing": "#c62828", "error": "#c62828", "bug": "#7048a8", "undetermined": "#7048a8", "warning": "#b26a00", "info": "#5c6570",
    "skipped": "#7b8794", "ok": "#2e7d32",
}  # fmt: skip
"""Status or severity -> its colour on white."""


def write(report: Report, out: TextIO, style: Style) -> None:
    """The whole page."""
    out.write(_rendered(report, verbose=style.verbose) + "\n")


def for_mail(report: Report) -> str:
    """The page without the facts that a reader would have to open, and with as many routes as mail programs show."""
    for most in (1000, 300, 100, 50, 25, 12, 6):
        page = _rendered(report, facts=False, most=most)
        if len(page.encode()) <= MAIL:
            break
    return page


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("pomprobe.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["coded"] = _coded
    environment.filters["seams"] = _seams
    return environment.get_template("report.html")


def _coded(text: str) -> Markup:
    """Prose of the catalogue with its `code` as such; every part is escaped."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a backtick that nothing closes
        return escape(text)
    return Markup("").join(Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in enumerate(parts))


def _seams(text: str) -> Markup:
    """Text that may be wrapped behind the separators of a URL or of Envoy's details, rather than inside a word."""
    return Markup("<wbr>").join(re.findall(r"[^/|{}:,;&?]*[/|{}:,;&?]+|[^/|{}:,;&?]+", text))


def _rendered(report: Report, *, verbose: bool = False, facts: bool = True, most: int | None = None) -> str:
    """most: routes of a kind that are told of at most."""
    return _template().render(_page(report, verbose, facts, most))


def _page(report: Report, verbose: bool, facts: bool, most: int | None) -> Node:
    worst = words.worst_first(report.routes)
    well = [] if verbose else [r for r in worst if words.standing(r) in (Status.OK, Status.SKIPPED)]
    told = worst[: len(worst) - len(well)]
    groups = [fold.Alike((r,)) for r in told] if verbose else fold.routes(told)
    fine = [r for r in well if r.status is Status.OK]
    skipped = [r for r in well if r.status is Status.SKIPPED]
    problems = fold.problems(report.findings)
    anchors = {id(alike): f"route-{number}" for number, alike in enumerate(groups[:most])}
    return {
        "version": __version__,
        "hues": HUES,
        "config": clean(report.config),
        "started": report.started.replace("T", " ").replace("Z", " UTC"),
        "elapsed": words.duration(report.elapsed),
        "summary": summary(report),
        "standing": _standing(report).value,
        "mark": MARKS[_standing(report)],
        "counts": [_count(status, count, len(worst)) for status, count in words.counts(report)],
        "errors": [_problem(p) for p in problems[:most] if p.first.severity is Severity.ERROR],
        "hints": [_problem(p) for p in problems[:most] if p.first.severity is not Severity.ERROR],
        "problems_left": len(problems[most:]) if most else 0,
        "causes": [cause(one, anchors) for one in fold.causes(groups)] if len(groups) > 1 else [],
        "routes": list(_cards(groups[:most], anchors, verbose, facts)),
        "routes_left": len(groups[most:]) if most else 0,
        "fine": [glimpse(r) for r in fine[:most]],
        "fine_said": _fine(fine),
        "skipped": [glimpse(r) for r in skipped[:most]],
        "skipped_said": words.plural(len(skipped), "route") + " skipped",
        "well_left": len(fine[most:]) + len(skipped[most:]) if most else 0,
    }


def _cards(groups: list[fold.Alike], anchors: dict[int, str], verbose: bool, facts: bool) -> Iterator[Node]:
    told: set[str] = set()
    for number, alike in enumerate(groups):
        codes = {v.rule.code for v in alike.first.verdicts}
        brief = number >= FULL and not verbose and codes <= told
        yield card(alike, anchors[id(alike)], brief=brief, facts=facts, verbose_=verbose)
        told |= codes


def _standing(report: Report) -> Status:
    statuses = [words.standing(r) for r in report.routes] + [Status.FAILING for f in report.findings if f.severity is Severity.ERROR]
    return min(statuses, key=words.STATUS_ORDER.index, default=Status.UNDETERMINED)


def _count(status: Status, count: int, total: int) -> Node:
    said = {Status.OK: "fine", Status.UNDETERMINED: "not known", Status.WARNING: "with warnings"}.get(status, status.value)
    return {"status": status.value, "mark": MARKS[status], "said": f"{count} {said}", "percent": f"{100 * count / total:.2f}"}


def _fine(routes: list[RouteReport]) -> str:
    """The healthy routes at a glance."""
    seen = Counter(e.reply.status for r in routes for e in r.forecast)
    answers = ", ".join(f"{count} × {status}" for status, count in seen.most_common(4))
    times = [(seconds, r.route.name) for r in routes if (seconds := words.slowest(r)) is not None]
    slowest = f"; the slowest is {clean(max(times)[1])}, {words.duration(max(times)[0])}" if len(times) > 1 else ""
    said = f"{words.plural(len(routes), 'route')} {'is' if len(routes) == 1 else 'are'} fine"
    return said + (f": {answers}" if answers else "") + slowest


def _problem(problem: fold.Problem) -> Node:
    finding = problem.first
    return {
        "also": problem.also,
        "code": finding.rule.code,
        "severity": finding.severity.value,
        "place": clean(finding.place),
        "message": prose(finding.message),
        "fixes": [prose(fix) for fix in finding.fixes],
    }
