"""The tls stage against real servers: what Envoy would accept, what it would refuse, and in which words."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from net.tls_words import words
from pomprobe.model import Facts, Failure, StageFailed
from pomprobe.net.stream import TLSBroken
from pomprobe.stages import tcp, tls
from servers.certificates import HOST, PAST, Pair, Unable, context, intermediate, mint, other_root, root
from servers.tcp import answers, close, echo, hold, listening, reset, says
from servers.tls import selecting, threaded, with_alerts
from servers.walks import LOOPBACK, shake_hands, tls_options, walk_to

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
PLAIN = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"


@asynccontextmanager
async def quiet(leaf: Pair | None = None, *chain: Pair, **terms: Any) -> AsyncIterator[int]:
    """A server of asyncio's: where a handshake fails it closes without an alert."""
    async with listening(echo, context(leaf or mint("l", root()), *chain, **terms)) as port:
        yield port


@contextmanager
def loud(leaf: Pair | None = None, *chain: Pair, **terms: Any) -> Iterator[int]:
    """A blocking server, whose alert goes out before it closes, as those of nginx and Go do."""
    with threaded(with_alerts(context(leaf or mint("l", root()), *chain, **terms))) as port:
        yield port


async def accepted(port: int | None, **options: Any) -> Facts:
    outcome = await shake_hands(port, **options)
    assert not isinstance(outcome, StageFailed), (outcome.failure, outcome.facts)
    return outcome


async def refused(port: int, **options: Any) -> StageFailed:
    outcome = await shake_hands(port, **options)
    assert isinstance(outcome, StageFailed), outcome
    return outcome


async def envoys_words(port: int, **options: Any) -> str:
    failed = await refused(port, **options)
    return words(failed.failure, failed.facts)


# ------------------------------------------------------------------ facts


async def test_the_facts_of_a_good_connection() -> None:
    """Everything that rules and reports name, from one handshake."""
    async with quiet(mint("app", intermediate()), intermediate(), lowest=V13, alpn=["http/1.1"]) as port:
        facts = dict(await accepted(port))
    for date in ("not_before", "not_after"):
        assert str(facts.pop(date)).endswith("+00:00")
    assert facts == {
        "sni": HOST,
        "subject": "CN=app",
        "issuer": "CN=Intermediate",
        "sans": (HOST,),
        "days_left": 364,
        "key_type": "EC P-256",
        "self_signed": False,
        "chain_length": 2,
        "tls_version": "TLSv1.3",
        "cipher": facts["cipher"],
        "group": "X25519",
        "alpn": "http/1.1",
        "client_certificate_requested": False,
        "client_certificate_sent": False,
    }


async def test_the_stream_that_is_left_is_encrypted() -> None:
    """The walk goes on with the TLS stream: what an echo server gives back is what was sent."""
    async with quiet() as port:
        walk = walk_to(port, options=tls_options())
        await tcp.connect(walk)
        await tls.handshake(walk)
        assert walk.stream
        await walk.stream.send(b"GET /")
        assert b"GET /" == await walk.stream.receive()
        walk.stream.close()


@pytest.mark.parametrize("version", [V12, V13], ids=["1.2", "1.3"])
async def test_both_versions_are_spoken(version: ssl.TLSVersion) -> None:
    """TLS 1.2 and 1.3, as Pomerium sets it."""
    async with quiet(lowest=version, highest=version) as port:
        assert version.name.replace("_", ".") == (await accepted(port))["tls_version"]


@pytest.mark.parametrize("kind", ["rsa1024", "rsa2048", "rsa3072", "rsa4096", "p256", "p384"])
async def test_keys_that_envoy_takes(kind: str) -> None:
    """RSA of any size and the two usual curves, on both versions (truth: tls-key-*)."""
    for version in (V12, V13):
        if (kind, version) != ("rsa1024", V13):  # too short for RSA-PSS with SHA-512 in the server's OpenSSL
            async with quiet(mint("l", root(), kind=kind), lowest=version, highest=version) as port:
                await accepted(port)


async def test_p521_is_fine_on_tls_12() -> None:
    """There signature algorithms do not name a curve (truth: tlsa-key-p521-12)."""
    async with quiet(mint("l", root(), kind="p521"), highest=V12) as port:
        assert "EC P-521" == (await accepted(port))["key_type"]


async def test_the_third_group_after_a_retry() -> None:
    """A server with P-521 alone asks for another key share, and gets it (truth: tls-curve-p521)."""
    async with quiet(lowest=V13, curve="secp521r1") as port:
        assert "P-521" == (await accepted(port))["group"]


