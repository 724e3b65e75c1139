"""health_checks and outlier_detection: protobuf's rules first, Envoy's then. Envoy's words were seen with 1.37 and 1.40."""

from __future__ import annotations

from typing import Any

import pytest

from pomprobe.config.health import TWO_CHECKS, TWO_UNNAMED, not_positive
from pomprobe.model import Failure

from .reading import found, messages, read, refused, route, with_keys

GOOD = "timeout: 10s, interval: 60s, unhealthy_threshold: 2, healthy_threshold: 1"


def check(entry: str) -> str:
    return f"health_checks: [{{{GOOD}, {entry}}}]"


def one(entry: str) -> Any:
    (only,) = route(check(entry)).health_checks
    return only


def test_http() -> None:
    """An HTTP check is read as Envoy would be told it."""
    got = one(
        "no_traffic_interval: 5s, http_health_check: {path: /healthz, host: a.internal, codec_client_type: HTTP2, "
        "expected_statuses: [{start: 200, end: 300}, {start: '404', end: 405}], retriable_statuses: [{start: 500, end: 600}], "
        "receive: [{text: '504f4e47'}, {binary: UE9ORw}]}"
    )
    assert ("http", 10.0, 60.0, 2, 1, 5.0) == (
        got.checker, got.timeout, got.interval, got.unhealthy_threshold, got.healthy_threshold, got.no_traffic_interval,
    )  # fmt: skip
    assert ("/healthz", "a.internal", True) == (got.path, got.host, got.http2)
    assert (((200, 300), (404, 405)), ((500, 600),)) == (got.expected_statuses, got.retriable_statuses)
    assert (b"PONG", b"PONG") == got.receive
    assert "10s" == got.raw["timeout"]
    assert "routes[0].health_checks[0]" == got.place.path


def test_http_defaults() -> None:
    """By default exactly 200 will do, over HTTP/1, and an idle cluster is asked every 60 s."""
    got = one("http_health_check: {path: /}")
    assert (((200, 201),), (), False, "", 60.0) == (
        got.expected_statuses,
        got.retriable_statuses,
        got.http2,
        got.host,
        got.no_traffic_interval,
    )


def test_tcp_and_grpc() -> None:
    """A TCP check sends and expects bytes, a gRPC check names a service."""
    got = one("tcp_health_check: {send: {text: '50494e47'}, receive: [{text: '504F4E47'}]}")
    assert ("tcp", b"PING", (b"PONG",)) == (got.checker, got.send, got.receive)
    got = one("grpc_health_check: {service_name: s, authority: a}")
    assert ("grpc", "s", "a") == (got.checker, got.service_name, got.authority)
    assert ("tcp", b"") == (one("tcp_health_check: {}").checker, one("tcp_health_check: {}").send)


def test_one_mapping_is_a_list() -> None:
    """mapstructure takes a mapping for a list of one, and text for nothing."""
    assert 1 == len(route(f"health_checks: {{{GOOD}, tcp_health_check: {{}}}}").health_checks)
    assert () == route("health_checks: ''").health_checks == route("health_checks: ~").health_checks


UNDECODABLE = {
    "health_checks: [{timeout: 1m}]": 'proto: invalid google.protobuf.Duration value "1m"',
    "health_checks: [{timeout: 500ms}]": 'proto: invalid google.protobuf.Duration value "500ms"',
    "health_checks: [{timeout: 10}]": "proto: unexpected token 10",
    "health_checks: [{unhealthy_threshold: x}]": 'proto: invalid value for uint32 field unhealthy_threshold: "x"',
    "health_checks: [{unhealthy_threshold: -1}]": "proto: invalid value for uint32 field unhealthy_threshold: -1",
    "health_checks: [{unhealthy_threshold: true}]": "proto: invalid value for uint32 field unhealthy_threshold: true",
    "health_checks: [{reuse_connection: yes}]": 'proto: invalid value for bool field reuse_connection: "yes"',
    "health_checks: [{http_health_check: {path: 5}}]": "proto: invalid value for string field path: 5",
    "health_checks: [{http_health_check: {codec_client_type: http2}}]": 'proto: invalid value for enum field codecClientType: "http2"',
    "health_checks: [{tcp_health_check: {receive: {text: '00'}}}]": "proto: unexpected token {",
    "health_checks: [{tcp_health_check: []}]": "proto: unexpected token [",
    "health_checks: [{http_health_check: {path: /}, tcp_health_check: {}}]": (
        'proto: error parsing "tcp_health_check", oneof pomerium.config.HealthCheck.health_checker is already set'
    ),
    "health_checks: [{http_health_check: {receive: [{binary: '*'}]}}]": 'proto: invalid value for bytes field binary: "*"',
    "health_checks: x": 'proto: unexpected token "x"',
    "outlier_detection: {interval: 1m}": 'proto: invalid google.protobuf.Duration value "1m"',
    "outlier_detection: 5": "proto: unexpected token 5",
    "outlier_detection: {consecutive_5xx: 1.5}": "proto: invalid value for uint32 field consecutive_5xx: 1.5",
}


