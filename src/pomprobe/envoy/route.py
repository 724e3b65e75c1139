"""Route -> Envoy's route, as Pomerium builds it (config/envoyconfig/routes.go), chosen by a header that only we know."""

from __future__ import annotations

from ..model import Cluster, Protocol, Route, RouteKind, Settings
from ..plan.headers import rendered
from ..plan.timers import configured, endless
from .values import Message, Store, duration, set_header, typed

CHOICE = "x-pomprobe-route"
"""The request header that chooses the route; it never goes upstream."""

MUTATION = "envoy.filters.http.header_mutation"
TUNNELS = (RouteKind.TCP, RouteKind.SSH)


def route_message(cluster: Cluster, settings: Settings, choice: str, store: Store) -> Message:
    """The route to one cluster. choice: the secret value of CHOICE, without which nobody on this machine gets to the upstream."""
    route = cluster.route
    message: Message = {
        "name": str(route.index),
        "match": _match(route) | {"headers": [{"name": CHOICE, "string_match": {"exact": choice}}]},
        "request_headers_to_remove": [*route.remove_request_headers, CHOICE],
        "route": _action(cluster, settings),
    }
    headers = [(name, value) for name, value in rendered(route).items() if name != "host"]
    if headers:
        mutations = [{"append": set_header(name, store.header(route.index, name, value))} for name, value in headers]
        message["typed_per_filter_config"] = {
            MUTATION: typed("extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute", mutations={"request_mutations": mutations})
        }
    return message


def _match(route: Route) -> Message:
    if route.kind in TUNNELS:
        return {"connect_matcher": {}}
    if route.regex:
        return {"safe_regex": {"regex": route.regex}}
    return {"path": route.path} if route.path else {"prefix": route.prefix or "/"}


def _action(cluster: Cluster, settings: Settings) -> Message:
    route = cluster.route
    upgrades = [{"upgrade_type": "websocket", "enabled": route.websockets}, {"upgrade_type": "spdy/3.1", "enabled": route.spdy}]
    upgrades += [{"upgrade_type": name, "enabled": True} for name in route.upgrades if name != "connect" or route.kind not in TUNNELS]
    if route.kind in TUNNELS:
        upgrades.append({"upgrade_type": "CONNECT", "enabled": True} | ({"connect_config": {}} if cluster.protocol is Protocol.RAW else {}))
    action: Message = {
        "cluster": cluster.name,
        "upgrade_configs": upgrades,
        "timeout": duration(configured(route, settings)[0]),
        "hash_policy": [{"connection_properties": {"source_ip": True}, "terminal": True}],
    }
    if route.idle_timeout is not None:
        action["idle_timeout"] = duration(route.idle_timeout)
    elif endless(route):
        action["idle_timeout"] = duration(0)
    return action | _path(route) | _host(route)


def _path(route: Route) -> Message:
    if route.prefix_rewrite:
        return {"prefix_rewrite": route.prefix_rewrite}
    if route.regex_rewrite_pattern:
        return {"regex_rewrite": {"pattern": {"regex": route.regex_rewrite_pattern}, "substitution": route.regex_rewrite_substitution}}
    return {"prefix_rewrite": route.upstreams[0].path} if route.upstreams[0].path else {}


def _host(route: Route) -> Message:
    forwarded = {"append_x_forwarded_host": "x-forwarded-host" not in (name.lower() for name in route.remove_request_headers)}
    if route.host_rewrite:
        return {"host_rewrite_literal": route.host_rewrite} | forwarded
    if route.host_rewrite_header:
        return {"host_rewrite_header": route.host_rewrite_header} | forwarded
    if route.host_path_regex_rewrite_pattern:
        rewrite = {"pattern": {"regex": route.host_path_regex_rewrite_pattern}, "substitution": route.host_path_regex_rewrite_substitution}
        return {"host_rewrite_path_regex": rewrite} | forwarded
    return {"auto_host_rewrite": False} if route.preserve_host_header else {"auto_host_rewrite": True} | forwarded