async def test_static_rsa_is_offered() -> None:
    """Pomerium's list holds AES128-SHA without forward secrecy (truth: tls-cipher-rsa-kx)."""
    async with quiet(mint("l", root(), kind="rsa2048"), highest=V12, ciphers="AES128-SHA:@SECLEVEL=0") as port:
        assert "AES128-SHA" == (await accepted(port))["cipher"]


# ------------------------------------------------------------------ no common parameters

NOTHING_IN_COMMON: dict[str, tuple[str, dict[str, Any]]] = {
    "CBC with SHA-384": ("rsa2048", {"highest": V12, "ciphers": "ECDHE-RSA-AES256-SHA384"}),
    "CCM": ("p256", {"highest": V12, "ciphers": "ECDHE-ECDSA-AES256-CCM"}),
    "DHE": ("rsa2048", {"highest": V12, "ciphers": "DHE-RSA-AES256-GCM-SHA384"}),
    "X448": ("p256", {"lowest": V13, "curve": "X448"}),
    "Ed25519 key": ("ed25519", {}),
    "Ed25519 key, TLS 1.2": ("ed25519", {"highest": V12}),
    "secp256k1 key": ("k256", {}),
    "P-521 key, TLS 1.3": ("p521", {"lowest": V13}),
}


@pytest.mark.parametrize("name", NOTHING_IN_COMMON)
async def test_a_server_that_has_nothing_in_common_says_so(name: str) -> None:
    """handshake_failure as the answer to the ClientHello has two entries in Envoy's words (truth: tlsa-cipher-*, tlsa-key-*)."""
    kind, terms = NOTHING_IN_COMMON[name]
    expected = (
        "268436496:SSL_routines:OPENSSL_internal:SSLV3_ALERT_HANDSHAKE_FAILURE"
        "|268435610:SSL_routines:OPENSSL_internal:HANDSHAKE_FAILURE_ON_CLIENT_HELLO"
    )
    try:
        server = loud(mint("l", root(), kind=kind), **terms)
        with server as port:
            assert expected == await envoys_words(port)
    except Unable as unable:
        pytest.skip(str(unable))


async def test_a_server_that_has_nothing_in_common_may_just_close() -> None:
    """asyncio's servers do; Envoy has no words for it (truth: tls-cipher-mismatch, tls-key-ed25519)."""
    async with quiet(mint("l", root(), kind="ed25519")) as port:
        assert "closed" == await envoys_words(port)


# ------------------------------------------------------------------ certificates


async def test_what_envoy_refuses_comes_with_the_facts_of_the_certificate() -> None:
    """A rule needs them to say whose certificate ended when."""
    async with quiet(mint("old", root(), valid=PAST, sans=["other.test"])) as port:
        failed = await refused(port)
    assert Failure.CERTIFICATE_REJECTED == failed.failure
    assert ("CN=old", ("other.test",), 10, "certificate_has_expired", 0) == tuple(
        failed.facts[name] for name in ("subject", "sans", "verify_code", "reason", "depth")
    )
    assert -101 == failed.facts["days_left"]


async def test_a_wrong_name() -> None:
    """The chain is good, the name is not (truth: tls-wrong-san)."""
    async with quiet(mint("l", root(), sans=["other.test"])) as port:
        failed = await refused(port)
    assert (Failure.NAME_MISMATCH, ("other.test",)) == (failed.failure, failed.facts["sans"])


ACCEPTED_UNSEEN = {
    "self-signed": mint("l"),
    "expired": mint("l", root(), valid=PAST),
    "nameless": mint("l", sans=[], valid=PAST),
    "for clients": mint("l", other_root(), usage="client"),
}


@pytest.mark.parametrize("leaf", ACCEPTED_UNSEEN.values(), ids=list(ACCEPTED_UNSEEN))
async def test_tls_skip_verify_accepts_every_certificate(leaf: Pair) -> None:
    """Self-signed, expired, nameless, for clients only (truth: tls-*-skip)."""
    async with quiet(leaf) as port:
        assert await accepted(port, skip_verify=True)


async def test_trust_that_holds_no_certificate_is_ours() -> None:
    """Nothing can be judged without a CA: undetermined, before a byte is sent."""
    async with quiet() as port:
        assert Failure.TRUST_UNAVAILABLE == (await refused(port, trust=b"")).failure


# ------------------------------------------------------------------ names and protocols


