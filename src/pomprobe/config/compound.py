"""Lists, maps and base64, as viper and mapstructure convert them; raises Refused with their words."""

from __future__ import annotations

import base64
import json

from .json_text import check_json
from .nodes import Kind, Mapping, Node, Scalar, Sequence
from .problems import Unreadable
from .values import Refused, boolean, go_type, text


def texts(node: Node) -> tuple[str, ...]:
    """A list of strings: a scalar is a list of one, text is split at commas."""
    if isinstance(node, Sequence):
        out = []
        for i, item in enumerate(node.items):
            try:
                out.append(text(item))
            except Refused as refused:
                raise Refused(str(refused), refused.kind, item, f"[{i}]") from None
        return tuple(out)
    if isinstance(node, Scalar):
        if node.is_null:
            return ()
        if node.kind is Kind.STRING:
            return tuple(node.text.split(",")) if node.text else ()
        try:
            return (text(node),)
        except Refused as refused:
            raise Refused(str(refused), refused.kind, node, "[0]") from None
    if not node.entries:
        return ()
    raise Refused(f"expected type 'string', got unconvertible type '{go_type(node)}'", "type", node, "[0]")


def text_map(node: Node) -> dict[str, tuple[str, Node]]:
    """A map of strings; a list of maps is merged, text is read as JSON."""
    if isinstance(node, Sequence):
        merged: dict[str, tuple[str, Node]] = {}
        for i, item in enumerate(node.items):
            try:
                merged |= text_map(item)
            except Refused as refused:
                raise Refused(str(refused), refused.kind, refused.node, f"[{i}]{refused.within}") from None
        return merged
    if isinstance(node, Mapping):
        out: dict[str, tuple[str, Node]] = {}
        for key, item in node.entries.items():
            try:
                out[key] = (text(item), item)
            except Refused as refused:
                raise Refused(str(refused), refused.kind, item, f"[{key}]") from None
        return out
    if node.is_null:
        return {}
    if node.kind is Kind.STRING:
        return {key: (value, node) for key, value in _json_object(node).items()}
    raise Refused(f"expected type 'map[string]string', got unconvertible type '{go_type(node)}'", "type", node)


def _json_object(node: Scalar) -> dict[str, str]:
    value = _json(node)
    if not isinstance(value, dict):
        raise Refused(f"json: cannot unmarshal {_json_name(value)} into Go value of type map[string]string", "type", node)
    for item in value.values():
        if not isinstance(item, str):
            raise Refused(f"json: cannot unmarshal {_json_name(item)} into Go value of type string", "type", node)
    return value


def _json(node: Scalar) -> object:
    try:
        check_json(node.text)
    except Unreadable as error:
        raise Refused(error.message, "type", node) from None
    found: object = json.loads(node.text)
    return found


def _json_name(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    if value is None:
        return "null"
    return next((name for kind, name in ((str, "string"), (list, "array"), (dict, "object")) if isinstance(value, kind)), "number")


def decoded(node: Node) -> bytes:
    """Standard base64 as Go's StdEncoding.DecodeString reads it: line ends are skipped, nothing else."""
    written = text(node).replace("\n", "").replace("\r", "")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    body = written.rstrip("=")
    bad = next((i for i, char in enumerate(body) if char not in alphabet), None)
    if bad is not None:
        raise Refused(f"illegal base64 data at input byte {bad}", "base64", node)
    rest, padding = len(body) % 4, len(written) - len(body)
    if rest == 1 or padding != -rest % 4:
        at = len(body) - rest if not padding else len(body) if rest < 2 else min(len(written), len(body) + 4 - rest)
        raise Refused(f"illegal base64 data at input byte {at}", "base64", node)
    return base64.b64decode(written)


def flags(node: Node) -> dict[str, bool]:
    """runtime_flags: a map of booleans, as text in JSON."""
    if isinstance(node, Mapping):
        found: dict[str, bool] = {}
        for key, item in node.entries.items():
            try:
                found[key] = boolean(item)
            except Refused as refused:
                raise Refused(str(refused), refused.kind, item, f"[{key}]", refused.write) from None
        return found
    if isinstance(node, Sequence):
        return {key: on for item in node.items for key, on in flags(item).items()}
    if node.kind is not Kind.STRING:
        raise Refused(f"expected type 'map[string]bool', got unconvertible type '{go_type(node)}'", "type", node)
    value = _json(node)
    if not isinstance(value, dict):
        raise Refused(f"json: cannot unmarshal {_json_name(value)} into Go value of type map[string]bool", "type", node)
    for item in value.values():
        if not isinstance(item, bool):
            raise Refused(f"json: cannot unmarshal {_json_name(item)} into Go value of type bool", "type", node)
    return value
