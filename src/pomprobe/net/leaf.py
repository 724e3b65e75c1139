"""Certificates, and the server's own above all, as far as BoringSSL's handshake reads it before anybody verifies it (ssl/ssl_cert.cc)."""

from __future__ import annotations

from . import der, x509
from .tls_words import BAD_ECC_CERT, CANNOT_PARSE_LEAF, UNKNOWN_GROUP, UNSUPPORTED_ALGORITHM, WRONG_CERTIFICATE_TYPE

VERSION = 0xA0
SHAPE = [der.INTEGER, *[der.SEQUENCE] * 5]
"""serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo; the version before them may be left out."""

RSA, EC, ED25519 = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1", "1.3.101.112"
P224, P256, P384, P521 = "1.3.132.0.33", "1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"
BY_ECDSA = {0xC02C, 0xC02B, 0xCCA9, 0xC009, 0xC00A}
"""Ciphers of TLS 1.2 whose server has no RSA key."""


def complaint(encoded: bytes, *, later: bool = False) -> str:
    """BoringSSL's error, "" where it finds a public key that it knows (ssl_cert_parse_pubkey). later: of Envoy 1.40, without P-224."""
    try:
        algorithm, curve = key(encoded)
    except der.Malformed:
        return CANNOT_PARSE_LEAF
    if algorithm not in (RSA, EC, ED25519):
        return UNSUPPORTED_ALGORITHM
    if algorithm != EC or curve in (P256, P384, P521) or (curve == P224 and not later):
        return ""
    return UNSUPPORTED_ALGORITHM if later else UNKNOWN_GROUP


def unreadable(encoded: bytes) -> str:
    """BoringSSL's errors for what has the form of a certificate and is none, "" for all else (X509_parse_from_buffer)."""
    try:
        x509.parse(encoded)
    except x509.Unreadable as error:
        return error.words
    except der.Malformed:
        pass
    return ""


def misfit(encoded: bytes, cipher: int) -> str:
    """What a client of TLS 1.2 has against the key of a readable certificate with this cipher (ssl_check_leaf_certificate)."""
    algorithm, curve = key(encoded)
    if (algorithm == RSA) == (cipher in BY_ECDSA):
        return WRONG_CERTIFICATE_TYPE
    return BAD_ECC_CERT if curve == P224 else ""


def key(encoded: bytes) -> tuple[str, str]:
    """The OIDs of the public key's algorithm and curve, "" for none. Raises der.Malformed (ssl_cert_skip_to_spki)."""
    inside = der.content(encoded, der.SEQUENCE)
    tag, position, end = der.element(inside)
    kinds: list[int] = []
    begin = position
    while tag == der.SEQUENCE and len(kinds) < len(SHAPE):
        kind, begin, position = der.element(inside[:end], position)
        kinds += [] if kind == VERSION and not kinds else [kind]
    if kinds != SHAPE:
        raise der.Malformed("no certificate")
    algorithm = next(der.items(inside[begin:position]), (0, b""))[1]
    (_, name), *rest = [*der.items(algorithm), (0, b"")]
    return der.oid(name), der.oid(rest[0][1]) if rest and rest[0][0] == der.OID else ""