@pytest.mark.parametrize("name", [HOST, "127.0.0.1", "::1", "up.lab.test.", "*.lab.test", "UP.Lab.test", "under_score", ""])
async def test_the_server_is_asked_for_the_name_as_it_is(name: str) -> None:
    """SNI is what the plan says: addresses, a trailing dot, a wildcard; nothing where it is empty (truth: tls-sni-sent-for-ip)."""
    asked: list[str | None] = []
    terms = context(mint("l", root()))
    terms.sni_callback = lambda _, server_name, __: asked.append(server_name)
    async with listening(hold, terms) as port:
        facts = await accepted(port, server_name=name)
    assert ([name or None], name) == (asked, facts["sni"])


async def test_the_certificate_may_depend_on_the_name() -> None:
    """Asked for another name, the server shows another certificate (truth: tls-sni-by-ip)."""
    good, otherwise = context(mint("good", root())), context(mint("other", root(), sans=["other.test"]))

    def choose(sock: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        sock.context = good if name == HOST else otherwise

    otherwise.sni_callback = choose
    async with listening(hold, otherwise) as port:
        assert "CN=good" == (await accepted(port))["subject"]
        assert "CN=other" == (await refused(port, server_name="127.0.0.1")).facts["subject"]


@pytest.mark.parametrize(
    ("offered", "has", "selected"),
    [(("h2", "http/1.1"), ["h2"], "h2"), (("http/1.1",), ["h2", "http/1.1"], "http/1.1"), (("h2",), [], "")],
)
async def test_the_protocol_is_what_alpn_selects(offered: tuple[str, ...], has: list[str], selected: str) -> None:
    """The server's choice among ours, or none."""
    async with quiet(alpn=has) as port:
        assert selected == (await accepted(port, alpn=offered))["alpn"]


@pytest.mark.parametrize("version", [0x0303, 0x0304], ids=["1.2", "1.3"])
async def test_a_protocol_that_was_not_offered(version: int) -> None:
    """Envoy ends the handshake (truth: tls-alpn-unknown)."""
    with threaded(selecting(mint("l", root()), b"foo", version)) as port:
        failed = await refused(port)
    assert Failure.ALPN_INVALID == failed.failure
    assert ("foo" if version == 0x0303 else None) == failed.facts.get("alpn")


async def test_no_protocol_in_common() -> None:
    """Go and `openssl s_server` send no_application_protocol, 120 (truth: tls-alpn-go-h2-only)."""
    record = b"\x15\x03\x03\x00\x02\x02\x78"
    async with listening(answers(record)) as port:
        failed = await refused(port, alpn=("http/1.1",))
    assert (120, "TLSV1_ALERT_NO_APPLICATION_PROTOCOL", 268436576) == tuple(
        failed.facts[name] for name in ("alert", "alert_name", "alert_code")
    )


# ------------------------------------------------------------------ client certificates


def client(issuer: Pair | None = None, **more: Any) -> dict[str, bytes]:
    pair = mint("client", issuer or root(), sans=(), **{"usage": "client", **more})
    return {"client_cert": pair.pem, "client_key": pair.key_pem}


@pytest.mark.parametrize("version", [V12, V13], ids=["1.2", "1.3"])
@pytest.mark.parametrize("kind", ["p256", "p384", "p521", "ed25519", "rsa2048"])
async def test_a_client_certificate_is_sent_where_it_is_asked_for(version: ssl.TLSVersion, kind: str) -> None:
    """And the facts say so (truth: tls-mtls-ok-12)."""
    async with quiet(client_ca=root(), lowest=version, highest=version) as port:
        walk = walk_to(port, options=tls_options(**client(kind=kind)))
        await tcp.connect(walk)
        facts = await tls.handshake(walk)
        assert walk.stream
        await walk.stream.send(b"hello")
        assert b"hello" == await walk.stream.receive()
        walk.stream.close()
    assert (True, True) == (facts["client_certificate_requested"], facts["client_certificate_sent"])


async def test_a_client_certificate_comes_with_its_intermediates() -> None:
    """What stands behind it in the file is sent too, so that a server that knows only the root can check it."""
    pair = mint("client", intermediate(), sans=(), usage="client")
    both = {"client_cert": pair.pem + intermediate().pem, "client_key": pair.key_pem}
    async with quiet(client_ca=root(), highest=V12) as port:
        assert (await accepted(port, **both))["client_certificate_sent"]


async def test_a_client_certificate_stays_at_home_where_nobody_asks() -> None:
    """Neither asked for nor sent."""
    async with quiet() as port:
        facts = await accepted(port, **client())
    assert (False, False) == (facts["client_certificate_requested"], facts["client_certificate_sent"])


REFUSED_CLIENTS: dict[str, tuple[dict[str, bytes], str]] = {
    "missing": ({}, "268436496:SSL_routines:OPENSSL_internal:SSLV3_ALERT_HANDSHAKE_FAILURE"),
    "other CA": (client(other_root()), "268436504:SSL_routines:OPENSSL_internal:TLSV1_ALERT_UNKNOWN_CA"),
    "for servers": (client(usage="server"), "268436499:SSL_routines:OPENSSL_internal:SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"),
    "expired": (client(valid=PAST), "268436501:SSL_routines:OPENSSL_internal:SSLV3_ALERT_CERTIFICATE_EXPIRED"),
}


@pytest.mark.parametrize("name", REFUSED_CLIENTS)
async def test_a_refused_client_certificate_on_tls_12(name: str) -> None:
    """The server's alert ends the handshake, and Envoy prints its name (truth: tlsa-mtls-*-12)."""
    options, expected = REFUSED_CLIENTS[name]
    with loud(client_ca=root(), highest=V12) as port:
        failed = await refused(port, **options)
    assert expected == words(failed.failure, failed.facts)
    assert (True, bool(options)) == (failed.facts["client_certificate_requested"], failed.facts["client_certificate_sent"])


async def test_a_refused_client_certificate_does_not_hide_ours() -> None:
    """Envoy looks at the server's certificate first: that it is refused counts, not the alert that comes after."""
    with loud(mint("l"), client_ca=root(), highest=V12) as port:
        assert Failure.CERTIFICATE_REJECTED == (await refused(port)).failure


async def test_a_missing_client_certificate_may_end_without_an_alert() -> None:
    """asyncio's servers close; the facts tell what they had asked for (truth: tls-mtls-missing-12)."""
    async with quiet(client_ca=root(), highest=V12) as port:
        failed = await refused(port)
    assert Failure.HANDSHAKE_CLOSED == failed.failure
    assert (True, False) == (failed.facts["client_certificate_requested"], failed.facts["client_certificate_sent"])


@pytest.mark.parametrize("name", REFUSED_CLIENTS)
async def test_a_refused_client_certificate_on_tls_13(name: str) -> None:
    """The handshake succeeds; the alert, or the end, comes on the first read (truth: tlsa-mtls-*-13)."""
    options, _ = REFUSED_CLIENTS[name]
    with loud(client_ca=root(), lowest=V13) as port:
        walk = walk_to(port, options=tls_options(**options))
        await tcp.connect(walk)
        facts = await tls.handshake(walk)
        assert facts["client_certificate_requested"]
        assert walk.stream
        with pytest.raises(TLSBroken):
            await walk.stream.receive()
        walk.stream.close()


async def test_a_client_certificate_that_we_cannot_use_is_ours() -> None:
    """A key that does not fit leaves the upstream undetermined."""
    async with quiet() as port:
        failed = await refused(port, client_cert=client()["client_cert"], client_key=client()["client_key"])
    assert Failure.NOT_KNOWN == failed.failure
    assert "the TLS library of this machine" == failed.facts["limit"]


# ------------------------------------------------------------------ no TLS at all


async def test_plain_http() -> None:
    """An HTTP server that answers the ClientHello with 400 (truth: tls-plaintext-http1)."""
    async with listening(answers(PLAIN)) as port:
        failed = await refused(port)
    assert (Failure.NOT_TLS, "HTTP", HOST) == (failed.failure, failed.facts["speaks"], failed.facts["sni"])


async def test_a_banner_before_anything_is_asked() -> None:
    """tls_skip_verify does not help against another protocol (truth: tls-plaintext-skip)."""
    async with listening(says(b"220 mail.example.com ESMTP\r\n")) as port:
        failed = await refused(port, skip_verify=True)
    assert (Failure.NOT_TLS, "SMTP") == (failed.failure, failed.facts["speaks"])


async def test_closed_before_an_answer() -> None:
    """FIN at once, or after the ClientHello, has no words in Envoy (truth: tls-plaintext-http1-readuntil)."""
    for handler in (answers(b""), answers(b"\x16\x03")):
        async with listening(handler) as port:
            assert "closed" == await envoys_words(port)


@pytest.mark.parametrize("handler", [reset, close, answers(b"", "rst")], ids=["rst", "fin", "rst after the ClientHello"])
async def test_reset_or_closed_unread(handler: Any) -> None:
    """RST during the handshake (truth: tls-handshake-rst); FIN with our hello unread ends in RST or FIN, as it happens."""
    async with listening(handler) as port:
        outcome = await shake_hands(port)
    assert isinstance(outcome, StageFailed)
    if handler is not close:
        assert (Failure.HANDSHAKE_RESET, "ECONNRESET") == (outcome.failure, outcome.facts["errno"])
    assert outcome.failure in (Failure.HANDSHAKE_RESET, Failure.HANDSHAKE_CLOSED)


async def test_a_server_that_says_nothing_waits_for_the_clock() -> None:
    """The stage has no clock of its own (truth: tls-handshake-hang)."""
    async with listening(hold) as port:
        walk = walk_to(port, options=tls_options())
        await tcp.connect(walk)
        with anyio.move_on_after(0.02) as scope:
            await tls.handshake(walk)
        assert scope.cancelled_caught
        assert walk.stream
        walk.stream.close()


# ------------------------------------------------------------------ elsewhere


async def test_tls_over_a_unix_socket(tmp_path: Path) -> None:
    """https+unix: the same handshake over another stream (truth: tls-https-unix-server-name)."""
    path = tmp_path / "up.sock"
    async with listening(hold, context(mint("l", root())), unix=path):
        assert (await accepted(None, address=str(path)))["chain_length"] == 1


async def test_many_at_once_do_not_mix() -> None:
    """Connections share a context, and nothing else."""
    names = [f"h{number}.lab.test" for number in range(8)]
    contexts = {name: context(mint(name, root(), sans=[name])) for name in names}
    first = contexts[names[0]]

    def choose(sock: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        sock.context = contexts[name or ""]

    first.sni_callback = choose
    async with listening(hold, first) as port:
        found = await asyncio.gather(*(accepted(port, server_name=name, match_name=name) for name in names))
    assert names == [str(facts["subject"]).removeprefix("CN=") for facts in found]


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Any]:
    """Starts nginx with these server blocks; PORT, CERT and CA in them are filled in."""
    if not shutil.which("nginx"):
        pytest.skip("needs nginx")
    running: list[subprocess.Popen[bytes]] = []

    def start(servers: str, leaf: Pair) -> int:
        with socket.socket() as sock:
            sock.bind((LOOPBACK, 0))
            port = int(sock.getsockname()[1])
        for name, content in {"cert.pem": leaf.pem, "key.pem": leaf.key_pem, "ca.pem": root().pem}.items():
            (tmp_path / name).write_bytes(content)
        certificate = f"ssl_certificate {tmp_path}/cert.pem; ssl_certificate_key {tmp_path}/key.pem;"
        temporary = " ".join(f"{kind}_temp_path {tmp_path};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        block = servers.replace("PORT", str(port)).replace("CERT", certificate).replace("CA", f"{tmp_path}/ca.pem")
        (tmp_path / "nginx.conf").write_text(
            f"worker_processes 1; daemon off; master_process off; pid {tmp_path}/pid; error_log {tmp_path}/err.log; events {{}} "
            f"http {{ access_log off; {temporary} {block} }}"
        )
        running.append(subprocess.Popen(["nginx", "-c", tmp_path / "nginx.conf", "-p", tmp_path], stderr=subprocess.DEVNULL))
        while True:
            with socket.socket() as sock:
                if sock.connect_ex((LOOPBACK, port)) == 0:
                    return port
            time.sleep(0.02)

    yield start
    for process in running:
        process.kill()
        process.wait()


async def test_nginx_that_refuses_unknown_names(nginx: Any) -> None:
    """ssl_reject_handshake: unrecognized_name (truth: tls-nginx-reject-handshake)."""
    port = nginx("server { listen 127.0.0.1:PORT ssl default_server; ssl_reject_handshake on; }", mint("l", root()))
    assert "268436568:SSL_routines:OPENSSL_internal:TLSV1_ALERT_UNRECOGNIZED_NAME" == await envoys_words(port)


async def test_nginx_that_wants_a_client_certificate(nginx: Any) -> None:
    """It shakes hands without one and answers 400 later; the facts know what it asked for (truth: tls-mtls-nginx)."""
    servers = "server { listen 127.0.0.1:PORT ssl; CERT ssl_client_certificate CA; ssl_verify_client on; return 200 ok; }"
    facts = await accepted(nginx(servers, mint("l", root())))
    assert (True, False) == (facts["client_certificate_requested"], facts["client_certificate_sent"])


async def test_nginx_without_a_common_cipher(nginx: Any) -> None:
    """Its alert comes before it closes (truth: tlsa-nginx-cipher)."""
    servers = "server { listen 127.0.0.1:PORT ssl; CERT ssl_protocols TLSv1.2; ssl_ciphers DHE-RSA-AES256-GCM-SHA384; }"
    port = nginx(servers, mint("l", root(), kind="rsa2048"))
    failed = await refused(port)
    assert (Failure.TLS_ALERT, 40, True) == (failed.failure, failed.facts["alert"], failed.facts["on_client_hello"])
