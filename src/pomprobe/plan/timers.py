"""The timers of one request as Envoy runs them, and the key that set each (routes.go, getRouteTimeout; listeners_main.go)."""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType

from ..model import Route, RouteKind, Settings, Timer, Timers
from .headers import PER_TRY, STREAM_DURATION, TIMEOUT, Control

STREAM_IDLE = 300.0
"""Envoy's stream_idle_timeout of the connection manager, in seconds, which Pomerium leaves alone (row to-zero)."""

CONNECT = 10.0
"""Pomerium's connect timeout in seconds, TLS handshake included (clusters.go, defaultConnectionTimeout)."""

DIAL = 30.0
"""The same of a Kubernetes route, whose connections Go makes: http.DefaultTransport's dialler (config/http.go)."""

HANDSHAKE = 10.0
"""What TLS has there beside it (TLSHandshakeTimeout)."""

TUNNELS = (RouteKind.TCP, RouteKind.UDP, RouteKind.SSH)
"""The route timer starts when the request is complete, which a CONNECT never is (row tcpr-blackhole-timeout-2s)."""


def timers(route: Route, settings: Settings, orders: Control) -> Timers:
    """The effective timers, in seconds; None is off."""
    go = route.kind is RouteKind.KUBERNETES
    keys = {Timer.CONNECT.value: "fixed in Go's net/http" if go else "fixed by Pomerium"}
    total, keys[Timer.ROUTE] = _route(route, settings, orders)
    idle, keys[Timer.IDLE] = _idle(route)
    per_try = _positive(orders.per_try)
    if per_try is not None:
        if orders.hedged or (total is not None and per_try >= total):  # Envoy ignores one that is not shorter (router.cc, finalTimeout)
            per_try = None  # a hedged request asks again, and waits on for the first answer
        else:
            keys[Timer.PER_TRY] = _by_header(PER_TRY)
    max_duration = _positive(milliseconds(settings.timeout_write))
    if max_duration is not None:
        keys[Timer.MAX_DURATION] = "timeout_write"
    request = _positive(milliseconds(settings.timeout_read)) if route.kind is RouteKind.TCP else None
    if request is not None:
        keys[Timer.REQUEST] = "timeout_read"
    stream_duration = _positive(orders.stream_duration)
    if stream_duration is not None:
        keys[Timer.STREAM_DURATION] = _by_header(STREAM_DURATION)
    return _made(go, total, idle, max_duration, request, per_try, stream_duration, tuple((str(timer), key) for timer, key in keys.items()))


def hedge(orders: Control, running: Timers) -> float | None:
    """Seconds after which another try is made beside one that is open; None: never. A time that the route does not have is ignored."""
    after = _positive(orders.per_try)
    return after if orders.hedged and after is not None and (running.route is None or after < running.route) else None


@lru_cache(maxsize=256)
def _made(
    go: bool,
    route: float | None,
    idle: float | None,
    max_duration: float | None,
    request: float | None,
    per_try: float | None,
    stream_duration: float | None,
    keys: tuple[tuple[str, str], ...],
) -> Timers:
    """The same object for the routes that have the same: most of a config's have."""
    shared = MappingProxyType(dict(keys))
    return Timers(DIAL if go else CONNECT, route, idle, max_duration, request, per_try, stream_duration, HANDSHAKE if go else None, shared)


def milliseconds(seconds: float) -> float:
    """The duration as Envoy runs it: cut to whole milliseconds, so that `timeout: 30` (30 nanoseconds) is 0, which is off."""
    return round(seconds * 1e9) // 1_000_000 / 1000


def endless(route: Route) -> str:
    """Why Pomerium turns the route's timeouts off by default, "" where it does not (routes.go, shouldDisableStreamIdleTimeout)."""
    if route.websockets:
        return next((key for key in ("allow_websockets", "allow_upgrades") if key in route.places), "the global allow_upgrades")
    if route.kind in (*TUNNELS, RouteKind.KUBERNETES):
        return f"{route.kind.value} route"
    return "mcp" if route.mcp_server else ""


def configured(route: Route, settings: Settings) -> tuple[float, str]:
    """The route's timeout as Pomerium hands it to Envoy, in seconds, and the key behind it (routes.go, getRouteTimeout)."""
    if route.timeout is not None:
        return route.timeout, "timeout"
    if reason := endless(route):
        return 0.0, reason
    return settings.default_upstream_timeout, "default_upstream_timeout"


def _route(route: Route, settings: Settings, orders: Control) -> tuple[float | None, str]:
    if route.kind in TUNNELS:
        return None, endless(route)
    if orders.timeout is not None:
        return _positive(orders.timeout), _by_header(TIMEOUT)
    seconds, key = configured(route, settings)
    return _positive(milliseconds(seconds)), key


def _idle(route: Route) -> tuple[float | None, str]:
    if route.idle_timeout is not None:
        return _positive(milliseconds(route.idle_timeout)), "idle_timeout"
    if reason := endless(route):
        return None, reason
    return STREAM_IDLE, "Envoy's default"


def _positive(seconds: float | None) -> float | None:
    return seconds if seconds is not None and seconds > 0 else None


def _by_header(name: str) -> str:
    return f"set_request_headers {name}"
