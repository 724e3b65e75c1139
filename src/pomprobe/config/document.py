"""YAML text to nodes: events of libyaml, put together without recursion and within bounds, with the places of keys and values.

Read as go.yaml.in/yaml/v3 reads it (decode.go): a key given twice is an error, aliases and merge keys are expanded,
plain scalars are resolved as YAML 1.2 with Go's extensions, and an alias bomb is refused by Go's own ratio.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from ..model import Place
from .nodes import Kind, Mapping, Node, Scalar, Sequence, plain_kind
from .problems import Unreadable

MAX_DEPTH = 100
"""Levels of nesting. Go's own limit is 10,000; no Pomerium config has a tenth of this one."""
_TAG = "tag:yaml.org,2002:"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class _Raw:
    """A node before aliases are expanded. shape: scalar, sequence, mapping or alias."""

    shape: str
    line: int
    column: int
    text: str = ""
    kind: Kind = Kind.STRING
    merge: bool = False
    children: list[_Raw] = field(default_factory=list)
    target: _Raw | None = None
    open: bool = False


def documents(data: bytes, file: str) -> Iterator[Node]:
    """Every document of a YAML stream, read as it is asked for. Raises Unreadable."""
    events = yaml.parse(data, Loader=_LOADER)
    try:
        while (raw := _next_document(events)) is not None:
            yield Expander(file).node(raw, "", 0)
    except yaml.MarkedYAMLError as error:
        raise _syntax(error) from None
    except yaml.reader.ReaderError as error:
        line, column = _position(data, error.position)
        reason = "nul" if data[error.position : error.position + 1] == b"\0" else "encoding"
        raise Unreadable(reason, f"yaml: {error.reason}", line, column) from None
    except UnicodeDecodeError as error:
        line, column = _position(data, error.start)
        raise Unreadable("encoding", f"yaml: {error.reason}", line, column) from None


def _next_document(events: Iterator[yaml.Event]) -> _Raw | None:
    """Put the events of one document together; None at the end of the stream."""
    root: _Raw | None = None
    stack: list[_Raw] = []
    anchors: dict[str, _Raw] = {}
    for event in events:
        if isinstance(event, yaml.NodeEvent):
            raw = _open(event, anchors)
            if stack:
                stack[-1].children.append(raw)
            else:
                root = raw
            if raw.open:
                stack.append(raw)
                if len(stack) > MAX_DEPTH:
                    raise Unreadable("too_deep", f"yaml: exceeded max depth of {MAX_DEPTH}", raw.line, raw.column)
        elif isinstance(event, yaml.CollectionEndEvent):
            stack.pop().open = False
        elif isinstance(event, yaml.DocumentEndEvent):
            return root
    return None


def _open(event: yaml.NodeEvent, anchors: dict[str, _Raw]) -> _Raw:
    mark = event.start_mark
    assert mark is not None  # the parser gives every event one
    line, column = mark.line + 1, mark.column + 1
    if isinstance(event, yaml.AliasEvent):
        target = anchors.get(event.anchor or "")
        if target is None:
            raise Unreadable("yaml", f"yaml: unknown anchor '{event.anchor}' referenced", line, column)
        if target.open:
            raise Unreadable("yaml", f"yaml: anchor '{event.anchor}' value contains itself", line, column)
        return _Raw("alias", line, column, target=target)
    if isinstance(event, yaml.ScalarEvent):
        raw = _scalar(event, line, column)
    else:
        shape = "sequence" if isinstance(event, yaml.SequenceStartEvent) else "mapping"
        raw = _Raw(shape, line, column, open=True)
    if event.anchor is not None:
        anchors[event.anchor] = raw
    return raw


