"""docs/how-it-maps.md: what each key of a route becomes in Envoy's configuration, found by building it with and without the key; and what
each stage can make Envoy answer (tools/answers.py).

`python tools/maps.py` writes the page, `--check` says whether it is stale.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from pomprobe.config import load as read
from pomprobe.envoy.bootstrap import ADMIN, static
from pomprobe.envoy.route import CHOICE
from pomprobe.envoy.values import Public
from pomprobe.model import Cluster, UpstreamTLS
from pomprobe.plan import Bundle, plan

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tools.answers import page as answers  # noqa: E402

PAGE = ROOT / "docs" / "how-it-maps.md"
BASE = {"address": ":8443", "shared_secret": "A" * 43 + "=", "cookie_secret": "A" * 43 + "="}
ROUTE = {"from": "https://app.example.com", "to": "https://app.internal", "allow_public_unauthenticated_access": True}
SYSTEM = Bundle(b"-----BEGIN CERTIFICATE-----", "/etc/ssl/certs/ca-certificates.crt")
CHECK = {"timeout": "1s", "interval": "10s", "unhealthy_threshold": 2, "healthy_threshold": 1, "http_health_check": {"path": "/healthz"}}

KEYS: tuple[dict[str, Any], ...] = (
    {"to": "http://app.internal:8080"},
    {"to": "http://10.0.0.5:8080"},
    {"to": "https://localhost:8443"},
    {"to": "https://[::1]:8443"},
    {"to": ["https://a.internal,1", "https://b.internal,3"]},
    {"to": ["https://a.internal", "http://b.internal"]},
    {"to": "https://app.internal/base"},
    {"to": "h2c://app.internal:8080"},
    {"to": "unix:///run/app.sock"},
    {"from": "tcp+https://app.example.com:22", "to": "tcp://app.internal:22"},
    {"timeout": "5s"},
    {"timeout": 30},
    {"timeout": "0s"},
    {"idle_timeout": "60s"},
    {"allow_websockets": True},
    {"allow_spdy": True},
    {"tls_skip_verify": True},
    {"tls_upstream_server_name": "app.other"},
    {"tls_server_name": "*.internal"},
    {"tls_upstream_allow_renegotiation": True},
    {"preserve_host_header": True},
    {"host_rewrite": "app.other"},
    {"host_rewrite_header": "x-host"},
    {"prefix": "/app", "prefix_rewrite": "/"},
    {"regex": "/v[0-9]+/.*", "regex_rewrite_pattern": "^/v[0-9]+", "regex_rewrite_substitution": ""},
    {"set_request_headers": {"x-key": "value"}},
    {"set_request_headers": {"x-envoy-upstream-rq-timeout-ms": "700"}},
    {"remove_request_headers": ["x-forwarded-host"]},
    {"load_balancing_policy": "maglev"},
    {"health_checks": [CHECK]},
    {"healthy_panic_threshold": 0},
    {"outlier_detection": {"consecutive_5xx": 3}},
    {"circuit_breaker_thresholds": {"max_requests": 100}},
    {"enable_google_cloud_serverless_authentication": True},
)
"""Keys of a route, each added to a route to https://app.internal."""

GLOBALS: tuple[dict[str, Any], ...] = (
    {"default_upstream_timeout": "10s"},
    {"timeout_read": "10s"},
    {"timeout_write": "60s"},
    {"timeout_idle": "60s"},
    {"dns_lookup_family": "V4_ONLY"},
    {"dns_resolvers": ["udp://10.0.0.2:53"]},
    {"dns_query_timeout": "500ms"},
    {"dns_query_tries": 1},
    {"dns_use_tcp": True},
    {"dns_refresh_rate": "5s"},
    {"dns_failure_refresh_rate": "1s"},
    {"envoy_bind_config_source_address": "10.0.0.9"},
    {"allow_upgrades": ["websocket"]},
)
"""Global keys, with the same route."""

SHORT = {
    "static_resources.clusters.0.": "cluster.",
    "static_resources.listeners.0.filter_chains.0.filters.0.typed_config.route_config.virtual_hosts.0.routes.0.": "route.",
    "static_resources.listeners.0.filter_chains.0.filters.0.typed_config.": "connection_manager.",
    "load_assignment.endpoints.0.lb_endpoints.": "endpoints.",
    "typed_extension_protocol_options.envoy.extensions.upstreams.http.v3.HttpProtocolOptions.": "protocol.",
    "transport_socket.typed_config.": "tls.",
    "common_tls_context.": "",
    "cluster_type.typed_config.": "dns.",
    "typed_per_filter_config.envoy.filters.http.header_mutation.mutations.request_mutations.": "header_mutation.",
    "typed_dns_resolver_config.typed_config.": "cares.",
}
"""Paths of Envoy's configuration that are shortened for people."""

QUIET = ("transport_socket_matches", "transport_socket_match.", "cluster.name", "load_assignment.cluster_name", "route.route.cluster")
"""Paths that only repeat what others say, or whose name is an id."""


def page() -> str:
    """The whole page."""
    return "\n".join(_page()).rstrip() + "\n"


