"""The tls_* keys: without effect, against each other, or with more effect than was meant."""

from __future__ import annotations

from ipaddress import ip_address

from ...model import Fact, Failure, Route
from .view import SECURE, View, place_in

UPSTREAM_KEYS = (
    "tls_skip_verify",
    "tls_upstream_server_name",
    "tls_server_name",
    "tls_custom_ca",
    "tls_custom_ca_file",
    "tls_client_cert",
    "tls_client_cert_file",
    "tls_upstream_allow_renegotiation",
)
CA_KEYS = ("tls_custom_ca_file", "tls_custom_ca")
PUBLIC = tuple(f".{domain}" for domain in (
    "amazonaws.com", "googleapis.com", "run.app", "appspot.com", "cloudfunctions.net", "azurewebsites.net", "azure.com", "windows.net",
    "github.com", "githubusercontent.com", "github.io", "gitlab.com", "herokuapp.com", "cloudfront.net", "fly.dev", "vercel.app",
    "netlify.app", "pages.dev", "workers.dev", "onrender.com", "okta.com", "auth0.com", "atlassian.net", "google.com", "microsoft.com",
    "slack.com", "openai.com", "anthropic.com", "cloudflare.com", "digitaloceanspaces.com", "ondigitalocean.app", "railway.app",
))  # fmt: skip
"""Domains, a dot in front, whose servers have certificates of public authorities."""


def check(view: View) -> None:
    for route, mapping in view.proxied():
        there = [key for key in UPSTREAM_KEYS if mapping.scalar(key) not in ("", "false", "False", "0")]
        secure = [one for one in route.upstreams if one.scheme in SECURE]
        if there and not secure:
            _without_tls(view, route, there)
            continue
        if secure:
            _certificates(view, route, there)
            for one in secure:
                _name(view, route, one.host)


def _without_tls(view: View, route: Route, there: list[str]) -> None:
    one = route.upstreams[0]
    message = f"{', '.join(there)} without effect: {one.scheme}:// does not use TLS"
    port = f":{one.port}" if one.explicit_port else ""
    host = f"[{one.host}]" if ":" in one.host else one.host
    write = f"to: https://{host}{port}{one.path}"
    facts: dict[str, Fact] = {"keys": tuple(there), "scheme": one.scheme, "write": write}
    view.on(route, Failure.TLS_KEYS_ON_HTTP, place_in(route, there[0]), message, key=there[0], **facts)


def _certificates(view: View, route: Route, there: list[str]) -> None:
    authorities = [key for key in CA_KEYS if key in there]
    if len(authorities) == 2:
        message = "tls_custom_ca_file wins over tls_custom_ca"
        view.on(route, Failure.CUSTOM_CA_TWICE, place_in(route, "tls_custom_ca"), message, key="tls_custom_ca")
    if route.tls.skip_verify:
        place = place_in(route, "tls_skip_verify")
        if authorities:
            message = f"with tls_skip_verify {authorities[0]} is not used: any certificate is accepted"
            view.on(route, Failure.SKIP_VERIFY_WITH_CA, place, message, key=authorities[0])
        else:
            message = "tls_skip_verify: neither the certificate's issuer nor its name is checked"
            view.on(route, Failure.SKIP_VERIFY, place, message, key="tls_skip_verify")
        return
    for one in route.upstreams:
        host = one.host.lower().rstrip(".")
        if authorities and f".{host}".endswith(PUBLIC):
            message = f"{authorities[0]} replaces the system's authorities, and {one.host} has a certificate of a public one"
            view.on(route, Failure.CUSTOM_CA_PUBLIC_HOST, place_in(route, authorities[0]), message, key=authorities[0], host=one.host)
            return


def _name(view: View, route: Route, host: str) -> None:
    """A name that no certificate can match: with a trailing dot, or empty behind https+unix (truth: surprise 20)."""
    name = route.tls.server_name or host
    where = place_in(route, "tls_upstream_server_name" if "tls_upstream_server_name" in route.places else "to")
    if route.tls.skip_verify:
        return
    if not name:
        message = "https+unix without tls_upstream_server_name: no certificate matches an empty name"
        facts: dict[str, Fact] = {"server_name": "", "because": "https+unix without a name", "write": "tls_upstream_server_name: NAME"}
        view.on(route, Failure.SERVER_NAME_UNMATCHABLE, where, message, key="tls_upstream_server_name", **facts)
    elif name.endswith(".") and not _is_address(name):
        message = f"{name} ends in a dot, which no certificate matches"
        write = f"tls_upstream_server_name: {name.rstrip('.')}"
        facts = {"server_name": name, "because": "trailing dot", "write": write}
        view.on(route, Failure.SERVER_NAME_UNMATCHABLE, where, message, key="tls_upstream_server_name", **facts)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
