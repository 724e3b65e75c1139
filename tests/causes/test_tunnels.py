"""Routes whose bytes Envoy passes on: tcp, ssh and udp, and chains of proxies. Root cause U, and what else goes wrong with them."""

from __future__ import annotations

import asyncio
import socket

import pytest

from pomprobe.report.json import document
from pomprobe.report.unforeseen import unforeseen
from servers.dns import dns_server
from servers.health import HTTP2, closed_port, serve, tls

from .apps import SWITCHING
from .playing import OK, Played, play, response
from .recorded import answers, recorded

FROM = "tcp+https://db.example.com:5432"
ENDS = "every connection ends with SSH disconnect"
OPENED = b"HTTP/1.1 200 OK\r\n\r\n"


def says(data: bytes, *, then_closes: bool = False):  # type: ignore[no-untyped-def]
    """A server that speaks first."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if then_closes:
            writer.close()
        else:
            await reader.read()

    return handle


def proxy(answer: bytes, heads: list[bytes], *, then_closes: bool = False):  # type: ignore[no-untyped-def]
    """What stands at the end of `to` where that is no tcp:// URL, and gets the CONNECT itself."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        await says(answer, then_closes=then_closes)(reader, writer)

    return handle


async def tunnelled(to: str, source: str = FROM, settings: str = "") -> Played:
    return await play(f"- from: {source}\n  to: {to}\n", settings)


async def test_a_tunnel_to_a_server_that_waits() -> None:
    """U: nothing to say; it is a tunnel, and a moment is enough to see that it stays open."""
    async with serve(says(b"")) as port:
        played = await tunnelled(f"tcp://127.0.0.1:{port}")
    assert [(1.0, 200, "-", OK)] == played.forecast
    assert set() == {code for code in played.codes if code.startswith("TCP")}


async def test_a_tunnel_to_a_server_that_speaks_first() -> None:
    """U: its banner is kept, with what it speaks."""
    async with serve(says(b"220 mail.lab.test ESMTP\r\n")) as port:
        played = await tunnelled(f"tcp://127.0.0.1:{port}")
    facts = played.route.upstreams[0].endpoints[0].outcomes[0].facts
    assert ("220 mail.lab.test ESMTP\\r\\n", "SMTP", False) == (facts["banner"], facts["speaks"], facts["closed"])


async def test_a_tunnel_to_a_closed_port() -> None:
    """J: refused; what is proposed has the scheme of the route."""
    with closed_port() as port:
        played = await tunnelled(f"tcp://127.0.0.1:{port}")
    assert recorded("own-tunnel-refused") == answers(played.forecast)
    assert f"`tcp://app:{port}`" in played.fix("TCP102")


@pytest.mark.parametrize(
    ("said", "row", "code"),
    [(b"", "own-tunnel-closed", "TCP171"), (b"Too many connections\r\n", "own-tunnel-banner-closed", "TCP172")],
)
async def test_a_tunnel_whose_server_hangs_up(said: bytes, row: str, code: str) -> None:
    """U: Envoy has said 200 by then; the server's own words are told."""
    async with serve(says(said, then_closes=True)) as port:
        played = await tunnelled(f"tcp://127.0.0.1:{port}")
    assert recorded(row) == answers(played.forecast)
    assert "failing" == played.route.status
    assert said.decode().strip() in played.verdict(code).why  # type: ignore[union-attr]


async def test_a_tunnel_to_a_server_of_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """U: at a port that is TLS' by custom a handshake was tried: the client has to speak it."""
    async with serve(says(b""), tls("ldap.lab.test")) as port:
        monkeypatch.setattr("pomprobe.secondlook.TLS_PORTS", (port,))
        played = await tunnelled(f"tcp://127.0.0.1:{port}")
    assert [(1.0, 200, "-", OK)] == played.forecast
    assert "ldap.lab.test" in played.verdict("TCP176").why  # type: ignore[union-attr]
    assert (f"TLS to 127.0.0.1:{port}",) == played.tried()


async def test_a_chain_of_proxies() -> None:
    """U: the CONNECT of the client is passed on as it is, and the tunnel that it opens has no end."""
    heads: list[bytes] = []
    async with serve(proxy(OPENED, heads)) as port:
        played = await tunnelled(f"http://127.0.0.1:{port}")
    assert recorded("own-chain-200") == answers(played.forecast)
    assert heads[0].startswith(b"CONNECT db.example.com:5432 HTTP/1.1\r\nhost: db.example.com:5432\r\n")


async def test_a_chain_over_http2() -> None:
    """U: CONNECT has neither scheme nor path there, and its stream stays open."""
    server = HTTP2(headers=[(":status", "405")])
    async with serve(server, tls("127.0.0.1", ("h2",))) as port:
        played = await play(f"- from: {FROM}\n  to: https://127.0.0.1:{port}\n  tls_skip_verify: true\n")
    assert recorded("own-chain-https-h2-405") == answers(played.forecast)
    sent = server.requests[0]
    assert ("CONNECT", "db.example.com:5432") == (sent[":method"], sent[":authority"])
    assert {":path", ":scheme"}.isdisjoint(sent)


