"""Cluster -> Envoy's cluster, as Pomerium builds it (config/envoyconfig/clusters.go, protocols.go, circuit_breakers.go)."""

from __future__ import annotations

from ..model import CircuitBreakers, Cluster, Discovery, DNSSettings, HealthCheck, Protocol, RouteKind, Settings, Upstream
from ..record import fields
from .transport import transport_socket
from .values import Message, Store, duration, extension, typed

CONNECTION_BUFFER = 32 * 1024
SSH_CONNECTION_BUFFER = 512 * 1024
UDP_MAX_QUERIES = 100

HTTP1_OPTIONS: Message = {
    "header_key_format": {
        "stateful_formatter": extension("preserve_case", "extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig")
    }
}
HTTP2_OPTIONS: Message = {
    "allow_connect": True,
    "max_concurrent_streams": 100,
    "initial_stream_window_size": 64 * 1024,
    "initial_connection_window_size": 1024 * 1024,
}


def cluster_message(cluster: Cluster, settings: Settings, store: Store) -> Message:
    """The cluster of one route."""
    route = cluster.route
    sockets = [transport_socket(context, route.index, store) if context else None for context in cluster.tls]
    own = [socket if upstream.scheme.startswith("https") else None for upstream, socket in zip(cluster.upstreams, sockets, strict=True)]
    message: Message = {
        "name": cluster.name,
        "connect_timeout": duration(cluster.timers.connect),
        "per_connection_buffer_limit_bytes": SSH_CONNECTION_BUFFER if route.kind is RouteKind.SSH else CONNECTION_BUFFER,
        "load_assignment": {
            "cluster_name": cluster.name,
            "endpoints": [{"lb_endpoints": [_endpoint(cluster, index, own) for index in range(len(cluster.upstreams))]}],
        },
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": _protocol(cluster.protocol)},
        "cluster_type": _discovery(cluster),
        "lb_policy": cluster.load_balancing_policy,
        "health_checks": [_health_check(check) for check in cluster.health_checks],
    }
    matched = [(index, socket) for index, socket in enumerate(own) if socket]
    if matched:
        message["transport_socket_matches"] = [
            {"name": _match(index), "match": {_match(index): True}, "transport_socket": socket} for index, socket in matched
        ]
        message["transport_socket"] = matched[0][1]  # Pomerium's way to make ALPN work; plaintext members get it too
    if route.healthy_panic_threshold is not None:
        message["common_lb_config"] = {"healthy_panic_threshold": {"value": route.healthy_panic_threshold}}
    if route.outlier_detection is not None:
        message["outlier_detection"] = dict(route.outlier_detection)
    if thresholds := _thresholds(cluster.circuit_breakers):
        message["circuit_breakers"] = {"thresholds": [thresholds]}
    if bind := _bind(cluster, settings):
        message["upstream_bind_config"] = bind
    return message


def _endpoint(cluster: Cluster, index: int, own: list[Message | None]) -> Message:
    dialled, written = cluster.upstreams[index], cluster.route.upstreams[index]
    endpoint: Message = {"endpoint": {"address": _address(dialled), "hostname": _hostname(written)}}
    if dialled.weight is not None:
        endpoint["load_balancing_weight"] = dialled.weight
    if own[index]:
        endpoint["metadata"] = {"filter_metadata": {"envoy.transport_socket_match": {_match(index): True}}}
    return endpoint


def _address(upstream: Upstream) -> Message:
    """Where to connect. A bare IPv6 address without a port keeps its brackets, which Envoy refuses, as it does from Pomerium."""
    if upstream.scheme in ("unix", "https+unix"):
        return {"pipe": {"path": upstream.path}}
    host = f"[{upstream.host}]" if ":" in upstream.host and not upstream.explicit_port else upstream.host
    return {"socket_address": {"address": host, "port_value": upstream.port}}


def _hostname(upstream: Upstream) -> str:
    """What a rewritten Host becomes: the host of `to` with its port as written; nothing for a unix socket."""
    host = f"[{upstream.host}]" if ":" in upstream.host else upstream.host
    return f"{host}:{upstream.port}" if upstream.explicit_port else host


def _match(index: int) -> str:
    return f"ts-{index}"


def _protocol(protocol: Protocol) -> Message:
    if protocol is Protocol.AUTO:
        options: Message = {"auto_config": {"http_protocol_options": HTTP1_OPTIONS, "http2_protocol_options": HTTP2_OPTIONS}}
    elif protocol is Protocol.HTTP2:
        options = {"explicit_http_config": {"http2_protocol_options": HTTP2_OPTIONS}}
    else:
        options = {"explicit_http_config": {"http_protocol_options": HTTP1_OPTIONS}}
    return typed("extensions.upstreams.http.v3.HttpProtocolOptions", **options)


def _discovery(cluster: Cluster) -> Message:
    if cluster.discovery is Discovery.STATIC:
        return {"name": "envoy.cluster.static"}
    dns = cluster.dns
    config: Message = {
        "respect_dns_ttl": True,
        "dns_lookup_family": dns.lookup_family,
        "typed_dns_resolver_config": {"name": "envoy.network.dns_resolver.cares", "typed_config": _cares(dns)},
    }
    if dns.refresh_rate is not None:
        config["dns_refresh_rate"] = duration(dns.refresh_rate)
    if dns.failure_refresh_rate is not None:
        config["dns_failure_refresh_rate"] = {"base_interval": duration(dns.failure_refresh_rate)}
    return extension("envoy.clusters.dns", "extensions.clusters.dns.v3.DnsCluster", **config)


def _cares(dns: DNSSettings) -> Message:
    config: Message = {"udp_max_queries": UDP_MAX_QUERIES if dns.udp_max_queries is None else dns.udp_max_queries}
    if dns.use_tcp:
        config["dns_resolver_options"] = {"use_tcp_for_dns_lookups": True}
    if dns.query_tries is not None:
        config["query_tries"] = dns.query_tries
    if dns.query_timeout is not None:
        config["query_timeout_seconds"] = int(dns.query_timeout)
    if dns.resolvers:
        config["resolvers"] = [
            {"socket_address": {"protocol": scheme.upper(), "address": address, "port_value": port}}
            for scheme, address, port in dns.resolvers
        ]
    return typed("extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig", **config)


def _health_check(check: HealthCheck) -> Message:
    return dict(check.raw)


def _thresholds(breakers: CircuitBreakers) -> Message:
    return {field.name: getattr(breakers, field.name) for field in fields(breakers) if getattr(breakers, field.name) is not None}


def _bind(cluster: Cluster, settings: Settings) -> Message:
    bind: Message = {}
    if settings.bind_freebind:
        bind["freebind"] = True
    if cluster.source_address:
        bind["source_address"] = {"address": cluster.source_address, "port_value": 0}
    return bind
