"""Distinguished names: how BoringSSL compares them, and how people read them."""

from __future__ import annotations

from ..record import Record
from . import der

COMMON_NAME, EMAIL = "2.5.4.3", "1.2.840.113549.1.9.1"

_SHORT = {
    COMMON_NAME: "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.5": "serialNumber",
    "2.5.4.9": "STREET",
    "0.9.2342.19200300.100.1.25": "DC",
    "0.9.2342.19200300.100.1.1": "UID",
    EMAIL: "emailAddress",
}
ENCODINGS = {
    der.UTF8_STRING: "utf-8",
    der.BMP_STRING: "utf-16-be",
    der.UNIVERSAL_STRING: "utf-32-be",
    der.PRINTABLE_STRING: "latin-1",
    der.T61_STRING: "latin-1",
    der.IA5_STRING: "latin-1",
    der.VISIBLE_STRING: "latin-1",
}
_SPACE = " \t\n\v\f\r"
_SPECIAL = str.maketrans({c: "\\" + c for c in ',+"\\<>;='})


class Attribute(Record, frozen=True):
    """One attribute of a name. tag: the ASN.1 string type; text: what it says, replacement characters where it is broken."""

    oid: str
    tag: int
    text: str


class Name(Record, frozen=True):
    """canonical: names are equal where these bytes are; a name begins with another one where its bytes do."""

    canonical: bytes
    attributes: tuple[Attribute, ...]

    def __str__(self) -> str:
        """As RFC 4514 writes it, most specific attribute first."""
        return ",".join(f"{_SHORT.get(a.oid, a.oid)}={a.text.translate(_SPECIAL)}" for a in reversed(self.attributes))


def parse(content: bytes) -> Name:
    """The content of a Name's SEQUENCE. Raises der.Malformed.

    Envoy 1.37 minds neither an empty relative name nor a SET that is not marked as constructed (x509_syntax.py minds what 1.40 does).
    """
    canonical, attributes = [], []
    for tag, relative in der.items(content):
        if tag & ~0x20 != der.SET & ~0x20:
            raise der.Malformed("a relative name that is no SET of attributes")
        entries = []
        for inner, pair in der.items(relative):
            if inner != der.SEQUENCE:
                raise der.Malformed("an attribute that is no SEQUENCE")
            (kind, key), (value_tag, value) = _two(pair)
            if kind != der.OID:
                raise der.Malformed("an attribute without type")
            entries.append(der.encode(der.SEQUENCE, der.encode(der.OID, key) + _canonical(value_tag, value)))
            text = value.decode(ENCODINGS.get(value_tag, "latin-1"), "replace")
            attributes.append(Attribute(der.oid(key), value_tag, text))
        if entries:
            canonical.append(der.encode(der.SET, b"".join(sorted(entries))))
    return Name(b"".join(canonical), tuple(attributes))


def _two(pair: bytes) -> tuple[tuple[int, bytes], tuple[int, bytes]]:
    elements = list(der.items(pair))
    if len(elements) != 2:
        raise der.Malformed("an attribute that is no pair")
    return elements[0], elements[1]


def _canonical(tag: int, value: bytes) -> bytes:
    """Text as UTF-8, ASCII letters small, white space trimmed and collapsed (x_name.cc, asn1_marshal_string_canon)."""
    encoding = ENCODINGS.get(tag)
    if encoding is None:
        return der.encode(tag, value)
    try:
        text = value.decode(encoding)
    except UnicodeDecodeError as error:
        raise der.Malformed("text that is not in its encoding") from error
    small = "".join(c.lower() if c.isascii() else c for c in text)
    words = small.translate(dict.fromkeys(map(ord, _SPACE), " ")).split(" ")
    return der.encode(der.UTF8_STRING, " ".join(word for word in words if word).encode())
