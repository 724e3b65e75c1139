"""The keys of a route: what they become, and Pomerium's words for values that it cannot decode."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from pomprobe.model import CircuitBreakers, RouteKind

from .reading import messages, read, refused, route, with_keys

FIELDS: dict[str, tuple[str, Any]] = {
    "timeout: 30s": ("timeout", 30.0),
    "timeout: 1m30s": ("timeout", 90.0),
    "timeout: 0": ("timeout", 0.0),
    "timeout: 0s": ("timeout", 0.0),
    "timeout: ~": ("timeout", None),
    "timeout: 30": ("timeout", 30e-9),
    "timeout: 1.5": ("timeout", 1e-9),
    "timeout: -1s": ("timeout", -1.0),
    "idle_timeout: 5m": ("idle_timeout", 300.0),
    "allow_websockets: true": ("websockets", True),
    "allow_websockets: 'true'": ("websockets", True),
    "allow_websockets: T": ("websockets", True),
    "allow_websockets: 1": ("websockets", True),
    "allow_websockets: ''": ("websockets", False),
    "allow_upgrades: [WebSocket]": ("websockets", True),
    "allow_upgrades: websocket": ("websockets", True),
    "allow_upgrades: [spdy/3.1]": ("spdy", True),
    "allow_upgrades: [foo]": ("websockets", False),
    "allow_spdy: true": ("spdy", True),
    "preserve_host_header: true": ("preserve_host_header", True),
    "host_rewrite: a.example.com": ("host_rewrite", "a.example.com"),
    "host_rewrite_header: x-host": ("host_rewrite_header", "x-host"),
    "host_path_regex_rewrite_pattern: '^/(.+)$'": ("host_path_regex_rewrite_pattern", "^/(.+)$"),
    "host_path_regex_rewrite_substitution: '\\1'": ("host_path_regex_rewrite_substitution", "\\1"),
    "prefix: /a": ("prefix", "/a"),
    "path: /a": ("path", "/a"),
    "regex: ^/a$": ("regex", "^/a$"),
    "prefix_rewrite: /b": ("prefix_rewrite", "/b"),
    "regex_rewrite_pattern: ^/a": ("regex_rewrite_pattern", "^/a"),
    "regex_rewrite_substitution: /b": ("regex_rewrite_substitution", "/b"),
    "set_request_headers: {X-A: 1, b: true, c: ~}": ("set_request_headers", {"x-a": "1", "b": "1", "c": ""}),
    "set_request_headers: [{a: b}, {c: d}]": ("set_request_headers", {"a": "b", "c": "d"}),
    'set_request_headers: \'{"a": "b"}\'': ("set_request_headers", {"a": "b"}),
    "remove_request_headers: [a, 1]": ("remove_request_headers", ("a", "1")),
    "remove_request_headers: a,b": ("remove_request_headers", ("a", "b")),
    "remove_request_headers: ''": ("remove_request_headers", ()),
    "load_balancing_policy: maglev": ("load_balancing_policy", "MAGLEV"),
    "load_balancing_policy: Ring_Hash": ("load_balancing_policy", "RING_HASH"),
    "load_balancing_policy: LOAD_BALANCING_POLICY_LEAST_REQUEST": ("load_balancing_policy", "LEAST_REQUEST"),
    "load_balancing_policy: ''": ("load_balancing_policy", "ROUND_ROBIN"),
    "healthy_panic_threshold: 0": ("healthy_panic_threshold", 0),
    "circuit_breaker_thresholds: {max_connections: 5, max_retries: 0}": (
        "circuit_breakers",
        CircuitBreakers(max_connections=5, max_retries=0),
    ),
    "enable_google_cloud_serverless_authentication: true": ("google_serverless", True),
    "mcp: {server: {}}": ("mcp_server", True),
    "mcp: {client: {}}": ("mcp_server", False),
    "name: 12": ("key_name", "12"),
    "name: 1.50": ("key_name", "1.5"),
    "name: 010": ("key_name", "8"),
    "name: 1e21": ("key_name", "1000000000000000000000"),
    "name: .inf": ("key_name", "+Inf"),
    "name: 12:30": ("key_name", "12:30"),
}


@pytest.mark.parametrize(("line", "expected"), FIELDS.items())
def test_fields(line: str, expected: tuple[str, Any]) -> None:
    """A key is decoded as viper and mapstructure decode it."""
    field, value = expected
    assert value == getattr(route(line), field)


def test_defaults() -> None:
    """What is not set is not set."""
    one = route()
    assert (None, None, False, False, "ROUND_ROBIN", None, ()) == (
        one.timeout, one.idle_timeout, one.websockets, one.spdy, one.load_balancing_policy, one.healthy_panic_threshold, one.envoy_refusals,
    )  # fmt: skip
    assert RouteKind.HTTP is one.kind
    assert "<stdin>:2:9 routes[0].from" == str(one.places["from"])


def test_global_upgrades() -> None:
    """The route's allow_upgrades, even an empty one, overrides the global one."""
    top = "allow_upgrades: [websocket, spdy/3.1]\n"
    assert (True, True) == (read(top + with_keys()).routes[0].websockets, read(top + with_keys()).routes[0].spdy)
    assert not read(top + with_keys("allow_upgrades: []")).routes[0].websockets
    assert read(top + with_keys("allow_upgrades: [x]", "allow_websockets: true")).routes[0].websockets


