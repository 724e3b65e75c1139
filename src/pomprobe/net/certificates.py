"""The facts of a server's certificate, for people and rules."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from functools import lru_cache

from ..model import Fact
from . import der
from .x509 import X509
from .x509_extensions import DNS, IP, OTHER, RFC822, URI, GeneralName
from .x509_name import ENCODINGS

_ALGORITHMS = {
    "1.2.840.113549.1.1.1": "RSA",
    "1.2.840.113549.1.1.10": "RSA-PSS",
    "1.2.840.10045.2.1": "EC",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
    "1.2.840.10040.4.1": "DSA",
}
_CURVES = {
    "1.2.840.10045.3.1.7": "P-256",
    "1.3.132.0.34": "P-384",
    "1.3.132.0.35": "P-521",
    "1.3.132.0.33": "P-224",
    "1.3.132.0.10": "secp256k1",
}


def facts(certificate: X509, now: datetime | None = None) -> dict[str, Fact]:
    """The facts of the tls stage about it. Dates are ISO 8601 in UTC; days_left is negative when expired."""
    left = certificate.not_after - (now or datetime.now(UTC))
    return {**_lasting(certificate), "days_left": left.days}


@lru_cache(maxsize=4096)
def _lasting(certificate: X509) -> dict[str, Fact]:
    return {
        "subject": str(certificate.subject),
        "issuer": str(certificate.issuer),
        "sans": names(certificate),
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
        "key_type": key_type(certificate),
        "self_signed": certificate.self_issued,
    }


def names(certificate: X509) -> tuple[str, ...]:
    """The subjectAltNames as text, in the order of the certificate, "" for one that Envoy has no words for."""
    return tuple(map(_text, certificate.alt_names or ()))


def dns_names(certificate: X509) -> list[str]:
    """The dNSNames. Their bytes are taken as they are: nothing keeps a CA from putting in more than ASCII."""
    return [name.value.decode("latin-1") for name in certificate.alt_names or () if name.kind == DNS]


def addresses(certificate: X509) -> list[bytes]:
    """The iPAddress names: 4 or 16 bytes, or nonsense."""
    return [name.value for name in certificate.alt_names or () if name.kind == IP]


def key_type(certificate: X509) -> str:
    """"RSA 2048", "EC P-256", "Ed25519", else the OID of the algorithm."""
    algorithm, curve, key = certificate.key
    name = _ALGORITHMS.get(algorithm, algorithm)
    if name == "EC":
        return f"EC {_CURVES.get(curve, curve)}"
    return f"{name} {_modulus_bits(key)}" if name.startswith("RSA") else name


def _modulus_bits(key: bytes) -> int:
    """RSAPublicKey ::= SEQUENCE { modulus INTEGER, … }: bits of the modulus, without reading it as a number."""
    try:
        _, modulus = next(der.items(der.content(key, der.SEQUENCE)))
    except (der.Malformed, StopIteration):
        return 0
    return int.from_bytes(modulus).bit_length()


def _text(name: GeneralName) -> str:
    """As Envoy 1.40 lists it (Utility::generalNameAsString), "" for what it does not know (variants tls-san-*, fuzzed)."""
    if name.kind == IP and len(name.value) in (4, 16):
        return socket.inet_ntop(socket.AF_INET if len(name.value) == 4 else socket.AF_INET6, name.value)
    if name.kind in (DNS, RFC822, URI):
        return name.value.decode("latin-1")  # an IA5String, whatever its bytes are
    return _other(name.value) if name.kind == OTHER else ""


def _other(value: bytes) -> str:
    """The text in an otherName, if it is one."""
    try:
        _, (_, explicit) = der.items(value)
        (tag, text), = der.items(explicit)
    except (der.Malformed, ValueError):
        return ""
    return text.decode(ENCODINGS[tag], "replace") if tag in ENCODINGS else ""
