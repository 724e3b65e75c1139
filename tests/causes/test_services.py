"""Pomerium's own services, in a split deployment: root cause Y."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import trustme

from pomprobe.report import Style, write
from servers.dns import dns_server
from servers.health import closed_port, serve

from .apps import App
from .playing import OK, Played, play, response
from .recorded import recorded
from .test_tls import served

HELLO = App(lambda path, headers: response(200))
LOST = "every request of every route gets 503 UAEX ext_authz_error"
"""What users see; the route's own forecast is what they get once that is mended."""


async def split(*settings: str) -> Played:
    """A route to an app that answers, of a proxy with these keys whose authorize service is another process."""
    async with serve(HELLO) as port:
        return await play(f"to: http://127.0.0.1:{port}", "\n".join(("services: proxy", *settings)))


async def test_an_authorize_service_whose_name_does_not_resolve() -> None:
    """Y: Envoy asks the authorize service before each request; the fix names the key of its URL."""
    async with dns_server({"*": "NXDOMAIN"}) as server:
        url = "https://pomerium-authorize.lab.test:5443"
        played = await split(f"authorize_service_url: {url}", f"dns_resolvers: [udp://127.0.0.1:{server.port}]")
    assert [(1.0, 200, "-", OK)] == played.forecast
    found = played.verdict("CFG621")
    assert "pomerium-authorize.lab.test does not exist" in found.message and LOST in found.message  # type: ignore[union-attr]
    assert ("authorize_service_url", 2) == (found.place.path, found.place.line)
    assert f"Correct the host in `authorize_service_url` ({url})" in played.fix("CFG621")
    assert found.rule.means is not None
    assert (found.rule.means["status"], "UAEX", found.rule.means["response_code_details"]) in recorded("own-authz-no-name")


async def test_an_authorize_service_that_does_not_run() -> None:
    """Y: nothing listens; without any key it is looked for on Pomerium's own loopback."""
    with closed_port() as port:
        played = await split(f"authorize_service_urls: ['http://127.0.0.1:{port}']")
    assert LOST in played.verdict("CFG622").message and [(1.0, 200, "-", OK)] == played.forecast  # type: ignore[union-attr]
    assert f"Start the service at http://127.0.0.1:{port}, or correct `authorize_service_urls`" in played.fix("CFG622")


@pytest.mark.parametrize("trusted", [True, False])
async def test_an_authorize_service_with_another_certificate(trusted: bool, tmp_path: Path) -> None:
    """Y: the certificate is for another name, or of a CA that nobody trusts there; the fix is the key of Pomerium's own, not a route's."""
    authority = trustme.CA(organization_name="Internal")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    given = [f"certificate_authority_file: {tmp_path / 'ca.pem'}"] if trusted else ["override_certificate_name: authorize.lab.test"]
    async with serve(HELLO, served(authority, "authorize.lab.test")) as port:
        played = await split(f"authorize_service_url: https://127.0.0.1:{port}", *given)
        fine = f"certificate_authority_file: {tmp_path / 'ca.pem'}\noverride_certificate_name: authorize.lab.test"
        mended = await split(f"authorize_service_url: https://127.0.0.1:{port}", fine)
    key = "`override_certificate_name: authorize.lab.test`" if trusted else "`certificate_authority_file`"
    assert LOST in played.verdict("CFG623").message and [(1.0, 200, "-", OK)] == played.forecast  # type: ignore[union-attr]
    assert key in played.fix("CFG623") and ("Internal" in played.fix("CFG623")) is not trusted
    assert "tls_upstream" not in played.verdict("CFG623").message  # type: ignore[union-attr]
    assert not {code for code in mended.codes if code.startswith("CFG62")}


async def test_one_process_for_all_services() -> None:
    """Y: where the proxy is its own authorize service, the URL is nobody's, and nothing is asked there."""
    async with serve(HELLO) as port:
        with closed_port() as closed:
            played = await play(f"to: http://127.0.0.1:{port}", f"services: all\nauthorize_service_url: http://127.0.0.1:{closed}")
    assert set() == played.codes and [(1.0, 200, "-", OK)] == played.forecast


async def test_its_connections_are_told_by_verbose() -> None:
    """Y: what is probed beside the routes' requests stands in the report, also where all is well."""
    async with serve(HELLO) as authorize:
        played = await split(f"authorize_service_url: http://127.0.0.1:{authorize}")
    out = io.StringIO()
    write(played.report, "text", out, Style(width=120, verbose=True))
    assert "pomerium-authorize, Pomerium's own service  config.yaml:2\n" in out.getvalue()
    assert f"127.0.0.1:{authorize}" in out.getvalue()
    assert [(1.0, 200, "-", OK)] == played.forecast and set() == played.codes
