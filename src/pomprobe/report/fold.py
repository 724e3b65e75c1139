"""The same finding said once: endpoints, answers and routes that differ in nothing but names are told together (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..model import Finding, ForecastEntry, Place, RouteReport, Severity, Verdict
from ..record import Record
from .clean import clean
from .words import SEVERITY_ORDER, standing

MARK = "\x00"


class Seen(Record, frozen=True):
    """One finding and the endpoints it was seen on. Its words name the endpoints together."""

    verdict: Verdict
    endpoints: tuple[str, ...]
    title: str
    why: str
    fixes: tuple[str, ...]
    place: Place

    @property
    def at(self) -> str:
        """The endpoints in brackets, unless the title names them all."""
        return f" ({listed(self.endpoints)})" if any(e not in clean(self.title) for e in self.endpoints) else ""


class Problem(Record, frozen=True):
    """A problem of the config, and others of the same rule that it can speak for."""

    first: Finding
    others: tuple[Finding, ...] = ()

    @property
    def also(self) -> list[str]:
        """Where else, in short within the same file."""
        file = self.first.place.file
        return [clean(f"{p.path} (line {p.line})" if p.file == file else p) for p in (f.place for f in self.others)]


class Alike(Record, frozen=True):
    """Routes that came out the same way for the same reason; the first one speaks for all."""

    routes: tuple[RouteReport, ...]

    @property
    def first(self) -> RouteReport:
        return self.routes[0]

    @property
    def others(self) -> list[str]:
        """The other routes with their lines."""
        return [f"{clean(r.route.name)} (line {r.route.place.line})" for r in self.routes[1:]]


class Cause(Record, frozen=True):
    """Groups of routes that came out badly by the same rule, or that nothing is known of."""

    groups: tuple[Alike, ...]

    @property
    def routes(self) -> int:
        """How many there are."""
        return sum(len(alike.routes) for alike in self.groups)

    @property
    def names(self) -> list[str]:
        """Of the routes, cleaned."""
        return [clean(report.route.name) for alike in self.groups for report in alike.routes]

    @property
    def code(self) -> str:
        """Of the rule; empty where there is none."""
        first = self.groups[0].first
        return first.verdicts[0].rule.code if first.verdicts else ""

    @property
    def title(self) -> str:
        """The finding, at its endpoints where they are the same; or the name of the rule where it says something else of each group."""
        first = [seen[0] for alike in self.groups if (seen := findings(alike.first.verdicts))]
        for titles in ({one.title + one.at for one in first}, {one.title for one in first}):
            if len(titles) == 1:
                return titles.pop()
        rule = self.groups[0].first.verdicts[0].rule if self.groups[0].first.verdicts else None
        return rule.name.replace("-", " ").capitalize() if rule is not None else ""


def findings(verdicts: Sequence[Verdict]) -> list[Seen]:
    """A route's verdicts, each finding once, in their order."""
    groups: dict[object, list[Verdict]] = {}
    for verdict in verdicts:
        key = (
            verdict.rule.code,
            verdict.severity,
            verdict.upstream and verdict.upstream.url,
            _neutral(verdict.title, _endpoint_names(verdict)),
        )
        groups.setdefault(key, []).append(verdict)
    return [_seen(group) for group in groups.values()]


def problems(found: Sequence[Finding]) -> list[Problem]:
    """Problems of the config, worst first: an error stands for itself, of the others those of one rule stand together."""
    groups: dict[object, list[Finding]] = {}
    for number, finding in enumerate(sorted(found, key=lambda f: SEVERITY_ORDER.index(f.severity))):
        key = number if finding.severity is Severity.ERROR else (finding.rule.code, finding.severity)
        groups.setdefault(key, []).append(finding)
    return [Problem(first, tuple(others)) for first, *others in groups.values()]


def answers(entries: Sequence[ForecastEntry], names: Sequence[str]) -> list[tuple[ForecastEntry, float, int]]:
    """Answers that differ in an address alone: (the first, the share of all, how many they were)."""
    groups: dict[object, list[ForecastEntry]] = {}
    marks = dict.fromkeys(names, "endpoint")
    for entry in entries:
        key = (entry.reply.status, entry.reply.response_flags, _neutral(entry.reply.response_code_details, marks), entry.note)
        groups.setdefault(key, []).append(entry)
    return [(group[0], sum(e.share for e in group), len(group)) for group in groups.values()]


