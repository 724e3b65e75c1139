"""The upstreams whose probing is broken at every await: all are well, and between them they use every stage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

from robust.hostile import context, frame
from servers.dns import dns_server
from servers.http import say, upstream

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@asynccontextmanager
async def datagrams() -> AsyncIterator[int]:
    """A UDP server that answers everything."""

    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, address: Any) -> None:
            self.transport.sendto(b"here", address)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Echo, ("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


@asynccontextmanager
async def playing(handler: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any], tls: Any = None) -> AsyncIterator[int]:
    """A server on loopback."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await handler(reader, writer)
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if b"upgrade: websocket" in head.lower():
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n")
    else:
        writer.write(OK)
    await reader.read()


async def http2(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers whatever is asked with 200, and a gRPC health check with SERVING."""
    body = b"\0\0\0\0\x02\x08\x01"
    headers = b"\x88\x00\x0ccontent-type\x10application/grpc"
    trailers = b"\x00\x0bgrpc-status\x010"
    await reader.readuntil(b"SM\r\n\r\n")
    writer.write(frame(4))
    while True:
        head = await reader.readexactly(9)
        await reader.readexactly(int.from_bytes(head[:3], "big"))
        if head[3] in (0, 1) and head[4] & 1:  # END_STREAM: the request is complete
            writer.write(frame(1, 4, 1, headers) + frame(0, 0, 1, body) + frame(1, 5, 1, trailers))


async def banner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-x\r\n")
    await reader.read()


def upstreams() -> tuple[Callable[[], AbstractAsyncContextManager[Any]], ...]:
    return (
        lambda: playing(http),
        lambda: playing(http, context()()),
        lambda: playing(http2),
        lambda: playing(banner),
        datagrams,
        lambda: upstream(say(b"HTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n")),
        lambda: dns_server({"a.test": [("A", "127.0.0.1")], "six.test": [("A", "127.0.0.1"), ("AAAA", "::1")], "cut.test": "TC"}),
    )


def routes(ports: list[Any]) -> dict[str, Any]:
    plain, secure, two, ssh, udp, sick, names = ports
    check = {"timeout": "2s", "interval": "2s", "healthy_threshold": 1, "unhealthy_threshold": 1}
    found: dict[str, dict[str, Any]] = {
        "plain": {"to": f"http://127.0.0.1:{plain}", "health_checks": [{**check, "http_health_check": {"path": "/"}}]},
        "name": {"to": f"http://a.test:{plain}", "health_checks": [{**check, "tcp_health_check": {}}]},
        "two addresses": {"to": f"http://six.test:{plain}"},
        "tls": {"to": f"https://127.0.0.1:{secure}", "tls_skip_verify": True},
        "untrusted": {"to": f"https://127.0.0.1:{secure}"},
        "h2c": {"to": f"h2c://127.0.0.1:{two}", "health_checks": [{**check, "grpc_health_check": {}}]},
        "websocket": {"to": f"http://127.0.0.1:{plain}", "allow_websockets": True, "prefix": "/ws"},
        "tunnel": {"from": "tcp+https://t.example.com:22", "to": f"tcp://127.0.0.1:{ssh}"},
        "datagram": {"from": "udp+https://u.example.com:53", "to": f"udp://127.0.0.1:{udp}"},
        "sick": {"to": f"http://127.0.0.1:{sick.port}"},
        "refused": {"to": "http://six.test:1"},
    }
    made = [{"name": name, "from": f"https://{name.replace(' ', '-')}.example.com", "timeout": "5s", **one} for name, one in found.items()]
    return {"dns_resolvers": [f"udp://127.0.0.1:{names.port}"], "dns_query_timeout": "1s", "dns_query_tries": 1, "routes": made}
