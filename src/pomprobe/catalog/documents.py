"""YAML files of the catalogue to plain values, straight from the parser's events: twice as fast as a loader.

Scalars are read as YAML 1.2 has them: plain true, false, null and numbers; all else is text, so `no`, `12:30` and dates stay
words. Aliases are not used here and are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_WORDS: dict[str, object] = {"true": True, "false": False, "null": None, "~": None, "": None}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_DECIMAL = re.compile(r"[-+]?[0-9]+\.[0-9]+")


class CatalogError(Exception):
    """The catalogue cannot be used: a defect of a rule file; the message names file and key."""


def texts(directory: Path) -> Iterator[tuple[Path, bytes]]:
    """Every YAML file below `directory`, in the order of the paths."""
    return ((path, path.read_bytes()) for path in sorted(directory.rglob("*.yaml")))


def document(path: Path, text: bytes) -> object:
    """The one document of a YAML file.

    Raises CatalogError with file and line for what is no YAML, and for a key that stands twice.
    """
    import yaml  # its door: 25 ms that `--help` need not pay

    try:
        following = getattr(yaml, "CBaseLoader", yaml.BaseLoader)(text).get_event
        following(), following()  # the starts of stream and document
        return _value(path, following, following())
    except yaml.YAMLError as error:
        raise CatalogError(f"{path}: {error}") from error


def _value(path: Path, following: Callable[[], Any], event: Any) -> object:
    """The value that begins with this event. following: gives the parser's next one (PyYAML has no type for both parsers)."""
    match type(event).__name__:
        case "ScalarEvent":
            return _scalar(event.value) if event.implicit[0] else event.value  # else quoted or a block: text as it is
        case "MappingStartEvent":
            mapping: dict[object, object] = {}
            while type(key_event := following()).__name__ != "MappingEndEvent":
                key = key_event.value if type(key_event).__name__ == "ScalarEvent" else None
                if key is None or key in mapping:
                    raise CatalogError(f"{path}:{key_event.start_mark.line + 1}: the key {key!r} is no text, or stands twice")
                mapping[key] = _value(path, following, following())
            return mapping
        case "SequenceStartEvent":
            items: list[object] = []
            while type(item := following()).__name__ != "SequenceEndEvent":
                items.append(_value(path, following, item))
            return items
        case kind:
            raise CatalogError(f"{path}: {kind} is not used in the catalogue")


def _scalar(text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    if text[0].isalpha():
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text