def _scalar(event: yaml.ScalarEvent, line: int, column: int) -> _Raw:
    text, tag, plain = event.value, event.tag, event.style in (None, "", " ") and event.implicit[0]
    if tag is None or tag == "!":
        kind = plain_kind(text) if plain and tag is None else Kind.STRING
        return _Raw("scalar", line, column, text, kind, merge=plain and text == "<<")
    if tag == _TAG + "binary":
        try:
            text = base64.b64decode("".join(text.split()), validate=True).decode("utf-8", "surrogateescape")
        except binascii.Error:
            raise Unreadable("yaml", "yaml: !!binary value contains invalid base64 data", line, column) from None
        return _Raw("scalar", line, column, text)
    kind = plain_kind(text)
    wanted = {"int": Kind.INTEGER, "float": Kind.FLOAT, "bool": Kind.BOOLEAN, "null": Kind.NULL, "timestamp": Kind.TIME}
    name = tag.removeprefix(_TAG)
    if tag.startswith(_TAG) and name in wanted:
        if kind is not wanted[name] and (name, kind) != ("float", Kind.INTEGER):
            raise Unreadable("yaml", f"yaml: cannot decode !!str `{_short(text)}` as a !!{name}", line, column)
        return _Raw("scalar", line, column, text, wanted[name])
    return _Raw("scalar", line, column, text)


class Expander:
    """Makes nodes of raw ones: aliases and merge keys are expanded, each node learns its path."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._made = 0
        self._by_alias = 0

    def node(self, raw: _Raw, path: str, depth: int, aliased: bool = False) -> Node:
        if raw.target is not None:
            raw, aliased = raw.target, True
        self._count(raw, aliased, depth)
        place = Place(self._file, raw.line, raw.column, path)
        if raw.shape == "scalar":
            return Scalar(raw.text, raw.kind, place)
        if raw.shape == "sequence":
            return Sequence(tuple(self.node(child, f"{path}[{i}]", depth + 1, aliased) for i, child in enumerate(raw.children)), place)
        return self._mapping(raw, place, depth, aliased)

    def _mapping(self, raw: _Raw, place: Place, depth: int, aliased: bool) -> Mapping:
        entries: dict[str, Node] = {}
        written: dict[str, str] = {}
        keys: dict[str, Place] = {}
        seen: dict[str, int] = {}
        merges: list[_Raw] = []
        pairs = iter(raw.children)
        for key, value in zip(pairs, pairs, strict=True):
            source = key.target or key
            if source.shape != "scalar":
                tag = "seq" if source.shape == "sequence" else "map"
                message = f"yaml: unmarshal errors: line {key.line}: cannot unmarshal !!{tag} into string"
                raise Unreadable("yaml", message, key.line, key.column)
            if source.text in seen and key.target is None:
                message = f'line {key.line}: mapping key "{_short(source.text)}" already defined at line {seen[source.text]}'
                raise Unreadable("duplicate_key", message, key.line, key.column, key=_short(source.text), other=seen[source.text])
            seen[source.text] = key.line
            if source.merge:
                merges.append(value)
                continue
            name = source.text.lower()
            under = f"{place.path}.{name}" if place.path else name
            entries[name] = self.node(value, under, depth + 1, aliased)
            written[name] = source.text
            keys[name] = Place(self._file, key.line, key.column, under)
        for merge in merges:
            self._merge(merge, Mapping(entries, written, keys, place), depth, aliased)
        return Mapping(entries, written, keys, place)

    def _merge(self, raw: _Raw, into: Mapping, depth: int, aliased: bool) -> None:
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
                into.written[key] = brought.written[key]
                into.keys[key] = brought.keys[key]

    def _count(self, raw: _Raw, aliased: bool, depth: int) -> None:
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


def _syntax(error: yaml.MarkedYAMLError) -> Unreadable:
    """The message of Go's port of libyaml (yaml.v3, decode.go: parser.fail), at the place of the problem."""
    told = 0
    for mark in (error.context_mark, error.problem_mark):
        if mark is not None and mark.line:
            told = mark.line + (1 if isinstance(error, yaml.scanner.ScannerError) else 0)
            break
    place = error.problem_mark or error.context_mark
    where = f"line {told}: " if told else ""
    line, column = (place.line + 1, place.column + 1) if place is not None else (1, 1)
    return Unreadable("yaml", f"yaml: {where}{error.problem or 'unknown problem parsing YAML content'}", line, column)


def _position(data: bytes, offset: int) -> tuple[int, int]:
    before = data[:offset]
    return before.count(b"\n") + 1, offset - (before.rfind(b"\n") + 1) + 1


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."
