"""What apps answer, and how long they take: root causes E, F, L, N, P, R, S and V."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from servers.health import HTTP2, serve, tls
from servers.http import say, upstream

from .apps import SWITCHING, App, Headers, redirecting, virtual_host, websocket
from .playing import OK, play, response
from .test_tls import OUR_CA

PAGE = response(200)
FINE = [(1.0, 200, "-", OK)]
FROM = "app.example.com"


# ------------------------------------------------------------------------------------------------ E: websockets


async def test_a_websocket_that_opens() -> None:
    """E: the handshake is made as a browser's, and there is nothing to say."""
    app = App(websocket(PAGE))
    async with serve(app) as port:
        played = await play(f"to: http://127.0.0.1:{port}\nallow_websockets: true")
    assert FINE == played.forecast
    assert (f"websocket upgrade at / of 127.0.0.1:{port}",) == played.tried()
    assert 101 == played.route.upstreams[0].endpoints[0].outcomes[-1].facts["upgrade_status"]
    sent = app.asked[1]
    assert ("websocket", "upgrade", "13", f"https://{FROM}", f"127.0.0.1:{port}") == tuple(
        sent[name].lower() for name in ("upgrade", "connection", "sec-websocket-version", "origin", "host")
    )
    assert {"HTTP601", "HTTP602", "HTTP603", "HTTP604", "HTTP605"}.isdisjoint(played.codes)


async def test_a_websocket_server_on_a_route_that_allows_none() -> None:
    """E: a plain GET gets 426, the upgrade was tried and works, and the key is missing."""
    async with serve(App(websocket(response(426)))) as port:
        played = await play(f"to: http://127.0.0.1:{port}")
    assert [(1.0, 426, "-", OK)] == played.forecast
    assert "`allow_websockets: true`" in played.fix("HTTP606")


async def test_an_app_that_compares_origin_and_host() -> None:
    """E: the upgrade is refused, and opens with the Host that users type; the forecast is that of a plain request."""
    async with serve(App(websocket(PAGE, response(403), FROM))) as port:
        played = await play(f"to: http://127.0.0.1:{port}\nallow_websockets: true")
    assert (FINE, "warning") == (played.forecast, played.route.status)
    assert "`preserve_host_header: true` on this route: pomprobe tried it" in played.fix("HTTP616")
    assert f"websocket upgrade at / with Host: {FROM} of 127.0.0.1:{port}" in played.tried()


@pytest.mark.parametrize(
    ("refused", "code", "key"),
    [
        (response(200), "HTTP602", "proxy_set_header Upgrade"),
        (response(502), "HTTP604", "proxy_set_header Upgrade"),
        (response(403), "HTTP603", "preserve_host_header: true"),
        (b"", "HTTP605", "proxy_set_header Upgrade"),
        (response(404), "HTTP601", "preserve_host_header: true"),
    ],
)
async def test_an_upgrade_that_is_refused(refused: bytes, code: str, key: str) -> None:
    """E: it is told, and never part of the forecast."""
    async with serve(App(websocket(PAGE, refused))) as port:
        played = await play(f"to: http://127.0.0.1:{port}\nallow_websockets: true")
    assert FINE == played.forecast
    assert key in " ".join(played.verdict(code).fixes)


async def test_a_websocket_at_another_path() -> None:
    """E: `--websocket PATH` asks there, and nowhere else; what it finds names the path."""

    def answer(path: str, headers: Headers) -> bytes:
        return SWITCHING if path == "/api/live/ws" and headers.get("upgrade") == "websocket" else PAGE

    async with serve(App(answer)) as port:
        played = await play(f"to: http://127.0.0.1:{port}\nallow_websockets: true", websocket="/api/live/ws")
    assert (f"websocket upgrade at /api/live/ws of 127.0.0.1:{port}",) == played.tried()
    assert 101 == played.route.upstreams[0].endpoints[0].outcomes[-1].facts["upgrade_status"]


async def test_a_websocket_that_the_route_does_not_let_through() -> None:
    """E: the app opens one when asked directly, and users get 403 upgrade_failed: a warning, with the key."""
    async with serve(App(websocket(PAGE))) as port:
        played = await play(f"to: http://127.0.0.1:{port}", websocket="/ws")
        allowed = await play(f"to: http://127.0.0.1:{port}\nallow_upgrades: [websocket]", websocket="/ws")
    assert (FINE, "warning") == (played.forecast, played.route.status)
    assert "`allow_websockets: true`" in played.fix("HTTP608")
    assert (403, "upgrade_failed") == (played.verdict("HTTP608").means.status, played.verdict("HTTP608").means.code)  # type: ignore[union-attr]
    assert "ok" == allowed.route.status


async def test_the_key_at_the_top_level() -> None:
    """E: there it is ignored."""
    async with serve(App(websocket(PAGE))) as port:
        played = await play(f"to: http://127.0.0.1:{port}", "allow_websockets: true")
    assert FINE == played.forecast
    assert "`allow_websockets: true`" in played.fix("CFG205")


