"""Questions over UDP. Many share a socket, as in c-ares: a thousand names at once are no thousand file descriptors."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from . import resolver_wire as wire
from .resolv_conf import Nameserver

SHARED = 100
"""Questions under way over one socket at most (Pomerium's udp_max_queries counts them over its lifetime)."""

BURST = 100
"""Questions sent at once: more of them overrun the receive buffer of many a server, and their loss would look like its silence."""

FRESH = 0.2
"""Seconds after which a question without an answer counts as lost or slow, and the next one goes out."""

AT_ONCE = 100
"""Datagrams read in one go before the loop turns to others."""


class Sockets:
    """The UDP sockets to all servers. One is open only as long as a question waits on it."""

    def __init__(self) -> None:
        self._links: dict[Nameserver, list[_Link]] = {}
        self._turns = anyio.CapacityLimiter(BURST)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn to ask. It ends with the answer, or after FRESH seconds: those who wait in vain hold nobody up."""
        token: object | None = object()

        def give_up() -> None:
            nonlocal token
            if token is not None:
                self._turns.release_on_behalf_of(token)
                token = None

        await self._turns.acquire_on_behalf_of(token)
        later = asyncio.get_running_loop().call_later(FRESH, give_up)
        try:
            yield
        finally:
            later.cancel()
            give_up()

    async def exchange(self, server: Nameserver, asked: wire.Question) -> wire.Reply:
        """Send the question and wait for its answer. Raises OSError (ECONNREFUSED: the port is closed) and Malformed."""
        links = self._links.setdefault(server, [])
        link = next((link for link in links if link.takes(asked)), None)
        if link is None:
            link = _Link(server)
            links.append(link)
        try:
            return await link.exchange(asked)
        finally:
            # Whoever leaves without an answer takes the socket out of use: the next try has a port of its own.
            if not link.in_use:
                link.close()
                links[:] = [other for other in links if other is not link]


class _Link:
    """One connected socket: the kernel drops what comes from elsewhere, and reports a closed port (ICMP) as ECONNREFUSED."""

    def __init__(self, server: Nameserver) -> None:
        self._socket = socket.socket(socket.AF_INET6 if ":" in server.address else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.connect((server.address, server.port))
        except OSError:
            self._socket.close()
            raise
        self._waiting: dict[int, tuple[wire.Question, asyncio.Future[wire.Reply]]] = {}
        self._retired = False
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._readable)

    @property
    def in_use(self) -> bool:
        return bool(self._waiting)

    def takes(self, asked: wire.Question) -> bool:
        """May this question go over this socket?"""
        return not self._retired and len(self._waiting) < SHARED and asked.id not in self._waiting

    async def exchange(self, asked: wire.Question) -> wire.Reply:
        answered = self._loop.create_future()
        self._waiting[asked.id] = (asked, answered)
        try:
            self._socket.send(asked.wire)
            reply: wire.Reply = await answered
            return reply
        except BaseException:
            self._retired = True
            raise
        finally:
            del self._waiting[asked.id]

    def close(self) -> None:
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _readable(self) -> None:
        for _ in range(AT_ONCE):
            try:
                data = self._socket.recv(65535)
            except BlockingIOError:
                return
            except OSError as error:
                self._fail(error)
                return
            if data:
                self._heard(data)

    def _heard(self, data: bytes) -> None:
        """Give an answer to whom it is for; bytes that are no message end every try, since they may be for anyone."""
        asked, answered = self._waiting.get(int.from_bytes(data[:2]), (None, None))
        try:
            reply = wire.parse(asked, data)
        except wire.Malformed as malformed:
            if answered is None:
                self._fail(malformed)
            elif not answered.done():
                answered.set_exception(malformed)
            return
        if reply is not None and answered is not None and not answered.done():
            answered.set_result(reply)

    def _fail(self, error: Exception) -> None:
        for _, answered in self._waiting.values():
            if not answered.done():
                answered.set_exception(type(error)(*error.args))
