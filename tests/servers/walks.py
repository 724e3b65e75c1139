"""Walks to a test's server, as the runner makes them."""

from __future__ import annotations

from typing import Any

import factories
from pomprobe.model import Endpoint, Facts, StageFailed, UpstreamTLS
from pomprobe.stages import tcp, tls
from pomprobe.stages.walk import Clock, Walk

from .certificates import HOST, root

LOOPBACK = "127.0.0.1"


def tls_options(**more: Any) -> UpstreamTLS:
    """The route's TLS context: trusts the test's root, wants its host, offers both protocols."""
    usual = {"server_name": HOST, "match_name": HOST, "skip_verify": False, "trust": root().pem, "trust_source": "a test"}
    return UpstreamTLS(**{**usual, "alpn": ("h2", "http/1.1"), **more})


def walk_to(port: int | None, *, address: str = LOOPBACK, source_address: str = "", options: UpstreamTLS | None = None) -> Walk:
    cluster = factories.cluster(source_address=source_address)
    return Walk(cluster, cluster.upstreams[0], Endpoint(address, port), options, Clock())


async def shake_hands(port: int | None, address: str = LOOPBACK, **options: Any) -> Facts | StageFailed:
    """Connect and shake hands; the facts, or how it failed."""
    walk = walk_to(port, address=address, options=tls_options(**options))
    try:
        await tcp.connect(walk)
        return await tls.handshake(walk)
    except StageFailed as failed:
        return failed
    finally:
        if walk.stream:
            walk.stream.close()
