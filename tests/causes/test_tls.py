"""Certificates, names and versions, and a scheme that is not the port's: root causes A, B, C and D."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from pathlib import Path

import pytest
import trustme

import servers.tls
from envoy.scenes import pki
from envoy.scenes import tls as scenes
from servers.certificates import mint, root
from servers.health import AUTHORITY, closed_port, serve, tls
from servers.tls import renegotiating

from .apps import App
from .playing import BROKEN, OK, base64_of, play, response
from .recorded import answers, known

HELLO = App(lambda path, headers: response(200))
REJECTED = BROKEN + "|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify_cert_failed:_"
OUR_CA = f"tls_custom_ca: {base64_of(AUTHORITY)}"
VERSION, FAILURE = 70, 40
"""Alerts of TLS: protocol_version, handshake_failure (RFC 8446, 6.2)."""


def served(authority: trustme.CA, name: str, until: datetime.datetime | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, not_after=until).configure_cert(context)
    return context


async def test_a_private_ca() -> None:
    """A: the certificate's issuer is not among the trusted ones; the fix names the key that takes it."""
    async with serve(HELLO, served(trustme.CA(organization_name="Other"), "127.0.0.1")) as port:
        played = await play(f"to: https://127.0.0.1:{port}\n{OUR_CA}")
    ((share, status, flags, details),) = played.forecast
    assert (1.0, 503, "UF") == (share, status, flags)
    assert details.startswith(BROKEN) and "unable_to_get_local_issuer_certificate" in details
    assert "`tls_custom_ca_file`" in played.fix("TLS115") and "Other" in played.fix("TLS115")


async def test_an_expired_certificate() -> None:
    """A: the day on which it expired is told, and no key of Pomerium's is offered before its renewal."""
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    async with serve(HELLO, served(AUTHORITY, "127.0.0.1", past)) as port:
        played = await play(f"to: https://127.0.0.1:{port}\n{OUR_CA}")
    assert (503, "UF") == played.forecast[0][1:3]
    assert "certificate_has_expired" in played.forecast[0][3]
    assert f"Renew the certificate on 127.0.0.1:{port} (it expired on 2020-01-01 00:00 UTC)" in played.fix("TLS102")
    assert "tls_skip_verify" not in " ".join(played.verdict("TLS102").fixes)


async def test_an_address_in_to_and_names_in_the_certificate() -> None:
    """B: the handshake was tried with the name that users type, for which there is no other certificate, and with this one's: it works."""
    async with serve(HELLO, tls("app.lab.test")) as port:
        played = await play(f"to: https://127.0.0.1:{port}\n{OUR_CA}")
    assert (503, "UF") == played.forecast[0][1:3]
    assert "SAN_matcher" in played.forecast[0][3]
    tried = tuple(f"TLS to 127.0.0.1:{port} with the name {name}" for name in ("app.example.com", "app.lab.test"))
    assert tried == played.tried()
    assert "`tls_upstream_server_name: app.lab.test`" in played.fix("TLS123")


