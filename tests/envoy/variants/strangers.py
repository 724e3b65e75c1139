"""Servers of other protocols behind `to`: what they say first, or say to a request, to a ClientHello, to HTTP/2 and to a health check."""

from __future__ import annotations

from typing import Any

from ..scenes.http1 import raw
from ..scenes.scene import Scene
from ..scenes.sockets import listening
from .balancing import several
from .catalogue import Play, variant
from .health import http, tcp
from .timers import SECURE, secure

STRANGERS: dict[str, bytes] = {
    "ftp": b"220 (vsFTPd 3.0.5)\r\n",
    "imap": b"* OK [CAPABILITY IMAP4rev1] ready.\r\n",
    "pop3": b"+OK ready\r\n",
    "vnc": b"RFB 003.008\n",
    "ssh": b"SSH-2.0-OpenSSH_9.6\r\n",
    "mysql": b"\x4a\x00\x00\x00\x0a8.0.36\x00" + bytes(60),
    "postgres": b"N",
    "postgres-error": b"E\x00\x00\x00\x10SFATAL\x00C0A000\x00\x00",
    "redis": b"-ERR unknown command\r\n",
    "memcached": b"ERROR\r\n",
    "amqp": b"AMQP\x00\x00\x09\x01",
    "ldap": b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x02\x04\x00\x04\x00",
    "telnet": b"\xff\xfd\x18\xff\xfd\x20",
    "rdp": b"\x03\x00\x00\x13\x0e\xd0\x00\x00\x124\x00\x02\x0f\x08\x00\x02\x00\x00\x00",
    "smb": b"\x00\x00\x00\x45\xfeSMB\x40\x00",
    "irc": b":server NOTICE * :*** Looking up your hostname\r\n",
    "sip": b"SIP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n",
    "icecast": b"ICY 200 OK\r\n\r\n",
    "tls-alert": b"\x15\x03\x03\x00\x02\x02\x28",
    "http2-settings": b"\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    "http2-goaway": b"\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01",
    "http-408": b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
    "http-400-html": b"<html><title>400 Bad Request</title></html>",
    "proxy-protocol": b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n",
    "zeros": bytes(16),
    "newlines": b"\r\n\r\n",
    "one-letter": b"H",
}
"""Name -> the first bytes."""

H2C: dict[str, Any] = {"to": "h2c://127.0.0.1:{port}"}

for name, said in STRANGERS.items():
    for label, reads in (("", False), ("-answers", True)):
        variant(f"h1-stranger-{name}{label}", raw(said, "reads", reads=reads), timeout="2s")
        variant(f"tls-stranger-{name}{label}", raw(said, "reads", reads=reads), timeout="2s", **SECURE)
        variant(f"h2-stranger-{name}{label}", raw(said, "reads", reads=reads), timeout="2s", **H2C)
    variant(f"h1-stranger-{name}-closes", raw(said, reads=True), timeout="2s")
    variant(f"tls-stranger-{name}-closes", raw(said, reads=True), timeout="2s", **SECURE)
    variant(f"ws-stranger-{name}", raw(said, "reads", reads=True), timeout="2s", allow_websockets=True)
    for alpn in ("none", "http/1.1", "h2"):
        inside = secure(raw(said, "reads", reads=True), () if alpn == "none" else (alpn,))
        variant(f"tls-stranger-inside-{alpn.replace('/', '')}-{name}", play=inside, timeout="2s", **SECURE)
    retried = {"x-envoy-retry-on": "5xx,reset,connect-failure", "x-envoy-max-retries": "1"}
    variant(f"retry-stranger-{name}", raw(said, "closes"), timeout="3s", set_request_headers=retried)
    pair: dict[str, Any] = {"to": ["http://127.0.0.1:{port}", "http://127.0.0.1:{port2}"], "timeout": "2s"}
    variant(f"mixed-stranger-{name}-and-refused", play=several(raw(said, "closes"), None), **pair)
    checked: dict[str, Any] = {"timeout": "2s", "seconds": 2.0, "healthy_panic_threshold": 0}
    variant(f"health-stranger-{name}", raw(said, "reads", reads=True), health_checks=http(), **checked)
    variant(f"health-stranger-{name}-tcp", raw(said, "reads", reads=True), health_checks=tcp(), **checked)


def socket(data: bytes, then: str) -> Play:
    async def play(made: Scene) -> None:
        await made.stack.enter_async_context(listening(raw(data, then), path=made.folder / "up.sock"))

    return play


for scheme in ("unix", "https+unix"):
    for name, then in (("", "closes"), ("", "resets"), ("ssh", "reads"), ("http-408", "closes"), ("postgres", "reads")):
        label = f"{scheme.replace('+', '-')}-{name or 'says-nothing'}-{then}"
        more: dict[str, Any] = {"tls_server_name": "up.lab.test"} if scheme != "unix" else {}
        variant(f"tcp-socket-{label}", play=socket(STRANGERS.get(name, b""), then), to=f"{scheme}://{{dir}}/up.sock", timeout="2s", **more)