REFUSED = {
    "timeout: '30'": "'routes[0].timeout' time: missing unit in duration \"30\"",
    "timeout: 1d": '\'routes[0].timeout\' time: unknown unit "d" in duration "1d"',
    "timeout: ''": "'routes[0].timeout' time: invalid duration \"\"",
    "timeout: [1s]": "'routes[0].timeout' expected type 'time.Duration', got unconvertible type '[]interface {}'",
    "timeout: {a: 1}": "'routes[0].timeout' expected type 'time.Duration', got unconvertible type 'map[string]interface {}'",
    "allow_websockets: yes": "'routes[0].allow_websockets' cannot parse value as 'bool': strconv.ParseBool: invalid syntax",
    "allow_websockets: [true]": "'routes[0].allow_websockets' expected type 'bool', got unconvertible type '[]interface {}'",
    "name: 2020-01-01": "'routes[0].name' expected type 'string', got unconvertible type 'time.Time'",
    "name: [a]": "'routes[0].name' expected type 'string', got unconvertible type '[]interface {}'",
    "remove_request_headers: {a: b}": (
        "'routes[0].remove_request_headers[0]' expected type 'string', got unconvertible type 'map[string]interface {}'"
    ),
    "remove_request_headers: [[a]]": (
        "'routes[0].remove_request_headers[0]' expected type 'string', got unconvertible type '[]interface {}'"
    ),
    "set_request_headers: x": "'routes[0].set_request_headers' invalid character 'x' looking for beginning of value",
    "set_request_headers: [a]": "'routes[0].set_request_headers[0]' invalid character 'a' looking for beginning of value",
    "set_request_headers: {a: [b]}": "'routes[0].set_request_headers[a]' expected type 'string', got unconvertible type '[]interface {}'",
    "healthy_panic_threshold: '5'": ("'routes[0].healthy_panic_threshold' json: cannot unmarshal string into Go value of type int64"),
    "healthy_panic_threshold: 1.5": ("'routes[0].healthy_panic_threshold' json: cannot unmarshal number 1.5 into Go value of type int64"),
    "healthy_panic_threshold: 99999999999": "'routes[0].healthy_panic_threshold' json: 99999999999 overflows max int32 value",
    "healthy_panic_threshold: true": "'routes[0].healthy_panic_threshold' json: cannot unmarshal bool into Go value of type int64",
    "circuit_breaker_thresholds: {max_connections: -5}": (
        "'routes[0].circuit_breaker_thresholds.max_connections' json: cannot unmarshal number -5 into Go value of type uint64"
    ),
    "circuit_breaker_thresholds: 5": "'routes[0].circuit_breaker_thresholds' expected a map or struct, got \"int\"",
    "circuit_breaker_thresholds: [5]": "'routes[0].circuit_breaker_thresholds' expected a map or struct, got \"slice\"",
    "load_balancing_policy: round-robin": "'routes[0].load_balancing_policy' unsupported enum value round-robin for LoadBalancingPolicy",
    "mcp: {}": "config: mcp must have either server or client set",
    "mcp: {server: ~}": "config: mcp must have either server or client set",
    "mcp: server": "'routes[0].mcp' expected a map or struct, got \"string\"",
    "redirect: {response_code: 999}": "config: unsupported redirect response code 999 (supported values: 301, 302, 303, 307, 308)",
    "redirect: {response_code: x}": "'routes[0].redirect.response_code' cannot parse value as 'int32': strconv.ParseInt: invalid syntax",
    "redirect: true": "'routes[0].redirect' expected a map or struct, got \"bool\"",
    "redirect: {https_redirect: yes}": (
        "'routes[0].redirect.https_redirect' cannot parse value as 'bool': strconv.ParseBool: invalid syntax"
    ),
    "redirect: {port_redirect: x}": "'routes[0].redirect.port_redirect' cannot parse value as 'uint32': strconv.ParseUint: invalid syntax",
    "response: {status: x}": "'routes[0].response.status' cannot parse value as 'int': strconv.ParseInt: invalid syntax",
    "regex_priority_order: x": "'routes[0].regex_priority_order' cannot parse value as 'int64': strconv.ParseInt: invalid syntax",
    "show_error_details: yes": "'routes[0].show_error_details' cannot parse value as 'bool': strconv.ParseBool: invalid syntax",
    "depends_on: [a, b, c, d, e, f]": "config: depends_on is limited to 5 additional redirect hosts, got [a b c d e f]",
    "depends_on: [a/b]": 'config: unsupported depends_on value "a/b"',
    "allowed_groups: [a]": "some configuration options are no longer supported, please check logs for details: routes.allowed_groups",
    "set_authorization_header: x": (
        "some configuration options are no longer supported, please check logs for details: routes.set_authorization_header"
    ),
    "tls_custom_ca: '*'": "config: couldn't decode custom ca: illegal base64 data at input byte 0",
    "tls_custom_ca_file: /nonexistent/ca.pem": (
        "config: couldn't load client ca file: open /nonexistent/ca.pem: no such file or directory"
    ),
    "tls_client_cert: YQ==": "config: client certificate key and cert both must be non-empty",
    "tls_client_key_file: /x": "config: client certificate key and cert both must be non-empty",
}


