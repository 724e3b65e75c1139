"""Upstreams of a few lines over HTTP/2."""

from __future__ import annotations

import asyncio
import struct
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import Awaitable, Callable
from contextlib import suppress

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

from .http1 import FOREVER, Handler

Connection = h2.connection.H2Connection
Reply = Callable[[Connection, Writer, int], Awaitable[None]]
Headers = list[tuple[str, str]]

LENIENT = h2.config.H2Configuration(
    client_side=False,
    header_encoding="latin1",
    validate_inbound_headers=False,
    validate_outbound_headers=False,
    normalize_outbound_headers=False,
)


def serving(reply: Reply, *, settings: bool = True, at_once: Reply | None = None) -> Handler:
    """A server that replies to each request; `at_once`: instead, as soon as a client is there."""

    async def handle(reader: Reader, writer: Writer) -> None:
        connection = Connection(LENIENT)
        if settings:
            connection.initiate_connection()
            await flush(connection, writer)
        if at_once is not None:
            await at_once(connection, writer, 0)
            return
        replies: set[asyncio.Task[None]] = set()
        try:
            while data := await reader.read(65536):
                try:
                    events = connection.receive_data(data)
                except h2.exceptions.ProtocolError:
                    await flush(connection, writer)
                    return
                for event in events:
                    if isinstance(event, h2.events.RequestReceived):
                        assert event.stream_id is not None
                        replies.add(asyncio.create_task(_quietly(reply(connection, writer, event.stream_id))))
                await flush(connection, writer)
        finally:
            for task in replies:
                task.cancel()
            await asyncio.gather(*replies, return_exceptions=True)

    return handle


async def _quietly(reply: Awaitable[None]) -> None:
    with suppress(OSError, h2.exceptions.H2Error):
        await reply


async def flush(connection: Connection, writer: Writer) -> None:
    if data := connection.data_to_send():
        writer.write(data)
        await writer.drain()


def answers(headers: Headers, body: bytes) -> Reply:
    async def reply(connection: Connection, writer: Writer, stream: int) -> None:
        connection.send_headers(stream, headers)
        connection.send_data(stream, body, end_stream=True)
        await flush(connection, writer)

    return reply


OK = answers([(":status", "200"), ("content-type", "text/plain")], b"h2 ok")


def resets(code: str, *, started: bool = False) -> Reply:
    """RST_STREAM with this code, possibly within the body."""

    async def reply(connection: Connection, writer: Writer, stream: int) -> None:
        if started:
            connection.send_headers(stream, [(":status", "200"), ("content-length", "100")])
            connection.send_data(stream, b"part")
            await flush(connection, writer)
            await asyncio.sleep(0.15)
        connection.reset_stream(stream, h2.errors.ErrorCodes[code])
        await flush(connection, writer)

    return reply


def goes_away(last: int | None, after: float) -> Reply:
    async def reply(connection: Connection, writer: Writer, stream: int) -> None:
        connection.close_connection(error_code=0, last_stream_id=last)
        await flush(connection, writer)
        await asyncio.sleep(after)
        writer.close()

    return reply


async def silent(connection: Connection, writer: Writer, stream: int) -> None:
    await asyncio.sleep(FOREVER)


async def cut(connection: Connection, writer: Writer, stream: int) -> None:
    connection.send_headers(stream, [(":status", "200"), ("content-length", "100")])
    connection.send_data(stream, b"part")
    await flush(connection, writer)
    await asyncio.sleep(0.15)
    writer.close()


async def trickles(connection: Connection, writer: Writer, stream: int) -> None:
    connection.send_headers(stream, [(":status", "200")])
    for _ in range(20):
        connection.send_data(stream, b"part")
        await flush(connection, writer)
        await asyncio.sleep(0.5)


def grpc_health(state: int | None, grpc_status: str = "0") -> Reply:
    """A gRPC health service: serving status as a number, or a gRPC status alone."""

    async def reply(connection: Connection, writer: Writer, stream: int) -> None:
        headers = [(":status", "200"), ("content-type", "application/grpc")]
        if state is None:
            connection.send_headers(stream, [*headers, ("grpc-status", grpc_status)], end_stream=True)
        else:
            message = b"\x08" + bytes([state])
            connection.send_headers(stream, headers)
            connection.send_data(stream, b"\0" + struct.pack(">I", len(message)) + message)
            connection.send_headers(stream, [("grpc-status", grpc_status)], end_stream=True)
        await flush(connection, writer)

    return reply
