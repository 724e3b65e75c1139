"""What the config itself decides: root causes M, O, Q, T and U."""

from __future__ import annotations

import pytest

from servers.health import serve
from servers.http import say, upstream

from .apps import App, Headers
from .playing import OK, Played, play, response
from .recorded import recorded

PAGE = response(200)
UH = (1.0, 503, "UH", "no_healthy_upstream")
CHECK = """health_checks:
  - timeout: 1s
    interval: 5s
    healthy_threshold: 1
    unhealthy_threshold: 1
    http_health_check:
      path: {path}
"""


def checked(path: str, headers: Headers) -> bytes:
    """Serves everything but the path of the check, and that for its own host only."""
    if path == "/private":
        return PAGE if headers["host"] == "app.internal" else response(400)
    statuses = {"/healthz": 503, "/gone": 404, "/login": 302, "/users": 401}
    return response(statuses.get(path, 200))


async def asked(path: str, more: str = "") -> Played:
    """A route with a health check at this path of such an app."""
    async with serve(App(checked)) as port:
        return await play(f"to: http://127.0.0.1:{port}\n{CHECK.format(path=path)}{more}")


@pytest.mark.parametrize(
    ("path", "code", "key"),
    [
        ("/healthz", "HC101", "expected_statuses"),
        ("/gone", "HC103", "http_health_check.path"),
        ("/login", "HC102", "expected_statuses"),
        ("/users", "HC105", "http_health_check.path"),
        ("/private", "HC104", "path"),
    ],
)
async def test_a_health_check_that_fails(path: str, code: str, key: str) -> None:
    """O: the default panic threshold hides it from users, so it is a warning; the kind of its failure is told."""
    played = await asked(path)
    assert [(1.0, 200, "-", OK)] == played.forecast
    assert key in " ".join(played.verdict(code).fixes)


async def test_a_health_check_that_fails_without_panic() -> None:
    """O: with `healthy_panic_threshold: 0` every request gets 503 UH."""
    played = await asked("/healthz", "healthy_panic_threshold: 0")
    assert [UH] == played.forecast
    assert "`expected_statuses: [{start: 200, end: 300}]`" in " ".join(played.verdict("HC101").fixes)


async def test_a_health_check_in_the_wrong_http_version() -> None:
    """O: an h2c upstream, and a check without `codec_client_type: HTTP2`."""
    async with serve(App(checked)) as port:
        played = await play(f"to: h2c://127.0.0.1:{port}\n{CHECK.format(path='/')}")
    assert [(1.0, 502, "UPE", "upstream_reset_before_response_started{protocol_error}")] == played.forecast
    assert "codec_client_type: HTTP2" in " ".join(played.verdict("CFG605").fixes)


async def test_a_health_check_in_http2_of_a_route_with_websockets() -> None:
    """O: the check never passes while requests do; the key is told once, by what was seen."""
    async with serve(App(checked)) as port:
        keys = CHECK.format(path="/").rstrip() + "\n      codec_client_type: HTTP2"
        played = await play(f"to: http://127.0.0.1:{port}\nallow_websockets: true\n{keys}")
    assert [(1.0, 200, "-", OK)] == played.forecast
    assert "Remove `codec_client_type`" in played.fix("HC124")
    assert "CFG605" not in played.codes


async def test_a_circuit_breaker_that_lets_nothing_through() -> None:
    """Q: a threshold of 0; overflow under load cannot be seen with single requests."""
    async with serve(App(checked)) as port:
        played = await play(f"to: http://127.0.0.1:{port}\ncircuit_breaker_thresholds: {{max_pending_requests: 0}}")
    assert [(1.0, 503, "UO", "upstream_reset_before_response_started{overflow}")] == played.forecast
    assert "max_pending_requests" in played.fix("CFG608")


@pytest.mark.parametrize(
    ("key", "code", "message", "row"),
    [
        ("max_requests", "CFG614", "3rd request or websocket at the same time gets 503 overflow", "own-cb-load-requests"),
        ("max_pending_requests", "CFG615", "3rd new connection at the same time gets 503 overflow", "own-cb-load-pending"),
        ("max_connections", "CFG616", "3rd request or websocket at the same time waits for a connection", "own-cb-load-connections"),
    ],
)
async def test_a_circuit_breaker_that_trips_at_little_load(key: str, code: str, message: str, row: str) -> None:
    """Q: one request passes; that the third at the same time does not follows from the config, and was measured."""
    async with serve(App(checked)) as port:
        played = await play(f"to: http://127.0.0.1:{port}\ncircuit_breaker_thresholds: {{{key}: 2}}")
    assert [(1.0, 200, "-", OK)] == played.forecast
    found = played.verdict(code)
    assert message in found.message  # type: ignore[union-attr]
    assert f"Set `{key}`" in played.fix(code) and "1024" in played.fix(code)
    assert found.rule.means is not None
    seen = (found.rule.means["status"], found.rule.means["response_flags"], found.rule.means["response_code_details"])
    assert seen in recorded(row)


