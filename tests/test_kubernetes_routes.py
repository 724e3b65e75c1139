"""Routes with a Kubernetes service account token: Pomerium's own Go proxy sends their requests, and every failure is its 502."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Callable

import pytest

import pomprobe
from causes.apps import App, dropping
from causes.playing import Played, play, response
from causes.test_tls import OUR_CA
from pomprobe import kubernetes
from pomprobe.model import Endpoint, Failure, Outcome, StageName, Status
from pomprobe.net.resolv_conf import Machine, Nameserver
from pomprobe.plan import Bundle, plan
from pomprobe.plan.timers import _made
from servers.dns import dns_server
from servers.health import closed_port, serve, tls

TOKEN = "kubernetes_service_account_token: c2VjcmV0"
BAD = [(1.0, 502, "-", "via_upstream")]
VERIFY = "tls: failed to verify certificate: x509: "
PAGE = App(lambda path, headers: response(200))


async def asked(to: str, settings: str = "") -> Played:
    return await play(f"to: {to}\n{TOKEN}", settings)


def log(played: Played) -> object:
    """The line in Pomerium's log that goes with the first verdict."""
    return played.route.verdicts[0].facts.get("log")


async def test_a_closed_port() -> None:
    """The user sees an empty 502, whatever Envoy would say; the log has Go's words."""
    with closed_port() as port:
        played = await asked(f"http://127.0.0.1:{port}")
    assert BAD == played.forecast
    assert f"http: proxy error: dial tcp 127.0.0.1:{port}: connect: connection refused" == log(played)
    assert (502, "-") == (played.route.verdicts[0].means.status, played.route.verdicts[0].means.response_flags)  # type: ignore[union-attr]
    assert "connect: connection refused`" in played.route.forecast[0].note
    assert "pomerium" == played.route.forecast[0].by


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let this machine's own resolver be the one at that port; Go asks no other, whatever `dns_resolvers` says."""

    def use(port: int) -> None:
        machine = Machine((Nameserver("127.0.0.1", port),))
        monkeypatch.setattr("pomprobe.api.Machine.read", lambda: machine)

    return use


async def test_a_name_that_does_not_exist(resolver: Callable[[int], None]) -> None:
    """No 503 UH, for Envoy has no cluster for this route."""
    async with dns_server({"*": "NXDOMAIN"}) as server:
        resolver(server.port)
        played = await asked("https://kube.lab.test", "dns_resolvers: [udp://127.0.0.1:1]")
    assert BAD == played.forecast
    assert "http: proxy error: dial tcp: lookup kube.lab.test: no such host" == log(played)


@pytest.mark.parametrize(
    ("context", "scheme", "words"),
    [
        (lambda: tls("127.0.0.1"), "https", "tls: failed to verify certificate: x509: certificate signed by unknown authority"),
        (lambda: None, "https", "tls: first record does not look like a TLS handshake"),
    ],
)
async def test_what_tls_says(context: Callable[[], ssl.SSLContext | None], scheme: str, words: str) -> None:
    """Go's words for it, as measured."""
    async with serve(PAGE, context()) as port:
        played = await asked(f"{scheme}://127.0.0.1:{port}")
    assert BAD == played.forecast
    assert f"http: proxy error: {words}" == log(played)


async def test_a_server_that_hangs_up() -> None:
    """EOF."""

    async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with serve(hangs_up) as port:
        played = await asked(f"http://127.0.0.1:{port}")
    assert BAD == played.forecast
    assert "http: proxy error: EOF" == log(played)


async def test_the_app_s_own_answer() -> None:
    """It is not blamed on Pomerium."""
    async with serve(App(lambda path, headers: response(403))) as port:
        played = await asked(f"http://127.0.0.1:{port}")
    assert [(1.0, 403, "-", "via_upstream")] == played.forecast
    assert not played.route.forecast[0].by


async def test_go_tries_every_address(resolver: Callable[[int], None]) -> None:
    """One dead address of a name harms nobody here, while Envoy would send every second request to it."""
    zone = {"kube.lab.test": [("A", "127.0.0.1"), ("A", "127.0.0.2")]}
    async with serve(PAGE) as port, dns_server(zone) as server:
        resolver(server.port)
        played = await asked(f"http://kube.lab.test:{port}", "dns_lookup_family: V6_ONLY")
    assert [(1.0, 200, "-", "via_upstream")] == played.forecast


