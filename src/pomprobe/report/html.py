"""One self-contained page: for the browser, a phone, the printer or a mail. No script, nothing is loaded; dark where the system is.

The page gets only cleaned text, and Jinja escapes all of it. Mail programs are why the layout is made of tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, TextIO

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from .. import __version__
from ..model import EndpointOutcomes, Outcome, Report, RouteReport, StageName, Status, Verdict
from . import fold, verbose, words
from .clean import clean, prose
from .conclusion import summary
from .layout import MARKS
from .style import Style
from .waterfall import waterfall

Node = dict[str, Any]
ENDPOINTS = 8
"""Endpoints drawn for a route, worst first; the others are counted, unless verbose."""

CERTIFICATE = (
    *("subject", "issuer", "sans", "not_before", "not_after", "days_left", "chain_length"),
    *("key_type", "self_signed", "tls_version", "cipher", "alpn"),
)


def write(report: Report, out: TextIO, style: Style) -> None:
    """The whole page."""
    out.write(_template().render(_page(report, style)) + "\n")


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("pomprobe.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["coded"] = _coded
    return environment.get_template("report.html")


def _coded(text: str) -> Markup:
    """Prose of the catalogue with its `code` as such; every part is escaped."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a backtick that nothing closes
        return escape(text)
    return Markup("").join(Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in enumerate(parts))


def _page(report: Report, style: Style) -> Node:
    worst = words.worst_first(report.routes)
    well = [] if style.verbose else [r for r in worst if words.standing(r) in (Status.OK, Status.SKIPPED)]
    told = worst[: len(worst) - len(well)]
    groups = [fold.Alike((r,)) for r in told] if style.verbose else fold.routes(told)
    return {
        "version": __version__,
        "config": clean(report.config),
        "started": report.started,
        "elapsed": words.duration(report.elapsed),
        "summary": summary(report),
        "standing": _standing(report).value,
        "counts": [{"status": status.value, "mark": MARKS[status], "count": count} for status, count in words.counts(report)],
        "problems": [_problem(p) for p in fold.problems(report.findings)],
        "routes": [_route(alike, style) for alike in groups],
        "fine": [_glimpse(r) for r in well if r.status is Status.OK],
        "skipped": [_glimpse(r) for r in well if r.status is Status.SKIPPED],
    }


def _standing(report: Report) -> Status:
    statuses = [words.standing(r) for r in report.routes] + [Status.FAILING for f in report.findings if f.severity.value == "error"]
    return min(statuses, key=words.STATUS_ORDER.index, default=Status.UNDETERMINED)


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


def _route(alike: fold.Alike, style: Style) -> Node:
    report = alike.first
    status = words.standing(report)
    probed = sorted(((u, e) for u in report.upstreams for e in u.endpoints), key=lambda pair: _rank(pair[1]))
    drawn = probed if style.verbose else probed[:ENDPOINTS]
    return {
        "name": clean(report.route.name),
        "from": clean(report.route.from_url),
        "to": [clean(u.url) for u in report.route.upstreams],
        "place": clean(report.route.place),
        "status": status.value,
        "mark": MARKS[status],
        "others": alike.others,
        "answers": list(_answers(report)),
        "unknown": "" if report.forecast else prose(words.why_skipped(report) if status is Status.SKIPPED else words.why_unknown(report)),
        "confirmed": prose(report.confirmed),
        "findings": [_finding(seen) for seen in fold.findings(report.verdicts)],
        "names": [_name(u.upstream.url, u.outcomes) for u in report.upstreams if u.outcomes and not u.endpoints],
        "endpoints": [
            {
                "name": clean(e.endpoint),
                "url": clean(u.upstream.url),
                "bars": waterfall((*u.outcomes, *e.outcomes), report.cluster),
                "certificate": _certificate(e),
                "facts": list(_facts((*u.outcomes, *e.outcomes))),
            }
            for u, e in drawn
        ],
        "more": len(probed) - len(drawn),
        "settings": [(clean(key), clean(value)) for key, value in verbose.settings(report.cluster)] if report.cluster else [],
    }


def _rank(endpoint: EndpointOutcomes) -> int:
    return min((words.STATUS_ORDER.index(o.status) for o in endpoint.outcomes if o.status is not Status.SKIPPED), default=9)


def _answers(report: RouteReport) -> Iterator[Node]:
    for entry, share, count in fold.answers(report.forecast, fold.endpoint_names(report)):
        yield {
            "share": words.capital(f"{words.share(share)} {words.gets(share)}"),
            "percent": f"{100 * share:.2f}",
            "good": words.good(entry.reply),
            "answer": clean(words.answer(entry.reply)),
            "details": "" if words.own(entry.reply) else clean(entry.reply.response_code_details),
            "more": f"and {count - 1} more that differ in the address alone" if count > 1 else "",
            "note": prose(entry.note),
        }


def _finding(seen: fold.Seen) -> Node:
    verdict: Verdict = seen.verdict
    return {
        "code": verdict.rule.code,
        "name": verdict.rule.name,
        "severity": verdict.severity.value,
        "title": prose(seen.title),
        "at": seen.at,
        "why": prose(seen.why),
        "fixes": [prose(fix) for fix in seen.fixes],
        "place": clean(seen.place),
        "see": [clean(url) for url in verdict.rule.see if url.startswith(("https://", "http://"))],
    }


def _name(url: str, outcomes: Sequence[Outcome]) -> Node:
    return {"url": clean(url), "facts": list(_facts(outcomes))}


def _facts(outcomes: Sequence[Outcome]) -> Iterator[Node]:
    for outcome in outcomes:
        facts = [(clean(key).replace("_", " "), clean(verbose.said(value))) for key, value in outcome.facts.items()]
        yield {
            "stage": outcome.stage.value,
            "status": outcome.status.value,
            "facts": facts + ([("error", clean(outcome.error))] if outcome.error else []),
        }


def _certificate(endpoint: EndpointOutcomes) -> list[tuple[str, str]]:
    facts = next((o.facts for o in endpoint.outcomes if o.stage is StageName.TLS), {})
    return [(key.replace("_", " "), clean(verbose.said(facts[key]))) for key in CERTIFICATE if key in facts]


def _glimpse(report: RouteReport) -> Node:
    slowest = words.slowest(report)
    limit = words.limit(report.cluster)
    times = "" if slowest is None else words.duration(slowest) + (f" of {words.duration(limit)}" if limit else "")
    note = words.why_skipped(report) if report.status is Status.SKIPPED else next((v.title for v in report.verdicts), "")
    return {
        "name": clean(report.route.name),
        "from": clean(report.route.from_url),
        "answers": ", ".join(dict.fromkeys(str(e.reply.status) for e in report.forecast)),
        "times": times,
        "note": prose(note),
    }
