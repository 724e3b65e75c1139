"""Faults of the kinds that were recorded, and near them: each is played to a live Envoy and to pomprobe, and kept with what Envoy said."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ..scenes.http1 import Handler
from ..scenes.rows import DATA, Row
from ..scenes.scene import Scene

RECORDED = DATA / "variants.json"
"""id -> Envoy version -> its answers with their shares: `make record` writes it."""

Play = Callable[[Scene], Awaitable[None]]

VARIANTS: dict[str, Row] = {}

LIMITS: dict[str, str] = {}
"""What pomprobe is known to forecast otherwise, and why: strictly, so that one that agrees has to go from here."""

LIMITS_OF: dict[str, dict[str, str]] = {
    "1.36": dict.fromkeys(
        (
            "h2-data-before-headers",
            "h2-field-length-plus",
            "h2-headers-on-stream-3",
            "h2-length-and-no-body",
            "h2-push",
            "h2-status-last",
            "h2-trailers-not-last",
            "h2-two-lengths",
            "h2-window-zero-stream",
        ),
        "Envoy 1.36 takes HTTP/2 that 1.37 refuses, or refuses it otherwise",
    ),
}
"""Envoy version -> the same for it alone. 1.36 is that of Pomerium 0.32."""

PLAIN = "http://127.0.0.1:{port}"


def variant(
    name: str,
    *handlers: Handler,
    play: Play | None = None,
    to: str | list[str] = PLAIN,
    settings: Mapping[str, Any] | None = None,
    seconds: float = 0.0,
    any: bool = False,
    needs: tuple[str, ...] = (),
    **route: Any,
) -> None:
    """Put one on the list: upstreams that behave like this on plain connections, or a `play` of its own."""
    kind = name.partition("-")[0]
    assert name not in VARIANTS, name
    VARIANTS[name] = Row(
        id=name,
        category=KINDS[kind],
        upstream="",
        route={"to": to, **route},
        settings=settings or {},
        outcomes=_recorded().get(name, {}),
        needs=needs,
        seconds=seconds,
        any=any,
        play=play or _serving(handlers),
    )


KINDS = {
    "dns": "DNS",
    "tcp": "TCP",
    "tls": "TLS",
    "h1": "HTTP/1 upstream",
    "h2": "HTTP/2 upstream",
    "time": "Timeouts",
    "health": "Health checks",
    "balance": "Load balancing",
    "outlier": "Outlier detection",
    "breaker": "Circuit breakers",
    "ws": "WebSocket/upgrade",
    "tunnel": "TCP routes (CONNECT)",
    "retry": "Retries (x-envoy-* headers)",
    "mixed": "Several faults at once",
}


def _serving(handlers: tuple[Handler, ...]) -> Play:
    async def play(made: Scene) -> None:
        for handle in handlers:
            await made.serve(handle)

    return play


def _recorded() -> Mapping[str, Mapping[str, tuple[Mapping[str, Any], ...]]]:
    global _cache
    if _cache is None:
        _cache = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    return _cache


_cache: Mapping[str, Mapping[str, tuple[Mapping[str, Any], ...]]] | None = None