# ------------------------------------------------------------------------------------------------ F: idle connections


async def test_a_server_that_closes_idle_connections() -> None:
    """F: --idle-probe holds the connection, and times how soon the server ends it."""

    async def hasty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(PAGE)
        await writer.drain()
        writer.close()

    async with serve(hasty) as port:
        played = await play(f"to: http://127.0.0.1:{port}", idle_probe=20.0)
    assert FINE == played.forecast
    assert "503 UC" in played.verdict("HTTP705").rule.why
    assert "nginx `keepalive_timeout 3700s`" in played.fix("HTTP705")


async def test_a_server_that_is_known_for_it() -> None:
    """F: uvicorn says nothing of its five seconds; its name does, and --idle-probe would prove it."""
    async with serve(App(lambda path, headers: response(200, "server: uvicorn\r\n"))) as port:
        played = await play(f"to: http://127.0.0.1:{port}")
    assert (FINE, "ok") == (played.forecast, played.route.status)
    assert "uvicorn `--timeout-keep-alive 3700`" in played.fix("HTTP711")


async def test_a_server_that_says_so() -> None:
    """F: Keep-Alive tells after how many seconds, without waiting for them."""
    async with serve(App(lambda path, headers: response(200, "keep-alive: timeout=5\r\n"))) as port:
        played = await play(f"to: http://127.0.0.1:{port}")
    assert FINE == played.forecast
    assert "`server.keepAliveTimeout = 3700000`" in played.fix("HTTP704")


# ------------------------------------------------------------------------------------------------ L: timeouts


async def test_an_answer_that_takes_longer_than_the_timeout() -> None:
    """L: 504 UT, and the fix names the key that fired."""
    async with upstream(say()) as server:
        played = await play(f"to: http://127.0.0.1:{server.port}\ntimeout: 300ms")
    assert [(1.0, 504, "UT", "response_timeout")] == played.forecast
    assert "`timeout: 2m`" in played.fix("HTTP201")


async def test_an_event_stream_with_a_timeout() -> None:
    """L: users see 200 and a stream that ends; the fix is no limit at all."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n"
    async with upstream(say(head)) as server:
        played = await play(f"to: http://127.0.0.1:{server.port}\ntimeout: 300ms")
    assert [(1.0, 200, "UT", "response_timeout")] == played.forecast
    assert "`timeout: 0s`" in played.fix("HTTP203")


# ------------------------------------------------------------------------------------------------ N: the Host header


async def test_a_redirect_to_a_private_name() -> None:
    """N: the app builds its redirects from Host; with that of `from` it was tried, and leads to where users are."""
    async with serve(App(redirecting)) as port:
        played = await play(f"to: http://127.0.0.1:{port}")
    assert [(1.0, 302, "-", OK)] == played.forecast
    assert "`preserve_host_header: true`" in played.fix("HTTP702")
    assert "pomprobe tried" in played.fix("HTTP702")
    assert (f"GET / from 127.0.0.1:{port} with Host: {FROM}",) == played.tried()


async def test_a_redirect_that_no_host_changes() -> None:
    """N: where the app always names its own address, it is not claimed that the key helps."""
    async with serve(App(lambda path, headers: response(302, "location: http://wiki.corp.internal/login\r\n"))) as port:
        played = await play(f"to: http://127.0.0.1:{port}")
        preserved = await play(f"to: http://127.0.0.1:{port}\npreserve_host_header: true")
    assert (f"GET / from 127.0.0.1:{port} with Host: {FROM}",) == played.tried()
    fixes = played.verdict("HTTP702").fixes
    assert "preserve_host_header" not in " ".join(fixes)
    assert fixes == preserved.verdict("HTTP702").fixes  # nor that a key helps which is set
    assert ('public address' in fixes[0], 'prefix: "http://wiki.corp.internal/"' in fixes[1]) == (True, True)


@pytest.mark.parametrize("status", [400, 403, 404, 421])
async def test_an_app_that_refuses_the_host(status: int) -> None:
    """N: it serves the name of `from` alone, which was tried."""
    async with serve(App(virtual_host(FROM, response(status)))) as port:
        played = await play(f"to: http://127.0.0.1:{port}")
    assert [(1.0, status, "-", OK)] == played.forecast
    assert "`preserve_host_header: true`" in played.fix("HTTP410")


# ------------------------------------------------------------------------------------------------ P: protocols


async def test_http2_only_behind_http() -> None:
    """P: HTTP/2 was tried on the same port, and works."""
    async with serve(HTTP2()) as port:
        played = await play(f"to: http://127.0.0.1:{port}")
    assert [(1.0, 502, "UPE", "upstream_reset_before_response_started{protocol_error}")] == played.forecast
    assert f"`to: h2c://127.0.0.1:{port}`" in played.fix("HTTP136")


async def test_http1_only_behind_h2c() -> None:
    """P: HTTP/1.1 was tried on the same port, and works."""
    async with serve(App(lambda path, headers: PAGE)) as port:
        played = await play(f"to: h2c://127.0.0.1:{port}")
    assert [(1.0, 502, "UPE", "upstream_reset_before_response_started{protocol_error}")] == played.forecast
    assert f"`to: http://127.0.0.1:{port}`" in played.fix("HTTP138")


async def test_an_ssh_server_behind_http() -> None:
    """P: it is named, with the kind of route that it needs."""
    async with upstream(say(first=b"SSH-2.0-OpenSSH_9.6\r\n")) as server:
        played = await play(f"to: http://127.0.0.1:{server.port}")
    assert [(1.0, 502, "UPE", "upstream_reset_before_response_started{protocol_error}")] == played.forecast
    assert f"`to: tcp://127.0.0.1:{server.port}`" in played.verdict("HTTP133").fixes[1]


# ------------------------------------------------------------------------------------------------ R: loops


@pytest.mark.parametrize(
    "headers",
    ["location: https://authenticate.example.com/.pomerium/sign_in?redirect=1\r\n", "x-pomerium-intercepted-response: true\r\n"],
)
async def test_an_upstream_that_is_pomerium(headers: str) -> None:
    """R: a redirect to the sign-in, or one of Pomerium's headers."""
    async with serve(App(lambda path, sent: response(302, headers))) as port:
        played = await play(f"to: http://127.0.0.1:{port}")
    assert [(1.0, 302, "-", OK)] == played.forecast
    assert "internal address" in played.fix("HTTP706")


