"""Typed access to the keys of one mapping: what cannot be decoded becomes a problem with its place, and the default is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..model import Place
from . import compound, duration, values
from .nodes import Kind, Mapping, Node, Scalar, Sequence
from .problems import Problems, is_secret
from .values import Refused

T = TypeVar("T")
COMPOSE = "give pomprobe the file that Pomerium reads; this one is Compose's"


class Reader:
    """Reads keys of a mapping. Every key that was asked for is in `places` with the place of its value."""

    def __init__(self, mapping: Mapping, problems: Problems) -> None:
        self.mapping = mapping
        self.problems = problems
        self._entries = mapping.entries

    def place(self, key: str) -> Place:
        return self.mapping.place_of(key)

    @property
    def places(self) -> dict[str, Place]:
        return {key: node.place for key, node in self._entries.items()}

    def has(self, key: str) -> bool:
        """Whether the key has a value; null is none."""
        node = self._entries.get(key)
        return node is not None and not (isinstance(node, Scalar) and node.is_null)

    def read(self, key: str, convert: Callable[[Node], T], default: T) -> T:
        node = self._entries.get(key)
        if node is None or (isinstance(node, Scalar) and node.is_null):
            return default
        try:
            return convert(node)
        except Refused as refused:
            self.refuse(key, refused)
            return default

    def refuse(self, key: str, refused: Refused) -> None:
        """Pomerium's words: mapstructure names the field by its path."""
        place = refused.node.place
        node = self.mapping.get(key)
        path = node.place.path if node is not None else place.path
        value = shorten(refused.node.text) if isinstance(refused.node, Scalar) and not is_secret(key) else ""
        write = refused.write if ":" in refused.write or not refused.write else f"{key}: {refused.write}"
        if key == "services" and isinstance(node, Mapping):
            write = COMPOSE
        self.problems.refuse(refused.kind, place, f"'{path}{refused.within}' {refused}", key=key, value=value, write=write)

    def text(self, key: str, default: str = "") -> str:
        node = self._entries.get(key)
        if node is None:  # as most keys are
            return default
        return node.text if isinstance(node, Scalar) and node.kind is Kind.STRING else self.read(key, values.text, default)

    def boolean(self, key: str, default: bool = False) -> bool:
        return self.read(key, values.boolean, default) if key in self._entries else default

    def texts(self, key: str) -> tuple[str, ...]:
        return self.read(key, _upgrades if key == "allow_upgrades" else compound.texts, ()) if key in self._entries else ()

    def struct(self, key: str) -> Reader | None:
        """A key that holds a mapping; anything else is refused in mapstructure's words."""
        node = self.mapping.get(key)
        if node is None or not self.has(key):
            return None
        if isinstance(node, Mapping):
            return Reader(node, self.problems)
        kind = "slice" if isinstance(node, Sequence) else values.go_type(node)
        self.problems.refuse("type", node.place, f"'{node.place.path}' expected a map or struct, got \"{kind}\"", key=key)
        return None

    def nanoseconds(self, key: str) -> int | None:
        return self.read(key, values.nanoseconds, None) if key in self._entries else None

    def seconds(self, key: str, default: float | None = None) -> float | None:
        found = self.nanoseconds(key)
        return default if found is None else duration.seconds(found)


def _upgrades(node: Node) -> tuple[str, ...]:
    """A nullable list: mapstructure names its field `Value`."""
    try:
        return compound.texts(node)
    except Refused as refused:
        raise Refused(str(refused), refused.kind, refused.node, f".Value{refused.within}") from None


def shorten(text: str) -> str:
    return text if len(text) <= 200 else text[:197] + "..."