@pytest.mark.parametrize(
    ("status", "code", "word"),
    [(400, "HTTP612", "`to: tcp://"), (405, "HTTP612", "`to: tcp://"), (403, "HTTP613", "Allow"), (502, "HTTP614", "proxy's log")],
)
async def test_a_chain_whose_proxy_refuses(status: int, code: str, word: str) -> None:
    """U: what is no proxy is told from one that refuses, and from one that does not reach its server."""
    async with serve(proxy(response(status), [])) as port:
        played = await tunnelled(f"http://127.0.0.1:{port}")
    assert recorded(f"own-chain-{status}") == answers(played.forecast)
    assert word in played.fix(code)


async def test_a_chain_whose_proxy_refuses_to_talk() -> None:
    """U: it closes without an answer to CONNECT; most likely it is the server itself, and no proxy."""
    async with serve(proxy(b"", [], then_closes=True)) as port:
        played = await tunnelled(f"http://127.0.0.1:{port}")
    assert recorded("own-chain-closed") == answers(played.forecast)
    assert f"`to: tcp://127.0.0.1:{port}`" in played.fix("HTTP615")


async def test_a_chain_whose_proxy_hangs_up() -> None:
    """U: 200, and then the end of the tunnel, which Envoy calls a termination here."""
    async with serve(proxy(OPENED, [], then_closes=True)) as port:
        played = await tunnelled(f"http://127.0.0.1:{port}")
    assert recorded("own-chain-200-closes") == answers(played.forecast)
    assert "HTTP611" in played.codes


async def test_a_chain_whose_proxy_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """L: `timeout_read` ends that wait, for a CONNECT is never complete; without it no timer of Envoy's does, and ours says so."""
    monkeypatch.setattr("pomprobe.stages.http.PATIENCE", 0.3)
    async with serve(proxy(b"", [])) as port:
        ended = await tunnelled(f"http://127.0.0.1:{port}", settings="timeout_read: 200ms")
        played = await tunnelled(f"http://127.0.0.1:{port}", settings="timeout_read: 0s")
    assert [(1.0, 408, "-", "request_overall_timeout")] == ended.forecast
    assert ended.verdict("HTTP213").fixes
    assert [] == played.forecast
    assert "timeout: 30s" in " ".join(played.verdict("HTTP212").fixes)


async def test_a_websocket_route_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """L: the same for a route with websockets, which has no timeout of its own."""
    monkeypatch.setattr("pomprobe.stages.http.PATIENCE", 0.3)
    async with serve(proxy(b"", [])) as port:
        played = await play(f"to: http://127.0.0.1:{port}\nallow_websockets: true")
    assert ("warning", True) == (played.route.status, "HTTP212" in played.codes)


