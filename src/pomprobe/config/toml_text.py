"""TOML to nodes. tomllib gives no places, so the keys are looked up in the text: tables and keys at the start of a line."""

from __future__ import annotations

import re
import tomllib
from datetime import date, datetime, time

from .nodes import Kind, Node
from .problems import Unreadable
from .tree import MAX_DEPTH, Expander, Raw

_HEADER = re.compile(r"\s*\[(\[?)\s*([^\[\]#]+?)\s*\]?\]")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*'))*)\s*=\s*""")
_AT = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)")
Path = tuple[str | int, ...]


def read_toml(data: bytes, file: str) -> Node:
    """The tree of a TOML text. Raises Unreadable."""
    try:
        text = data.decode("utf-8")
        _check_depth(text)
        tree = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise Unreadable("encoding", f"invalid UTF-8 at byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        match = _AT.search(str(error))
        line, column = (int(match[1]), int(match[2])) if match and match[1] else (data.count(b"\n") + 1, 1)
        raise Unreadable("nul" if b"\0" in data else "toml", f"toml: {_AT.sub('', str(error)).strip()}", line, column) from None
    except ValueError:  # Python converts no number of more than 4,300 digits
        long = re.search(r"[0-9_]{4300}", text)
        before = text[: long.start()] if long else ""
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise Unreadable("toml", "toml: a number that is too long", line, column) from None
    except RecursionError:
        raise Unreadable("too_deep", "toml: exceeded max depth") from None
    return Expander(file, unique_keys=False).node(_raw(tree, (), places(text), (1, 1), 0), "", 0)


def _check_depth(text: str) -> None:
    """tomllib takes the square of a dotted key's length in memory. Raises Unreadable."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.count(".") > MAX_DEPTH:
            for part in line.split("="):
                dotted = re.split(r"[{,\[]", part)[-1]
                if dotted.count(".") > MAX_DEPTH and re.fullmatch(r"[\s\]A-Za-z0-9_\-\"'.]*", dotted):
                    raise Unreadable("too_deep", "toml: exceeded max depth", number)


def places(text: str) -> dict[Path, tuple[int, int]]:
    """Path of a table or key -> line and column of its value."""
    found: dict[Path, tuple[int, int]] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            table = _under(_names(header[2]), counts)
            if header[1]:
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            found.setdefault(table, (number, line.index("[") + 1))
            continue
        key = _KEY.match(line)
        if key:
            found.setdefault((*table, *_names(key[1])), (number, key.end() + 1))
    return found


def _names(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in dotted.split(".")]


def _under(names: list[str], counts: dict[Path, int]) -> Path:
    """[routes.tls] below [[routes]] belongs to the last of them."""
    path: Path = ()
    for name in names[:-1]:
        path = (*path, name)
        if path in counts:
            path = (*path, counts[path])
    return (*path, names[-1])


def _raw(value: object, path: Path, found: dict[Path, tuple[int, int]], near: tuple[int, int], depth: int) -> Raw:
    line, column = here = found.get(path, near)
    if depth > MAX_DEPTH:
        raise Unreadable("too_deep", "toml: exceeded max depth", line, column)
    if isinstance(value, dict):
        raw = Raw("mapping", line, column)
        for key, item in value.items():
            child = _raw(item, (*path, key), found, here, depth + 1)
            raw.children += [Raw("scalar", child.line, child.column, key), child]
        return raw
    if isinstance(value, list):
        raw = Raw("sequence", line, column)
        raw.children = [_raw(item, (*path, i), found, here, depth + 1) for i, item in enumerate(value)]
        return raw
    kind = Kind.STRING
    if isinstance(value, bool):
        return Raw("scalar", line, column, str(value).lower(), Kind.BOOLEAN)
    if isinstance(value, int):
        kind = Kind.INTEGER
    elif isinstance(value, float):
        kind = Kind.FLOAT
    elif isinstance(value, (datetime, date, time)):
        return Raw("scalar", line, column, value.isoformat(), Kind.TIME)
    return Raw("scalar", line, column, str(value), kind)
