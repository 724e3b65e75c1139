"""Upstreams as users run them: what they answer depends on what they are asked."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .playing import response

Headers = dict[str, str]
Answering = Callable[[str, Headers], bytes]
"""Path and headers (names in lower case) -> the bytes of the answer; none: close the connection."""

SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n"

CLIENT_HELLO, PREFACE = b"\x16\x03\x01", b"PRI"


@dataclass
class App:
    """A handler for servers.health.serve; keeps the headers of each request. What is not HTTP/1.1 gets a 400, as from nginx."""

    answer: Answering
    asked: list[Headers] = field(default_factory=list)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            begin = await reader.readexactly(3)
            if begin in (CLIENT_HELLO, PREFACE):
                writer.write(response(400, "connection: close\r\n"))
                writer.close()
                return
            head = (begin + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            self.asked.append(headers)
            said = self.answer(first.split()[1], headers)
            if not said:
                writer.close()
                return
            writer.write(said)
            await writer.drain()


def websocket(plain: bytes, refused: bytes | None = None, host: str = "") -> Answering:
    """Opens a websocket (if `host` is given: under that Host only, else it says `refused`); a plain request gets `plain`."""

    def answer(path: str, headers: Headers) -> bytes:
        if headers.get("upgrade") != "websocket":
            return plain
        if refused is not None and (not host or headers["host"] != host):
            return refused
        return SWITCHING

    return answer


def virtual_host(host: str, otherwise: bytes) -> Answering:
    """Serves one Host; any other gets `otherwise`."""
    return lambda path, headers: response(200) if headers["host"] == host else otherwise


def redirecting(path: str, headers: Headers) -> bytes:
    """Builds its redirect to the login from the Host header."""
    return response(302, f"location: http://{headers['host']}/login\r\n")


@contextlib.contextmanager
def dropping() -> Iterator[int]:
    """A port of 127.0.0.1 whose queue is full, so that Linux drops every further SYN, as a firewall does."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