@pytest.mark.parametrize(
    ("server", "code", "word", "told"),
    [
        (says(b"SSH-2.0-OpenSSH_9.6\r\n"), "", "", "ssh reaches an SSH server"),
        (says(b"220 mail ESMTP\r\n"), "TCP175", "`ssh://HOST:22`", "no answer is forecast"),
        (says(b""), "TCP173", "without a port", "no answer is forecast"),
        (says(b"", then_closes=True), "TCP174", "sshd's log", f"{ENDS} 10 (connection lost): connection_termination"),
    ],
)
async def test_an_ssh_route(server, code: str, word: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """U: an SSH server introduces itself; whoever does not is none. No code of HTTP is forecast, since ssh shows none."""
    monkeypatch.setattr("pomprobe.stages.tunnel.LISTEN_FOR_SSH", 0.3)
    async with serve(server) as port:
        played = await tunnelled(f"ssh://127.0.0.1:{port}", "ssh://host")
    assert [] == played.forecast
    assert ("failing" if code else "ok") == played.route.status
    assert told == unforeseen(played.route)
    if code:
        assert word in played.fix(code)


@pytest.mark.parametrize(
    ("to", "code", "reason"), [("127.0.0.1:{}", "TCP102", "connection_failure"), ("up.lab.test:{}", "DNS101", "no_healthy_upstream")]
)
async def test_an_ssh_route_to_nowhere(to: str, code: str, reason: str) -> None:
    """U: what ssh prints then is told, from Pomerium's source, since no Envoy but its own has that filter."""
    async with dns_server({"*": "NXDOMAIN"}) as server:
        with closed_port() as port:
            played = await tunnelled(f"ssh://{to.format(port)}", "ssh://host", f"dns_resolvers: [udp://127.0.0.1:{server.port}]")
    assert ([], "failing", True) == (played.forecast, played.route.status, code in played.codes)
    assert f"{ENDS} 7 (service not available): {reason}" == unforeseen(played.route)
    assert unforeseen(played.route) == document(played.report)["routes"][0]["ssh"]
    assert "ssh://" in played.fix(code)


async def test_a_udp_route_to_a_closed_port() -> None:
    """J: ICMP tells; Envoy opens the tunnel all the same."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
    played = await tunnelled(f"udp://127.0.0.1:{port}", "udp+https://dns.example.com:53")
    assert recorded("own-udp-refused") == answers(played.forecast)
    assert "ss -lun" in played.fix("TCP151")


async def test_a_udp_route_to_a_server_that_says_nothing() -> None:
    """J: silence says nothing about a UDP server, and is not blamed on it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        played = await tunnelled(f"udp://127.0.0.1:{bound.getsockname()[1]}", "udp+https://dns.example.com:53")
    assert ("undetermined", []) == (played.route.status, played.forecast)
    assert "TCP192" in played.codes


async def test_a_udp_route_to_a_name_that_does_not_exist() -> None:
    """G: the tunnel itself fails."""
    async with dns_server({"*": "NXDOMAIN"}) as server:
        resolver = f"dns_resolvers: [udp://127.0.0.1:{server.port}]"
        played = await tunnelled("udp://up.lab.test:53", "udp+https://dns.example.com:53", resolver)
    assert recorded("own-udp-nxdomain") == answers(played.forecast)
    assert "DNS101" in played.codes


async def test_kubectl_exec_over_http1() -> None:
    """E: SPDY is asked for as kubectl does it, and opens."""

    async def kube(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(
            SWITCHING.replace(b"websocket", b"SPDY/3.1") if b"Upgrade: SPDY/3.1" in head else response(200, "connection: close\r\n")
        )
        await writer.drain()
        await reader.read()

    async with serve(kube) as port:
        played = await play(f"to: http://127.0.0.1:{port}\nallow_spdy: true")
    assert (f"SPDY upgrade at / of 127.0.0.1:{port}",) == played.tried()
    assert {"HTTP607", "HTTP609"}.isdisjoint(played.codes)


async def test_kubectl_exec_that_is_refused() -> None:
    """E: the app knows no SPDY, at this path at least."""
    async with serve(proxy(response(200), [])) as port:
        played = await play(f"to: http://127.0.0.1:{port}\nallow_spdy: true")
    assert {"HTTP607", "HTTP609"}.isdisjoint(played.codes)
    turn = iter((response(200), response(400)))

    async def changing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await proxy(next(turn), [])(reader, writer)

    async with serve(changing) as port:
        played = await play(f"to: http://127.0.0.1:{port}\nallow_spdy: true")
    assert "400" in played.verdict("HTTP607").title  # type: ignore[union-attr]


async def test_kubectl_exec_over_http2() -> None:
    """E: HTTP/2 has no such upgrade; the fix is the key that makes Envoy offer HTTP/1.1 alone."""
    async with serve(HTTP2(), tls("127.0.0.1", ("h2",))) as port:
        keys = f"to: https://127.0.0.1:{port}\ntls_skip_verify: true\nallow_spdy: true"
        played = await play(keys)
        kube = await play(f"{keys}\nkubernetes_service_account_token: x")
    assert "`allow_websockets: true`" in played.fix("HTTP609")
    assert "HTTP609" not in kube.codes  # Pomerium's own proxy makes that connection, and takes HTTP/1.1
    assert recorded("own-upgrade-spdy-h2-reset") == {(502, "UPE", "upstream_reset_before_response_started{protocol_error}")}


async def test_another_upgrade_that_opens() -> None:
    """E: what `allow_upgrades` lets through beside websockets is asked for as well, three at most; CONNECT and h2c are no GET's."""
    heads: list[bytes] = []

    async def docker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        switching = SWITCHING.replace(b"websocket", b"tcp") if b"Upgrade: tcp" in heads[-1] else response(200, "connection: close\r\n")
        writer.write(switching)
        await writer.drain()
        await reader.read()

    async with serve(docker) as port:
        played = await play(f"to: http://127.0.0.1:{port}\nallow_upgrades: [TCP, connect, h2c, 'bad value']", websocket="/attach")
    assert f"upgrade to tcp at /attach of 127.0.0.1:{port}" == played.tried()[-1]
    assert heads[-1].startswith(b"GET /attach HTTP/1.1\r\n")
    assert (3, False) == (len(heads), "HTTP610" in played.codes)  # the request, a websocket because of --websocket, and this
    assert recorded("own-upgrade-other-101") == {(101, "DC", "downstream_remote_disconnect")}


@pytest.mark.parametrize(("refused", "answered", "row"), [(response(404), "404", "404"), (b"", "closed", "closes")])
async def test_another_upgrade_that_is_refused(refused: bytes, answered: str, row: str) -> None:
    """E: it is told as information, and never part of the forecast; where it may live is in the fix."""

    async def app(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(refused if b"Upgrade: tcp" in head else response(200, "connection: close\r\n"))
        writer.close()

    async with serve(app) as port:
        played = await play(f"to: http://127.0.0.1:{port}\nallow_upgrades: [tcp]")
    assert ([(1.0, 200, "-", OK)], "ok") == (played.forecast, played.route.status)
    assert f"The app does not switch to tcp: {answered}" == played.verdict("HTTP610").title  # type: ignore[union-attr]
    assert "--websocket PATH" in played.fix("HTTP610")
    assert recorded(f"own-upgrade-other-{row}")
