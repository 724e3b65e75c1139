"""From outcomes to verdicts and the forecast (pure): which rule explains each failure, and which share of requests gets which answer."""

from __future__ import annotations

from collections.abc import Sequence

from . import breakers, insights, kubernetes, members
from .catalog import Catalog, NoRuleError, shelf
from .context import context
from .forecast import Host, by_pomerium, shared_out
from .model import (
    Cluster,
    Endpoint,
    EndpointOutcomes,
    EnvoyReply,
    Facts,
    Failure,
    Finding,
    ForecastEntry,
    Outcome,
    Problem,
    Route,
    RouteKind,
    RouteReport,
    Rule,
    Severity,
    StageName,
    Status,
    Timer,
    Upstream,
    UpstreamOutcomes,
    Verdict,
)
from .newer import as_after, as_next
from .older import as_before, as_past
from .record import Record, replace
from .repeats import of_members
from .retries import VIA_UPSTREAM, Answer

OLDER, NEXT = "1.36", "1.40"
UNENDING = ("stream_idle_timeout", "max_duration_timeout")
UNKNOWN = (Status.UNDETERMINED, Status.BUG)
WARN_AT = 0.8


class Knowledge(Record, frozen=True):
    """What a diagnosis rests on beside the outcomes. envoy: version whose words are forecast; warn_at: share of a timeout."""

    envoy: str = "1.37"
    warn_at: float = WARN_AT

    @property
    def catalog(self) -> Catalog:
        """The rules; read when the first is needed, which a healthy config never does."""
        return shelf()


def findings(problems: Sequence[Problem], knowledge: Knowledge) -> tuple[Finding, ...]:
    """The config's problems in the catalogue's words."""
    found = []
    for problem in problems:
        facts = {**problem.facts, "message": problem.message}
        rule = knowledge.catalog.match(problem.failure, facts, StageName.CONFIG, None)
        severity = Severity.ERROR if problem.fatal else rule.severity
        found.append(Finding(rule, severity, problem.message, knowledge.catalog.fixes(rule, facts), problem.place))
    return tuple(found)


def without_upstream(route: Route) -> RouteReport:
    """A redirect, a fixed response, a tunnel: nothing that Envoy connects to."""
    outcome = Outcome(StageName.CONFIG, Status.SKIPPED, facts={"reason": route.serves or f"a {route.kind} route has no upstream to probe"})
    return RouteReport(route, None, Status.SKIPPED, (), (), (), (outcome,))


def diagnose(cluster: Cluster, upstreams: Sequence[UpstreamOutcomes], knowledge: Knowledge, limit: str = "") -> RouteReport:
    """The report on one route. limit: what kept some outcomes from being there, such as "the run ended early"."""
    judge = _Judge(cluster, knowledge)
    outcomes: list[Outcome] = []
    if limit:
        outcomes.append(Outcome(StageName.CONFIG, Status.UNDETERMINED, failure=Failure.NOT_KNOWN, facts={"limit": limit}))
    decided = _decided_by_config(cluster)
    if decided is not None:
        outcomes.append(decided)
        verdict = judge.verdict(decided, None, None)
        forecast = [ForecastEntry(1.0, verdict.means, verdict.rule.code)] if verdict.means else []
    else:
        if judge.breaker is not None:
            outcomes.append(judge.breaker)
        hosts = [[judge.host(u, e) for e in u.endpoints] for u in upstreams]
        names = [
            [judge.verdict(o, u.upstream, None) for o in u.outcomes if o.status is not Status.OK and o.status is not Status.SKIPPED]
            for u in upstreams
        ]
        if cluster.route.kind is RouteKind.KUBERNETES:
            forecast = by_pomerium(upstreams, hosts, names)
        else:
            forecast = shared_out(cluster, [one for some in hosts for one in some], [v for some in names for v in some], judge.cut)
        judge.weigh(forecast)
        judge.together(upstreams, [one for some in hosts for one in some])
    verdicts = _in_order(judge.verdicts)
    unknown = bool(limit) or any(
        o.status in UNKNOWN for u in upstreams for o in (*u.outcomes, *(x for e in u.endpoints for x in e.outcomes))
    )
    return RouteReport(
        cluster.route, cluster, _status(forecast, verdicts, unknown), tuple(forecast), verdicts, tuple(upstreams), tuple(outcomes)
    )


def _decided_by_config(cluster: Cluster) -> Outcome | None:
    """What the config alone decides: a cluster that Envoy refuses, a circuit breaker that allows no connection pool."""
    if cluster.refusals:
        return Outcome(StageName.CONFIG, Status.FAILING, failure=Failure.CLUSTER_REFUSED, facts={"message": cluster.refusals[0]})
    return breakers.no_pools(cluster)


