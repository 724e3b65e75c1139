"""Several endpoints of which some misbehave, with retries, health checks, weights and circuit breakers around them."""

from __future__ import annotations

from typing import Any

from ..scenes.http1 import Handler, plain, raw, serving, writes
from .balancing import several
from .catalogue import variant
from .health import http, tcp

BAD: dict[str, Handler | None] = {
    "refused": None,
    "closes": raw(),
    "resets": raw(then="resets"),
    "garbage": raw(b"x\r\n\r\n"),
    "500": serving(writes(plain(500))),
    "503": serving(writes(plain(503))),
    "404": serving(writes(plain(404))),
    "429": serving(writes(plain(429))),
    "cut": serving(writes(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok", "closes")),
}
GOOD = serving(writes(plain(200)))
TO = [f"http://127.0.0.1:{{port{number}}}" for number in ("", "2", "3")]
POLICIES = {"5xx": "5xx", "connect": "connect-failure", "gateway": "gateway-error", "reset": "reset", "4xx": "retriable-4xx"}

for name, bad in BAD.items():
    for label, policy in POLICIES.items():
        headers: dict[str, Any] = {"x-envoy-retry-on": policy, "x-envoy-max-retries": "1"}
        variant(f"retry-crowd-{label}-{name}", play=several(bad, GOOD), to=TO[:2], timeout="3s", set_request_headers=headers)
    headers = {"x-envoy-retry-on": "5xx", "x-envoy-max-retries": "2"}
    variant(f"retry-crowd-two-of-three-{name}", play=several(bad, bad, GOOD), to=TO, timeout="3s", set_request_headers=headers)
    for label, check in (("http", http(path="/")), ("tcp", tcp())):
        for threshold in (0, 100):
            more: dict[str, Any] = {"healthy_panic_threshold": threshold, "health_checks": check}
            variant(f"health-crowd-{label}-{threshold}-{name}", play=several(bad, GOOD), to=TO[:2], timeout="3s", **more)
    variant(
        f"balance-crowd-weighted-{name}",
        play=several(bad, GOOD, GOOD),
        to=[f"{to},{n}" for to, n in zip(TO, (2, 1, 1), strict=True)],
        timeout="3s",
    )
    variant(
        f"breaker-crowd-{name}", play=several(bad, GOOD), to=TO[:2], timeout="3s", circuit_breaker_thresholds={"max_pending_requests": 0}
    )
