"""The static checklist: each kind of problem fires where it should, says what to write, and is silent beside it."""

from __future__ import annotations

from typing import Any

import pytest

from pomprobe.config import container, load
from pomprobe.model import Failure

from .reading import ROUTE, found, read, to, with_keys

HC = "timeout: 1s, interval: 1s, unhealthy_threshold: 1, healthy_threshold: 1"
HTTPS = "routes:\n- from: https://app.example.com\n  to: https://app.internal\n"


def two(first: str, second: str) -> str:
    """Two routes, each in flow style."""
    return f"routes:\n- {{{first}}}\n- {{{second}}}\n"


FIRES: list[tuple[str, Failure, dict[str, Any]]] = [
    # keys
    (with_keys("tiemout: 5s"), Failure.UNKNOWN_KEY, {"key": "tiemout", "nearest": "timeout", "write": "timeout"}),
    (f"policies: []\n{ROUTE}", Failure.UNKNOWN_KEY, {"key": "policies", "nearest": "routes"}),
    (with_keys("websockets: true"), Failure.UNKNOWN_KEY, {"key": "websockets", "nearest": "allow_websockets"}),
    (with_keys("bogus_thing: 1"), Failure.UNKNOWN_KEY, {"key": "bogus_thing", "nearest": ""}),
    (f"cookie_secrt: x\n{ROUTE}", Failure.UNKNOWN_KEY, {"key": "cookie_secrt", "nearest": "cookie_secret"}),
    (with_keys("mcp: {server: {pth: /}}"), Failure.UNKNOWN_KEY, {"key": "pth", "nearest": "path"}),
    (with_keys("redirect: {http_redirect: true}"), Failure.UNKNOWN_KEY, {"key": "http_redirect", "nearest": "https_redirect"}),
    (with_keys("circuit_breaker_thresholds: {max_connection: 1}"), Failure.UNKNOWN_KEY, {"nearest": "max_connections"}),
    (with_keys(f"health_checks: [{{{HC}, tcp_health_check: {{}}, name: a}}]"), Failure.UNKNOWN_KEY, {"key": "name"}),
    (with_keys("outlier_detection: {consecutive_5x: 5}"), Failure.UNKNOWN_KEY, {"nearest": "consecutive_5xx"}),
    (f"runtime_flags: {{match_any_incomming_port: true}}\n{ROUTE}", Failure.UNKNOWN_KEY, {"nearest": "match_any_incoming_port"}),
    (f"pomerium_debug: true\n{ROUTE}", Failure.UNKNOWN_KEY, {"key": "pomerium_debug"}),
    (with_keys("allowWebsockets: true"), Failure.CAMEL_CASE_KEY, {"key": "allowWebsockets", "write": "allow_websockets"}),
    (with_keys(f"health_checks: [{{{HC}, httpHealthCheck: {{}}}}]"), Failure.CAMEL_CASE_KEY, {"write": "http_health_check"}),
    (with_keys("tls-skip-verify: true"), Failure.CAMEL_CASE_KEY, {"write": "tls_skip_verify"}),
    (with_keys("lb_policy: MAGLEV"), Failure.PRE_032_KEY, {"key": "lb_policy", "since": "0.32", "write": "load_balancing_policy: maglev"}),
    (
        with_keys("common_lb_config: {healthy_panic_threshold: {value: 10}}"),
        Failure.PRE_032_KEY,
        {"write": "healthy_panic_threshold: 10"},
    ),
    (with_keys("connect_timeout: 1s"), Failure.PRE_032_KEY, {"key": "connect_timeout", "write": ""}),
    (f"allow_websockets: true\n{ROUTE}", Failure.TOP_LEVEL_ROUTE_KEY, {"write": "allow_websockets: true"}),
    (with_keys("default_upstream_timeout: 5s"), Failure.GLOBAL_KEY_IN_ROUTE, {"write": "timeout"}),
    (with_keys("dns_resolvers: []", "services: all"), Failure.GLOBAL_KEY_IN_ROUTE, {"key": "services", "write": ""}),
    # durations
    (with_keys("timeout: 30"), Failure.DURATION_NANOSECONDS, {"value": "30", "write": "timeout: 30s", "effect": "no timeout at all"}),
    (with_keys("idle_timeout: 5000000"), Failure.DURATION_NANOSECONDS, {"effect": "5ms"}),
    (f"default_upstream_timeout: 60\n{ROUTE}", Failure.DURATION_NANOSECONDS, {"write": "default_upstream_timeout: 60s"}),
    (f"dns_query_timeout: 5\n{ROUTE}", Failure.DURATION_NANOSECONDS, {"effect": "the resolver's own default"}),
    (with_keys("timeout: 100us"), Failure.DURATION_TRUNCATED, {"unit": "1ms", "effect": "no timeout at all"}),
    (f"dns_query_timeout: 500ms\n{ROUTE}", Failure.DURATION_TRUNCATED, {"unit": "1s", "effect": "the resolver's own default"}),
    (f"dns_query_timeout: 1500ms\n{ROUTE}", Failure.DURATION_TRUNCATED, {"effect": "1s"}),
    (with_keys("timeout: -1s"), Failure.NEGATIVE_DURATION, {"message": "Invalid duration: Expected positive duration: seconds: -1"}),
    (f"timeout_read: -1s\n{ROUTE}", Failure.NEGATIVE_DURATION, {"key": "timeout_read"}),
    # headers and templates
    (
        with_keys("set_request_headers: {X-Envoy-Upstream-Rq-Timeout-Ms: '5'}"),
        Failure.ENVOY_HEADERS,
        {"header": "x-envoy-upstream-rq-timeout-ms", "effect": "replaces the route's timeout"},
    ),
    (with_keys("set_request_headers: {x-envoy-something: a}"), Failure.ENVOY_HEADERS, {"effect": "is read by Envoy itself"}),
    (with_keys("prefix: '${PREFIX}'"), Failure.UNRENDERED_TEMPLATE, {"key": "prefix", "template": "${PREFIX}"}),
    (to("to: 'http://a/{{ path }}'"), Failure.UNRENDERED_TEMPLATE, {"key": "to", "template": "{{ path }}"}),
    # the set of routes
    ("address: ':443'\n", Failure.NO_ROUTES, {"key": "routes"}),
    ("routes: []\n", Failure.NO_ROUTES, {}),
    (f"services: authenticate\n{ROUTE}", Failure.SERVICES_WITHOUT_PROXY, {"services": "authenticate"}),
    (
        "policy: [{from: 'https://a.example.com', to: 'http://a'}]\nroutes: [{from: 'https://b.example.com', to: 'http://b'}]\n",
        Failure.ROUTES_AND_POLICY,
        {"routes": 1, "policy": 1},
    ),
    (
        two("from: https://a.example.com, to: http://a", "from: https://a.example.com, to: http://a, timeout: 5s"),
        Failure.DUPLICATE_ROUTE,
        {"message": "route route-4af23783b1acb909 is not unique", "other": "<stdin>:2:3 routes[0]", "other_route": "a.example.com"},
    ),
    (
        two("name: x, from: https://a.example.com, to: http://a", "name: x, from: https://a.example.com, to: http://a"),
        Failure.DUPLICATE_ROUTE,
        {"message": "route x-4af23783b1acb909 is not unique"},
    ),
    (
        two("from: https://a.example.com, to: http://a", "from: https://a.example.com, to: http://b, prefix: /api"),
        Failure.SHADOWED_ROUTE,
        {"other_route": "a.example.com"},
    ),
    (
        two("from: https://a.example.com, to: http://a, prefix: /api", "from: 'https://a.example.com:443', to: http://b, path: /api/x"),
        Failure.SHADOWED_ROUTE,
        {},
    ),
    (
        two("from: 'tcp+https://a.example.com:22', to: tcp://a:22", "from: 'tcp+https://a.example.com:22', to: tcp://b:22"),
        Failure.SHADOWED_ROUTE,
        {},
    ),
    (
        two("from: https://a.example.com, to: https://B.example.com", "from: https://b.example.com, to: http://b"),
        Failure.LOOP_TO_POMERIUM,
        {"host": "B.example.com", "other": "b.example.com"},
    ),
    (
        "authenticate_service_url: https://auth.example.com\n" + to("to: https://auth.example.com"),
        Failure.LOOP_TO_POMERIUM,
        {"other": "authenticate_service_url"},
    ),
    ("address: ':8443'\n" + to("to: https://app.example.com:8443"), Failure.LOOP_TO_POMERIUM, {}),
    # from and to
    (ROUTE.replace("https://app", "http://app"), Failure.FROM_HTTP, {"write": "from: https://app.example.com"}),
    (
        "routes:\n- from: tcp+https://db.example.com\n  to: tcp://db:5432\n",
        Failure.FROM_WITHOUT_PORT,
        {"write": "from: tcp+https://db.example.com:5432"},
    ),
    (
        "routes:\n- from: tcp+https://db.example.com:5432\n  to: https://proxy\n",
        Failure.CONNECT_FORWARDED,
        {"scheme": "https", "write": "to: tcp://proxy:443"},
    ),
    ("routes:\n- from: tcp+https://a.example.com:5432\n  to: tcp://db\n", Failure.DEFAULT_PORT_80, {"write": "to: tcp://db:5432"}),
    ("routes:\n- from: tcp+https://a.example.com\n  to: tcp://redis\n", Failure.DEFAULT_PORT_80, {"write": "to: tcp://redis:6379"}),
    ("routes:\n- from: udp+https://a.example.com\n  to: udp://x\n", Failure.DEFAULT_PORT_80, {"write": "to: udp://x:PORT"}),
    ("routes:\n- from: ssh://a\n  to: ssh://b\n", Failure.DEFAULT_PORT_80, {"write": "to: ssh://b:22"}),
    (to("to: wss://a"), Failure.SCHEME_IS_PLAIN_HTTP, {"scheme": "wss", "tls": True, "write": "to: https://a"}),
    (to("to: grpc://a:90"), Failure.SCHEME_IS_PLAIN_HTTP, {"tls": False, "write": "to: h2c://a:90"}),
    (to("to: tcp://a:90"), Failure.SCHEME_IS_PLAIN_HTTP, {"write": "from: tcp+https://app.example.com:90"}),
    (to("to: https://a:80"), Failure.SCHEME_PORT_MISMATCH, {"port": 80, "write": "to: http://a"}),
    (to("to: http://a:443"), Failure.SCHEME_PORT_MISMATCH, {"write": "to: https://a"}),
    (to("to: [https://a, http://b]"), Failure.MIXED_TLS_SCHEMES, {"schemes": ("https", "http"), "write": "to: [https://a, https://b]"}),
    (to("to: [h2c://a, http://b:1]"), Failure.MIXED_H2C, {"write": "to: [h2c://a, h2c://b:1]"}),
    (to("to: h2c://a", "allow_websockets: true"), Failure.H2C_WITH_WEBSOCKETS, {"upstream": "h2c://a"}),
    (to("to: http://localhost:8080"), Failure.LOCALHOST_UPSTREAM, {"container": False, "write": "to: http://SERVICE:8080"}),
    (to("to: http://[::1]:8080"), Failure.LOCALHOST_UPSTREAM, {"host": "::1"}),
    (to("to: [http://127.0.0.1:8080, http://grafana:3000]"), Failure.LOCALHOST_UPSTREAM, {"container": True}),
    (to("to: http://host.docker.internal:1"), Failure.LOCALHOST_UPSTREAM, {"docker_name": True}),
    (to("to: [http://a, http://a:80]"), Failure.DUPLICATE_UPSTREAM, {"upstream": "http://a:80"}),
    (
        to("to: http://a/v1"),
        Failure.TO_PATH_WITHOUT_SLASH,
        {"to_path": "/v1", "request": "/foo", "sent": "/v1foo", "write": "to: http://a/v1/"},
    ),
    (to("to: http://a/v1", "prefix: /api/"), Failure.TO_PATH_WITHOUT_SLASH, {"request": "/api/foo", "sent": "/v1foo"}),
    (to("to: http://a/v1", "prefix_rewrite: /"), Failure.TO_PATH_IGNORED, {"because": "prefix_rewrite"}),
    (to("to: [http://a, http://b/v1]"), Failure.TO_PATH_IGNORED, {"because": "not the first", "upstream": "http://b/v1"}),
    (to("to: http://u:hunter2@a"), Failure.TO_PART_IGNORED, {"part": "userinfo", "upstream": "http://a"}),
    (to("to: http://a?x=1"), Failure.TO_PART_IGNORED, {"part": "query"}),
    (to("to: 'http://a#x'"), Failure.TO_PART_IGNORED, {"part": "fragment"}),
    (with_keys("redirect: {https_redirect: true}"), Failure.TO_UNUSED, {"wins": "redirect"}),
    (with_keys("response: {status: 200}"), Failure.TO_UNUSED, {"wins": "response"}),
    (to("to: unix:///run/a.sock"), Failure.UNIX_SOCKET_PATH, {"to_path": "/run/a.sock", "write": "prefix_rewrite: /"}),
    ("dns_lookup_family: V4_ONLY\n" + to("to: http://[2001:db8::1]:80"), Failure.IPV6_WITH_V4_ONLY, {"host": "2001:db8::1"}),
    (
        "routes:\n- from: ssh://a\n  to: [ssh://b:22, ssh://c:22]\n",
        Failure.CLUSTER_REFUSED,
        {"message": "only one 'to' entry allowed for ssh routes"},
    ),
    ("routes:\n- from: ssh://a\n  to: http://b:22\n", Failure.CLUSTER_REFUSED, {"message": "'to' route url must have ssh scheme"}),
    # TLS
    (
        with_keys("tls_skip_verify: true", "tls_upstream_server_name: x"),
        Failure.TLS_KEYS_ON_HTTP,
        {"keys": ("tls_skip_verify", "tls_upstream_server_name"), "write": "to: https://app.internal:8080"},
    ),
    (HTTPS + "  tls_skip_verify: true\n", Failure.SKIP_VERIFY, {"key": "tls_skip_verify"}),
    (HTTPS + "  tls_skip_verify: true\n  tls_custom_ca: YQ==\n", Failure.SKIP_VERIFY_WITH_CA, {"key": "tls_custom_ca"}),
    (to("to: https://x.s3.amazonaws.com", "tls_custom_ca: YQ=="), Failure.CUSTOM_CA_PUBLIC_HOST, {"host": "x.s3.amazonaws.com"}),
    (HTTPS + "  tls_custom_ca: YQ==\n  tls_custom_ca_file: /dev/null/x\n", Failure.CUSTOM_CA_TWICE, {}),
    (
        HTTPS + "  tls_custom_ca: YQ==\n",
        Failure.CA_UNREADABLE,
        {"message": "Failed to load trusted CA certificates from <inline>", "scope": "route"},
    ),
    (f"certificate_authority: YQ==\n{HTTPS}", Failure.CA_UNREADABLE, {"scope": "no effect"}),
    (to("to: https://a.example.org."), Failure.SERVER_NAME_UNMATCHABLE, {"write": "tls_upstream_server_name: a.example.org"}),
    (to("to: https+unix:///a", "prefix_rewrite: /"), Failure.SERVER_NAME_UNMATCHABLE, {"because": "https+unix without a name"}),
    # timers
    (with_keys("idle_timeout: 1h"), Failure.IDLE_TIMEOUT_ALONE, {"seconds": 3600.0, "timeout_seconds": 30.0, "write": "timeout: 0s"}),
    (with_keys("idle_timeout: 0s"), Failure.IDLE_TIMEOUT_ALONE, {}),
    (with_keys("mcp: {client: {}}"), Failure.STREAM_TIMEOUT, {"kind": "mcp client", "seconds": 30.0}),
    (with_keys("mcp: {server: {}}", "timeout: 1m"), Failure.STREAM_TIMEOUT, {"kind": "mcp server", "seconds": 60.0}),
    (with_keys("kubernetes_service_account_token: x", "timeout: 1m"), Failure.STREAM_TIMEOUT, {"kind": "kubernetes"}),
    # health and balancing
    (
        with_keys(f"health_checks: [{{{HC}, tcp_health_check: {{}}}}]"),
        Failure.PANIC_THRESHOLD_UNSET,
        {"write": "healthy_panic_threshold: 0", "upstreams": 1},
    ),
    (to("to: [http://a, http://b]"), Failure.NO_HEALTH_CHECK_MULTI, {"upstreams": 2}),
    (
        to("to: h2c://a", f"health_checks: [{{{HC}, http_health_check: {{path: /}}}}]"),
        Failure.HEALTH_CHECK_CODEC,
        {"codec": "HTTP1", "protocol": "HTTP/2", "write": "codec_client_type: HTTP2"},
    ),
    (
        with_keys(f"health_checks: [{{{HC}, http_health_check: {{path: /, codec_client_type: HTTP2}}}}]"),
        Failure.HEALTH_CHECK_CODEC,
        {"codec": "HTTP2", "protocol": "HTTP/1.1"},
    ),
    (
        HTTPS + f"  allow_websockets: true\n  health_checks: [{{{HC}, http_health_check: {{path: /, codec_client_type: HTTP2}}}}]\n",
        Failure.HEALTH_CHECK_CODEC,
        {"write": "codec_client_type: HTTP1"},
    ),
    (
        with_keys("name: shop", f"health_checks: [{{{HC}, http_health_check: {{path: /}}}}]"),
        Failure.HEALTH_CHECK_HOST,
        {"host": "shop-9307985fc24f3973", "write": "host: app.internal"},
    ),
    (with_keys("outlier_detection: {}"), Failure.OUTLIER_NEVER_EJECTS, {"upstreams": 1, "percent": 10}),
    (to("to: [http://a, http://b]", "outlier_detection: {max_ejection_percent: 49}"), Failure.OUTLIER_NEVER_EJECTS, {"percent": 49}),
    (with_keys("circuit_breaker_thresholds: {max_requests: 0}"), Failure.CIRCUIT_BREAKER_ZERO, {"write": "max_requests: 1024"}),
    (
        f"circuit_breaker_thresholds: {{max_connection_pools: 0}}\n{ROUTE}",
        Failure.CIRCUIT_BREAKER_ZERO,
        {"key": "circuit_breaker_thresholds.max_connection_pools"},
    ),
    (
        with_keys("circuit_breaker_thresholds: {max_retries: 0}", "set_request_headers: {x-envoy-retry-on: 5xx}"),
        Failure.CIRCUIT_BREAKER_RETRIES,
        {"key": "circuit_breaker_thresholds.max_retries", "header": "x-envoy-retry-on"},
    ),
    (
        f"circuit_breaker_thresholds: {{max_retries: 0}}\n{with_keys('set_request_headers: {x-envoy-retry-grpc-on: internal}')}",
        Failure.CIRCUIT_BREAKER_RETRIES,
        {"header": "x-envoy-retry-grpc-on"},
    ),
    (with_keys("circuit_breaker_thresholds: {max_requests: 2}"), Failure.CIRCUIT_BREAKER_LOW, {"key": "max_requests", "next": 3}),
    (f"circuit_breaker_thresholds: {{max_connections: 7}}\n{ROUTE}", Failure.CIRCUIT_BREAKER_LOW, {"key": "max_connections", "value": 7}),
    (with_keys("timeout: 10m"), Failure.UPLOAD_LIMIT, {"seconds": 30.0, "write": "timeout_read: 10m"}),
    (f"timeout_read: 5m\n{with_keys('timeout: 1h30m')}", Failure.UPLOAD_LIMIT, {"seconds": 300.0, "write": "timeout_read: 1h30m"}),
    # dns
    (
        f"dns_resolvers: ['tcp://1.1.1.1:53']\n{ROUTE}",
        Failure.DNS_RESOLVER_TCP,
        {"value": "tcp://1.1.1.1:53", "write": "dns_use_tcp: true"},
    ),
    (f"dns_resolvers: ['tcp://[2001:db8::1]:53']\n{ROUTE}", Failure.DNS_RESOLVER_TCP, {"value": "tcp://[2001:db8::1]:53"}),
    (f"dns_resolvers: [x]\n{ROUTE}", Failure.DNS_RESOLVER_INVALID, {"value": "x", "write": "udp://IP:53"}),
    (f"dns_resolvers: [1.1.1.1]\n{ROUTE}", Failure.DNS_RESOLVER_INVALID, {"write": "udp://1.1.1.1:53"}),
]


