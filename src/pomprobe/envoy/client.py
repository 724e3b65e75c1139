"""One request to our own Envoy, byte by byte: a plain client would hide a cut body, and could not ask for a tunnel."""

from __future__ import annotations

from urllib.parse import quote

import anyio
import anyio.abc

from .. import __version__
from ..model import Cluster
from ..plan.request import CLIENT
from .route import CHOICE, TUNNELS

TUNNEL_LIVES = 0.5
"""Seconds after which a tunnel that was opened and not closed counts as working."""


async def ask(port: int, cluster: Cluster, choice: str, patience: float) -> bool:
    """Send the route's request and read to the end of the answer. False: patience (seconds) ran out before.

    An open tunnel has no end: it is left after a moment, and counts as answered.
    """
    tunnel, began = cluster.route.kind in TUNNELS, False
    with anyio.move_on_after(patience) as waiting:
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            await stream.send(message(cluster, choice))
            try:
                async for _ in stream:
                    if tunnel and not began:
                        waiting.deadline = min(waiting.deadline, anyio.current_time() + TUNNEL_LIVES)
                    began = True
            except anyio.BrokenResourceError:  # reset: Envoy's way to say that the body was cut
                pass
    return not waiting.cancelled_caught or (tunnel and began)


def message(cluster: Cluster, choice: str) -> bytes:
    """The request as a client outside would send it, and the header that chooses the route."""
    request = cluster.request
    if cluster.route.kind in TUNNELS:
        host = request.original_host if ":" in request.original_host else f"{request.original_host}:443"
        start = f"CONNECT {host} HTTP/1.1"
    else:
        host = request.original_host
        start = f"{request.method} {quote(request.original_path, safe=SAFE)} HTTP/1.1"
    headers = {
        "host": host,
        "user-agent": f"pomprobe/{__version__}",
        "accept": "*/*",
        "x-forwarded-for": CLIENT,
        "x-forwarded-proto": dict(request.headers).get("x-forwarded-proto", "https"),
        CHOICE: choice,
        "connection": "close",
    }
    if start.startswith("CONNECT"):
        del headers["connection"]
    return "\r\n".join((start, *(f"{name}: {value}" for name, value in headers.items()), "", "")).encode("latin-1", "replace")


SAFE = "/%:@!$&'()*+,;=~-._?"
"""Characters of a path that are sent as they are."""
