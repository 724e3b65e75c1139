"""A tcp or ssh route's connection: Envoy opens it and passes bytes on, so all that can be seen is what the server does unasked."""

from __future__ import annotations

from time import monotonic

import anyio

from ..model import Facts, Failure, StageFailed
from ..net.stream import Stream
from . import tcp
from .walk import Walk

LISTEN = 0.25
"""Seconds in which a server that speaks first (SSH, SMTP, MySQL) has shown its banner, and one that hangs up has."""


async def open_tunnel(walk: Walk) -> Facts:
    """Connect, then listen for a moment: a banner is a fact, a reset ends the tunnel (row tcpr-rst)."""
    facts = dict(await tcp.connect(walk))
    assert walk.stream is not None
    began = monotonic()
    try:
        banner = await _listen(walk.stream)
    except OSError as error:
        raise StageFailed(Failure.CLOSED, error=str(error), reset=True, tunnel=True, started=True) from None
    if banner is not None:
        facts.update(closed=not banner, banner=banner[:80].decode("latin-1"), banner_after=monotonic() - began)
    return facts


async def _listen(stream: Stream) -> bytes | None:
    """The first bytes; b"" if the server hung up, None if it waits for the client to speak."""
    with anyio.move_on_after(LISTEN):
        return await stream.receive()
    return None
