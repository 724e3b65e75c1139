"""Several tries of one request: whose answer stays, which timer ends them all, and what a closed circuit breaker makes of them."""

from __future__ import annotations

from typing import Any

from ..scenes.http1 import Handler, health, plain, raw, serving, writes
from .balancing import THREE, TWO, several
from .catalogue import variant
from .health import http
from .timers import ordered, silent, steps

GOOD = serving(writes(plain(200)))
BAD: dict[str, Handler | None] = {
    "refused": None,
    "500": serving(writes(plain(500))),
    "closes": raw(),
    "garbage": raw(b"x\r\n\r\n"),
}
SLOW: dict[str, Handler] = {
    "slow-500": serving(steps(0.5, plain(500), then="keeps")),
    "slow-close": serving(steps(0.5, then="closes")),
    "silent": silent,
}
EXPECTS_500 = http(expected_statuses=[{"start": 200, "end": 501}])


def on(count: int, policy: str = "5xx", **more: object) -> dict[str, str]:
    return ordered(on=policy, max=count, **more)


for name, bad in BAD.items():
    told: dict[str, Any] = {"timeout": "3s", "set_request_headers": on(1)}
    variant(f"retry-tries-one-of-three-{name}", play=several(bad, bad, GOOD), to=THREE, **told)
    variant(f"retry-tries-good-between-{name}", play=several(bad, GOOD, serving(writes(plain(404)))), to=THREE, **told)
    for weights in ((2, 1), (3, 1), (3, 2), (1, 3), (2, 2)):
        to = [f"{url},{weight}" for url, weight in zip(TWO, weights, strict=True)]
        variant(f"retry-tries-weights-{weights[0]}-{weights[1]}-{name}", play=several(bad, GOOD), to=to, **told)
    heavy = [f"{url},{weight}" for url, weight in zip(THREE, (3, 2, 2), strict=True)]
    variant(f"retry-tries-weights-3-2-2-{name}", play=several(bad, serving(writes(plain(502))), GOOD), to=heavy, **told)
    for policy in ("ring_hash", "maglev"):
        variant(f"retry-tries-{policy.replace('_', '-')}-{name}", play=several(bad, bad), to=TWO, load_balancing_policy=policy, **told)
    for policy in ("random", "least_request"):
        short = policy.replace("_", "-")
        variant(f"retry-tries-{short}-{name}", play=several(bad, GOOD), to=TWO, any=True, load_balancing_policy=policy, **told)
    variant(
        f"retry-tries-unhealthy-{name}",
        play=several(bad, serving(health(writes(plain(503)), writes(plain(503)))), GOOD),
        to=THREE,
        health_checks=EXPECTS_500,
        healthy_panic_threshold=0,
        **told,
    )
    for where in ("circuit_breaker_thresholds", "settings"):
        closed: dict[str, Any] = {"circuit_breaker_thresholds": {"max_retries": 0}}
        closed = closed if where != "settings" else {"settings": closed}
        for label, play, to in (("alone", several(bad), TWO[:1]), ("beside-good", several(bad, GOOD), TWO)):
            variant(f"retry-tries-none-{label}-{where.replace('_', '-')}-{name}", play=play, to=to, **told, **closed)
    one = {"max_retries": 1}
    variant(f"retry-tries-one-at-once-{name}", play=several(bad), timeout="3s", set_request_headers=on(2), circuit_breaker_thresholds=one)
    variant(f"retry-tries-thirty-{name}", play=several(bad), timeout="1s", set_request_headers=on(30))

LIMITS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "timeout": ({"timeout": "1s"}, {}),
    "header": ({"timeout": "9s"}, ordered(timeout=1000)),
    "idle": ({"timeout": "9s", "idle_timeout": "1s"}, {}),
    "write": ({"timeout": "9s", "settings": {"timeout_write": "1s"}}, {}),
    "none": ({"timeout": "9s"}, {}),
}
for limit, (keys, headers) in LIMITS.items():
    for name, slow in SLOW.items():
        for count in (1, 3, 7):
            tries = on(count) | (ordered(per_try=400) if name == "silent" else {}) | headers
            variant(f"retry-tries-{limit}-{name}-{count}", slow, seconds=5.0, set_request_headers=tries, **keys)
    tries = on(4, per_try=400) | headers
    variant(f"retry-tries-{limit}-then-good", play=several(silent, GOOD), to=TWO, seconds=5.0, set_request_headers=tries, **keys)
    variant(f"retry-tries-{limit}-two-silent", play=several(silent, silent), to=TWO, seconds=5.0, set_request_headers=tries, **keys)
    for count in (1, 3):
        tries = on(count, per_try=400, hedge="true") | headers
        variant(f"retry-tries-{limit}-hedged-{count}", silent, seconds=9.0, set_request_headers=tries, **keys)
    both, tries = several(silent, BAD["500"]), on(1, per_try=250, hedge="true") | headers
    variant(f"retry-tries-{limit}-hedged-1-500", play=both, to=TWO, seconds=9.0, set_request_headers=tries, **keys)
for policy in ("5xx", "gateway-error", "reset", "connect-failure", "retriable-4xx", "refused-stream", "reset-before-request"):
    for count in (0, 2):
        tries = on(count, policy, duration=300)
        variant(f"retry-tries-duration-{policy}-{count}", silent, seconds=4.0, timeout="3s", set_request_headers=tries)
    variant(
        f"retry-tries-duration-{policy}-then-good", play=several(silent, GOOD), to=TWO, timeout="3s", seconds=4.0,
        set_request_headers=on(2, policy, duration=300),
    )  # fmt: skip
variant("retry-tries-duration-outlasted", silent, seconds=4.0, timeout="1s", set_request_headers=on(5, duration=400))
for count in (0, 2, 9):
    tries = on(count, per_try=250, alt=1)
    variant(f"retry-tries-alternative-{count}", silent, seconds=4.0, timeout="1s", set_request_headers=tries)
    variant(f"retry-tries-unlimited-{count}", silent, seconds=5.0, timeout="0s", set_request_headers=on(count, per_try=250))
    variant(
        f"retry-tries-none-silent-{count}", silent, seconds=4.0, timeout="3s", set_request_headers=on(count, per_try=250),
        circuit_breaker_thresholds={"max_retries": 0},
    )  # fmt: skip
