"""Phrases that several formats share: durations, shares, answers and reasons in words (plain text, not yet cleaned)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction

from ..model import (
    Cluster,
    Endpoint,
    EnvoyReply,
    Failure,
    ForecastEntry,
    Outcome,
    Report,
    RouteReport,
    Severity,
    StageName,
    Status,
    Suppressed,
    Timer,
)

VIA_UPSTREAM = "via_upstream"
STATUS_ORDER = (Status.FAILING, Status.BUG, Status.WARNING, Status.UNDETERMINED, Status.SKIPPED, Status.OK)
SEVERITY_ORDER = (Severity.ERROR, Severity.WARNING, Severity.INFO)
UNKNOWN = (Status.UNDETERMINED, Status.BUG)
CONNECTION = (StageName.TCP, StageName.TLS, StageName.HTTP)
MUCH = 0.1
"""Share of a stage's time that may be our own lateness, unsaid."""

LARGEST_DENOMINATOR = 12
"""Endpoints up to which a share is said as "k of n requests"."""


def duration(seconds: float) -> str:
    """Seconds for people: 0.4 ms, 85 ms, 1.2 s, 30 s, 5 min."""
    if seconds <= 0:
        return "0 ms"
    if seconds < 0.9995:
        return f"{_short(seconds * 1000)} ms"
    if seconds >= 120 and seconds % 60 == 0:
        return f"{seconds / 60:.0f} min"
    return f"{_short(seconds)} s"


def took(outcome: Outcome) -> str:
    """The time of a stage; `≤` in front where a good part of it may be our own lateness (fact `late`)."""
    late = outcome.facts.get("late")
    ours = isinstance(late, float) and late > MUCH * outcome.elapsed
    return f"{'≤' if ours else ''}{duration(outcome.elapsed)}"


def _short(value: float) -> str:
    text = f"{value:.1f}" if value < 9.95 else f"{value:.0f}"
    return text.removesuffix(".0")


def share(value: float) -> str:
    """A share of the requests in words: "every request", "2 of 3 requests (67 %)", "91 % of the requests"."""
    if value >= 0.9995:
        return "every request"
    if value < 0.005:
        return "less than 1 % of the requests"
    near = Fraction(value).limit_denominator(LARGEST_DENOMINATOR)
    if abs(near - Fraction(value)) < Fraction(1, 500) and 0 < near < 1:
        return f"{near.numerator} of {near.denominator} requests ({value:.0%})".replace("%)", " %)")
    return f"{100 * value:.{1 if value > 0.99 else 0}f} % of the requests"


def gets(value: float) -> str:
    """The verb that follows `share(value)`."""
    words = share(value)
    return "gets" if words.startswith(("every", "1 of")) else "get"


def own(reply: EnvoyReply) -> bool:
    """Is it the app's own answer, rather than one that Envoy makes or cuts?"""
    return reply.response_flags == "-" and reply.response_code_details == VIA_UPSTREAM


def good(reply: EnvoyReply) -> bool:
    """Would a user call it an answer? The app's own, below 500."""
    return own(reply) and reply.status < 500


def answer(reply: EnvoyReply) -> str:
    """What the user sees, in short: "503 UF", "the app's own 404"."""
    if own(reply):
        return f"the app's own {reply.status}"
    return f"{reply.status} {reply.response_flags}" if reply.response_flags != "-" else str(reply.status)


def answered(entry: ForecastEntry) -> str:
    """The same of a forecast, where Pomerium itself may answer, or Envoy open a tunnel: "502", "an open tunnel (200)"."""
    if entry.by == "tunnel":
        return f"an open tunnel ({entry.reply.status})"
    return str(entry.reply.status) if entry.by else answer(entry.reply)


def foreseen(entry: ForecastEntry) -> str:
    """An answer with its share: "every request gets 503 UH no_healthy_upstream"."""
    details = "" if own(entry.reply) else f" {entry.reply.response_code_details}"
    return f"{share(entry.share)} {gets(entry.share)} {answered(entry)}{details}"


def failing_share(entries: Sequence[ForecastEntry]) -> float:
    """Share of the requests that get no good answer."""
    return sum(entry.share for entry in entries if not good(entry.reply))


def known(report: RouteReport) -> bool:
    """Does the route count as fine only because its failures are suppressed? It is no news then, and no good answer neither."""
    return report.status is Status.OK and failing_share(report.forecast) > 0


def glimpsed(report: RouteReport) -> str:
    """The answers of a route that is fine, in short: the statuses, or what is known to fail."""
    said = (answer(e.reply) if known(report) else str(e.reply.status) for e in report.forecast)
    return ", ".join(dict.fromkeys(said)) + (" (known)" if known(report) else "")


def worst_first(routes: Sequence[RouteReport]) -> list[RouteReport]:
    """By status, then by the share of requests that fail, then as in the config."""
    return sorted(routes, key=lambda r: (STATUS_ORDER.index(standing(r)), -round(failing_share(r.forecast), 6)))


