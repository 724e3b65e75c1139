"""What was found out: outcomes, verdicts, the forecast and the report."""

from __future__ import annotations

from collections.abc import Mapping

from ..record import Record, field
from .cluster import Cluster, Endpoint
from .config import Place, Route, Upstream
from .words import Facts, Failure, Severity, StageName, Status, Timer


class Outcome(Record, frozen=True):
    """How one stage came out. elapsed: seconds of this stage alone. error: the raw message, for --verbose."""

    stage: StageName
    status: Status
    endpoint: Endpoint | None = None
    failure: Failure | None = None
    timer: Timer | None = None
    facts: Facts = field(default_factory=dict)
    elapsed: float = 0.0
    error: str = ""


class EndpointOutcomes(Record, frozen=True):
    """One endpoint and its outcomes in the order of the stages; `samples` holds further walks (--samples)."""

    endpoint: Endpoint
    outcomes: tuple[Outcome, ...]
    samples: tuple[tuple[Outcome, ...], ...] = ()


class UpstreamOutcomes(Record, frozen=True):
    """One entry of `to`: the outcome of its name, and its endpoints (none where the name gave none)."""

    upstream: Upstream
    outcomes: tuple[Outcome, ...]
    endpoints: tuple[EndpointOutcomes, ...]


class EnvoyReply(Record, frozen=True):
    """What Envoy answers: the status, %RESPONSE_FLAGS% ("-" for none) and %RESPONSE_CODE_DETAILS%.

    code: the name in Pomerium's documentation (which differs where Envoy's changed: upstream_response_timeout).
    """

    status: int
    response_flags: str
    response_code_details: str
    code: str


class Rule(Record, frozen=True):
    """One file of the catalogue. `when`: facts that must hold; the match with most keys wins."""

    code: str
    name: str
    stage: StageName
    title: str
    severity: Severity
    when: Mapping[str, object]
    means: Mapping[str, object] | None
    why: str
    fixes: tuple[str, ...]
    see: tuple[str, ...]
    retired: str = ""
    examples: Mapping[str, object] = field(default_factory=dict)


class Verdict(Record, frozen=True):
    """A rule that fires on an outcome: its words with the facts filled in, and what the user would see."""

    rule: Rule
    title: str
    why: str
    fixes: tuple[str, ...]
    stage: StageName
    upstream: Upstream | None
    endpoint: Endpoint | None
    means: EnvoyReply | None
    place: Place
    facts: Facts = field(default_factory=dict)
    severity: Severity = Severity.ERROR  # the rule's, or less where no request is harmed (a dead name beside a live one)


class ForecastEntry(Record, frozen=True):
    """One answer and the share of the requests that get it (0 to 1). rule: code of the rule behind it, if any."""

    share: float
    reply: EnvoyReply
    rule: str | None = None
    note: str = ""  # e.g. "per client: all or nothing" (ring hash)
    by: str = ""  # who answers so, if neither Envoy nor the app: "pomerium" (its own proxy), "tunnel" (Envoy opens it)


class RouteReport(Record, frozen=True):
    """Everything about one route: its status, the forecast, the verdicts (worst first) and every outcome."""

    route: Route
    cluster: Cluster | None  # None for a route without upstream
    status: Status
    forecast: tuple[ForecastEntry, ...]
    verdicts: tuple[Verdict, ...]
    upstreams: tuple[UpstreamOutcomes, ...]
    outcomes: tuple[Outcome, ...] = ()  # of the route as a whole (skipped and why, refused by Envoy …)
    suppressed: tuple[Suppressed, ...] = ()
    confirmed: str = ""  # --confirm: what a real Envoy says of the forecast; begins with "confirmed" or "differs" where it is compared


class Finding(Record, frozen=True):
    """A problem of the config with its rule and words, as reports print it."""

    rule: Rule
    severity: Severity
    message: str
    fixes: tuple[str, ...]
    place: Place


class Suppressed(Record, frozen=True):
    """A finding that somebody knows of and does not want to hear about. by: where it was said, for people."""

    what: Verdict | Finding
    by: str


class Report(Record, frozen=True):
    """One run. started: UTC, ISO 8601; elapsed: seconds; interrupted: ended by a signal or the deadline."""

    config: str
    started: str
    elapsed: float
    findings: tuple[Finding, ...]
    routes: tuple[RouteReport, ...]
    interrupted: bool = False
    suppressed: tuple[Suppressed, ...] = ()  # problems of the config
    services: tuple[RouteReport, ...] = ()  # Pomerium's own, where they are other processes: what was probed of them, for --verbose

    @property
    def problems(self) -> tuple[Verdict, ...]:
        """The verdicts of all routes, in the config's order."""
        return tuple(verdict for route in self.routes for verdict in route.verdicts)
