"""A certificate as BoringSSL reads it: what its verification looks at, and nothing that its own parser would not accept.

Sources: BoringSSL's crypto/x509/x_x509.cc, v3_purp.cc (x509v3_cache_extensions). Numbers of GeneralName are RFC 5280's tags.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar

from ..record import Record, replace
from . import asn1_contents, der, x509_extensions, x509_items, x509_name, x509_syntax
from .x509_extensions import AuthorityKey, Constraints, GeneralName
from .x509_name import Name

DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, KEY_AGREEMENT, KEY_CERT_SIGN = 0x80, 0x20, 0x08, 0x04
"""Bits of the first byte of keyUsage."""

UNDERSTOOD = set(x509_extensions.READERS) - {"2.5.29.14", "2.5.29.31", "2.5.29.35"} | {"2.5.29.32", "2.5.29.33", "2.5.29.36", "2.5.29.54"}
"""What may be critical: keyUsage, names, constraints, policies; not key identifiers and CRLs (X509_supported_extension)."""

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
    odd_times: tuple[bool, bool] = (False, False)  # with an offset, which BoringSSL reads but does not compare
    noted: str = ""  # BoringSSL's errors about its extensions
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
def parse(data: bytes, *, later: bool = False) -> X509:
    """One certificate that a server sent, in DER; read once. Raises der.Malformed where it is none; a broken extension only marks it.

    later: as Envoy 1.40 sees its extensions.
    """
    certificate = _parse(data)
    noted = [_noted(certificate, version) for version in ((True,) if later else (True, False))]
    if not noted[0]:
        return certificate
    return replace(certificate, malformed=True, noted=noted[-1]) if noted[-1] else certificate


@lru_cache(maxsize=4096)
def trusted(data: bytes) -> X509:
    """One certificate of a bundle: it is taken as it is, Envoy would not start with others. Raises der.Malformed where it is none."""
    return _parse(data)


def _noted(certificate: X509, later: bool) -> str:
    found = (
        x509_syntax.of_extension(oid, certificate.extensions[oid], later)
        for oid in x509_items.READ
        if oid in certificate.extensions and oid not in certificate.repeated
    )
    return "|".join(filter(None, found))


def _parse(data: bytes) -> X509:
    outer = _outer(data)
    signature = _signature(*outer)
    parts = der.items(der.content(outer[0], der.SEQUENCE))
    tag, value = _next(parts)
    version = 1
    if tag == 0xA0:
        version = der.integer(der.content(value, der.INTEGER)) + 1
        tag, value = _next(parts)
    serial = int.from_bytes(value, signed=True)
    inner = der.encode(der.SEQUENCE, _next(parts)[1])
    issuer = x509_name.parse(_next(parts)[1])
    validity = _next(parts)[1]
    (begin, end), odd = _validity(validity), _odd_times(validity)
    subject = x509_name.parse(_next(parts)[1])
    key_info = _next(parts)[1]
    rest = list(parts)
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
        odd,
        **known,
    )


def _outer(data: bytes) -> tuple[bytes, bytes, bytes]:
    """What is signed, the algorithm, and the content of the signature, whose length may be longer than it need be."""
    inside = der.content(data, der.SEQUENCE)
    signed = der.element(inside)[2]
    algorithm = der.element(inside, signed)[2]
    begin, end = x509_syntax.signature(inside, algorithm, len(inside))
    if end != len(inside):
        raise der.Malformed("something behind the signature")
    return inside[:signed], inside[signed:algorithm], inside[begin:end]


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
    return Signature(signed, oid, b"".join(parts[1:]), value[1:])


def _validity(data: bytes) -> tuple[datetime, datetime]:
    times = der.items(data)
    return _time(*_next(times)), _time(*_next(times))


def _odd_times(data: bytes) -> tuple[bool, bool]:
    begin, end = (not value.endswith(b"Z") for _, value in der.items(data))
    return begin, end


def _time(tag: int, value: bytes) -> datetime:
    time = asn1_contents.time(tag, value)
    if tag not in (der.UTC_TIME, der.GENERALIZED_TIME) or time is None:
        raise der.Malformed("a time that is none")
    return time


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
    for _, extension in der.items(x509_extensions.several(data)) if data else ():
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
