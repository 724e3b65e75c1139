"""`pomprobe list --verbose`: each effective value, and the key that it comes from."""

from __future__ import annotations

import pytest

from config.reading import with_keys
from pomprobe.config import load
from pomprobe.listing import describe
from pomprobe.plan import Bundle, plan

SYSTEM = Bundle(system_ca=b"SYSTEM", system_ca_path="/etc/ssl/certs/ca-certificates.crt")
TLS = "SNI {}, a SAN must match {}, trusted: /etc/ssl/certs/ca-certificates.crt"


def listed(text: str, verbose: bool = True) -> dict[str, str]:
    """The rows of the one route."""
    config = load("-", text=text.encode())
    (cluster,) = plan(config, SYSTEM)
    return dict(describe(config.routes[0], cluster, config.settings if verbose else None))


def https(*lines: str) -> str:
    return with_keys(*lines).replace("to: http://app.internal:8080", "to: https://app.internal")


ROUTE = "route 30s (default_upstream_timeout, not set)"
SOURCES = {
    "defaults": (
        with_keys(),
        {
            "endpoints": "every address that DNS gives (V4_PREFERRED: dns_lookup_family, not set)",
            "protocol": "http1 (http in `to`)",
            "request": "GET / with Host: app.internal:8080 (the host of `to`)",
            "timeouts": f"connect 10s (fixed by Pomerium) · {ROUTE} · idle 300s (Envoy's default)",
            "balancing": "round_robin (load_balancing_policy, not set)",
            "panic below": "50 % healthy (healthy_panic_threshold, not set)",
            "breakers": "Envoy's defaults (circuit_breaker_thresholds, not set)",
            "resolvers": "those of resolv.conf (dns_resolvers, not set)",
            "cluster": "route-9307985fc24f3973",
        },
    ),
    "own timers": (
        with_keys("timeout: 1m30s", "idle_timeout: 0"),
        {"timeouts": "connect 10s (fixed by Pomerium) · route 90s (timeout) · idle off (idle_timeout)"},
    ),
    "global timeout": (
        "default_upstream_timeout: 5s\ntimeout_write: 1m\n" + with_keys(),
        {
            "timeouts": "connect 10s (fixed by Pomerium) · route 5s (default_upstream_timeout) · idle 300s (Envoy's default)"
            " · max duration 60s (timeout_write)"
        },
    ),
    "global upgrades": (
        "allow_upgrades: [websocket]\n" + with_keys(),
        {
            "timeouts": "connect 10s (fixed by Pomerium) · route off (the global allow_upgrades) · idle off (the global allow_upgrades)",
            "protocol": "http1 (websockets are allowed)",
        },
    ),
    "host": (with_keys("preserve_host_header: true"), {"request": "GET / with Host: app.example.com (preserve_host_header)"}),
    "host_rewrite": (
        with_keys("preserve_host_header: true", "host_rewrite: b.internal"),
        {"request": "GET / with Host: b.internal (host_rewrite)"},
    ),
    "preserve_host_header: false": (
        with_keys("preserve_host_header: false"),
        {"request": "GET / with Host: app.internal:8080 (the host of `to`)"},
    ),
    "https": (
        https(),
        {
            "tls": TLS.format("app.internal (the host of `to`)", "app.internal"),
            "alpn": "h2, http/1.1",
            "protocol": "auto (what ALPN selects)",
        },
    ),
    "server name": (
        https("tls_server_name: a", "tls_upstream_server_name: b"),
        {"tls": TLS.format("b (tls_upstream_server_name)", "b")},
    ),
    "plain server name": (https("tls_server_name: a"), {"tls": TLS.format("a (tls_server_name)", "a")}),
    "balancing": (
        with_keys("load_balancing_policy: maglev", "healthy_panic_threshold: 0", "outlier_detection: {}"),
        {
            "balancing": "maglev (load_balancing_policy)",
            "panic below": "0 % healthy",
            "outliers": "ejected for a while (outlier_detection)",
        },
    ),
    "breakers": (
        "circuit_breaker_thresholds: {max_requests: 5}\n" + with_keys("circuit_breaker_thresholds: {max_connections: 1}"),
        {
            "breakers": "max_connections 1 (circuit_breaker_thresholds), max_pending_requests 1024 (Envoy's default), "
            "max_requests 5 (global circuit_breaker_thresholds), max_retries 3 (Envoy's default), "
            "max_connection_pools unlimited (Envoy's default)"
        },
    ),
    "dns": (
        "dns_lookup_family: V6_ONLY\ndns_resolvers: ['udp://127.0.0.1:53']\nenvoy_bind_config_source_address: 10.0.0.1\n" + with_keys(),
        {
            "endpoints": "every address that DNS gives (V6_ONLY: dns_lookup_family)",
            "resolvers": "udp://127.0.0.1:53 (dns_resolvers)",
            "from address": "10.0.0.1 (envoy_bind_config_source_address)",
        },
    ),
    "serverless": (
        https("enable_google_cloud_serverless_authentication: true"),
        {"endpoints": "every address that DNS gives (V4_ONLY: enable_google_cloud_serverless_authentication)"},
    ),
}


@pytest.mark.parametrize("case", SOURCES)
def test_a_value_and_where_it_comes_from(case: str) -> None:
    """The key that is set, or the one that is not and whose default holds."""
    text, expected = SOURCES[case]
    rows = listed(text)
    assert expected == {name: rows.get(name) for name in expected}


def test_without_verbose_only_the_timeout_names_its_key() -> None:
    """The rest is short."""
    rows = listed(with_keys(), verbose=False)
    assert f"connect 10s · {ROUTE} · idle 300s" == rows["timeouts"]
    assert "GET / with Host: app.internal:8080" == rows["request"]
    assert not {"cluster", "resolvers", "breakers", "balancing"} & set(rows)


def test_a_tunnel_sends_no_request() -> None:
    """What it carries is its clients' own."""
    rows = listed(with_keys().replace("https://app", "tcp+https://app", 1).replace("http://app.internal", "tcp://app.internal"))
    assert ("raw (a tunnel)", None) == (rows["protocol"], rows.get("request"))