async def test_to_is_a_name_of_pomerium_itself() -> None:
    """R: `to` is another route's `from`; seen without a packet."""
    async with serve(App(lambda path, headers: PAGE)) as port:
        played = await play(f"- from: https://127.0.0.1\n  to: http://127.0.0.1:{port}\n- from: https://{FROM}\n  to: https://127.0.0.1\n")
    assert "internal address in `to`" in played.fix("CFG306")


# ------------------------------------------------------------------------------------------------ S: headers


async def test_request_headers_are_too_large() -> None:
    """S: the app's own 431."""
    async with serve(App(lambda path, headers: response(431))) as port:
        played = await play(f"to: http://127.0.0.1:{port}")
    assert [(1.0, 431, "-", OK)] == played.forecast
    assert "fewer `jwt_claims_headers`, `remove_request_headers`" in " ".join(played.verdict("HTTP431").fixes)


async def test_too_many_response_headers() -> None:
    """S: Envoy takes 100 of them."""
    many = "".join(f"x-{number}: 1\r\n" for number in range(101))
    async with serve(App(lambda path, headers: response(200, many))) as port:
        played = await play(f"to: http://127.0.0.1:{port}")
    assert [(1.0, 502, "UPE", "upstream_reset_before_response_started{protocol_error}")] == played.forecast
    assert ("fewer headers" in played.fix("HTTP143"), ()) == (True, played.tried())


# ------------------------------------------------------------------------------------------------ V: 421


async def test_a_strict_server_name() -> None:
    """V: SNI is the host of `to`, Host is that of `from`; the handshake with the latter was tried, and works."""
    context = tls(FROM)
    seen: list[str] = []
    context.sni_callback = lambda wrapped, name, _: seen.append(str(name))

    def strict(path: str, headers: Headers) -> bytes:
        return response(200 if headers["host"] == seen[-1] else 421)

    async with serve(App(strict), context) as port:
        keys = "preserve_host_header: true\ntls_upstream_server_name: '*.example.com'"
        played = await play(f"to: https://127.0.0.1:{port}\n{keys}\n{OUR_CA}")
    assert [(1.0, 421, "-", OK)] == played.forecast
    assert f"`tls_upstream_server_name: {FROM}`" in played.fix("HTTP421")


# ------------------------------------------------------------------------------------------------ samples


async def test_samples_keep_what_was_tried() -> None:
    """N: the first request is the one that is looked at closer; the others say the same, and take nothing away."""
    async with serve(App(virtual_host(FROM, response(404)))) as port:
        played = await play(f"to: http://127.0.0.1:{port}", samples=3)
    assert [(1.0, 404, "-", OK)] == played.forecast
    assert "`preserve_host_header: true` on this route: pomprobe tried it" in played.fix("HTTP410")


async def test_a_server_that_fails_now_and_then() -> None:
    """W: behind one address a replica is dead: with --samples the shares show it, with percentiles of the rest."""
    turn = itertools.count()
    async with serve(App(lambda path, headers: PAGE if next(turn) % 2 else b"")) as port:
        played = await play(f"to: http://127.0.0.1:{port}", samples=4, second_look=False)
    assert {(0.5, 200, "-", OK), (0.5, 503, "UC", "upstream_reset_before_response_started{connection_termination}")} == set(played.forecast)
    facts = played.route.upstreams[0].endpoints[0].outcomes[-1].facts
    assert (4, 2, {"p50", "p95", "max"}) == (facts["samples"], facts["failed"], facts.keys() & {"p50", "p95", "max"})
    assert "2 of 4 requests" in played.verdict("HTTP707").title  # type: ignore[union-attr]
