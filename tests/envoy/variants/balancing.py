"""Several endpoints with different faults, weights and policies; outlier detection; circuit breakers."""

from __future__ import annotations

from typing import Any

from ..scenes.http1 import Handler, health, plain, raw, serving, writes
from ..scenes.scene import Scene
from ..scenes.sockets import closed_port
from .catalogue import Play, variant
from .timers import SECURE

CHECK = [{"timeout": "1s", "interval": "1s", "unhealthy_threshold": 1, "healthy_threshold": 1, "http_health_check": {"path": "/healthz"}}]
OK = serving(writes(plain(200)))
TWO = ["http://127.0.0.1:{port}", "http://127.0.0.1:{port2}"]
THREE = [*TWO, "http://127.0.0.1:{port3}"]


def several(*handlers: Handler | None) -> Play:
    """An upstream for each handler; None: nothing listens."""

    async def play(made: Scene) -> None:
        for handle in handlers:
            if handle is None:
                made.ports.append(made.stack.enter_context(closed_port()))
            else:
                await made.serve(handle)

    return play


FAULTS: dict[str, Handler | None] = {
    "refused": None,
    "500": serving(writes(plain(500))),
    "closes": serving(writes(b"", "closes")),
    "garbage": serving(writes(b"garbage\r\n\r\n", "closes")),
    "404": serving(writes(plain(404))),
    "cut": serving(writes(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok", "closes")),
}
for first, one in FAULTS.items():
    for second, other in FAULTS.items():
        if first < second:
            variant(f"mixed-{first}-and-{second}", play=several(one, other), to=TWO, timeout="3s")
    variant(f"mixed-{first}-and-good-and-500", play=several(one, OK, FAULTS["500"]), to=THREE, timeout="3s")
    weighted = ["http://127.0.0.1:{port},1", "http://127.0.0.1:{port2},3"]
    variant(f"balance-weights-{first}-1-good-3", play=several(one, OK), to=weighted, timeout="3s")
for policy in ("ROUND_ROBIN", "LEAST_REQUEST", "RANDOM"):
    loose = policy in ("LEAST_REQUEST", "RANDOM")
    variant(f"balance-{policy.lower()}", play=several(None, OK), to=TWO, any=loose, timeout="3s", load_balancing_policy=policy.lower())
for config in ("round_robin_lb_config", "least_request_lb_config", "ring_hash_lb_config", "maglev_lb_config"):
    variant(f"balance-{config.replace('_', '-')}", play=several(None, None), to=TWO, timeout="3s", **dict[str, Any]({config: {}}))
variant("balance-weights-9-1", play=several(None, OK), to=["http://127.0.0.1:{port},9", "http://127.0.0.1:{port2},1"], timeout="3s")
variant(
    "balance-same-twice",
    play=several(OK, None),
    to=["http://127.0.0.1:{port}", "http://127.0.0.1:{port}", "http://127.0.0.1:{port2}"],
    timeout="3s",
)
variant("balance-localhost-twice", play=several(OK, None), to=["http://localhost:{port}", "http://127.0.0.1:{port2}"], timeout="3s")
BREAKERS: dict[str, dict[str, int]] = {
    "max-connections-0": {"max_connections": 0},
    "max-pending-0": {"max_pending_requests": 0},
    "max-requests-0": {"max_requests": 0},
    "max-retries-0": {"max_retries": 0},
    "max-pools-0": {"max_connection_pools": 0},
    "all-1": {"max_connections": 1, "max_pending_requests": 1, "max_requests": 1},
    "max-connections-1": {"max_connections": 1},
    "pending-0-connections-0": {"max_connections": 0, "max_pending_requests": 0},
    "requests-0-pools-0": {"max_requests": 0, "max_connection_pools": 0},
}
for name, thresholds in BREAKERS.items():
    variant(f"breaker-{name}", play=several(OK), timeout="3s", seconds=4.0, circuit_breaker_thresholds=thresholds)
    variant(f"breaker-{name}-refused", play=several(None), timeout="3s", seconds=4.0, circuit_breaker_thresholds=thresholds)
    variant(f"breaker-{name}-global", play=several(OK), timeout="3s", seconds=4.0, settings={"circuit_breaker_thresholds": thresholds})
for name in ("max-requests-0", "max-pending-0", "max-pools-0", "max-connections-0"):
    thresholds = BREAKERS[name]
    variant(f"breaker-{name}-not-tls", play=several(OK), timeout="3s", circuit_breaker_thresholds=thresholds, **SECURE)
    variant(
        f"breaker-{name}-unresolved", to="http://gone.invalid:{port}", play=several(OK), timeout="3s", circuit_breaker_thresholds=thresholds
    )
    variant(f"breaker-{name}-half", play=several(None, OK), to=TWO, timeout="3s", circuit_breaker_thresholds=thresholds)
    variant(
        f"breaker-{name}-unhealthy",
        play=several(serving(health(writes(plain(503)), writes(plain(200))))),
        timeout="3s",
        health_checks=CHECK,
        healthy_panic_threshold=0,
        circuit_breaker_thresholds=thresholds,
    )
    variant(
        f"breaker-{name}-retries",
        play=several(None, OK),
        to=TWO,
        timeout="3s",
        circuit_breaker_thresholds=thresholds,
        set_request_headers={"x-envoy-retry-on": "5xx,connect-failure"},
    )
variant(
    "breaker-route-over-global",
    play=several(OK),
    timeout="3s",
    settings={"circuit_breaker_thresholds": {"max_requests": 0}},
    circuit_breaker_thresholds={"max_requests": 5},
)
EJECT = {"consecutive_5xx": 1, "interval": "0.1s", "base_ejection_time": "30s", "max_ejection_percent": 100}
for name in ("500", "refused", "404", "closes"):
    variant(f"outlier-default-{name}", play=several(FAULTS[name]), timeout="3s", outlier_detection={})
    variant(f"outlier-eject-{name}", play=several(FAULTS[name]), timeout="3s", outlier_detection=EJECT)
    variant(
        f"outlier-eject-percent-10-{name}",
        play=several(FAULTS[name]),
        timeout="3s",
        healthy_panic_threshold=0,
        outlier_detection=EJECT | {"max_ejection_percent": 10},
    )
variant("mixed-rst-and-refused", play=several(raw(then="resets", reads=False), None), to=TWO, any=True, timeout="3s")