def routes(reports: Sequence[RouteReport]) -> list[Alike]:
    """Routes with the same upstreams, answers and findings, told together; in the order of the first of each."""
    groups: dict[object, list[RouteReport]] = {}
    for report in reports:
        groups.setdefault(_likeness(report), []).append(report)
    return [Alike(tuple(group)) for group in groups.values()]


def causes(groups: Sequence[Alike]) -> list[Cause]:
    """Groups of routes by their standing and the rule of their first finding, in the order of the first of each."""
    found: dict[object, list[Alike]] = {}
    for alike in groups:
        rule = alike.first.verdicts[0].rule.code if alike.first.verdicts else ""
        found.setdefault((standing(alike.first), rule), []).append(alike)
    return [Cause(tuple(those)) for those in found.values()]


def endpoint_names(report: RouteReport) -> list[str]:
    """Every way in which an endpoint of this route is named, longest first."""
    endpoints = [e.endpoint for u in report.upstreams for e in u.endpoints]
    return sorted({name for e in endpoints for name in (str(e), e.address)}, key=len, reverse=True)


def listed(items: Sequence[str], most: int = 3) -> str:
    """Items in words: "a, b and c", or "a, b and 7 more"."""
    if len(items) == 1:
        return items[0]
    if len(items) <= most:
        return f"{', '.join(items[:-1])} and {items[-1]}"
    return f"{', '.join(items[: most - 1])} and {len(items) - most + 1} more"


def _likeness(report: RouteReport) -> object:
    own = {
        report.route.name: "route",
        report.route.from_url: "from",
        report.route.from_host: "host",
        **{str(u.upstream.place): "to" for u in report.upstreams},
    }
    said = tuple((v.rule.code, v.severity, *(_neutral(text, own) for text in (v.title, *v.fixes))) for v in report.verdicts)
    replies = tuple((round(e.share, 6), e.reply, e.note) for e in report.forecast)
    if not said:
        return id(report)
    return report.status, tuple(u.upstream.url for u in report.upstreams), replies, said


def _endpoint_names(verdict: Verdict) -> dict[str, str]:
    if verdict.endpoint is None:
        return {}
    return {str(verdict.endpoint): "endpoint", verdict.endpoint.address: "address"}


def _neutral(text: str, names: Mapping[str, str]) -> str:
    """The text with each name replaced by a mark; longer names first, whole words only."""
    known = sorted((name for name in names if name and name in text), key=len, reverse=True)  # a pattern of thousands takes megabytes
    if not known:
        return text
    pattern = r"(?<![\w.-])(?:" + "|".join(map(re.escape, known)) + r")(?![\w-])"
    return re.sub(pattern, lambda m: f"{MARK}{names[m[0]]}{MARK}", text)


def _seen(group: Sequence[Verdict]) -> Seen:
    first = group[0]
    fixes: dict[str, list[Verdict]] = {}
    for verdict in group:
        for fix in verdict.fixes:
            fixes.setdefault(_neutral(fix, _endpoint_names(verdict)), []).append(verdict)
    endpoints = tuple(dict.fromkeys(clean(v.endpoint) for v in group if v.endpoint is not None))
    title, why = (_named(_neutral(text, _endpoint_names(first)), group) for text in (first.title, first.why))
    return Seen(first, endpoints, title, why, tuple(dict.fromkeys(_named(fix, those) for fix, those in fixes.items())), first.place)


def _named(neutral: str, verdicts: Sequence[Verdict]) -> str:
    """The text again, with the endpoints of all these verdicts where one stood."""
    endpoints = [v.endpoint for v in verdicts if v.endpoint is not None]
    for mark, names in (("endpoint", [str(e) for e in endpoints]), ("address", [e.address for e in endpoints])):
        if names:
            neutral = neutral.replace(f"{MARK}{mark}{MARK}", listed(list(dict.fromkeys(names))))
    return neutral
