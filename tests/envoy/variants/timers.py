"""Timers against stages that are slow: which one fires first, and what has been said by then."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from typing import Any

from ..scenes import http2
from ..scenes.http1 import Answer, Handler, Request, drips, plain, raw, serving, writes
from ..scenes.scene import Scene
from ..scenes.sockets import full_backlog
from .catalogue import Play, variant

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
SECURE: dict[str, Any] = {"to": "https://127.0.0.1:{port}", "tls_upstream_server_name": "up.lab.test", "tls_custom_ca_file": "{pki}/ca.pem"}


def ordered(**headers: object) -> dict[str, str]:
    """x-envoy-… headers: rq_timeout_ms=500 is x-envoy-upstream-rq-timeout-ms: 500."""
    short = {
        "timeout": "x-envoy-upstream-rq-timeout-ms",
        "per_try": "x-envoy-upstream-rq-per-try-timeout-ms",
        "duration": "x-envoy-upstream-stream-duration-ms",
        "alt": "x-envoy-upstream-rq-timeout-alt-response",
        "on": "x-envoy-retry-on",
        "max": "x-envoy-max-retries",
        "codes": "x-envoy-retriable-status-codes",
        "names": "x-envoy-retriable-header-names",
        "grpc_on": "x-envoy-retry-grpc-on",
        "hedge": "x-envoy-hedge-on-per-try-timeout",
    }
    return {short[name]: str(value) for name, value in headers.items()}


def steps(*parts: bytes | float, then: str = "silent") -> Answer:
    """Bytes are written, numbers are seconds to wait."""

    async def answer(reader: Reader, writer: Writer, request: Request) -> bool:
        for part in parts:
            if isinstance(part, bytes):
                writer.write(part)
                await writer.drain()
            else:
                await asyncio.sleep(part)
        if then == "silent":
            await asyncio.sleep(3600)
        return then == "keeps"

    return answer


def blackhole() -> Play:
    async def play(made: Scene) -> None:
        made.ports.append(made.stack.enter_context(full_backlog()))

    return play


def secure(handle: Handler, alpn: tuple[str, ...] = ()) -> Play:
    async def play(made: Scene) -> None:
        await made.serve(handle, made.good(alpn))

    return play


silent = serving(writes(b"", "silent"))
partial = serving(writes(b"HTTP/1.1 200 OK\r\ncontent-le", "silent"))
interim = serving(steps(b"HTTP/1.1 100 Continue\r\n\r\n"))
hints = serving(steps(b"HTTP/1.1 103 Early Hints\r\n\r\n"))
started = serving(writes(HEAD, "silent"))
dripping = serving(drips(CHUNKED, b"1\r\na\r\n", 20, 0.2))
LATE = {
    "silent": silent,
    "partial-head": partial,
    "interim": interim,
    "hints": hints,
    "started": started,
    "dripping": dripping,
    "late-head": serving(steps(1.4, plain(200), then="keeps")),
    "late-body": serving(steps(HEAD, 0.4, b"a" * 50, 1.2, b"a" * 50, then="keeps")),
}
TIMERS: dict[str, dict[str, Any]] = {
    "route": {"timeout": "1s"},
    "idle": {"timeout": "0s", "idle_timeout": "1s"},
    "idle-under-route": {"timeout": "3s", "idle_timeout": "1s"},
    "per-try": {"timeout": "3s", "set_request_headers": ordered(per_try=1000)},
    "header": {"timeout": "5s", "set_request_headers": ordered(timeout=1000)},
    "duration": {"timeout": "5s", "set_request_headers": ordered(duration=1000)},
    "alt": {"timeout": "1s", "set_request_headers": ordered(alt=1)},
    "header-zero": {"timeout": "1s", "idle_timeout": "2s", "set_request_headers": ordered(timeout=0)},
}
for behaviour, handle in LATE.items():
    for timer, route in TIMERS.items():
        variant(f"time-{timer}-{behaviour}", handle, seconds=4.0, **route)
    variant(f"time-write-{behaviour}", handle, seconds=4.0, settings={"timeout_write": "1s"})
    variant(f"time-default-{behaviour}", handle, seconds=4.0, settings={"default_upstream_timeout": "1s"})
    variant(f"time-websockets-{behaviour}", handle, seconds=4.0, allow_websockets=True, idle_timeout="1s")
    variant(f"time-websockets-timeout-{behaviour}", handle, seconds=4.0, allow_websockets=True, timeout="1s")

SLOW_TLS = {
    "tls-hang": raw(b"", "silent", reads=False),
    "tls-hang-after-hello": raw(b"", "silent"),
    "tls-half-record": raw(b"\x16\x03\x03\x00\x50\x02", "silent"),
}
for behaviour, handle in SLOW_TLS.items():
    for timer, route in TIMERS.items():
        variant(f"time-{timer}-{behaviour}", handle, seconds=4.0, **SECURE, **route)
for timer, route in TIMERS.items():
    variant(f"time-{timer}-blackhole", play=blackhole(), seconds=10.0, **route)
    variant(f"time-{timer}-tls-silent", play=secure(silent), seconds=4.0, **SECURE, **route)
    variant(f"time-{timer}-h2c-silent", http2.serving(http2.silent), to="h2c://127.0.0.1:{port}", seconds=4.0, **route)
    variant(f"time-{timer}-h2c-trickles", http2.serving(http2.trickles), to="h2c://127.0.0.1:{port}", seconds=4.0, **route)
    variant(f"time-{timer}-h2c-no-settings", raw(b"", "silent"), to="h2c://127.0.0.1:{port}", seconds=4.0, **route)
variant("time-write-blackhole", play=blackhole(), seconds=4.0, settings={"timeout_write": "1s"})
variant("time-duration-longer-than-route", silent, seconds=4.0, timeout="1s", set_request_headers=ordered(duration=2000))
variant("time-per-try-equal-route", silent, seconds=4.0, timeout="1s", set_request_headers=ordered(per_try=1000))
variant("time-per-try-longer", silent, seconds=4.0, timeout="1s", set_request_headers=ordered(per_try=2000))
variant("time-per-try-no-route", silent, seconds=4.0, timeout="0s", set_request_headers=ordered(per_try=1000))
variant("time-header-text", silent, seconds=4.0, timeout="1s", set_request_headers=ordered(timeout="1s"))
variant("time-header-negative", silent, seconds=4.0, timeout="1s", set_request_headers=ordered(timeout=-1))
variant("time-header-fraction", silent, seconds=4.0, timeout="1s", set_request_headers=ordered(timeout="500.5"))
variant("time-header-empty", silent, seconds=4.0, timeout="1s", set_request_headers=ordered(timeout=""))
variant("time-duration-zero", silent, seconds=4.0, timeout="1s", set_request_headers=ordered(duration=0))
variant("time-alt-false", silent, seconds=4.0, timeout="1s", set_request_headers=ordered(alt="false"))
variant("time-alt-per-try", silent, seconds=4.0, timeout="3s", set_request_headers=ordered(alt=1, per_try=1000))
variant("time-alt-duration", silent, seconds=4.0, timeout="3s", set_request_headers=ordered(alt=1, duration=1000))
variant("time-header-over-per-try", silent, seconds=4.0, timeout="9s", set_request_headers=ordered(timeout=500, per_try=1000))
variant("time-write-under-route", silent, seconds=4.0, timeout="3s", settings={"timeout_write": "1s"})
variant("time-route-under-write", silent, seconds=4.0, timeout="1s", settings={"timeout_write": "3s"})
variant("time-read", silent, seconds=4.0, timeout="2s", settings={"timeout_read": "1s"})
variant("time-idle-global", silent, seconds=4.0, timeout="2s", settings={"timeout_idle": "1s"})
variant("time-microseconds", silent, seconds=4.0, timeout="900us", idle_timeout="1s")
variant("time-idle-microseconds", silent, seconds=4.0, timeout="1s", idle_timeout="900us")
