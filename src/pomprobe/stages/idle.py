"""How long a server keeps a connection that nobody uses (--idle-probe)."""

from __future__ import annotations

from time import monotonic

import anyio

from ..model import Facts
from ..net.stream import Stream, TLSBroken


async def hold(stream: Stream, patience: float) -> Facts:
    """Hold the connection after its answer for at most so many seconds; fact `idle_seconds` if the server ended it before."""
    began = monotonic()
    with anyio.move_on_after(patience):
        try:
            while await stream.receive():
                pass
        except (OSError, TLSBroken):  # a reset ends the connection as well as a FIN does
            pass
        return {"idle_seconds": round(monotonic() - began, 1)}
    return {}
