"""Names, addresses and connections: root causes G, H, I, J, K and W."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import dns.message
import pytest

from envoy.scenes.sockets import listening
from servers.dns import Answer, dns_server
from servers.health import closed_port, serve, tls
from servers.http import say, upstream

from .apps import App, dropping
from .playing import OK, REFUSED, play, response
from .recorded import answers, recorded
from .test_tls import OUR_CA

HELLO = say(response(200))
UH = [(1.0, 503, "UH", "no_healthy_upstream")]


@pytest.mark.parametrize(
    ("name", "answer", "code", "key"),
    [("app.lab.test", "NXDOMAIN", "DNS101", '`dns_resolvers`, such as `["udp://10.0.0.2:53"]`'),
     ("app.lab.test", "SERVFAIL", "DNS121", "global key `dns_resolvers`"),
     ("web", "NXDOMAIN", "DNS102", "`http://web.NAMESPACE.svc.cluster.local`"),
     ("app.apps.svc.cluster.local", "NXDOMAIN", "DNS103", "`kubectl get service -A`")],
)  # fmt: skip
async def test_a_name_that_does_not_resolve(name: str, answer: Answer, code: str, key: str) -> None:
    """G: users get 503 UH, and the rule tells a wrong name from a broken resolver."""
    async with dns_server({"*": answer}) as server:
        played = await play(f"to: http://{name}:8080", f"dns_resolvers: [udp://127.0.0.1:{server.port}]")
    assert UH == played.forecast
    assert key in " ".join(played.verdict(code).fixes)


async def test_a_service_without_ready_pods() -> None:
    """J: a headless Service whose selector matches no pod: the name exists and has no address."""
    async with dns_server({"*": []}) as server:
        played = await play("to: http://app.apps.svc.cluster.local:80", f"dns_resolvers: [udp://127.0.0.1:{server.port}]")
    assert UH == played.forecast
    assert "`kubectl get endpointslices -A`" in played.fix("DNS114") and "selector" in played.fix("DNS114")


async def test_a_name_with_ipv6_addresses_only_and_v4_only() -> None:
    """H: the name has only AAAA records; the fix names the key."""
    async with dns_server({"app.lab.test": [("AAAA", "::1")]}) as server:
        played = await play("to: http://app.lab.test:8080", f"dns_resolvers: [udp://127.0.0.1:{server.port}]\ndns_lookup_family: V4_ONLY")
    assert UH == played.forecast
    assert "`dns_lookup_family: V4_PREFERRED`" in played.fix("DNS112")


async def test_an_app_that_listens_on_ipv6_only() -> None:
    """H: the preferred IPv4 address refuses; the other family was looked up, tried, and answers."""
    zone = {"app.lab.test": [("A", "127.0.0.1"), ("AAAA", "::1")]}
    async with serve(App(lambda path, headers: response(200)), host="::1") as port, dns_server(zone) as server:
        played = await play(f"to: http://app.lab.test:{port}", f"dns_resolvers: [udp://127.0.0.1:{server.port}]")
    assert [(1.0, 503, "UF", REFUSED)] == played.forecast
    assert ("AAAA records of app.lab.test", f"the same request to [::1]:{port}") == played.tried()
    assert "`dns_lookup_family: V6_ONLY`: pomprobe tried" in played.fix("TCP102")
    assert ("::1",) == played.route.upstreams[0].endpoints[0].outcomes[0].facts["other_family"]


async def test_the_loopback_of_ipv6_written_in_to() -> None:
    """H: the app listens on IPv4 alone; the fix is the address to write, and no key about names."""
    async with serve(App(lambda path, headers: response(200))) as port:
        played = await play(f"to: http://[::1]:{port}")
        mended = await play(f"to: http://127.0.0.1:{port}")
    assert [(1.0, 503, "UF", REFUSED)] == played.forecast
    assert f"`to: http://127.0.0.1:{port}`" in played.fix("TCP107")
    assert "dns_lookup_family" not in " ".join(played.verdict("TCP107").fixes)
    assert [(1.0, 200, "-", OK)] == mended.forecast


async def test_localhost_in_a_container() -> None:
    """I: the loopback of Pomerium's container is not the one of the app."""
    with closed_port() as port:
        played = await play(f"to: http://localhost:{port}", file="/pomerium/config.yaml")
    assert [(1.0, 503, "UF", REFUSED)] == played.forecast
    assert {"TCP102"} == played.codes  # CFG321, which says the same of a localhost that was not asked, is not said again
    assert f"`http://app:{port}`" in played.fix("TCP102")
    assert f"`to: http://host.docker.internal:{port}`" in played.verdict("TCP102").fixes[1]


async def test_nothing_listens() -> None:
    """J: refused at once; the fix asks for the port in `to`."""
    with closed_port() as port:
        async with dns_server({"app.lab.test": [("A", "127.0.0.2")]}) as server:
            played = await play(f"to: http://app.lab.test:{port}", f"dns_resolvers: [udp://127.0.0.1:{server.port}]")
    assert [(1.0, 503, "UF", REFUSED)] == played.forecast
    assert f"correct the port in `to` (http://app.lab.test:{port})" in played.verdict("TCP102").fixes[2]


