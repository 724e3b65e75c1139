"""From a file, or bytes that the caller read, to a Config: the order of the steps is Pomerium's (config/options.go, optionsFromViper)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping as MappingType
from dataclasses import replace
from pathlib import Path

from ..model import Config, ConfigError, Failure, Place, Route
from . import environment, files, formats
from .checks import View, run
from .keys import GLOBAL_SINCE, ROUTE_SINCE, Version, version
from .nodes import Mapping, Node, Scalar, Sequence
from .problems import Problems, Unreadable, unreadable
from .reader import Reader
from .routes import RouteReader
from .settings import read_settings
from .validation import validate
from .values import text_map

STDIN = "<stdin>"
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

    format: yaml, json, toml, env or kubernetes; by default what the file's name ends in, for text without a name YAML.
    env: variables that win over the file. pomerium_version: decides which keys are known.
    Raises ConfigError with every problem that keeps Pomerium from starting, ValueError for an unknown format or version.
    """
    file = STDIN if str(source) == "-" else str(source)
    known = version(pomerium_version)
    try:
        data = files.bounded(text) if text is not None else files.config_bytes(Path(source))
        chosen = format or formats.of_file(file, known=text is None and file != STDIN and not Path(source).is_fifo())
        root = formats.read(data, file, chosen)
    except Unreadable as error:
        raise error.at(file) from None
    return Loader(file, known, chosen).config(root, data, env)


class Loader:
    """Makes a Config of a document."""

    def __init__(self, file: str, known: Version, format: str) -> None:
        self.file = file
        self.version = known
        self.format = format
        self.problems = Problems()

    def config(self, root: Node | None, data: bytes, env: MappingType[str, str] | None) -> Config:
        top = self._top(root)
        if env is not None:
            top = environment.overlay(top, env, self.problems)
        top = environment.decode_lists(self._of_version(top, GLOBAL_SINCE), self.problems)
        reader = Reader(top, self.problems)
        validate(reader)
        settings = read_settings(reader)
        written: dict[str, tuple[str, Node]] = reader.read("runtime_flags", text_map, {})
        flags = {key: value in ("1", "true") for key, (value, _) in written.items()}
        mappings = tuple(self._route_mappings(top))
        readers = [RouteReader(mapping, self.problems, i, settings, flags, self.version) for i, mapping in enumerate(mappings)]
        routes = tuple(route_reader.route() for route_reader in readers)
        refusals = tuple(tuple(route_reader.refusals) for route_reader in readers)
        view = View(self.file, self.version, top, settings, routes, mappings, refusals, self.problems, self._container())
        routes = self._check(view)
        self.problems.raise_fatal()
        return Config(self.file, routes, settings, self.problems.in_order(), suppressions(data))

    def _top(self, root: Node | None) -> Mapping:
        if isinstance(root, Mapping):
            return root
        if root is None:
            raise ConfigError((unreadable(Place(self.file, 1, 1), "empty", "the file is empty", write="routes:"),))
        kind = "!!seq" if isinstance(root, Sequence) else f"!!str `{root.text[:40]}`"
        message = f"line {root.place.line}: cannot unmarshal {kind} into map[string]interface {{}}"
        write = "routes: with the list under it" if isinstance(root, Sequence) else "routes:"
        raise ConfigError((unreadable(Place(self.file, root.place.line, root.place.column), "not_a_mapping", message, write=write),))

    def _of_version(self, mapping: Mapping, since: dict[str, str], route: str = "") -> Mapping:
        """The mapping without the keys that came with a later Pomerium, each of which is told of."""
        newer = [key for key in mapping if key in since and version(since[key]) > self.version]
        if not newer:
            return mapping
        shown = ".".join(str(part) for part in self.version if part < 10**6)
        for key in newer:
            message = f"{key} came with Pomerium {since[key].removesuffix('.0')}: {shown} ignores it"
            facts = {"key": key, "since": since[key].removesuffix(".0"), "pomerium_version": shown, **({"route": route} if route else {})}
            self.problems.note(Failure.NEWER_KEY, mapping.keys[key], message, **facts)
        entries = {key: node for key, node in mapping.entries.items() if key not in newer}
        return Mapping(entries, mapping.written, mapping.keys, mapping.place)

    def _route_mappings(self, top: Mapping) -> list[Mapping]:
        """`policy` first, then `routes`, as Pomerium goes through them (options.go, GetAllPolicies)."""
        out = []
        for key in ("policy", "routes"):
            node = top.get(key)
            if node is None or (isinstance(node, Scalar) and node.is_null):
                continue
            for item in node.items if isinstance(node, Sequence) else (node,):
                if isinstance(item, Mapping):
                    out.append(self._of_version(item, ROUTE_SINCE, item.scalar("name") or item.scalar("from")))
                elif isinstance(item, Scalar) and item.is_null:
                    out.append(Mapping({}, {}, {}, item.place))
                else:
                    message = f"'{item.place.path}' cannot convert nested map: all keys must be strings"
                    self.problems.refuse("type", item.place, message, key=key, write="- from: https://HOST, to: http://HOST:PORT")
        return out

    def _check(self, view: View) -> tuple[Route, ...]:
        """Look for everything else, and put what blocks a route's cluster on the route."""
        run(view)
        return tuple(
            replace(route, envoy_refusals=tuple(dict.fromkeys((*route.envoy_refusals, *view.blocked[route.index]))))
            if route.index in view.blocked
            else route
            for route in view.routes
        )

    def _container(self) -> bool:
        """Signs that Pomerium runs in a container: this is one, the file lies where its image wants it, or it is a manifest."""
        return self.format == "kubernetes" or self.file.startswith("/pomerium/") or os.path.exists("/.dockerenv")


def suppressions(data: bytes) -> tuple[tuple[int, str], ...]:
    """(line, code) of every `# pomprobe: ignore CODE` comment; several codes may stand behind one `ignore`.

    The line is the one that the comment is about: its own, or the next one with something on it where the comment stands alone.
    """
    out: list[tuple[int, str]] = []
    lines = data.splitlines()
    for match in _IGNORE.finditer(data):
        line = data.count(b"\n", 0, match.start()) + 1
        while line < len(lines) and lines[line - 1].strip()[:1] in (b"", b"#"):
            line += 1
        out += [(line, code) for code in re.split(r"[,\s]+", match[1].decode("utf-8", "replace").strip()) if code]
    return tuple(out)


