"""Metrics for the textfile collector of node_exporter: the names of blackbox_exporter where it has one, seconds everywhere.

One series for each endpoint, so that one dead address of several is seen. No timestamps: the collector refuses them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from ..model import EndpointOutcomes, Outcome, Report, RouteReport, StageName, Status, UpstreamOutcomes
from . import words
from .clean import clean
from .style import Style

ROUTE = ("route",)
UPSTREAM = (*ROUTE, "upstream")
ENDPOINT = (*UPSTREAM, "endpoint")
PHASE = (*ENDPOINT, "phase")
FINDING = (*ENDPOINT, "stage", "code", "name", "severity")
PHASES = {StageName.TCP: "connect", StageName.TLS: "tls"}


def write(report: Report, out: TextIO, style: Style) -> None:
    """The exposition format, HELP and TYPE included."""
    registry = CollectorRegistry()
    _Metrics(registry).fill(report)
    out.write(generate_latest(registry).decode())


class _Metrics:
    """Every gauge, in the order in which they are printed."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, about: str, labels: tuple[str, ...] = ()) -> Gauge:
            return Gauge(name, about, labels, registry=registry)

        self.success = gauge("probe_success", "1 if no request to the route gets an error of Envoy or a 5xx, else 0.", ROUTE)
        self.duration = gauge("probe_duration_seconds", "Slowest connection to the route, from connect to the last byte.", ROUTE)
        self.timeout = gauge("probe_timeout_seconds", "Earliest of Envoy's timers that end a request to the route.", ROUTE)
        self.dns = gauge("probe_dns_lookup_time_seconds", "Time to resolve the upstream's name.", UPSTREAM)
        self.phases = gauge("probe_http_duration_seconds", "Time of each phase, of a failed probe up to where it came.", PHASE)
        self.status = gauge("probe_http_status_code", "Status that the upstream answered; 0 without an answer.", ENDPOINT)
        self.family = gauge("probe_ip_protocol", "4 or 6.", ENDPOINT)
        self.expiry = gauge("probe_ssl_earliest_cert_expiry", "End of the upstream's certificate, Unix time.", ENDPOINT)
        self.version = gauge("probe_tls_version_info", "TLS version in use, always 1.", (*ENDPOINT, "version"))
        self.state = gauge("pomprobe_route_status", "1 for the status that the route has, 0 for the others.", ("route", "status"))
        self.failure = gauge("pomprobe_route_failure_info", "A finding on the route, always 1.", FINDING)
        self.share = gauge(
            "pomprobe_route_forecast_share",
            "Share of the requests (0 to 1) that get this answer.",
            ("route", "status", "response_flags", "response_code_details"),
        )
        self.confirmed = gauge(
            "pomprobe_route_forecast_confirmed", "1 if a real Envoy answered what is forecast, 0 if it differs (--confirm).", ROUTE
        )
        self.problems = gauge("pomprobe_config_problems", "Problems of the config itself.", ("severity",))
        self.ran = gauge("pomprobe_last_run_timestamp_seconds", "When the run ended, Unix time.")
        self.took = gauge("pomprobe_run_duration_seconds", "Duration of the run.")

    def fill(self, report: Report) -> None:
        for name, route in zip(words.unique_names(report), report.routes, strict=True):
            self._route(clean(name), route)
        for severity in words.SEVERITY_ORDER:
            self.problems.labels(severity.value).set(sum(f.severity is severity for f in report.findings))
        self.ran.set(words.moment(report.started).timestamp() + report.elapsed)
        self.took.set(report.elapsed)

    def _route(self, name: str, report: RouteReport) -> None:
        for status in Status:
            self.state.labels(name, status.value).set(words.standing(report) is status)
        for verdict in report.verdicts:
            url = clean(verdict.upstream.url) if verdict.upstream else ""
            endpoint = clean(verdict.endpoint or "")
            info = (verdict.stage.value, verdict.rule.code, verdict.rule.name, verdict.severity.value)
            self.failure.labels(name, url, endpoint, *info).set(1)
        for entry in report.forecast:
            reply = entry.reply
            self.share.labels(name, str(reply.status), clean(reply.response_flags), clean(reply.response_code_details)).inc(entry.share)
        if report.confirmed.startswith(("confirmed", "differs")):
            self.confirmed.labels(name).set(report.confirmed.startswith("confirmed"))
        if report.status is Status.SKIPPED:
            return
        if report.status in (Status.OK, Status.WARNING, Status.FAILING):
            self.success.labels(name).set(report.status is not Status.FAILING)
        if (seconds := words.slowest(report)) is not None:
            self.duration.labels(name).set(seconds)
        if (limit := words.limit(report.cluster)) is not None:
            self.timeout.labels(name).set(limit)
        for upstream in report.upstreams:
            self._upstream(name, upstream)

    def _upstream(self, name: str, upstream: UpstreamOutcomes) -> None:
        url = clean(upstream.upstream.url)
        resolved = sum(o.elapsed for o in upstream.outcomes if o.stage is StageName.DNS)
        if upstream.outcomes:
            self.dns.labels(name, url).set(resolved)
        for probed in upstream.endpoints:
            self._endpoint((name, url, clean(probed.endpoint)), probed, resolved)

    def _endpoint(self, labels: tuple[str, str, str], probed: EndpointOutcomes, resolved: float) -> None:
        phases = dict.fromkeys(("resolve", "connect", "tls", "processing", "transfer"), 0.0) | {"resolve": resolved}
        status = 0
        for outcome in probed.outcomes:
            phases |= _phases(outcome)
            if outcome.stage is StageName.HTTP and isinstance(outcome.facts.get("status"), int):
                status = int(str(outcome.facts["status"]))
            if outcome.stage is StageName.TLS:
                self._certificate(labels, outcome)
        for phase, seconds in phases.items():
            self.phases.labels(*labels, phase).set(seconds)
        self.status.labels(*labels).set(status)
        if probed.endpoint.port is not None:
            self.family.labels(*labels).set(6 if ":" in probed.endpoint.address else 4)

    def _certificate(self, labels: tuple[str, str, str], outcome: Outcome) -> None:
        until = outcome.facts.get("not_after")
        if isinstance(until, str):
            self.expiry.labels(*labels).set(words.moment(until).timestamp())
        version = outcome.facts.get("tls_version")
        if isinstance(version, str):
            self.version.labels(*labels, clean(version)).set(1)


def _phases(outcome: Outcome) -> Iterator[tuple[str, float]]:
    if outcome.stage in PHASES:
        yield PHASES[outcome.stage], outcome.elapsed
    elif outcome.stage is StageName.HTTP:
        first = outcome.facts.get("first_byte")
        processing = min(first, outcome.elapsed) if isinstance(first, float) else outcome.elapsed
        yield "processing", processing
        yield "transfer", outcome.elapsed - processing
