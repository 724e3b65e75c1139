"""The half of docs/how-it-maps.md that goes from a stage to what Envoy answers: its timer, flags, details, rules and evidence.

Written from the catalogue and from what was recorded (tests/data); tools/maps.py puts it on the page.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from pomprobe.catalog import load, plain  # noqa: E402
from pomprobe.model import Rule, StageName, Timer, Timers  # noqa: E402
from pomprobe.net.resolver_query import SECONDS, TRIES  # noqa: E402
from pomprobe.plan.timers import STREAM_IDLE  # noqa: E402

CATEGORIES = {
    StageName.CONFIG: ("the config itself", ("Circuit breakers", "Outlier detection")),
    StageName.DNS: ("the name", ("DNS",)),
    StageName.TCP: ("the connection", ("TCP", "TCP routes (CONNECT)")),
    StageName.TLS: ("TLS", ("TLS", "TLS (alert sent)")),
    StageName.HTTP: (
        "the request and its response",
        ("HTTP/1 upstream", "HTTP/2 upstream", "Timeouts", "WebSocket/upgrade", "gRPC", "Retries (x-envoy-* headers)"),
    ),
    StageName.HEALTH: ("the health check", ("Health checks",)),
}
"""Stage -> what it looks at, and the categories of recorded faults that are its own."""

RUNS_OUT = {
    "connection_timeout": Timer.CONNECT,
    "response_timeout": Timer.ROUTE,
    "stream_idle_timeout": Timer.IDLE,
    "max_duration_timeout": Timer.MAX_DURATION,
    "upstream_per_try_timeout": Timer.PER_TRY,
    "upstream_max_stream_duration_reached": Timer.STREAM_DURATION,
}
"""Part of the details -> the timer that ran out."""

OWN = {StageName.DNS: Timer.DNS, StageName.HEALTH: Timer.HEALTH}
"""Stages with a timer whose end looks like everything else that goes wrong in them."""

SHOWN = 4
"""Rules that are named in a row."""

CLASSES = (
    (r"CERTIFICATE_VERIFY_FAILED.*_SAN_matcher.*", "TLS_error:…CERTIFICATE_VERIFY_FAILED:verify_cert_failed:_SAN_matcher:TLS_error_end"),
    (r"CERTIFICATE_VERIFY_FAILED.*", "TLS_error:…CERTIFICATE_VERIFY_FAILED:verify_cert_failed:_X509_verify_cert:…REASON:TLS_error_end"),
    (r"_ALERT_|ALERT_NAME", "TLS_error:…ALERT:TLS_error_end"),
    (r"WRONG_VERSION_NUMBER", "TLS_error:…WRONG_VERSION_NUMBER:TLS_error_end"),
    (r"TLS_error", "TLS_error:…REASON:TLS_error_end"),
    (r"delayed_connect_error", "delayed_connect_error:_REASON"),
    (r"immediate_connect_error", "immediate_connect_error:_REASON|remote_address:ADDRESS"),
    (r"failed_to_bind", "failed_to_bind_to_ADDRESS:_REASON"),
)
"""What the details hold -> how the class is written, of details that differ in a reason alone."""

SHORT = (("upstream_reset_before_response_started", "RB"), ("upstream_reset_after_response_started", "RA"))


class Class(NamedTuple):
    """One class of answers. status: "as sent" where it is the upstream's own."""

    status: str
    flags: str
    details: str


def classified(status: object, flags: str, details: str) -> Class:
    """The class of an answer, recorded or of a rule."""
    status = "as sent" if status == "{status}" else str(status)
    for pattern, written in CLASSES:
        if re.search(pattern, details):
            inside = details.partition("{")[2].partition("|")[0]
            details = f"{details.partition('{')[0]}{{{inside}|{written}}}"
            break
    return Class(status, flags, details)


def page(timers: Timers) -> Iterator[str]:
    """Both tables, with what they say. timers: those of a route that sets none."""
    found = _groups()
    yield from ("", "## From a stage to Envoy's answer", "")
    yield "Each stage ends in few answers, and some of them are a timer that ran out. RB is `upstream_reset_before_response_started`, RA"
    yield "`upstream_reset_after_response_started`; words in capitals stand for what differs from case to case. Envoy's timers, as Pomerium"
    yield "sets them:"
    yield from _timers(found, timers)
    yield ""
    yield "And the answers of each stage, those with most causes first: the timer that ends in it, status (*as sent* is the app's own),"
    yield "response flags and response code details, the rules that tell its causes apart, and what stands behind it: the faults that were"
    yield "recorded with this answer, and how often a live Envoy gave it to them (each was put to several versions)."
    for stage, (what, _) in CATEGORIES.items():
        some = [(made, rules) for (where, made), rules in found.items() if where is stage]
        bounds = dict.fromkeys(timer for timer in Timer if any(_timer(stage, made) is timer for made, _ in some))
        yield from ("", f"### {stage}: {what}", "")
        if bounds:
            yield from (
                f"Bounded by the timer{'s' if len(bounds) > 1 else ''} {_and([str(timer).replace('_', ' ') for timer in bounds])}.",
                "",
            )
        yield from ("| timer | answer | rules | recorded faults | live |", "|---|---|---|---|---:|")
        for made, rules in some:
            yield _row(stage, made, rules)