def _status(forecast: Sequence[ForecastEntry], verdicts: Sequence[Verdict], unknown: bool) -> Status:
    if any(made_by_envoy(entry.reply) for entry in forecast) or any(v.severity is Severity.ERROR for v in verdicts):
        return Status.FAILING
    if unknown:
        return Status.UNDETERMINED
    return Status.WARNING if any(v.severity is Severity.WARNING for v in verdicts) else Status.OK


def made_by_envoy(reply: EnvoyReply) -> bool:
    """Is it an error that Envoy makes (or cuts), rather than the app's own answer?"""
    return reply.response_flags != "-" or reply.response_code_details != VIA_UPSTREAM


def _in_order(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """Worst first, each once for its endpoint, as of the first walk, which was looked at closer; otherwise as they came."""
    rank = list(Severity)
    unique = {(v.rule.code, v.endpoint, v.upstream and v.upstream.place, v.title): v for v in reversed(verdicts)}
    unique = dict(reversed(unique.items()))
    return tuple(sorted(unique.values(), key=lambda v: rank.index(v.severity)))


# ------------------------------------------------------------------------------------------------ verdicts


class _Judge:
    """Finds the rule for each outcome of one cluster and keeps the verdicts."""

    def __init__(self, cluster: Cluster, knowledge: Knowledge) -> None:
        self.cluster = cluster
        self.knowledge = knowledge
        self.envoy = knowledge.envoy
        self.warn_at = knowledge.warn_at
        self.breaker = breakers.closed(cluster)
        self.verdicts: list[Verdict] = []
        self._cut: dict[Timer, Answer] = {}

    def host(self, upstream: UpstreamOutcomes, probed: EndpointOutcomes) -> Host:
        """One endpoint: its answers, its health, and the verdicts on both."""
        weight = upstream.upstream.weight or 1
        walks = [tuple(o for o in probed.outcomes if o.stage is not StageName.HEALTH), *probed.samples]
        if other := {OLDER: as_past, NEXT: as_next}.get(self.envoy):
            walks = [tuple(map(other, walk)) for walk in walks]
        answers = [self._answer(upstream.upstream, probed.endpoint, walk) for walk in walks]
        known = [a for a in answers if a is not None]
        if self.cluster.route.kind is RouteKind.SSH:  # no HTTP, and so no code that anybody would see
            known = []
        check = next((o for o in probed.outcomes if o.stage is StageName.HEALTH), None)
        verdict = None
        if check is not None and check.status not in (Status.OK, Status.SKIPPED):
            check = replace(check, facts={**check.facts, **self._recovery()})
            verdict = self.verdict(check, upstream.upstream, probed.endpoint)
            if known and (notice := insights.wrong(check, known[0].reply)):
                self.verdict(notice, upstream.upstream, probed.endpoint)
        elif check is not None:
            slow = insights.hurried(check, self.cluster.health_checks[0].timeout, self.warn_at)
            for told in (slow, insights.blind(check, known[0].reply) if known else None):
                if told is not None:
                    self.verdict(told, upstream.upstream, probed.endpoint)
        for notice in insights.notices(self.cluster, upstream.upstream, (*upstream.outcomes, *walks[0]), self.warn_at):
            self.verdict(notice, upstream.upstream, probed.endpoint)
        return Host(
            weight,
            None if check is not None and check.status in UNKNOWN else check is None or check.status is not Status.FAILING,
            check is not None and bool(check.facts.get("degraded")),
            tuple(replace(a, share=1 / len(known)) for a in known),
            verdict,
        )

    def _answer(self, upstream: Upstream, endpoint: Endpoint, walk: Sequence[Outcome]) -> Answer | None:
        """What Envoy answers after this walk; None if the walk does not tell."""
        connected = all(o.status is Status.OK for o in walk if o.stage in (StageName.TCP, StageName.TLS))
        if self.breaker is not None and (connected or self.breaker.facts["breaker"] == "max_pending_requests"):
            verdict = self.verdict(self.breaker, None, None)
            return Answer(verdict.means, verdict.rule.code, self.breaker) if verdict.means else None
        for outcome in walk:
            if outcome.status in (Status.FAILING, *UNKNOWN):
                verdict = self.verdict(outcome, upstream, endpoint)
                return Answer(verdict.means, verdict.rule.code, outcome) if verdict.means else None
        last = walk[-1] if walk else None
        if last is None or last.status is not Status.OK:
            return None
        status = last.facts.get("status", 200)
        return Answer(EnvoyReply(status if isinstance(status, int) else 200, "-", VIA_UPSTREAM, VIA_UPSTREAM), None, last)

    def cut(self, timer: Timer) -> Answer:
        """What Envoy answers where this timer ends while it still tries."""
        if timer not in self._cut:
            seconds = self.cluster.timers.by_name[timer] or 0.0
            outcome = Outcome(StageName.HTTP, Status.FAILING, None, Failure.RETRIES_TIMED_OUT, timer, elapsed=seconds)
            verdict = self.verdict(outcome, None, None)
            assert verdict.means is not None, verdict.rule
            self._cut[timer] = Answer(verdict.means, verdict.rule.code, outcome)
        return self._cut[timer]

    def verdict(self, outcome: Outcome, upstream: Upstream | None, endpoint: Endpoint | None) -> Verdict:
        """The rule that explains this outcome, its words filled in. Kept for the report."""
        facts = {**context(self.cluster, upstream, endpoint, outcome), **outcome.facts}
        try:
            rule = self.knowledge.catalog.match(outcome.failure or Failure.BUG, facts, outcome.stage, outcome.timer)
        except NoRuleError as gap:  # a gap of the catalogue is ours: said as such, and the report survives
            facts = {**facts, "bug": str(gap)}
            rule = self.knowledge.catalog.match(Failure.BUG, facts, outcome.stage, None)
        say = self.knowledge.catalog
        verdict = Verdict(
            rule,
            say.render(rule.title, facts),
            say.render(rule.why, facts),
            say.fixes(rule, {**facts, "given": ("preserve_host_header: true",) if self.cluster.route.preserve_host_header else ()}),
            outcome.stage,
            upstream,
            endpoint,
            self._as_routed(_after_interim(self._reply(rule, facts), facts)),
            (upstream and upstream.place) or self.cluster.route.place,
            facts,
            rule.severity,
        )
        self.verdicts.append(verdict)
        return verdict

    def _reply(self, rule: Rule, facts: Facts) -> EnvoyReply | None:
        reply = self.knowledge.catalog.reply(rule, facts, "1.37" if self.envoy == OLDER else self.envoy)
        if reply is None or self.envoy not in (OLDER, NEXT):
            return reply
        return as_before(reply, rule.name) if self.envoy == OLDER else as_after(reply)

    def together(self, upstreams: Sequence[UpstreamOutcomes], hosts: Sequence[Host]) -> None:
        """The verdicts on all hosts together, before those on each."""
        alone, self.verdicts = self.verdicts, []
        notices = [(notice, self.verdict(notice, None, notice.endpoint)) for notice in members.notices(self.cluster, upstreams, hosts)]
        self.verdicts += of_members(alone, {one.endpoint for one, _ in notices if one.failure is Failure.MEMBERS_DIFFER})

    def weigh(self, forecast: Sequence[ForecastEntry]) -> None:
        """A failure that no request meets is a warning: a dead name beside a live one, a check that panic hides, a host kept out."""
        met = {entry.rule for entry in forecast}
        unmet = {answer.rule for answer in self._cut.values()} - met  # of a place in the rotation that no request begins at
        self.verdicts = [verdict for verdict in self.verdicts if verdict.rule.code not in unmet]
        out = {v.endpoint for v in self.verdicts if v.stage is StageName.HEALTH and v.endpoint and v.severity is Severity.ERROR}
        for index, verdict in enumerate(self.verdicts):
            hidden = verdict.stage in (StageName.DNS, StageName.HEALTH) or verdict.endpoint in out
            if hidden and verdict.severity is Severity.ERROR and forecast and verdict.rule.code not in met:
                self.verdicts[index] = replace(verdict, severity=Severity.WARNING, means=None)

    def _recovery(self) -> Facts:
        """Fact `recovery_seconds`: a host that failed gets no traffic, and is checked that seldom (row hc-unhealthy-interval-recover)."""
        if self.cluster.panic_threshold or not self.cluster.health_checks:
            return {}
        return {"recovery_seconds": self.cluster.health_checks[0].no_traffic_interval}

    def _as_routed(self, reply: EnvoyReply | None) -> EnvoyReply | None:
        """A Kubernetes route's failures are all a 502 of Pomerium's own proxy; an ssh client sees no HTTP, and so no code.

        The request of a tunnel never ends, so its timeouts are 408 (variants tunnel-*).
        """
        kind = self.cluster.route.kind
        if reply is None or kind is RouteKind.SSH:
            return None
        if kind is RouteKind.TCP and reply.status == 504 and reply.code in UNENDING:
            return replace(reply, status=408)
        return kubernetes.REPLY if kind is RouteKind.KUBERNETES and made_by_envoy(reply) else reply


def _after_interim(reply: EnvoyReply | None, facts: Facts) -> EnvoyReply | None:
    """A 100, 102, 103 or 104 counts as the start of the response, also if the reset precedes the final headers (row h1-100-close)."""
    before, after = "upstream_reset_before_response_started", "upstream_reset_after_response_started"
    if reply is None or not facts.get("interim") or reply.code != before:
        return reply
    return replace(reply, code=after, response_code_details=reply.response_code_details.replace(before, after, 1))
