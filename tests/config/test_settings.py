"""Global keys: defaults, values, and Pomerium's words for what it refuses."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from pomprobe.model import CircuitBreakers, DNSSettings, Failure, Settings

from .reading import ROUTE, found, messages, noted, read, refused

DEFAULTS = {
    "default_upstream_timeout": 30.0, "timeout_read": 30.0, "timeout_write": 0.0, "timeout_idle": 300.0, "certificate_authority": None,
    "bind_source_address": "", "bind_freebind": False, "circuit_breakers": CircuitBreakers(), "allow_upgrades": (), "services": "all",
    "address": "", "authenticate_service_url": "", "dns": DNSSettings(),
}  # fmt: skip


@pytest.mark.parametrize(("field", "value"), DEFAULTS.items())
def test_defaults(field: str, value: Any) -> None:
    """Without a key Pomerium's default holds."""
    assert value == getattr(read(ROUTE).settings, field)


def of(settings: Settings, field: str) -> Any:
    return getattr(settings.dns, field[4:]) if field.startswith("dns.") else getattr(settings, field)


VALUES: dict[str, tuple[str, Any]] = {
    "default_upstream_timeout: 10s": ("default_upstream_timeout", 10.0),
    "default_upstream_timeout: 0": ("default_upstream_timeout", 0.0),
    "timeout_read: 30m": ("timeout_read", 1800.0),
    "timeout_write: 1h": ("timeout_write", 3600.0),
    "timeout_idle: 5s": ("timeout_idle", 5.0),
    "services: proxy,authorize": ("services", "proxy,authorize"),
    "address: ':8443'": ("address", ":8443"),
    "authenticate_service_url: https://auth.example.com": ("authenticate_service_url", "https://auth.example.com"),
    "envoy_bind_config_source_address: 10.0.0.1": ("bind_source_address", "10.0.0.1"),
    "envoy_bind_config_freebind: true": ("bind_freebind", True),
    "circuit_breaker_thresholds: {max_requests: 7}": ("circuit_breakers", CircuitBreakers(max_requests=7)),
    "allow_upgrades: [websocket]": ("allow_upgrades", ("websocket",)),
    "dns_lookup_family: V6_ONLY": ("dns.lookup_family", "V6_ONLY"),
    "dns_query_timeout: 2s": ("dns.query_timeout", 2.0),
    "dns_query_timeout: 2500ms": ("dns.query_timeout", 2.0),
    "dns_query_timeout: 500ms": ("dns.query_timeout", None),
    "dns_query_tries: 2": ("dns.query_tries", 2),
    "dns_udp_max_queries: 7": ("dns.udp_max_queries", 7),
    "dns_use_tcp: true": ("dns.use_tcp", True),
    "dns_refresh_rate: 5s": ("dns.refresh_rate", 5.0),
    "dns_failure_refresh_rate: 1ms": ("dns.failure_refresh_rate", 0.001),
    "dns_resolvers: udp://1.1.1.1:53,tcp://[2001:db8::1]:5353": (
        "dns.resolvers",
        (("udp", "1.1.1.1", 53), ("tcp", "2001:db8::1", 5353)),
    ),
}


@pytest.mark.parametrize(("line", "expected"), VALUES.items())
def test_values(line: str, expected: tuple[str, Any]) -> None:
    """A global key is decoded as Pomerium decodes it."""
    assert expected[1] == of(read(f"{line}\n{ROUTE}").settings, expected[0])


