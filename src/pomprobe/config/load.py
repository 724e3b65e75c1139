"""From a file, or bytes that the caller read, to a Config."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingType
from pathlib import Path

from ..model import Config, Place, Problem, Route
from . import files
from .document import documents
from .keys import version
from .nodes import Mapping, Node, Scalar, Sequence
from .problems import Problems, Unreadable, unreadable
from .reader import Reader
from .routes import RouteReader
from .settings import read_settings
from .values import text_map

_IGNORE = re.compile(rb"#[ \t]*pomprobe:[ \t]*ignore[ \t]+([^\n#]+)")


def load(
    source: str | Path,
    *,
    text: bytes | None = None,
    format: str | None = None,
    env: MappingType[str, str] | None = None,
    pomerium_version: str = "0.33",
) -> Config:
    """The config in a file, or in `text` where the caller has read it (source "-" is standard input).

    format: yaml, json, toml, env or kubernetes; by default what the file's name ends in. env: variables that win over the file.
    pomerium_version: decides which keys are known. Raises ConfigError with every problem that keeps Pomerium from starting.
    """
    file = "<stdin>" if str(source) == "-" else str(source)
    try:
        data = files.bounded(text) if text is not None else files.config_bytes(Path(source))
        root = next(documents(data, file), None)
    except Unreadable as error:
        raise error.at(file) from None
    except RecursionError:
        raise Unreadable("too_deep", "nested too deeply").at(file) from None
    return Loader(file, pomerium_version).config(root, data)


class Loader:
    """Makes a Config of a document."""

    def __init__(self, file: str, pomerium_version: str) -> None:
        self.file = file
        self.version = version(pomerium_version)
        self.problems = Problems()

    def config(self, root: Node | None, data: bytes) -> Config:
        mapping = self._top(root)
        reader = Reader(mapping, self.problems)
        settings = read_settings(reader)
        written: dict[str, tuple[str, Node]] = reader.read("runtime_flags", text_map, {})
        flags = {key: value in ("1", "true") for key, (value, _) in written.items()}
        routes: list[Route] = []
        for node in self._route_nodes(mapping):
            routes.append(RouteReader(node, self.problems, len(routes), settings, flags).route())
        self.problems.raise_fatal()
        return Config(self.file, tuple(routes), settings, tuple(self.problems.found), suppressions(data))

    def _top(self, root: Node | None) -> Mapping:
        place = Place(self.file, 1, 1)
        if root is None or (isinstance(root, Scalar) and root.is_null):
            self._stop(unreadable(place, "empty", "the file is empty", write="routes:"))
        if isinstance(root, Mapping):
            return root
        tag = "!!seq" if isinstance(root, Sequence) else f"!!str `{root.text[:40]}`" if isinstance(root, Scalar) else ""
        message = f"yaml: unmarshal errors: line {root.place.line if root else 1}: cannot unmarshal {tag} into map[string]interface {{}}"
        self._stop(unreadable(root.place if root else place, "not_a_mapping", message, write="routes:"))
        raise AssertionError

    def _stop(self, problem: Problem) -> None:
        self.problems.found.append(problem)
        self.problems.raise_fatal()

    def _route_nodes(self, mapping: Mapping) -> list[Mapping]:
        """`policy` first, then `routes`, as Pomerium goes through them (options.go, GetAllPolicies)."""
        out = []
        for key in ("policy", "routes"):
            node = mapping.get(key)
            if node is None or (isinstance(node, Scalar) and node.is_null):
                continue
            for item in node.items if isinstance(node, Sequence) else (node,):
                if isinstance(item, Mapping):
                    out.append(item)
                elif not (isinstance(item, Scalar) and item.is_null):
                    message = f"'{item.place.path}' cannot convert nested map: all keys must be strings"
                    self.problems.refuse("type", item.place, message, key=key, write="- from: https://HOST, to: http://HOST:PORT")
                else:
                    out.append(Mapping({}, {}, {}, item.place))
        return out


def suppressions(data: bytes) -> tuple[tuple[int, str], ...]:
    """(line, code) of every `# pomprobe: ignore CODE` comment; several codes may stand behind one `ignore`."""
    out = []
    for match in _IGNORE.finditer(data):
        line = data.count(b"\n", 0, match.start()) + 1
        out += [(line, code) for code in re.split(r"[,\s]+", match[1].decode("utf-8", "replace").strip()) if code]
    return tuple(out)
