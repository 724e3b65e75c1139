"""Every connection that pomprobe makes beside a route's own is listed by --verbose: counted where they arrive, in front of the server."""

from __future__ import annotations

import asyncio
import contextlib
import io
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from typing import Any

import pytest

import servers.tls
from causes.apps import SWITCHING, App, Headers, redirecting, virtual_host, websocket
from causes.playing import Played, play, response
from causes.test_tls import OUR_CA
from envoy.scenes import tls as scenes
from pomprobe.report import Style, write
from servers.certificates import mint, root
from servers.dns import dns_server
from servers.health import HTTP2, serve, tls

FROM = "app.example.com"
PAGE = response(200)
CHECK = "health_checks: [{timeout: 1s, interval: 5s, healthy_threshold: 1, unhealthy_threshold: 1, http_health_check: {path: /healthz}}]"


class Door:
    """Counts who comes in, and hands on what they say to the port behind."""

    def __init__(self, behind: int) -> None:
        self.behind = behind
        self.count = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.count += 1
        inner, outer = await asyncio.open_connection("127.0.0.1", self.behind)
        await asyncio.gather(pour(reader, outer), pour(inner, writer))


async def pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    with contextlib.suppress(OSError):
        sink.close()


@asynccontextmanager
async def door(behind: int, host: str = "127.0.0.1") -> AsyncIterator[tuple[Door, int]]:
    counting = Door(behind)
    async with serve(counting, host=host) as port:
        yield counting, port


def named(choose: Callable[[ssl.SSLObject, str | None, ssl.SSLContext], int | None], name: str = FROM) -> ssl.SSLContext:
    context = tls(name)
    context.sni_callback = choose
    return context


