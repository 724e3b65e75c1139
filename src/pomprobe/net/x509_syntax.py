"""Does BoringSSL read a certificate, and its extensions? What it notes in its error queue where it does not.

Source: crypto/x509/x_x509.cc: items of tables in Envoy 1.37; in 1.40 (later) functions for all but the extensions.
"""

from __future__ import annotations

from functools import lru_cache

from . import asn1_before, asn1_later, der, x509_items
from . import asn1_contents as contents
from .asn1_contents import INTEGER, Refused
from .asn1_later import DECODE, take
from .der import SEQUENCE
from .x509_items import ALGORITHM, EXTENSIONS, POLICIES, READ, SIGNED

LIBRARY = "ASN.1_encoding_routines:OPENSSL_internal"
CODES = {
    "BAD_OBJECT_HEADER": 103, "BOOLEAN_IS_WRONG_LENGTH": 106, "DECODE_ERROR": 109, "EXPLICIT_LENGTH_MISMATCH": 119,
    "EXPLICIT_TAG_NOT_CONSTRUCTED": 120, "FIELD_MISSING": 121, "HEADER_TOO_LONG": 123, "INVALID_BIT_STRING_BITS_LEFT": 141,
    "INVALID_BMPSTRING": 142, "INVALID_OBJECT_ENCODING": 146, "INVALID_TIME_FORMAT": 148, "INVALID_UNIVERSALSTRING": 149,
    "INVALID_UTF8STRING": 150, "MSTRING_NOT_UNIVERSAL": 156, "MSTRING_WRONG_TAG": 157, "NESTED_ASN1_ERROR": 158,
    "NO_MATCHING_CHOICE_TYPE": 163, "NULL_IS_WRONG_LENGTH": 164, "SEQUENCE_LENGTH_MISMATCH": 168, "SEQUENCE_NOT_CONSTRUCTED": 169,
    "STRING_TOO_SHORT": 174, "TYPE_NOT_CONSTRUCTED": 178, "TYPE_NOT_PRIMITIVE": 179, "WRONG_TAG": 190, "INVALID_BIT_STRING_PADDING": 194,
    "INVALID_INTEGER": 196,
}  # fmt: skip
"""Reason -> its number in library 12 (include/openssl/asn1.h)."""

INVALID_VERSION = "184549516:X.509_certificate_routines:OPENSSL_internal:INVALID_VERSION"
INVALID_FIELD = "184549515:X.509_certificate_routines:OPENSSL_internal:INVALID_FIELD_FOR_VERSION"
TRAILING = "335544484:X509_V3_routines:OPENSSL_internal:TRAILING_DATA_IN_EXTENSION"


def words(reasons: tuple[str, ...]) -> str:
    """As Envoy prints them."""
    return "|".join(f"{(12 << 24) + CODES[reason]}:{LIBRARY}:{reason}" for reason in reasons)


@lru_cache(maxsize=4096)
def complaint(encoded: bytes, later: bool) -> str | None:
    """The errors of a certificate that BoringSSL cannot read, None for one that it can (X509_parse_from_buffer).

    Envoy 1.40 is the stricter one: what it reads, 1.37 reads, too.
    """
    try:
        strict = _certificate(encoded)
    except Refused as refused:
        strict = words(refused.reasons)
    if strict is None or later:
        return strict
    try:
        return _certificate_before(encoded)
    except Refused as refused:
        return words(refused.reasons)


@lru_cache(maxsize=8192)
def of_extension(oid: str, value: bytes, later: bool) -> str:
    """The errors of an extension that cannot be read, "" for one that can (X509V3_EXT_d2i)."""
    try:
        behind = (asn1_later if later else asn1_before).read((READ | POLICIES)[oid], value, 0, len(value))
    except Refused as refused:
        return words(refused.reasons)
    return "" if behind == len(value) else TRAILING


