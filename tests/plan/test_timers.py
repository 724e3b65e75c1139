"""The timers that Envoy would run, and the keys that set them."""

from __future__ import annotations

from typing import Any

import pytest

from pomprobe.model import RouteKind, Settings, Timers

from .builders import PLACE, planned

CASES: dict[str, tuple[dict[str, Any], Settings, dict[str, Any]]] = {
    "nothing set": ({}, Settings(), {"route": 30.0, "idle": 300.0}),
    "global default": ({}, Settings(default_upstream_timeout=7), {"route": 7.0}),
    "route's own": ({"timeout": 3.0}, Settings(default_upstream_timeout=7), {"route": 3.0}),
    "30 nanoseconds are off": ({"timeout": 30e-9}, Settings(), {"route": None, "idle": 300.0}),
    "below a millisecond is off": ({"timeout": 0.0009}, Settings(), {"route": None}),
    "cut to milliseconds": ({"timeout": 0.3009}, Settings(), {"route": 0.3}),
    "timeout 0": ({"timeout": 0.0}, Settings(), {"route": None, "idle": 300.0}),
    "idle leaves the route timer alone": ({"idle_timeout": 60.0}, Settings(), {"route": 30.0, "idle": 60.0}),
    "idle 0": ({"idle_timeout": 0.0}, Settings(), {"route": 30.0, "idle": None}),
    "websockets": ({"websockets": True}, Settings(), {"route": None, "idle": None}),
    "websockets with a timeout": ({"websockets": True, "timeout": 2.0}, Settings(), {"route": 2.0, "idle": None}),
    "spdy changes nothing": ({"spdy": True}, Settings(), {"route": 30.0, "idle": 300.0}),
    "mcp server": ({"mcp_server": True}, Settings(), {"route": None, "idle": None}),
    "kubernetes": ({"kind": RouteKind.KUBERNETES}, Settings(), {"route": None, "idle": None, "connect": 30.0, "handshake": 10.0}),
    "tcp ignores timeout": ({"kind": RouteKind.TCP, "timeout": 2.0}, Settings(), {"route": None, "idle": None}),
    "tcp obeys idle_timeout": ({"kind": RouteKind.TCP, "idle_timeout": 2.0}, Settings(), {"route": None, "idle": 2.0}),
    "timeout_write": ({}, Settings(timeout_write=2.0), {"max_duration": 2.0}),
    "timeout_read is over once a request is complete": ({}, Settings(timeout_read=2.0), {"request": None}),
    "a tunnel's request never is": ({"kind": RouteKind.TCP}, Settings(), {"request": 30.0}),
    "timeout_read 0 is off": ({"kind": RouteKind.TCP}, Settings(timeout_read=0.0), {"request": None}),
    "timeout header": ({"timeout": 2.0, "set_request_headers": {"X-Envoy-Upstream-Rq-Timeout-Ms": "700"}}, Settings(), {"route": 0.7}),
    "timeout header 0": ({"set_request_headers": {"x-envoy-upstream-rq-timeout-ms": "0"}}, Settings(), {"route": None}),
    "timeout header without a number": ({"set_request_headers": {"x-envoy-upstream-rq-timeout-ms": "1s"}}, Settings(), {"route": 30.0}),
    "per try": ({"set_request_headers": {"x-envoy-upstream-rq-per-try-timeout-ms": "700"}}, Settings(), {"per_try": 0.7, "route": 30.0}),
    "per try not shorter": (
        {"timeout": 0.7, "set_request_headers": {"x-envoy-upstream-rq-per-try-timeout-ms": "700"}},
        Settings(),
        {"per_try": None, "route": 0.7},
    ),
    "stream duration": ({"set_request_headers": {"x-envoy-upstream-stream-duration-ms": "1500"}}, Settings(), {"stream_duration": 1.5}),
}


@pytest.mark.parametrize(("keys", "settings", "expected"), CASES.values(), ids=CASES)
def test_effective_timers(keys: dict[str, Any], settings: Settings, expected: dict[str, Any]) -> None:
    """Timers follow Pomerium's rules, in seconds, and None is off; the connect timer is always 10 s, but where Go connects."""
    timers = planned("http://127.0.0.1:80", settings=settings, **keys).timers
    assert {"connect": 10.0, **expected} == {name: getattr(timers, name) for name in ("connect", *expected)}


KEYS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "defaults": ({}, {"connect": "fixed by Pomerium", "route": "default_upstream_timeout", "idle": "Envoy's default"}),
    "own": ({"timeout": 3.0, "idle_timeout": 4.0}, {"route": "timeout", "idle": "idle_timeout"}),
    "websockets": (
        {"websockets": True, "places": {"allow_websockets": PLACE}},
        {"route": "allow_websockets", "idle": "allow_websockets"},
    ),
    "global upgrades": ({"websockets": True, "places": {}}, {"route": "the global allow_upgrades"}),
    "upgrades": ({"websockets": True, "places": {"allow_upgrades": PLACE}}, {"route": "allow_upgrades"}),
    "tcp": ({"kind": RouteKind.TCP}, {"route": "tcp route"}),
    "header": (
        {"set_request_headers": {"x-envoy-upstream-rq-timeout-ms": "1", "x-envoy-upstream-stream-duration-ms": "1"}},
        {
            "route": "set_request_headers x-envoy-upstream-rq-timeout-ms",
            "stream_duration": "set_request_headers x-envoy-upstream-stream-duration-ms",
        },
    ),
}


@pytest.mark.parametrize(("keys", "expected"), KEYS.values(), ids=KEYS)
def test_keys_name_what_set_a_timer(keys: dict[str, Any], expected: dict[str, str]) -> None:
    """Each timer names the key that set it, or that turned it off."""
    timers = planned("http://127.0.0.1:80", **keys).timers
    assert expected == {timer: timers.keys[timer] for timer in expected}


def test_keys_of_timers_that_do_not_exist() -> None:
    """A timer that is never armed has no key."""
    assert set(Timers().keys) == set()
    assert {"connect", "route", "idle"} == set(planned("http://127.0.0.1:80").timers.keys)
