"""A DNS server on loopback, over UDP and TCP on one port, whose answers a test gives."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

Records = Sequence[tuple[str, str]]
"""(type, value) of each record: ("A", "127.0.0.1"), ("AAAA", "::1"), ("CNAME", "other.test.")."""



@dataclass(frozen=True)
class Forged:
    """Datagrams that come before the answer, from the server's own port or from `elsewhere`."""

    datagrams: tuple[bytes, ...]
    then: bytes | str | Records
    elsewhere: bool = False


@dataclass(frozen=True)
class Large:
    """An answer for TCP, so many times; over UDP it is truncated. pause: seconds between two pieces of it, None for all at once."""

    whole: bytes | Records
    pause: float | None = None
    times: int = 1


Answer = bytes | str | Records | Forged | Large
"""Bytes to send as they are; an rcode; "DROP"; "CLOSE" (TCP); "TC" (truncated over UDP); or the records of the name."""

CLOSE = b"close the connection"

Zone = Mapping[str, "Answer | Callable[[dns.message.Message], Answer]"]
"""Name (lower case, without the last dot) or "*" -> what is answered; other names are NXDOMAIN."""


@dataclass
class DNSServer:
    """What the server answers, where it is, and what it was asked: (name, type, "udp" or "tcp")."""

    zone: Zone
    port: int = 0
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    peers: set[int] = field(default_factory=set)  # UDP ports that questions came from
    broke: list[Exception] = field(default_factory=list)  # what the test's own zone raised

    @property
    def resolver(self) -> tuple[str, str, int]:
        """The entry of DNSSettings.resolvers that points at this server."""
        return ("udp", "127.0.0.1", self.port)

    def answer(self, data: bytes, transport: str) -> tuple[bytes | None, Forged | Large | None]:
        """What to send, and how if not simply so."""
        try:
            return self._answer(data, transport)
        except Exception as error:
            self.broke.append(error)
            return None, None

    def _answer(self, data: bytes, transport: str) -> tuple[bytes | None, Forged | Large | None]:
        query = dns.message.from_wire(data)
        name = query.question[0].name.to_text(omit_final_dot=True)
        self.asked.append((name, dns.rdatatype.to_text(query.question[0].rdtype), transport))
        self.was_asked.set()
        answer = self.zone.get(name.lower(), self.zone.get("*", "NXDOMAIN"))
        if callable(answer):
            answer = answer(query)
        if isinstance(answer, Forged):
            return self._message(query, answer.then, transport), answer
        if isinstance(answer, Large):
            return self._message(query, answer.whole if transport == "tcp" else "TC", transport), answer
        return self._message(query, answer, transport), None

    def _message(self, query: dns.message.Message, answer: bytes | str | Records, transport: str) -> bytes | None:
        if isinstance(answer, bytes):
            return answer
        if answer in ("DROP", "CLOSE"):
            return None if answer == "DROP" else CLOSE
        reply = dns.message.make_response(query)
        if answer == "TC" and transport == "udp":
            reply.flags |= dns.flags.TC
        elif isinstance(answer, str):
            reply.set_rcode(dns.rcode.from_text(answer))
        else:
            self._add(reply, query.question[0].name, answer)
        return reply.to_wire(max_size=65535)

    def _add(self, reply: dns.message.Message, name: dns.name.Name, records: Records) -> None:
        """The records asked for, and what the chain of CNAMEs leads to, as a recursive server gives them."""
        wanted = reply.question[0].rdtype
        seen: set[dns.name.Name] = set()
        while name not in seen:
            seen.add(name)
            target = None
            for kind, value in records:
                if kind == "CNAME" or dns.rdatatype.from_text(kind) == wanted:
                    reply.answer.append(dns.rrset.from_text(name, 60, "IN", kind, value))  # one each: dnspython shuffles a set
                if kind == "CNAME":
                    target = dns.name.from_text(value)
            if target is None:
                return
            following = self.zone.get(target.to_text(omit_final_dot=True).lower(), "NXDOMAIN")
            if callable(following) or isinstance(following, bytes | Forged | Large):
                raise TypeError("a CNAME of the zone points at what only a question can get")
            if isinstance(following, str):
                reply.set_rcode(dns.rcode.from_text(following))
                return
            name, records = target, following


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DNSServer) -> None:
        self.server = server
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)  # asyncio's own is no subclass of it

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.server.peers.add(addr[1])
        answer, how = self.server.answer(data, "udp")
        if isinstance(how, Forged):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                for datagram in how.datagrams:
                    (stranger if how.elsewhere else self.transport).sendto(datagram, addr)
        if answer is not None:
            self.transport.sendto(answer, addr)


PIECE = 16
"""Bytes of an answer that is dripped."""

ROUNDS = 5
"""Rounds of the loop after which a connection that was accepted a moment ago is with its handler."""


@asynccontextmanager
async def dns_server(zone: Zone, *, tcp: bool = True, udp: bool = True) -> AsyncIterator[DNSServer]:
    """Serve until the block ends; without `tcp` or `udp` that port is closed."""
    server = DNSServer(zone)
    connections: list[asyncio.StreamWriter] = []
    handlers: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        handlers.extend(filter(None, [asyncio.current_task()]))
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                data = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
                answer, how = server.answer(data, "tcp")
                if answer == CLOSE:
                    break
                if answer is None:
                    continue
                framed = len(answer).to_bytes(2) + answer
                how = how if isinstance(how, Large) else Large(answer)
                piece = len(framed) if how.pause is None else PIECE
                for start in [*range(0, len(framed), piece)] * how.times:
                    writer.write(framed[start : start + piece])
                    await writer.drain()
                    await asyncio.sleep(how.pause or 0)
        writer.close()

    datagrams, listener = _pair()
    server.port = datagrams.getsockname()[1]
    transport: asyncio.BaseTransport | None = None
    streams: asyncio.Server | None = None
    if udp:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Datagrams(server), sock=datagrams)
    else:
        datagrams.close()
    if tcp:
        streams = await asyncio.start_server(serve, sock=listener)
    else:
        listener.close()
    try:
        yield server
    finally:
        if transport is not None:
            transport.close()
        if streams is not None:
            streams.close()
        for _ in range(ROUNDS):
            await asyncio.sleep(0)
        for writer in connections:
            writer.transport.abort()
        await asyncio.gather(*handlers, return_exceptions=True)
        for writer in connections:
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()
        await asyncio.sleep(0)  # the datagram transport closes in the loop's next round
    if server.broke:
        raise server.broke[0]


def _pair() -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket on the same free port."""
    while True:
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.bind(("127.0.0.1", 0))
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.bind(datagrams.getsockname())
        except OSError:
            datagrams.close()
            listener.close()
            continue
        return datagrams, listener
