"""Discovery, protocol, TLS context and the refusals that follow from them."""

from __future__ import annotations

from typing import Any

import pytest

from pomprobe.model import Discovery, HealthCheck, Protocol, Settings, TLSOptions, UpstreamTLS
from pomprobe.plan import Bundle

from .builders import PLACE, planned

DISCOVERY = {
    "IPv4": (("http://127.0.0.1:80",), Discovery.STATIC),
    "name": (("http://app:80",), Discovery.STRICT_DNS),
    "one name among addresses": (("http://127.0.0.1:80", "http://app:80"), Discovery.STRICT_DNS),
    "localhost": (("http://localhost:80",), Discovery.STATIC),
    "another spelling of localhost": (("http://Localhost:80",), Discovery.STRICT_DNS),
    "IPv6 with a port is not recognised": (("http://[::1]:80",), Discovery.STRICT_DNS),
    "IPv6 without a port is": (("http://[::1]",), Discovery.STATIC),
    "leading zeros": (("http://127.000.000.001:80",), Discovery.STRICT_DNS),
    "a number": (("http://2130706433:80",), Discovery.STRICT_DNS),
    "two parts": (("http://127.1:80",), Discovery.STRICT_DNS),
    "unix socket": (("unix:///run/app.sock",), Discovery.STATIC),
}


@pytest.mark.parametrize(("to", "expected"), DISCOVERY.values(), ids=DISCOVERY)
def test_discovery(to: tuple[str, ...], expected: Discovery) -> None:
    """A cluster is static only where Pomerium recognises every host as an address."""
    assert expected is planned(*to).discovery


PROTOCOL: dict[str, tuple[tuple[str, ...], dict[str, Any], Protocol]] = {
    "http": (("http://a:80",), {}, Protocol.HTTP1),
    "any other scheme": (("grpc://a:80",), {}, Protocol.HTTP1),
    "https": (("https://a",), {}, Protocol.AUTO),
    "https over unix": (("https+unix:///run/a.sock",), {}, Protocol.AUTO),
    "https with websockets": (("https://a",), {"websockets": True}, Protocol.HTTP1),
    "h2c": (("h2c://a:80",), {}, Protocol.HTTP2),
    "h2c with websockets": (("h2c://a:80",), {"websockets": True}, Protocol.HTTP1),
    "h2c and http": (("h2c://a:80", "http://a:80"), {}, Protocol.HTTP1),
    "https and http": (("https://a", "http://a"), {}, Protocol.HTTP1),
    "tcp": (("tcp://a:22",), {"from_url": "tcp+https://lab.example.com:22"}, Protocol.RAW),
    "tcp through an HTTP proxy": (("http://a:80",), {"from_url": "tcp+https://lab.example.com:22"}, Protocol.HTTP1),
    "udp": (("udp://a:53",), {"from_url": "udp+https://lab.example.com:53"}, Protocol.RAW),
    "ssh": (("ssh://a:22",), {"from_url": "ssh://lab"}, Protocol.RAW),
}


@pytest.mark.parametrize(("to", "keys", "expected"), PROTOCOL.values(), ids=PROTOCOL)
def test_protocol(to: tuple[str, ...], keys: dict[str, Any], expected: Protocol) -> None:
    """HTTP/2 without TLS needs every `to` to say h2c; ALPN decides where every one is TLS."""
    assert expected is planned(*to, **keys).protocol


def context(*to: str, **keys: Any) -> UpstreamTLS:
    found = planned(*to, **keys).tls[0]
    assert found is not None
    return found


NAMES: dict[str, tuple[str, dict[str, Any], tuple[str, str]]] = {
    "host of to": ("https://App.internal:8443", {}, ("App.internal", "App.internal")),
    "tls_server_name": ("https://10.0.0.1", {"tls": TLSOptions(server_name="app")}, ("app", "app")),
    "IPv4": ("https://10.0.0.1", {}, ("10.0.0.1", "10.0.0.1")),
    "IPv6 is matched in its shortest form": ("https://[0::1]:443", {}, ("0::1", "::1")),
    "localhost keeps its name": ("https://localhost:443", {}, ("localhost", "localhost")),
    "pattern": ("https://a", {"tls": TLSOptions(server_name="*.lab.test")}, ("*.lab.test", "*.lab.test")),
    "unix has none": ("https+unix:///run/a.sock", {}, ("", "")),
}


