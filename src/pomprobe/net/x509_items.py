"""A certificate and its extensions as BoringSSL describes them: items of tables, and what Envoy 1.40 reads with functions of its own.

Sources: crypto/x509/x_x509.cc, x_name.cc, x_algor.cc, x_pubkey.cc and v3_*.cc.
"""

from __future__ import annotations

from . import asn1_contents as contents
from . import der
from .asn1_contents import BIT_STRING, BOOLEAN, INTEGER, OID, Refused
from .asn1_items import ANY, ANY_TEXT, Choice, Field, Item, Of, Own, Primitive, Sequence, Several
from .asn1_later import DECODE, any_value, take
from .der import SEQUENCE, SET


def enter(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Where the content of a SEQUENCE begins and ends, where nothing is noted if there is none. Raises Refused."""
    try:
        return take(data, at, end, SEQUENCE)
    except Refused:
        raise Refused from None


def name(data: bytes, at: int, end: int) -> int:
    position, stop = take(data, at, end, SEQUENCE)
    while position < stop:
        inner, behind = take(data, position, stop, SET)
        if inner == behind:
            raise Refused(DECODE)
        while inner < behind:
            inner = attribute(data, inner, behind)
        position = behind
    return stop


def attribute(data: bytes, at: int, end: int) -> int:
    position, stop = take(data, at, end, SEQUENCE)
    with contents.behind(DECODE):
        position = any_value(data, oid(data, position, stop), stop, text=True)
    if position != stop:
        raise Refused(DECODE)
    return stop


def oid(data: bytes, at: int, end: int) -> int:
    begin, stop = take(data, at, end, der.OID)
    contents.check(OID, data[begin:stop], later=True)
    return stop


def algorithm(data: bytes, at: int, end: int) -> int:
    position, stop = take(data, at, end, SEQUENCE)
    position = oid(data, position, stop)
    if position < stop:
        position = any_value(data, position, stop)
    if position != stop:
        raise Refused(DECODE)
    return stop


def key(data: bytes, at: int, end: int) -> int:
    with contents.behind(DECODE):
        position, stop = enter(data, at, end)
        if bits(data, algorithm(data, position, stop), stop) != stop:
            raise Refused
    return stop


def bits(data: bytes, at: int, end: int, tag: int = der.BIT_STRING) -> int:
    begin, stop = take(data, at, end, tag)
    contents.bit_string(data[begin:stop])
    return stop


def _simple(kind: int) -> Field:
    return Field(Primitive(kind))


IA5, OCTETS = Primitive(22), Primitive(4)
OBJECT, NUMBER = Primitive(OID), Primitive(INTEGER)
ALGORITHM = Own(Sequence((Field(OBJECT), Field(Primitive(ANY), optional=True))), algorithm)
ATTRIBUTE = Own(Sequence((Field(OBJECT), _simple(ANY_TEXT))), attribute)
NAME = Own(Of(Of(Sequence((Field(OBJECT), _simple(ANY_TEXT))), SET)), name)
PUBLIC_KEY = Own(Sequence((Field(ALGORITHM), _simple(BIT_STRING))), key)
TIME = Several(frozenset({23, 24}))
EXTENSION = Sequence((Field(OBJECT), Field(Primitive(BOOLEAN), optional=True), Field(OCTETS)))
EXTENSIONS = Of(EXTENSION)
SIGNED = Sequence(
    (
        Field(NUMBER, optional=True, explicit=0xA0),
        Field(NUMBER),
        Field(ALGORITHM),
        Field(NAME),
        Field(Sequence((Field(TIME), Field(TIME)))),
        Field(NAME),
        Field(PUBLIC_KEY),
        Field(Primitive(BIT_STRING), optional=True, implicit=0x81),
        Field(Primitive(BIT_STRING), optional=True, implicit=0x82),
        Field(EXTENSION, optional=True, explicit=0xA3, of=SEQUENCE),
    )
)
"""TBSCertificate."""

DIRECTORY_STRING = Several(frozenset({12, 19, 20, 28, 30}))
OTHER_NAME = Sequence((Field(OBJECT), Field(Primitive(ANY), explicit=0xA0)))
PARTY_NAME = Sequence((Field(DIRECTORY_STRING, optional=True, explicit=0xA0), Field(DIRECTORY_STRING, explicit=0xA1)))
GENERAL_NAME = Choice(
    (
        Field(OTHER_NAME, implicit=0x80),
        Field(IA5, implicit=0x81),
        Field(IA5, implicit=0x82),
        Field(Primitive(16), implicit=0x83),
        Field(NAME, explicit=0x84),
        Field(PARTY_NAME, implicit=0x85),
        Field(IA5, implicit=0x86),
        Field(OCTETS, implicit=0x87),
        Field(OBJECT, implicit=0x88),
    )
)
SUBTREE = Sequence((Field(GENERAL_NAME), Field(NUMBER, optional=True, implicit=0x80), Field(NUMBER, optional=True, implicit=0x81)))
POINT_NAME = Choice((Field(GENERAL_NAME, implicit=0x80, of=SEQUENCE), Field(ATTRIBUTE, implicit=0x81, of=SET)))
POINT = Sequence(
    (
        Field(POINT_NAME, optional=True, explicit=0xA0),
        Field(Primitive(BIT_STRING), optional=True, implicit=0x81),
        Field(GENERAL_NAME, optional=True, implicit=0x82, of=SEQUENCE),
    )
)
READ: dict[str, Item] = {
    "2.5.29.19": Sequence((Field(Primitive(BOOLEAN), optional=True), Field(NUMBER, optional=True))),
    "2.5.29.15": Primitive(BIT_STRING),
    "2.5.29.37": Of(OBJECT),
    "2.5.29.14": OCTETS,
    "2.5.29.35": Sequence(
        (
            Field(OCTETS, optional=True, implicit=0x80),
            Field(GENERAL_NAME, optional=True, implicit=0x81, of=SEQUENCE),
            Field(NUMBER, optional=True, implicit=0x82),
        )
    ),
    "2.5.29.17": Of(GENERAL_NAME),
    "2.5.29.30": Sequence(
        (Field(SUBTREE, optional=True, implicit=0x80, of=SEQUENCE), Field(SUBTREE, optional=True, implicit=0x81, of=SEQUENCE))
    ),
    "2.5.29.31": Of(POINT),
}
"""The extensions that verification looks at, in its order (x509v3_cache_extensions)."""

QUALIFIER = Sequence((Field(OBJECT), _simple(ANY)))
POLICIES: dict[str, Item] = {
    "2.5.29.32": Of(Sequence((Field(OBJECT), Field(QUALIFIER, optional=True, of=SEQUENCE)))),
    "2.5.29.33": Of(Sequence((Field(OBJECT), Field(OBJECT)))),
    "2.5.29.36": Sequence((Field(NUMBER, optional=True, implicit=0x80), Field(NUMBER, optional=True, implicit=0x81))),
    "2.5.29.54": NUMBER,
}
"""Those that only the check of policies reads (policy.cc); a qualifier's value is taken for anything, whatever it is of."""
