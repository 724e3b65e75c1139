"""Nodes out of what a parser read: aliases and merge keys expanded, keys lower-cased, every node with its path.

As go.yaml.in/yaml/v3 decodes (decode.go): a key given twice is an error, an alias bomb is refused by Go's own ratio.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..model import Place
from .nodes import Kind, Mapping, Node, Scalar, Sequence
from .problems import Unreadable

MAX_DEPTH = 100
"""Levels of nesting. Go's own limit is 10,000; no Pomerium config has a tenth of this one."""


NO_CHILDREN: list[Raw] = []
"""What the many scalars of YAML have for children: shared, never added to."""


@dataclass(slots=True)
class Raw:
    """A node before aliases are expanded. shape: scalar, sequence, mapping or alias."""

    shape: str
    line: int
    column: int
    text: str = ""
    kind: Kind = Kind.STRING
    merge: bool = False
    children: list[Raw] = field(default_factory=list)
    target: Raw | None = None
    open: bool = False


class Expander:
    """Makes nodes of raw ones: aliases and merge keys are expanded, each node learns its path."""

    def __init__(self, file: str, *, unique_keys: bool = True, lower: bool = True) -> None:
        self._file = file
        self._unique_keys = unique_keys
        self._lower = lower
        self._names: dict[str, str] = {}  # as written -> as read: each is kept once
        self._made = 0
        self._by_alias = 0

    def node(self, raw: Raw, path: str, depth: int, aliased: bool = False) -> Node:
        if raw.target is not None:
            raw, aliased = raw.target, True
        if aliased or raw.children:
            self._count(raw, aliased, depth)
        else:
            self._made += 1
        place = Place(self._file, raw.line, raw.column, path)
        if raw.shape == "scalar":
            return Scalar(raw.text, raw.kind, place)
        if raw.shape == "sequence":
            return Sequence(tuple(self.node(child, f"{path}[{i}]", depth + 1, aliased) for i, child in enumerate(raw.children)), place)
        return self._mapping(raw, place, depth, aliased)

    def _mapping(self, raw: Raw, place: Place, depth: int, aliased: bool) -> Mapping:
        entries: dict[str, Node] = {}
        written: dict[str, str] = {}
        keys: dict[str, Place] = {}
        seen: dict[str, int] = {}
        merges: list[Raw] = []
        pairs = iter(raw.children)
        for key, value in zip(pairs, pairs, strict=True):
            source = key.target or key
            if source.shape != "scalar":
                tag = "seq" if source.shape == "sequence" else "map"
                message = f"yaml: unmarshal errors: line {key.line}: cannot unmarshal !!{tag} into string"
                raise Unreadable("yaml", message, key.line, key.column)
            if source.text in seen and key.target is None and self._unique_keys:
                message = f'line {key.line}: mapping key "{short(source.text)}" already defined at line {seen[source.text]}'
                raise Unreadable("duplicate_key", message, key.line, key.column, key=short(source.text), other=seen[source.text])
            seen[source.text] = key.line
            if source.merge:
                merges.append(value)
                continue
            name = self._names.get(source.text)
            if name is None:
                name = self._names[source.text] = source.text.lower() if self._lower else source.text
            under = f"{place.path}.{name}" if place.path else name
            if value.shape == "scalar" and not aliased:  # most values: without a call
                self._made += 1
                entries[name] = Scalar(value.text, value.kind, Place(self._file, value.line, value.column, under))
            else:
                entries[name] = self.node(value, under, depth + 1, aliased)
            if name != source.text:
                written[name] = source.text
            keys[name] = Place(self._file, key.line, key.column, under)
        for merge in merges:
            self._merge(merge, Mapping(entries, written, keys, place), depth, aliased)
        return Mapping(entries, written, keys, place)

    def _merge(self, raw: Raw, into: Mapping, depth: int, aliased: bool) -> None:
        """Add what `<<` brings: keys that the mapping lacks, of several mappings the first one's."""
        source = raw.target or raw
        if source.shape == "sequence":
            for child in source.children:
                self._merge(child, into, depth, aliased or raw.target is not None)
            return
        if source.shape != "mapping":
            raise Unreadable("yaml", "yaml: map merge requires map or sequence of maps as the value", raw.line, raw.column)
        self._count(source, aliased or raw.target is not None, depth)
        brought = self._mapping(source, Place(self._file, source.line, source.column, into.place.path), depth, True)
        for key, node in brought.entries.items():
            if key not in into.entries:
                into.entries[key] = node
                into.written |= {name: text for name, text in brought.written.items() if name == key}
                into.keys[key] = brought.keys[key]

    def _count(self, raw: Raw, aliased: bool, depth: int) -> None:
        """Go's guard against alias bombs (decode.go, allowedAliasRatio), and the depth that aliases add up to."""
        self._made += 1
        self._by_alias += aliased
        if self._by_alias > 100 and self._made > 1000 and self._by_alias / self._made > _allowed_ratio(self._made):
            raise Unreadable("aliases", "yaml: document contains excessive aliasing", raw.line, raw.column)
        if depth > MAX_DEPTH:
            raise Unreadable("too_deep", f"yaml: exceeded max depth of {MAX_DEPTH}", raw.line, raw.column)


def _allowed_ratio(made: int) -> float:
    if made <= 400_000:
        return 0.99
    return 0.10 if made >= 4_000_000 else 0.99 - 0.89 * (made - 400_000) / 3_600_000


def short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."


def glimpse(text: str) -> str:
    """A value in an error, where Go shows its first ten characters (yaml.v3, decode.go: terror): those of a secret are too many."""
    return text if len(text) < 4 else "xxxxx"
