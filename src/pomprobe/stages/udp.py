"""A udp route's endpoint: only a refusal can be seen from outside; silence says nothing, and is said to be undetermined."""

from __future__ import annotations

import anyio

from ..model import Facts, Failure, StageFailed
from ..net import udp
from .walk import Walk

LISTEN = 0.5
"""Seconds in which an ICMP refusal of a machine in reach has come back."""


async def knock(walk: Walk) -> Facts:
    """Send one empty datagram: an ICMP refusal fails, an answer is well, silence is not known."""
    with anyio.move_on_after(LISTEN):
        try:
            return {"answered": len(await udp.knock(walk.endpoint, walk.cluster.source_address))}
        except OSError as error:
            raise StageFailed(Failure.UDP_REFUSED, error=str(error), reason=(error.strerror or str(error)).replace(" ", "_")) from error
    raise StageFailed(Failure.NOT_KNOWN, limit="UDP: a server that does not answer an empty datagram may still be there")
