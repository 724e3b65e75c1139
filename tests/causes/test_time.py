"""How long things take, against every timer that applies: root cause L, and the slow names of G."""

from __future__ import annotations

import asyncio
import itertools

import dns.message
import pytest

from servers.dns import Answer, dns_server
from servers.health import serve
from servers.http import say, upstream

from .apps import App
from .playing import OK, play, response

ENVOY = "set_request_headers: {{x-envoy-upstream-{}-ms: '300'}}"
PART = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\npart"


@pytest.mark.parametrize(
    ("keys", "settings", "expected", "key", "fix"),
    [
        ("timeout: 300ms", "", (504, "UT", "response_timeout"), "timeout", "`timeout: 2m`"),
        ("", "default_upstream_timeout: 300ms", (504, "UT", "response_timeout"), "default_upstream_timeout", "`default_upstream_timeout`"),
        ("idle_timeout: 300ms", "", (504, "SI", "stream_idle_timeout"), "idle_timeout", "`idle_timeout: 10m`"),
        ("", "timeout_write: 300ms", (504, "-", "max_duration_timeout"), "timeout_write", "`timeout_write`"),
        (ENVOY.format("rq-timeout"), "", (504, "UT", "response_timeout"), "x-envoy-upstream-rq-timeout-ms", "`timeout: 2m`"),
        (
            ENVOY.format("rq-per-try-timeout"), "", (504, "UT", "upstream_per_try_timeout"),
            "x-envoy-upstream-rq-per-try-timeout-ms", "`x-envoy-upstream-rq-per-try-timeout-ms`",
        ),
        (
            ENVOY.format("stream-duration"), "", (504, "UMSDR", "upstream_max_stream_duration_reached"),
            "x-envoy-upstream-stream-duration-ms", "`x-envoy-upstream-stream-duration-ms`",
        ),
    ],
)  # fmt: skip
async def test_no_answer_in_time(keys: str, settings: str, expected: tuple[int, str, str], key: str, fix: str) -> None:
    """L: whichever timer fires, what is said names the key that set it (HTTP200, HTTP201, HTTP204 …)."""
    async with upstream(say()) as server:
        played = await play(f"to: http://127.0.0.1:{server.port}\n{keys}", settings)
    assert [(1.0, *expected)] == played.forecast
    (verdict,) = [verdict for verdict in played.route.verdicts if verdict.severity == "error"]
    assert fix in " ".join(verdict.fixes)
    assert key in str(verdict.facts["timeout_key"])


@pytest.mark.parametrize(
    ("keys", "settings", "expected", "code", "fix"),
    [
        ("timeout: 300ms", "", (200, "UT", "response_timeout"), "HTTP202", "`timeout: 0s`"),
        ("timeout: 0s\nidle_timeout: 300ms", "", (200, "SI", "stream_idle_timeout"), "HTTP205", "`idle_timeout: 10m`"),
        ("timeout: 0s", "timeout_write: 300ms", (200, "-", "max_duration_timeout"), "HTTP207", "`timeout_write: 0s`"),
    ],
)
async def test_a_body_that_is_not_complete_in_time(
    keys: str, settings: str, expected: tuple[int, str, str], code: str, fix: str
) -> None:
    """L: the status is with the user already, and the body is cut."""
    async with upstream(say(PART)) as server:
        played = await play(f"to: http://127.0.0.1:{server.port}\n{keys}", settings)
    assert [(1.0, *expected)] == played.forecast
    assert fix in played.fix(code)


