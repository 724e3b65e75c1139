"""A name server of one zone that lives in a dict: enough of RFC 1035 for a resolver that asks for addresses."""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping

from anyio.abc import UDPSocket

ZONE: Mapping[str, tuple[str, ...]] = {"pair.demo.test": ("127.0.0.1", "127.0.0.2")}
"""name -> its IPv4 addresses; every other name does not exist."""

A, NXDOMAIN = 1, 3


async def serve(udp: UDPSocket) -> None:
    """Answer every query, until cancelled."""
    async for query, (host, port) in udp:
        await udp.sendto(answer(query), host, port)


def answer(query: bytes) -> bytes:
    """The response to one query: header, the question as it came, an A record for each address (RFC 1035, section 4.1)."""
    labels, end = [], 12
    while length := query[end]:
        labels.append(query[end + 1 : end + 1 + length].decode("ascii", "replace"))
        end += 1 + length
    name, question = ".".join(labels).lower(), query[12 : end + 5]
    (kind,) = struct.unpack_from("!H", query, end + 1)
    addresses = ZONE.get(name, ()) if kind == A else ()  # a name without a record of this kind: no answers, and no error
    flags = 0x8580 | (0 if name in ZONE else NXDOMAIN)  # a response, authoritative, recursion as asked and available
    header = struct.pack("!HHHHHH", *struct.unpack_from("!H", query), flags, 1, len(addresses), 0, 0)
    # 0xC00C points at the question's name; class IN, one minute
    records = (struct.pack("!HHHIH", 0xC00C, A, 1, 60, 4) + socket.inet_aton(address) for address in addresses)
    return header + question + b"".join(records)
