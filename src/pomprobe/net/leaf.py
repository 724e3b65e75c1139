"""The server's Certificate message, as BoringSSL's handshake reads it before anybody verifies it (ssl/ssl_cert.cc, tls13_both.cc)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache

from . import asn1_contents, der, public_key, x509_syntax
from .asn1_contents import Refused
from .public_key import EC, ED25519, P224, RSA
from .tls_words import BAD_ECC_CERT, CANNOT_PARSE_LEAF, CERTIFICATE_LENGTH, DECODE_ERROR, KEY_USAGE, WRONG_CERTIFICATE_TYPE

VERSION, EXTENSIONS = 0xA0, 0xA3
SHAPE = (der.INTEGER, *[der.SEQUENCE] * 4)
"""serialNumber, signature, issuer, validity, subject; the version before them may be left out."""

BY_ECDSA = {0xC02C, 0xC02B, 0xCCA9, 0xC009, 0xC00A}
"""Ciphers of TLS 1.2 whose server has no RSA key."""

USAGE = bytes.fromhex("551D0F")
DIGITAL_SIGNATURE = 0x80


class _Refused(Exception):
    """Its text is the error queue."""


def split(body: bytes, *, modern: bool) -> list[bytes]:
    """The certificates of a message, leaf first, as far as they can be told from one another. modern: of TLS 1.3."""
    found: list[bytes] = []
    with suppress(_Refused):
        found.extend(_entries(_listed(body, modern), modern))
    return found


@lru_cache(maxsize=256)  # of messages of 100 KiB at most, which many servers of a fleet have in common
def complaint(body: bytes, cipher: int, *, modern: bool, later: bool) -> str | None:
    """BoringSSL's errors, "" for an end without words, None where it takes the message. later: of Envoy 1.40."""
    try:
        _check(body, cipher, modern, later)
    except _Refused as refused:
        return str(refused)
    return None


def _check(body: bytes, cipher: int, modern: bool, later: bool) -> None:
    listed = _listed(body, modern)
    chain: list[bytes] = []
    for one in _entries(listed, modern):
        if not chain:
            if words := of_key(one, later=later):
                raise _Refused(f"{words}|{DECODE_ERROR}" if modern else words)
            if modern:
                _may_sign(one)
        chain.append(one)
    if not chain or (not modern and len(body) != 3 + len(listed)):
        raise _Refused(DECODE_ERROR)
    for one in chain:
        noted = x509_syntax.complaint(one, later)
        if noted is not None:
            raise _Refused("|".join(filter(None, (noted, DECODE_ERROR, DECODE_ERROR))))
    if not modern:
        _fits(chain[0], cipher)


def _listed(body: bytes, modern: bool) -> bytes:
    """The list of certificates."""
    begin = 1 if modern else 0
    size = int.from_bytes(body[begin : begin + 3])
    end = begin + 3 + size
    if len(body) < begin + 3 or end > len(body) or (modern and (body[0] or end != len(body))):
        raise _Refused(DECODE_ERROR)
    return body[begin + 3 : end]


def _entries(rest: bytes, modern: bool) -> Iterator[bytes]:
    while rest:
        length = int.from_bytes(rest[:3])
        end = 3 + length
        behind = end + 2 + int.from_bytes(rest[end : end + 2]) if modern else end
        if len(rest) < 3 or not length or behind > len(rest) or (modern and end + 2 > len(rest)):
            raise _Refused(CERTIFICATE_LENGTH)
        yield rest[3:end]
        rest = rest[behind:]


def of_key(encoded: bytes, *, later: bool = False) -> str:
    """BoringSSL's error, "" where it finds a public key that it knows (ssl_cert_parse_pubkey)."""
    try:
        rest = _behind(encoded, SHAPE)
    except der.Malformed:
        return CANNOT_PARSE_LEAF
    try:
        kind, _, end = der.element(rest)
    except der.Malformed:
        kind, end = 0, 0
    if kind != der.SEQUENCE:
        return CANNOT_PARSE_LEAF if later else public_key.DECODE
    return public_key.complaint(rest[:end], later)


def _may_sign(encoded: bytes) -> None:
    """ssl_cert_check_key_usage: TLS 1.3 always signs."""
    try:
        usage = _usage(_behind_subject(encoded)[1])
    except (der.Malformed, Refused):
        raise _Refused(CANNOT_PARSE_LEAF) from None
    if usage is not None and not usage[1:2] > bytes((DIGITAL_SIGNATURE - 1,)):
        raise _Refused(KEY_USAGE)


def _usage(rest: bytes) -> bytes | None:
    """The first keyUsage of what stands behind the public key, None for none."""
    at = 0
    for tag in (0x81, 0x82):
        if rest[at : at + 1] == bytes((tag,)):
            at = der.element(rest, at)[2]
    if rest[at : at + 1] != bytes((EXTENSIONS,)):
        return None
    _, begin, end = der.element(rest, at)
    kind, begin, end = der.element(rest, begin, end)
    if kind != der.SEQUENCE:
        raise der.Malformed("no extensions")
    for kind, extension in der.items(rest[begin:end]):
        parts = [*der.items(extension)]
        if len(parts) == 3 and parts[1][0] == der.BOOLEAN:
            del parts[1]
        if kind != der.SEQUENCE or [tag for tag, _ in parts] != [der.OID, der.OCTET_STRING]:
            raise der.Malformed("no extension")
        if parts[0][1] == USAGE:
            bits = der.content(parts[1][1], der.BIT_STRING)
            asn1_contents.bit_string(bits)
            return bits
    return None


def _fits(encoded: bytes, cipher: int) -> None:
    """What a client of TLS 1.2 has against the key of a readable certificate with this cipher (ssl_check_leaf_certificate)."""
    algorithm, curve = key(encoded)
    if algorithm not in (RSA, EC, ED25519) or (algorithm == RSA) == (cipher in BY_ECDSA):
        raise _Refused(WRONG_CERTIFICATE_TYPE)
    if curve == P224:
        raise _Refused(BAD_ECC_CERT)


def key(encoded: bytes) -> tuple[str, str]:
    """The OIDs of the public key's algorithm and curve, "" for none. Raises der.Malformed."""
    algorithm = next(der.items(der.content(_behind_subject(encoded)[0], der.SEQUENCE)), (0, b""))[1]
    (_, name), *rest = [*der.items(algorithm), (0, b"")]
    return der.oid(name), der.oid(rest[0][1]) if rest and rest[0][0] == der.OID else ""


def _behind_subject(encoded: bytes) -> tuple[bytes, bytes]:
    """The SubjectPublicKeyInfo, and what stands behind it. Raises der.Malformed."""
    rest = _behind(encoded, SHAPE)
    end = der.element(rest)[2]
    return rest[:end], rest[end:]


def _behind(encoded: bytes, shape: Sequence[int]) -> bytes:
    """What stands in the signed part behind elements of this shape, and the version (ssl_cert_skip_to_spki). Raises der.Malformed."""
    inside = der.content(encoded, der.SEQUENCE)
    tag, position, end = der.element(inside)
    if tag != der.SEQUENCE:
        raise der.Malformed("no certificate")
    if inside[position : position + 1] == bytes((VERSION,)):
        position = der.element(inside, position, end)[2]
    for expected in shape:
        kind, _, position = der.element(inside, position, end)
        if kind != expected:
            raise der.Malformed("no certificate")
    return inside[position:end]
