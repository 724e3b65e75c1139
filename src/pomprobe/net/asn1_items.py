"""ASN.1 items as BoringSSL's tables describe them (crypto/asn1, ASN1_ITEM and ASN1_TEMPLATE)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from ..record import Record
from .der import SEQUENCE

ANY, ANY_TEXT = -4, -5  # kinds of Primitive beside the universal numbers; ANY_TEXT is V_ASN1_ANY_AS_STRING


class Item(Record, frozen=True):
    """Anything that can be read."""


class Primitive(Item, frozen=True):
    """A universal type, or any."""

    kind: int


class Several(Item, frozen=True):
    """One of several universal types."""

    kinds: frozenset[int]


class Field(Record, frozen=True):
    """An item in its place. of: it stands there several times, in a SEQUENCE or SET."""

    item: Item
    optional: bool = False
    explicit: int | None = None
    implicit: int | None = None
    of: int = 0


class Choice(Item, frozen=True):
    """One of several."""

    fields: tuple[Field, ...]


class Sequence(Item, frozen=True):
    """Several, one after the other."""

    fields: tuple[Field, ...]


class Of(Item, frozen=True):
    """A SEQUENCE or SET of one item."""

    item: Item
    kind: int = SEQUENCE


class Own(Item, frozen=True):
    """What Envoy 1.40 reads with a function of its own, which gives the end or raises Refused."""

    before: Item
    HIDDEN: ClassVar = ("read",)
    read: Callable[[bytes, int, int], int]
