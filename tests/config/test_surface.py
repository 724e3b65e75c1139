"""The whole surface of Pomerium's config that concerns upstreams, row by row: taken with its meaning, refused in its words, or told of.

Each row is one fact of Pomerium's source or of the recorded truth; the other files of this folder go deeper into some of them.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import trustme

from plan.builders import SYSTEM
from pomprobe.config import load
from pomprobe.config.keys import REMOVED_GLOBAL
from pomprobe.model import CircuitBreakers, Cluster, Config, ConfigError, Discovery, Failure, Protocol, RouteKind
from pomprobe.plan import plan

from .reading import with_keys


@dataclass(frozen=True)
class Row:
    """A config and what is expected of it: one of refused (Pomerium's words), told (a kind of problem) or gives (a value of it)."""

    text: str
    refused: str = ""
    told: Failure | None = None
    gives: tuple[Callable[[Config, Cluster], Any], Any] | None = None
    message: str = ""
    write: str = ""
    version: str = "0.33"
    format: str | None = None
    env: dict[str, str] = field(default_factory=dict)


def of_route(field: str, expected: Any, *lines: str, **more: Any) -> Row:
    """A key of a route and what it becomes."""
    return Row(with_keys(*lines), gives=(lambda config, _: getattr(config.routes[0], field), expected), **more)


def of_cluster(of: Callable[[Cluster], Any], expected: Any, text: str, **more: Any) -> Row:
    return Row(text, gives=(lambda _, cluster: of(cluster), expected), **more)


def of_setting(of: Callable[[Any], Any], expected: Any, *lines: str, **more: Any) -> Row:
    return Row("\n".join(lines) + "\n" + with_keys(), gives=(lambda config, _: of(config.settings), expected), **more)


def to(*urls: str, source: str = "https://app.example.com", keys: str = "") -> str:
    """One route to these URLs."""
    return f"routes:\n- from: {source}\n  to: {list(urls)}\n" + (f"  {keys}\n" if keys else "")


def routes(*written: str, top: str = "") -> str:
    return top + "routes:\n" + "".join(f"- {{{one}}}\n" for one in written)


def check(keys: str) -> str:
    return f"health_checks: [{{timeout: 10s, interval: 60s, unhealthy_threshold: 2, healthy_threshold: 1, {keys}}}]"


B64 = base64.b64encode(b"- {from: https://a.example.com, to: http://a, httpHealthCheck: {}}\n").decode()
NOT_UNIQUE = "route route-4af23783b1acb909 is not unique"
REQUIRED = "Proto constraint validation failed (HealthCheckValidationError.{}: value is required)"

LOADING = {
    "YAML": of_route("from_host", "app.example.com"),
    "JSON": Row('{"routes": [{"from": "https://a.b", "to": "http://c"}]}', format="json", gives=(lambda c, _: len(c.routes), 1)),
    "TOML": Row('[[routes]]\nfrom = "https://a.b"\nto = "http://c"\n', format="toml", gives=(lambda c, _: len(c.routes), 1)),
    "environment file": Row(f"ROUTES={B64}\n", format="env", gives=(lambda c, _: len(c.routes), 1)),
    "keys in any case": Row("ROUTES:\n- From: https://a.b\n  TO: http://c\n", gives=(lambda c, _: c.routes[0].from_host, "a.b")),
    "a camelCase key is lost": Row(with_keys(check("httpHealthCheck: {path: /}")), told=Failure.CAMEL_CASE_KEY, write="http_health_check"),
    "duplicate key": Row("routes: []\nroutes: []\n", refused='line 2: mapping key "routes" already defined at line 1'),
    "anchors and merge keys": Row(
        "x: &x {to: http://c}\nroutes:\n- {<<: *x, from: https://a.b}\n", gives=(lambda c, _: c.routes[0].upstreams[0].url, "http://c")
    ),
    "yes is text": Row(
        with_keys("allow_websockets: yes"),
        refused="'routes[0].allow_websockets' cannot parse value as 'bool': strconv.ParseBool: invalid syntax",
        write="allow_websockets: true",
    ),
    "T is true": of_route("websockets", True, "allow_websockets: T"),
    "12:30 is text": of_route("key_name", "12:30", "name: 12:30"),
    "010 is octal": of_route("key_name", "8", "name: 010"),
    "unknown key": Row(with_keys("tls_skip_verfiy: true"), told=Failure.UNKNOWN_KEY, message="unknown config option: tls_skip_verfiy"),
    "policy_file": Row("policy_file: x\n" + with_keys(), refused="config: policy file setting is deprecated"),
    "${VAR} is not expanded": Row(to("http://${HOST}:80"), refused="'routes[0]' http://${HOST}:80: parse"),
    "${VAR} in a rewrite": Row(with_keys("prefix_rewrite: /${VAR}"), told=Failure.UNRENDERED_TEMPLATE),
    "number for text": of_route("key_name", "7", "name: 7"),
    "text for a boolean": of_route("websockets", True, "allow_websockets: 'true'"),
    "scalar for a list": of_route("remove_request_headers", ("a",), "remove_request_headers: a"),
    "commas make a list": of_route("remove_request_headers", ("a", "b"), "remove_request_headers: a,b"),
    **{
        f"removed: {key}": Row(
            f"{key}: x\n" + with_keys(),
            refused=f"some configuration options are no longer supported, please check logs for details: {key}",
        )
        for key in REMOVED_GLOBAL
    },
    **{
        f"removed: routes.{key}": Row(
            with_keys(f"{key}: [x]"),
            refused=f"some configuration options are no longer supported, please check logs for details: routes.{key}",
        )
        for key in ("allowed_groups", "set_authorization_header")
    },
    "allowed_groups under policy is only unknown": Row(
        "policy:\n- {from: https://a.b, to: http://c, allowed_groups: [x]}\n", told=Failure.UNKNOWN_KEY
    ),
}

ENVIRONMENT = {
    "wins over the file": of_setting(
        lambda s: s.default_upstream_timeout, 5.0, "default_upstream_timeout: 9s", env={"DEFAULT_UPSTREAM_TIMEOUT": "5s"}
    ),
    "is told of": Row("default_upstream_timeout: 9s\n" + with_keys(), env={"DEFAULT_UPSTREAM_TIMEOUT": "5s"}, told=Failure.ENV_OVERRIDE),
    "ROUTES is base64": Row("address: ':443'\n", env={"ROUTES": B64}, gives=(lambda c, _: c.routes[0].from_host, "a.example.com")),
    "POLICY is base64": Row("address: ':443'\n", env={"POLICY": B64}, gives=(lambda c, _: c.routes[0].from_host, "a.example.com")),
    "a comma splits it": Row(
        "address: ':443'\n", env={"ROUTES": f"{B64},{B64}"}, refused="'routes' base64 policy data: expecting 1, got 2"
    ),
    "no base64": Row(
        "address: ':443'\n", env={"ROUTES": "-"}, refused="'routes' base64 decoding policy data: illegal base64 data at input byte 0"
    ),
    "no YAML": Row(
        "address: ':443'\n",
        env={"ROUTES": base64.b64encode(b"[").decode()},
        refused="'routes' parsing base64-encoded policy data as yaml: ",
    ),
    "To is not seen within base64": Row(
        "address: ':443'\n",
        env={"ROUTES": base64.b64encode(b"- {from: https://a.b, To: http://c}").decode()},
        refused="policy should have either `to` or `redirect` or `response` defined",
    ),
    "breakers cannot be text": Row(
        with_keys(),
        env={"CIRCUIT_BREAKER_THRESHOLDS": '{"max_requests": 7}'},
        refused="'circuit_breaker_thresholds' expected a map or struct, got \"string\"",
    ),
    "flags are JSON": Row(
        with_keys("upstream_tunnel: {}"),
        env={"RUNTIME_FLAGS": '{"ssh_upstream_tunnel": true}'},
        gives=(lambda c, _: c.routes[0].kind, RouteKind.TUNNEL),
    ),
    "lists have commas": of_setting(
        lambda s: s.dns.resolvers,
        (("udp", "10.0.0.1", 53), ("udp", "10.0.0.2", 53)),
        "address: ''",
        env={"DNS_RESOLVERS": "udp://10.0.0.1:53,udp://10.0.0.2:53"},
    ),
}

LISTS = {
    "policy, then routes": Row(
        "routes: [{from: https://b.b, to: http://b}]\npolicy: [{from: https://a.a, to: http://a}]\n",
        gives=(lambda c, _: [one.from_host for one in c.routes], ["a.a", "b.b"]),
    ),
    "both are told of": Row(
        "routes: [{from: https://b.b, to: http://b}]\npolicy: [{from: https://a.a, to: http://a}]\n", told=Failure.ROUTES_AND_POLICY
    ),
    "the same route twice": Row(
        routes("from: https://a.example.com, to: http://a", "from: https://a.example.com, to: http://a, timeout: 1s"),
        told=Failure.DUPLICATE_ROUTE,
        message=NOT_UNIQUE,
    ),
    "it blocks every cluster": Row(
        routes("from: https://b.b, to: http://b", *["from: https://a.example.com, to: http://a"] * 2),
        gives=(lambda _, cluster: cluster.refusals, (NOT_UNIQUE,)),
    ),
    "without a proxy there are no routes": Row("services: databroker\n" + with_keys(), told=Failure.SERVICES_WITHOUT_PROXY),
    "services with a proxy": of_setting(lambda s: s.services, "proxy,authorize", "services: proxy,authorize"),
    "policy in a route is no list of routes": of_route("from_host", "app.example.com", "policy: [{allow: {or: [{domain: {is: a.b}}]}}]"),
    "Helm values": Row("config:\n  routes:\n  - {from: https://a.b, to: http://c}\n", gives=(lambda c, _: c.routes[0].from_host, "a.b")),
}

FROM = {
    "https": of_route("kind", RouteKind.HTTP),
    "http is served, and told of": Row(
        to("http://a", source="http://a.b"),
        told=Failure.FROM_HTTP,
        message="config: policy source url (http://a.b) uses HTTP but only HTTPS is supported",
    ),
    "tcp": Row(to("tcp://a:1", source="tcp+https://a.b:1"), gives=(lambda c, _: c.routes[0].kind, RouteKind.TCP)),
    "udp": Row(to("udp://a:1", source="udp+https://a.b:1"), gives=(lambda c, _: c.routes[0].kind, RouteKind.UDP)),
    "ssh": Row(to("ssh://a:22", source="ssh://a"), gives=(lambda c, _: c.routes[0].kind, RouteKind.SSH)),
    "empty": Row(to("http://a", source="''"), refused="config: policy bad source url url cannot be empty"),
    "no scheme": Row(to("http://a", source="a.b"), refused="config: policy bad source url a.b url does not contain a valid scheme"),
    "no host": Row(
        to("http://a", source="'https://'"), refused="config: policy bad source url https: url does not contain a valid hostname"
    ),
    "no scheme, but a port": Row(
        to("http://a", source="1.2.3.4:80"),
        refused='config: policy bad source url parse "1.2.3.4:80": first path segment in URL cannot contain colon, '
        "have you specified protocol (ex: https)",
    ),
    "a path": Row(
        to("http://a", source="https://a.b/c"),
        refused="config: policy source url (https://a.b/c) contains a path, but it should be set using the path field instead",
    ),
    "a slash": Row(to("http://a", source="https://a.b/"), gives=(lambda c, _: c.routes[0].from_host, "a.b")),
    "a tunnel without port": Row(to("tcp://a:1", source="tcp+https://a.b"), told=Failure.FROM_WITHOUT_PORT),
    "a wildcard gets a name": Row(to("http://a", source="'https://*.b'"), gives=(lambda _, k: k.request.original_host, "pomprobe.b")),
}

WEIGHT = "either no weights should be provided, or all endpoints must have non-zero weight specified"
TO = {
    "text": Row(with_keys(), gives=(lambda c, _: len(c.routes[0].upstreams), 1)),
    "a list": Row(to("http://a", "http://b"), gives=(lambda c, _: len(c.routes[0].upstreams), 2)),
    "all leaves of what is nested": Row(
        "routes:\n- from: https://a.b\n  to: {x: [http://a, {y: http://b}]}\n",
        gives=(lambda c, _: [one.host for one in c.routes[0].upstreams], ["a", "b"]),
    ),
    "weights": Row(to("http://a:80,3", "http://b,1"), gives=(lambda c, _: [one.weight for one in c.routes[0].upstreams], [3, 1])),
    "a space before the weight": Row(
        to("http://a, 3"), refused="'routes[0]' strconv.ParseUint: parsing \" 3\": invalid syntax", write="to: http://a,3"
    ),
    "a comma in the path": Row(to("http://a/b,c"), refused="'routes[0]' strconv.ParseUint: parsing \"c\": invalid syntax"),
    "weight zero": Row(to("http://a,0"), refused="'routes[0]' zero load balancing weight not permitted"),
    "some weights": Row(to("http://a,1", "http://b"), refused=f"'routes[0]' {WEIGHT}"),
    "no host": Row(to("http://:80"), refused="'routes[0]' endpoint hostname must be specified"),
    "an empty list": Row("routes:\n- from: https://a.b\n  to: []\n", refused="'routes[0]' url list is empty"),
    "empty text": Row(to(""), refused="'routes[0]' : url cannot be empty"),
    "no scheme": Row(
        to("example.com"),
        refused="'routes[0]' example.com: example.com url does not contain a valid scheme",
        write="to: http://example.com",
    ),
    "localhost:8080": Row(
        to("localhost:8080"),
        refused="'routes[0]' localhost:8080: localhost:8080 url does not contain a valid hostname",
        write="to: http://localhost:8080",
    ),
    "10.0.0.1:80": Row(
        to("10.0.0.1:80"), refused="'routes[0]' 10.0.0.1:80: parse \"10.0.0.1:80\": first path segment in URL cannot contain colon"
    ),
    "nothing at all": Row("routes:\n- from: https://a.b\n", refused="policy should have either `to` or `redirect` or `response` defined"),
    "tcp and another": Row(to("tcp://a:1", "http://b"), refused="config: cannot mix tcp and non-tcp To URLs"),
    "udp and another": Row(to("udp://a:1", "http://b"), refused="config: cannot mix udp and non-udp To URLs"),
    "unix and another": Row(to("unix:///a", "http://b"), refused="config: cannot mix unix and non-unix To URLs"),
    "https+unix and another": Row(to("https+unix:///a", "http://b"), refused="config: cannot mix unix and non-unix To URLs"),
    "userinfo is not sent": Row(to("http://u:p@a"), told=Failure.TO_PART_IGNORED),
    "a query is not sent": Row(to("http://a?b"), told=Failure.TO_PART_IGNORED),
    "the path of the first is a prefix": Row(to("http://a/v1", keys="prefix: /api"), gives=(lambda _, k: k.request.path, "/v1")),
    "without a slash it is glued on": Row(to("http://a/v1"), told=Failure.TO_PATH_WITHOUT_SLASH, message="/foo is sent as /v1foo"),
    "the path of another is not used": Row(to("http://a/v1/", "http://b/v2/"), told=Failure.TO_PATH_IGNORED),
    "prefix_rewrite wins over the path": Row(to("http://a/v1/", keys="prefix_rewrite: /x"), gives=(lambda _, k: k.request.path, "/x")),
}


def spoken(scheme: str, protocol: Protocol, port: int, keys: str = "", source: str = "https://app.example.com") -> Row:
    """What is spoken behind a scheme, and to which port."""
    text = to(f"{scheme}://a.b", source=source, keys=keys)
    return of_cluster(lambda k: (k.protocol, k.upstreams[0].port), (protocol, port), text)


SCHEMES = {
    "https": spoken("https", Protocol.AUTO, 443),
    "https with websockets": spoken("https", Protocol.HTTP1, 443, "allow_websockets: true"),
    "h2c": spoken("h2c", Protocol.HTTP2, 80),
    "h2c with websockets": spoken("h2c", Protocol.HTTP1, 80, "allow_websockets: true"),
    "h2c and http": of_cluster(lambda k: k.protocol, Protocol.HTTP1, to("h2c://a", "http://b")),
    "http": spoken("http", Protocol.HTTP1, 80),
    "ws is plain HTTP": spoken("ws", Protocol.HTTP1, 80),
    "wss is plain HTTP": spoken("wss", Protocol.HTTP1, 80),
    "grpc is plain HTTP": spoken("grpc", Protocol.HTTP1, 80),
    "tcp": spoken("tcp", Protocol.RAW, 80, source="tcp+https://a.b:1"),
    "udp": spoken("udp", Protocol.RAW, 80, source="udp+https://a.b:1"),
    "ssh": spoken("ssh", Protocol.RAW, 80, source="ssh://a"),
    "tcp to another scheme forwards CONNECT": of_cluster(
        lambda k: (k.protocol, k.request.method), (Protocol.AUTO, "CONNECT"), to("https://proxy", source="tcp+https://a.b:1")
    ),
    "unix": of_cluster(lambda k: (k.protocol, k.upstreams[0].path), (Protocol.HTTP1, "/run/a.sock"), to("unix:///run/a.sock")),
    "https+unix": of_cluster(lambda k: k.protocol, Protocol.AUTO, to("https+unix:///run/a.sock", keys="tls_server_name: a")),
    "http+unix is refused": Row(
        to("http+unix:///a"), refused="'routes[0]' http+unix:///a: http+unix:///a url does not contain a valid hostname"
    ),
    "the socket is the path, too": Row(to("unix:///run/a.sock"), told=Failure.UNIX_SOCKET_PATH),
    "unless there is a rewrite": of_cluster(lambda k: k.request.path, "/", to("unix:///run/a.sock", keys="prefix_rewrite: /")),
    "localhost is 127.0.0.1": of_cluster(
        lambda k: (k.upstreams[0].host, k.discovery), ("127.0.0.1", Discovery.STATIC), to("http://localhost")
    ),
    "addresses are static": of_cluster(lambda k: k.discovery, Discovery.STATIC, to("http://10.0.0.1")),
    "names are asked for": of_cluster(lambda k: k.discovery, Discovery.STRICT_DNS, to("http://a.b")),
    "[::1] without a port": Row(
        to("http://[::1]"), told=Failure.CLUSTER_REFUSED, message="malformed IP address: [::1]", write="to: http://[::1]:80"
    ),
    "[::1] with a port": of_cluster(lambda k: (k.discovery, k.refusals), (Discovery.STRICT_DNS, ()), to("http://[::1]:80")),
    "port 70000": Row(to("http://a:70000"), told=Failure.CLUSTER_REFUSED),
    "https and http": Row(to("https://a", "http://b"), told=Failure.MIXED_TLS_SCHEMES),
    "the plain one gets TLS": of_cluster(lambda k: k.tls[1] is not None, True, to("https://a", "http://b")),
}

NO_UPSTREAM = {
    "redirect": of_route("kind", RouteKind.REDIRECT, "redirect: {host_redirect: a}"),
    "response": of_route("kind", RouteKind.RESPONSE, "response: {status: 410}"),
    "redirect wins over to": Row(with_keys("redirect: {host_redirect: a}"), told=Failure.TO_UNUSED),
    "redirect before response": of_route("kind", RouteKind.REDIRECT, "response: {status: 410}", "redirect: {host_redirect: a}"),
    "kubernetes": of_route("kind", RouteKind.KUBERNETES, "kubernetes_service_account_token: x"),
    "both tokens": Row(
        with_keys("kubernetes_service_account_token: x", "kubernetes_service_account_token_file: y"),
        refused="config: specified both `kubernetes_service_account_token_file` and `kubernetes_service_account_token`",
    ),
    "a tunnel, with its flag": Row(
        "runtime_flags: {ssh_upstream_tunnel: true}\n" + with_keys("upstream_tunnel: {}"),
        gives=(lambda c, _: c.routes[0].kind, RouteKind.TUNNEL),
    ),
    "a tunnel, without": of_route("kind", RouteKind.HTTP, "upstream_tunnel: {}"),
    "mcp without a side": Row(with_keys("mcp: {}"), refused="config: mcp must have either server or client set"),
    "an mcp server has no timeout": of_cluster(lambda k: k.timers.route, None, with_keys("mcp: {server: {}}")),
    "ssh to two": Row(
        to("ssh://a:22", "ssh://b:22", source="ssh://a"), told=Failure.CLUSTER_REFUSED, message="only one 'to' entry allowed for ssh routes"
    ),
    "ssh to another scheme": Row(
        to("http://a", source="ssh://a"), told=Failure.CLUSTER_REFUSED, message="'to' route url must have ssh scheme"
    ),
    "depends_on of six": Row(
        with_keys("depends_on: [a, b, c, d, e, f]"),
        refused="config: depends_on is limited to 5 additional redirect hosts, got [a b c d e f]",
    ),
}


def refused_duration(text: str, words: str, write: str = "") -> Row:
    return Row(with_keys(f"timeout: {text}"), refused=f"'routes[0].timeout' time: {words}", write=write)


DURATIONS = {
    **{
        text: of_route("timeout", seconds, f"timeout: {text}")
        for text, seconds in (
            ("30s", 30.0),
            ("1m30s", 90.0),
            ("1.5h", 5400.0),
            (".5s", 0.5),
            ("-1s", -1.0),
            ("100ms", 0.1),
            ("10us", 1e-5),
            ("10µs", 1e-5),
            ("1ns", 1e-9),
            ("'0'", 0.0),
        )
    },
    "'30'": refused_duration("'30'", 'missing unit in duration "30"', "timeout: 30s"),
    "1d": refused_duration("1d", 'unknown unit "d" in duration "1d"', "timeout: 24h"),
    "empty": refused_duration("''", 'invalid duration ""'),
    "a space": refused_duration("1 s", 'unknown unit " s" in duration "1 s"'),
    "30 is nanoseconds": of_route("timeout", 30e-9, "timeout: 30"),
    "which is no timeout": of_cluster(lambda k: k.timers.route, None, with_keys("timeout: 30")),
    "and told of": Row(with_keys("timeout: 30"), told=Failure.DURATION_NANOSECONDS, write="timeout: 30s"),
    "a fraction is cut": of_route("timeout", 1e-9, "timeout: 1.5"),
    "a negative one blocks the route": Row(with_keys("timeout: -1s"), told=Failure.NEGATIVE_DURATION),
    "in Envoy's words": of_cluster(
        lambda k: k.refusals[0].startswith("Invalid duration: Expected positive duration"), True, with_keys("timeout: -1s")
    ),
    "minutes in a check": Row(
        with_keys("health_checks: [{timeout: 1m}]"),
        refused="'routes[0].health_checks[0]' proto: invalid google.protobuf.Duration value \"1m\"",
        write="timeout: 60s",
    ),
    "milliseconds in outlier_detection": Row(
        with_keys("outlier_detection: {interval: 500ms}"),
        refused="'routes[0].outlier_detection' proto: invalid google.protobuf.Duration value \"500ms\"",
        write="interval: 0.500s",
    ),
    "a number in a check": Row(
        with_keys("health_checks: [{timeout: 10}]"), refused="'routes[0].health_checks[0]' proto: unexpected token 10"
    ),
}


def timers(*lines: str, top: str = "", expected: tuple[float | None, ...]) -> Row:
    return of_cluster(lambda k: (k.timers.route, k.timers.idle, k.timers.max_duration), expected, top + with_keys(*lines))


TIMEOUTS = {
    "defaults": timers(expected=(30.0, 300.0, None)),
    "connect": of_cluster(lambda k: k.timers.connect, 10.0, with_keys()),
    "connect_timeout is none of Pomerium's": Row(with_keys("connect_timeout: 5s"), told=Failure.PRE_032_KEY),
    "timeout": timers("timeout: 5s", expected=(5.0, 300.0, None)),
    "zero is off": timers("timeout: 0s", expected=(None, 300.0, None)),
    "default_upstream_timeout": timers(top="default_upstream_timeout: 7s\n", expected=(7.0, 300.0, None)),
    "websockets": timers("allow_websockets: true", expected=(None, None, None)),
    "allow_upgrades, in any case": timers("allow_upgrades: [WebSocket]", expected=(None, None, None)),
    "the global allow_upgrades": timers(top="allow_upgrades: [websocket]\n", expected=(None, None, None)),
    "a route's own list wins": timers("allow_upgrades: []", top="allow_upgrades: [websocket]\n", expected=(30.0, 300.0, None)),
    "allow_spdy changes no timeout": timers("allow_spdy: true", expected=(30.0, 300.0, None)),
    "kubernetes": timers("kubernetes_service_account_token: x", expected=(None, None, None)),
    "idle_timeout alone lifts nothing": timers("idle_timeout: 1h", expected=(30.0, 3600.0, None)),
    "and is told of": Row(with_keys("idle_timeout: 1h"), told=Failure.IDLE_TIMEOUT_ALONE),
    "timeout_write": timers(top="timeout_write: 1m\n", expected=(30.0, 300.0, 60.0)),
    "timeout_read": of_setting(lambda s: s.timeout_read, 60.0, "timeout_read: 1m"),
    "timeout_idle": of_setting(lambda s: s.timeout_idle, 60.0, "timeout_idle: 1m"),
    "no retries": of_cluster(lambda k: k.retries.count, 0, with_keys()),
    "a route's timeout may exceed the global one": timers("timeout: 1h", top="timeout_write: 0s\n", expected=(3600.0, 300.0, None)),
    "a header replaces the timeout": timers("set_request_headers: {x-envoy-upstream-rq-timeout-ms: '700'}", expected=(0.7, 300.0, None)),
    "and is told of, too": Row(with_keys("set_request_headers: {x-envoy-upstream-rq-timeout-ms: '700'}"), told=Failure.ENVOY_HEADERS),
}


def https(*lines: str) -> str:
    return with_keys(*lines).replace("http://app.internal:8080", "https://app.internal")


def tls(of: Callable[[Any], Any], expected: Any, *lines: str) -> Row:
    return of_cluster(lambda k: of(k.tls[0]), expected, https(*lines))


PEM = base64.b64encode(trustme.CA().cert_pem.bytes()).decode()
KEYS = {
    "tls_skip_verify": tls(lambda t: t.skip_verify, True, "tls_skip_verify: true"),
    "tls_server_name": tls(lambda t: (t.server_name, t.match_name), ("a", "a"), "tls_server_name: a"),
    "tls_upstream_server_name wins": tls(lambda t: t.server_name, "b", "tls_server_name: a", "tls_upstream_server_name: b"),
    "else the host": tls(lambda t: t.server_name, "app.internal"),
    "system roots": tls(lambda t: t.trust_source, "/etc/ssl/certs/ca-certificates.crt"),
    "tls_custom_ca replaces them": tls(
        lambda t: (t.trust, t.trust_source), (base64.b64decode(PEM), "tls_custom_ca"), f"tls_custom_ca: {PEM}"
    ),
    "tls_custom_ca, no base64": Row(
        https("tls_custom_ca: '-'"), refused="config: couldn't decode custom ca: illegal base64 data at input byte 0"
    ),
    "tls_custom_ca_file, missing": Row(
        https("tls_custom_ca_file: /nonexistent/ca"),
        refused="config: couldn't load client ca file: open /nonexistent/ca: no such file or directory",
    ),
    "tls_client_cert alone": Row(https("tls_client_cert: x"), refused="config: client certificate key and cert both must be non-empty"),
    "tls_client_cert, no base64": Row(
        https("tls_client_cert: '-'", "tls_client_key: '-'"),
        refused="config: couldn't decode client cert failed to decode certificate cert: ",
    ),
    "tls_client_cert_file, missing": Row(
        https("tls_client_cert_file: /nonexistent/a", "tls_client_key_file: /nonexistent/b"),
        refused="config: couldn't load client cert file open /nonexistent/a: ",
    ),
    "tls_upstream_allow_renegotiation": tls(lambda t: t.allow_renegotiation, True, "tls_upstream_allow_renegotiation: true"),
    "ALPN": tls(lambda t: t.alpn, ("h2", "http/1.1")),
    "ALPN with websockets": tls(lambda t: t.alpn, ("http/1.1",), "allow_websockets: true"),
    "Host": of_cluster(lambda k: k.request.host, "app.internal:8080", with_keys()),
    "preserve_host_header": of_cluster(lambda k: k.request.host, "app.example.com", with_keys("preserve_host_header: true")),
    "host_rewrite wins": of_cluster(lambda k: k.request.host, "x", with_keys("host_rewrite: x", "preserve_host_header: true")),
    "host_rewrite_header": of_cluster(
        lambda k: k.request.host, "y", with_keys("host_rewrite_header: X-Y", "set_request_headers: {X-Y: y}")
    ),
    "host_path_regex_rewrite_pattern": of_cluster(
        lambda k: k.request.host,
        "t1",
        with_keys("path: /t1/x", "host_path_regex_rewrite_pattern: '^/(.+)/x$'", "host_path_regex_rewrite_substitution: '\\1'"),
    ),
    "prefix": of_cluster(lambda k: k.request.path, "/a", with_keys("prefix: /a")),
    "path": of_cluster(lambda k: k.request.path, "/a", with_keys("path: /a")),
    "regex": of_cluster(lambda k: k.request.path, "/a0", with_keys("regex: '/a[0-9]'")),
    "regex_rewrite_pattern": of_cluster(
        lambda k: k.request.path, "/b", with_keys("path: /a", "regex_rewrite_pattern: ^/a", "regex_rewrite_substitution: /b")
    ),
    "two rewrites": Row(
        with_keys("prefix_rewrite: /b", "regex_rewrite_pattern: ^/a"),
        refused="config: only prefix_rewrite or regex_rewrite_pattern can be specified, but not both",
    ),
    "set_request_headers": of_cluster(lambda k: dict(k.request.headers)["x-a"], "b", with_keys("set_request_headers: {X-A: b}")),
    "remove_request_headers": of_cluster(
        lambda k: "accept" in dict(k.request.headers), False, with_keys("remove_request_headers: [Accept]")
    ),
    "enable_google_cloud_serverless_authentication": of_cluster(
        lambda k: k.dns.lookup_family, "V4_ONLY", with_keys("enable_google_cloud_serverless_authentication: true")
    ),
    "load_balancing_policy": of_route("load_balancing_policy", "MAGLEV", "load_balancing_policy: LOAD_BALANCING_POLICY_MAGLEV"),
    "load_balancing_policy, unknown": Row(
        with_keys("load_balancing_policy: fair"),
        refused="'routes[0].load_balancing_policy' unsupported enum value fair for LoadBalancingPolicy",
    ),
    "healthy_panic_threshold": of_cluster(lambda k: k.panic_threshold, 0, with_keys("healthy_panic_threshold: 0")),
    "healthy_panic_threshold, unset": of_cluster(lambda k: k.panic_threshold, 50, with_keys()),
    "healthy_panic_threshold, too much": Row(with_keys("healthy_panic_threshold: 101"), told=Failure.CLUSTER_REFUSED),
    "circuit_breaker_thresholds, field by field": of_cluster(
        lambda k: k.circuit_breakers,
        CircuitBreakers(max_connections=1, max_requests=2),
        "circuit_breaker_thresholds: {max_connections: 9, max_requests: 2}\n"
        + with_keys("circuit_breaker_thresholds: {max_connections: 1}"),
    ),
    "name is the cluster's": of_cluster(lambda k: k.name, "shop-9307985fc24f3973", with_keys("name: shop")),
    "without a name it is route": of_cluster(lambda k: k.name, "route-9307985fc24f3973", with_keys()),
}


def resolver(url: str, words: str) -> Row:
    return Row(
        f"dns_resolvers: ['{url}']\n" + with_keys(),
        told=Failure.DNS_RESOLVER_INVALID,
        message=f'failed to build address from resolver "{url}": {words}',
    )


GLOBAL = {
    "dns_lookup_family, unset": of_setting(lambda s: s.dns.lookup_family, "V4_PREFERRED"),
    **{
        f"dns_lookup_family {family}": of_setting(lambda s: s.dns.lookup_family, family, f"dns_lookup_family: {family}")
        for family in ("AUTO", "V4_ONLY", "V6_ONLY", "V4_PREFERRED", "ALL")
    },
    "dns_lookup_family in lower case": Row(
        "dns_lookup_family: auto\n" + with_keys(),
        refused="config: unknown dns_lookup_family: known families are: AUTO, V4_ONLY, V6_ONLY, V4_PREFERRED, ALL: auto",
        write="dns_lookup_family: AUTO",
    ),
    "dns_query_timeout": of_setting(lambda s: s.dns.query_timeout, 2.0, "dns_query_timeout: 2900ms"),
    "dns_query_timeout below 0": Row("dns_query_timeout: -1s\n" + with_keys(), refused="config: dns_query_timeout must be positive"),
    "dns_query_tries": of_setting(lambda s: s.dns.query_tries, 2, "dns_query_tries: 2"),
    "dns_udp_max_queries": of_setting(lambda s: s.dns.udp_max_queries, 2, "dns_udp_max_queries: 2"),
    "dns_use_tcp": of_setting(lambda s: s.dns.use_tcp, True, "dns_use_tcp: true"),
    "dns_refresh_rate": of_setting(lambda s: s.dns.refresh_rate, 1.0, "dns_refresh_rate: 1s"),
    "dns_refresh_rate, too small": Row("dns_refresh_rate: 1us\n" + with_keys(), refused="config: dns_refresh_rate must be at least 1ms"),
    "dns_failure_refresh_rate": of_setting(lambda s: s.dns.failure_refresh_rate, 1.0, "dns_failure_refresh_rate: 1s"),
    "dns_failure_refresh_rate, too small": Row(
        "dns_failure_refresh_rate: 1us\n" + with_keys(), refused="config: dns_failure_refresh_rate must be at least 1ms"
    ),
    "dns_resolvers": of_setting(lambda s: s.dns.resolvers, (("tcp", "::1", 5353),), "dns_resolvers: ['tcp://[::1]:5353']"),
    "dns_resolvers, other scheme": resolver("https://10.0.0.1:53", "unsupported url scheme: https"),
    "dns_resolvers, no address": resolver("udp://:53", "must include an IP address: udp://:53"),
    "dns_resolvers, a name": resolver("udp://dns:53", "host must be an IP address: dns"),
    "dns_resolvers, no port": resolver("udp://10.0.0.1", "must include a port: udp://10.0.0.1"),
    "dns_resolvers, port 0": resolver("udp://10.0.0.1:0", "port must be greater than zero: "),
    "dns_resolvers, too large a port": resolver("udp://10.0.0.1:99999", 'invalid port "99999": '),
    "dns_resolvers over TCP are asked over UDP": Row("dns_resolvers: ['tcp://10.0.0.1:53']\n" + with_keys(), told=Failure.DNS_RESOLVER_TCP),
    "certificate_authority is added to the system's": of_cluster(
        lambda k: k.tls[0] is not None and (k.tls[0].trust, k.tls[0].trust_source),
        (b"SYSTEM\n" + base64.b64decode(PEM) + b"\n", "/etc/ssl/certs/ca-certificates.crt + certificate_authority"),
        f"certificate_authority: {PEM}\n" + https(),
    ),
    "certificate_authority_file, missing": Row("certificate_authority_file: /nonexistent/ca\n" + https(), told=Failure.CA_UNREADABLE),
    "and then no https cluster is left": of_cluster(
        lambda k: k.refusals,
        ("SAN-based verification of peer certificates without trusted CA is insecure and not allowed",),
        "certificate_authority_file: /nonexistent/ca\n" + https(),
    ),
    "envoy_bind_config_source_address": of_cluster(
        lambda k: k.source_address, "10.0.0.1", "envoy_bind_config_source_address: 10.0.0.1\n" + with_keys()
    ),
    "envoy_bind_config_freebind": of_setting(lambda s: s.bind_freebind, True, "envoy_bind_config_freebind: true"),
    "allow_upgrades": of_setting(lambda s: s.allow_upgrades, ("websocket",), "allow_upgrades: [websocket]"),
    "an unknown runtime flag": Row(
        "runtime_flags: {nope: true}\n" + with_keys(), told=Failure.UNKNOWN_KEY, message="unknown runtime flag: nope"
    ),
}


def envoy_refuses(keys: str, words: str, scheme: str = "http") -> Row:
    return Row(with_keys(keys).replace("to: http:", f"to: {scheme}:"), told=Failure.CLUSTER_REFUSED, message=words)


HTTP = "http_health_check: {path: /}"
HEALTH = {
    "http": of_cluster(lambda k: k.health_checks[0].path, "/", with_keys(check(HTTP))),
    "tcp": of_cluster(lambda k: k.health_checks[0].checker, "tcp", with_keys(check("tcp_health_check: {}"))),
    "grpc": of_cluster(
        lambda k: k.health_checks[0].service_name,
        "x",
        with_keys(check("grpc_health_check: {service_name: x}")).replace("to: http:", "to: h2c:"),
    ),
    "expected_statuses are half-open": of_cluster(
        lambda k: k.health_checks[0].expected_statuses,
        ((200, 300),),
        with_keys(check("http_health_check: {path: /, expected_statuses: [{start: 200, end: 300}]}")),
    ),
    "expected_statuses, unset": of_cluster(lambda k: k.health_checks[0].expected_statuses, ((200, 201),), with_keys(check(HTTP))),
    "no_traffic_interval, unset": of_cluster(lambda k: k.health_checks[0].no_traffic_interval, 60.0, with_keys(check(HTTP))),
    "codec_client_type": of_cluster(
        lambda k: k.health_checks[0].http2,
        True,
        with_keys(check("http_health_check: {path: /, codec_client_type: HTTP2}")).replace("to: http:", "to: h2c:"),
    ),
    "codec_client_type in lower case": Row(
        with_keys(check("http_health_check: {path: /, codec_client_type: http2}")),
        refused="'routes[0].health_checks[0]' proto: invalid value for enum field codecClientType: \"http2\"",
        write="codec_client_type: HTTP2",
    ),
    "receive is a list": Row(
        with_keys(check("tcp_health_check: {receive: {text: '00'}}")), refused="'routes[0].health_checks[0]' proto: unexpected token {"
    ),
    "the Host is the cluster's name": Row(with_keys(check(HTTP)), told=Failure.HEALTH_CHECK_HOST, message="(route-9307985fc24f3973)"),
    "two checks": envoy_refuses(f"health_checks: [{check(HTTP)[16:-1]}, {check(HTTP)[16:-1]}]", "Multiple health checks not supported"),
    **{
        f"no {field}": envoy_refuses(
            "health_checks: [{" + ", ".join(f"{key}: {value}" for key, value in given.items() if key != field) + f", {HTTP}}}]",
            REQUIRED.format(name),
        )
        for field, name in (
            ("timeout", "Timeout"),
            ("interval", "Interval"),
            ("unhealthy_threshold", "UnhealthyThreshold"),
            ("healthy_threshold", "HealthyThreshold"),
        )
        for given in ({"timeout": "10s", "interval": "60s", "unhealthy_threshold": 2, "healthy_threshold": 1},)
    },
    "no checker": envoy_refuses(
        check("").replace(", }", "}"), 'Proto constraint validation failed (field: "health_checker", reason: is required)'
    ),
    "an empty path": envoy_refuses(check("http_health_check: {}"), "HttpHealthCheckValidationError.Path"),
    "start is end": envoy_refuses(
        check("http_health_check: {path: /, expected_statuses: [{start: 200, end: 200}]}"),
        "expecting start < end, but found start=200 and end=200",
    ),
    "end above 600": envoy_refuses(check("http_health_check: {path: /, expected_statuses: [{start: 200, end: 601}]}"), "601"),
    "grpc without HTTP/2": envoy_refuses(check("grpc_health_check: {}"), "cluster must support HTTP/2 for gRPC healthchecking"),
    "no hexadecimal": envoy_refuses(check("tcp_health_check: {send: {text: PING}}"), "invalid hex string 'PING'"),
    "max_ejection_percent above 100": envoy_refuses("outlier_detection: {max_ejection_percent: 101}", "MaxEjectionPercent"),
    "outlier_detection": of_route(
        "outlier_detection", {"consecutive_5xx": 5, "interval": "10s"}, "outlier_detection: {consecutive_5xx: 5, interval: 10s}"
    ),
    "outlier_detection that ejects nothing": Row(with_keys("outlier_detection: {}"), told=Failure.OUTLIER_NEVER_EJECTS),
    "an HTTP/1 check of h2c": Row(with_keys(check(HTTP)).replace("to: http:", "to: h2c:"), told=Failure.HEALTH_CHECK_CODEC),
    **{
        f"{key} is ignored since 0.32": Row(with_keys(f"{key}: {{}}"), told=Failure.PRE_032_KEY)
        for key in ("common_lb_config", "least_request_lb_config", "ring_hash_lb_config", "connect_timeout", "dns_refresh_rate")
    },
    "lb_policy is ignored since 0.32": Row(with_keys("lb_policy: MAGLEV"), told=Failure.PRE_032_KEY, write="load_balancing_policy: maglev"),
    "lb_policy before": of_route("load_balancing_policy", "MAGLEV", "lb_policy: MAGLEV", version="0.31"),
}

CHECKLIST = {
    "1 a number as a duration": DURATIONS["and told of"],
    "2 camelCase": Row(with_keys("tlsSkipVerify: true"), told=Failure.CAMEL_CASE_KEY, write="tls_skip_verify"),
    "3 a route's key at the top": Row("allow_websockets: true\n" + with_keys(), told=Failure.TOP_LEVEL_ROUTE_KEY),
    "4 several checks": HEALTH["two checks"],
    "5 a route twice": LISTS["the same route twice"],
    "6 https and http": SCHEMES["https and http"],
    "6 h2c and http": Row(to("h2c://a", "http://b"), told=Failure.MIXED_H2C),
    "7 tcp without port": Row(to("tcp://db", source="tcp+https://a.b:5432"), told=Failure.DEFAULT_PORT_80, write="to: tcp://db:5432"),
    "7 ssh without port": Row(to("ssh://db", source="ssh://a"), told=Failure.DEFAULT_PORT_80, write="to: ssh://db:22"),
    "8 IPv6 without port": SCHEMES["[::1] without a port"],
    "9 to is from": Row(routes("from: https://a.b, to: https://c.d", "from: https://c.d, to: http://x"), told=Failure.LOOP_TO_POMERIUM),
    "9 to is the authenticate URL": Row(
        routes("from: https://a.b, to: https://auth.b", top="authenticate_service_url: https://auth.b\n"), told=Failure.LOOP_TO_POMERIUM
    ),
    "10 localhost beside services": Row(
        routes("from: https://a.b, to: http://localhost:80", "from: https://b.b, to: http://app"),
        told=Failure.LOCALHOST_UPSTREAM,
        message="container",
    ),
    "11 custom CA for a public host": Row(
        to("https://x.s3.amazonaws.com", keys=f"tls_custom_ca: {PEM}"), told=Failure.CUSTOM_CA_PUBLIC_HOST
    ),
    "12 tls keys on http": Row(with_keys("tls_skip_verify: true"), told=Failure.TLS_KEYS_ON_HTTP),
    "13 skip_verify with CA": Row(https("tls_skip_verify: true", f"tls_custom_ca: {PEM}"), told=Failure.SKIP_VERIFY_WITH_CA),
    "14 no slash in to": TO["without a slash it is glued on"],
    "15 x-envoy-*": Row(with_keys("set_request_headers: {x-envoy-retry-on: 5xx}"), told=Failure.ENVOY_HEADERS),
    "16 a template": Row(with_keys("tls_server_name: '{{ .Values.name }}'"), told=Failure.UNRENDERED_TEMPLATE),
    "17 several without a check": Row(to("http://a", "http://b"), told=Failure.NO_HEALTH_CHECK_MULTI),
    "18 panic threshold unset": Row(
        to("http://a", "http://b", keys=check("http_health_check: {path: /, host: a}")), told=Failure.PANIC_THRESHOLD_UNSET
    ),
    "19 a stream with a timeout": Row(with_keys("mcp: {client: {}}"), told=Failure.STREAM_TIMEOUT),
    "20 removed keys": LOADING["removed: client_ca"],
}

TABLES = {
    "loading": LOADING, "environment": ENVIRONMENT, "lists": LISTS, "from": FROM, "to": TO, "schemes": SCHEMES, "no upstream": NO_UPSTREAM,
    "durations": DURATIONS, "timeouts": TIMEOUTS, "keys": KEYS, "global": GLOBAL, "health": HEALTH, "checklist": CHECKLIST,
}  # fmt: skip
ROWS = {f"{table}: {name}": row for table, rows in TABLES.items() for name, row in rows.items()}


def loaded(row: Row) -> Config:
    return load("-", text=row.text.encode(), format=row.format, env=row.env or None, pomerium_version=row.version)


@pytest.mark.parametrize("name", ROWS)
def test_row(name: str) -> None:
    """As Pomerium has it."""
    row = ROWS[name]
    if row.refused:
        with pytest.raises(ConfigError) as caught:
            loaded(row)
        problem = next((one for one in caught.value.problems if row.refused in one.message), None)
        assert problem is not None, [one.message for one in caught.value.problems]
        assert problem.message.startswith(row.refused)
    else:
        config = loaded(row)
        problem = next((one for one in config.problems if one.failure is row.told and row.message in one.message), None)
        assert (problem is None) == (row.told is None), [(one.failure.value, one.message) for one in config.problems]
        if row.gives:
            of, expected = row.gives
            (cluster, *_) = (one for one in plan(config, SYSTEM)) if config.routes else (None,)
            assert expected == of(config, cluster)  # type: ignore[arg-type]
    if problem is not None:
        assert problem.place.line >= 1
        assert row.write == "" or row.write == problem.facts.get("write")