@pytest.mark.parametrize(
    ("keys", "settings", "code", "key"),
    [
        ("timeout: 1s", "", "HTTP701", "timeout: 2s"),
        ("idle_timeout: 1s", "", "HTTP708", "idle_timeout: 2s"),
        ("", "timeout_write: 1s", "HTTP709", "timeout_write: 2s"),
        (ENVOY.format("rq-per-try-timeout").replace("300", "1000"), "", "HTTP710", "set_request_headers"),
    ],
)
async def test_little_headroom(keys: str, settings: str, code: str, key: str) -> None:
    """L: an answer that takes most of a timer is a warning, which names the key; --warn-at moves the line."""

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.3)
        writer.write(response(200))
        await writer.drain()
        await reader.read()

    async with serve(slow) as port:
        config = f"to: http://127.0.0.1:{port}\n{keys}"
        near, far = await play(config, settings, warn_at=0.2), await play(config, settings)
    assert ([(1.0, 200, "-", OK)], "warning") == (near.forecast, near.route.status)
    assert key.partition(":")[0] in str(near.verdict(code).facts["timeout_key"])  # type: ignore[union-attr]
    assert f"`{key}`" in near.fix(code)
    assert code not in far.codes


async def test_a_health_check_with_little_headroom() -> None:
    """O: it passes today, and fails on a busy day."""

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            if b"/healthz" in head:
                await asyncio.sleep(0.3)
            writer.write(response(200))
            await writer.drain()

    rest = "interval: 5s, healthy_threshold: 1, unhealthy_threshold: 1, http_health_check: {path: /healthz}"
    check = f"health_checks: [{{timeout: 1s, {rest}}}]"
    async with serve(slow) as port:
        played = await play(f"to: http://127.0.0.1:{port}\n{check}", warn_at=0.2)
    assert ([(1.0, 200, "-", OK)], "`timeout: 2s`" in played.fix("HC153")) == (played.forecast, True)


async def test_percentiles_count_against_the_timer() -> None:
    """L: with --samples it is the slowest of the requests that is compared with the timer."""
    waits = iter((0.0, 0.3, 0.0))

    async def uneven(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(next(waits))
        writer.write(response(200))
        await writer.drain()
        await reader.read()

    async with serve(uneven) as port:
        played = await play(f"to: http://127.0.0.1:{port}\ntimeout: 1s", samples=3, warn_at=0.2)
    assert "HTTP701" in played.codes


async def test_an_app_that_answers_at_once() -> None:
    """L: nothing is said."""
    async with serve(App(lambda path, headers: response(200))) as port:
        played = await play(f"to: http://127.0.0.1:{port}\ntimeout: 5s")
    assert ("ok", set()) == (played.route.status, {code for code in played.codes if code.startswith("HTTP")})


async def test_a_dead_name_delays_every_route() -> None:
    """G: its resolver never answers; until c-ares gives up a Pomerium that starts opens no port, and that is told."""
    tries = "dns_query_timeout: 1s\ndns_query_tries: 1\n"
    async with dns_server({"dead.lab.test": "DROP"}) as names:
        played = await play("to: http://dead.lab.test:80", f"{tries}dns_resolvers: [udp://127.0.0.1:{names.port}]")
    assert [(1.0, 503, "UH", "no_healthy_upstream")] == played.forecast
    verdict = played.verdict("DNS134")
    assert "a Pomerium that starts opens no port at all" in verdict.why  # type: ignore[union-attr]
    assert "`dns_resolvers`" in verdict.fixes[1]
    assert "`dns_use_tcp: true`" in verdict.fixes[2]


async def test_a_slow_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """G: the first question is lost, the second is answered; users do not wait for it, but a new route does."""
    monkeypatch.setattr("pomprobe.insights.SLOW_NAME", 0.5)
    asked = itertools.count()

    def answer(query: dns.message.Message) -> Answer:
        return [("A", "127.0.0.1")] if next(asked) else "DROP"

    async with serve(App(lambda path, headers: response(200))) as port, dns_server({"slow.lab.test": answer}) as names:
        settings = f"dns_query_timeout: 1s\ndns_resolvers: [udp://127.0.0.1:{names.port}]"
        played = await play(f"to: http://slow.lab.test:{port}", settings)
    assert ([(1.0, 200, "-", OK)], "warning") == (played.forecast, played.route.status)
    assert "`dns_query_timeout: 1s`" in " ".join(played.verdict("DNS161").fixes)
