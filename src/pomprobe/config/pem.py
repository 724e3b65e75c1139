"""Certificates and keys in PEM, as far as a config can be judged by them; `cryptography` is imported only when one is there."""

from __future__ import annotations

import re
import warnings
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..record import Record

if TYPE_CHECKING:
    from cryptography import x509

SKIPPED = "after skipping PEM blocks of the following types:"
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\s+(.*?)-----END \1-----", re.S)


class Cert(Record, frozen=True):
    """What is told of a certificate. Dates are ISO 8601 in UTC; days_left is negative when expired."""

    subject: str
    not_before: str
    not_after: str
    days_left: int
    state: str  # "", "expired" or "not yet valid"


def certificates(pem: bytes, now: datetime | None = None) -> tuple[Cert, ...]:
    """The certificates of a bundle that can be read, in its order."""
    if b"-----BEGIN" not in pem:
        return ()
    moment = now or datetime.now(UTC)
    out = []
    for block in _blocks(pem, b"CERTIFICATE"):
        found = _loaded(block)
        if found is None:
            continue
        state = "expired" if found.not_valid_after_utc < moment else "not yet valid" if found.not_valid_before_utc > moment else ""
        out.append(
            Cert(
                subject=found.subject.rfc4514_string(),
                not_before=_iso(found.not_valid_before_utc),
                not_after=_iso(found.not_valid_after_utc),
                days_left=(found.not_valid_after_utc - moment).days,
                state=state,
            )
        )
    return tuple(out)


def _loaded(block: bytes) -> x509.Certificate | None:
    from cryptography import x509

    with warnings.catch_warnings():  # `cryptography` warns of odd serial numbers, which system bundles are full of
        warnings.simplefilter("ignore")
        try:
            return x509.load_pem_x509_certificate(block)
        except ValueError:
            return None


def pair_error(certificate: bytes, key: bytes) -> str:
    """What Go's tls.X509KeyPair says against the pair; "" where it is fine."""
    blocks = _blocks(certificate, b"CERTIFICATE")
    if not blocks:
        if b"PRIVATE KEY-----" in certificate:
            found = "but did find a private key; PEM inputs may have been switched"
            return f"tls: failed to find certificate PEM data in certificate input, {found}"
        if not _BLOCK.search(certificate):
            return "tls: failed to find any PEM data in certificate input"
        return f'tls: failed to find "CERTIFICATE" PEM block in certificate input {SKIPPED} {_types(certificate)}'
    keys = [match[0] for match in _BLOCK.finditer(key) if match[1] == b"PRIVATE KEY" or match[1].endswith(b" PRIVATE KEY")]
    if not keys:
        if not _BLOCK.search(key):
            return "tls: failed to find any PEM data in key input"
        if _blocks(key, b"CERTIFICATE"):
            return "tls: found a certificate rather than a key in the PEM for the private key"
        return f'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input {SKIPPED} {_types(key)}'
    return _mismatch(blocks[0], keys[0])


def _mismatch(certificate: bytes, key: bytes) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    loaded = _loaded(certificate)
    try:
        public = loaded.public_key() if loaded is not None else None
    except (ValueError, UnsupportedAlgorithm):
        public = None
    if public is None:
        return "x509: malformed certificate"
    try:
        private = load_pem_private_key(key, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "tls: failed to parse private key"
    shape = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if type(private.public_key()) is not type(public):
        return "tls: private key type does not match public key type"
    if private.public_key().public_bytes(*shape) != public.public_bytes(*shape):
        return "tls: private key does not match public key"
    return ""


def _blocks(pem: bytes, kind: bytes) -> list[bytes]:
    return [match[0] + b"\n" for match in _BLOCK.finditer(pem) if match[1] == kind]


def _types(pem: bytes) -> str:
    return "[" + " ".join(match[1].decode("ascii") for match in _BLOCK.finditer(pem)) + "]"


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
