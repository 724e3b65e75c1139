"""What would be probed and with which effective settings, without a packet (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .model import CircuitBreakers, Cluster, Discovery, HealthCheck, Place, Protocol, Route, Settings, Timer, UpstreamTLS
from .record import fields
from .redact import shown

Row = tuple[str, str]
"""A setting and its value, for people."""

TIMERS = (Timer.CONNECT, Timer.ROUTE, Timer.IDLE, Timer.MAX_DURATION, Timer.REQUEST, Timer.PER_TRY, Timer.STREAM_DURATION)
HOST_KEYS = ("host_rewrite", "host_rewrite_header", "host_path_regex_rewrite_pattern", "preserve_host_header")
"""In Pomerium's order of precedence."""
SERVER_NAME_KEYS = ("tls_upstream_server_name", "tls_server_name")
BREAKERS = CircuitBreakers(1024, 1024, 1024, 3)
"""Envoy's own thresholds."""


def describe(route: Route, cluster: Cluster | None, settings: Settings | None = None) -> Iterator[Row]:
    """The effective settings of one route; with the global settings also where each comes from, and those that are defaults."""
    if cluster is None:
        yield "skipped", route.serves or f"a {route.kind} route has no upstream to probe"
        return
    verbose = settings is not None
    for upstream, context in zip(cluster.upstreams, cluster.tls, strict=True):
        weight = f", weight {upstream.weight}" if upstream.weight is not None else ""
        yield (
            "to",
            f"{upstream.url} (port {upstream.port}{weight})" if not upstream.explicit_port and upstream.port else f"{upstream.url}{weight}",
        )
        if context is not None:
            yield from _tls(route, context, verbose)
    family = "enable_google_cloud_serverless_authentication" if route.google_serverless else _told("dns_lookup_family", settings)
    yield (
        "endpoints",
        "as written"
        if cluster.discovery is Discovery.STATIC
        else f"every address that DNS gives ({cluster.dns.lookup_family}{f': {family}' if verbose else ''})",
    )
    yield "protocol", cluster.protocol.value + (f" ({_spoken(route, cluster)})" if verbose else "")
    if cluster.protocol is not Protocol.RAW:
        host = f" ({next((key for key in HOST_KEYS if getattr(route, key)), 'the host of `to`')})" if verbose else ""
        yield "request", f"{cluster.request.method} {shown(cluster.request.path)} with Host: {cluster.request.host}{host}"
    yield "timeouts", " · ".join(_timers(cluster, verbose, {**(settings.places if settings else {}), **route.places}))
    for check in cluster.health_checks:
        yield "health check", _check(cluster, check)
    if len(cluster.upstreams) > 1 or verbose:
        key = "lb_policy" if "lb_policy" in route.places and "load_balancing_policy" not in route.places else "load_balancing_policy"
        yield "balancing", cluster.load_balancing_policy.lower() + (f" ({_set(key, route.places)})" if verbose else "")
    if cluster.health_checks or verbose:
        unset = "" if route.healthy_panic_threshold is not None else " (healthy_panic_threshold, not set)"
        yield "panic below", f"{cluster.panic_threshold} % healthy{unset}"
    if route.outlier_detection is not None:
        yield "outliers", "ejected for a while (outlier_detection)"
    if cluster.retries.conditions:
        yield "retries", f"{cluster.retries.count} on {', '.join(cluster.retries.conditions)} (set_request_headers)"
    for refusal in cluster.refusals:
        yield "refused", f"by Envoy: {refusal}"
    if settings is not None:
        yield from _further(route, cluster, settings)


def _further(route: Route, cluster: Cluster, settings: Settings) -> Iterator[Row]:
    yield "breakers", ", ".join(_breakers(route, cluster.circuit_breakers))
    yield "cluster", cluster.name
    resolvers = ", ".join(f"{scheme}://{address}:{port}" for scheme, address, port in cluster.dns.resolvers) or "those of resolv.conf"
    yield "resolvers", f"{resolvers} ({_told('dns_resolvers', settings)})"
    if cluster.source_address:
        yield "from address", f"{cluster.source_address} (envoy_bind_config_source_address)"


def _breakers(route: Route, breakers: CircuitBreakers) -> Iterator[str]:
    if breakers == CircuitBreakers():
        yield "Envoy's defaults (circuit_breaker_thresholds, not set)"
        return
    for field in fields(CircuitBreakers):
        value, default = getattr(breakers, field.name), getattr(BREAKERS, field.name)
        own = "" if getattr(route.circuit_breakers, field.name) is not None else "global "
        source = f"{own}circuit_breaker_thresholds" if value is not None else "Envoy's default"
        shown = value if value is not None else "unlimited" if default is None else default
        yield f"{field.name} {shown} ({source})"


def _tls(route: Route, context: UpstreamTLS, verbose: bool) -> Iterator[Row]:
    key = next((key for key in SERVER_NAME_KEYS if route.tls.server_name and key in route.places), "the host of `to`")
    source = f" ({key})" if verbose else ""
    if context.skip_verify:
        yield "tls", f"SNI {context.server_name}{source}, certificate not verified (tls_skip_verify)"
    else:
        match = context.match_name or repr("")
        yield "tls", f"SNI {context.server_name}{source}, a SAN must match {match}, trusted: {context.trust_source}"
    if verbose:
        yield "alpn", ", ".join(context.alpn)
    if context.client_cert is not None:
        yield "client cert", "sent if asked for"


def _timers(cluster: Cluster, verbose: bool, places: Mapping[str, Place]) -> Iterator[str]:
    for timer, limit in zip(TIMERS, cluster.timers.limits, strict=True):
        if limit is None and not (verbose and timer in (Timer.ROUTE, Timer.IDLE)):
            continue
        value = "off" if limit is None else f"{limit:g}s"
        key = cluster.timers.keys.get(timer.value, "")
        told = ""
        if key and (verbose or timer is Timer.ROUTE):
            told = f" ({key}{'' if key in places or ' ' in key else ', not set'})"
        yield f"{timer.value.replace('_', ' ')} {value}{told}"


def _spoken(route: Route, cluster: Cluster) -> str:
    """Why this protocol is spoken."""
    if cluster.protocol is Protocol.RAW:
        return "a tunnel"
    if route.websockets:
        return "websockets are allowed"
    if cluster.protocol is Protocol.AUTO:
        return "what ALPN selects"
    return f"{' and '.join(dict.fromkeys(one.scheme for one in route.upstreams))} in `to`"


def _told(key: str, settings: Settings | None) -> str:
    return _set(key, settings.places if settings is not None else {})


def _set(key: str, places: Mapping[str, Place]) -> str:
    return key if key in places else f"{key}, not set"


def _check(cluster: Cluster, check: HealthCheck) -> str:
    what = {
        "http": f"{check.method} {check.path} with Host: {check.host or cluster.name}",
        "grpc": f"grpc {check.service_name}".strip(),
    }.get(check.checker, check.checker)
    return f"{what} every {check.interval:g}s, at most {check.timeout:g}s"
