"""The request as it leaves Envoy: path, Host and headers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomprobe import __version__
from pomprobe.model import Config, Retries, RouteKind, Settings
from pomprobe.plan import plan
from pomprobe.plan.regex import examples, matches

from .builders import SYSTEM, planned, route

PATHS: dict[str, tuple[str, dict[str, Any], str]] = {
    "root": ("http://a", {}, "/"),
    "prefix": ("http://a", {"prefix": "/api"}, "/api"),
    "path": ("http://a", {"path": "/one"}, "/one"),
    "regex": ("http://a", {"regex": r"/v[0-9]+/(users|groups)/\d{2}"}, "/v0/users/00"),
    "path of to replaces the matched prefix": ("http://a/base", {}, "/base"),
    "path of to, prefix": ("http://a/v1", {"prefix": "/api"}, "/v1"),
    "path of to, path": ("http://a/v1", {"path": "/one"}, "/v1"),
    "unix socket's path": ("unix:///run/app.sock", {}, "/run/app.sock"),
    "unix with prefix_rewrite": ("unix:///run/app.sock", {"prefix_rewrite": "/"}, "/"),
    "prefix_rewrite wins": ("http://a/base", {"prefix_rewrite": "/x"}, "/x"),
    "regex_rewrite": (
        "http://a/base",
        {"path": "/a/b", "regex_rewrite_pattern": "^/(.)/(.)$", "regex_rewrite_substitution": r"/\2/\1"},
        "/b/a",
    ),
    "regex_rewrite, whole match": ("http://a", {"path": "/a", "regex_rewrite_pattern": "a", "regex_rewrite_substitution": r"\0\0"}, "/aa"),
    "regex_rewrite, backslash": ("http://a", {"path": "/a", "regex_rewrite_pattern": "(a)", "regex_rewrite_substitution": r"\\1"}, r"/\1"),
    "regex that Python cannot read": ("http://a", {"regex_rewrite_pattern": r"\pN(", "regex_rewrite_substitution": ""}, "/"),
}


@pytest.mark.parametrize(("to", "keys", "expected"), PATHS.values(), ids=PATHS)
def test_path(to: str, keys: dict[str, Any], expected: str) -> None:
    """The path matches the route and has gone through its rewrites, without a slash put in."""
    assert expected == planned(to, **keys).request.path


def test_path_belongs_to_no_route_before() -> None:
    """Where routes share a host, each gets a path that Envoy gives to it and not to an earlier one."""
    keys: tuple[dict[str, Any], ...] = ({"path": "/"}, {"prefix": "/api/"}, {"regex": "/[a-z]+"}, {"prefix": "/a"}, {})
    routes = tuple(route("http://a", index=i, **k) for i, k in enumerate(keys))
    clusters = plan(Config("c", routes, Settings()), SYSTEM)
    assert ["/", "/api/", "/a", "/a/pomprobe", "/pomprobe/0"] == [cluster and cluster.request.path for cluster in clusters]


HOSTS: dict[str, tuple[tuple[str, ...], dict[str, Any], tuple[str, ...], str | None]] = {
    "to with port": (("http://a:80",), {}, ("a:80",), "lab.example.com"),
    "to without port": (("http://a",), {}, ("a",), "lab.example.com"),
    "one for each": (("http://a:1", "http://b:2"), {}, ("a:1", "b:2"), "lab.example.com"),
    "IPv6": (("http://[::1]:80",), {}, ("[::1]:80",), "lab.example.com"),
    "localhost": (("http://localhost:80",), {}, ("localhost:80",), "lab.example.com"),
    "unix keeps the client's": (("unix:///run/a.sock",), {}, ("lab.example.com",), None),
    "preserve": (("http://a:80",), {"preserve_host_header": True}, ("lab.example.com",), None),
    "preserve, with the port of from": (
        ("http://a:80",),
        {"preserve_host_header": True, "from_url": "https://lab.example.com:8443"},
        ("lab.example.com:8443",),
        None,
    ),
    "preserve, wildcard": (
        ("http://a:80",),
        {"preserve_host_header": True, "from_url": "https://*.example.com"},
        ("pomprobe.example.com",),
        None,
    ),
    "literal": (("http://a:80",), {"host_rewrite": "x.example", "preserve_host_header": True}, ("x.example",), "lab.example.com"),
    "header": (
        ("http://a:80",),
        {"host_rewrite_header": "X-My-Host", "set_request_headers": {"x-my-host": "h.example"}},
        ("h.example",),
        "lab.example.com",
    ),
    "header that is not there": (("http://a:80",), {"host_rewrite_header": "x-my-host"}, ("lab.example.com",), None),
    "from the path": (
        ("http://a:80",),
        {"path": "/t1/x", "host_path_regex_rewrite_pattern": "^/(.+)/x$", "host_path_regex_rewrite_substitution": r"\1.example"},
        ("t1.example",),
        "lab.example.com",
    ),
    "not passed on": (("http://a:80",), {"remove_request_headers": ("X-Forwarded-Host",)}, ("a:80",), None),
}


@pytest.mark.parametrize(("to", "keys", "hosts", "forwarded"), HOSTS.values(), ids=HOSTS)
def test_host(to: tuple[str, ...], keys: dict[str, Any], hosts: tuple[str, ...], forwarded: str | None) -> None:
    """Host is that of `to` unless a key says otherwise, and X-Forwarded-Host carries the original where it was replaced."""
    cluster = planned(*to, **keys)
    assert hosts == tuple(cluster.request_to(upstream).host for upstream in cluster.upstreams)
    assert forwarded == dict(cluster.request.headers).get("x-forwarded-host")


def test_headers() -> None:
    """Headers are what Envoy would send: its own, and set_request_headers without what the router keeps or a session would fill in."""
    cluster = planned(
        "http://a",
        set_request_headers={
            "X-Key": "$$1",
            "X-Empty": "${other.thing}",
            "Authorization": "Bearer ${pomerium.id_token}",
            "x-jwt": "$pomerium.jwt",
            "x-req": '${pomerium.request.headers["A"]}',
            "x-envoy-retry-on": "5xx, reset",
            "x-gone": "1",
        },
        remove_request_headers=("X-Gone", "User-Agent"),
        prefix_rewrite="/x",
    )
    expected = [
        ("accept", "*/*"),
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-proto", "https"),
        ("x-envoy-external-address", "192.0.2.1"),
        ("x-key", "$1"),
        ("x-empty", ""),
        ("x-envoy-expected-rq-timeout-ms", "30000"),
        ("x-envoy-original-path", "/"),
        ("x-envoy-original-host", "lab.example.com"),
        ("x-forwarded-host", "lab.example.com"),
    ]
    assert expected == list(cluster.request.headers)
    assert Retries(1, ("5xx", "reset")) == cluster.retries


def test_user_agent() -> None:
    """The probe says who it is, unless the route sets another name."""
    assert f"pomprobe/{__version__}" == dict(planned("http://a").request.headers)["user-agent"]
    assert "me" == dict(planned("http://a", set_request_headers={"User-Agent": "me"}).request.headers)["user-agent"]


def test_secrets_stay_out_of_representations() -> None:
    """A value of set_request_headers is in the request, and not in its repr."""
    cluster = planned("http://a", set_request_headers={"x-key": "s3cret"})
    assert ("x-key", "s3cret") in cluster.request.headers
    assert "s3cret" not in repr(cluster)


RETRIES = {
    "no retry-on": ({"x-envoy-max-retries": "3"}, Retries()),
    "default": ({"x-envoy-retry-on": "reset"}, Retries(1, ("reset",))),
    "two": ({"x-envoy-retry-on": "reset", "x-envoy-max-retries": "2"}, Retries(2, ("reset",))),
    "none": ({"x-envoy-retry-on": "reset", "x-envoy-max-retries": "0"}, Retries(0, ("reset",))),
    "unknown": ({"x-envoy-retry-on": "5XX, often"}, Retries()),
    "grpc": ({"x-envoy-retry-grpc-on": "unavailable, broken"}, Retries(1, grpc_on=("unavailable",))),
    "status codes": (
        {"x-envoy-retry-on": "retriable-status-codes", "x-envoy-retriable-status-codes": "429, x,500"},
        Retries(1, ("retriable-status-codes",), statuses=(429, 500)),
    ),
    "header names": (
        {"x-envoy-retry-on": "retriable-headers", "x-envoy-retriable-header-names": "X-Try-Again"},
        Retries(1, ("retriable-headers",), headers=("x-try-again",)),
    ),
}


@pytest.mark.parametrize(("headers", "expected"), RETRIES.values(), ids=RETRIES)
def test_retries(headers: dict[str, str], expected: Retries) -> None:
    """Pomerium retries nothing; headers can, once unless they say how often."""
    assert expected == planned("http://a", set_request_headers=headers).retries


def test_a_hedged_request_has_no_timeout_for_each_try() -> None:
    """Envoy asks again when it is over, and goes on waiting for the first answer."""
    headers = {"x-envoy-upstream-rq-per-try-timeout-ms": "500", "x-envoy-hedge-on-per-try-timeout": "true"}
    assert planned("http://a", set_request_headers=headers).timers.per_try is None
    assert 0.5 == planned("http://a", set_request_headers=headers).hedge
    longer = headers | {"x-envoy-upstream-rq-timeout-ms": "500"}
    assert planned("http://a", set_request_headers=longer).hedge is None  # ignored, and so there is nothing to hedge on


def test_alternative_response() -> None:
    """The alt-response header counts whatever its value."""
    assert planned("http://a", set_request_headers={"x-envoy-upstream-rq-timeout-alt-response": ""}).alt_response
    assert not planned("http://a").alt_response


def test_tunnel_through_a_proxy_is_a_connect() -> None:
    """A tcp route to another scheme passes the CONNECT on."""
    assert "CONNECT" == planned("http://a", kind=RouteKind.TCP).request.method


PIECES = st.sampled_from(["a", "/", r"\d", "[a-z]", "[^/]+", "(b|c)", "(?:x/)?", "y{2,3}", ".*", ".+", r"\.", "z*?", "$"])


@given(st.lists(PIECES, max_size=8).map("".join))
def test_examples_match(pattern: str) -> None:
    """Whatever example is given for an expression matches it."""
    for text in examples(pattern):
        assert matches(pattern, text)


FOUND = {
    "/": "/",
    "/a|/b": "/a",
    "^/app(/.*)?$": "/app",
    "/[[:alpha:]]+": "/a",
    "/[^[]x": "/ax",
    r"/v\d{2,}/.+\.png": "/v00/a.png",
    "/(?i)é.*": "/é",
    "(?i)/a": "/a",
    "/(": None,
    "/[": None,
    "\\": None,
    r"/\pN": None,
    "/a{": "/a{",
    "/a{99999999999}": None,
}


@pytest.mark.parametrize(("pattern", "expected"), FOUND.items())
def test_first_example(pattern: str, expected: str | None) -> None:
    """The first example is the shortest that comes to mind; an expression that RE2 refuses, or that we cannot read, has none."""
    assert expected == next(examples(pattern), None)
