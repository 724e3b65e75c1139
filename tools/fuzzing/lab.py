"""One Envoy with many workers, each an upstream that answers the next request with the bytes that it is given."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import anyio

from pomprobe.envoy.admin import connected
from pomprobe.envoy.bootstrap import ACCESS_LOG, ADMIN, LISTENER, static
from pomprobe.envoy.client import ask
from pomprobe.envoy.find import Binary
from pomprobe.envoy.log import AccessLog
from pomprobe.envoy.process import check, private_folder, running
from pomprobe.envoy.results import Sample
from pomprobe.envoy.values import Files
from pomprobe.model import Cluster, Config, EnvoyReply, Place, Route, RouteKind, Settings, TLSOptions, Upstream
from pomprobe.plan import Bundle, plan

from . import tls13
from .chains import MODERN, NAME, TRUST
from .tls import SESSION_ID

Scheme = Literal["http", "h2c", "https"]
PLACE = Place("fuzz", 1, 1)
SETTINGS = Settings(default_upstream_timeout=4.0)
RST = struct.pack("ii", 1, 0)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@dataclass(frozen=True)
class Script:
    """What a server says after the request, and how it ends the connection then."""

    data: bytes
    ending: Literal["fin", "rst", "silence"] = "fin"


@dataclass
class Worker:
    """One upstream, the route to it, and what it says next."""

    cluster: Cluster
    script: Script = field(default_factory=lambda: Script(b""))


class Lab:
    """A running Envoy and its workers."""

    def __init__(self, port: int, log: AccessLog, workers: list[Worker]) -> None:
        self._port = port
        self._log = log
        self.workers = workers

    async def answer(self, worker: Worker, script: Script) -> EnvoyReply | None:
        """What Envoy makes of it; None: nothing within the route's time."""
        worker.script = script
        index = worker.cluster.route.index
        ended = await ask(self._port, worker.cluster, str(index), 10.0)
        return Sample(await self._log.line(str(index)), ended).reply


@asynccontextmanager
async def lab(binary: Binary, scheme: Scheme, count: int) -> AsyncIterator[Lab]:
    """Start everything; stop it at the end."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(private_folder())
        workers: list[Worker] = []
        ports = [await stack.enter_async_context(_server(scheme, workers, index)) for index in range(count)]
        workers.extend(Worker(cluster) for cluster in clusters(scheme, ports))
        config = folder / "envoy.json"
        config.write_text(json.dumps(_configuration(workers, folder)))
        process = await stack.enter_async_context(running(binary, folder, config))
        admin = await stack.enter_async_context(connected(folder / ADMIN))
        with anyio.fail_after(30):
            while not await admin.ready():
                check(process, folder)
                await anyio.sleep(0.05)
        names = [str(worker.cluster.route.index) for worker in workers]
        log = AccessLog(folder / ACCESS_LOG, dict(zip(names, names, strict=True)))
        stack.callback(log.close)
        group = await stack.enter_async_context(anyio.create_task_group())
        stack.callback(group.cancel_scope.cancel)
        group.start_soon(log.follow)
        yield Lab(await admin.port(LISTENER), log, workers)


def clusters(scheme: Scheme, ports: list[int]) -> list[Cluster]:
    """A route for each port."""
    routes = tuple(_route(scheme, index, port) for index, port in enumerate(ports))
    return [cluster for cluster in plan(Config("fuzz", routes, SETTINGS), Bundle(TRUST, "fuzz")) if cluster]


def _route(scheme: Scheme, index: int, port: int) -> Route:
    upstream = Upstream(f"{scheme}://127.0.0.1:{port}", scheme, "127.0.0.1", port, True, "", None, PLACE)
    tls = TLSOptions(server_name=NAME)
    named = f"route-{index}"
    return Route(str(index), index, RouteKind.HTTP, "https://fuzz.test", "fuzz.test", (upstream,), PLACE, cluster_name=named, tls=tls)


def _configuration(workers: list[Worker], folder: Path) -> dict[str, object]:
    """Pomerium's, but one request for each connection, so that no case sees another one's."""
    choices = {worker.cluster.route.index: str(worker.cluster.route.index) for worker in workers}
    message = static([worker.cluster for worker in workers], SETTINGS, choices, folder, Files(folder))
    for cluster in message["static_resources"]["clusters"]:
        for options in cluster["typed_extension_protocol_options"].values():
            options["common_http_protocol_options"] = {"max_requests_per_connection": 1}
    return message


@asynccontextmanager
async def _server(scheme: Scheme, workers: list[Worker], index: int) -> AsyncIterator[int]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = await READERS[scheme](reader)
            script = workers[index].script
            writer.write(said(script, asked))
            await writer.drain()
            if script.ending == "rst":
                await asyncio.sleep(0.02)  # what was sent is to be read before the reset
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
                writer.transport.abort()
            if script.ending != "silence":
                writer.write_eof()
            while await reader.read(65536):  # a close with bytes unread would be a reset
                pass
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def said(script: Script, asked: bytes) -> bytes:
    """The script's bytes, with what they repeat of the ClientHello, or encrypted for it."""
    if script.data.startswith(MODERN):
        return tls13.flight(asked, script.data.removeprefix(MODERN))
    return script.data.replace(SESSION_ID, asked[44 : 44 + asked[43]] if len(asked) > 44 else b"")


async def _read_http1(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


async def _read_http2(reader: asyncio.StreamReader) -> bytes:
    """The preface, and frames up to the HEADERS that end the request."""
    await reader.readexactly(len(PREFACE))
    while True:
        head = await reader.readexactly(9)
        await reader.readexactly(int.from_bytes(head[:3]))
        if head[3] == 1:
            return head


async def _read_client_hello(reader: asyncio.StreamReader) -> bytes:
    """The first record."""
    head = await reader.readexactly(5)
    return head + await reader.readexactly(int.from_bytes(head[3:]))


READERS = {"http": _read_http1, "h2c": _read_http2, "https": _read_client_hello}
