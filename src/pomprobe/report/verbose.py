"""Everything about one route, for --verbose: the effective settings, then every stage and fact of every connection."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Cluster, Fact, HealthCheck, Outcome, RouteReport, Status, UpstreamTLS
from ..redact import shown
from . import words
from .clean import clean
from .layout import Page, Span

KEY_COLUMNS = 18


def details(report: RouteReport, page: Page) -> Iterator[str]:
    """Settings and outcomes of one route. Values of request headers are left out: they may be secrets."""
    if report.cluster is not None:
        for key, value in settings(report.cluster):
            yield from _pair(page, key, value, 4)
    for outcome in report.outcomes:
        yield from _outcome(page, outcome, 4)
    for upstream in report.upstreams:
        yield from page.flow([(clean(upstream.upstream.url), "name")], indent=4, hang=6)
        for outcome in upstream.outcomes:
            yield from _outcome(page, outcome, 6)
        for endpoint in upstream.endpoints:
            yield from page.flow([(clean(endpoint.endpoint), "name")], indent=6, hang=8)
            for outcome in endpoint.outcomes:
                yield from _outcome(page, outcome, 8)
            for number, walk in enumerate(endpoint.samples, 2):
                yield from page.flow([(f"request {number}", "dim")], indent=8)
                for outcome in walk:
                    yield from _outcome(page, outcome, 10)


def settings(cluster: Cluster) -> list[tuple[str, str]]:
    """What Envoy would be told, key by key, in words (not yet cleaned)."""
    request = cluster.request
    pairs = [
        ("cluster", cluster.name),
        ("discovery", cluster.discovery.value),
        ("protocol", cluster.protocol.value),
        ("request", f"{request.method} {shown(request.path)}"),
        ("host header", ", ".join(dict.fromkeys(cluster.request_to(u).host for u in cluster.upstreams)) or request.host),
        ("request headers", ", ".join(name for name, _ in request.headers) or "none"),
        *_timers(cluster),
    ]
    for upstream, tls in zip(cluster.upstreams, cluster.tls, strict=True):
        if tls is not None:
            pairs += _tls(tls, f" for {upstream.url}" if len(cluster.upstreams) > 1 else "")
    pairs += [("health check", _check(check)) for check in cluster.health_checks]
    if len(cluster.upstreams) > 1 or cluster.health_checks:
        pairs += [("load balancing", cluster.load_balancing_policy), ("panic threshold", f"{cluster.panic_threshold} %")]
    if cluster.source_address:
        pairs.append(("source address", cluster.source_address))
    if cluster.retries.conditions:
        pairs.append(("retries", f"{cluster.retries.count} on {', '.join(cluster.retries.conditions)}"))
    return [*pairs, *(("refused by Envoy", refusal) for refusal in cluster.refusals)]


def _timers(cluster: Cluster) -> Iterator[tuple[str, str]]:
    timers = cluster.timers
    for timer, seconds in timers.by_name.items():
        key = timers.keys.get(timer.value, "")
        if seconds is not None or key:
            yield f"{timer.value.replace('_', ' ')} timer", (words.duration(seconds) if seconds else "off") + (f" ({key})" if key else "")


def _tls(tls: UpstreamTLS, of: str) -> Iterator[tuple[str, str]]:
    trust = tls.trust_source if tls.trust is not None else f"none: {tls.trust_source}"
    unchecked = "not checked (tls_skip_verify)"
    yield "SNI", (tls.server_name or "none") + of
    yield "name to match", (unchecked if tls.skip_verify else tls.match_name) + of
    yield "trust", (unchecked if tls.skip_verify else trust) + of
    yield "ALPN", (", ".join(tls.alpn) or "none") + of
    yield "client certificate", ("configured" if tls.client_cert else "none") + of


def _check(check: HealthCheck) -> str:
    what = f"{check.checker} {check.method} {check.path}" if check.checker == "http" else check.checker
    return f"{what}, timeout {words.duration(check.timeout)}, every {words.duration(check.interval)}"


def _outcome(page: Page, outcome: Outcome, indent: int) -> Iterator[str]:
    spans: list[Span] = [(f"{outcome.stage.value} ", "name"), (outcome.status.value, outcome.status.value)]
    if outcome.status is not Status.SKIPPED:
        spans.append((f" {words.took(outcome)}", ""))
    if outcome.failure is not None:
        spans.append((f" {words.failure(outcome.failure)}", outcome.status.value))
    if outcome.timer is not None:
        spans.append((f" (timer: {outcome.timer.value})", ""))
    yield from page.flow(spans, indent, indent + 2)
    for key, value in outcome.facts.items():
        yield from _pair(page, key, said(value), indent + 2)
    if outcome.error:
        yield from _pair(page, "error", outcome.error, indent + 2)


def said(value: Fact) -> str:
    """A fact's value for people (not yet cleaned)."""
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == "":
        return "none"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _pair(page: Page, key: str, value: str, indent: int) -> Iterator[str]:
    label = clean(key).replace("_", " ")
    yield from page.flow([(f"{label:{KEY_COLUMNS}}", "dim"), (" " + clean(value), "")], indent, indent + 4)
