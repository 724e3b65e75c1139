"""What the HTML page says of one route, as plain nodes of cleaned text for its template (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..model import EndpointOutcomes, Facts, Outcome, RouteReport, StageName, Status, Verdict
from . import fold, verbose, words
from .clean import clean, prose
from .layout import MARKS
from .unforeseen import unforeseen
from .waterfall import waterfall

Node = dict[str, Any]

ENDPOINTS = 8
"""Endpoints of a route that are told of, worst first; the others are counted, unless verbose."""

NAMED = 60
"""Routes named beside the first of a group that came out the same way."""


def cause(cause: fold.Cause, anchors: Mapping[int, str]) -> Node:
    """One line of the overview: a finding, the routes that have it, and what their users get.

    anchors: id() of a group -> the id of its card.
    """
    first = cause.groups[0].first
    answers = (clean(words.answered(e)) for g in cause.groups for e in g.first.forecast if not words.good(e.reply))
    return {
        **_standing(first),
        "title": prose(cause.title) or _unknown(first),
        "code": cause.code,
        "count": words.plural(cause.routes, "route"),
        "routes": [{"name": clean(g.first.route.name), "id": anchors.get(id(g), ""), "more": len(g.others)} for g in cause.groups[:NAMED]],
        "left": sum(len(g.routes) for g in cause.groups[NAMED:]),
        "answers": ", ".join(dict.fromkeys(answers)),
    }


def card(alike: fold.Alike, anchor: str, *, brief: bool, facts: bool, verbose_: bool) -> Node:
    """Everything about a route, or about several that came out alike.

    brief: without what another card explained already; facts: with every fact and setting, for whoever opens them.
    """
    report = alike.first
    probed = sorted(((u, e) for u in report.upstreams for e in u.endpoints), key=lambda pair: _rank(pair[1]))
    told = probed if verbose_ else probed[:ENDPOINTS]
    names = [u for u in report.upstreams if u.outcomes and not u.endpoints]
    return {
        **_standing(report),
        "id": anchor,
        "name": clean(report.route.name),
        "from": clean(report.route.from_url),
        "to": [clean(u.url) for u in report.route.upstreams],
        "place": f"{clean(report.route.place.file)}:{report.route.place.line}",
        "others": fold.listed(alike.others, len(alike.others) if verbose_ else NAMED) if alike.others else "",
        "more": len(alike.others),
        "answers": [_answer(entry, share, count) for entry, share, count in _answers(report)],
        "unknown": _unknown(report) if not report.forecast else "",
        "confirmed": prose(report.confirmed),
        "findings": [_finding(seen) for seen in fold.findings(report.verdicts)],
        "brief": brief,
        "endpoints": [_endpoint(u.upstream.url, u.outcomes, e, report, drawn=not brief and (n == 0 or verbose_), facts=facts)
                      for n, (u, e) in enumerate(told)],
        "names": [{"url": clean(u.upstream.url), "facts": list(_facts(u.outcomes))} for u in names if facts],
        "left": len(probed) - len(told),
        "settings": [(clean(k), clean(v)) for k, v in verbose.settings(report.cluster)] if report.cluster and facts else [],
    }  # fmt: skip


def glimpse(report: RouteReport) -> Node:
    """One line for a route that is well, or skipped."""
    slowest, limit = words.slowest(report), words.limit(report.cluster)
    times = "" if slowest is None else words.duration(slowest) + (f" of {words.duration(limit)}" if limit else "")
    note = words.why_skipped(report) if report.status is Status.SKIPPED else next((v.title for v in report.verdicts), "")
    return {
        "name": clean(report.route.name),
        "answers": clean(words.glimpsed(report)),
        "status": Status.SKIPPED.value if words.known(report) else report.status.value,
        "mark": MARKS[Status.SKIPPED if words.known(report) else report.status],
        "times": times,
        "note": prose(note),
    }


def _standing(report: RouteReport) -> Node:
    status = words.standing(report)
    return {"status": status.value, "mark": MARKS[status]}

def _answers(report: RouteReport) -> Sequence[tuple[Any, float, int]]:
    return fold.answers(report.forecast, fold.endpoint_names(report))


def _answer(entry: Any, share: float, count: int) -> Node:
    return {
        "share": words.capital(f"{words.share(share)} {words.gets(share)}"),
        "percent": f"{100 * share:.2f}",
        "good": words.good(entry.reply),
        "answer": clean(words.answered(entry)),
        "details": "" if words.own(entry.reply) else clean(entry.reply.response_code_details),
        "more": f"and {count - 1} more that differ in the address alone" if count > 1 else "",
        "note": prose(entry.note),
    }


def _unknown(report: RouteReport) -> str:
    return prose(unforeseen(report))


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


def _endpoint(
    url: str, resolved: Sequence[Outcome], endpoint: EndpointOutcomes, report: RouteReport, *, drawn: bool, facts: bool
) -> Node:
    outcomes = (*resolved, *endpoint.outcomes)
    worst = min((o.status for o in endpoint.outcomes), key=words.STATUS_ORDER.index, default=Status.SKIPPED)
    failed = next((words.failure(o.failure) for o in endpoint.outcomes if o.failure and o.status is worst), "")
    return {
        "name": clean(endpoint.endpoint),
        "url": clean(url) if len(report.upstreams) > 1 else "",
        "status": worst.value,
        "mark": MARKS[worst],
        "said": failed,
        "bars": waterfall(outcomes, report.cluster),
        "drawn": drawn,
        "certificate": _certificate(endpoint),
        "facts": list(_facts(outcomes)) if facts else [],
    }


def _rank(endpoint: EndpointOutcomes) -> int:
    return min((words.STATUS_ORDER.index(o.status) for o in endpoint.outcomes if o.status is not Status.SKIPPED), default=9)


def _facts(outcomes: Sequence[Outcome]) -> Iterator[Node]:
    for outcome in outcomes:
        facts = [(clean(key).replace("_", " "), clean(verbose.said(value))) for key, value in outcome.facts.items()]
        yield {
            "stage": outcome.stage.value,
            "status": outcome.status.value,
            "facts": facts + ([("error", clean(outcome.error))] if outcome.error else []),
        }


def _certificate(endpoint: EndpointOutcomes) -> str:
    """The certificate in one sentence, as far as it was seen."""
    facts: Facts = next((o.facts for o in endpoint.outcomes if o.stage is StageName.TLS), {})

    def fact(name: str) -> str:
        return clean(verbose.said(facts[name])) if facts.get(name) not in (None, "", ()) else ""

    if not fact("subject"):
        return ""
    valid = " ".join(f"{word} {fact(key)[:10]}" for word, key in (("from", "not_before"), ("to", "not_after")) if fact(key))
    parts = [
        fact("subject"),
        f"for {fact('sans')}" if fact("sans") else "for no name",
        "signed by itself" if facts.get("self_signed") else f"issued by {fact('issuer')}" if fact("issuer") else "",
        f"valid {valid}" if valid else "",
        ", ".join(filter(None, (fact("key_type"), fact("tls_version")))),
    ]
    return "; ".join(filter(None, parts))
