"""Scalars to typed values, as viper and mapstructure (WeaklyTyped, v2.5) convert them, with their messages.

Each function takes a node and raises Refused with mapstructure's words; seen by running viper 1.21 with Pomerium's decode hooks.
"""

from __future__ import annotations

import math
from decimal import Decimal

from . import duration
from .nodes import Kind, Node, Scalar, Sequence, integer

_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("", "0", "f", "F", "FALSE", "false", "False"))
_WORDS = dict.fromkeys(("yes", "on", "y", "true", "1"), "true") | dict.fromkeys(("no", "off", "n", "false", "0"), "false")
MAX_INT32, MAX_UINT32 = 2**31 - 1, 2**32 - 1


class Refused(ValueError):
    """A value that Pomerium cannot decode. `kind` is the slug of the problem, `node` where it stands, `within` the rest of the path."""

    def __init__(self, message: str, kind: str, node: Node, within: str = "", write: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.node = node
        self.within = within
        self.write = write


def go_type(node: Node) -> str:
    """The Go type that an untyped decoder gives the node."""
    if isinstance(node, Scalar):
        return "uint64" if node.kind is Kind.INTEGER and integer(node.text) >= 2**63 else node.kind.value
    return "[]interface {}" if isinstance(node, Sequence) else "map[string]interface {}"


def text(node: Node) -> str:
    """A string: numbers in decimal, true as "1" (mapstructure decodeString)."""
    if not isinstance(node, Scalar) or node.kind is Kind.TIME:
        raise Refused(f"expected type 'string', got unconvertible type '{go_type(node)}'", "type", node)
    match node.kind:
        case Kind.STRING:
            return node.text
        case Kind.NULL:
            return ""
        case Kind.BOOLEAN:
            return "1" if is_true(node) else "0"
        case Kind.INTEGER:
            return str(integer(node.text))
    return decimal(node.text)


def is_true(node: Scalar) -> bool:
    return node.text[0] in "tT"


def number(written: str) -> float:
    """A YAML float: underscores and .inf included, and what `!!float 0x10` makes of an integer."""
    try:
        return float(written.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        return float(integer(written))


def decimal(written: str) -> str:
    """Go's strconv.FormatFloat(f, 'f', -1, 64)."""
    value = number(written)
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if math.isnan(value):
        return "NaN"
    digits = format(Decimal(repr(value)), "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def boolean(node: Node) -> bool:
    """A bool: `yes` and `on` are strings that strconv.ParseBool refuses."""
    if isinstance(node, Scalar):
        match node.kind:
            case Kind.BOOLEAN:
                return is_true(node)
            case Kind.NULL:
                return False
            case Kind.INTEGER:
                return integer(node.text) != 0
            case Kind.FLOAT:
                return number(node.text) != 0
            case Kind.STRING:
                if node.text in _TRUE:
                    return True
                if node.text in _FALSE:
                    return False
                guess = _WORDS.get(node.text.strip().lower(), "")
                raise Refused("cannot parse value as 'bool': strconv.ParseBool: invalid syntax", "boolean", node, write=guess)
    raise Refused(f"expected type 'bool', got unconvertible type '{go_type(node)}'", "type", node)


def nanoseconds(node: Node) -> int:
    """A time.Duration: text by time.ParseDuration, a bare number is nanoseconds."""
    if isinstance(node, Scalar):
        match node.kind:
            case Kind.NULL:
                return 0
            case Kind.BOOLEAN:
                return int(is_true(node))
            case Kind.INTEGER:
                return _wrapped(integer(node.text))
            case Kind.FLOAT:
                return _truncated(number(node.text))
            case Kind.STRING:
                try:
                    return duration.parse(node.text)
                except duration.BadDuration as error:
                    raise Refused(str(error), "duration", node, write=suggest_duration(node.text)) from None
    raise Refused(f"expected type 'time.Duration', got unconvertible type '{go_type(node)}'", "type", node)


def _wrapped(value: int) -> int:
    """An unsigned number as Go converts it to int64."""
    return value - 2**64 if value >= 2**63 else value


def _truncated(value: float) -> int:
    """A float as Go converts it to int64 on amd64: what does not fit is the smallest number."""
    return int(value) if math.isfinite(value) and -(2.0**63) <= value < 2.0**63 else -(2**63)


def suggest_duration(written: str) -> str:
    """What was probably meant by a text that Go does not read: `30` as 30s, `1d` as 24h, `1 min` as 1m."""
    words = written.strip().lower().replace(" ", "").replace("_", "")
    digits = words.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = words[len(digits) :]
    known = {"": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s", "min": "m", "mins": "m", "minute": "m", "minutes": "m"}
    known |= {"hr": "h", "hrs": "h", "hour": "h", "hours": "h", "msec": "ms", "millis": "ms", "s": "s", "m": "m", "h": "h", "ms": "ms"}
    if digits.isascii() and digits.isdigit() and len(digits) < 10:
        if unit in known:
            return digits + known[unit]
        days = {"d": 24, "day": 24, "days": 24, "w": 168, "week": 168, "weeks": 168}.get(unit)
        if days:
            return f"{int(digits) * days}h"
    return ""


def whole(node: Node, low: int, high: int, name: str) -> int:
    """An integer field without pointer or null type (mapstructure decodeInt): text is parsed, out of range wraps in Go."""
    if isinstance(node, Scalar) and node.kind is not Kind.TIME:
        if node.kind is Kind.STRING:
            function = "ParseUint" if low == 0 else "ParseInt"
            try:
                value = integer(node.text or "0")
            except (ValueError, IndexError):
                raise Refused(f"cannot parse value as '{name}': strconv.{function}: invalid syntax", "number", node) from None
            if not low <= value <= high:
                raise Refused(f"cannot parse value as '{name}': strconv.{function}: value out of range", "number", node)
            return value
        if node.kind is Kind.FLOAT:
            fraction = number(node.text)
            return int(fraction) if math.isfinite(fraction) else 0
        if node.kind is Kind.INTEGER:
            return integer(node.text)
        return int(node.kind is Kind.BOOLEAN and is_true(node))
    raise Refused(f"expected type '{name}', got unconvertible type '{go_type(node)}'", "type", node)


def json_int(node: Node, high: int) -> int | None:
    """A null.Int32 or null.Uint32: goes through JSON, so neither text nor a fraction is taken."""
    name, low = ("int64", -MAX_INT32 - 1) if high == MAX_INT32 else ("uint64", 0)
    if isinstance(node, Scalar):
        if node.is_null:
            return None
        if node.kind is Kind.INTEGER or (node.kind is Kind.FLOAT and float(number(node.text)).is_integer()):
            value = integer(node.text) if node.kind is Kind.INTEGER else int(number(node.text))
            if value >= (2**63 if low < 0 else 2**64):
                raise Refused(f"json: cannot unmarshal number {decimal(node.text)} into Go value of type {name}", "number", node)
            if value > high:
                kind = "int32" if high == MAX_INT32 else "uint32"
                raise Refused(f"json: {value} overflows max {kind} value", "number", node)
            if value < low:
                raise Refused(f"json: cannot unmarshal number {value} into Go value of type {name}", "number", node)
            return value
        if node.kind is Kind.FLOAT and not math.isfinite(number(node.text)):
            raise Refused(f"json: unsupported value: {decimal(node.text)}", "number", node)
        if node.kind is Kind.FLOAT:
            raise Refused(f"json: cannot unmarshal number {decimal(node.text)} into Go value of type {name}", "number", node)
    raise Refused(f"json: cannot unmarshal {_json_kind(node)} into Go value of type {name}", "number", node, write=_digits(node))


def json_bool(node: Node) -> bool | None:
    """A null.Bool: goes through JSON, so only true and false are taken."""
    if isinstance(node, Scalar):
        if node.is_null:
            return None
        if node.kind is Kind.BOOLEAN:
            return is_true(node)
    guess = _WORDS.get(node.text.lower(), "") if isinstance(node, Scalar) else ""
    raise Refused(f"json: cannot unmarshal {_json_kind(node)} into Go value of type bool", "boolean", node, write=guess)


def _digits(node: Node) -> str:
    return node.text if isinstance(node, Scalar) and node.text.isascii() and node.text.isdigit() else ""


def _json_kind(node: Node) -> str:
    if isinstance(node, Scalar):
        return {Kind.STRING: "string", Kind.TIME: "string", Kind.BOOLEAN: "bool"}.get(node.kind, "number")
    return "array" if isinstance(node, Sequence) else "object"
