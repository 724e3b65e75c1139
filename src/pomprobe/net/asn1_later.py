"""Reads ASN.1 items as the BoringSSL of Envoy 1.40: what it accepts, and the errors that it leaves where not.

Source: crypto/asn1/tasn_dec.cc and a_type.cc as of summer 2026. An error is a tuple of reasons, the first one innermost.
"""

from __future__ import annotations

from . import asn1_contents as contents
from . import der
from .asn1_contents import CONSTRUCTED, NESTED, Refused
from .asn1_items import ANY, Choice, Field, Item, Of, Own, Primitive, Sequence, Several
from .der import BOOLEAN, NULL, SEQUENCE

DECODE = "DECODE_ERROR"


def read(item: Item, data: bytes, at: int, end: int, tag: int | None = None, *, optional: bool = False) -> int | None:
    """The position behind the item, None where an optional one is not there. Raises Refused."""
    match item:
        case Primitive():
            return _primitive(item.kind, data, at, end, tag, optional)
        case Several():
            found = _peek(data, at, end)
            if found is not None and not found & 0xE0 and found in item.kinds:
                return any_value(data, at, end, text=True)
            if optional:
                return None
            raise Refused("MSTRING_WRONG_TAG")
        case Own():
            return None if optional and _peek(data, at, end) != SEQUENCE else item.read(data, at, end)
        case Choice():
            return _choice(item, data, at, end, optional)
        case Sequence():
            return _sequence(item, data, at, end, tag, optional)
        case Of():
            return _field(Field(item.item, of=item.kind), data, at, end, optional)
    raise TypeError(item)


def _field(field: Field, data: bytes, at: int, end: int, optional: bool) -> int | None:
    if field.explicit is None:
        return _inside(field, data, at, end, optional)
    expected = field.explicit | CONSTRUCTED
    if optional and _peek(data, at, end) != expected:
        return None
    begin, stop = take(data, at, end, expected)
    with contents.behind(NESTED):
        behind = _inside(field, data, begin, stop, False)
    if behind != stop:
        raise Refused("EXPLICIT_LENGTH_MISMATCH")
    return stop


def _inside(field: Field, data: bytes, at: int, end: int, optional: bool) -> int | None:
    if not field.of:
        return read(field.item, data, at, end, field.implicit, optional=optional)
    expected = (field.of if field.implicit is None else field.implicit) | CONSTRUCTED
    if optional and _peek(data, at, end) != expected:
        return None
    position, stop = take(data, at, end, expected)
    while position < stop:
        position = _nested(field.item, data, position, stop)
    return stop


def _nested(item: Item, data: bytes, at: int, end: int) -> int:
    with contents.behind(NESTED):
        behind = read(item, data, at, end)
    assert behind is not None  # it is not optional
    return behind


def _choice(item: Choice, data: bytes, at: int, end: int, optional: bool) -> int | None:
    for field in item.fields:
        with contents.behind(NESTED):
            behind = _field(field, data, at, end, True)
        if behind is not None:
            return behind
    if optional:
        return None
    raise Refused("NO_MATCHING_CHOICE_TYPE")


def _sequence(item: Sequence, data: bytes, at: int, end: int, tag: int | None, optional: bool) -> int | None:
    expected = (SEQUENCE if tag is None else tag) | CONSTRUCTED
    if optional and _peek(data, at, end) != expected:
        return None
    position, stop = take(data, at, end, expected)
    for field in item.fields:
        behind = _field(field, data, position, stop, field.optional)
        position = position if behind is None else behind
    if position != stop:
        raise Refused("SEQUENCE_LENGTH_MISMATCH")
    return stop


def _primitive(kind: int, data: bytes, at: int, end: int, tag: int | None, optional: bool) -> int | None:
    if kind == ANY:
        return None if optional and at == end else any_value(data, at, end)
    expected = (kind if tag is None else tag) | (CONSTRUCTED if kind in (16, 17) else 0)
    if optional and _peek(data, at, end) != expected:
        return None
    begin, stop = take(data, at, end, expected)
    if kind not in (16, 17):
        contents.check(kind, data[begin:stop], later=True)
    return stop


def take(data: bytes, at: int, end: int, expected: int) -> tuple[int, int]:
    """Where the content of an element with exactly this tag begins and ends (CBS_get_asn1). Raises Refused."""
    try:
        tag, begin, stop = der.element(data, at, end)
    except der.Malformed:
        raise Refused(DECODE) from None
    if tag != expected:
        raise Refused(DECODE)
    return begin, stop


def any_value(data: bytes, at: int, end: int, *, text: bool = False) -> int:
    """Any element (asn1_parse_any, or asn1_parse_any_as_string). Raises Refused."""
    try:
        tag, begin, stop = der.element(data, at, end)
    except der.Malformed:
        raise Refused(DECODE) from None
    content = data[begin:stop]
    if not text and ((tag == NULL and content) or (tag == BOOLEAN and content not in (b"\0", b"\xff"))):
        raise Refused(DECODE)
    number = der.number(tag)
    if tag & 0xC0:
        return stop
    if number <= 36 and number != 15 and bool(tag & CONSTRUCTED) != (number in (8, 11, 16, 17, 29)):
        raise Refused("TYPE_NOT_PRIMITIVE" if tag & CONSTRUCTED else "TYPE_NOT_CONSTRUCTED")
    if number > 30:
        raise Refused(DECODE)
    if not tag & CONSTRUCTED:
        contents.check(number, content, later=True, strict=True)
    return stop


def _peek(data: bytes, at: int, end: int) -> int | None:
    """The tag that stands there, None for none (CBS_peek_asn1_tag: nobody looks at the length)."""
    return data[at] if at < end and data[at] & 0x1F != 0x1F else None
