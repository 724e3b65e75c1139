"""Small helpers to make nodes: a translated config stands in the places of the manifest."""

from __future__ import annotations

from ...model import Place
from ..nodes import Kind, Mapping, Node, Scalar, Sequence


def text(value: str, place: Place, kind: Kind = Kind.STRING) -> Scalar:
    return Scalar(value, kind, place)


def mapping(entries: dict[str, Node], place: Place) -> Mapping:
    """A mapping whose keys stand where their values stand."""
    return Mapping(entries, {}, {key: node.place for key, node in entries.items()}, place)


def moved(node: Node, place: Place, line_offset: int = 0, column_offset: int = 0) -> Node:
    """The node in another file: at `place` as a whole where there is no offset, else by the offset from its own place."""

    def at(own: Place) -> Place:
        dot = "." if own.path and place.path and not own.path.startswith("[") else ""
        path = f"{place.path}{dot}{own.path}"
        if line_offset:
            return Place(place.file, own.line + line_offset, own.column + column_offset, path)
        return Place(place.file, place.line, place.column, path)

    if isinstance(node, Scalar):
        return Scalar(node.text, node.kind, at(node.place))
    if isinstance(node, Sequence):
        return Sequence(tuple(moved(item, place, line_offset, column_offset) for item in node.items), at(node.place))
    return Mapping(
        {key: moved(item, place, line_offset, column_offset) for key, item in node.entries.items()},
        node.written,
        {key: at(own) for key, own in node.keys.items()},
        at(node.place),
    )
