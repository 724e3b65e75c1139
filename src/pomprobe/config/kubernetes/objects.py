"""The objects of a set of manifests, by kind, namespace and name."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ...record import Record
from ..nodes import Mapping, Node, Scalar
from ..problems import Unreadable

DEFAULT_NAMESPACE = "default"
MAX_OBJECTS = 100_000


class Object(Record, frozen=True):
    """One manifest."""

    kind: str
    namespace: str
    name: str
    node: Mapping

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"

    def mapping(self, *keys: str) -> Mapping | None:
        """The mapping at this path below the object, if there is one."""
        found: Mapping | None = self.node
        for key in keys:
            found = found.mapping(key) if found is not None else None
        return found


@dataclass(slots=True)
class Objects:
    """All manifests, in their order."""

    found: list[Object] = field(default_factory=list)
    _index: dict[tuple[str, str, str], Object] = field(default_factory=dict)

    @classmethod
    def of(cls, documents: Iterable[Node]) -> Objects:
        objects = cls()
        for document in documents:
            for node in _items(document):
                if len(objects.found) >= MAX_OBJECTS:
                    raise Unreadable("too_big", f"more than {MAX_OBJECTS} objects", node.place.line)
                objects._add(node)
        return objects

    def _add(self, node: Mapping) -> None:
        metadata = node.mapping("metadata")
        namespace = (metadata.scalar("namespace") if metadata else "") or DEFAULT_NAMESPACE
        one = Object(node.scalar("kind"), namespace, metadata.scalar("name") if metadata else "", node)
        self.found.append(one)
        self._index[one.kind, one.namespace, one.name] = one

    def of_kind(self, *kinds: str) -> list[Object]:
        return [one for one in self.found if one.kind in kinds]

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        return self._index.get((kind, namespace, name))


def _items(node: Node) -> Iterator[Mapping]:
    """The document itself, or the items of a List (of any kind, as kubectl prints them)."""
    if not isinstance(node, Mapping):
        return
    if node.scalar("kind").endswith("List") and node.get("items") is not None:
        for item in node.items("items"):
            yield from _items(item)
    else:
        yield node


def secret_data(secret: Object, key: str) -> bytes | None:
    """One entry of a Secret: stringData as it is, data from base64; None where it is missing or no base64."""
    plain = secret.mapping("stringData")
    if plain is not None and isinstance(plain.get(key), Scalar):
        return plain.scalar(key).encode("utf-8", "surrogateescape")
    encoded = secret.mapping("data")
    if encoded is None or not isinstance(encoded.get(key), Scalar):
        return None
    try:
        return base64.b64decode("".join(encoded.scalar(key).split()), validate=True)
    except (binascii.Error, ValueError):
        return None
