"""Findings that somebody knows of: --suppress, comments in the config, and a baseline. They move aside, they do not vanish (pure).

A suppression that nothing needed is said: a misspelt one must not look as if it worked.
"""

from __future__ import annotations

import fnmatch
import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence

from ..model import Config, Finding, Place, Report, Route, RouteReport, Severity, Status, Suppressed, Verdict
from ..record import Record, replace
from . import words
from .clean import clean

By = str | None
"""Where it was said that a finding is known; None: it was not."""


class Suppression(Record, frozen=True):
    """One --suppress: a rule's code, and a pattern (as in a shell) on a route's name or `from`; "*" is every route and the config."""

    rule: str
    route: str = "*"

    @classmethod
    def parse(cls, text: str) -> Suppression:
        """Read RULE or RULE=ROUTE. Raises ValueError."""
        rule, equals, route = text.partition("=")
        if not rule or (equals and not route):
            raise ValueError(f"--suppress {clean(text)}: write a rule's code, or CODE=ROUTE")
        return cls(rule.upper(), route or "*")

    def __str__(self) -> str:
        return clean(f"--suppress {self.rule}" + ("" if self.route == "*" else f"={self.route}"))

    def covers(self, route: Route) -> bool:
        """Is it about this route?"""
        return any(fnmatch.fnmatchcase(name, self.route) for name in (route.name, route.key_name, route.from_host, route.from_url))


def suppress(report: Report, suppressions: Sequence[Suppression], rules: Collection[str] = ()) -> tuple[Report, list[str]]:
    """The report without what --suppress names, and what is wrong with the suppressions. rules: every code there is, if known."""
    used: set[Suppression] = set()

    def by(rule: str, route: Route | None) -> By:
        for suppression in suppressions:
            if suppression.rule == rule and (suppression.route == "*" or (route is not None and suppression.covers(route))):
                used.add(suppression)
                return str(suppression)
        return None

    left = moved(report, lambda r, v: by(v.rule.code, r.route), lambda f: by(f.rule.code, _route_of(f, report)))
    return left, [_unused(s, report, rules) for s in dict.fromkeys(suppressions) if s not in used]


def _route_of(finding: Finding, report: Report) -> Route | None:
    """The route in whose keys a problem of the config stands."""
    index = re.match(r"routes\[(\d+)\]", finding.place.path)
    same = (r.route for r in report.routes if index and r.route.index == int(index[1]) and r.route.place.file == finding.place.file)
    return next(same, None)


def _unused(suppression: Suppression, report: Report, rules: Collection[str]) -> str:
    if rules and suppression.rule not in rules:
        return f"{suppression}: there is no rule {clean(suppression.rule)}"
    if not any(suppression.covers(r.route) for r in report.routes):
        return f"{suppression}: no route is called {clean(suppression.route)}"
    return f"{suppression}: nothing to suppress"


class Comments:
    """The `# pomprobe: ignore CODE` comments of a config, and which of them something needed so far.

    A comment counts for the whole route in which it stands; outside of the routes for the line that it is about.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._starts = sorted(route.place.line for route in config.routes)
        self._used: set[tuple[int, str]] = set()

    def without(self, report: Report) -> Report:
        """The report without what the comments name. It may be one of some routes only."""
        if not self._config.suppressions:
            return report
        return moved(
            report,
            lambda r, v: self._by(v.rule.code, v.place, r.route.place.line),
            lambda f: self._by(f.rule.code, f.place, self._home(f.place.line) if f.place.path.startswith("routes[") else None),
        )

    def unused(self) -> list[str]:
        """The comments that nothing needed, a sentence each."""
        left = [(line, code) for line, code in self._config.suppressions if (line, code) not in self._used]
        return [f"{clean(self._config.file)}:{line}: ignore {clean(code)}: nothing to suppress" for line, code in left]

    def _home(self, line: int) -> int | None:
        before = bisect_right(self._starts, line)
        return self._starts[before - 1] if before else None

    def _by(self, rule: str, place: Place, start: int | None) -> By:
        for line, code in self._config.suppressions:
            here = line == place.line or (start is not None and self._home(line) == start)
            if place.file == self._config.file and code == rule and here:
                self._used.add((line, code))
                return f"comment at {clean(self._config.file)}:{line}"
        return None


def by_comments(report: Report, config: Config) -> tuple[Report, list[str]]:
    """The report without what the comments of this config name, and the comments that nothing needed."""
    comments = Comments(config)
    return comments.without(report), comments.unused()


def moved(report: Report, verdict: Callable[[RouteReport, Verdict], By], finding: Callable[[Finding], By]) -> Report:
    """The report with every finding set aside of which `verdict` or `finding` says by what it is known."""
    sorted_out = [(f, finding(f)) for f in report.findings]
    return replace(
        report,
        findings=tuple(f for f, by in sorted_out if by is None),
        suppressed=(*report.suppressed, *(Suppressed(f, by) for f, by in sorted_out if by is not None)),
        routes=tuple(_route(r, verdict) for r in report.routes),
    )


def _route(report: RouteReport, verdict: Callable[[RouteReport, Verdict], By]) -> RouteReport:
    sorted_out = [(v, verdict(report, v)) for v in report.verdicts]
    aside = tuple(Suppressed(v, by) for v, by in sorted_out if by is not None)
    if not aside:
        return report
    left = replace(report, verdicts=tuple(v for v, by in sorted_out if by is None), suppressed=(*report.suppressed, *aside))
    return replace(left, status=_status(left))


def _status(report: RouteReport) -> Status:
    """The status that the remaining verdicts give; an answer whose every verdict is set aside counts no more."""
    excused = {s.what.rule.code for s in report.suppressed} - {v.rule.code for v in report.verdicts}
    severities = {v.severity for v in report.verdicts}
    if Severity.ERROR in severities or any(not words.own(e.reply) and e.rule not in excused for e in report.forecast):
        return Status.FAILING
    if any(o.status in words.UNKNOWN for o in words.outcomes(report)):
        return Status.UNDETERMINED
    return Status.WARNING if Severity.WARNING in severities else Status.OK
