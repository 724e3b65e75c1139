"""Health checks of every kind against upstreams that answer the check otherwise than a request."""

from __future__ import annotations

from typing import Any

from ..scenes import http2
from ..scenes.http1 import Handler, health, ping_pong, plain, raw, serving, writes
from .balancing import THREE, TWO, several
from .catalogue import variant
from .timers import SECURE, secure

OK = writes(plain(200))
TIMES: dict[str, Any] = {"timeout": "1s", "interval": "1s", "unhealthy_threshold": 1, "healthy_threshold": 1}


def http(**more: Any) -> list[dict[str, Any]]:
    return [TIMES | {"http_health_check": {"path": "/healthz"} | more}]


def tcp(**more: Any) -> list[dict[str, Any]]:
    return [TIMES | {"tcp_health_check": more}]


def grpc(**more: Any) -> list[dict[str, Any]]:
    return [TIMES | {"grpc_health_check": more}]


ANSWERS: dict[str, bytes] = {
    "200": plain(200),
    "201": plain(201),
    "204": b"HTTP/1.1 204 X\r\n\r\n",
    "301": plain(301),
    "404": plain(404),
    "429": plain(429),
    "500": plain(500),
    "503": plain(503),
    "103-200": b"HTTP/1.1 103 E\r\n\r\n" + plain(200),
    "100-200": b"HTTP/1.1 100 C\r\n\r\n" + plain(200),
    "garbage": b"garbage\r\n\r\n",
    "empty": b"",
    "degraded": plain(200, "x-envoy-degraded: 1"),
    "immediate-fail": plain(200, "x-envoy-immediate-health-check-fail: 1"),
    "cluster-header": plain(200, "x-envoy-upstream-healthchecked-cluster: other"),
    "http10": b"HTTP/1.0 200 OK\r\n\r\nok",
    "cut-body": b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok",
    "close-delimited": b"HTTP/1.1 200 OK\r\n\r\nok",
}
for name, answer in ANSWERS.items():
    ends = "closes" if name in ("garbage", "empty", "http10", "cut-body", "close-delimited") else "keeps"
    handle = serving(health(writes(answer, ends), OK))
    variant(f"health-{name}", handle, timeout="3s", health_checks=http(), healthy_panic_threshold=0)
    variant(f"health-{name}-panic", handle, timeout="3s", health_checks=http())
OPTIONS: dict[str, dict[str, Any]] = {
    "expects-404": {"expected_statuses": [{"start": 404, "end": 405}]},
    "expects-2xx": {"expected_statuses": [{"start": 200, "end": 300}]},
    "retriable-404": {"retriable_statuses": [{"start": 404, "end": 405}]},
    "host": {"host": "app.lab.test"},
    "head": {"method": "HEAD"},
    "post": {"method": "POST"},
    "receive": {"receive": [{"text": "6f6b"}]},
    "receive-other": {"receive": [{"text": "aabb"}]},
    "receive-none": {"receive": []},
    "query": {"path": "/healthz?x=1"},
    "codec-2": {"codec_client_type": "HTTP2"},
    "codec-3": {"codec_client_type": "HTTP3"},
    "service": {"service_name_matcher": {"prefix": "x"}},
    "header": {"request_headers_to_add": [{"header": {"key": "x-a", "value": "b"}}]},
    "connect": {"method": "CONNECT"},
    "options": {"method": "OPTIONS"},
    "buffer": {"receive": [{"text": "6f6b"}], "response_buffer_size": 1},
    "path-empty": {"path": ""},
    "path-no-slash": {"path": "healthz"},
    "send": {"send": {"text": "6f6b"}, "method": "POST"},
    "send-get": {"send": {"text": "6f6b"}},
}
for name, options in OPTIONS.items():
    for status in (200, 404):
        handle = serving(health(writes(plain(status)), OK))
        variant(f"health-{name}-{status}", handle, timeout="3s", health_checks=http(**options), healthy_panic_threshold=0, seconds=2.0)
TCP_ANSWERS: dict[str, Handler] = {
    "accepts": serving(OK),
    "pong": ping_pong(),
    "closes": raw(reads=False),
    "silent": raw(b"", "silent"),
    "banner": raw(b"220 ready\r\n", "reads", reads=False),
}
TCP_CHECKS: dict[str, dict[str, Any]] = {
    "connect": {},
    "ping": {"send": {"text": "50494e47"}, "receive": [{"text": "504f4e47"}]},
    "send-only": {"send": {"text": "50494e47"}},
    "receive-only": {"receive": [{"text": "323230"}]},
    "receive-two": {"receive": [{"text": "3232"}, {"text": "726561"}]},
    "receive-order": {"receive": [{"text": "726561"}, {"text": "323230"}]},
}
for behaviour, handle in TCP_ANSWERS.items():
    for name, options in TCP_CHECKS.items():
        variant(
            f"health-tcp-{name}-{behaviour}",
            handle,
            timeout="2s",
            seconds=3.0,
            health_checks=tcp(**options),
            healthy_panic_threshold=0,
        )


def grpc_replies() -> dict[str, Handler]:
    states = {
        name: http2.serving(http2.grpc_health(state))
        for name, state in {"unknown": 0, "serving": 1, "not-serving": 2, "service-unknown": 3}.items()
    }
    statuses = {f"status-{code}": http2.serving(http2.grpc_health(None, code)) for code in ("0", "5", "12", "14", "x")}
    more = {
        "http-500": http2.serving(http2.answers([(":status", "500")], b"no")),
        "no-grpc": http2.serving(http2.OK),
        "silent": http2.serving(http2.silent),
        "rst": http2.serving(http2.resets("INTERNAL_ERROR")),
        "http1": serving(OK),
        "goaway": http2.serving(http2.goes_away(0, 0.05)),
    }
    return states | statuses | more