REFUSED = {
    "dns_lookup_family: v4_only": (
        "config: unknown dns_lookup_family: known families are: AUTO, V4_ONLY, V6_ONLY, V4_PREFERRED, ALL: v4_only",
        "dns_lookup_family: V4_ONLY",
    ),
    "dns_lookup_family: IPV4": (
        "config: unknown dns_lookup_family: known families are: AUTO, V4_ONLY, V6_ONLY, V4_PREFERRED, ALL: IPV4",
        "dns_lookup_family: V4_PREFERRED",
    ),
    "dns_query_timeout: -1s": ("config: dns_query_timeout must be positive", "dns_query_timeout: 5s"),
    "dns_refresh_rate: 500us": ("config: dns_refresh_rate must be at least 1ms", "dns_refresh_rate: 5s"),
    "dns_failure_refresh_rate: 5": ("config: dns_failure_refresh_rate must be at least 1ms", "dns_failure_refresh_rate: 5s"),
    "dns_query_tries: '5'": ("'dns_query_tries' json: cannot unmarshal string into Go value of type uint64", "dns_query_tries: 5"),
    "dns_use_tcp: yes": ("'dns_use_tcp' json: cannot unmarshal string into Go value of type bool", "dns_use_tcp: true"),
    "dns_use_tcp: 1": ("'dns_use_tcp' json: cannot unmarshal number into Go value of type bool", "dns_use_tcp: true"),
    "services: web": ("config: web is an invalid service type", "services: all"),
    "services: {app: {image: x}}": (
        "'services' expected type 'string', got unconvertible type 'map[string]interface {}'",
        "give pomprobe the file that Pomerium reads; this one is Compose's",
    ),
    "services: ','": ("config: , is an invalid service type", "services: all"),
    "default_upstream_timeout: x": ("'default_upstream_timeout' time: invalid duration \"x\"", None),
    "insecure_server: yes": ("'insecure_server' cannot parse value as 'bool': strconv.ParseBool: invalid syntax", "insecure_server: true"),
    "cookie_expire: 1d": ('\'cookie_expire\' time: unknown unit "d" in duration "1d"', "cookie_expire: 24h"),
    "idp_scopes: {a: b}": ("'idp_scopes[0]' expected type 'string', got unconvertible type 'map[string]interface {}'", None),
    "address: [a]": ("'address' expected type 'string', got unconvertible type '[]interface {}'", None),
    "xff_num_trusted_hops: x": ("'xff_num_trusted_hops' cannot parse value as 'uint32': strconv.ParseUint: invalid syntax", None),
    "policy_file: x": ("config: policy file setting is deprecated", "routes:"),
    "client_ca: x": (
        "some configuration options are no longer supported, please check logs for details: client_ca",
        "downstream_mtls: {ca: …}",
    ),
    "tracing_provider: x": (
        "some configuration options are no longer supported, please check logs for details: tracing_provider",
        "otel_traces_exporter: otlp",
    ),
    "idp_qps: 1": ("some configuration options are no longer supported, please check logs for details: idp_qps", None),
    "authenticate_service_url: auth.example.com": (
        "config: bad authenticate-url auth.example.com : auth.example.com url does not contain a valid scheme",
        "authenticate_service_url: https://HOST",
    ),
    "databroker_service_url: x": (
        "config: bad databroker service url x: x url does not contain a valid scheme",
        "databroker_service_url: https://HOST",
    ),
    "log_level: LOUD": ("config: invalid log_level: unknown log level: LOUD", "log_level: info"),
    "proxy_log_level: INFO": ("config: invalid proxy_log_level: unknown log level: INFO", "proxy_log_level: info"),
    "cookie_same_site: all": ("config: invalid cookie_same_site: unknown cookie_same_site: all", "cookie_same_site: lax"),
    "metrics_address: '9090'": ("config: invalid metrics_addr: expected host:port", "metrics_address: 127.0.0.1:PORT"),
    "debug_address: 'a:b'": ("config: invalid debug_address: port must be a number", "debug_address: 127.0.0.1:PORT"),
    "health_check_addr: 'a:0'": (
        "config : invalid health_check_addr : expected positive port number",
        "health_check_addr: 127.0.0.1:PORT",
    ),
    "runtime_flags: mcp": ("'runtime_flags' invalid character 'm' looking for beginning of value", None),
}


@pytest.mark.parametrize(("line", "expected"), REFUSED.items())
def test_refused(line: str, expected: tuple[str, str | None]) -> None:
    """What Pomerium refuses is refused in its words, with what to write instead."""
    (problem,) = refused(f"{line}\n{ROUTE}")
    assert expected == (problem.message, problem.facts.get("write"))


def test_everything_at_once() -> None:
    """All refusals of a config are named in one run, in the order of the file."""
    assert 3 == len(messages(f"services: x\ndns_lookup_family: y\n{ROUTE}  timeout: z\n"))