async def test_a_circuit_breaker_as_a_guard() -> None:
    """Q: 50 requests at once are a guard that somebody may have meant: information."""
    async with serve(App(checked)) as port:
        played = await play(f"to: http://127.0.0.1:{port}", "circuit_breaker_thresholds: {max_requests: 50}")
        low = "circuit_breaker_thresholds: {max_requests: 2}"
        tunnel = await play(f"- from: tcp+https://db.example.com:5432\n  to: tcp://127.0.0.1:{port}\n  {low}\n")
    assert ("ok", {"CFG613"}) == (played.route.status, {code for code in played.codes if code.startswith("CFG6")})
    assert "set `max_requests` above" in played.fix("CFG613")
    assert "CFG614" not in tunnel.codes  # a tunnel is no request


# ------------------------------------------------------------------------------------------------ M: uploads


async def test_a_timeout_that_was_raised_for_uploads() -> None:
    """M: users get 408 after `timeout_read`, whatever the route says; the fix names that key, with the value that was meant."""
    async with serve(App(checked)) as port:
        played = await play(f"to: http://127.0.0.1:{port}\ntimeout: 10m")
        enough = await play(f"to: http://127.0.0.1:{port}\ntimeout: 10m", "timeout_read: 10m")
    assert [(1.0, 200, "-", OK)] == played.forecast
    assert "`timeout_read: 10m`" in played.fix("CFG503")
    assert "still gets 408" in played.verdict("CFG503").message  # type: ignore[union-attr]
    assert "CFG503" not in enough.codes


@pytest.mark.parametrize(
    ("settings", "place", "write"),
    [
        ("default_upstream_timeout: 20m", "default_upstream_timeout", "timeout_read: 20m"),
        ("timeout_read: 5s", "timeout_read", "timeout_read: 30s"),
        ("default_upstream_timeout: 20m\ntimeout_read: 20m", "", ""),
        ("default_upstream_timeout: 60s", "", ""),
        ("timeout_read: 0s", "", ""),
    ],
)
async def test_a_timeout_of_all_routes_that_uploads_do_not_have(settings: str, place: str, write: str) -> None:
    """M: what stands at the top level and does not reach uploads, or makes their time short; users of all routes get 408."""
    async with serve(App(checked)) as port:
        played = await play(f"to: http://127.0.0.1:{port}", settings)
    assert [(1.0, 200, "-", OK)] == played.forecast
    assert ("CFG503" in played.codes) is bool(write)
    assert not write or (place == played.verdict("CFG503").place.path and f"`{write}`" in played.fix("CFG503"))


async def test_a_cluster_that_envoy_refuses() -> None:
    """T: two health checks; users get 503 NC."""
    two = CHECK.format(path="/") + CHECK.format(path="/").partition("\n")[2]
    async with serve(App(checked)) as port:
        played = await play(f"to: http://127.0.0.1:{port}\n{two}")
    assert [(1.0, 503, "NC", "cluster_not_found")] == played.forecast
    assert "Leave one entry in `health_checks`." == played.fix("CFG602")


async def test_a_route_that_stands_twice() -> None:
    """T: Pomerium says that it is not unique, and no route gets its cluster."""
    async with serve(App(checked)) as port:
        route = f"- from: https://app.example.com\n  to: http://127.0.0.1:{port}\n"
        played = await play(route + route)
    assert [(1.0, 503, "NC", "cluster_not_found")] == played.forecast
    assert "Remove this route, or the one at " in played.fix("CFG304")
    assert "its own `name`" in played.fix("CFG304") and "CFG304" in played.fix("CFG617")
    assert "CFG305" not in played.codes  # that the first one takes every request is no news then


async def test_a_tunnel_without_a_port() -> None:
    """U: the port is part of what matches, so `from` needs one."""
    async with upstream(say()) as server:
        played = await play(f"- from: tcp+https://db.example.com\n  to: tcp://127.0.0.1:{server.port}\n")
    assert f"`from: tcp+https://db.example.com:{server.port}`" in played.fix("CFG312")


async def test_a_tunnel_to_an_http_upstream() -> None:
    """U: the CONNECT request itself is passed on, unless `to` is tcp."""
    async with serve(App(lambda path, headers: response(405))) as port:
        played = await play(f"- from: tcp+https://db.example.com:5432\n  to: http://127.0.0.1:{port}\n")
    assert [(1.0, 405, "-", OK)] == played.forecast
    assert f"`to: tcp://127.0.0.1:{port}`" in played.fix("CFG313")