@pytest.fixture(autouse=True)
def outside_a_container(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the tests run does not matter."""
    monkeypatch.setattr(container, "MARK", "/nonexistent/mark")


@pytest.mark.parametrize(("text", "failure", "facts"), FIRES)
def test_fires(text: str, failure: Failure, facts: dict[str, Any]) -> None:
    """The problem is noted, not fatal, with these facts and a place."""
    some = found(read(text), failure)
    assert len(some) >= 1
    assert any(facts.items() <= problem.facts.items() for problem in some), [dict(problem.facts) for problem in some]
    assert all(not problem.fatal and problem.place.line >= 1 for problem in some)


SILENT: list[tuple[str, Failure]] = [
    (with_keys("timeout: 5s", "x-anchor: 1", "set_response_headers: {a: b}"), Failure.UNKNOWN_KEY),
    (f"Routes_: 1\nSERVICES: all\n{ROUTE}", Failure.CAMEL_CASE_KEY),
    (with_keys("Timeout: 5s", "TLS_Server_Name: x"), Failure.CAMEL_CASE_KEY),
    (with_keys("allow_upgrades: []", "idp_client_id: x", "circuit_breaker_thresholds: {}"), Failure.GLOBAL_KEY_IN_ROUTE),
    (f"allow_upgrades: []\nidp_client_id: x\n{ROUTE}", Failure.TOP_LEVEL_ROUTE_KEY),
    (with_keys("timeout: 0", "idle_timeout: 30000000000"), Failure.DURATION_NANOSECONDS),
    (with_keys("timeout: 1500us", "idle_timeout: 1ms"), Failure.DURATION_TRUNCATED),
    (with_keys("set_request_headers: {x-envoy-expected-rq-timeout-ms: '5', x-a: '${pomerium.id_token}'}"), Failure.ENVOY_HEADERS),
    (with_keys("set_request_headers: {x-a: '${pomerium.id_token}'}", "regex: '^/a$'"), Failure.UNRENDERED_TEMPLATE),
    (two("from: https://a.example.com, to: http://a", "from: https://a.example.com, to: http://a, prefix: /b"), Failure.DUPLICATE_ROUTE),
    (two("from: https://a.example.com, to: http://a", "from: https://a.example.com, to: 'http://a,2'"), Failure.DUPLICATE_ROUTE),
    (two("from: https://a.example.com, redirect: {}", "from: https://a.example.com, redirect: {}"), Failure.DUPLICATE_ROUTE),
    (two("from: https://a.example.com, to: http://a, prefix: /a", "from: https://a.example.com, to: http://b"), Failure.SHADOWED_ROUTE),
    (two("from: https://a.example.com, to: http://a, path: /", "from: https://a.example.com, to: http://b"), Failure.SHADOWED_ROUTE),
    (two("from: https://a.example.com, to: http://a", "from: 'tcp+https://a.example.com:22', to: tcp://b:22"), Failure.SHADOWED_ROUTE),
    (
        two("from: https://a.example.com, to: http://a, prefix: /x", "from: https://a.example.com, to: http://b, regex: ^/x"),
        Failure.SHADOWED_ROUTE,
    ),
    (to("to: http://app.example.com:8080"), Failure.LOOP_TO_POMERIUM),
    ("routes:\n- from: https://*.example.com\n  to: https://app.example.com\n", Failure.LOOP_TO_POMERIUM),
    ("routes:\n- from: tcp+https://db.example.com:1\n  to: tcp://db:1\n", Failure.FROM_WITHOUT_PORT),
    ("routes:\n- from: tcp+https://p.example.com/ssh.example.com:22\n  to: tcp://b:22\n", Failure.FROM_WITHOUT_PORT),
    ("routes:\n- from: tcp+https://[2001:db8::1]:22\n  to: tcp://b:22\n", Failure.FROM_WITHOUT_PORT),
    (to("to: [http://a, https+unix:///b]".replace("https+unix:///b", "http://b:81")), Failure.SCHEME_IS_PLAIN_HTTP),
    (to("to: [http://a:8080, http://b:80]"), Failure.SCHEME_PORT_MISMATCH),
    (to("to: http://10.1.2.3:8080"), Failure.LOCALHOST_UPSTREAM),
    (to("to: [http://a, http://a:81, http://b]"), Failure.DUPLICATE_UPSTREAM),
    (to("to: http://a/v1", "prefix: /api"), Failure.TO_PATH_WITHOUT_SLASH),
    (to("to: http://a/v1/"), Failure.TO_PATH_WITHOUT_SLASH),
    (to("to: http://a/v1", "path: /x"), Failure.TO_PATH_WITHOUT_SLASH),
    (to("to: [http://a/v1/, http://b/v1/, http://c]"), Failure.TO_PATH_IGNORED),
    (to("to: unix:///run/a.sock", "prefix_rewrite: /"), Failure.UNIX_SOCKET_PATH),
    (HTTPS + "  tls_upstream_server_name: x\n", Failure.TLS_KEYS_ON_HTTP),
    (with_keys("tls_skip_verify: false"), Failure.TLS_KEYS_ON_HTTP),
    (HTTPS + "  tls_custom_ca: YQ==\n", Failure.CUSTOM_CA_PUBLIC_HOST),
    (to("to: https://a.example.org.", "tls_upstream_server_name: a.example.org"), Failure.SERVER_NAME_UNMATCHABLE),
    (with_keys("idle_timeout: 5s"), Failure.IDLE_TIMEOUT_ALONE),
    (with_keys("idle_timeout: 1h", "timeout: 1h"), Failure.IDLE_TIMEOUT_ALONE),
    (with_keys("idle_timeout: 1h", "allow_websockets: true"), Failure.IDLE_TIMEOUT_ALONE),
    (with_keys("mcp: {client: {}}", "timeout: 0s"), Failure.STREAM_TIMEOUT),
    (with_keys("mcp: {server: {}}"), Failure.STREAM_TIMEOUT),
    (with_keys("healthy_panic_threshold: 0", f"health_checks: [{{{HC}, tcp_health_check: {{}}}}]"), Failure.PANIC_THRESHOLD_UNSET),
    (to("to: [http://a, http://b]", "outlier_detection: {}"), Failure.NO_HEALTH_CHECK_MULTI),
    (HTTPS + f"  health_checks: [{{{HC}, http_health_check: {{path: /, codec_client_type: HTTP2}}}}]\n", Failure.HEALTH_CHECK_CODEC),
    (with_keys(f"health_checks: [{{{HC}, http_health_check: {{path: /, host: a}}}}]"), Failure.HEALTH_CHECK_HOST),
    (with_keys("outlier_detection: {always_eject_one_host: true}"), Failure.OUTLIER_NEVER_EJECTS),
    (to("to: [http://a, http://b]", "outlier_detection: {max_ejection_percent: 50}"), Failure.OUTLIER_NEVER_EJECTS),
    (with_keys("circuit_breaker_thresholds: {max_connections: 0, max_retries: 0}"), Failure.CIRCUIT_BREAKER_ZERO),
    (with_keys("circuit_breaker_thresholds: {max_requests: 100, max_retries: 1}"), Failure.CIRCUIT_BREAKER_LOW),
    (with_keys("circuit_breaker_thresholds: {max_retries: 0}"), Failure.CIRCUIT_BREAKER_RETRIES),
    (
        f"circuit_breaker_thresholds: {{max_retries: 0}}\n"
        f"{with_keys('circuit_breaker_thresholds: {max_retries: 3}', 'set_request_headers: {x-envoy-retry-on: 5xx}')}",
        Failure.CIRCUIT_BREAKER_RETRIES,
    ),
    (HTTPS + "  circuit_breaker_thresholds: {max_connections: 2}\n", Failure.CIRCUIT_BREAKER_LOW),
    (
        f"circuit_breaker_thresholds: {{max_requests: 2}}\n{with_keys('circuit_breaker_thresholds: {max_requests: 2000}')}",
        Failure.CIRCUIT_BREAKER_LOW,
    ),
    (with_keys("timeout: 2m"), Failure.UPLOAD_LIMIT),
    (with_keys("timeout: 0s"), Failure.UPLOAD_LIMIT),
    (f"timeout_read: 1h\n{with_keys('timeout: 10m')}", Failure.UPLOAD_LIMIT),
    (with_keys("timeout: 0s", "allow_websockets: true"), Failure.UPLOAD_LIMIT),
    (f"timeout_read: 0s\n{with_keys('timeout: 1h')}", Failure.UPLOAD_LIMIT),
    (f"dns_use_tcp: true\ndns_resolvers: ['tcp://1.1.1.1:53']\n{ROUTE}", Failure.DNS_RESOLVER_TCP),
]


@pytest.mark.parametrize(("text", "failure"), SILENT)
def test_silent(text: str, failure: Failure) -> None:
    """What is fine is not told of."""
    assert [] == found(read(text), failure)


def test_a_good_config_is_silent() -> None:
    """A plain config has no problem at all."""
    assert () == read(ROUTE).problems


def test_duplicates_block_every_route() -> None:
    """One duplicate keeps Pomerium from building any cluster."""
    text = two("from: https://a.example.com, to: http://a", "from: https://a.example.com, to: http://a")
    config = read(text + "- {from: https://b.example.com, to: http://b}\n")
    assert [("route route-4af23783b1acb909 is not unique",)] * 3 == [route.envoy_refusals for route in config.routes]
    assert [()] * 3 == [
        route.envoy_refusals for route in read("services: authorize\n" + text + "- {from: 'https://c', to: 'http://b'}\n").routes
    ]


def test_container_by_path() -> None:
    """A file where Pomerium's image wants it is a sign of a container."""
    config = load("/pomerium/config.yaml", text=to("to: http://localhost").encode())
    assert config.problems[0].facts["container"] is True


def test_userinfo_is_in_no_problem() -> None:
    """Passwords in `to` stay out of every problem."""
    config = read(to("to: 'http://u:hunter2@localhost:80/x?hunter2#hunter2'", "tls_skip_verify: true"))
    assert config.problems
    assert "hunter2" not in repr(config)


def test_problems_are_in_the_order_of_the_file() -> None:
    """Whatever was found last, the order is that of the lines."""
    lines = [problem.place.line for problem in read("timeout: 5s\n" + with_keys("tiemout: 1", "timeout: 30", "lb_policy: x")).problems]
    assert sorted(lines) == lines


def test_an_mcp_server_s_path_is_as_it_is() -> None:
    """Its clients ask for one path, so that no slash is missing in `to`."""
    text = "routes:\n- from: https://app.example.com\n  to: http://app.internal:8080/mcp\n"
    assert [] == found(read(text + "  mcp: {server: {}}\n"), Failure.TO_PATH_WITHOUT_SLASH)
    assert [] != found(read(text), Failure.TO_PATH_WITHOUT_SLASH)
