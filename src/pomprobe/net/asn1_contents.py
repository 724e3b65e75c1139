"""What may stand inside a primitive element of DER, as BoringSSL has it (crypto/asn1, crypto/bytestring)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from .der import Malformed

CONSTRUCTED = 0x20
NESTED = "NESTED_ASN1_ERROR"
BOOLEAN, INTEGER, BIT_STRING, NULL, OID, ENUMERATED = 1, 2, 3, 5, 6, 10
UTF8, UTC_TIME, GENERALIZED_TIME, UNIVERSAL, BMP = 12, 23, 24, 28, 30
OFFSET = re.compile(rb"(\d{12})(?:Z|([+-])([01]\d|2[0-3])([0-5]\d))")
ENCODINGS = {UTF8: ("utf-8", "UTF8STRING"), BMP: ("utf-16-be", "BMPSTRING"), UNIVERSAL: ("utf-32-be", "UNIVERSALSTRING")}


class Refused(Malformed):
    """BoringSSL does not take it. reasons: of its ASN.1 library, in the order in which it notes them."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(*reasons)
        self.reasons = reasons


class behind:
    """Whoever reads what is refused inside notes these reasons behind its own."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = reasons

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Refused):
            raise Refused(*error.reasons, *self.reasons) from None


def check(kind: int, content: bytes, *, later: bool, strict: bool = False) -> None:
    """The content of a universal type. strict: DER's two values of a BOOLEAN only. Raises Refused."""
    match kind:
        case _ if kind in (INTEGER, ENUMERATED):
            if not content or (len(content) > 1 and content[0] in (0, 0xFF) and (content[0] ^ content[1]) < 0x80):
                raise Refused("INVALID_INTEGER")
        case _ if kind == BIT_STRING:
            bit_string(content)
        case _ if kind == OID:
            if not is_oid(content):
                raise Refused("INVALID_OBJECT_ENCODING")
        case _ if kind == NULL:
            if content:
                raise Refused("NULL_IS_WRONG_LENGTH")
        case _ if kind == BOOLEAN:
            if len(content) != 1:
                raise Refused("BOOLEAN_IS_WRONG_LENGTH")
            if strict and content not in (b"\0", b"\xff"):
                raise Refused("DECODE_ERROR")
        case _ if kind in ENCODINGS:
            if not is_text(kind, content):
                raise Refused(f"INVALID_{ENCODINGS[kind][1]}")
        case _ if kind in (UTC_TIME, GENERALIZED_TIME):
            if time(kind, content) is None:
                raise Refused("DECODE_ERROR" if later else "INVALID_TIME_FORMAT")


def bit_string(content: bytes) -> None:
    """Raises Refused."""
    if not content:
        raise Refused("STRING_TOO_SHORT")
    if content[0] > 7:
        raise Refused("INVALID_BIT_STRING_BITS_LEFT")
    if content[0] and (len(content) == 1 or content[-1] & (1 << content[0]) - 1):
        raise Refused("INVALID_BIT_STRING_PADDING")


def is_oid(content: bytes) -> bool:
    """Whole, minimal numbers (CBS_is_valid_asn1_oid)."""
    begins = (True, *(not byte & 0x80 for byte in content[:-1]))
    return bool(content) and not content[-1] & 0x80 and not any(new and byte == 0x80 for new, byte in zip(begins, content, strict=True))


def is_text(kind: int, content: bytes) -> bool:
    """Code points for interchange: neither surrogates nor noncharacters (crypto/bytestring/unicode.cc)."""
    try:
        points = [*_points(kind, content)]
    except (UnicodeDecodeError, ValueError):
        return False
    return not any(point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF or 0xD800 <= point <= 0xDFFF for point in points)


def _points(kind: int, content: bytes) -> Iterator[int]:
    if kind != BMP:
        return map(ord, content.decode(ENCODINGS[kind][0]))
    if len(content) % 2:
        raise ValueError("half a character")
    return (int.from_bytes(content[at : at + 2]) for at in range(0, len(content), 2))


def time(kind: int, content: bytes) -> datetime | None:
    """A time, None where it is none. A UTCTime may have an offset (CBS_parse_rfc5280_time_internal)."""
    if kind == UTC_TIME:
        content = (b"19" if content >= b"50" else b"20") + content  # RFC 5280, 4.1.2.5.1
    match = OFFSET.fullmatch(content[2:]) if content[:2].isdigit() else None
    if match is None or (match[2] and kind != UTC_TIME):
        return None
    year, rest = int(content[:4]), match[1][2:]
    try:
        # Year 0 is one for BoringSSL; nobody lives then.
        month, day, hour, minute, second = (int(rest[at : at + 2]) for at in range(0, 10, 2))
        moment = datetime(max(year, 1), month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    if not match[2]:
        return moment
    offset = timedelta(hours=int(match[3]), minutes=int(match[4]))
    return moment + offset if match[2] == b"+" else moment - offset
