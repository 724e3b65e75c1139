"""A connection opens."""

from __future__ import annotations

import errno

from ..model import Fact, Facts, Failure, StageFailed
from ..net import tcp
from .walk import Walk

LIMITS = {
    errno.EMFILE: "open files of this process",
    errno.ENFILE: "open files of this machine",
    errno.ENOBUFS: "network buffers of this machine",
    errno.ENOMEM: "memory of this machine",
}
"""What is ours and never the upstream's; its value is the fact `limit`."""


async def connect(walk: Walk) -> Facts:
    """Open a connection to the walk's endpoint and leave it in `walk.stream`.

    Envoy's words: source/common/network/connection_impl.cc (immediate_connect_error, delayed_connect_error, failed to bind).
    """
    source = walk.cluster.source_address
    try:
        walk.stream = await tcp.connect(walk.endpoint, source)
    except tcp.SocketRefused as error:
        if error.binding and error.errno not in LIMITS:
            shown = f"[{source}]" if ":" in source else source
            raise _with(Failure.SOURCE_ADDRESS, error.errno, source_address=shown) from error
        raise _failed(walk, error.errno, immediate=True) from error
    except tcp.ConnectFailed as error:
        raise _failed(walk, error.errno, immediate=error.immediate) from error
    return {}


def _failed(walk: Walk, number: int, *, immediate: bool) -> StageFailed:
    limit = LIMITS.get(number) or _ports_used_up(walk, number)
    if limit:
        return _with(Failure.NOT_KNOWN, number, limit=limit)
    refused = number == errno.ECONNREFUSED and not immediate
    return _with(Failure.CONNECTION_REFUSED if refused else Failure.CONNECT_ERROR, number, immediate=immediate)


def _ports_used_up(walk: Walk, number: int) -> str:
    """connect() says EADDRNOTAVAIL (or EAGAIN) where no local port is left, but also where IPv6 is off; only the first is ours."""
    if walk.endpoint.port is None or number not in (errno.EADDRNOTAVAIL, errno.EAGAIN):
        return ""
    return "local ports of this machine" if tcp.has_route(walk.endpoint) else ""


def _with(failure: Failure, number: int, *, limit: str = "", immediate: bool | None = None, source_address: str = "") -> StageFailed:
    facts: dict[str, Fact] = {"errno": tcp.name(number), "reason": tcp.reason(number)}
    facts |= {"limit": limit} if limit else {}
    facts |= {"source_address": source_address} if source_address else {}
    facts |= {"immediate": immediate} if immediate is not None else {}
    failed = StageFailed(failure, error=tcp.reason(number))
    failed.facts = facts
    return failed
