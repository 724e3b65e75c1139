"""What would be probed and with which effective settings, without a packet (pure)."""

from __future__ import annotations

from collections.abc import Iterator

from .model import Cluster, Discovery, HealthCheck, Route, Timer, UpstreamTLS
from .redact import shown

Row = tuple[str, str]
"""A setting and its value, for people."""

TIMERS = (Timer.CONNECT, Timer.ROUTE, Timer.IDLE, Timer.MAX_DURATION, Timer.PER_TRY, Timer.STREAM_DURATION)


def describe(route: Route, cluster: Cluster | None, verbose: bool = False) -> Iterator[Row]:
    """The effective settings of one route; verbose adds where each comes from, and those that are Envoy's defaults."""
    if cluster is None:
        yield "skipped", route.serves or f"a {route.kind} route has no upstream to probe"
        return
    for upstream, context in zip(cluster.upstreams, cluster.tls, strict=True):
        weight = f", weight {upstream.weight}" if upstream.weight is not None else ""
        yield (
            "to",
            f"{upstream.url} (port {upstream.port}{weight})" if not upstream.explicit_port and upstream.port else f"{upstream.url}{weight}",
        )
        if context is not None:
            yield from _tls(context, verbose)
    yield (
        "endpoints",
        "as written" if cluster.discovery is Discovery.STATIC else f"every address that DNS gives ({cluster.dns.lookup_family})",
    )
    yield "protocol", cluster.protocol.value
    yield "request", f"{cluster.request.method} {shown(cluster.request.path)} with Host: {cluster.request.host}"
    yield "timeouts", " · ".join(_timers(cluster, verbose))
    for check in cluster.health_checks:
        yield "health check", _check(cluster, check)
    if len(cluster.upstreams) > 1 or verbose:
        yield "balancing", cluster.load_balancing_policy.lower()
    if cluster.health_checks or verbose:
        yield (
            "panic below",
            f"{cluster.panic_threshold} % healthy"
            + ("" if route.healthy_panic_threshold is not None else " (healthy_panic_threshold, not set)"),
        )
    if cluster.retries:
        yield "retries", f"{cluster.retries} on {', '.join(cluster.retry_on)} (set_request_headers)"
    for refusal in cluster.refusals:
        yield "refused", f"by Envoy: {refusal}"
    if verbose:
        yield "cluster", cluster.name
        yield "resolvers", ", ".join(f"{scheme}://{address}:{port}" for scheme, address, port in cluster.dns.resolvers) or "resolv.conf"
        if cluster.source_address:
            yield "from address", cluster.source_address


def _tls(context: UpstreamTLS, verbose: bool) -> Iterator[Row]:
    if context.skip_verify:
        yield "tls", f"SNI {context.server_name}, certificate not verified (tls_skip_verify)"
    else:
        yield "tls", f"SNI {context.server_name}, a SAN must match {context.match_name or repr('')}, trusted: {context.trust_source}"
    if verbose:
        yield "alpn", ", ".join(context.alpn)
    if context.client_cert is not None:
        yield "client cert", "sent if asked for"


def _timers(cluster: Cluster, verbose: bool) -> Iterator[str]:
    for timer, limit in zip(TIMERS, cluster.timers.limits, strict=True):
        if limit is None and not (verbose and timer in (Timer.ROUTE, Timer.IDLE)):
            continue
        value = "off" if limit is None else f"{limit:g}s"
        key = cluster.timers.keys.get(timer.value, "")
        unset = (
            f": {key}" + ("" if key in cluster.route.places or " " in key else ", not set")
            if key and (verbose or timer is Timer.ROUTE)
            else ""
        )
        yield f"{timer.value.replace('_', ' ')} {value}" + (f" ({unset[2:]})" if unset else "")


def _check(cluster: Cluster, check: HealthCheck) -> str:
    what = {
        "http": f"{check.method} {check.path} with Host: {check.host or cluster.name}",
        "grpc": f"grpc {check.service_name}".strip(),
    }.get(check.checker, check.checker)
    return f"{what} every {check.interval:g}s, at most {check.timeout:g}s"
