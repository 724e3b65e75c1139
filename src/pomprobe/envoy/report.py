"""What a real Envoy answered, beside the forecast: for people and for scripts (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from ..model import EnvoyReply, RouteReport, Status
from ..report import words
from ..report.clean import clean
from ..report.layout import ASCII_MARKS, MARKS, Page, Span
from ..report.style import Style
from ..report.unforeseen import unforeseen
from .find import Binary
from .results import Reproduction, agrees

Pair = tuple[Reproduction, RouteReport | None]
"""One route: Envoy's answers, and our own report where the upstreams were probed too."""

AGREEMENT = {True: "agrees", False: "differs", None: "nothing to compare"}
LABEL = 10
"""Columns of the labels before the answers."""


def write(binary: Binary, pairs: Sequence[Pair], out: TextIO, style: Style, interrupted: bool = False) -> None:
    """Text, in the config's order, with the sum at the end. interrupted: did a signal end it early?"""
    page = Page(style)
    for pair in pairs:
        for line in _route(pair, page):
            print(line, file=out)
        print(file=out)
    early = ". The run ended early" if interrupted else ""
    for line in page.flow([(clean(_sum(binary, pairs)) + early, "")]):
        print(line, file=out)


def write_json(binary: Binary, pairs: Sequence[Pair], out: TextIO, interrupted: bool = False) -> None:
    """One document, plain ASCII. interrupted: did a signal end it early?"""
    json.dump(document(binary, pairs) | ({"interrupted": True} if interrupted else {}), out, indent=2, allow_nan=False)
    out.write("\n")


def document(binary: Binary, pairs: Sequence[Pair]) -> dict[str, Any]:
    """Everything as plain data. Shares are of the requests that were answered; times are seconds."""
    return {
        "schema_version": 1,
        "envoy": {"path": clean(binary.path), "version": binary.version},
        "summary": {name: sum(_agreement(pair) is value for pair in pairs) for value, name in ((True, "agree"), (False, "differ"))},
        "routes": [_document(pair) for pair in pairs],
    }


def _agreement(pair: Pair) -> bool | None:
    seen, report = pair
    return agrees(seen, report.forecast) if report is not None else None


def _document(pair: Pair) -> dict[str, Any]:
    seen, report = pair
    return {
        "name": clean(seen.route.name),
        "from": clean(seen.route.from_url),
        "place": clean(seen.route.place),
        "requests": seen.requests,
        "unanswered": seen.unanswered,
        "joined": seen.joined,
        "pending": seen.pending,
        "refusal": clean(seen.refusal),
        "skipped": clean(seen.skipped),
        "answers": [_entry(reply, share) for reply, share in seen.entries],
        "slowest": max((share.seconds for share in seen.shares), default=None),
        "hosts": [{"address": clean(h.address), "healthy": h.healthy, "failing": [clean(name) for name in h.failing]} for h in seen.hosts],
        "forecast": [_entry(entry.reply, entry.share) for entry in report.forecast] if report is not None else None,
        "agrees": _agreement(pair),
    }


def _entry(reply: EnvoyReply, share: float) -> dict[str, Any]:
    return {
        "share": round(share, 3),
        "status": reply.status,
        "response_flags": reply.response_flags,
        "code": clean(reply.code),
        "response_code_details": clean(reply.response_code_details),
    }


def _route(pair: Pair, page: Page) -> Iterator[str]:
    seen, report = pair
    agreement = _agreement(pair)
    status = Status.SKIPPED if seen.skipped else {True: Status.OK, False: Status.FAILING, None: Status.UNDETERMINED}[agreement]
    mark = (MARKS if page.style.unicode else ASCII_MARKS)[status]
    head: list[Span] = [(f"{mark} ", status.value), (clean(seen.route.name), "name"), (f"  {clean(seen.route.from_url)}", "")]
    yield from page.flow([*head, (f"  {clean(seen.route.place)}", "place")], hang=2)
    if seen.skipped:
        yield from page.flow([(f"skipped: {clean(seen.skipped)}", "dim")], 2)
        return
    for text in _answers(seen):
        yield from _labelled("Envoy", text, page)
    if seen.pending:
        yield from _labelled("because", "it still waits for DNS or a first health check; until then a new route answers this", page)
    if seen.refusal:
        yield from _labelled("because", f"it refuses the route: {seen.refusal}", page)
    yield from _hosts(seen, page)
    if report is not None:
        same = agreement is True
        for text in ["the same"] if same else [_share(e.share, e.reply) for e in report.forecast] or [unforeseen(report)]:
            yield from _labelled("forecast", text, page)


def _answers(seen: Reproduction) -> Iterator[str]:
    connect = seen.cluster.timers.connect if seen.cluster else 0.0
    if seen.refusal:
        yield _share(1.0, seen.entries[0][0])
    for share in seen.shares:
        told = _share(share.count / seen.requests, share.reply)
        yield f"{told} ({share.count} of {seen.requests}, at most {words.duration(share.seconds)})"
    if seen.joined:
        told = f"{words.plural(seen.joined, 'request')} waited for a connection that an earlier one had begun"
        yield f"{told}, and ended with it: 503 UF after {words.duration(connect)} in all; not counted"
    if seen.unanswered:
        yield f"no answer yet to {words.plural(seen.unanswered, 'request')} when patience ran out"


def _share(share: float, reply: EnvoyReply) -> str:
    return f"{words.share(share)}: {reply.status} {reply.response_flags} {reply.response_code_details}"


def _hosts(seen: Reproduction, page: Page) -> Iterator[str]:
    """Envoy's own view of the cluster, where it explains `no_healthy_upstream`."""
    if not any(share.reply.response_code_details == "no_healthy_upstream" for share in seen.shares):
        return
    if not seen.hosts:
        yield from _labelled("hosts", "none: DNS gave no address", page)
    for host in seen.hosts:
        yield from _labelled("hosts", f"{host.address} {', '.join(host.failing) or 'healthy'}", page)


def _labelled(label: str, text: str, page: Page) -> Iterator[str]:
    yield from page.flow([(f"{label:<{LABEL}}", "dim"), (clean(text), "")], 2, 2 + LABEL)


def _sum(binary: Binary, pairs: Sequence[Pair]) -> str:
    counted = [_agreement(pair) for pair in pairs if not pair[0].skipped]
    several = {True: "agree", False: "differ"}
    counts = [(value, counted.count(value)) for value in (True, False) if value in counted]
    parts = [f"{count} {AGREEMENT[value] if count == 1 else several[value]}" for value, count in counts]
    if None in counted:
        parts.append(f"{counted.count(None)} without a forecast to compare")
    asked = words.plural(len(counted), "route") if counted else "no route was asked"
    return f"Envoy {binary.version} ({binary.path}): {asked}" + (f", {', '.join(parts)}" if parts else "")
