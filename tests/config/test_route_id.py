"""Cluster names are Pomerium's own: the ids of its tests, and of its code run on URLs that are not plain."""

from __future__ import annotations

import json

import pytest

from pomprobe.config import load
from pomprobe.config.route_id import ingress_cluster_name

EXAMPLE: dict[str, object] = {"from": "https://example.com", "to": "https://to.example.com"}
OWN: dict[str, dict[str, object]] = {
    "bc16089b025e93dc": EXAMPLE,
    "62efb723582dff6f": {**EXAMPLE, "path": "/some/path"},
    "9934ee6936a6388d": {**EXAMPLE, "prefix": "/some/prefix/", "timeout": "1m", "set_request_headers": {"HEADER-KEY": "HEADER-VALUE"}},
    "0923c9f3dc9e302a": {**EXAMPLE, "regex": "^/[a]+$"},
    "301084c3bd94c1ed": {**EXAMPLE, "path": "/websocket-timeout", "allow_websockets": True},
    "5fbd81d8f19363f4": {"from": "https://*.example.com", "to": "https://www.example.com"},
    "98f90d58022ca963": {"from": "tcp+https://example.com:22", "to": "tcp://to.example.com"},
    "81175a3a9df11dd8": {"from": "tcp+https://example.com:22", "to": "https://to.example.com"},
    "ad0a23467bbdb773": {"from": "udp+https://example.com:22", "to": "udp://to.example.com"},
    "1013c6be524d7fbd": {"from": "https://from.example.com", "to": "https://to.example.com"},
}
"""Ids in Pomerium's routes_test.go and route_configurations_test.go (0.33)."""

A = "https://a.example.com"
RUN: dict[str, dict[str, object]] = {
    "25e1bbe235babe0c": {"from": A, "to": ["http://user:pa%40ss@a.internal:8080/x(y)?a=b#f,3", "http://b.internal:8080?,1"]},
    "46d2e5525390ec79": {"from": A, "to": "unix:/run/a.sock"},
    "34e5b2d59d1da127": {"from": A, "to": ["https://[::1]:443/%e9/%C3%A9", "https://[::1]"]},
    "d43dfc06bba6ad8f": {"from": A, "to": "http://a", "regex": "x" * 252},
}
"""Ids that generateRouteID gives (run with Go 1.26 and zeebo/xxh3 1.1.0)."""


def name(route: dict[str, object], version: str = "0.33") -> str:
    return load("c.json", text=json.dumps({"routes": [route]}).encode(), pomerium_version=version).routes[0].cluster_name


@pytest.mark.parametrize("identity", [*OWN, *RUN])
def test_the_id_is_pomerium_s(identity: str) -> None:
    """`route-` and the id; only from, path, prefix, regex and `to` count."""
    route = (OWN | RUN)[identity]
    assert f"route-{identity}" == name(route)
    assert f"app-{identity}" == name({**route, "name": "app"})


def test_before_0_30_the_id_has_no_leading_zero() -> None:
    """%x of a number, and later the hexadecimal of its bytes; the prefix is `name` in all of them (as a field of Envoy's cluster)."""
    route: dict[str, object] = {"from": "https://app12.example.com", "to": "http://app", "name": "x"}
    assert ("x-c3c49ee3957ee89", "x-0c3c49ee3957ee89") == (name(route, "0.29"), name(route, "0.30"))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (
            ("default", "my_app", "a.example.com", "/foo/bar_baz@x&y"),
            r'default-my_app-a-example-com-foo-bar_bazatxandy-{"n":"my_app","ns":"default","h":"a.example.com","p":"/foo/bar_baz@x\u0026y"}',
        ),
        (("team", "app", "*", "/(é|<b>)/.*"), r'team-app-e-b-{"n":"app","ns":"team","h":"*","p":"/(é|\u003cb\u003e)/.*"}'),
    ],
)
def test_the_ingress_controller_gives_ids_of_its_own(parts: tuple[str, str, str, str], expected: str) -> None:
    """A slug and JSON, as setRouteNameID and gosimple/slug 1.15.0 make them (run)."""
    assert expected == ingress_cluster_name(*parts)


def test_an_ingress_route_has_the_controller_s_id() -> None:
    """Also where an annotation names the route."""
    manifest = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "db", "namespace": "team", "annotations": {"ingress.pomerium.io/tcp_upstream": "true"}},
        "spec": {
            "rules": [
                {
                    "host": "db.example.com",
                    "http": {
                        "paths": [{"pathType": "ImplementationSpecific", "backend": {"service": {"name": "db", "port": {"number": 5432}}}}]
                    },
                }
            ]
        },
    }
    (route,) = load("m.json", text=json.dumps(manifest).encode()).routes
    assert 'team-db-db-example-com-{"n":"db","ns":"team","h":"db.example.com","p":""}' == route.cluster_name
