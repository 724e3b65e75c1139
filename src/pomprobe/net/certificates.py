"""The facts of certificates, through `cryptography`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from ..model import Facts

_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a report says of one certificate. sans: the names as text, addresses included."""

    subject: str
    issuer: str
    dns_names: tuple[str, ...]
    addresses: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    key_type: str
    self_signed: bool

    @property
    def sans(self) -> tuple[str, ...]:
        return self.dns_names + self.addresses


def read(certificate: x509.Certificate) -> Certificate:
    """The facts of a certificate; read once for each distinct one."""
    return _read(certificate.public_bytes(Encoding.DER))


@lru_cache(maxsize=4096)
def _read(der: bytes) -> Certificate:
    certificate = x509.load_der_x509_certificate(der)
    dns_names, addresses = _names(certificate)
    subject, issuer = certificate.subject, certificate.issuer
    return Certificate(
        subject=subject.rfc4514_string(),
        issuer=issuer.rfc4514_string(),
        dns_names=dns_names,
        addresses=addresses,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        key_type=_key_type(certificate),
        self_signed=subject == issuer,
    )


def facts(certificate: Certificate, now: datetime | None = None) -> Facts:
    """The facts of the tls stage about the server's certificate. Dates are ISO 8601 in UTC; days_left is negative when expired."""
    left = certificate.not_after - (now or datetime.now(UTC))
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "sans": certificate.sans,
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
        "days_left": left.days,
        "key_type": certificate.key_type,
        "self_signed": certificate.self_signed,
    }


def _names(certificate: x509.Certificate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    try:
        san = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return (), ()
    return tuple(san.get_values_for_type(x509.DNSName)), tuple(str(address) for address in san.get_values_for_type(x509.IPAddress))


def _key_type(certificate: x509.Certificate) -> str:
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return certificate.public_key_algorithm_oid.dotted_string
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {_CURVES.get(key.curve.name, key.curve.name)}"
    return {ed25519.Ed25519PublicKey: "Ed25519", ed448.Ed448PublicKey: "Ed448"}.get(type(key), type(key).__name__)