async def test_go_s_timers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dialler has 30 s, and TLS 10 s of its own, where Envoy has 10 s for both; played with tenths of a second."""
    timers = sys.modules["pomprobe.plan.timers"]  # its function of that name hides it
    monkeypatch.setattr(timers, "DIAL", 0.6)
    monkeypatch.setattr(timers, "HANDSHAKE", 0.4)
    _made.cache_clear()
    try:
        with dropping() as port:
            dropped = await asked(f"https://127.0.0.1:{port}")

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()

        async with serve(silent) as port:
            hanging = await asked(f"https://127.0.0.1:{port}")
    finally:
        _made.cache_clear()
    assert BAD == dropped.forecast == hanging.forecast
    assert str(log(dropped)).endswith(": i/o timeout")
    assert "no connection within 0.6 s" in dropped.verdict("TCP135").title  # type: ignore[union-attr]
    assert "NetworkPolicy" in dropped.fix("TCP135")
    assert "http: proxy error: net/http: TLS handshake timeout" == log(hanging)
    assert 0.4 == hanging.route.verdicts[0].facts["timeout_seconds"]


def test_the_timers_of_go_are_those_of_its_default_transport() -> None:
    """30 s and 10 s (net/http, DefaultTransport), which Pomerium clones; other routes have Pomerium's 10 s for both."""
    text = f"routes:\n- from: https://k.example.com\n  to: https://k.lab.test\n  {TOKEN}\n- from: https://b.example.com\n  to: https://b.lab.test\n"
    kube, other = plan(pomprobe.load("config.yaml", text=text.encode()), Bundle(system_ca=b"x", system_ca_path="/etc/ca.pem"))
    assert kube is not None and other is not None
    assert (30.0, 10.0, "fixed in Go's net/http") == (kube.timers.connect, kube.timers.handshake, kube.timers.keys["connect"])
    assert (10.0, None, "fixed by Pomerium") == (other.timers.connect, other.timers.handshake, other.timers.keys["connect"])


async def test_upstreams_are_picked_at_random() -> None:
    """Two entries of `to` share the requests evenly, whatever their weights say."""
    async with serve(PAGE) as port:
        with closed_port() as closed:
            played = await play(f"to: ['http://127.0.0.1:{port},1', 'http://127.0.0.1:{closed},9']\n{TOKEN}")
    assert {(0.5, 200, "-", "via_upstream"), (0.5, 502, "-", "via_upstream")} == set(played.forecast)


@pytest.mark.parametrize(
    ("failure", "facts", "words"),
    [
        (Failure.TLS_ALERT, {"alert": 70}, "remote error: tls: protocol version not supported"),
        (Failure.TLS_ALERT, {"alert": 80}, ""),
        (Failure.CLOSED, {"alert": 116}, "remote error: tls: certificate required"),
        (Failure.CERTIFICATE_REJECTED, {"verify_code": 19}, VERIFY + "certificate signed by unknown authority"),
        (Failure.CERTIFICATE_REJECTED, {"verify_code": 10}, VERIFY + "certificate has expired or is not yet valid"),
        (Failure.NAME_MISMATCH, {"sans": ("a.test", "*.b.test"), "match_name": "c.test"},
         VERIFY + "certificate is valid for a.test, *.b.test, not c.test"),
        (Failure.HANDSHAKE_TIMEOUT, {}, "net/http: TLS handshake timeout"),
        (Failure.STREAM_RESET, {}, ""),
    ],
)  # fmt: skip
def test_the_words_of_go(failure: Failure, facts: dict[str, object], words: str) -> None:
    """What was not measured is left unsaid."""
    outcome = Outcome(StageName.TLS, Status.FAILING, Endpoint("127.0.0.1", 443), failure, facts=facts)  # type: ignore[arg-type]
    assert words == kubernetes.reason(outcome)


async def test_a_custom_ca_is_one_more() -> None:
    """Go takes `tls_custom_ca` beside the system's authorities, while Envoy takes it in their place."""
    text = f"routes:\n- from: https://k.example.com\n  to: https://k.lab.test\n  {TOKEN}\n  {OUR_CA}\n"
    config = pomprobe.load("config.yaml", text=text.encode())
    (planned,) = plan(config, Bundle(system_ca=b"system", system_ca_path="/etc/ca.pem"))
    assert planned is not None and planned.tls[0] is not None
    assert (planned.tls[0].trust or b"").startswith(b"system\n-----BEGIN")
    assert "/etc/ca.pem + tls_custom_ca" == planned.tls[0].trust_source
