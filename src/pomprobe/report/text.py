"""The report for people: one screen, worst first, the fix below the finding, healthy routes at a glance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TextIO

from ..model import Finding, ForecastEntry, Place, Report, RouteKind, RouteReport, Status
from . import config_problems, fold, words
from .clean import clean, prose
from .conclusion import conclusion
from .layout import ASCII_MARKS, MARKS, Page, Span
from .style import Style
from .timeline import timeline
from .unforeseen import unforeseen
from .verbose import details

FULL = 8
"""Routes that are told in full; of further ones only what no route before them said, unless verbose."""

GLANCE = 6
"""Healthy or skipped routes that get a line each; more are counted."""

NAMED = 40
"""Routes named beside the first of a group that came out the same way."""

NAMES_OF_CAUSE = 5
"""Routes named in a line of the overview."""

ENDPOINTS = 6
"""Endpoints listed below a finding, unless verbose."""


def write(report: Report, out: TextIO, style: Style) -> None:
    """The whole report, ended by one sentence that sums up."""
    for line in _Text(report, style).lines():
        out.write(line + "\n")


class _Text:
    """Lays one report out. What was explained once (`told`: codes of rules, details of answers) is not explained again."""

    def __init__(self, report: Report, style: Style) -> None:
        self.report = report
        self.style = style
        self.page = Page(style)
        self.told: set[str] = set()

    def lines(self) -> Iterator[str]:
        yield from config_problems.errors(self.report.findings, self.page)
        worst = words.worst_first(self.report.routes)
        well = 0 if self.style.verbose else sum(words.standing(r) in (Status.OK, Status.SKIPPED) for r in worst)
        shown, quiet = worst[: len(worst) - well], worst[len(worst) - well :]
        groups = [fold.Alike((r,)) for r in shown] if self.style.verbose else fold.routes(shown)
        for number, alike in enumerate(groups):
            brief = number >= FULL and not self.style.verbose and {v.rule.code for v in alike.first.verdicts} <= self.told
            yield from self._route(alike, brief)
            yield ""
        if len(groups) > FULL:
            yield from self._overview(groups)
        yield from config_problems.others(self.report.findings, self.page)
        for status in (Status.SKIPPED, Status.OK):
            yield from self._glance(status, [r for r in quiet if r.status is status])
        if quiet:
            yield ""
        if self.style.verbose:
            for service in self.report.services:
                yield from self._service(service)
            yield from self._suppressed()
        yield from self.page.flow(conclusion(self.report))

    def _overview(self, groups: Sequence[fold.Alike]) -> Iterator[str]:
        """What the screens above said, for whoever sees the last one: a line for each cause."""
        for cause in fold.causes(groups):
            first = cause.groups[0].first
            said = prose(cause.title) or ("not known: " + prose(words.why_unknown(first)))
            status = words.standing(first)
            spans: list[Span] = [self._mark(status), (f" {words.plural(cause.routes, 'route')}  ", "name"), (cause.code, status.value)]
            yield from self.page.flow([*spans, (f" {said}  ", ""), (fold.listed(cause.names, NAMES_OF_CAUSE), "dim")], hang=4)
        yield ""

    # ---------------------------------------------------------------- a route

    def _route(self, alike: fold.Alike, brief: bool) -> Iterator[str]:
        report = alike.first
        yield from self._head(report, alike)
        names = fold.endpoint_names(report)
        for entry, share, count in fold.answers(report.forecast, names):
            yield from self._answer(entry, share, count, brief)
        if not report.forecast:
            yield from self._unforeseen(report)
        if report.confirmed:
            role = "good" if report.confirmed.startswith("confirmed") else "warning"
            yield from self.page.flow([(prose(report.confirmed), role)], indent=2, hang=4)
        if not brief:
            for line in timeline(report, unicode=self.style.unicode):
                yield from self.page.flow(line, indent=2, hang=4)
        advised: set[str] = set()
        for seen in fold.findings(report.verdicts):
            yield from self._seen(seen, [fix for fix in seen.fixes if fix not in advised], brief)
            advised.update(seen.fixes)
        if self.style.verbose:
            yield from details(report, self.page)

    def _service(self, report: RouteReport) -> Iterator[str]:
        """The connections to one of Pomerium's own services."""
        place = f"  {_line_of(report.route.place)}"
        yield from self.page.flow([(clean(report.route.name), "name"), (", Pomerium's own service", ""), (place, "place")], hang=4)
        yield from details(report, self.page)
        yield ""

    def _head(self, report: RouteReport, alike: fold.Alike) -> Iterator[str]:
        status = words.standing(report)
        spans: list[Span] = [self._mark(status), (" ", ""), (clean(report.route.name), "name")]
        if len(alike.routes) > 1:
            spans.append((f" and {words.plural(len(alike.routes) - 1, 'more route')}", "name"))
        targets = list(dict.fromkeys(clean(u.url) for u in report.route.upstreams))
        if len(alike.routes) == 1 and report.route.from_url.partition("://")[2] != report.route.name:
            spans.append((f"  {clean(report.route.from_url)}", ""))
        if targets:
            spans.append((f" → {fold.listed(targets)}", ""))
        yield from self.page.flow([*spans, (f"  {_line_of(report.route.place)}", "place")], hang=4)
        if len(alike.routes) > 1:
            yield from self.page.flow([("the same for " + fold.listed(alike.others, NAMED), "dim")], indent=2, hang=4)

    def _answer(self, entry: ForecastEntry, share: float, count: int, brief: bool) -> Iterator[str]:
        reply = entry.reply
        said = words.capital(f"{words.share(share)} {words.gets(share)} ")
        tail = f" ({prose(entry.note)})" if entry.note else ""
        role = "good" if words.good(reply) else "failing"
        yield from self.page.flow([(said, ""), (clean(words.answered(entry)), role), (tail, "dim")], indent=2, hang=4)
        if words.own(reply) or (brief and reply.response_code_details in self.told):
            return
        self.told.add(reply.response_code_details)
        alike = f" (and {count - 1} more that differ in the address alone)" if count > 1 else ""
        yield from self.page.flow([(clean(reply.response_code_details), "details"), (alike, "dim")], indent=4)

    def _unforeseen(self, report: RouteReport) -> Iterator[str]:
        if said := unforeseen(report, brief=True):
            said = words.capital(said) if report.route.kind is RouteKind.SSH and report.status is Status.FAILING else said
            yield from self.page.flow([(prose(said), "")], indent=2, hang=4)

    # ---------------------------------------------------------------- a finding

    def _seen(self, seen: fold.Seen, fixes: Sequence[str], brief: bool) -> Iterator[str]:
        """One finding. fixes: without those that this route's findings have told already."""
        verdict = seen.verdict
        title: list[Span] = [(verdict.rule.code, verdict.severity.value), (" " + prose(seen.title), "")]
        yield from self.page.flow([*title, (f"  {clean(seen.place)}", "place")], indent=2, hang=4)
        if any(e not in prose(" ".join((seen.title, *seen.fixes))) for e in seen.endpoints):
            most = len(seen.endpoints) if self.style.verbose else ENDPOINTS
            yield from self.page.flow([("at " + fold.listed(seen.endpoints, most), "dim")], indent=4, hang=7)
        first = verdict.rule.code not in self.told
        self.told.add(verdict.rule.code)
        if seen.why and (first or self.style.verbose):
            yield from self.page.flow([(prose(seen.why), "")], indent=4)
        yield from config_problems.fixes(fixes[: 1 if brief else None], self.page)
        if self.style.verbose:
            for url in verdict.rule.see:
                yield from self.page.flow([("see " + clean(url), "dim")], indent=4, hang=8)

    def _suppressed(self) -> Iterator[str]:
        aside = words.suppressed(self.report)
        for name, suppressed in aside:
            about = clean(name) or clean(suppressed.what.place)
            said = suppressed.what.message if isinstance(suppressed.what, Finding) else suppressed.what.title
            spans: list[Span] = [
                (f"suppressed: {suppressed.what.rule.code} ", "dim"),
                (f"{about}: {prose(said)}", ""),
                (f" ({clean(suppressed.by)})", "dim"),
            ]
            yield from self.page.flow(spans, hang=2)
        if aside:
            yield ""

    # ---------------------------------------------------------------- what is fine

    def _glance(self, status: Status, routes: Sequence[RouteReport]) -> Iterator[str]:
        if len(routes) > GLANCE:
            yield from self.page.flow([self._mark(status), (" " + _counted(status, routes), "")], hang=2)
            return
        for report in routes:
            yield self.page.one(
                [self._mark(status), (" ", ""), (clean(report.route.name), "name"), ("  ", ""), *_glimpse(report, self.style)]
            )

    def _mark(self, status: Status) -> Span:
        return (MARKS if self.style.unicode else ASCII_MARKS)[status], status.value


