"""The one JSON that Pomerium reads with protobuf's rules: health_checks and outlier_detection.

Keys are lower-cased before it, so only snake_case names are found; unknown names are dropped without a word
(config/constants.go: AllowPartial, DiscardUnknown). Messages: protobuf-go's encoding/protojson/decode.go.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field

from . import duration
from .nodes import Kind, Mapping, Node, Scalar, Sequence, integer
from .values import Refused, decimal, is_true, number

Value = object
Decode = Callable[[Node, str], Value]


def _token(node: Node) -> str:
    """The JSON token as it would stand in the text."""
    if isinstance(node, Sequence):
        return "["
    if isinstance(node, Mapping):
        return "{"
    match node.kind:
        case Kind.NULL:
            return "null"
        case Kind.BOOLEAN:
            return "true" if is_true(node) else "false"
        case Kind.INTEGER:
            return str(integer(node.text))
        case Kind.FLOAT:
            return decimal(node.text)
    return duration.quote(node.text)


def refuse(message: str, node: Node, write: str = "") -> Refused:
    return Refused(f"proto: {message}", "protojson", node, write=write)


def unexpected(node: Node) -> Refused:
    return refuse(f"unexpected token {_token(node)}", node)


def snake(name: str) -> str:
    """httpHealthCheck as http_health_check: protojson takes both, but keys of a file are lower-cased before it."""
    return re.sub(r"([A-Z])", lambda match: "_" + match[1].lower(), name)


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def a_duration(node: Node, name: str) -> str:
    """A google.protobuf.Duration, kept as its text."""
    if not isinstance(node, Scalar) or node.kind not in (Kind.STRING, Kind.TIME):
        written = node.text if isinstance(node, Scalar) and node.kind is Kind.INTEGER else ""
        raise refuse(f"unexpected token {_token(node)}", node, f"{name}: {written}s" if written else "")
    try:
        duration.parse_proto(node.text)
    except duration.BadDuration as error:
        try:
            meant = duration.parse(node.text)
        except duration.BadDuration:
            meant = -1
        raise refuse(str(error), node, f"{name}: {proto_text(meant)}" if meant >= 0 else "") from None
    return node.text


def proto_text(nanoseconds: int) -> str:
    """Nanoseconds as protobuf's JSON writes them: 60s, 0.500s."""
    whole, rest = divmod(abs(nanoseconds), duration.SECOND)
    digits = f"{rest:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f"{'-' if nanoseconds < 0 else ''}{whole}{'.' + digits if digits else ''}s"


def _number(kind: str, low: int, high: int) -> Decode:
    def decode(node: Node, name: str) -> int:
        if isinstance(node, Scalar) and node.kind in (Kind.INTEGER, Kind.FLOAT, Kind.STRING):
            try:
                value = float(node.text) if node.kind is Kind.STRING else number(node.text)
                found = integer(node.text) if node.kind is Kind.INTEGER else int(value) if value.is_integer() else None
            except (ValueError, OverflowError):
                found = None
            if found is not None and low <= found <= high:
                return found
            raise refuse(f"invalid value for {kind} field {name}: {_token(node)}", node)
        raise refuse(f"invalid value for {kind} field {name}: {_token(node)}", node)

    return decode


uint32 = _number("uint32", 0, 2**32 - 1)
uint64 = _number("uint64", 0, 2**64 - 1)
int64 = _number("int64", -(2**63), 2**63 - 1)


def a_string(node: Node, name: str) -> str:
    if isinstance(node, Scalar) and node.kind in (Kind.STRING, Kind.TIME):
        return node.text
    write = f'{name}: "{node.text}"' if isinstance(node, Scalar) else ""
    raise refuse(f"invalid value for string field {name}: {_token(node)}", node, write)


def a_bool(node: Node, name: str) -> bool:
    if isinstance(node, Scalar) and node.kind is Kind.BOOLEAN:
        return is_true(node)
    raise refuse(f"invalid value for bool field {name}: {_token(node)}", node)


def some_bytes(node: Node, name: str) -> str:
    """bytes: base64 of either alphabet, kept as text."""
    written = a_string(node, name)
    try:
        base64.b64decode(written.replace("-", "+").replace("_", "/") + "=" * (-len(written) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise refuse(f"invalid value for bytes field {name}: {_token(node)}", node) from None
    return written


def one_of(*names: str) -> Decode:
    def decode(node: Node, name: str) -> str:
        if isinstance(node, Scalar) and node.kind is Kind.STRING and node.text in names:
            return node.text
        if isinstance(node, Scalar) and node.kind is Kind.INTEGER and 0 <= integer(node.text) < len(names):
            return names[integer(node.text)]
        guess = node.text.upper() if isinstance(node, Scalar) and node.text.upper() in names else ""
        raise refuse(f"invalid value for enum field {camel(name)}: {_token(node)}", node, f"{name}: {guess}" if guess else "")

    return decode


def many(decode: Decode) -> Decode:
    def decode_all(node: Node, name: str) -> list[Value]:
        if not isinstance(node, Sequence):
            raise refuse(f"unexpected token {_token(node)}", node, f"{name}: a list (- …)")
        return [decode(item, name) for item in node.items]

    return decode_all


def anything(node: Node, name: str) -> Value:
    """A google.protobuf.Struct or a field whose value does not matter here."""
    if isinstance(node, Scalar):
        if node.kind is Kind.BOOLEAN:
            return is_true(node)
        return None if node.is_null else node.text
    if isinstance(node, Sequence):
        return [anything(item, name) for item in node.items]
    return {key: anything(item, name) for key, item in node.entries.items()}


@dataclass(frozen=True)
class Message:
    """A protobuf message: field -> how it is read. `oneofs`: full name of a oneof -> its fields."""

    fields: MappingType[str, Decode]
    oneofs: MappingType[str, tuple[str, ...]] = field(default_factory=dict)

    def __call__(self, node: Node, name: str) -> dict[str, Value]:
        if not isinstance(node, Mapping):
            raise unexpected(node)
        out: dict[str, Value] = {}
        for key in sorted(node.entries):  # Go marshals maps in the order of their keys
            decode = self.fields.get(key) or self.fields.get(snake(key))
            value = node.entries[key]
            if decode is None or (isinstance(value, Scalar) and value.is_null):
                continue
            for full_name, fields in self.oneofs.items():
                if key in fields and any(other in out for other in fields):
                    raise refuse(f'error parsing "{key}", oneof {full_name} is already set', value)
            name = key if key in self.fields else snake(key)
            out[name] = decode(value, name)
        return out
