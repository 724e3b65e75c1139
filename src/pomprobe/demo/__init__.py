"""pomprobe demo: upstreams on loopback that misbehave, one for each error of Pomerium's page, and a check of them.

It doubles as an example of the library: `check` is all that it takes to probe a config and to read the report.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import sys
import tempfile
import textwrap
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import anyio
from anyio.abc import SocketAttribute, SocketStream, TaskStatus
from anyio.streams.tls import TLSStream

import pomprobe

from ..signals import heeded, received
from . import certificate, dns
from .exhibits import EXHIBITS, Exhibit, Server

if TYPE_CHECKING:
    from ..model import Report
    from ..report.style import Style


def run(style: Style) -> int:
    """Start the upstreams, check them, print the report and what Pomerium's page says beside it, and stop them.

    Returns the signal that ended it early, or 0. Raises OSError where standard output takes no more.
    """
    from ..report import write

    try:
        report, ended = anyio.run(_until_signalled)
    except ExceptionGroup as group:
        raise _first(group) from None
    if report is not None:
        write(report, "text", sys.stdout, style)
        sys.stdout.write("\n" + "\n".join(comparison(report)) + "\n")
    return ended


async def _until_signalled() -> tuple[Report | None, int]:
    """Check, unless a signal comes first: even then the upstreams are stopped and their directory is removed."""
    report, ended = None, 0
    with received(heeded()) as signals:
        async with anyio.create_task_group() as tasks:

            async def listen() -> None:
                nonlocal ended
                async for number in signals:
                    ended = number
                    asyncio.get_running_loop().set_exception_handler(_all_but_a_race)
                    break
                tasks.cancel_scope.cancel()

            tasks.start_soon(listen)
            report = await check(sys.stdout)
            tasks.cancel_scope.cancel()
    return report, ended


def _all_but_a_race(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """asyncio stumbles where a connection comes in the moment in which `accept` is cancelled (selector_events.py, _sock_accept)."""
    if not isinstance(context.get("exception"), asyncio.InvalidStateError):
        loop.default_exception_handler(context)


def _first(group: BaseExceptionGroup[Exception]) -> Exception:
    """What really happened: a task group wraps what its body raises."""
    inner: Exception | BaseExceptionGroup[Exception] = group
    while isinstance(inner, BaseExceptionGroup):
        inner = inner.exceptions[0]
    return inner


async def check(out: TextIO) -> Report:
    """The library in three lines: load a config, probe it, use the report."""
    async with upstreams() as path:
        out.write(f"{len(EXHIBITS)} upstreams on loopback, and a Pomerium config for them, {path}:\n\n{_numbered(path)}\n")
        config = pomprobe.load(path)
        return await pomprobe.probe(config)


def comparison(report: Report) -> Iterator[str]:
    """Beside each claim of Pomerium's page: what users really get."""
    yield "What Pomerium's page calls it, and what its users get:"
    for exhibit, route in zip(EXHIBITS, report.routes, strict=True):
        yield f"\n  {exhibit.name}" + (f" ({exhibit.page})" if exhibit.page else "")
        for entry in route.forecast:
            reply = entry.reply
            yield f"    {entry.share:4.0%}  {reply.status} {reply.response_flags} {reply.response_code_details}"


@asynccontextmanager
async def upstreams(exhibits: Sequence[Exhibit] = EXHIBITS) -> AsyncIterator[Path]:
    """The upstreams and their name server, on ports that the kernel chooses; gives the path of a config that routes to them.

    Nothing is left when the block ends: no task, no socket, no file.
    """
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="pomprobe-demo-"))
        async with await anyio.create_udp_socket(local_host="127.0.0.1") as udp, anyio.create_task_group() as tasks:
            tasks.start_soon(dns.serve, udp)
            context = certificate.create(Path(directory))
            ports = [
                _closed(stack) if exhibit.server is None else await tasks.start(_serve, exhibit.server, context if exhibit.tls else None)
                for exhibit in exhibits
            ]
            yield _write(Path(directory, "demo.yaml"), exhibits, ports, udp.extra(SocketAttribute.local_port))
            tasks.cancel_scope.cancel()


def _write(path: Path, exhibits: Sequence[Exhibit], ports: Sequence[int], resolver: int) -> Path:
    """A Pomerium config with a route for each exhibit, under the error that the page would describe it by."""
    routes = []
    for exhibit, port in zip(exhibits, ports, strict=True):
        comment = f"  # {exhibit.page}\n" if exhibit.page else ""
        keys = f"name: {exhibit.name}\nfrom: https://{exhibit.name}.example.com\n{exhibit.route.strip()}"
        route = textwrap.indent(keys.format(port=port, directory=path.parent), "    ").lstrip()
        routes.append(f"{comment}  - {route}\n")
    path.write_text(f"dns_resolvers: [udp://127.0.0.1:{resolver}]\nroutes:\n" + "".join(routes))
    return path


def _numbered(path: Path) -> str:
    return "".join(f"{number:3}  {line}\n" for number, line in enumerate(path.read_text().splitlines(), 1))


def _closed(stack: contextlib.ExitStack) -> int:
    """A port on which nothing listens, and nothing will: it is bound as long as the stack is open."""
    holder = stack.enter_context(socket.socket())
    holder.bind(("127.0.0.1", 0))
    port: int = holder.getsockname()[1]
    return port


async def _serve(server: Server, tls: ssl.SSLContext | None, *, task_status: TaskStatus[int]) -> None:
    """Listen on a free port of loopback, and let the server behave as it does on each connection."""

    async def handle(client: SocketStream) -> None:
        async with client:
            with contextlib.suppress(anyio.EndOfStream, anyio.BrokenResourceError, ssl.SSLError):  # the prober has seen enough
                await server(await TLSStream.wrap(client, server_side=True, ssl_context=tls) if tls else client)

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        task_status.started(listener.extra(SocketAttribute.local_port))
        await listener.serve(handle)
