"""Reads ASN.1 items as the BoringSSL of Envoy 1.37: what it accepts, and the errors that it leaves where not.

Source: crypto/asn1/tasn_dec.cc as of summer 2025. An error is a tuple of reasons, the first one innermost.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from . import asn1_contents as contents
from . import der
from .asn1_contents import CONSTRUCTED, NESTED, Refused
from .asn1_items import ANY, ANY_TEXT, Choice, Field, Item, Of, Own, Primitive, Sequence, Several
from .der import BOOLEAN, NULL, OID, SEQUENCE, SET

OTHER = -3
SUPPORTED = {*range(1, 7), 10, 12, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 30}
"""Universal numbers that a value of any type may have and be more than bytes."""


def read(item: Item, data: bytes, at: int, end: int, tag: int | None = None, *, optional: bool = False) -> int | None:
    """Raises Refused."""
    match item:
        case Primitive():
            return _primitive(item.kind, data, at, end, tag, optional)
        case Several():
            return _several(item, data, at, end, optional)
        case Choice():
            return _choice(item, data, at, end, optional)
        case Sequence():
            return _sequence(item, data, at, end, tag, optional)
        case Of():
            return _field(Field(item.item, of=item.kind), data, at, end, optional=optional)
        case Own():
            return read(item.before, data, at, end, tag, optional=optional)
    raise TypeError(item)


def _field(field: Field, data: bytes, at: int, end: int, *, optional: bool) -> int | None:
    """Raises Refused (asn1_template_ex_d2i)."""
    if field.explicit is None:
        return _inside(field, data, at, end, optional)
    found = _nested(lambda: _header(data, at, end, field.explicit, optional))
    if found is None:
        return None
    tag, begin, stop = found
    if not tag & CONSTRUCTED:
        raise Refused("EXPLICIT_TAG_NOT_CONSTRUCTED")
    if _nested(lambda: _inside(field, data, begin, stop, False)) != stop:
        raise Refused("EXPLICIT_LENGTH_MISMATCH")
    return stop


def _inside(field: Field, data: bytes, at: int, end: int, optional: bool) -> int | None:
    if not field.of:
        return _nested(lambda: read(field.item, data, at, end, field.implicit, optional=optional))
    found = _nested(lambda: _header(data, at, end, field.of if field.implicit is None else field.implicit, optional))
    if found is None:
        return None
    _, position, stop = found
    while position < stop:
        behind = _nested(partial(read, field.item, data, position, stop))
        assert behind is not None  # it is not optional
        position = behind
    return stop


def _several(item: Several, data: bytes, at: int, end: int, optional: bool) -> int | None:
    found = _nested(lambda: _header(data, at, end, None, True))
    assert found is not None  # any tag will do
    number = der.number(found[0])
    if found[0] & 0xC0 or number not in item.kinds:
        if optional:
            return None
        raise Refused("MSTRING_NOT_UNIVERSAL" if found[0] & 0xC0 else "MSTRING_WRONG_TAG")
    return _primitive(number, data, at, end, None, False)


def _choice(item: Choice, data: bytes, at: int, end: int, optional: bool) -> int | None:
    for field in item.fields:
        behind = _nested(partial(_field, field, data, at, end, optional=True))
        if behind is not None:
            return behind
    if optional:
        return None
    raise Refused("NO_MATCHING_CHOICE_TYPE")


def _sequence(item: Sequence, data: bytes, at: int, end: int, tag: int | None, optional: bool) -> int | None:
    found = _nested(lambda: _header(data, at, end, SEQUENCE if tag is None else tag, optional))
    if found is None:
        return None
    kind, position, stop = found
    if not kind & CONSTRUCTED:
        raise Refused("SEQUENCE_NOT_CONSTRUCTED")
    last = len(item.fields) - 1
    left = list(item.fields)
    for index, field in enumerate(item.fields):
        if position == stop:
            break
        behind = _field(field, data, position, stop, optional=field.optional and index < last)
        position = position if behind is None else behind
        left.pop(0)
    if position != stop:
        raise Refused("SEQUENCE_LENGTH_MISMATCH")
    if not all(field.optional for field in left):
        raise Refused("FIELD_MISSING")
    return stop


def _primitive(kind: int, data: bytes, at: int, end: int, tag: int | None, optional: bool) -> int | None:
    """asn1_d2i_ex_primitive of Envoy 1.37."""
    if kind in (ANY, ANY_TEXT):
        found = _nested(lambda: _header(data, at, end, None, False))
        assert found is not None  # it is not optional
        whole, begin, stop = found
        number = der.number(whole)
        text, kind = kind == ANY_TEXT, OTHER if whole & 0xC0 or number not in SUPPORTED else number
        if text and kind in (OID, NULL, BOOLEAN):
            if whole & CONSTRUCTED:
                raise Refused("TYPE_NOT_PRIMITIVE")
            contents.check(kind, data[begin:stop], later=False, strict=True)
            kind = OTHER
    expected = kind if tag is None else tag
    found = _nested(lambda: _header(data, at, end, None if expected == OTHER else expected, optional))
    if found is None:
        return None
    whole, begin, stop = found
    if kind in (SEQUENCE & 0x1F, SET & 0x1F):
        if not whole & CONSTRUCTED:
            raise Refused("TYPE_NOT_CONSTRUCTED")
    elif kind != OTHER:
        if whole & CONSTRUCTED:
            raise Refused("TYPE_NOT_PRIMITIVE")
        contents.check(kind, data[begin:stop], later=False)
    return stop


def _header(data: bytes, at: int, end: int, expected: int | None, optional: bool) -> tuple[int, int, int] | None:
    """Tag, begin and end; None for another tag than the expected one where it is optional (asn1_check_tlen)."""
    try:
        tag, begin, stop = der.element(data, at, end)
    except der.Malformed:
        raise Refused("HEADER_TOO_LONG", "BAD_OBJECT_HEADER") from None
    if not tag & 0xC0 and der.number(tag) > 30:
        raise Refused("HEADER_TOO_LONG", "BAD_OBJECT_HEADER")
    if expected is not None and tag & ~CONSTRUCTED != expected & ~CONSTRUCTED:
        if optional:
            return None
        raise Refused("WRONG_TAG")
    return tag, begin, stop


T = TypeVar("T")


def _nested(read: Callable[[], T]) -> T:
    with contents.behind(NESTED):
        return read()
