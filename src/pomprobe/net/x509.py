"""A certificate as BoringSSL reads it: what its verification looks at, and nothing that its own parser would not accept.

Sources: BoringSSL's crypto/x509/x_x509.cc, v3_purp.cc (x509v3_cache_extensions). Numbers of GeneralName are RFC 5280's tags.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ClassVar

from ..record import Record, replace
from . import der, x509_extensions, x509_name
from .tls_words import DECODE_ERROR
from .x509_extensions import AuthorityKey, Constraints, GeneralName
from .x509_name import Name

DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, KEY_AGREEMENT, KEY_CERT_SIGN = 0x80, 0x20, 0x08, 0x04
"""Bits of the first byte of keyUsage."""

UNDERSTOOD = set(x509_extensions.READERS) - {"2.5.29.14", "2.5.29.31", "2.5.29.35"} | {"2.5.29.32", "2.5.29.33", "2.5.29.36", "2.5.29.54"}
"""What may be critical: keyUsage, names, constraints, policies; not key identifiers and CRLs (X509_supported_extension)."""


INVALID_VERSION = f"184549516:X.509_certificate_routines:OPENSSL_internal:INVALID_VERSION|{DECODE_ERROR}|{DECODE_ERROR}"
INVALID_FIELD = f"184549515:X.509_certificate_routines:OPENSSL_internal:INVALID_FIELD_FOR_VERSION|{DECODE_ERROR}|{DECODE_ERROR}"


class Unreadable(der.Malformed):
    """DER, but no certificate. words: BoringSSL's errors in a handshake."""

    def __init__(self, message: str, words: str) -> None:
        super().__init__(message)
        self.words = words


class Signature(Record, frozen=True):
    """What is signed, how (OID and encoded parameters), and the signature. ambiguous: inside, another algorithm is named."""

    signed: bytes
    algorithm: str
    parameters: bytes
    value: bytes
    ambiguous: bool = False


class X509(Record, frozen=True, eq=False):
    """One certificate. malformed: an extension cannot be read, so BoringSSL uses it for nothing."""

    HIDDEN: ClassVar = ("encoded", "key", "key_info", "signature", "extensions")

    encoded: bytes
    version: int
    serial: int
    issuer: Name
    subject: Name
    not_before: datetime
    not_after: datetime
    key: tuple[str, str, bytes]  # OIDs of algorithm and curve, public key
    key_info: bytes  # the same as encoded, SubjectPublicKeyInfo
    signature: Signature
    extensions: dict[str, bytes]
    repeated: frozenset[str] = frozenset()  # OIDs of extensions that stand there twice
    unhandled_critical: bool = False
    malformed: bool = False
    is_ca: bool = False
    path_length: int | None = None
    key_usage: int | None = None  # first byte; None: not restricted
    extended_key_usage: frozenset[str] | None = None
    subject_key_id: bytes | None = None
    authority_key: AuthorityKey | None = None
    alt_names: tuple[GeneralName, ...] | None = None
    constraints: Constraints | None = None

    @property
    def self_issued(self) -> bool:
        return self.subject.canonical == self.issuer.canonical

    @property
    def self_signed(self) -> bool:
        """BoringSSL's idea of it, without a look at the signature (EXFLAG_SS)."""
        return self.self_issued and self.identifies(self) and self.may_use_key(KEY_CERT_SIGN)

    def may_use_key(self, bit: int) -> bool:
        return self.key_usage is None or bool(self.key_usage & bit)

    def identifies(self, issued: X509) -> bool:
        """Is this the certificate that the authority key identifier of `issued` speaks of (X509_check_akid)?"""
        wanted = issued.authority_key
        if wanted is None:
            return True
        if wanted.key_id is not None and self.subject_key_id is not None and wanted.key_id != self.subject_key_id:
            return False
        if wanted.serial is not None and wanted.serial != self.serial:
            return False
        return wanted.issuer is None or wanted.issuer.canonical == self.issuer.canonical

    def issued(self, other: X509) -> bool:
        """Could this certificate be the issuer of the other one (X509_check_issued)? Says nothing about the signature."""
        if self.subject.canonical != other.issuer.canonical or self.malformed or other.malformed:
            return False
        return self.identifies(other) and self.may_use_key(KEY_CERT_SIGN)