RESOLVERS = {
    "http://1.1.1.1:53": 'failed to build address from resolver "http://1.1.1.1:53": unsupported url scheme: http',
    "1.1.1.1": 'failed to build address from resolver "1.1.1.1": unsupported url scheme: ',
    "udp://:53": 'failed to build address from resolver "udp://:53": must include an IP address: udp://:53',
    "udp://dns.example.com:53": (
        'failed to build address from resolver "udp://dns.example.com:53": host must be an IP address: dns.example.com'
    ),
    "udp://1.1.1.1": 'failed to build address from resolver "udp://1.1.1.1": must include a port: udp://1.1.1.1',
    "udp://1.1.1.1:0": 'failed to build address from resolver "udp://1.1.1.1:0": port must be greater than zero: 0',
    "udp://1.1.1.1:70000": (
        'failed to build address from resolver "udp://1.1.1.1:70000": invalid port "70000": '
        'strconv.ParseUint: parsing "70000": value out of range'
    ),
    "1.1.1.1:53": (
        'failed to build address from resolver "1.1.1.1:53": parse url: parse "1.1.1.1:53": '
        "first path segment in URL cannot contain colon, have you specified protocol (ex: https)"
    ),
}


@pytest.mark.parametrize(("written", "message"), RESOLVERS.items())
def test_resolvers(written: str, message: str) -> None:
    """A resolver that Pomerium cannot use keeps it from building any cluster that asks DNS."""
    config = read(f"dns_resolvers: ['{written}']\n{ROUTE}")
    (problem,) = found(config, Failure.DNS_RESOLVER_INVALID)
    assert message == problem.message
    assert (message,) == config.routes[0].envoy_refusals


def test_resolvers_unasked() -> None:
    """Where no upstream has a name, no resolver is built."""
    config = read("dns_resolvers: [x]\nroutes:\n- from: https://a.example.com\n  to: http://10.0.0.1\n")
    assert () == config.routes[0].envoy_refusals


def test_authorities(tmp_path: Path) -> None:
    """certificate_authority and its file are taken together."""
    file = tmp_path / "ca.pem"
    file.write_bytes(b"two")
    config = read(f"certificate_authority: {base64.b64encode(b'one').decode()}\ncertificate_authority_file: {file}\n{ROUTE}")
    assert b"one\ntwo\n" == config.settings.certificate_authority


def test_authority_unreadable() -> None:
    """An authority that cannot be read is only logged, and then Envoy refuses every https cluster without a CA of its own."""
    text = "certificate_authority_file: /nonexistent/ca.pem\n" + ROUTE.replace("http://app", "https://app")
    config = read(text)
    problem = noted(text, Failure.CA_UNREADABLE)
    assert "open /nonexistent/ca.pem: no such file or directory" == problem.facts["error"]
    assert "all https routes" == problem.facts["scope"]
    assert ("SAN-based verification of peer certificates without trusted CA is insecure and not allowed",) == config.routes[
        0
    ].envoy_refusals
    assert () == read(text.replace("https://app.internal", "http://app.internal")).routes[0].envoy_refusals


@pytest.mark.parametrize(
    ("text", "urls", "paths"),
    [
        ("services: proxy", ["http://127.0.0.1:5443"], ["services"]),
        ("services: proxy, authenticate\naddress: :5443", ["http://127.0.0.1:5444"], ["services"]),
        ("services: proxy\nauthorize_service_url: https://a", ["https://a"], ["authorize_service_url"]),
        (
            "services: proxy\nauthorize_service_url: https://a\nauthorize_service_urls: ['https://b:1', '', 'http://c']",
            ["https://a", "https://b:1", "http://c"],
            ["authorize_service_url", "authorize_service_urls[0]", "authorize_service_urls[2]"],
        ),
        (
            "services: proxy\nauthorize_service_url: https://a\nauthorize_internal_service_url: https://b",
            ["https://b"],
            ["authorize_internal_service_url"],
        ),
        ("services: all\nauthorize_service_url: https://a", [], []),
        ("services: proxy,authorize\nauthorize_service_url: https://a", [], []),
        ("services: authenticate\nauthorize_service_url: https://a", [], []),
    ],
)
def test_where_the_authorize_service_is(text: str, urls: list[str], paths: list[str]) -> None:
    """Another process only in a split deployment; without a key a port of this machine (GetInternalAuthorizeURLs)."""
    found = read(f"{text}\n{ROUTE}").settings.authorize
    assert (urls, paths) == ([one.url for one in found], [one.place.path for one in found])
