"""What the kernel saw: the packets of loopback with the time of each, and from them how long each stage of a probe took."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

SO_TIMESTAMPNS, SO_RCVBUFFORCE = 35, 33  # asm-generic/socket.h
ETH_P_IP = 0x0800  # linux/if_ether.h
ROOM = 512 * 2**20  # bytes, so that nothing is lost before it is read: to read meanwhile would take a processor
HEADS = 128  # bytes of a packet that are read: its headers
FIN, SYN = 0x01, 0x02


@dataclass(slots=True)
class Connection:
    """One connection to a server: when each side said something, in seconds, until the client had enough."""

    opened: float = 0.0
    accepted: float = 0.0
    client: list[float] = field(default_factory=list)
    server: list[float] = field(default_factory=list)
    ended: bool = False
    _seen: set[tuple[bool, int]] = field(default_factory=set)

    def saw(self, at: float, flags: int, sequence: int, payload: int, from_server: bool) -> None:
        """Take in a packet. What is sent again, since nobody was awake to acknowledge it (RFC 8985, 7), counts the first time."""
        if flags & SYN and from_server:
            self.accepted = at
        elif flags & SYN:
            self.opened = at
        elif payload and not self.ended and (from_server, sequence) not in self._seen:
            self._seen.add((from_server, sequence))
            (self.server if from_server else self.client).append(at)
        self.ended = self.ended or bool(flags & FIN and not from_server)

    def stages(self) -> dict[str, float]:
        """Seconds of each stage: SYN to its answer, ClientHello to the client's Finished, request to the server's last word."""
        hello, finished, *_, request = self.client
        return {"tcp": self.accepted - self.opened, "tls": finished - hello, "http": self.server[-1] - request}


@contextlib.contextmanager
def captured(port: int) -> Iterator[dict[str, Connection]]:
    """The connections to this port of loopback, by the server's address; there when the context is left. Raises PermissionError."""
    seen: dict[str, Connection] = {}
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM) as tap:
        tap.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
        tap.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        tap.bind(("lo", ETH_P_IP))  # what comes in; with ETH_P_ALL loopback would show each packet twice
        yield seen
        tap.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                data, told, _, _ = tap.recvmsg(HEADS, 64)
                seconds, nanoseconds = struct.unpack("qq", told[0][2])
                _take(data, seconds + nanoseconds / 1e9, port, seen)


def _take(data: bytes, at: float, port: int, seen: dict[str, Connection]) -> None:
    """Headers of IPv4 (RFC 791) and TCP (RFC 9293)."""
    head = (data[0] & 0x0F) * 4
    if data[9] != socket.IPPROTO_TCP:
        return
    (total,) = struct.unpack_from(">H", data, 2)
    source, destination, sequence, offset, flags = struct.unpack_from(">HHI4xBB", data, head)
    if port not in (source, destination):
        return
    server = socket.inet_ntoa(data[12:16] if source == port else data[16:20])
    seen.setdefault(server, Connection()).saw(at, flags, sequence, total - head - (offset >> 4) * 4, source == port)