@pytest.mark.parametrize(("line", "message"), REFUSED.items())
def test_refused(line: str, message: str) -> None:
    """A value that Pomerium refuses is refused in its words."""
    assert [message] == messages(with_keys(line))


PAIRS = {
    ("prefix_rewrite: /", "regex_rewrite_pattern: x"): (
        "config: only prefix_rewrite or regex_rewrite_pattern can be specified, but not both"
    ),
    ("kubernetes_service_account_token: a", "kubernetes_service_account_token_file: b"): (
        "config: specified both `kubernetes_service_account_token_file` and `kubernetes_service_account_token`"
    ),
    ("allow_public_unauthenticated_access: true", "allowed_users: [a]"): ("config: policy route marked as public but contains whitelists"),
    ("allow_any_authenticated_user: true", "allowed_domains: [a]"): (
        "config: policy route marked accessible for any authenticated user but contains whitelists"
    ),
    ("tls_client_cert: YQ==", "tls_client_key: YQ=="): (
        "config: couldn't decode client cert tls: failed to find any PEM data in certificate input"
    ),
    ("tls_client_cert: '*'", "tls_client_key: YQ=="): (
        "config: couldn't decode client cert failed to decode certificate cert: illegal base64 data at input byte 0"
    ),
    ("tls_client_cert_file: /nonexistent/a", "tls_client_key_file: /nonexistent/b"): (
        "config: couldn't load client cert file open /nonexistent/a: no such file or directory"
    ),
}


