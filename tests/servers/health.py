"""Servers that health checks ask: HTTP/1, HTTP/2 and anything else, with and without TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import cast

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import trustme

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Pairs = list[tuple[str, str]]


@asynccontextmanager
async def serve(handler: Handler, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """Give every connection to the handler, which leaves it open unless it closes it; gives the port."""
    writers: list[asyncio.StreamWriter] = []
    before = asyncio.all_tasks()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            await handler(reader, writer)

    server = await asyncio.start_server(handle, host, 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        # A connection that was accepted a moment ago is a task of asyncio's before it is one of ours.
        while tasks := asyncio.all_tasks() - before - {asyncio.current_task()}:
            for writer in writers:
                writer.transport.abort()
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for writer in writers:
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()


@contextmanager
def closed_port() -> Iterator[int]:
    """A port on which nothing listens, and which nobody else gets."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


@dataclass
class HTTP1:
    """Answers every request with the same bytes; b"" closes, None says nothing."""

    response: bytes | None
    requests: list[bytes] = field(default_factory=list)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            if self.response == b"":
                writer.close()
                return
            if self.response is not None:
                writer.write(self.response)


def response(status: int, headers: str = "", body: bytes = b"ok") -> bytes:
    """An HTTP/1.1 response."""
    return f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n{headers}\r\n".encode() + body


@dataclass
class HTTP2:
    """Answers every stream with headers, a body (None: none) and trailers; keeps what was asked."""

    headers: Pairs = field(default_factory=lambda: [(":status", "200")])
    body: bytes | None = b"ok"
    trailers: Pairs = field(default_factory=list)
    reset: int | None = None
    requests: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        config = h2.config.H2Configuration(client_side=False, header_encoding="latin-1", validate_outbound_headers=False)
        connection = h2.connection.H2Connection(config)
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        while data := await reader.read(65536):
            try:
                events = connection.receive_data(data)
            except h2.exceptions.ProtocolError:  # HTTP/1 came
                writer.write(connection.data_to_send())
                writer.close()
                return
            for event in events:
                match event:
                    case h2.events.RequestReceived():
                        self.requests.append(dict(cast("Pairs", event.headers)))
                        if self.requests[-1][":method"] == "CONNECT":  # its stream stays open
                            self._answer(connection, event.stream_id)
                    case h2.events.DataReceived():
                        self.bodies.append(event.data)
                    case h2.events.StreamEnded():
                        self._answer(connection, event.stream_id)
            writer.write(connection.data_to_send())

    def _answer(self, connection: h2.connection.H2Connection, stream: int) -> None:
        if self.reset is not None:
            connection.reset_stream(stream, self.reset)
            return
        only_headers = self.body is None and not self.trailers
        connection.send_headers(stream, self.headers, end_stream=only_headers)
        if self.body is not None:
            connection.send_data(stream, self.body, end_stream=not self.trailers)
        if self.trailers:
            connection.send_headers(stream, self.trailers, end_stream=True)


def by_alpn(http1: Handler, http2: Handler) -> Handler:
    """HTTP/2 where ALPN selected it, else HTTP/1."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        selected = writer.get_extra_info("ssl_object").selected_alpn_protocol()
        await (http2 if selected == "h2" else http1)(reader, writer)

    return handle


AUTHORITY = trustme.CA()


def tls(name: str = "up.lab.test", alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
    """A server's TLS with a certificate of AUTHORITY for that name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(name).configure_cert(context)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context
