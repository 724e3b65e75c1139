"""WebSocket routes, upgrades, and tcp routes."""

from __future__ import annotations

from typing import Any

from ..scenes import http2
from ..scenes.http1 import Handler, plain, raw, serving, writes
from .balancing import several
from .catalogue import variant
from .timers import SECURE, blackhole, secure, silent

ANSWERS: dict[str, Handler] = {
    "101": serving(writes(b"HTTP/1.1 101 S\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", "closes")),
    "200": serving(writes(plain(200))),
    "204": serving(writes(b"HTTP/1.1 204 X\r\n\r\n")),
    "304": serving(writes(b"HTTP/1.1 304 X\r\n\r\n")),
    "400": serving(writes(plain(400))),
    "426": serving(writes(plain(426, "upgrade: websocket"))),
    "500": serving(writes(plain(500))),
    "closes": serving(writes(b"", "closes")),
    "garbage": serving(writes(b"x\r\n\r\n", "closes")),
    "103": serving(writes(b"HTTP/1.1 103 E\r\n\r\n" + plain(200))),
    "cut": serving(writes(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok", "closes")),
}
for name, handle in ANSWERS.items():
    variant(f"ws-{name}", handle, allow_websockets=True)
    variant(f"ws-spdy-{name}", handle, allow_spdy=True, timeout="3s")
variant("ws-h2c", http2.serving(http2.OK), to="h2c://127.0.0.1:{port}", allow_websockets=True, seconds=3.0, timeout="3s")
variant("ws-tls-h2-only", play=secure(http2.serving(http2.OK), ("h2",)), allow_websockets=True, timeout="3s", **SECURE)
variant("ws-tls", play=secure(ANSWERS["200"], ("h2", "http/1.1")), allow_websockets=True, timeout="3s", **SECURE)
variant("ws-tls-not-tls", ANSWERS["200"], allow_websockets=True, timeout="3s", **SECURE)
variant("ws-refused", play=several(None), allow_websockets=True)
variant("ws-blackhole-timeout", play=blackhole(), allow_websockets=True, timeout="2s", seconds=4.0)
variant("ws-blackhole-idle", play=blackhole(), allow_websockets=True, idle_timeout="2s", seconds=4.0)
variant("ws-silent-idle", silent, allow_websockets=True, idle_timeout="1s", seconds=4.0)
TUNNEL: dict[str, Any] = {"from": "tcp+https://lab.example.com:22", "to": "tcp://127.0.0.1:{port}"}
TUNNELLED: dict[str, Handler | None] = {
    "refused": None,
    "banner": raw(b"SSH-2.0-x\r\n", "reads", reads=False),
    "silent": raw(b"", "silent", reads=False),
    "closes": raw(reads=False),
    "echo": raw(b"x"),
}
for name, one in TUNNELLED.items():
    variant(f"tunnel-{name}", play=several(one), seconds=3.0, any=name == "closes", **TUNNEL)
    variant(f"tunnel-{name}-timeout", play=several(one), seconds=3.0, any=name == "closes", **TUNNEL, timeout="1s")
variant("tunnel-resets", raw(then="resets", reads=False), any=True, **TUNNEL)
variant(
    "tunnel-half-refused",
    play=several(None, raw(b"", "silent", reads=False)),
    seconds=9.0,
    **TUNNEL | {"to": ["tcp://127.0.0.1:{port}", "tcp://127.0.0.1:{port2}"]},
)
variant("tunnel-blackhole-idle", play=blackhole(), seconds=10.0, **TUNNEL, idle_timeout="2s")
for key in ("timeout_read", "timeout_write", "timeout_idle"):
    variant(f"tunnel-blackhole-{key}", play=blackhole(), seconds=10.0, **TUNNEL, settings={key: "2s"})
    variant(f"tunnel-silent-{key}", raw(b"", "silent", reads=False), seconds=4.0, **TUNNEL, settings={key: "2s"})
variant("tunnel-silent-idle", raw(b"", "silent", reads=False), seconds=4.0, **TUNNEL, idle_timeout="2s")
variant("tunnel-ws-blackhole-write", play=blackhole(), seconds=4.0, allow_websockets=True, settings={"timeout_write": "2s"})
variant("tunnel-ws-blackhole-read", play=blackhole(), seconds=10.0, allow_websockets=True, settings={"timeout_read": "2s"})
variant("tunnel-proxy-200", serving(writes(plain(200))), **TUNNEL | {"to": "http://127.0.0.1:{port}"})
variant("tunnel-proxy-403", serving(writes(plain(403))), **TUNNEL | {"to": "http://127.0.0.1:{port}"})
variant("tunnel-proxy-503", serving(writes(plain(503))), **TUNNEL | {"to": "http://127.0.0.1:{port}"})
variant("tunnel-proxy-closes", serving(writes(b"", "closes")), **TUNNEL | {"to": "http://127.0.0.1:{port}"})
variant("tunnel-proxy-garbage", serving(writes(b"x\r\n\r\n", "closes")), **TUNNEL | {"to": "http://127.0.0.1:{port}"})
variant("tunnel-proxy-refused", play=several(None), **TUNNEL | {"to": "http://127.0.0.1:{port}"})
variant(
    "tunnel-proxy-silent-tls-read",
    raw(b"", "silent", reads=False),
    seconds=10.0,
    settings={"timeout_read": "2s"},
    **TUNNEL | {"to": "https://127.0.0.1:{port}"},
)
for behaviour, one in {"silent": silent, "blackhole": None}.items():
    for timer, route in {"idle": {"idle_timeout": "2s"}, "timeout": {"timeout": "2s"}, "write": {}, "read": {}}.items():
        many: dict[str, Any] = TUNNEL | {"to": "http://127.0.0.1:{port}"} | route
        if (behaviour, timer) == ("silent", "timeout"):
            continue  # Envoy waits for ever
        given = {f"timeout_{timer}": "2s"} if timer in ("read", "write") else {}
        variant(f"tunnel-proxy-{behaviour}-{timer}", play=several(one) if one else blackhole(), seconds=10.0, settings=given, **many)
variant("tcp-bind-ipv4-to-ipv6", to="http://[::1]:{port}", play=several(None), settings={"envoy_bind_config_source_address": "127.0.0.1"})
variant("tcp-refused-ipv6", play=several(None), to="http://[::1]:{port}")
variant("tcp-other-loopback", play=several(serving(writes(plain(200)))), to="http://127.0.0.77:{port}")
variant("tcp-port-1", play=several(), to="http://127.0.0.1:1")
variant("tcp-unix-missing", play=several(), to="unix://{dir}/no.sock")
variant("tcp-unix-is-a-folder", play=several(), to="unix://{dir}")
variant("tcp-unix-is-a-file", play=several(), to="unix://{pki}/ca.pem")
variant("tcp-bind-other", play=several(serving(writes(plain(200)))), settings={"envoy_bind_config_source_address": "192.0.2.9"})
variant("tcp-bind-loopback", play=several(serving(writes(plain(200)))), settings={"envoy_bind_config_source_address": "127.0.0.5"})
variant("tcp-bind-ipv6", play=several(serving(writes(plain(200)))), settings={"envoy_bind_config_source_address": "::1"})
variant(
    "tcp-bind-freebind",
    play=several(serving(writes(plain(200)))),
    settings={"envoy_bind_config_source_address": "127.0.0.5", "envoy_bind_config_freebind": True},
)