@lru_cache(maxsize=4096)
def parse(data: bytes) -> X509:
    """One certificate, in DER; read once. Raises der.Malformed where it is none; a broken extension only marks it."""
    outer = der.split(der.content(data, der.SEQUENCE))
    if len(outer) != 3:
        raise der.Malformed("no certificate")
    signature = _signature(*outer)
    parts = der.items(der.content(outer[0], der.SEQUENCE))
    tag, value = _next(parts)
    version = 1
    if tag == 0xA0:
        version = der.integer(der.content(value, der.INTEGER)) + 1
        if version not in (1, 2, 3):
            raise Unreadable(f"a certificate of version {version}", INVALID_VERSION)
        tag, value = _next(parts)
    serial = int.from_bytes(value, signed=True)
    inner = der.encode(der.SEQUENCE, _next(parts)[1])
    issuer = x509_name.parse(_next(parts)[1])
    begin, end = _validity(_next(parts)[1])
    subject = x509_name.parse(_next(parts)[1])
    key_info = _next(parts)[1]
    rest = list(parts)
    if version != 3 and (0xA3 in (kinds := [tag for tag, _ in rest]) or (version == 1 and kinds)):
        raise Unreadable("a version 1 or 2 with fields of a later one", INVALID_FIELD)
    extensions, critical, repeated = _extensions(next((value for tag, value in rest if tag == 0xA3), b""))
    malformed = bool(repeated & set(x509_extensions.READERS))
    known: dict[str, Any] = {}
    for oid, read in x509_extensions.READERS.items():
        if oid in extensions:
            try:
                known |= read(extensions[oid])
            except der.Malformed:
                malformed = True
    return X509(
        data,
        version,
        serial,
        issuer,
        subject,
        begin,
        end,
        _key(key_info),
        der.encode(der.SEQUENCE, key_info),
        replace(signature, ambiguous=inner != outer[1]),
        extensions,
        repeated,
        bool(critical - UNDERSTOOD),
        malformed,
        **known,
    )


def _next(parts: Iterator[tuple[int, bytes]]) -> tuple[int, bytes]:
    try:
        return next(parts)
    except StopIteration:
        raise der.Malformed("truncated") from None


def _signature(signed: bytes, algorithm: bytes, value: bytes) -> Signature:
    parts = der.split(der.content(algorithm, der.SEQUENCE))
    if not parts:
        raise der.Malformed("no signature algorithm")
    oid = der.oid(der.content(parts[0], der.OID))
    return Signature(signed, oid, b"".join(parts[1:]), der.content(value, der.BIT_STRING)[1:])


def _validity(data: bytes) -> tuple[datetime, datetime]:
    times = der.items(data)
    return _time(*_next(times)), _time(*_next(times))


def _time(tag: int, value: bytes) -> datetime:
    if tag == der.UTC_TIME:
        value = (b"19" if value >= b"50" else b"20") + value  # RFC 5280, 4.1.2.5.1
    elif tag != der.GENERALIZED_TIME:
        raise der.Malformed("no time")
    digits = value[:14]
    if len(value) != 15 or value[14:] != b"Z" or not digits.isdigit():
        raise der.Malformed("a time that is none")
    try:
        month, day, hour, minute, second = (int(digits[at : at + 2]) for at in (4, 6, 8, 10, 12))
        return datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise der.Malformed("a time that is none") from error


def _key(data: bytes) -> tuple[str, str, bytes]:
    parts = der.items(data)
    algorithm = der.items(_next(parts)[1])
    oid = der.oid(_next(algorithm)[1])
    tag, parameters = next(algorithm, (0, b""))
    return oid, der.oid(parameters) if tag == der.OID else "", _next(parts)[1][1:]


def _extensions(data: bytes) -> tuple[dict[str, bytes], set[str], frozenset[str]]:
    """The extensions by OID, which of them are critical, and which stand there twice."""
    found: dict[str, bytes] = {}
    critical: set[str] = set()
    repeated: set[str] = set()
    for _, extension in der.items(der.content(data, der.SEQUENCE)) if data else ():
        parts = der.items(extension)
        oid = der.oid(_next(parts)[1])
        tag, value = _next(parts)
        if tag == der.BOOLEAN:
            if der.boolean(value):
                critical.add(oid)
            tag, value = _next(parts)
        if oid in found:
            repeated.add(oid)
        found[oid] = value
    return found, critical, frozenset(repeated)
