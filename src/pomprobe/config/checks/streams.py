"""Timers that cut what was meant to go on (config/envoyconfig/routes.go, getRouteTimeout)."""

from __future__ import annotations

from ...model import Fact, Failure, Route, RouteKind
from ..duration import render
from ..nodes import Mapping
from .view import View, place_in

LONG = 300.0
"""Seconds; nobody lets an answer take that long by accident, and large uploads are the usual reason."""

READ = 30.0
"""Seconds of `timeout_read` where the config has none."""

ENDLESS = (RouteKind.TCP, RouteKind.UDP, RouteKind.SSH, RouteKind.KUBERNETES)


def check(view: View) -> None:
    default = view.settings.default_upstream_timeout
    _uploads(view, default)
    for route, mapping in view.proxied():
        unlimited = route.websockets or route.kind in ENDLESS or (route.mcp_server and view.version >= (0, 33, 0))
        idle = route.idle_timeout
        if idle is not None and route.timeout is None and not unlimited and (idle <= 0 < default or idle > default > 0):
            _idle_alone(view, route, default)
        if route.kind is RouteKind.HTTP:
            _upload(view, route)
        kind = _streams(route, mapping)
        seconds = default if route.timeout is None and not unlimited else route.timeout
        if kind and seconds:
            message = f"{'an' if kind[0] == 'm' else 'a'} {kind} route streams, and its responses end after {seconds:g} s"
            facts: dict[str, Fact] = {"seconds": seconds, "kind": kind, "write": "timeout: 0s"}
            view.on(route, Failure.STREAM_TIMEOUT, place_in(route, "timeout"), message, key="timeout", **facts)


def _idle_alone(view: View, route: Route, default: float) -> None:
    assert route.idle_timeout is not None
    message = f"idle_timeout does not lift the route's timeout: responses still end after {default:g} s"
    facts: dict[str, Fact] = {"seconds": route.idle_timeout, "timeout_seconds": default, "write": "timeout: 0s"}
    view.on(route, Failure.IDLE_TIMEOUT_ALONE, place_in(route, "idle_timeout"), message, key="idle_timeout", **facts)


def _uploads(view: View, default: float) -> None:
    """The same of all routes: their timeout was raised, or the time for requests was made shorter than Pomerium has it."""
    limit = view.settings.timeout_read
    if limit <= 0:
        return
    facts: dict[str, Fact] = {"key": "timeout_read", "seconds": limit}
    if LONG <= default > limit:
        message = f"default_upstream_timeout is for answers: an upload that takes longer than {limit:g} s still gets 408 (timeout_read)"
        place = view.top.place_of("default_upstream_timeout")
        view.note(Failure.UPLOAD_LIMIT, place, message, write=f"timeout_read: {_shown(default)}", **facts)
    elif limit < READ:
        message = f"a request has to be complete within {limit:g} s: an upload that takes longer gets 408"
        view.note(Failure.UPLOAD_LIMIT, view.top.place_of("timeout_read"), message, write=f"timeout_read: {READ:g}s", **facts)


def _shown(seconds: float) -> str:
    return render(round(seconds * 1e9)).replace("m0s", "m").replace("h0m", "h")


def _upload(view: View, route: Route) -> None:
    """A longer timeout that was written for uploads does not reach them (rows to-read-2s-upload, up-stall)."""
    limit = view.settings.timeout_read
    if limit <= 0 or route.timeout is None or route.websockets or route.timeout < LONG or route.timeout <= limit:
        return
    message = f"timeout is for the answer: an upload that takes longer than {limit:g} s still gets 408 (the global timeout_read)"
    facts: dict[str, Fact] = {"seconds": limit, "write": f"timeout_read: {_shown(route.timeout)}"}
    view.on(route, Failure.UPLOAD_LIMIT, place_in(route, "timeout"), message, key="timeout_read", **facts)


def _streams(route: Route, mapping: Mapping) -> str:
    mcp = mapping.mapping("mcp")
    if route.mcp_server:
        return "mcp server"
    if mcp is not None and isinstance(mcp.get("client"), Mapping):
        return "mcp client"
    return "kubernetes" if route.kind is RouteKind.KUBERNETES else ""
