"""Upstreams that misbehave: each takes one request on an open connection, and then does what its name says."""

from __future__ import annotations

import socket
import struct

import anyio
from anyio.abc import ByteStream, SocketAttribute

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nok\n"


async def healthy(client: ByteStream) -> None:
    """200."""
    await _request(client)
    await client.send(OK)


async def broken_app(client: ByteStream) -> None:
    """500, the app's own."""
    await _request(client)
    await client.send(b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 5\r\nconnection: close\r\n\r\noops\n")


async def unhealthy(client: ByteStream) -> None:
    """503 to the health check at /healthz, 200 to everybody else."""
    path = await _request(client)
    unavailable = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    await client.send(unavailable if path == "/healthz" else OK)


async def silent(client: ByteStream) -> None:
    """Takes the request and never answers."""
    await _request(client)
    await anyio.sleep_forever()


async def resetting(client: ByteStream) -> None:
    """Takes the request and resets the connection."""
    await _request(client)
    linger_not = struct.pack("ii", 1, 0)  # close() sends RST in place of FIN: socket(7), SO_LINGER
    client.extra(SocketAttribute.raw_socket).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_not)


async def cutting(client: ByteStream) -> None:
    """Promises 1,000 bytes, sends 9, and closes."""
    await _request(client)
    await client.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nonce upon")


async def _request(client: ByteStream) -> str:
    """The path of a request without a body, once its head is here."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += await client.receive()
    return head.split(b" ", 2)[1].decode()
