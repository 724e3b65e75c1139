"""Environment variables win over the file, each key by its name in capitals."""

from __future__ import annotations

import base64

import pytest

from pomprobe.config import load
from pomprobe.model import Failure, RouteKind

from .reading import ROUTE, found, messages, read


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_values() -> None:
    """A variable gives a key that the file lacks, or wins over it, which is told."""
    config = read(
        "timeout_read: 5s\n" + ROUTE, env={"TIMEOUT_READ": "7s", "SERVICES": "proxy", "HOME": "/root", "services": "x", "ADDRESS": ""}
    )
    assert (7.0, "proxy", "") == (config.settings.timeout_read, config.settings.services, config.settings.address)
    (problem,) = found(config, Failure.ENV_OVERRIDE)
    assert ("TIMEOUT_READ", "<stdin>:1:15 timeout_read") == (problem.facts["variable"], str(problem.place))
    assert "$SERVICES" == config.settings.places["services"].file


def test_lists_and_maps() -> None:
    """Lists are separated by commas, runtime flags are JSON."""
    env = {"RUNTIME_FLAGS": '{"ssh_upstream_tunnel":true}', "DNS_RESOLVERS": "udp://1.1.1.1:53,udp://8.8.8.8:53"}
    config = read(ROUTE + "  upstream_tunnel: {}\n", env=env)
    assert (2, RouteKind.TUNNEL) == (len(config.settings.dns.resolvers), config.routes[0].kind)


FLAGS = {
    "mcp": "'runtime_flags' invalid character 'm' looking for beginning of value",
    "[1]": "'runtime_flags' json: cannot unmarshal array into Go value of type map[string]bool",
    '{"a":1}': "'runtime_flags' json: cannot unmarshal number into Go value of type bool",
}


@pytest.mark.parametrize(("value", "message"), FLAGS.items())
def test_bad_flags(value: str, message: str) -> None:
    """Flags are JSON with booleans."""
    assert [message] == messages(ROUTE, env={"RUNTIME_FLAGS": value})


def test_routes() -> None:
    """ROUTES and POLICY are base64 of a YAML list; they replace the file's."""
    text = "- from: https://env.example.com\n  to: http://env\n  timeout: 30\n"
    config = read(ROUTE, env={"ROUTES": encoded(text)})
    assert ["env.example.com"] == [route.name for route in config.routes]
    (problem,) = found(config, Failure.DURATION_NANOSECONDS)
    assert "$ROUTES:3:12 routes[0].timeout" == str(problem.place)
    both = read(ROUTE, env={"POLICY": encoded(text)})
    assert ["env.example.com", "app.example.com"] == [route.name for route in both.routes]


def test_keys_keep_their_case() -> None:
    """Within base64 viper does not lower-case: camelCase health checks work, `To` does not."""
    text = (
        "- from: https://a.example.com\n  to: http://a\n  To: http://b\n"
        "  health_checks: [{timeout: 1s, interval: 1s, unhealthyThreshold: 1, healthyThreshold: 1, httpHealthCheck: {path: /}}]\n"
    )
    config = load("-", text=ROUTE.encode(), env={"ROUTES": encoded(text)})
    assert ("http", 1) == (config.routes[0].health_checks[0].checker, config.routes[0].health_checks[0].unhealthy_threshold)
    assert () == config.routes[0].envoy_refusals
    assert ["To"] == [problem.facts["key"] for problem in found(config, Failure.CAMEL_CASE_KEY)]


BAD = {
    "a,b": "'routes' base64 policy data: expecting 1, got 2",
    "!!": "'routes' base64 decoding policy data: illegal base64 data at input byte 0",
    "YWI": "'routes' base64 decoding policy data: illegal base64 data at input byte 0",
    "YW=": "'routes' base64 decoding policy data: illegal base64 data at input byte 3",
    "YWJj=": "'routes' base64 decoding policy data: illegal base64 data at input byte 4",
    encoded("a: b"): (
        "'routes' parsing base64-encoded policy data as yaml: yaml: unmarshal errors: "
        "line 1: cannot unmarshal !!map into []map[interface {}]interface {}"
    ),
    encoded(": :"): "'routes' parsing base64-encoded policy data as yaml: yaml: did not find expected key",
    encoded("- from: a\n  from: b\n"): (
        "'routes' parsing base64-encoded policy data as yaml: line 2: mapping key \"from\" already defined at line 1"
    ),
}


@pytest.mark.parametrize(("value", "message"), BAD.items())
def test_bad_base64(value: str, message: str) -> None:
    """What cannot be decoded is refused in Pomerium's words."""
    assert message in messages(ROUTE, env={"ROUTES": value})[0]


def test_strings_only() -> None:
    """A variable is text, which keys that go through JSON do not take."""
    assert ["'dns_use_tcp' json: cannot unmarshal string into Go value of type bool"] == messages(ROUTE, env={"DNS_USE_TCP": "true"})
    assert ["'circuit_breaker_thresholds' expected a map or struct, got \"string\""] == messages(
        ROUTE, env={"CIRCUIT_BREAKER_THRESHOLDS": '{"max_connections":5}'}
    )


def test_empty_list() -> None:
    """An empty list in base64 gives no routes."""
    assert () == read(ROUTE, env={"ROUTES": encoded("# nothing")}).routes