def _and(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def _groups() -> dict[tuple[StageName, Class], list[Rule]]:
    """Stage and class of answers -> the rules that end in it, those with most rules first."""
    groups: dict[tuple[StageName, Class], list[Rule]] = defaultdict(list)
    for rule in load().rules:
        if rule.means is not None and not rule.retired:
            told = (rule.means["status"], str(rule.means["response_flags"]), plain(str(rule.means["response_code_details"])))
            groups[rule.stage, classified(*told)].append(rule)
    return dict(sorted(groups.items(), key=lambda item: (-len(item[1]), item[0][1])))


def _timers(found: Mapping[tuple[StageName, Class], Sequence[Rule]], timers: Timers) -> Iterator[str]:
    yield from ("", "| timer | covers | set by | without it | when it runs out |", "|---|---|---|---|---|")
    for timer, (covers, key, default) in _told(timers).items():
        answers = {made for stage, made in found if timer is _timer(stage, made)}
        shown = "<br>".join(f"{made.status} {made.flags} `{_short(made.details)}`" for made in sorted(answers, reverse=True))
        yield f"| {timer.replace('_', ' ')} | {covers} | {key} | {default} | {shown} |"


def _told(timers: Timers) -> dict[Timer, tuple[str, str, str]]:
    """Each timer: what it covers, what sets it, and how long it is where nothing does."""
    header = "the header `{}`, in `set_request_headers`"
    return {
        Timer.DNS: ("every query for a name", "`dns_query_timeout`, `dns_query_tries`", f"{SECONDS:g} s, {TRIES} tries, each longer"),
        Timer.CONNECT: ("the connection and the TLS handshake", "nothing: fixed by Pomerium", f"{timers.connect:g} s"),
        Timer.ROUTE: (
            "from the end of the request to the end of the response",
            "`timeout`, else `default_upstream_timeout`",
            f"{timers.route or 0:g} s; off for WebSocket, TCP, UDP and Kubernetes routes",
        ),
        Timer.IDLE: ("silence on a request, from its start", "`idle_timeout`", f"{timers.idle or STREAM_IDLE:g} s"),
        Timer.MAX_DURATION: ("the whole request", "`timeout_write`", "off"),
        Timer.REQUEST: ("a tunnel, until it is open", "`timeout_read`", "30 s"),
        Timer.PER_TRY: ("one try", header.format("x-envoy-upstream-rq-per-try-timeout-ms"), "off"),
        Timer.STREAM_DURATION: ("the upstream's stream", header.format("x-envoy-upstream-stream-duration-ms"), "off"),
        Timer.HEALTH: ("one health check", "`health_checks[].timeout`", "required"),
    }


def _timer(stage: StageName, made: Class) -> Timer | None:
    """The timer that ends in this answer, if it is one."""
    return next((timer for part, timer in RUNS_OUT.items() if part in made.details), OWN.get(stage))


def _row(stage: StageName, made: Class, rules: Sequence[Rule]) -> str:
    alike = _recorded(stage, made, rules)
    timer = _timer(stage, made)
    proofs = [f"[{name}](conformance.md#{name})" for name in dict.fromkeys(evidence(rules))]
    cells = (
        timer.replace("_", " ") if timer else "–",
        _answer(made),
        _some([f"[{rule.code}](rules/{rule.code}.md)" for rule in rules], len(rules), SHOWN, f"rules/{_code(rules)}.md"),
        _some(proofs, len(alike), 2, f"conformance.md#{_slug(CATEGORIES[stage][1][0])}"),
        str(sum(map(len, alike.values()))),
    )
    return f"| {' | '.join(cells)} |"


def _some(links: Sequence[str], count: int, shown: int, more: str) -> str:
    """The first links, and how many there are beyond them."""
    left = count - len(links[:shown])
    return ", ".join(links[:shown]) + (f" and [{left} more]({more})" if left else "")


def _slug(heading: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")


def _code(rules: Sequence[Rule]) -> str:
    """The page about this answer: Envoy's code."""
    return str(next(rule.means["code"] for rule in rules if rule.means))


def _answer(made: Class) -> str:
    return f"{made.status} {made.flags}<br>`{_short(made.details)}`"


def _recorded(stage: StageName, made: Class, rules: Sequence[Rule]) -> dict[str, list[str]]:
    """The faults of this stage that ended in this class -> the Envoy versions that said so; and those that its rules name."""
    proofs = set(evidence(rules))
    return {
        name: [version for version, outcomes in answers.items() if any(_is(made, outcome) for outcome in outcomes)]
        for name, (category, answers) in faults().items()
        if (category in CATEGORIES[stage][1] and any(_is(made, o) for outcomes in answers.values() for o in outcomes)) or name in proofs
    }


def _is(made: Class, outcome: Mapping[str, Any]) -> bool:
    seen = classified(outcome["status"], outcome["response_flags"], outcome["response_code_details"])
    status = made.status == seen.status or (made.status == "as sent" and outcome["status"] < 500)
    return status and (seen.flags, seen.details) == (made.flags, made.details)


def evidence(rules: Sequence[Rule]) -> Iterator[str]:
    """The recorded faults that rules name as their proof."""
    for rule in rules:
        named = rule.means["evidence"] if rule.means else []
        yield from named if isinstance(named, list) else [str(named)]


def _short(details: str) -> str:
    for long, short in SHORT:
        details = details.replace(long, short)
    return details.replace("|", r"\|")


_faults: dict[str, tuple[str, dict[str, Any]]] = {}


def faults() -> Mapping[str, tuple[str, Mapping[str, Any]]]:
    """Every recorded fault: its category, and its answers by Envoy version."""
    if not _faults:
        from envoy.variants import VARIANTS

        data = ROOT / "tests" / "data"
        truth = json.loads((data / "truth.json").read_text(encoding="utf-8"))
        measured = json.loads((data / "measured.json").read_text(encoding="utf-8"))["rows"]
        _faults.update({row["id"]: (row["category"], row["outcomes"]) for row in (*truth, *measured) if row["outcomes"]})
        _faults.update({name: (row.category, dict(row.outcomes)) for name, row in VARIANTS.items()})
    return _faults
