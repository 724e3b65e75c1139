"""The version of Pomerium decides which keys are known."""

from __future__ import annotations

import pytest

from pomprobe.config.keys import GLOBAL_KEYS, GLOBAL_SINCE, NEXT, ROUTE_KEYS, ROUTE_SINCE, version
from pomprobe.model import Failure

from .reading import ROUTE, found, read, route, with_keys

NEWER = [
    ("dns_resolvers: ['udp://1.1.1.1:53']\n" + ROUTE, "0.31", "dns_resolvers", "0.32"),
    ("dns_query_tries: 2\n" + ROUTE, "0.30.4", "dns_query_tries", "0.30.5"),
    ("dns_refresh_rate: 2s\n" + ROUTE, "0.30.5", "dns_refresh_rate", "0.30.6"),
    ("allow_upgrades: [websocket]\n" + ROUTE, "0.32", "allow_upgrades", "0.33"),
    (with_keys("allow_upgrades: [websocket]"), "0.32", "allow_upgrades", "0.33"),
    (with_keys("load_balancing_policy: maglev"), "0.31", "load_balancing_policy", "0.32"),
    (with_keys("healthy_panic_threshold: 0"), "0.31", "healthy_panic_threshold", "0.32"),
    (with_keys("mcp: {server: {}}"), "0.29", "mcp", "0.30"),
    (with_keys("upstream_tunnel: {}"), "0.30", "upstream_tunnel", "0.31"),
    (with_keys("identity_providers: [a]"), "0.33", "identity_providers", "0.34"),
]


@pytest.mark.parametrize(("text", "given", "key", "since"), NEWER)
def test_newer_keys(text: str, given: str, key: str, since: str) -> None:
    """A key of a later Pomerium is told of and has no effect."""
    (problem,) = found(read(text, pomerium_version=given), Failure.NEWER_KEY)
    assert (key, since, given) == (problem.facts["key"], problem.facts["since"], problem.facts["pomerium_version"])
    assert [] == found(read(text, pomerium_version="next"), Failure.NEWER_KEY)


def test_no_effect() -> None:
    """What is ignored does not change the route."""
    assert not route("allow_upgrades: [websocket]", pomerium_version="0.32").websockets
    assert "ROUND_ROBIN" == route("load_balancing_policy: nonsense", pomerium_version="0.31").load_balancing_policy
    assert () == read("dns_resolvers: ['x']\n" + ROUTE, pomerium_version="0.31").settings.dns.resolvers


def test_envoy_fields_before_032() -> None:
    """Until 0.31 a route could hold any field of Envoy's cluster."""
    lines = ("lb_policy: MAGLEV", "common_lb_config: {healthy_panic_threshold: {value: 10}}", "connect_timeout: 1s")
    old = read(with_keys(*lines), pomerium_version="0.31")
    assert ("MAGLEV", 10) == (old.routes[0].load_balancing_policy, old.routes[0].healthy_panic_threshold)
    assert [] == found(old, Failure.PRE_032_KEY) == found(old, Failure.UNKNOWN_KEY)
    new = read(with_keys(*lines), pomerium_version="0.32")
    assert ("ROUND_ROBIN", None) == (new.routes[0].load_balancing_policy, new.routes[0].healthy_panic_threshold)
    assert 3 == len(found(new, Failure.PRE_032_KEY))


def test_mcp_before_033() -> None:
    """MCP servers have no timeout of their own before 0.33."""
    assert [] == found(read(with_keys("mcp: {server: {}}")), Failure.STREAM_TIMEOUT)
    assert 1 == len(found(read(with_keys("mcp: {server: {}}"), pomerium_version="0.32"), Failure.STREAM_TIMEOUT))


@pytest.mark.parametrize(
    ("text", "expected"), [("0.33", (0, 33, 10**6)), ("v0.30.5", (0, 30, 5)), ("next", NEXT), (" 0.29 ", (0, 29, 10**6))]
)
def test_versions(text: str, expected: tuple[int, int, int]) -> None:
    """Without a patch number the last of its line is meant."""
    assert expected == version(text)


@pytest.mark.parametrize("text", ["33", "0.33.1.2", "x.y", ""])
def test_bad_versions(text: str) -> None:
    """What is no version is refused."""
    with pytest.raises(ValueError):
        version(text)


def test_since_is_about_known_keys() -> None:
    """Every key with a version is a key."""
    assert set(GLOBAL_SINCE) <= set(GLOBAL_KEYS)
    assert set(ROUTE_SINCE) <= set(ROUTE_KEYS)


@pytest.mark.parametrize("written", ["0.28", "0.34", "1.0", "0.33.x", "latest", "0.-1", ""])
def test_versions_that_are_not_known(written: str) -> None:
    """What is known of them would be a guess, so they are refused."""
    with pytest.raises(ValueError, match=r"Pomerium version|none of 0\.29"):
        read(ROUTE, pomerium_version=written)
