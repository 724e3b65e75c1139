"""Health checks, outlier detection, circuit breakers: refused by Envoy, never healthy, or without effect."""

from __future__ import annotations

from ...model import CircuitBreakers, Fact, Failure, HealthCheck, Place, Route, RouteKind
from ..nodes import Kind, Mapping, Node, Scalar, Sequence
from .view import SECURE, View, place_in

BLOCKING = ("max_requests", "max_pending_requests", "max_connection_pools")
LIMITING = ("max_requests", "max_pending_requests", "max_connections")
RETRIES = ("x-envoy-retry-on", "x-envoy-retry-grpc-on")
LOW = 100
"""Requests that a single HTTP/2 client may have open (RFC 9113, section 6.5.2, wants no fewer); Envoy's own threshold is 1024."""

HTTP1 = {"http", "unix"}
"""Schemes of upstreams that get HTTP/1.1, where a connection carries one request at a time."""

PANIC = "healthy_panic_threshold"


def check(view: View) -> None:
    _breakers(view)
    for (route, mapping), refusals in zip(view.pairs(), view.refusals, strict=True):
        for refusal in refusals:
            facts: dict[str, Fact] = {"key": refusal.key, "field": refusal.key, **({"write": refusal.write} if refusal.write else {})}
            view.on(route, refusal.failure, refusal.place, refusal.message, **facts)
        _unquoted(view, route, mapping.get("health_checks"))
    for route, mapping in view.proxied():
        _route(view, route, mapping)


def _route(view: View, route: Route, mapping: Mapping) -> None:
    count = len(route.upstreams)
    if route.health_checks and route.healthy_panic_threshold is None:
        message = "when less than half of the hosts are healthy, Envoy sends requests to all of them again"
        place = place_in(route, "health_checks")
        view.on(route, Failure.PANIC_THRESHOLD_UNSET, place, message, key=PANIC, upstreams=count, write=f"{PANIC}: 0")
    if count > 1 and not route.health_checks and route.outlier_detection is None:
        message = f"{count} upstreams and no health check: one that is down keeps getting its share of the requests"
        view.on(route, Failure.NO_HEALTH_CHECK_MULTI, place_in(route, "to"), message, key="health_checks", upstreams=count)
    for one in route.health_checks:
        if one.checker == "http":
            _http(view, route, one)
    if route.outlier_detection is not None:
        _outlier(view, route, count)


def _http(view: View, route: Route, one: HealthCheck) -> None:
    place = one.place or route.place
    schemes = {upstream.scheme for upstream in route.upstreams}
    http2 = schemes == {"h2c"} and not route.websockets
    codec = "HTTP2" if one.http2 else "HTTP1"
    if one.http2 and not http2 and (route.websockets or not schemes <= set(SECURE)):
        spoken, write = "HTTP/1.1", "codec_client_type: HTTP1"
    elif not one.http2 and http2:
        spoken, write = "HTTP/2", "codec_client_type: HTTP2"
    else:
        spoken = write = ""
    if write:
        message = f"an {codec} check of upstreams to which {spoken} is spoken never succeeds"
        view.on(route, Failure.HEALTH_CHECK_CODEC, place, message, key="codec_client_type", codec=codec, protocol=spoken, write=write)
    if not one.host:
        sent = route.cluster_name
        host = next((upstream.host for upstream in route.upstreams), "")
        message = f"the check's Host header is the name of Envoy's cluster ({sent})"
        view.on(route, Failure.HEALTH_CHECK_HOST, place, message, key="host", host=sent, write=f"host: {host}" if host else "host: NAME")


def _outlier(view: View, route: Route, count: int) -> None:
    assert route.outlier_detection is not None
    percent = route.outlier_detection.get("max_ejection_percent", 10)
    if isinstance(percent, int) and count * percent < 100 and not route.outlier_detection.get("always_eject_one_host"):
        message = f"{percent} % of {count} upstream{'s' if count > 1 else ''} is less than one: nothing is ever ejected"
        facts: dict[str, Fact] = {"upstreams": count, "percent": percent, "write": "max_ejection_percent: 100"}
        view.on(route, Failure.OUTLIER_NEVER_EJECTS, place_in(route, "outlier_detection"), message, key="max_ejection_percent", **facts)