def _glimpse(report: RouteReport, style: Style) -> list[Span]:
    if report.status is Status.SKIPPED:
        return [("skipped: " + prose(words.why_skipped(report)), "dim")]
    answers = clean(words.glimpsed(report)) or "nothing was asked"
    times = next(iter(timeline(report, unicode=style.unicode)), [])
    note = next((f"  {v.rule.code} {prose(v.title)}" for v in report.verdicts), "")
    note += f"  {words.plural(len(report.suppressed), 'finding')} suppressed" if report.suppressed else ""
    return [(answers, "dim" if words.known(report) else "good"), (note, "info"), ("  ", ""), *times]


def _counted(status: Status, routes: Sequence[RouteReport]) -> str:
    if status is Status.SKIPPED:
        reasons = Counter(prose(words.why_skipped(r)) for r in routes)
        return (
            f"{len(routes)} routes skipped: "
            + "; ".join(f"{count} × {reason}" for reason, count in reasons.most_common(3))
            + ("; …" if len(reasons) > 3 else "")
        )
    seen = Counter(e.reply.status for r in routes for e in r.forecast)
    said = ", ".join(f"{count} × {status}" for status, count in seen.most_common(4))
    return f"{len(routes)} routes are fine" + (f" ({said})" if said else "")


def _line_of(place: Place) -> str:
    return f"{clean(place.file)}:{place.line}"
