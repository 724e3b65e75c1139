"""Environment variables over a file, and .env files: every key is bound to its name in capitals (config/options.go, bindEnvs).

`ROUTES` and `POLICY` are base64 of a YAML list of routes, whose keys viper does not lower-case (config/custom.go).
"""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingType

from ..model import Failure, Place
from .compound import decoded
from .document import documents
from .keys import GLOBAL_KEYS
from .nodes import Kind, Mapping, Node, Scalar, Sequence
from .problems import Problems, Unreadable
from .tree import glimpse
from .values import Refused

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*(?:=|:\s)\s*(.*)\Z", re.S)
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"')
_SINGLE = re.compile(r"'([^']*)'")
ALIASES = {"HEADERS": "headersenv"}
LISTS = ("policy", "routes")


def read_dotenv(data: bytes, file: str) -> Node:
    """A .env file as gotenv reads it: KEY=VALUE or `KEY: VALUE`, quotes, comments, `export`. Raises Unreadable."""
    try:
        lines = data.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise Unreadable("encoding", f"invalid UTF-8 at byte {error.start}") from None
    entries: dict[str, Node] = {}
    written: dict[str, str] = {}
    keys: dict[str, Place] = {}
    for number, line in enumerate(lines, 1):
        if "\0" in line:
            raise Unreadable("nul", "line holds a NUL byte", number, line.index("\0") + 1)
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.match(line)
        if match is None:
            raise Unreadable("env", f"line `{glimpse(line)}` doesn't match format", number, write="KEY=VALUE")
        key = match[1].lower()
        place = Place(file, number, match.start(2) + 1, key)
        entries[key] = Scalar(_unquoted(match[2], number), Kind.STRING, place)
        written[key] = match[1]
        keys[key] = Place(file, number, match.start(1) + 1, key)
    return Mapping(entries, written, keys, Place(file, 1, 1))


def _unquoted(text: str, line: int) -> str:
    text = text.strip()
    if text[:1] in ("'", '"'):
        match = (_DOUBLE if text[0] == '"' else _SINGLE).match(text)
        if match is None:
            raise Unreadable("env", "missing quotes", line)
        if text[0] == "'":
            return match[1]
        escapes = {"n": "\n", "r": "\r", "t": "\t"}
        return re.sub(r"\\(.)", lambda m: escapes.get(m[1], m[1]), match[1])
    return re.split(r"\s+#", text)[0].strip()


def overlay(mapping: Mapping, env: MappingType[str, str], problems: Problems) -> Mapping:
    """The file's keys with those that the environment sets in their place; empty variables count as not set."""
    entries, written, keys = dict(mapping.entries), dict(mapping.written), dict(mapping.keys)
    for variable, value in env.items():
        key = ALIASES.get(variable, variable.lower())
        if not value or variable != variable.upper() or key not in GLOBAL_KEYS:
            continue
        place = Place(f"${variable}", 1, 1, key)
        before = entries.get(key)
        if before is not None:
            message = f"the environment variable {variable} wins over {key} in the file"
            problems.note(Failure.ENV_OVERRIDE, before.place, message, key=key, variable=variable)
        entries[key] = Scalar(value, Kind.STRING, place)
        written[key] = variable
        keys[key] = place
    return Mapping(entries, written, keys, mapping.place)


def decode_lists(mapping: Mapping, problems: Problems) -> Mapping:
    """`routes` and `policy` given as text are base64; what cannot be decoded is refused in Pomerium's words."""
    entries = dict(mapping.entries)
    for key in LISTS:
        node = entries.get(key)
        if not isinstance(node, Scalar) or node.kind is not Kind.STRING:
            continue
        try:
            entries[key] = _decoded_list(node, key)
        except Refused as refused:
            problems.refuse("base64", node.place, f"'{key}' {refused}", key=key)
            entries[key] = Sequence((), node.place)
        except Unreadable as error:
            problems.refuse("base64", node.place, f"'{key}' parsing base64-encoded policy data as yaml: {error.message}", key=key)
            entries[key] = Sequence((), node.place)
    return Mapping(entries, mapping.written, mapping.keys, mapping.place)


def _decoded_list(node: Scalar, key: str) -> Sequence:
    parts = node.text.split(",") if node.text else []
    if len(parts) != 1:
        raise Refused(f"base64 policy data: expecting 1, got {len(parts)}", "base64", node)
    try:
        data = decoded(node)
    except Refused as refused:
        raise Refused(f"base64 decoding policy data: {refused}", "base64", node) from None
    file = node.place.file if node.place.file.startswith("$") else f"{node.place.file}:{node.place.line} ({key}, base64)"
    root = next(documents(data, file, lower=False), None)
    if root is None or (isinstance(root, Scalar) and root.is_null):
        return Sequence((), node.place)
    if not isinstance(root, Sequence):
        tag = "!!map" if isinstance(root, Mapping) else f"!!str `{glimpse(root.text)}`"
        message = f"yaml: unmarshal errors: line {root.place.line}: cannot unmarshal {tag} into []map[interface {{}}]interface {{}}"
        raise Unreadable("yaml", message, root.place.line)
    return Sequence(tuple(_under(item, f"{key}[{i}]") for i, item in enumerate(root.items)), node.place)


def _under(node: Node, path: str) -> Node:
    """The node with its path below `path`, which replaces the list's own `[0]`."""
    own = node.place.path
    place = Place(node.place.file, node.place.line, node.place.column, path)
    if isinstance(node, Scalar):
        return Scalar(node.text, node.kind, place)
    if isinstance(node, Sequence):
        return Sequence(tuple(_under(item, path + item.place.path.removeprefix(own)) for item in node.items), place)
    entries = {key: _under(item, path + item.place.path.removeprefix(own)) for key, item in node.entries.items()}
    keys = {key: Place(p.file, p.line, p.column, path + p.path.removeprefix(own)) for key, p in node.keys.items()}
    return Mapping(entries, node.written, keys, place)
