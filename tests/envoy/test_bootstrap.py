"""Envoy's configuration: accepted by a real Envoy, faithful to Pomerium's, and silent about secrets when it is printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import trustme

from plan.builders import PLACE, SYSTEM, planned, route
from pomprobe.envoy.cluster import cluster_message
from pomprobe.envoy.find import Binary
from pomprobe.envoy.reproduce import printed
from pomprobe.envoy.route import route_message
from pomprobe.envoy.validate import refusals, words
from pomprobe.envoy.values import Files, Public, duration, literal
from pomprobe.model import CircuitBreakers, Cluster, Config, DNSSettings, HealthCheck, RouteKind, Settings, TLSOptions
from pomprobe.plan import plan
from pomprobe.system_ca import read_bundle

BASE = {"timeout": "1s", "interval": "1s", "unhealthy_threshold": 1, "healthy_threshold": 1}
HTTP = HealthCheck(
    "http", 1, 1, 1, 1, raw={**BASE, "http_health_check": {"path": "/healthz", "expected_statuses": [{"start": 200, "end": 300}]}}
)
GRPC = HealthCheck("grpc", 1, 1, 1, 1, raw={**BASE, "grpc_health_check": {"service_name": "x"}})
TCP = HealthCheck("tcp", 1, 1, 1, 1, raw={**BASE, "tcp_health_check": {"send": {"text": "50"}, "receive": [{"text": "51"}]}})

ACCEPTED: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "http": (("http://127.0.0.1:80",), {}),
    "names and weights": (("http://a:80,1", "http://b:81,3"), {"load_balancing_policy": "MAGLEV"}),
    "least request": (("http://a:80",), {"load_balancing_policy": "LEAST_REQUEST"}),
    "https": (("https://a",), {"timeout": 30e-9, "idle_timeout": 1.5}),
    "https and http": (("https://a", "http://a"), {}),
    "IPv6": (("https://[::1]:443",), {}),
    "pattern": (("https://a",), {"tls": TLSOptions(server_name="*.x(y)", skip_verify=True, allow_renegotiation=True)}),
    "websockets": (("https://a",), {"websockets": True, "spdy": True}),
    "h2c": (("h2c://a",), {"set_request_headers": {"x-a": "50%", "empty": ""}, "remove_request_headers": ("x-b",)}),
    "tcp": (("tcp://a:22",), {"from_url": "tcp+https://a:22"}),
    "tcp through a proxy": (("http://a:22",), {"from_url": "tcp+https://a:22"}),
    "ssh": (("ssh://a:22",), {"from_url": "ssh://a"}),
    "unix": (("unix:///run/a.sock",), {"host_rewrite": "a.b"}),
    "https over unix": (("https+unix:///run/a.sock",), {"tls": TLSOptions(server_name="a")}),
    "rewrites": (
        ("http://a",),
        {"regex": "/a/.*", "regex_rewrite_pattern": "^/a", "regex_rewrite_substitution": r"\0", "host_rewrite_header": "x"},
    ),
    "host from the path": (
        ("http://a",),
        {"host_path_regex_rewrite_pattern": "^/(.+)$", "host_path_regex_rewrite_substitution": r"\1"},
    ),
    "http check": (("http://a",), {"health_checks": (HTTP,), "healthy_panic_threshold": 0}),
    "tcp check": (("http://a",), {"health_checks": (TCP,)}),
    "grpc check": (("h2c://a",), {"health_checks": (GRPC,)}),
    "outliers": (("http://a",), {"outlier_detection": {"consecutive_5xx": 5, "interval": "10s"}}),
    "breakers": (("http://a",), {"circuit_breakers": CircuitBreakers(1, 2, 3, 4, 5)}),
}
SETTINGS = Settings(
    timeout_write=2,
    bind_source_address="127.0.0.1",
    bind_freebind=True,
    dns=DNSSettings("ALL", (("udp", "127.0.0.1", 53), ("tcp", "::1", 53)), 0.0, 1, True, 5, 1.0, 0.5),
)


@pytest.mark.envoy
@pytest.mark.parametrize("settings", [Settings(), SETTINGS], ids=["defaults", "every global key"])
async def test_envoy_accepts_what_pomerium_builds(envoy: Binary, tmp_path: Path, settings: Settings) -> None:
    """Every kind of route becomes a configuration that Envoy takes; a client certificate and its CA are read from private files."""
    authority = trustme.CA()
    leaf = authority.issue_cert("a")
    options = TLSOptions(
        custom_ca=authority.cert_pem.bytes(),
        client_cert=leaf.cert_chain_pems[0].bytes(),
        client_key=leaf.private_key_pem.bytes(),
    )
    routes = [route(*to, index=index, **keys) for index, (to, keys) in enumerate(ACCEPTED.values())]
    routes.append(route("https://z", index=len(routes), tls=options))
    clusters = [cluster for cluster in plan(Config("c", tuple(routes), settings), read_bundle()) if cluster]
    files = Files(tmp_path)
    assert {} == await refusals(envoy, clusters, settings, tmp_path, files)
    kept = list_files(tmp_path)
    assert kept
    assert {0o600} == {path.stat().st_mode & 0o777 for path in kept}
    files.remove()
    assert [] == list_files(tmp_path)


def list_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.pem"))


def test_shape_of_a_cluster() -> None:
    """Weights, names, metadata and thresholds stand where Pomerium puts them."""
    cluster = planned(
        "https://localhost:8443,1", "https://b,3", circuit_breakers=CircuitBreakers(max_requests=7), healthy_panic_threshold=0
    )
    message = cluster_message(cluster, Settings(), Public())
    first, second = message["load_assignment"]["endpoints"][0]["lb_endpoints"]
    assert {"address": "127.0.0.1", "port_value": 8443} == first["endpoint"]["address"]["socket_address"]
    assert ("localhost:8443", "b") == (first["endpoint"]["hostname"], second["endpoint"]["hostname"])
    assert (1, 3) == (first["load_balancing_weight"], second["load_balancing_weight"])
    assert message["transport_socket"] == message["transport_socket_matches"][0]["transport_socket"]
    assert ({"thresholds": [{"max_requests": 7}]}, {"healthy_panic_threshold": {"value": 0}}) == (
        message["circuit_breakers"],
        message["common_lb_config"],
    )
    assert "10.000000000s" == message["connect_timeout"]


def test_plaintext_members_have_no_socket_of_their_own() -> None:
    """In a mixed list the first TLS socket is the default, and the plaintext member names none."""
    message = cluster_message(planned("http://a:80", "https://b"), Settings(), Public())
    plain, secure = message["load_assignment"]["endpoints"][0]["lb_endpoints"]
    assert ("metadata" not in plain, "metadata" in secure) == (True, True)
    assert "b" == message["transport_socket"]["typed_config"]["sni"]
    assert ["ts-1"] == [match["name"] for match in message["transport_socket_matches"]]


def action(cluster: Cluster) -> dict[str, Any]:
    return dict(route_message(cluster, Settings(), "choice", Public())["route"])


def test_timeouts_reach_envoy_as_they_are_written() -> None:
    """30 nanoseconds stay 30 nanoseconds for Envoy to cut; special routes switch both timers off; unset idle stays unset."""
    assert "0.000000030s" == action(planned("http://a", timeout=30e-9))["timeout"]
    assert ("0.000000000s", "0.000000000s") == tuple(
        action(planned("http://a", websockets=True))[key] for key in ("timeout", "idle_timeout")
    )
    assert ("30.000000000s", None) == tuple(action(planned("http://a")).get(key) for key in ("timeout", "idle_timeout"))
    assert "-1.500000000s" == action(planned("http://a", timeout=-1.5))["timeout"]


def test_the_timeout_header_is_left_to_envoy() -> None:
    """x-envoy-upstream-rq-timeout-ms is a header for Envoy's router to read, and not the route's timeout."""
    cluster = planned("http://a", set_request_headers={"x-envoy-upstream-rq-timeout-ms": "700"})
    assert (0.7, "30.000000000s") == (cluster.timers.route, action(cluster)["timeout"])


def test_printing_shows_no_secret() -> None:
    """Printed, the configuration has neither keys nor header values."""
    options = TLSOptions(client_cert=b"CERT", client_key=b"K3Y", custom_ca=b"CA")
    one = route("https://user:pa55@a", tls=options, set_request_headers={"Authorization": "Bearer s3cret"}, places={"x": PLACE})
    config = Config("config.yaml", (one,), Settings())
    text, _ = printed(config, [(one, plan(config, SYSTEM)[0])])
    assert "authorization" in text
    assert not [secret for secret in ("K3Y", "s3cret", "pa55") if secret in text]
    assert {"listeners", "clusters"} == set(json.loads(text)["static_resources"])


def test_reasons_never_repeat_the_configuration() -> None:
    """Envoy prints its whole input when a constraint fails; only the constraint is kept."""
    output = (
        'x [critical] node { id: "s3cret" }\n: Proto constraint validation failed (A: embedded message failed | caused by B.Port: too big)'
    )
    assert "Proto constraint validation failed (B.Port: too big)" == words(output)
    assert "SAN-based" == words("[critical] error initializing configuration '/tmp/x.json': SAN-based\n")


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, "0.000000000s"), (30e-9, "0.000000030s"), (90.5, "90.500000000s"), (-0.25, "-0.250000000s")]
)
def test_duration(seconds: float, expected: str) -> None:
    """Durations are protobuf's, to the nanosecond."""
    assert expected == duration(seconds)


def test_percent_signs_are_no_commands() -> None:
    """A header value is text for Envoy."""
    assert "50%% %%REQ(x)%%" == literal("50% %REQ(x)%")


def test_routes_without_a_cluster_are_skipped() -> None:
    """A Kubernetes route, a UDP route and a redirect are not in the configuration."""
    routes = tuple(
        route("http://a", index=index, kind=kind) for index, kind in enumerate((RouteKind.KUBERNETES, RouteKind.UDP, RouteKind.REDIRECT))
    )
    config = Config("config.yaml", routes, Settings())
    text, notes = printed(config, list(zip(routes, plan(config, SYSTEM), strict=True)))
    assert 3 == len(notes)
    assert [] == json.loads(text)["static_resources"]["clusters"]
