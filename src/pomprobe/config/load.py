"""From a file, or bytes that the caller read, to a Config: the order of the steps is Pomerium's (config/options.go, optionsFromViper)."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from collections.abc import Mapping as MappingType
from contextlib import contextmanager
from pathlib import Path

from ..model import Config, Failure, Route, Settings
from ..record import replace
from . import environment, sources
from .checks import View, run
from .compound import flags
from .container import in_container
from .formats import FORMATS
from .keys import GLOBAL_SINCE, ROUTE_SINCE, Version, supported, version
from .nodes import Mapping, Scalar, Sequence
from .problems import Problems
from .reader import Reader
from .routes import RouteReader
from .settings import read_settings
from .sources import Source
from .validation import validate

_IGNORE = re.compile(rb"#[ \t]*pomprobe:[ \t]*ignore[ \t]+([^\n#]+)")


def load(
    source: str | Path,
    *,
    text: bytes | None = None,
    format: str | None = None,
    env: MappingType[str, str] | None = None,
    pomerium_version: str = "0.33",
) -> Config:
    """The config in a file or directory, or in `text` where the caller has read it (source "-" is standard input).

    format: yaml, json, toml, env or kubernetes; by default what the file's name ends in, for text without a name YAML.
    env: variables that win over the file. pomerium_version: decides which keys are known.
    Raises ConfigError with every problem that keeps Pomerium from starting, ValueError for an unknown format or version.
    """
    known = supported(pomerium_version)
    if format is not None and format not in FORMATS:
        raise ValueError(f"{format!r} is none of {', '.join(FORMATS)}")
    problems = Problems()
    with _without_collection():
        return Loader(sources.read(source, text, format, problems), known, problems).config(env)


@contextmanager
def _without_collection() -> Iterator[None]:
    """The nodes form no cycles: looking for some while they grow is a third of the time that 10,000 routes take (measured)."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


class Loader:
    """Makes a Config of what was read."""

    def __init__(self, source: Source, known: Version, problems: Problems) -> None:
        self.source = source
        self.file = source.file
        self.version = known
        self.problems = problems

    def config(self, env: MappingType[str, str] | None) -> Config:
        top = self.source.top
        if env is not None:
            top = environment.overlay(top, env, self.problems)
        top = environment.decode_lists(self._of_version(top, GLOBAL_SINCE), self.problems)
        reader = Reader(top, self.problems)
        validate(reader)
        settings = read_settings(reader)
        on: dict[str, bool] = reader.read("runtime_flags", flags, {})
        read = self._routes(top, settings, on)
        routes = tuple(route for route, _ in read)
        mappings = tuple(reader.mapping for _, reader in read)
        refusals = tuple(tuple(reader.refusals) for _, reader in read)
        container = in_container(self.file, self.source.format)
        view = View(self.file, self.version, top, settings, routes, mappings, refusals, self.problems, container)
        routes = self._check(view)
        self.problems.raise_fatal()
        return Config(self.file, routes, settings, self.problems.in_order(), suppressions(self.source.data))

    def _routes(self, top: Mapping, settings: Settings, on: dict[str, bool]) -> list[tuple[Route, RouteReader]]:
        """Every route that can be read. One of an Ingress that is refused is left out, as the controller leaves it out."""
        read: list[tuple[Route, RouteReader]] = []
        for mapping in self._route_mappings(top):
            own = Problems() if mapping.place.path.startswith("Ingress ") else self.problems
            reader = RouteReader(mapping, own, len(read), settings, on, self.version)
            route = reader.route()
            if own is self.problems or not own.has_fatal:
                read.append((route, reader))
            if own is not self.problems:
                self.problems.found += [replace(p, fatal=False, failure=Failure.ANNOTATION_INVALID) if p.fatal else p for p in own.found]
        return read

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