for name, handle in grpc_replies().items():
    variant(
        f"health-grpc-{name}",
        handle,
        to="h2c://127.0.0.1:{port}",
        timeout="2s",
        seconds=3.0,
        health_checks=grpc(),
        healthy_panic_threshold=0,
    )
variant(
    "health-grpc-service",
    grpc_replies()["serving"],
    to="h2c://127.0.0.1:{port}",
    timeout="2s",
    health_checks=grpc(service_name="x", authority="y"),
    healthy_panic_threshold=0,
)
for name, alpn in {"h2": ("h2",), "both": ("h2", "http/1.1"), "http1": ("http/1.1",), "none": ()}.items():
    h2_spoken = name in ("h2", "both")
    handle = http2.serving(http2.OK) if h2_spoken else serving(OK)
    variant(
        f"health-tls-{name}",
        play=secure(handle, alpn),
        timeout="3s",
        seconds=2.0,
        health_checks=http(),
        healthy_panic_threshold=0,
        **SECURE,
    )
    variant(
        f"health-tls-{name}-codec-2",
        play=secure(handle, alpn),
        timeout="3s",
        seconds=2.0,
        health_checks=http(codec_client_type="HTTP2"),
        healthy_panic_threshold=0,
        **SECURE,
    )
    variant(
        f"health-tls-{name}-tcp",
        play=secure(handle, alpn),
        timeout="3s",
        seconds=2.0,
        health_checks=tcp(),
        healthy_panic_threshold=0,
        **SECURE,
    )
    variant(
        f"health-tls-{name}-ws",
        play=secure(handle, alpn),
        timeout="3s",
        seconds=2.0,
        health_checks=http(),
        healthy_panic_threshold=0,
        allow_websockets=True,
        **SECURE,
    )
BAD = serving(health(writes(plain(503)), OK))
GOOD = serving(OK)
for threshold in (None, 0, 1, 34, 50, 51, 67, 100):
    chosen: dict[str, Any] = {} if threshold is None else {"healthy_panic_threshold": threshold}
    label = "unset" if threshold is None else str(threshold)
    variant(f"health-1-of-2-bad-{label}", play=several(BAD, None), to=TWO, timeout="3s", health_checks=http(), **chosen)
    variant(f"health-2-of-3-bad-{label}", play=several(BAD, None, GOOD), to=THREE, timeout="3s", health_checks=http(), **chosen)
    variant(f"health-1-of-3-bad-{label}", play=several(None, GOOD, GOOD), to=THREE, timeout="3s", health_checks=http(), **chosen)
DEGRADED = serving(health(writes(plain(200, "x-envoy-degraded: 1")), writes(plain(500))))
variant("health-degraded-beside-bad", play=several(DEGRADED, None), to=TWO, timeout="3s", health_checks=http(), healthy_panic_threshold=0)
variant("health-degraded-beside-bad-panic", play=several(DEGRADED, None), to=TWO, timeout="3s", health_checks=http())
for name, play, to in (("two-of-three", several(DEGRADED, DEGRADED, GOOD), THREE), ("beside-good", several(DEGRADED, GOOD), TWO)):
    variant(f"health-degraded-{name}", play=play, to=to, timeout="3s", health_checks=http(), any=True)  # Envoy throws dice
variant(
    "health-weights",
    play=several(BAD, GOOD),
    to=["http://127.0.0.1:{port},9", "http://127.0.0.1:{port2},1"],
    timeout="3s",
    health_checks=http(),
)
TIMING: dict[str, dict[str, Any]] = {
    "threshold-3": {"unhealthy_threshold": 3},
    "healthy-3": {"healthy_threshold": 3},
    "no-thresholds": {"unhealthy_threshold": None},
    "timeout-0": {"timeout": "0s"},
    "interval-0": {"interval": "0s"},
    "jitter": {"initial_jitter": "0.1s"},
    "reuse": {"reuse_connection": False},
    "always-log": {"always_log_health_check_failures": True},
}
for name, more in TIMING.items():
    merged = {key: value for key, value in (http()[0] | more).items() if value is not None}
    variant(f"health-{name}-good", GOOD, timeout="3s", seconds=4.0, health_checks=[merged], healthy_panic_threshold=0)
    variant(f"health-{name}-bad", BAD, timeout="3s", seconds=4.0, health_checks=[merged], healthy_panic_threshold=0)


variant("health-none-passes-refused", play=several(None), timeout="3s", health_checks=http())
variant("health-none-passes-refused-0", play=several(None), timeout="3s", health_checks=http(), healthy_panic_threshold=0)
variant(
    "health-h2c",
    http2.serving(http2.OK),
    to="h2c://127.0.0.1:{port}",
    timeout="3s",
    seconds=2.0,
    health_checks=http(codec_client_type="HTTP2"),
    healthy_panic_threshold=0,
)
variant(
    "health-h2c-http1",
    http2.serving(http2.OK),
    to="h2c://127.0.0.1:{port}",
    timeout="3s",
    seconds=2.0,
    health_checks=http(),
    healthy_panic_threshold=0,
)
variant(
    "health-slow",
    serving(health(writes(plain(200), before=1.5), OK)),
    timeout="3s",
    seconds=3.0,
    health_checks=http(),
    healthy_panic_threshold=0,
)
variant(
    "health-slow-in-time",
    serving(health(writes(plain(200), before=0.6), OK)),
    timeout="3s",
    seconds=3.0,
    health_checks=http(),
    healthy_panic_threshold=0,
)
