"""A document as a tree whose every key and value knows where it stands; scalars stay text until a field asks for them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ..model import Place


class Kind(StrEnum):
    """What an untyped reader (Go's yaml.v3 into `any`) makes of a scalar."""

    STRING = "string"
    BOOLEAN = "bool"
    INTEGER = "int"
    FLOAT = "float64"
    TIME = "time.Time"
    NULL = "nil"


@dataclass(slots=True)
class Scalar:
    """One value as written. `text` is without quotes and escapes. Never changed; it is not frozen since there are so many of them."""

    text: str
    kind: Kind
    place: Place

    @property
    def is_null(self) -> bool:
        return self.kind is Kind.NULL


@dataclass(slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    place: Place


@dataclass(slots=True)
class Mapping:
    """A mapping. Keys are lower-cased as viper does; `keys` says where each stands, `written` how, where that is not the same."""

    entries: dict[str, Node]
    written: dict[str, str]
    keys: dict[str, Place]
    place: Place

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def get(self, key: str) -> Node | None:
        return self.entries.get(key)

    def scalar(self, key: str) -> str:
        """The text under `key`, or "" where there is no scalar."""
        node = self.entries.get(key)
        return node.text if isinstance(node, Scalar) and not node.is_null else ""

    def mapping(self, key: str) -> Mapping | None:
        node = self.entries.get(key)
        return node if isinstance(node, Mapping) else None

    def items(self, key: str) -> tuple[Node, ...]:
        """The items of the list under `key`, or none."""
        node = self.entries.get(key)
        return node.items if isinstance(node, Sequence) else ()

    def place_of(self, key: str) -> Place:
        """Where the value of `key` stands; the mapping's own place where it has no such key."""
        node = self.entries.get(key)
        return self.place if node is None else node.place


Node = Scalar | Sequence | Mapping

_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|0|[1-9][0-9]*)\Z")
_TIME = re.compile(
    r"[0-9]{4}-(?:0?[1-9]|1[0-2])-(?:0?[1-9]|[12][0-9]|3[01])"
    r"(?:(?:[Tt]|[ ]+)[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]+)?(?:[ ]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)?\Z"
)
_WORDS = (
    {"": Kind.NULL, "~": Kind.NULL, "null": Kind.NULL, "Null": Kind.NULL, "NULL": Kind.NULL}
    | dict.fromkeys(("true", "True", "TRUE", "false", "False", "FALSE"), Kind.BOOLEAN)
    | dict.fromkeys((".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"), Kind.FLOAT)
)


def plain_kind(text: str) -> Kind:
    """What go.yaml.in/yaml/v3's resolve() makes of an unquoted scalar: no `yes`, no `12:30`, but octal `010` (resolve.go)."""
    word = _WORDS.get(text)
    if word is not None:
        return word
    if text[0] not in "+-.0123456789":
        return Kind.STRING
    digits = text.replace("_", "")
    if _INTEGER.match(digits) and -(2**63) <= integer(digits) < 2**64:
        return Kind.INTEGER
    if _FLOAT.match(digits):
        return Kind.FLOAT if math.isfinite(float(digits)) else Kind.STRING
    return Kind.TIME if _TIME.match(text) else Kind.STRING


def integer(text: str) -> int:
    """The number that Go's strconv.ParseInt(text, 0, 64) reads; a leading 0 is octal. Raises ValueError."""
    if text != text.strip():
        raise ValueError(text)
    digits = text.replace("_", "").lstrip("+-")
    base = 8 if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit() else 0
    number = int(digits, base)
    return -number if text.startswith("-") else number