async def test_a_firewall_that_drops() -> None:
    """K: no answer to SYN; with a timeout below the connect timeout it is a 504, and not a 503."""
    with dropping() as port:
        played = await play(f"to: http://127.0.0.1:{port}\ntimeout: 500ms")
    assert [(1.0, 504, "UT", "response_timeout")] == played.forecast
    assert f"Open the way from Pomerium to 127.0.0.1:{port}" in played.fix("TCP132")


async def test_a_unix_socket_that_is_not_there(tmp_path: Path) -> None:
    """J: `to` names a file that does not exist where Pomerium runs."""
    played = await play(f"to: unix://{tmp_path}/app.sock\nprefix_rewrite: /")
    ((share, status, flags, details),) = played.forecast
    assert (1.0, 503, "UF") == (share, status, flags)
    assert "immediate_connect_error:_No_such_file_or_directory" in details
    assert f"{tmp_path}/app.sock" in played.fix("TCP141")


@pytest.mark.parametrize("scheme", ["unix", "https+unix"])
async def test_a_unix_socket(scheme: str, tmp_path: Path) -> None:
    """J: it is reached like any other upstream, with TLS or without; behind https+unix the name has to be said."""
    secure = scheme == "https+unix"
    async with listening(say_hello, tls("app.lab.test") if secure else None, path=tmp_path / "app.sock"):
        to = f"to: {scheme}://{tmp_path}/app.sock\nprefix_rewrite: /"
        assert [(1.0, 200, "-", OK)] == (await play(f"{to}\n{OUR_CA}\ntls_upstream_server_name: app.lab.test")).forecast
        unnamed = await play(f"{to}\n{OUR_CA}")
    assert ([503] if secure else [200]) == [status for _, status, *_ in unnamed.forecast]
    assert secure == ("CFG410" in unnamed.codes)


async def say_hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(response(200))
    await writer.drain()


async def test_one_dead_member() -> None:
    """W: of two members one refuses: every second request fails, and the fix is a health check."""
    async with upstream(HELLO) as alive:
        with closed_port() as port:
            played = await play(f"to: [http://127.0.0.1:{alive.port}, http://127.0.0.1:{port}]")
    assert {(0.5, 200, "-", OK), (0.5, 503, "UF", REFUSED)} == set(played.forecast)
    assert "TCP102" in played.codes
    assert "`health_checks: [{timeout: 1s, " in played.fix("CFG604") and "`healthy_panic_threshold: 0`" in played.fix("CFG604")


async def test_a_resolver_that_fails_now_and_then() -> None:
    """G: with --samples the name is asked for as often, and the share that failed is told."""
    asked = itertools.count()

    def answer(query: dns.message.Message) -> Answer:
        return [("A", "127.0.0.1")] if next(asked) < 1 else "NXDOMAIN"

    async with upstream(HELLO) as server, dns_server({"app.lab.test": answer}) as names:
        played = await play(f"to: http://app.lab.test:{server.port}", f"dns_resolvers: [udp://127.0.0.1:{names.port}]", samples=3)
    assert {(1.0, 200, "-", OK)} == set(played.forecast)
    assert "app.lab.test did not resolve 2 of 3 times" == played.verdict("DNS171").title  # type: ignore[union-attr]
    assert "dns_use_tcp: true" in " ".join(played.verdict("DNS171").fixes)


async def test_a_sinkholed_name() -> None:
    """G: a DNS filter answers 0.0.0.0, and Linux connects to itself."""
    with closed_port() as port:
        async with dns_server({"ads.lab.test": [("A", "0.0.0.0")]}) as server:
            played = await play(f"to: http://ads.lab.test:{port}", f"dns_resolvers: [udp://127.0.0.1:{server.port}]")
    assert [(1.0, 503, "UF", REFUSED)] == played.forecast
    assert recorded("own-sinkhole-refused") == answers(played.forecast)
    assert "ads.lab.test" in played.fix("TCP164")


async def test_a_sinkholed_name_and_something_that_listens_here() -> None:
    """G: what answers is this machine's own server, and not the app."""
    async with upstream(HELLO) as here, dns_server({"ads.lab.test": [("A", "0.0.0.0")]}) as server:
        played = await play(f"to: http://ads.lab.test:{here.port}", f"dns_resolvers: [udp://127.0.0.1:{server.port}]")
        written = await play(f"to: http://0.0.0.0:{here.port}")
    assert recorded("own-sinkhole-name") == answers(played.forecast)
    assert "ads.lab.test" in played.fix("TCP161")
    assert recorded("own-sinkhole") == answers(written.forecast)
    assert f"`to: http://127.0.0.1:{here.port}`" in written.fix("TCP163")


async def test_localhost_in_our_own_container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """I: where we run in a container ourselves and the app answers there, it shares the network, and nothing is wrong."""
    monkeypatch.setattr("pomprobe.config.container.MARK", str(tmp_path))
    async with upstream(HELLO) as server:
        answers_here = await play(f"to: http://localhost:{server.port}")
        monkeypatch.setattr("pomprobe.config.container.MARK", str(tmp_path / "none"))
        from_outside = await play(f"to: http://localhost:{server.port}", file="/pomerium/config.yaml")
    assert ("ok", False) == (answers_here.route.status, "CFG321" in answers_here.codes)
    assert "CFG321" in from_outside.codes
