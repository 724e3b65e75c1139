"""What this machine trusts: the system's bundle of certificate authorities, searched as Pomerium searches it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .plan import Bundle

BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/usr/local/etc/ssl/cert.pem",
    "/etc/ssl/cert.pem",
)
"""Pomerium's list (config/envoyconfig/envoyconfig.go, getRootCertificateAuthority). SSL_CERT_FILE is not on it."""


def read_bundle(bundles: Sequence[str] = BUNDLES) -> Bundle:
    """The first bundle that exists; one that cannot be read counts as none, as it does for Pomerium."""
    path = next((path for path in bundles if Path(path).exists()), None)
    if path is None:
        return Bundle()
    try:
        return Bundle(system_ca=Path(path).read_bytes(), system_ca_path=path)
    except OSError:
        return Bundle()
