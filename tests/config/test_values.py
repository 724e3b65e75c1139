"""Values as mapstructure decodes them, beyond what keys of routes show. Seen with viper 1.21 and mapstructure 2.5."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pomprobe.config import compound, values
from pomprobe.config.document import documents
from pomprobe.config.nodes import Mapping, Node
from pomprobe.config.values import Refused


def node(text: str) -> Node:
    root = next(documents(f"v: {text}".encode(), "x"))
    assert isinstance(root, Mapping)
    return root.entries["v"]


def int32(one: Node) -> int | None:
    return values.json_int(one, values.MAX_INT32)


def uint32(one: Node) -> int | None:
    return values.json_int(one, values.MAX_UINT32)


def whole(one: Node) -> int:
    return values.whole(one, 0, values.MAX_UINT32, "uint32")


Read = Callable[[Node], Any]
GOOD: list[tuple[Read, str, Any]] = [
    (values.text, "true", "1"),
    (values.text, "-0", "0"),
    (values.text, "-.inf", "-Inf"),
    (values.text, ".nan", "NaN"),
    (values.text, "18446744073709551616", "18446744073709552000"),
    (values.boolean, "0.5", True),
    (values.boolean, "0.0", False),
    (values.boolean, "~", False),
    (values.nanoseconds, "true", 1),
    (values.nanoseconds, "~", 0),
    (values.nanoseconds, "9223372036854775808", -(2**63)),
    (values.nanoseconds, ".inf", -(2**63)),
    (values.nanoseconds, "-1.9", -1),
    (whole, "'0x1F'", 31),
    (whole, "''", 0),
    (whole, "1.9", 1),
    (whole, "true", 1),
    (whole, "~", 0),
    (whole, ".inf", 0),
    (int32, "~", None),
    (int32, "5.0", 5),
    (int32, "-5", -5),
    (uint32, "4294967295", 4294967295),
    (values.json_bool, "~", None),
    (values.json_bool, "False", False),
    (compound.texts, "~", ()),
    (compound.texts, "{}", ()),
    (compound.texts, "5", ("5",)),
    (compound.texts, "[true, 1.5, ~]", ("1", "1.5", "")),
    (compound.text_map, "~", {}),
    (compound.flags, "{a: 'true', b: 0}", {"a": True, "b": False}),
    (compound.flags, "[{a: true}, {b: false}]", {"a": True, "b": False}),
    (compound.decoded, "'YWI='", b"ab"),
]


@pytest.mark.parametrize(("read", "text", "value"), GOOD)
def test_good(read: Read, text: str, value: Any) -> None:
    """A value is converted as mapstructure converts it."""
    assert value == read(node(text))


BAD: list[tuple[Read, str, str]] = [
    (values.boolean, "2020-01-01", "expected type 'bool', got unconvertible type 'time.Time'"),
    (whole, "x", "cannot parse value as 'uint32': strconv.ParseUint: invalid syntax"),
    (whole, "'5 '", "cannot parse value as 'uint32': strconv.ParseUint: invalid syntax"),
    (whole, "'4294967296'", "cannot parse value as 'uint32': strconv.ParseUint: value out of range"),
    (whole, "[1]", "expected type 'uint32', got unconvertible type '[]interface {}'"),
    (uint32, "4294967296", "json: 4294967296 overflows max uint32 value"),
    (uint32, "18446744073709551616", "json: cannot unmarshal number 18446744073709552000 into Go value of type uint64"),
    (int32, ".inf", "json: unsupported value: +Inf"),
    (int32, "{}", "json: cannot unmarshal object into Go value of type int64"),
    (int32, "[]", "json: cannot unmarshal array into Go value of type int64"),
    (values.json_bool, "[]", "json: cannot unmarshal array into Go value of type bool"),
    (compound.texts, "2020-01-01", "expected type 'string', got unconvertible type 'time.Time'"),
    (compound.text_map, "5", "expected type 'map[string]string', got unconvertible type 'int'"),
    (compound.text_map, "18446744073709551615", "expected type 'map[string]string', got unconvertible type 'uint64'"),
    (compound.text_map, "'[1]'", "json: cannot unmarshal array into Go value of type map[string]string"),
    (compound.text_map, "'{\"a\": null}'", "json: cannot unmarshal null into Go value of type string"),
    (compound.text_map, "'\"x\"'", "json: cannot unmarshal string into Go value of type map[string]string"),
    (compound.text_map, "'{'", "unexpected end of JSON input"),
    (compound.text_map, "30s", "invalid character 's' after top-level value"),
    (compound.text_map, "''", "unexpected end of JSON input"),
    (compound.flags, "5", "expected type 'map[string]bool', got unconvertible type 'int'"),
    (compound.flags, "{a: x}", "cannot parse value as 'bool': strconv.ParseBool: invalid syntax"),
    (compound.flags, "'{\"a\": {}}'", "json: cannot unmarshal object into Go value of type bool"),
    (compound.decoded, "'YWI'", "illegal base64 data at input byte 0"),
    (compound.decoded, "'YW=I'", "illegal base64 data at input byte 2"),
    (compound.decoded, "'YWJjY==='", "illegal base64 data at input byte 5"),
]


@pytest.mark.parametrize(("read", "text", "message"), BAD)
def test_bad(read: Read, text: str, message: str) -> None:
    """What cannot be converted is refused in mapstructure's words."""
    with pytest.raises(Refused) as caught:
        read(node(text))
    assert message == str(caught.value)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("30", "30s"),
        ("30 sec", "30s"),
        ("5min", "5m"),
        ("2 Hours", "2h"),
        ("500 millis", "500ms"),
        ("1w", "168h"),
        ("1.5", ""),
        ("abc", ""),
    ],
)
def test_suggested_durations(written: str, meant: str) -> None:
    """What was probably meant is said, where it can be told."""
    assert meant == values.suggest_duration(written)
