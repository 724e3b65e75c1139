"""The set of routes: none, twice, one behind another, or one that leads back to Pomerium."""

from __future__ import annotations

import contextlib

from ...model import Failure, Place, Route, RouteKind, Upstream
from .. import url
from ..nodes import Mapping, Sequence
from ..settings import serves_routes
from .addresses import is_local
from .view import UNIX, View, place_in

EVERYWHERE = ("", "0.0.0.0", "::")
"""Hosts of an `address` that stand for every address of the machine."""

TUNNELS = (RouteKind.TCP, RouteKind.UDP, RouteKind.SSH)


def check(view: View) -> None:
    _lists(view)
    _duplicates(view)
    _shadowed(view)
    _loops(view)
    for route, mapping in view.pairs():
        _from(view, route)
        _unused(view, route, mapping)
        if route.kind is RouteKind.SSH:
            _ssh(view, route)


def _lists(view: View) -> None:
    top = view.top
    if not view.routes:
        place = top.place_of("routes") if top.get("routes") else Place(view.file, 1, 1)
        view.note(Failure.NO_ROUTES, place, "the config has no routes", key="routes")
    if not serves_routes(view.settings.services):
        message = f"with services: {view.settings.services} Pomerium serves no routes"
        view.note(Failure.SERVICES_WITHOUT_PROXY, top.place_of("services"), message, services=view.settings.services, key="services")
    policy, routes = top.get("policy"), top.get("routes")
    if isinstance(policy, Sequence) and isinstance(routes, Sequence) and policy.items and routes.items:
        counts = {"policy": len(policy.items), "routes": len(routes.items)}
        view.note(Failure.ROUTES_AND_POLICY, policy.place, "both policy and routes are read, policy first", key="policy", **counts)


def _duplicates(view: View) -> None:
    """Two routes with one cluster name: Pomerium builds no clusters at all (clusters.go, validateClusterNamesUnique)."""
    seen: dict[str, Route] = {}
    messages: list[str] = []
    for route in view.routes:
        if not route.upstreams:
            continue
        first = seen.setdefault(route.cluster_name, route)
        if first is not route:
            message = f"route {route.cluster_name} is not unique"
            messages.append(message)
            view.on(route, Failure.DUPLICATE_ROUTE, route.place, message, other=str(first.place), other_route=first.name, key="from")
    if messages and serves_routes(view.settings.services):
        for route in view.routes:
            view.block(route.index, messages[0])


def _shadowed(view: View) -> None:
    """An earlier route on the same host that takes every path of a later one; the same `to` twice is a duplicate, told above."""
    before: dict[tuple[str, bool], list[Route]] = {}
    for route in view.routes:
        tunnel = route.kind in TUNNELS
        earlier = before.setdefault((route.from_url if tunnel else route.from_host, tunnel), [])
        first = next((other for other in earlier[:200] if _covers(other, route)), None)
        if first is not None and (_targets(first) != _targets(route) or not _same_match(first, route)):
            message = f"{first.name} comes first and takes every request of this route"
            view.on(route, Failure.SHADOWED_ROUTE, route.place, message, other=str(first.place), other_route=first.name, key="from")
        elif first is None:
            earlier.append(route)


def _targets(route: Route) -> list[tuple[str, int | None]]:
    return [(upstream.url, upstream.weight) for upstream in route.upstreams]


def _same_match(one: Route, other: Route) -> bool:
    return (one.prefix, one.path, one.regex) == (other.prefix, other.path, other.regex)


def _covers(first: Route, later: Route) -> bool:
    if first.kind in TUNNELS:
        return True
    if first.regex or first.path:
        return _same_match(first, later)
    prefix = first.prefix or "/"
    if later.regex:
        return prefix == "/"
    return (later.path or later.prefix or "/").startswith(prefix)


def _loops(view: View) -> None:
    own: dict[str, str] = {}
    for route in view.routes:
        if "*" not in route.from_host and route.kind not in TUNNELS:
            own.setdefault(route.from_host.lower(), route.name)
    with contextlib.suppress(url.BadURL):  # an empty or refused one has no host
        own.setdefault(url.parse(view.settings.authenticate_service_url).hostname.lower(), "authenticate_service_url")
    _, _, listening = view.settings.address.rpartition(":")
    ports = {80, 443} | ({int(listening)} if listening.isascii() and listening.isdigit() and len(listening) < 6 else set())
    for route, _ in view.proxied():
        for one in route.upstreams:
            if route.kind is not RouteKind.UDP and _is_address(one, view.settings.address):
                message = f"{one.host}:{one.port} is where Pomerium itself listens (address): the request comes back to it"
                view.on(route, Failure.LOOP_TO_POMERIUM, one.place, message, host=one.host, other="address", key="to")
                continue
            other = own.get(one.host.lower())
            if other and one.port in ports and one.scheme not in UNIX and one.host:
                message = f"{one.host} is Pomerium's own name ({other}): the request comes back to it"
                view.on(route, Failure.LOOP_TO_POMERIUM, one.place, message, host=one.host, other=other, key="to")


def _is_address(one: Upstream, address: str) -> bool:
    """Is it the address on which Pomerium takes requests (`:443` unless set), seen from where it runs itself?"""
    host, _, port = (address or ":443").rpartition(":")
    host = host.strip("[]")
    return str(one.port) == port and one.scheme not in UNIX and (one.host == host or (host in EVERYWHERE and is_local(one.host)))


def _from(view: View, route: Route) -> None:
    place = place_in(route, "from")
    if route.from_url.startswith("http://"):
        message = f"config: policy source url ({route.from_url}) uses HTTP but only HTTPS is supported"
        write = "from: https://" + route.from_url.removeprefix("http://")
        view.on(route, Failure.FROM_HTTP, place, message, key="from", **{"from": route.from_url}, write=write)
    if route.kind in (RouteKind.TCP, RouteKind.UDP):
        _, _, rest = route.from_url.partition("://")
        if ":" not in rest.removeprefix("[").partition("]")[2] and ":" not in rest.partition("/")[0] and "/" not in rest:
            port = next((one.port for one in route.upstreams if one.explicit_port), None)
            write = f"from: {route.from_url}:{port or 'PORT'}"
            message = f"{route.from_url} has no port, which is part of the match for tunnels"
            view.on(route, Failure.FROM_WITHOUT_PORT, place, message, key="from", **{"from": route.from_url}, write=write)


def _unused(view: View, route: Route, mapping: Mapping) -> None:
    if route.kind in (RouteKind.REDIRECT, RouteKind.RESPONSE) and route.upstreams:
        message = f"{route.kind.value} wins: no request reaches `to`"
        view.on(route, Failure.TO_UNUSED, mapping.place_of("to"), message, wins=route.kind.value, key="to")


def _ssh(view: View, route: Route) -> None:
    """Seen when routes are built, not when the config is read (route_configurations.go, buildSSHRouteConfiguration)."""
    message = ""
    if len(route.upstreams) > 1:
        message = "only one 'to' entry allowed for ssh routes"
    elif route.upstreams and route.upstreams[0].scheme != "ssh":
        message = "'to' route url must have ssh scheme"
    if message:
        write = f"to: ssh://{route.upstreams[0].host}:{route.upstreams[0].port if route.upstreams[0].explicit_port else 22}"
        view.on(route, Failure.CLUSTER_REFUSED, place_in(route, "to"), message, key="to", field="to", write=write)
        view.block(route.index, message)
