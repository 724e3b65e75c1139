"""Whatever a file holds, it is a Config or a ConfigError with places: never another exception."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pomprobe.config import load
from pomprobe.config.keys import GLOBAL_KEYS, ROUTE_KEYS
from pomprobe.model import Config, ConfigError, RouteKind

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(max_size=12),
    st.dates(),
    st.sampled_from(
        [
            "30s",
            "1m",
            "-1s",
            "http://a",
            "https://[::1]",
            "tcp://b:1",
            "unix:///x",
            "http://u:p@h",
            "a,1",
            "true",
            "yes",
            "YWI=",
            "${X}",
            "/",
        ]
    ),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | SCALARS, inner, max_size=3), max_leaves=6
)
HEALTH = st.fixed_dictionaries(
    {},
    optional={
        "timeout": VALUES,
        "interval": VALUES,
        "unhealthy_threshold": VALUES,
        "healthy_threshold": VALUES,
        "http_health_check": st.fixed_dictionaries(
            {}, optional={"path": VALUES, "expected_statuses": VALUES, "send": VALUES, "receive": VALUES, "codec_client_type": VALUES}
        ),
        "tcp_health_check": st.fixed_dictionaries({}, optional={"send": VALUES, "receive": VALUES}),
    },
)
ROUTES = st.dictionaries(st.sampled_from(sorted(ROUTE_KEYS)) | st.text(max_size=6), VALUES, max_size=6).flatmap(
    lambda keys: st.fixed_dictionaries({}, optional={"health_checks": st.lists(HEALTH, max_size=2)}).map(lambda more: {**keys, **more})
)
CONFIGS = st.fixed_dictionaries({"routes": st.lists(ROUTES, max_size=3)}).flatmap(
    lambda base: st.dictionaries(st.sampled_from(sorted(GLOBAL_KEYS)) | st.text(max_size=6), VALUES, max_size=4).map(
        lambda more: {**more, **base}
    )
)
GOOD_ROUTES = st.fixed_dictionaries(
    {"from": st.sampled_from(["https://a.example.com", "https://b.example.com", "tcp+https://c.example.com:22", "ssh://d"])},
    optional={
        "to": st.sampled_from(
            ["http://a", ["https://b", "http://c:81"], "tcp://d:22", "h2c://e", "unix:///f", "http://[::1]:80", "https://g."]
        ),
        "timeout": st.sampled_from(["1s", 30, "0s", "-1s", "100us"]),
        "idle_timeout": st.sampled_from(["1h", "0s"]),
        "prefix": st.sampled_from(["/", "/a", "/a/"]),
        "allow_websockets": st.booleans(),
        "tls_skip_verify": st.booleans(),
        "tls_custom_ca": st.just("YQ=="),
        "redirect": st.just({"https_redirect": True}),
        "health_checks": st.lists(st.just({"timeout": "1s", "interval": "1s", "tcp_health_check": {}}), max_size=2),
        "outlier_detection": st.just({}),
        "mcp": st.sampled_from([{"server": {}}, {"client": {}}]),
        "kubernetes_service_account_token": st.just("x"),
        "healthy_panic_threshold": st.integers(-1, 101),
    },
)


def outcome(name: str, data: bytes, **more: Any) -> Config | ConfigError:
    try:
        config = load(name, text=data, **more)
    except ConfigError as error:
        assert error.problems
        problems = error.problems
        assert all(problem.fatal for problem in problems)
    else:
        problems = config.problems
        assert not any(problem.fatal for problem in problems)
        assert [route.index for route in config.routes] == list(range(len(config.routes)))
    for problem in problems:
        assert problem.place.line >= 1 and problem.place.column >= 1 and problem.message
        assert problem.facts["message"] == problem.message
    return config if not problems or not problems[0].fatal else ConfigError(problems)


@given(st.binary(max_size=400), st.sampled_from(["c.yaml", "c.json", "c.toml", ".env"]))
def test_any_bytes(data: bytes, name: str) -> None:
    """Any bytes are a config or one clear problem."""
    outcome(name, data)


@given(st.text(alphabet=st.sampled_from("abr:-[]{}&*!|>'\"%@`#,?<= \n\t0."), max_size=120))
def test_any_yaml(text: str) -> None:
    """Anything like YAML is a config or one clear problem."""
    outcome("c.yaml", text.encode())


@given(CONFIGS)
@settings(max_examples=150)
def test_any_config_in_yaml(tree: dict[str, Any]) -> None:
    """Any values under known keys are a config, or what Pomerium refuses."""
    outcome("c.yaml", yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "surrogatepass"))


@given(CONFIGS)
@settings(max_examples=80)
def test_any_config_in_json(tree: dict[str, Any]) -> None:
    """JSON, too."""
    outcome("c.json", json.dumps(tree, default=str, skipkeys=True).encode())


@given(st.lists(GOOD_ROUTES, max_size=4), st.sampled_from(["0.29", "0.31", "0.33", "next"]))
def test_values_that_exist(routes: list[dict[str, Any]], version: str) -> None:
    """Routes as they are written: the same in YAML and in JSON, whatever the version."""
    data = {"routes": routes}
    first = outcome("c.yaml", yaml.safe_dump(data).encode(), pomerium_version=version)
    second = outcome("c.yaml", json.dumps(data).encode(), pomerium_version=version)
    if isinstance(first, Config) and isinstance(second, Config):
        assert [route.envoy_refusals for route in first.routes] == [route.envoy_refusals for route in second.routes]
        assert all(route.upstreams or route.kind is RouteKind.REDIRECT for route in first.routes)
    else:
        assert isinstance(first, ConfigError) and isinstance(second, ConfigError)
        assert sorted(p.message for p in first.problems) == sorted(p.message for p in second.problems)


@given(st.dictionaries(st.sampled_from(["kind", "apiVersion", "metadata", "spec", "data", "items", "config", "stringData"]), VALUES))
def test_any_manifest(tree: dict[str, Any]) -> None:
    """Anything like a manifest is read or refused."""
    tree = {"apiVersion": "v1", "kind": "Ingress", **tree}
    outcome("c.yaml", yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "surrogatepass"))


@given(
    st.dictionaries(
        st.sampled_from(["ROUTES", "POLICY", "SERVICES", "DNS_RESOLVERS", "RUNTIME_FLAGS", "TIMEOUT_READ"]), st.text(max_size=20)
    )
)
def test_any_environment(env: dict[str, str]) -> None:
    """Any environment is read or refused."""
    outcome("c.yaml", b"routes:\n- from: https://a.example.com\n  to: http://a\n", env=env)