def standing(report: RouteReport) -> Status:
    """The route's status, with a defect of pomprobe told from what is merely not known."""
    return Status.BUG if report.status is Status.UNDETERMINED and any(o.status is Status.BUG for o in outcomes(report)) else report.status


def outcomes(report: RouteReport) -> list[Outcome]:
    """Every outcome of a route, in the order of the config and the stages."""
    of_upstreams = [o for u in report.upstreams for o in (*u.outcomes, *(x for e in u.endpoints for x in e.outcomes))]
    return [*report.outcomes, *of_upstreams]


def why_skipped(report: RouteReport) -> str:
    """Why nothing was probed."""
    reason = next((str(o.facts["reason"]) for o in report.outcomes if o.status is Status.SKIPPED and o.facts.get("reason")), "")
    return reason or report.route.serves or "no upstream to probe"


def not_reached(report: RouteReport, endpoint: Endpoint | None, outcome: Outcome) -> str:
    """Why this stage of this endpoint was left out: "not reached: tcp failed"."""
    if outcome.facts.get("reason"):
        return str(outcome.facts["reason"])
    before = [o for u in report.upstreams for e in u.endpoints if e.endpoint == endpoint for o in (*u.outcomes, *e.outcomes)]
    stopped = next((o for o in before if o.status not in (Status.OK, Status.WARNING, Status.SKIPPED)), None)
    if stopped is None:
        return "not asked for"
    return f"not reached: {stopped.stage} " + ("failed" if stopped.status is Status.FAILING else f"is {stopped.status}")


def why_unknown(report: RouteReport) -> str:
    """Why a route could not be judged."""
    for outcome in outcomes(report):
        if outcome.status in (Status.UNDETERMINED, Status.BUG):
            return reason(outcome)
    return "nothing was probed"


def reason(outcome: Outcome) -> str:
    """What kept us from knowing, or what went wrong, in a few words."""
    if outcome.status is Status.BUG:
        return f"a defect of pomprobe in the {outcome.stage} stage: {outcome.facts.get('bug') or outcome.error or 'unknown'}"
    limit = outcome.facts.get("limit") or {Timer.MAX_WAIT: "--max-wait", Timer.DEADLINE: "--deadline"}.get(outcome.timer or Timer.ROUTE)
    if limit:
        return str(limit) if outcome.stage is StageName.CONFIG else f"{limit} ended it in the {outcome.stage} stage"
    return outcome.error or (failure(outcome.failure) if outcome.failure else "not known")


def failure(kind: Failure) -> str:
    """A failure's name as words."""
    return kind.value.replace("_", " ")


def limit(cluster: Cluster | None) -> float | None:
    """The earliest of the timers that end a request which has its connection; seconds."""
    if cluster is None:
        return None
    timers = cluster.timers
    armed = [t for t in (timers.route, timers.idle, timers.max_duration, timers.per_try, timers.stream_duration) if t]
    return min(armed, default=None)


def slowest(report: RouteReport) -> float | None:
    """Seconds of the connection that took longest, from connect() to the last byte; None where none was made."""
    walks = [walk for u in report.upstreams for e in u.endpoints for walk in (e.outcomes, *e.samples)]
    return max((sum(o.elapsed for o in walk if o.stage in CONNECTION) for walk in walks), default=None)


def moment(text: str) -> datetime:
    """A time as facts and reports have it: ISO 8601, UTC where it does not say."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def counts(report: Report) -> list[tuple[Status, int]]:
    """How many routes came out how, worst first; only what there is."""
    found = Counter(standing(r) for r in report.routes)
    return [(status, found[status]) for status in STATUS_ORDER if found[status]]


def capital(text: str) -> str:
    """The text with its first letter as a capital."""
    return text[:1].upper() + text[1:]


def plural(count: int, noun: str) -> str:
    """A count with its noun: "1 route", "3 routes"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def suppressed(report: Report) -> list[tuple[str, Suppressed]]:
    """Every finding that was set aside, with the name of its route ("" for the config)."""
    return [*(("", s) for s in report.suppressed), *((r.route.name, s) for r in report.routes for s in r.suppressed)]


def unique_names(report: Report) -> list[str]:
    """The routes' names; where one is there twice its place in the config is added, or a number, so that none hides another."""
    seen = Counter(r.route.name for r in report.routes)
    places = [f"{r.route.place.file}:{r.route.place.line}:{r.route.place.column}" for r in report.routes]
    named = [r.route.name if seen[r.route.name] == 1 else f"{r.route.name} ({at})" for r, at in zip(report.routes, places, strict=True)]
    taken: Counter[str] = Counter()
    for number, name in enumerate(named):
        taken[name] += 1
        if taken[name] > 1:
            named[number] = f"{name} #{taken[name]}"
    return named