@pytest.mark.parametrize(("lines", "message"), PAIRS.items())
def test_refused_together(lines: tuple[str, str], message: str) -> None:
    """Keys that Pomerium does not take together are refused in its words."""
    assert [message] == messages(with_keys(*lines))


def test_groups_of_a_policy() -> None:
    """allowed_groups below `policy:` is only unknown."""
    assert read("policy:\n- from: https://a.example.com\n  to: http://b\n  allowed_groups: [x]\n").routes


ADVICE = {
    "timeout: '30'": "timeout: 30s",
    "timeout: 1d": "timeout: 24h",
    "timeout: 5 min": "timeout: 5m",
    "timeout: 2 weeks": "timeout: 336h",
    "allow_websockets: yes": "allow_websockets: true",
    "allow_websockets: 'Off'": "allow_websockets: false",
    "healthy_panic_threshold: '5'": "healthy_panic_threshold: 5",
    "load_balancing_policy: round-robin": "load_balancing_policy: round_robin",
    "load_balancing_policy: leastrequest": "load_balancing_policy: least_request",
    "mcp: {}": "mcp: {server: {}}",
    "allowed_groups: [a]": "policy: [{allow: {or: [{groups: {has: GROUP}}]}}]",
    "tls_client_cert: YQ==": "tls_client_key: …",
    "timeout: soon": None,
}


@pytest.mark.parametrize(("line", "write"), ADVICE.items())
def test_advice(line: str, write: str | None) -> None:
    """What to write instead is said where it can be told."""
    (problem,) = refused(with_keys(line))
    assert write == problem.facts.get("write")


def test_secrets_stay_out() -> None:
    """Values of secret keys are in no problem and in no repr."""
    secret = "hunter2"
    for line in ("kubernetes_service_account_token: [hunter2]", "tls_client_key: [hunter2]", "idp_client_secret: [hunter2]"):
        assert all(secret not in repr(problem) for problem in refused(with_keys(line)))
    config = read(with_keys("set_request_headers: {Authorization: hunter2}", "kubernetes_service_account_token: hunter2"))
    assert secret not in repr(config)


def test_custom_ca() -> None:
    """tls_custom_ca is base64, line ends in it do not count."""
    encoded = base64.b64encode(b"some bytes").decode()
    assert b"some bytes" == route(f'tls_custom_ca: "{encoded[:5]}\\n{encoded[5:]}"').tls.custom_ca


def test_tls_names() -> None:
    """tls_upstream_server_name wins over tls_server_name."""
    assert "b" == route("tls_server_name: a", "tls_upstream_server_name: b").tls.server_name
    assert "a" == route("tls_server_name: a").tls.server_name
    options = route("tls_skip_verify: true", "tls_upstream_allow_renegotiation: true").tls
    assert options.skip_verify and options.allow_renegotiation


AUTHORIZATION_SERVER = {
    "auth.example.com": "config: invalid mcp authorization_server_url auth.example.com url does not contain a valid scheme",
    "http://auth.example.com": 'config: mcp authorization_server_url must be https, got "http"',
}


@pytest.mark.parametrize(("written", "message"), AUTHORIZATION_SERVER.items())
def test_authorization_server_of_an_mcp_route(written: str, message: str) -> None:
    """An MCP server's authorization server is an https URL; before 0.33 there was no such key."""
    text = with_keys(f"mcp: {{server: {{authorization_server_url: '{written}'}}}}")
    assert [message] == messages(text)
    assert read(text, pomerium_version="0.32").routes


def test_downstream_authority_is_base64() -> None:
    """It does not concern the upstream, but Pomerium does not start without it."""
    assert ["config: couldn't decode downstream client ca: illegal base64 data at input byte 1"] == messages(
        with_keys("tls_downstream_client_ca: a-")
    )
