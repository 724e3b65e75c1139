"""Certificates in the config itself: authorities that cannot be read, and what has expired."""

from __future__ import annotations

import os

from ...model import Fact, Failure, Route
from .. import pem
from .view import SECURE, View, place_in

NO_TRUST = "SAN-based verification of peer certificates without trusted CA is insecure and not allowed"
"""Envoy's refusal of a TLS context with a name to match and no CA; tls_skip_verify does not help."""
NOT_LOADED = "Failed to load trusted CA certificates from {}"
INLINE = "<inline>"
EMPTY = "DataSource cannot be empty"


def check(view: View) -> None:
    _global(view)
    judged: dict[bytes, tuple[pem.Cert, ...]] = {}
    for route, mapping in view.proxied():
        if not any(one.scheme in SECURE for one in route.upstreams):
            continue
        if route.tls.custom_ca is not None:
            key = "tls_custom_ca_file" if "tls_custom_ca_file" in route.places else "tls_custom_ca"
            if route.tls.custom_ca not in judged:
                judged[route.tls.custom_ca] = pem.certificates(route.tls.custom_ca)
            file = mapping.scalar("tls_custom_ca_file") or INLINE
            _authority(view, route, key, file, judged[route.tls.custom_ca])
        if route.tls.client_cert is not None:
            _client(view, route, route.tls.client_cert)


def _global(view: View) -> None:
    broken = [p for p in view.problems.found if p.failure is Failure.CA_UNREADABLE and p.facts.get("scope") == "all https routes"]
    if broken:
        for route, _ in view.proxied():
            if route.tls.custom_ca is None and any(one.scheme in SECURE for one in route.upstreams):
                view.block(route.index, NO_TRUST)
    authority = view.settings.certificate_authority
    if authority is None:
        return
    key = "certificate_authority" if "certificate_authority" in view.settings.places else "certificate_authority_file"
    place = view.settings.places[key]
    found = pem.certificates(authority)
    if not found:
        message = f"{key} holds no certificate in PEM"
        view.note(Failure.CA_UNREADABLE, place, message, key=key, error="no PEM certificate in it", scope="no effect")
    _expired(view, None, key, found)


def _authority(view: View, route: Route, key: str, file: str, found: tuple[pem.Cert, ...]) -> None:
    if found:
        _expired(view, route, key, found)
        return
    if route.tls.custom_ca:
        message = NOT_LOADED.format(file)
    else:
        message = EMPTY if file == INLINE or os.path.isfile(file) else f"Invalid path: {file}"
    facts: dict[str, Fact] = {"error": "no PEM certificate in it", "scope": "route", "write": f"{key}: certificates in PEM"}
    view.on(route, Failure.CA_UNREADABLE, place_in(route, key), message, key=key, **facts)
    view.block(route.index, message)


def _expired(view: View, route: Route | None, key: str, found: tuple[pem.Cert, ...]) -> None:
    expired = [certificate for certificate in found if certificate.state == "expired"]
    if not expired or len(expired) < len(found):  # an old one beside a new one is how authorities are replaced
        return
    place = place_in(route, key) if route is not None else view.settings.places[key]
    message = f"{key}: {expired[0].subject} expired on {expired[0].not_after}"
    facts: dict[str, Fact] = {"subject": expired[0].subject, "not_after": expired[0].not_after, "expired": len(expired)}
    facts["certificates"] = len(found)
    if route is not None:
        view.on(route, Failure.CA_EXPIRED, place, message, key=key, **facts)
    else:
        view.note(Failure.CA_EXPIRED, place, message, key=key, **facts)


def _client(view: View, route: Route, data: bytes) -> None:
    certificate = next(iter(pem.certificates(data)), None)
    if certificate is None or not certificate.state:
        return
    key = "tls_client_cert" if "tls_client_cert" in route.places else "tls_client_cert_file"
    verb = "expired on" if certificate.state == "expired" else "is not valid before"
    moment = certificate.not_after if certificate.state == "expired" else certificate.not_before
    view.on(
        route,
        Failure.CLIENT_CERT_EXPIRED,
        place_in(route, key),
        f"the client certificate {certificate.subject} {verb} {moment}",
        key=key,
        subject=certificate.subject,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        days_left=certificate.days_left,
        state=certificate.state,
    )