@pytest.mark.parametrize(("line", "message"), UNDECODABLE.items())
def test_undecodable(line: str, message: str) -> None:
    """What protojson refuses, Pomerium does not start with."""
    (got,) = messages(with_keys(line))
    assert got.endswith(f"' {message}")


ADVICE = {
    "health_checks: [{timeout: 1m}]": "timeout: 60s",
    "health_checks: [{timeout: 500ms}]": "timeout: 0.500s",
    "health_checks: [{timeout: 10}]": "timeout: 10s",
    "health_checks: [{http_health_check: {codec_client_type: http2}}]": "codec_client_type: HTTP2",
    "health_checks: [{http_health_check: {path: 5}}]": 'path: "5"',
}


@pytest.mark.parametrize(("line", "write"), ADVICE.items())
def test_advice(line: str, write: str) -> None:
    """What to write instead is said."""
    assert write == refused(with_keys(line))[0].facts["write"]


REQUIRED = "Proto constraint validation failed (HealthCheckValidationError.{}: value is required)"
POSITIVE = "Proto constraint validation failed ({}ValidationError.{}: value must be greater than 0s)"
REFUSED = {
    "health_checks: [{interval: 1s, unhealthy_threshold: 1, healthy_threshold: 1, tcp_health_check: {}}]": REQUIRED.format("Timeout"),
    "health_checks: [{timeout: 1s, unhealthy_threshold: 1, healthy_threshold: 1, tcp_health_check: {}}]": REQUIRED.format("Interval"),
    "health_checks: [{timeout: 1s, interval: 1s, healthy_threshold: 1, tcp_health_check: {}}]": REQUIRED.format("UnhealthyThreshold"),
    "health_checks: [{timeout: 1s, interval: 1s, unhealthy_threshold: 1, tcp_health_check: {}}]": REQUIRED.format("HealthyThreshold"),
    "health_checks: [{timeout: 0s, interval: 1s, unhealthy_threshold: 1, healthy_threshold: 1, tcp_health_check: {}}]": (
        POSITIVE.format("HealthCheck", "Timeout")
    ),
    "health_checks: [{timeout: -1s, interval: 1s, unhealthy_threshold: 1, healthy_threshold: 1, tcp_health_check: {}}]": (
        "Invalid duration: Expected positive duration: seconds: -1"
    ),
    f"health_checks: [{{{GOOD}}}]": 'Proto constraint validation failed (field: "health_checker", reason: is required)',
    check("no_traffic_interval: 0s, tcp_health_check: {}"): POSITIVE.format("HealthCheck", "NoTrafficInterval"),
    check("healthy_edge_interval: 0s, tcp_health_check: {}"): POSITIVE.format("HealthCheck", "HealthyEdgeInterval"),
    check("interval_jitter: -0.5s, tcp_health_check: {}"): "Invalid duration: Expected positive duration: nanos: -500000000",
    check("http_health_check: {}"): (
        "Proto constraint validation failed (HttpHealthCheckValidationError.Path: value length must be at least 1 characters)"
    ),
    check("http_health_check: {path: /, expected_statuses: [{start: 200, end: 200}]}"): (
        "Invalid http expected status range: expecting start < end, but found start=200 and end=200"
    ),
    check("http_health_check: {path: /, expected_statuses: [{start: 200}]}"): (
        "Invalid http expected status range: expecting start < end, but found start=200 and end=0"
    ),
    check("http_health_check: {path: /, expected_statuses: [{start: 99, end: 200}]}"): (
        "Invalid http expected status range: expecting start >= 100, but found start=99"
    ),
    check("http_health_check: {path: /, retriable_statuses: [{start: 200, end: 700}]}"): (
        "Invalid http retriable status range: expecting end <= 600, but found end=700"
    ),
    check("http_health_check: {path: /, send: {text: '50'}}"): (
        "HTTP health check cannot specify a request payload with method 'GET'. "
        "Only methods that support a request body (POST, PUT, PATCH, OPTIONS) can be used with payload."
    ),
    check("tcp_health_check: {send: {text: PING}}"): "invalid hex string 'PING'",
    check("tcp_health_check: {receive: [{text: ABC}]}"): "invalid hex string 'ABC'",
    check("tcp_health_check: {send: {text: ''}}"): (
        "Proto constraint validation failed (PayloadValidationError.Text: value length must be at least 1 characters)"
    ),
    check("tcp_health_check: {send: {}}"): 'Proto constraint validation failed (field: "payload", reason: is required)',
    check("grpc_health_check: {}"): "cluster must support HTTP/2 for gRPC healthchecking",
    f"health_checks: [{{{GOOD}, tcp_health_check: {{}}}}, {{{GOOD}, tcp_health_check: {{}}}}]": TWO_CHECKS,
    "healthy_panic_threshold: 101": (
        "Proto constraint validation failed (PercentValidationError.Value: value must be inside range [0, 100])"
    ),
    "healthy_panic_threshold: -1": "Proto constraint validation failed (PercentValidationError.Value: value must be inside range [0, 100])",
    "outlier_detection: {max_ejection_percent: 101}": (
        "Proto constraint validation failed (OutlierDetectionValidationError.MaxEjectionPercent: value must be less than or equal to 100)"
    ),
    "outlier_detection: {enforcing_consecutive_5xx: 101, max_ejection_percent: 100}": (
        "Proto constraint validation failed (OutlierDetectionValidationError.EnforcingConsecutive_5Xx: value must be "
        "less than or equal to 100)"
    ),
    "outlier_detection: {interval: 0s}": POSITIVE.format("OutlierDetection", "Interval"),
    "outlier_detection: {max_ejection_time: 10s}": "outlier detector's max_ejection_time cannot be smaller than base_ejection_time",
    "timeout: -1s": "Invalid duration: Expected positive duration: seconds: -1",
    "idle_timeout: -1500ms": "Invalid duration: Expected positive duration: seconds: -1 nanos: -500000000",
}


