"""A tcp or ssh route's connection: Envoy opens it and passes bytes on, so all that can be seen is what the server does unasked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import monotonic

import anyio

from ..model import Fact, Facts, Failure, RouteKind, StageFailed, Timer
from ..net.speaks import guess, printable
from . import tcp
from .walk import Walk

LISTEN = 0.25
"""Seconds in which a server that speaks first (SMTP, MySQL) has shown its banner, and one that hangs up has."""

LISTEN_FOR_SSH = 5.0
"""Seconds for the banner of an ssh route's server, which every SSH server sends unasked (RFC 4253, 4.2); some look up our name first."""

BANNER = 80
"""Bytes of a banner that are kept."""


async def open_tunnel(walk: Walk) -> Facts:
    """Connect, then listen for a moment: a banner is a fact, a reset ends the tunnel (row tcpr-rst)."""
    facts = dict(await tcp.connect(walk))
    assert walk.stream is not None
    walk.clock.disarm(Timer.CONNECT)
    ssh = walk.cluster.route.kind is RouteKind.SSH
    try:
        facts |= await listen(walk.stream.receive, LISTEN_FOR_SSH if ssh else LISTEN)
    except OSError as error:
        raise StageFailed(Failure.CLOSED, error=str(error), reset=True, tunnel=True, started=True) from None
    if ssh and facts["speaks"] != "SSH":
        raise _failed(Failure.NOT_SSH, facts)
    if facts["closed"]:
        raise _failed(Failure.TUNNEL_CLOSED, facts)
    return facts


async def through_proxy(receive: Callable[[], Awaitable[bytes | None]], known: Facts) -> Facts:
    """The same for a tunnel that another proxy has opened at our CONNECT (rows own-chain-200, own-chain-200-closes)."""
    facts = {**known, **await listen(receive)}
    if facts["closed"]:
        raise _failed(Failure.TUNNEL_CLOSED, facts)
    return facts


def _failed(failure: Failure, facts: Facts) -> StageFailed:
    failed = StageFailed(failure)
    failed.facts = facts
    return failed


async def listen(receive: Callable[[], Awaitable[bytes | None]], patience: float = LISTEN) -> dict[str, Fact]:
    """What an open tunnel shows unasked. Facts: `tunnel`, `closed` (the server hung up), `banner`, `banner_after` (s), `speaks`."""
    began, facts = monotonic(), dict[str, Fact](tunnel=True, closed=False, speaks="")
    with anyio.move_on_after(patience):
        first = await receive()
        if first:
            facts |= {"banner": printable(first, BANNER), "banner_after": monotonic() - began, "speaks": guess(first)}
        facts["closed"] = not first
    if "banner" in facts:
        with anyio.move_on_after(LISTEN):
            facts["closed"] = not await receive()
    return facts
