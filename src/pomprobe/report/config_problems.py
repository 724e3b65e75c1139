"""Problems of the config itself, in the report for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..model import Finding, Severity, Status
from . import fold
from .clean import clean, prose
from .layout import ASCII_MARKS, MARKS, Page, Span

PLACES = 8
"""Further places of one rule that are named, unless verbose."""


def errors(findings: Sequence[Finding], page: Page) -> Iterator[str]:
    """Those that Pomerium or Envoy would refuse: they come before everything else."""
    return _told(fold.problems([f for f in findings if f.severity is Severity.ERROR]), page)


def others(findings: Sequence[Finding], page: Page) -> Iterator[str]:
    """Warnings and notes, each rule explained once; every one in full with --verbose."""
    milder = [f for f in findings if f.severity is not Severity.ERROR]
    folded = fold.problems(milder)
    return _told([fold.Problem(f) for p in folded for f in (p.first, *p.others)] if page.style.verbose else folded, page)


def fixes(texts: Sequence[str], page: Page) -> Iterator[str]:
    """What to do, one arrow each."""
    for fix in texts:
        yield from page.flow([("→" if page.style.unicode else "->", "fix"), (" " + prose(fix), "")], indent=4, hang=6)


def _told(problems: Sequence[fold.Problem], page: Page) -> Iterator[str]:
    for problem in problems:
        finding = problem.first
        yield from page.flow(
            [_mark(finding, page), (f" {finding.rule.code} ", finding.severity.value), (clean(finding.place), "place")], hang=2
        )
        yield from page.flow([(prose(finding.message), "")], indent=2)
        yield from fixes(finding.fixes, page)
        if problem.others:
            yield from page.flow([("also at " + fold.listed(problem.also, PLACES), "dim")], indent=4, hang=6)
        yield ""


def _mark(finding: Finding, page: Page) -> Span:
    marks = MARKS if page.style.unicode else ASCII_MARKS
    if finding.severity is Severity.INFO:
        return "·" if page.style.unicode else "-", "info"
    status = Status.FAILING if finding.severity is Severity.ERROR else Status.WARNING
    return marks[status], status.value