def _breakers(view: View) -> None:
    everywhere = view.top.mapping("circuit_breaker_thresholds")
    own = view.settings.circuit_breakers
    _zero(view, view.top, own)
    for key in LIMITING:
        value = getattr(own, key)
        bound = [r for r, _ in view.proxied() if getattr(r.circuit_breakers, key) is None and _counts(r, key)]
        if everywhere is not None and value and bound:
            _low(view, everywhere.place_of(key), key, value)
    for route, mapping in view.pairs():
        _zero(view, mapping, route.circuit_breakers, route=route.name)
    for route, mapping in view.proxied():
        node = mapping.mapping("circuit_breaker_thresholds")
        limits, where = (own, everywhere) if route.circuit_breakers.max_retries is None else (route.circuit_breakers, node)
        if where is not None and limits.max_retries == 0 and route.kind is RouteKind.HTTP:
            _no_retries(view, route, where.place_of("max_retries"))
        for key in LIMITING:
            value = getattr(route.circuit_breakers, key)
            if node is not None and value and _counts(route, key):
                _low(view, node.place_of(key), key, value, route=route.name)


def _no_retries(view: View, route: Route, place: Place) -> None:
    """max_retries: 0 is Envoy's threshold for retries at the same time, and there are none without these headers."""
    for header in RETRIES:
        if header in route.set_request_headers:
            message = f"max_retries: 0 forbids the retries that {header} asks for"
            key = "circuit_breaker_thresholds.max_retries"
            view.on(route, Failure.CIRCUIT_BREAKER_RETRIES, place, message, key=key, header=header)


def _low(view: View, place: Place, key: str, value: int, **facts: str) -> None:
    if value < LOW:
        beyond = "waits for a connection" if key == "max_connections" else "gets 503 overflow"
        at_once = "new connection" if key == "max_pending_requests" else "request or websocket"
        message = f"{key}: {value}: the {_ordinal(value + 1)} {at_once} at the same time {beyond}"
        view.note(Failure.CIRCUIT_BREAKER_LOW, place, message, key=key, value=value, next=value + 1, **facts)


def _counts(route: Route, key: str) -> bool:
    """Does the threshold bound anything on this route? (rows own-cb-load-*)

    Kubernetes: Pomerium's own proxy knows none. A tunnel is no request, and gets its connection; HTTP/2 needs one for all requests.
    """
    if route.kind is RouteKind.HTTP:
        return key != "max_connections" or route.websockets or {upstream.scheme for upstream in route.upstreams} <= HTTP1
    return route.kind is RouteKind.TCP and key == "max_pending_requests"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _zero(view: View, mapping: Mapping, breakers: CircuitBreakers, **facts: str) -> None:
    for key in BLOCKING:
        if getattr(breakers, key) == 0:
            node = mapping.mapping("circuit_breaker_thresholds")
            place = node.place_of(key) if node is not None else mapping.place
            message = f"{key}: 0 lets nothing through"
            view.note(Failure.CIRCUIT_BREAKER_ZERO, place, message, key=f"circuit_breaker_thresholds.{key}", write=f"{key}: 1024", **facts)


def _unquoted(view: View, route: Route, node: Node | None) -> None:
    """Payloads that YAML reads as numbers; Pomerium refuses them."""
    for entry in node.items if isinstance(node, Sequence) else (node,):
        for checker in ("http_health_check", "tcp_health_check"):
            own = entry.mapping(checker) if isinstance(entry, Mapping) else None
            if own is None:
                continue
            for payload in (own.get("send"), *own.items("receive")):
                text = payload.get("text") if isinstance(payload, Mapping) else None
                if isinstance(text, Scalar) and text.kind in (Kind.INTEGER, Kind.FLOAT):
                    message = f"'{text.place.path.partition('.')[0]}' proto: invalid value for string field text: {text.text}"
                    write = f'text: "{text.text}"'
                    view.on(route, Failure.UNQUOTED_HEX, text.place, message, key="text", value=text.text, write=write)