async def test_a_server_of_several_sites() -> None:
    """B: for an address it shows the certificate of its default site; the one of the users' own site was found, and is what is proposed."""
    default, own = tls("default.lab.test"), tls("app.example.com")

    def choose(wrapped: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        wrapped.context = own if name == "app.example.com" else default

    default.sni_callback = choose
    async with serve(HELLO, default) as port:
        played = await play(f"to: https://127.0.0.1:{port}\n{OUR_CA}")
    assert "SAN_matcher" in played.forecast[0][3]
    assert "`tls_upstream_server_name: app.example.com`" in played.fix("TLS123")


async def test_https_to_a_plain_port() -> None:
    """C: plain HTTP was tried on the same port, and works."""
    async with serve(HELLO) as port:
        played = await play(f"to: https://127.0.0.1:{port}")
    assert (503, "UF") == played.forecast[0][1:3]
    assert (f"plain HTTP to 127.0.0.1:{port}",) == played.tried()
    assert f"`to: http://127.0.0.1:{port}`" in played.fix("TLS302")


async def test_the_fix_keeps_localhost() -> None:
    """C: the name stays as it is written: apps see it as Host."""
    async with serve(HELLO, tls("localhost")) as port:
        played = await play(f"to: http://localhost:{port}")
    assert (503, "UC") == played.forecast[0][1:3]
    assert f"`to: https://localhost:{port}`" in played.fix("HTTP107")


async def test_http_to_a_tls_port() -> None:
    """C: TLS was tried on the same port, and works."""
    async with serve(HELLO, tls()) as port:
        played = await play(f"to: http://127.0.0.1:{port}")
    assert (1.0, 503, "UC", "upstream_reset_before_response_started{connection_termination}") == played.forecast[0]
    assert (f"TLS to 127.0.0.1:{port}",) == played.tried()
    assert f"`to: https://127.0.0.1:{port}`" in played.fix("HTTP107")


async def test_http_to_a_tls_port_of_nginx() -> None:
    """C: the TLS server answers plain HTTP with a 400 of its own."""
    async with serve(App(lambda path, headers: response(400, body="The plain HTTP request was sent to HTTPS port"))) as port:
        played = await play(f"to: http://127.0.0.1:{port}")
    assert [(1.0, 400, "-", OK)] == played.forecast
    assert f"`to: https://127.0.0.1:{port}`" in played.fix("HTTP401")


@pytest.mark.parametrize(("alert", "code", "words"), [(VERSION, "TLS221", "PROTOCOL_VERSION"), (FAILURE, "TLS202", "HANDSHAKE_FAILURE")])
async def test_a_server_that_is_too_old(alert: int, code: str, words: str) -> None:
    """D: no TLS version, or no cipher, in common; Envoy's words have the server's alert."""

    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(5)
        await reader.readexactly(int.from_bytes(head[3:]))
        writer.write(bytes([21, 3, 1, 0, 2, 2, alert]))
        writer.write_eof()

    async with serve(old) as port:
        played = await play(f"to: https://127.0.0.1:{port}")
    assert (503, "UF") == played.forecast[0][1:3]
    assert words in played.forecast[0][3]
    assert ("TLS 1.2" in played.fix(code)) if alert == VERSION else ("cipher" in played.fix(code))


async def test_a_client_certificate_is_wanted() -> None:
    """D: the server asks for a certificate that the route does not have; the fix names both keys."""
    context = tls("127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_3
    AUTHORITY.configure_trust(context)
    async with serve(HELLO, context) as port:
        played = await play(f"to: https://127.0.0.1:{port}\n{OUR_CA}")
    assert [(1.0, 503, "UC", "upstream_reset_before_response_started{connection_termination}")] == played.forecast
    assert "`tls_client_cert_file: /path/to/client.pem` and `tls_client_key_file: /path/to/client.key`" in played.fix("HTTP104")


async def test_a_port_that_is_closed_is_tried_no_further() -> None:
    """C: where nothing listens there is no other scheme to try."""
    with closed_port() as port:
        played = await play(f"to: https://127.0.0.1:{port}")
    assert () == played.tried()


async def test_https_to_a_plain_port_that_waits_for_a_line() -> None:
    """C: the server takes the ClientHello for the beginning of a request; plain HTTP was tried when the time was over."""

    async def patient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readexactly(3) == b"GET":
            writer.write(response(200, "connection: close\r\n"))
        await reader.read()

    async with serve(patient) as port:
        played = await play(f"to: https://127.0.0.1:{port}\ntimeout: 500ms")
    assert [(1.0, 504, "UT", "response_timeout")] == played.forecast
    assert f"`to: http://127.0.0.1:{port}`" in played.fix("TLS322")


async def test_a_site_that_is_chosen_by_name() -> None:
    """B: the server has no site for the address in `to`; the handshake was tried with the name that users type, and works."""
    choosing = tls("app.example.com")

    def choose(wrapped: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        return None if name == "app.example.com" else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    choosing.sni_callback = choose
    with scenes.threaded(scenes.sending_alerts(choosing)) as port:
        played = await play(f"to: https://127.0.0.1:{port}\n{OUR_CA}")
    assert (503, "UF") == played.forecast[0][1:3]
    assert "UNRECOGNIZED_NAME" in played.forecast[0][3]
    assert "`tls_upstream_server_name: app.example.com`" in played.fix("TLS222")
    assert (f"TLS to 127.0.0.1:{port} with the name app.example.com",) == played.tried()


async def test_a_server_that_renegotiates() -> None:
    """D: TLS 1.2, and a second handshake in the middle of the request; with the key it was tried, and works."""
    with servers.tls.threaded(renegotiating(mint("l", root()), answer=response(200))) as port:
        played = await play(f"to: https://127.0.0.1:{port}\ntls_skip_verify: true")
    assert [(1.0, 503, "UC", "upstream_reset_before_response_started{connection_termination}")] == played.forecast
    assert "`tls_upstream_allow_renegotiation: true` on this route: pomprobe tried it" in played.fix("HTTP109")


async def test_an_intermediate_that_the_server_leaves_out() -> None:
    """A: Envoy's words are those of an unknown CA; the names tell which certificate is missing, and where it goes."""
    authority = trustme.CA()
    between = authority.create_child_ca()
    issued = between.issue_cert("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with issued.private_key_pem.tempfile() as key, issued.cert_chain_pems[0].tempfile() as leaf:
        context.load_cert_chain(leaf, key)
    async with serve(HELLO, context) as port:
        played = await play(f"to: https://127.0.0.1:{port}\ntls_custom_ca: {base64_of(authority)}")
    assert known("tls-missing-intermediate") == answers(played.forecast)
    missing = str(played.verdict("TLS132").facts["missing_ca"])  # type: ignore[union-attr]
    assert f"Let 127.0.0.1:{port} send the full chain, {missing}" in played.fix("TLS132")
    assert "`tls_custom_ca_file`" in played.verdict("TLS132").fixes[1]


async def test_a_certificate_that_signs_itself(tmp_path: Path) -> None:
    """A: it can be trusted itself; that it is not checked at all comes last."""
    leaf = pki.Authority(tmp_path).leaf(pki.Leaf(("127.0.0.1",), issuer="self"))
    async with serve(HELLO, scenes.context(leaf)) as port:
        played = await play(f"to: https://127.0.0.1:{port}")
    assert "self_signed_certificate" in played.forecast[0][3]
    assert "`tls_custom_ca_file: /path/to/up.pem`" in played.fix("TLS105")
    assert "tls_skip_verify" not in "".join(played.verdict("TLS105").fixes[:1])
