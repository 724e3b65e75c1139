"""The door to msgspec: what all data of the model is made of.

A record is declared as a dataclass is. To make its class takes a fiftieth of the time, which is paid at every start, and to make
one, or to compare two, takes a fraction as well.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct, field
from msgspec import json as _json
from msgspec.structs import asdict, fields, replace

__all__ = ["Record", "asdict", "field", "fields", "replace", "to_json"]


class Record(Struct, frozen=True):
    """Named fields that stay what they are; equal records have equal hashes. Each class says frozen=True again, for type checkers.

    HIDDEN: names of fields that its repr leaves out, such as secrets.
    """

    HIDDEN: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        shown = (f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__ if name not in self.HIDDEN)
        return f"{type(self).__name__}({', '.join(shown)})"


def to_json(document: object, *, spaced: bool = False) -> bytes:
    """Plain data as one line of JSON in UTF-8, in a fifth of the time that Python's own takes. spaced: a space behind each , and :."""
    made = _json.encode(document)
    return _json.format(made, indent=0) if spaced else made
