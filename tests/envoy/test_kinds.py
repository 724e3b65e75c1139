"""Kinds of routes beyond plain HTTP, and hosts that share the requests: a live Envoy beside the forecast."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

import pomprobe
from pomprobe.envoy.find import Binary
from pomprobe.envoy.reproduce import Options, Reproducer
from pomprobe.model import EnvoyReply
from pomprobe.plan import plan
from pomprobe.system_ca import read_bundle
from servers.health import closed_port, serve

from .asking import Handler

OPENED = b"HTTP/1.1 200 OK\r\n\r\n"
REQUESTS = 24


def connect(answer: bytes, *, closes: bool = False) -> Handler:
    """What answers the CONNECT of a client that Envoy passes on."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        if closes:
            writer.close()
        else:
            await reader.read()

    return handle


def first(words: bytes, *, closes: bool) -> Handler:
    """A server that speaks first, or not at all."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        await writer.drain()
        if closes:
            writer.close()
        else:
            await reader.read()

    return handle


def app(status: int, degraded: bool = False) -> Handler:
    """Answers requests with this status, and its health check with 200."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            answer = (
                b"200 OK\r\nx-envoy-degraded: 1"
                if b"/healthz" in head and degraded
                else b"200 OK"
                if b"/healthz" in head
                else b"%d X" % status
            )
            writer.write(b"HTTP/1.1 " + answer + b"\r\ncontent-length: 0\r\n\r\n")

    return handle


TUNNELS: dict[str, tuple[str, Handler | None]] = {
    "tunnel": ("tcp", first(b"", closes=False)),
    "tunnel-closed": ("tcp", first(b"", closes=True)),
    "tunnel-banner-closed": ("tcp", first(b"no\r\n", closes=True)),
    "tunnel-refused": ("tcp", None),
    "chain": ("http", connect(OPENED)),
    "chain-closed": ("http", connect(b"", closes=True)),
    "chain-405": ("http", connect(b"HTTP/1.1 405 X\r\ncontent-length: 0\r\n\r\n")),
    "chain-ends": ("http", connect(OPENED, closes=True)),
}
CHECK = "{timeout: 1s, interval: 60s, healthy_threshold: 1, unhealthy_threshold: 1, http_health_check: {path: /healthz}}"


@pytest.mark.timeout(90)
async def test_a_live_envoy_answers_what_is_forecast(envoy: Binary, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tunnels, chains of proxies, 0.0.0.0, weights and degraded hosts, all in one Envoy: the same answers, in nearly the same shares."""
    async with contextlib.AsyncExitStack() as stack:
        lines = []
        for name, (scheme, handler) in TUNNELS.items():
            port = stack.enter_context(closed_port()) if handler is None else await stack.enter_async_context(serve(handler))
            lines.append(f"- {{name: {name}, from: 'tcp+https://{name}.example.com:22', to: '{scheme}://127.0.0.1:{port}'}}")
        fine, bad = await stack.enter_async_context(serve(app(200))), await stack.enter_async_context(serve(app(418)))
        slower = await stack.enter_async_context(serve(app(418, degraded=True)))
        lines += [
            f"- {{name: here, from: 'https://a.example.com', to: 'http://0.0.0.0:{fine}'}}",
            f"- {{name: weights, from: 'https://b.example.com', to: ['http://127.0.0.1:{fine},1', 'http://127.0.0.1:{bad},3']}}",
            f"- {{name: degraded, from: 'https://c.example.com', health_checks: [{CHECK}],"
            f" to: ['http://127.0.0.1:{fine}', 'http://127.0.0.1:{slower}']}}",
        ]
        config = pomprobe.load("config.yaml", text="\n".join(("routes:", *lines)).encode())
        forecast = await pomprobe.probe(config, pomprobe.Options(second_look=False))
        planned = list(zip(config.routes, plan(config, read_bundle()), strict=True))
        asked = Reproducer(config, planned, Options(envoy, REQUESTS, 30.0))
        await asked.run()
    for report, live in zip(forecast.routes, asked.seen(), strict=True):
        told = {_of(entry.reply): entry.share for entry in report.forecast}
        seen = {_of(reply): share for reply, share in live.entries}
        assert told.keys() == seen.keys(), report.route.name
        assert told == pytest.approx(seen, abs=0.3), report.route.name


def _of(reply: EnvoyReply) -> tuple[int, str, str]:
    return reply.status, reply.response_flags, reply.response_code_details