def unrecognized(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> int | None:
    return None if name == FROM else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME


@asynccontextmanager
async def blocking(server: AbstractContextManager[int]) -> AsyncIterator[int]:
    with server as port:
        yield port


def checked(path: str, sent: Headers) -> bytes:
    return response(404) if path == "/healthz" and not sent["host"].startswith("127.") else PAGE


def page(_: str, __: Headers) -> bytes:
    return PAGE


Server = Callable[[], AbstractAsyncContextManager[int]]

SCENES: dict[str, tuple[Server, str, int]] = {
    "nothing to look at": (lambda: serve(App(page)), "to: http://127.0.0.1:{port}", 0),
    "other name": (lambda: serve(App(page), tls("app.lab.test")), f"to: https://127.0.0.1:{{port}}\n{OUR_CA}", 2),
    "name refused": (
        lambda: blocking(scenes.threaded(scenes.sending_alerts(named(unrecognized)))), f"to: https://127.0.0.1:{{port}}\n{OUR_CA}", 1,
    ),
    "renegotiation": (
        lambda: blocking(servers.tls.threaded(servers.tls.renegotiating(mint("l", root()), answer=PAGE))),
        "to: https://127.0.0.1:{port}\ntls_skip_verify: true", 1,
    ),
    "plain behind https": (lambda: serve(App(page)), "to: https://127.0.0.1:{port}", 1),
    "TLS behind http": (lambda: serve(App(page), tls()), "to: http://127.0.0.1:{port}", 1),
    "HTTP/2 behind http": (lambda: serve(HTTP2()), "to: http://127.0.0.1:{port}", 1),
    "HTTP/1.1 behind h2c": (lambda: serve(App(page)), "to: h2c://127.0.0.1:{port}", 1),
    "other host": (lambda: serve(App(virtual_host(FROM, response(404)))), "to: http://127.0.0.1:{port}", 1),
    "redirect": (lambda: serve(App(redirecting)), "to: http://127.0.0.1:{port}", 1),
    "other server name": (
        lambda: serve(App(virtual_host("none", response(421))), tls(FROM)),
        f"to: https://127.0.0.1:{{port}}\npreserve_host_header: true\ntls_upstream_server_name: '*.example.com'\n{OUR_CA}", 1,
    ),
    "upgrade required": (lambda: serve(App(websocket(response(426)))), "to: http://127.0.0.1:{port}", 1),
    "websocket": (lambda: serve(App(websocket(PAGE))), "to: http://127.0.0.1:{port}\nallow_websockets: true", 1),
    "websocket refused": (
        lambda: serve(App(websocket(PAGE, response(403), FROM))), "to: http://127.0.0.1:{port}\nallow_websockets: true", 2,
    ),
    "spdy": (lambda: serve(App(page)), "to: http://127.0.0.1:{port}\nallow_spdy: true", 1),
    "other upgrades": (lambda: serve(App(page)), "to: http://127.0.0.1:{port}\nallow_upgrades: [a, b, c, d]", 3),
    "health check": (lambda: serve(App(checked)), "to: http://127.0.0.1:{port}\n" + CHECK, 1),
}  # fmt: skip


def listed(played: Played) -> list[str]:
    """What --verbose prints as tried, after making sure that it does."""
    out = io.StringIO()
    write(played.report, "text", out, Style(color=False, width=1000, unicode=True, verbose=True))
    outcomes = [o for u in played.route.upstreams for e in u.endpoints for o in e.outcomes]
    tried = [one for o in outcomes for one in (o.facts.get("tried") or ())]  # type: ignore[union-attr]
    printed = [line for line in out.getvalue().splitlines() if line.strip().startswith("tried")]
    assert all(any(str(one) in line for line in printed) for one in tried), (tried, printed)
    return [str(one) for one in tried]


@pytest.mark.parametrize(("server", "keys", "further"), SCENES.values(), ids=SCENES)
async def test_what_arrives_is_what_is_listed(server: Server, keys: str, further: int) -> None:
    """One connection for the request, one for a health check, and those that stand under `tried`."""
    own = 2 if "health_checks" in keys else 1
    async with server() as behind, door(behind) as (counting, port):
        played = await play(keys.replace("{port}", str(port)))
        assert (further, own + further) == (len(listed(played)), counting.count)
        before = counting.count
        bare = await play(keys.replace("{port}", str(port)), second_look=False)
    assert (own, []) == (counting.count - before, listed(bare))


async def test_the_other_family() -> None:
    """A query for its records, and one request to the first of them."""
    async with serve(App(page)) as behind, door(behind, "::1") as (counting, port):
        zone = {"app.lab.test": [("A", "127.0.0.1"), ("AAAA", "::1")]}
        async with dns_server(zone) as names:
            played = await play(f"to: http://app.lab.test:{port}", f"dns_resolvers: [udp://127.0.0.1:{names.port}]")
    assert (["AAAA records of app.lab.test", f"the same request to [::1]:{port}"], 1) == (listed(played), counting.count)


async def test_tls_behind_a_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handshake at a port that is TLS' by custom."""

    async def waits(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serve(waits, tls()) as behind, door(behind) as (counting, port):
        monkeypatch.setattr("pomprobe.secondlook.TLS_PORTS", (port,))
        played = await play(f"- from: tcp+https://db.example.com:5432\n  to: tcp://127.0.0.1:{port}\n")
    assert ([f"TLS to 127.0.0.1:{port}"], 2) == (listed(played), counting.count)


@pytest.mark.parametrize(("options", "own", "further"), [({"samples": 3}, 3, 0), ({"idle_probe": 0.2}, 1, 0), ({"websocket": "/ws"}, 1, 1)])
async def test_what_options_ask_for(options: dict[str, Any], own: int, further: int) -> None:
    """Samples are requests of the route's own; an idle connection is the one that there is; --websocket is listed."""

    def answer(path: str, headers: Headers) -> bytes:
        return SWITCHING if headers.get("upgrade") else PAGE

    async with serve(App(answer)) as behind, door(behind) as (counting, port):
        played = await play(f"to: http://127.0.0.1:{port}", **options)
    assert (further, own + further) == (len(listed(played)), counting.count)