def _outer(data: bytes) -> tuple[int, int, int]:
    """Where the signed part, the algorithm and the signature of a certificate begin."""
    begin, end = take(data, 0, len(data), SEQUENCE)
    _, algorithm = take(data, begin, end, SEQUENCE)
    return begin, algorithm, end


def signature(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Where the content of the BIT STRING begins and ends; its length may be longer than it need be. Raises Refused."""
    if at + 2 > end or data[at] != der.BIT_STRING:
        raise Refused(DECODE)
    size, begin = data[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        if not 1 <= count <= 4 or begin + count > end:
            raise Refused(DECODE)
        size, begin = int.from_bytes(data[begin : begin + count]), begin + count
    if begin + size > end:
        raise Refused(DECODE)
    return begin, begin + size


def _certificate_before(data: bytes) -> str | None:
    """Envoy 1.37."""
    begin, algorithm, end = _outer(data)
    _, behind = take(data, algorithm, end, SEQUENCE)
    signed, after = signature(data, behind, end)
    if after != end:
        raise Refused(DECODE)
    if end != len(data):
        return ""  # refused without a word
    asn1_before.read(SIGNED, data, begin, algorithm)
    asn1_before.read(ALGORITHM, data, algorithm, behind)
    contents.bit_string(data[signed:end])
    parts = der.split(data[take(data, begin, end, SEQUENCE)[0] : algorithm])
    version = int.from_bytes(der.content(der.content(parts[0], 0xA0), der.INTEGER), signed=True) if parts[0][0] == 0xA0 else 0
    if version not in (0, 1, 2):
        return INVALID_VERSION
    kinds = {part[0] for part in parts[1:]}
    return INVALID_FIELD if (not version and kinds & {0x81, 0x82}) or (version != 2 and 0xA3 in kinds) else None


def _certificate(data: bytes) -> str | None:
    """Envoy 1.40."""
    end = len(data)
    with contents.behind(DECODE):
        begin, stop = x509_items.enter(data, 0, end)
        position, algorithm = x509_items.enter(data, begin, stop)
        behind = x509_items.algorithm(data, algorithm, stop)
        signed, after = signature(data, behind, stop)
        contents.bit_string(data[signed:after])
        if after != stop or stop != end:
            raise Refused
    return _signed(data, position, algorithm)


def _signed(data: bytes, at: int, end: int) -> str | None:
    version = 0
    if at < end and data[at] == 0xA0:
        begin, stop = take(data, at, end, 0xA0)
        inner, behind = take(data, begin, stop, der.INTEGER)
        number = data[inner:behind]
        if behind != stop or not 0 < len(number) < 10 or number[0] & 0x80 or (len(number) > 1 and not number[0] and number[1] < 0x80):
            raise Refused(DECODE)
        version, at = int.from_bytes(number), stop
        if version > 2:
            return INVALID_VERSION
    with contents.behind(DECODE):
        at = _fields(data, at, end)
    for tag in (0x81, 0x82) if version else ():
        if at < end and data[at] == tag:
            at = x509_items.bits(data, at, end, tag)
    if version == 2 and at < end and data[at] == 0xA3:
        begin, stop = take(data, at, end, 0xA3)
        with contents.behind(DECODE):
            if asn1_later.read(EXTENSIONS, data, begin, stop) != stop:
                raise Refused
        at = stop
    if at != end:
        raise Refused(DECODE)
    return None


def _fields(data: bytes, at: int, end: int) -> int:
    """From the serial number to the public key."""
    begin, at = take(data, at, end, der.INTEGER)
    contents.check(INTEGER, data[begin:at], later=True)
    at = x509_items.name(data, x509_items.algorithm(data, at, end), end)
    position, stop = x509_items.enter(data, at, end)
    for _ in range(2):
        kind = der.UTC_TIME if position < stop and data[position] == der.UTC_TIME else der.GENERALIZED_TIME
        begin, position = take(data, position, stop, kind)
        contents.check(kind, data[begin:position], later=True)
    if position != stop:
        raise Refused
    return x509_items.key(data, x509_items.name(data, stop, end), end)