@pytest.mark.parametrize(("to", "keys", "expected"), NAMES.values(), ids=NAMES)
def test_names(to: str, keys: dict[str, Any], expected: tuple[str, str]) -> None:
    """SNI goes out as it is written, and the name to match follows it."""
    found = context(to, **keys)
    assert expected == (found.server_name, found.match_name)


GLOBAL = Settings(certificate_authority=b"GLOBAL", places={"certificate_authority_file": PLACE})
TRUST: dict[str, tuple[dict[str, Any], tuple[bytes | None, str]]] = {
    "system": ({}, (b"SYSTEM", "/etc/ssl/certs/ca-certificates.crt")),
    "global key": ({"settings": GLOBAL}, (b"SYSTEM\nGLOBAL", "/etc/ssl/certs/ca-certificates.crt + certificate_authority_file")),
    "custom replaces both": ({"settings": GLOBAL, "tls": TLSOptions(custom_ca=b"OWN")}, (b"OWN", "tls_custom_ca")),
    "custom needs no system": ({"bundle": Bundle(), "tls": TLSOptions(custom_ca=b"OWN")}, (b"OWN", "tls_custom_ca")),
    "none, even with the global key": (
        {"bundle": Bundle(), "settings": GLOBAL},
        (None, "none: this machine has no bundle of certificate authorities"),
    ),
}


@pytest.mark.parametrize(("keys", "expected"), TRUST.values(), ids=TRUST)
def test_trust(keys: dict[str, Any], expected: tuple[bytes | None, str]) -> None:
    """tls_custom_ca replaces the system's certificates and the global ones; without a bundle nothing is trusted."""
    found = context("https://app", **keys)
    assert expected == (found.trust, found.trust_source)


def test_plaintext_beside_tls_gets_the_first_tls_context() -> None:
    """In a mixed list every plaintext upstream is spoken to in TLS, with the first https upstream's name, and h2 is offered."""
    cluster = planned("http://a:80", "https://b", "https://c")
    assert ["b", "b", "c"] == [context and context.server_name for context in cluster.tls]
    assert Protocol.HTTP1 is cluster.protocol
    assert ("h2", "http/1.1") == (cluster.tls[0] and cluster.tls[0].alpn)


def test_websockets_offer_http1_only() -> None:
    """ALPN offers h2 first, except on routes with websockets."""
    assert ("h2", "http/1.1") == context("https://a").alpn
    assert ("http/1.1",) == context("https://a", websockets=True).alpn


GRPC = (HealthCheck(checker="grpc", timeout=1, interval=1, unhealthy_threshold=1, healthy_threshold=1),)
REFUSALS: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "none": ("https://a", {}, ()),
    "the reader's": ("http://a", {"envoy_refusals": ("x",)}, ("x",)),
    "no certificate authority here, perhaps where Pomerium runs": (
        "https://a",
        {"bundle": Bundle(), "tls": TLSOptions(skip_verify=True)},
        (),
    ),
    "IPv6 without a port": (
        "http://[::1]",
        {},
        ("malformed IP address: [::1]. Consider setting resolver_name or setting cluster type to 'STRICT_DNS' or 'LOGICAL_DNS'",),
    ),
    "grpc check over HTTP/1": ("http://a", {"health_checks": GRPC}, ("cluster must support HTTP/2 for gRPC healthchecking",)),
    "grpc check over h2c": ("h2c://a", {"health_checks": GRPC}, ()),
    "grpc check over TLS": ("https://a", {"health_checks": GRPC}, ()),
}


@pytest.mark.parametrize(("to", "keys", "expected"), REFUSALS.values(), ids=REFUSALS)
def test_refusals(to: str, keys: dict[str, Any], expected: tuple[str, ...]) -> None:
    """Envoy's words where it would reject the cluster."""
    assert expected == planned(to, **keys).refusals


def test_endpoint_of_localhost() -> None:
    """Exactly `localhost` is dialled at 127.0.0.1, and stays localhost in Host and SNI."""
    cluster = planned("https://localhost:8443")
    assert ("127.0.0.1", "localhost:8443") == (cluster.upstreams[0].host, cluster.request.host)


def test_serverless_routes_ask_for_ipv4_only() -> None:
    """enable_google_cloud_serverless_authentication restricts the lookup family."""
    assert "V4_ONLY" == planned("https://a.run.app", google_serverless=True).dns.lookup_family
    assert "V4_PREFERRED" == planned("https://a.run.app").dns.lookup_family
