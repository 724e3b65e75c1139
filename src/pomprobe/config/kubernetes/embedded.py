"""A Pomerium config inside another object: in a ConfigMap, a Secret, or the values of Pomerium's Helm chart."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from pathlib import PurePath

from ...model import Place
from .. import formats
from ..keys import GLOBAL_KEYS
from ..nodes import Mapping, Node, Scalar, Sequence
from ..problems import Unreadable
from .nodes import moved
from .objects import Object

EXTENSIONS = (".yaml", ".yml", ".json", ".toml")
LISTS = ("routes", "policy")


def is_helm_values(root: Mapping) -> bool:
    """Values of pomerium/pomerium-helm: the lists stand under `config`, which is no key of Pomerium."""
    config = root.mapping("config")
    return config is not None and any(key in config for key in LISTS) and not any(key in root for key in LISTS)


def helm_config(root: Mapping) -> Mapping:
    """What the chart writes into Pomerium's config: the lists, and extraOpts."""
    config = root.mapping("config")
    assert config is not None
    extra = config.mapping("extraopts") or config.mapping("extraOpts")
    found: dict[str, Node] = dict(extra.entries) if extra is not None else {}
    found |= {key: config.entries[key] for key in LISTS if key in config}
    places = {key: config.keys.get(key) or found[key].place for key in found}
    return Mapping(found, {key: key for key in found}, places, config.place)


def configs(one: Object, texts: dict[str, bytes]) -> Iterator[Mapping]:
    """Every config that a ConfigMap or Secret holds. Raises Unreadable at its place in the manifest."""
    for section in ("data", "stringData"):
        entries = one.mapping(section)
        for key, node in entries.entries.items() if entries is not None else ():
            if isinstance(node, Scalar) and PurePath(key).suffix in EXTENSIONS:
                encoded = one.kind == "Secret" and section == "data"
                root = _read(node, key, encoded, texts.get(node.place.file, b""))
                if root is not None and any(name in GLOBAL_KEYS for name in root):
                    yield root


def _read(node: Scalar, key: str, encoded: bool, text: bytes) -> Mapping | None:
    place = node.place
    try:
        data = base64.b64decode("".join(node.text.split()), validate=True) if encoded else node.text.encode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        raise Unreadable("yaml", f"{key}: illegal base64 data", place.line, place.column, place.file) from None
    lines, columns = (0, 0) if encoded else _offset(text, place)
    try:
        root = formats.read(data, place.file, formats.of_file(key))
    except Unreadable as error:
        where = (error.line + lines, error.column + columns) if lines else (place.line, place.column)
        raise Unreadable(error.reason, f"{key}: {error.message}", *where, place.file) from None
    if not isinstance(root, Mapping):
        return None
    found = moved(root, Place(place.file, place.line, place.column), lines, columns)
    assert isinstance(found, Mapping)
    return found


def _offset(text: bytes, place: Place) -> tuple[int, int]:
    """How far the lines of a literal block (|) lie from those of its own text; (0, 0) for any other scalar."""
    lines = text.split(b"\n")
    if place.line > len(lines) or not lines[place.line - 1][place.column - 1 :].startswith(b"|"):
        return 0, 0
    for line in lines[place.line :]:
        if line.strip():
            return place.line, len(line) - len(line.lstrip(b" "))
    return 0, 0


def merged(configs: list[Mapping]) -> Mapping:
    """Several configs as one: the lists one after the other, any other key from the first that has it."""
    first = configs[0]
    entries, written, keys = dict(first.entries), dict(first.written), dict(first.keys)
    for config in configs[1:]:
        for key, node in config.entries.items():
            before = entries.get(key)
            if before is None:
                entries[key], written[key], keys[key] = node, config.written.get(key, key), config.keys[key]
            elif key in LISTS and isinstance(before, Sequence) and isinstance(node, Sequence):
                entries[key] = Sequence((*before.items, *node.items), before.place)
    return Mapping(entries, written, keys, first.place)
