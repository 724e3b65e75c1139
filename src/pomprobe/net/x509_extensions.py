"""The extensions of certificates, each read into the fields of x509.X509 that BoringSSL keeps of it (v3_purp.cc)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..record import Record
from . import der, x509_name
from .x509_name import Name

OTHER, RFC822, DNS, DIRECTORY, URI, IP, REGISTERED_ID = 0, 1, 2, 4, 6, 7, 8
"""Kinds of GeneralName: RFC 5280's tags."""

GENERAL_NAMES = {0xA0, 0x81, 0x82, 0xA3, 0xA4, 0xA5, 0x86, 0x87, 0x88}
"""Their tags as encoded: otherName, x400Address, directoryName and ediPartyName are constructed."""


class GeneralName(Record, frozen=True):
    """One name of a subjectAltName or name constraint. `name` is set for a directoryName."""

    kind: int
    value: bytes
    name: Name | None = None


class Subtree(Record, frozen=True):
    """One subtree of name constraints. bounded: it has a minimum or maximum, which nobody supports."""

    base: GeneralName
    bounded: bool


class Constraints(Record, frozen=True):
    """Name constraints: what is permitted and what is excluded below a CA."""

    permitted: tuple[Subtree, ...]
    excluded: tuple[Subtree, ...]


class AuthorityKey(Record, frozen=True):
    """The authority key identifier: which certificate issued this one; None where it does not say."""

    key_id: bytes | None
    serial: int | None
    issuer: Name | None


def several(data: bytes) -> bytes:
    """The content of a SEQUENCE OF; BoringSSL does not ask whether it is marked as constructed."""
    return der.content(data, der.SEQUENCE & ~0x20 if data[:1] == b"\x10" else der.SEQUENCE)


def _basic_constraints(data: bytes) -> Mapping[str, object]:
    is_ca, path_length = False, None
    for tag, value in der.items(der.content(data, der.SEQUENCE)):
        if tag == der.BOOLEAN:
            is_ca = der.boolean(value)
        elif tag == der.INTEGER:
            path_length = der.integer(value)
        else:
            raise der.Malformed("basic constraints with something else")
    if path_length is not None and (path_length < 0 or not is_ca):
        raise der.Malformed("a path length that makes no sense")
    return {"is_ca": is_ca, "path_length": path_length}


def _key_usage(data: bytes) -> Mapping[str, object]:
    bits = der.content(data, der.BIT_STRING)
    unused = bits[0] if bits else 8
    if unused > 7 or (unused and (len(bits) == 1 or bits[-1] & (1 << unused) - 1)):
        raise der.Malformed("a BIT STRING that is none")
    return {"key_usage": bits[1] if len(bits) > 1 else 0}


def _extended_key_usage(data: bytes) -> Mapping[str, object]:
    return {"extended_key_usage": frozenset(der.oid(value) for _, value in der.items(several(data)))}


def _subject_key_id(data: bytes) -> Mapping[str, object]:
    return {"subject_key_id": der.content(data, der.OCTET_STRING)}


def _authority_key(data: bytes) -> Mapping[str, object]:
    key_id, serial, issuer = None, None, None
    for tag, value in der.items(der.content(data, der.SEQUENCE)):
        if tag == 0x80:
            key_id = value
        elif tag == 0xA1:
            names = [general_name(tag, value) for tag, value in der.items(value)]
            issuer = next((name.name for name in names if name.kind == DIRECTORY), None)
        elif tag == 0x82:
            serial = int.from_bytes(value, signed=True)
        else:
            raise der.Malformed("an authority key identifier with something else")
    return {"authority_key": AuthorityKey(key_id, serial, issuer)}


def _alt_names(data: bytes) -> Mapping[str, object]:
    return {"alt_names": tuple(general_name(tag, value) for tag, value in der.items(several(data)))}


def _name_constraints(data: bytes) -> Mapping[str, object]:
    trees: dict[int, tuple[Subtree, ...]] = {}
    for tag, value in der.items(der.content(data, der.SEQUENCE)):
        trees[tag] = tuple(_subtree(subtree) for _, subtree in der.items(value))
    return {"constraints": Constraints(trees.get(0xA0, ()), trees.get(0xA1, ()))}


def _subtree(data: bytes) -> Subtree:
    elements = list(der.items(data))
    if not elements:
        raise der.Malformed("an empty subtree")
    return Subtree(general_name(*elements[0]), len(elements) > 1)


def _crl_points(data: bytes) -> Mapping[str, object]:
    for tag, _ in der.items(several(data)):
        if tag != der.SEQUENCE:
            raise der.Malformed("a distribution point that is none")
    return {}


def general_name(tag: int, value: bytes) -> GeneralName:
    """One GeneralName from its tag and content. Raises der.Malformed."""
    if tag not in GENERAL_NAMES:
        raise der.Malformed("a GeneralName that is none")
    kind = tag & 0x1F
    if kind == REGISTERED_ID:
        der.oid(value)
    elif kind == OTHER:
        parts = list(der.items(value))
        if [tag for tag, _ in parts] != [der.OID, 0xA0] or len(der.split(parts[1][1])) != 1:
            raise der.Malformed("an otherName that is none")
    return GeneralName(kind, value, x509_name.parse(der.content(value, der.SEQUENCE)) if kind == DIRECTORY else None)


READERS: Mapping[str, Callable[[bytes], Mapping[str, object]]] = {
    "2.5.29.19": _basic_constraints,
    "2.5.29.15": _key_usage,
    "2.5.29.37": _extended_key_usage,
    "2.5.29.14": _subject_key_id,
    "2.5.29.35": _authority_key,
    "2.5.29.17": _alt_names,
    "2.5.29.30": _name_constraints,
    "2.5.29.31": _crl_points,
}
"""OID -> reader, which gives fields of x509.X509 and raises der.Malformed."""