@pytest.mark.parametrize(("line", "message"), REFUSED.items())
def test_refused_by_envoy(line: str, message: str) -> None:
    """What Envoy refuses blocks the route, in its words, and is told with its place."""
    config = read(with_keys(line))
    assert message in config.routes[0].envoy_refusals
    assert any(message == problem.message for problem in config.problems)


ACCEPTED = (
    check("tcp_health_check: {}"),
    check("initial_jitter: 0s, interval_jitter: 0s, tcp_health_check: {}"),
    check("http_health_check: {path: /, response_buffer_size: 0, request_headers_to_remove: [a]}"),
    "health_checks: [{timeout: 0.001s, interval: 1s, unhealthy_threshold: 0, healthy_threshold: 1, tcp_health_check: {}}]",
    "healthy_panic_threshold: 100",
    "outlier_detection: {max_ejection_time: 30s, max_ejection_percent: 100}",
    "outlier_detection: {max_ejection_time_jitter: 0s}",
)


@pytest.mark.parametrize("line", ACCEPTED)
def test_accepted_by_envoy(line: str) -> None:
    """What Envoy accepts does not block the route."""
    assert () == route(line).envoy_refusals


def test_grpc_needs_http2() -> None:
    """A gRPC check is fine where HTTP/2 is spoken: h2c everywhere, or TLS without websockets."""
    text = with_keys(check("grpc_health_check: {}"))
    for scheme in ("h2c", "https"):
        assert () == read(text.replace("to: http", f"to: {scheme}")).routes[0].envoy_refusals
        websockets = text.replace("to: http", f"to: {scheme}") + "  allow_websockets: true\n"
        assert ("cluster must support HTTP/2 for gRPC healthchecking",) == read(websockets).routes[0].envoy_refusals


def test_two_checks_later() -> None:
    """Envoy 1.40 takes several checks, but wants names."""
    line = f"health_checks: [{{{GOOD}, tcp_health_check: {{}}}}, {{{GOOD}, tcp_health_check: {{}}}}]"
    assert (TWO_UNNAMED,) == route(line, pomerium_version="next").envoy_refusals


def test_http3_ends_envoy() -> None:
    """A check over HTTP/3 ends Envoy itself."""
    config = read(with_keys(check("http_health_check: {path: /, codec_client_type: HTTP3}")))
    (problem,) = found(config, Failure.HEALTH_CHECK_CODEC)
    assert "codec_client_type: HTTP1" == problem.facts["write"]
    assert (problem.message,) == config.routes[0].envoy_refusals


def test_unquoted_payload() -> None:
    """A payload that YAML takes for a number is read as meant, and told."""
    config = read(with_keys(check("tcp_health_check: {send: {text: 50494E47}, receive: [{text: 504f4e47}]}")))
    assert (b"PING", (b"PONG",)) == (config.routes[0].health_checks[0].send, config.routes[0].health_checks[0].receive)
    (problem,) = found(config, Failure.UNQUOTED_HEX)
    assert 'text: "50494E47"' == problem.facts["write"]


@pytest.mark.parametrize(
    ("nanoseconds", "words"), [(-(10**9), "seconds: -1"), (-1, "nanos: -1"), (-15 * 10**8, "seconds: -1 nanos: -500000000")]
)
def test_not_positive(nanoseconds: int, words: str) -> None:
    """Envoy prints the protobuf message of a negative duration."""
    assert f"Invalid duration: Expected positive duration: {words}" == not_positive(nanoseconds)


ADDRESSES = {
    "http://[::1]": "malformed IP address: [::1]. Consider setting resolver_name or setting cluster type to 'STRICT_DNS' or 'LOGICAL_DNS'",
    "http://a:65536": (
        "Proto constraint validation failed (SocketAddressValidationError.PortValue: value must be less than or equal to 65535)"
    ),
    "http://a:4294967295": (
        "Proto constraint validation failed (SocketAddressValidationError.PortValue: value must be less than or equal to 65535)"
    ),
}


@pytest.mark.parametrize(("written", "message"), ADDRESSES.items())
def test_addresses(written: str, message: str) -> None:
    """Addresses that Envoy cannot use block the route."""
    config = read(f"routes:\n- from: https://a.example.com\n  to: '{written}'\n")
    assert (message,) == config.routes[0].envoy_refusals
    assert [message] == [problem.message for problem in found(config, Failure.CLUSTER_REFUSED)]