def _page() -> Iterator[str]:
    yield "# How it maps"
    yield ""
    yield "<!-- Written by tools/maps.py: change that and run `make docs`. -->"
    yield ""
    yield "Pomerium turns each route into a cluster and a route of Envoy; Envoy turns what goes wrong into an answer. pomprobe goes the"
    yield "same way without Envoy, and then back from the answer to the cause. This page has both:"
    yield "[from Pomerium's keys to Envoy's configuration](#from-pomeriums-keys-to-envoys-configuration), and"
    yield "[from a stage to Envoy's answer](#from-a-stage-to-envoys-answer)."
    yield ""
    yield "## From Pomerium's keys to Envoy's configuration"
    yield ""
    yield "Each key is added to a route from `https://app.example.com` to `https://app.internal`. The middle column is what changes in"
    yield "the configuration that `pomprobe reproduce --print-config` prints, the last one what changes in the plan of a probe. Both are"
    yield "found by building them twice, with the key and without."
    yield ""
    yield "An Envoy starts with what is printed: `pomprobe reproduce config.yaml --print-config > envoy.json`, then `envoy -c envoy.json`."
    yield f"The header `{CHOICE}` with the index of a route chooses it; the listener's port is in the admin interface, the socket"
    yield f"`{ADMIN}`. Keys and header values come from files of the config, or from environment variables named on standard error."
    yield from _table("key of a route", [(keys, {}) for keys in KEYS])
    yield from _table("global key", [({}, keys) for keys in GLOBALS])
    yield from answers(_built({}, {})[1].timers)


def _table(head: str, cases: list[tuple[dict[str, Any], dict[str, Any]]]) -> Iterator[str]:
    yield from ("", f"| {head} | Envoy | probe |", "|---|---|---|")
    message, cluster = _built({}, {})
    for route, settings in cases:
        changed, planned = _built(route, settings)
        yield f"| {_cell([_said(route or settings)])} | {_cell(_changes(message, changed))} | {_cell(_planned(cluster, planned))} |"


def _built(route: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[dict[str, str], Cluster]:
    text = yaml.safe_dump({**BASE, **settings, "routes": [{**ROUTE, **route}]})
    config = read("config.yaml", text=text.encode())
    (cluster,) = plan(config, SYSTEM)
    assert cluster is not None
    message = static([cluster], config.settings, {0: "choice"}, Path("/"), Public())
    return dict(_flat(message, "")), cluster


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _flat(item, f"{path}{key}.")
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for index, item in enumerate(value):
            yield from _flat(item, f"{path}{index}.")
    else:
        yield path.removesuffix("."), value if isinstance(value, str) else json.dumps(value)


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """What is new or different, and what is gone: of a whole message that is gone only its name."""
    gone = {_root(path, after) for path in before.keys() - after.keys() if before[path] != "[]"}
    new = [path for path in after if before.get(path) != after[path]]
    names = {_short(path): after.get(path) for path in sorted([*gone, *new])}
    shown = {name: value for name, value in names.items() if "@type" not in name and not any(part in f"{name}." for part in QUIET)}
    return [f"`{name}` " + ("not set" if value is None else f"`{_value(value)}`") for name, value in shown.items()]


def _root(path: str, after: Mapping[str, str]) -> str:
    """The largest message around this path of which nothing is left."""
    parts = path.split(".")
    for length in range(1, len(parts)):
        prefix = ".".join(parts[:length])
        if not any(other == prefix or other.startswith(f"{prefix}.") for other in after):
            return prefix
    return path


def _short(path: str) -> str:
    path += "."
    for long, short in SHORT.items():
        path = path.replace(long, short)
    return path.removesuffix(".")


def _value(text: str) -> str:
    """Durations without their nine decimals, lists without the header that is ours."""
    text = text.replace(f', "{CHOICE}"', "")
    return text.rstrip("s").rstrip("0").rstrip(".") + "s" if text.endswith("s") and text[:1].isdigit() and "." in text else text


def _planned(before: Cluster, after: Cluster) -> list[str]:
    """What a probe does differently."""
    found = [f"{what} {getattr(after, what)}" for what in ("discovery", "protocol") if getattr(before, what) is not getattr(after, what)]
    for timer in ("route", "idle", "max_duration", "request", "per_try", "stream_duration"):
        seconds = getattr(after.timers, timer)
        if seconds != getattr(before.timers, timer):
            found.append(f"{timer.replace('_', ' ')} timer {'off' if seconds is None else f'{seconds:g} s'}")
    for what in ("method", "path", "hosts"):
        value = getattr(after.request, what)
        if value != getattr(before.request, what):
            found.append(f"{what.removesuffix('s')} `{', '.join(value) if isinstance(value, tuple) else value}`")
    if before.upstreams[0].host != after.upstreams[0].host or before.upstreams[0].port != after.upstreams[0].port:
        found.append("dials " + ", ".join(f"`{u.path if u.scheme == 'unix' else f'{u.host}:{u.port}'}`" for u in after.upstreams))
    found += _secured(before.tls[0], after.tls[0])
    if before.dns.lookup_family != after.dns.lookup_family:
        found.append(f"asks DNS {after.dns.lookup_family}")
    if before.panic_threshold != after.panic_threshold:
        found.append(f"panic below {after.panic_threshold} %")
    return found


def _secured(before: UpstreamTLS | None, after: UpstreamTLS | None) -> list[str]:
    if before is None or after is None:
        return [] if before is after else ["no TLS"]
    found = [f"SNI and SAN `{after.server_name}`"] if after.server_name != before.server_name else []
    found += ["any certificate will do"] if after.skip_verify else []
    return found + ([f"ALPN `{', '.join(after.alpn)}`"] if after.alpn != before.alpn else [])


def _said(keys: Mapping[str, Any]) -> str:
    return "`" + ", ".join(f"{key}: {json.dumps(value)}" for key, value in keys.items()) + "`"


def _cell(lines: list[str]) -> str:
    return "<br>".join(line.replace("|", r"\|") for line in lines) or "nothing"


def main() -> int:
    """Write the page, or with --check compare it."""
    text = page()
    if "--check" not in sys.argv:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{PAGE.name} is stale: run `make docs`\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
