"""Where a config comes from: a file, bytes that the caller read, Kubernetes manifests, or a directory of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ..model import ConfigError, Place, Problem
from ..record import Record
from . import files, formats, kubernetes
from .document import documents
from .keys import GLOBAL_KEYS
from .nodes import Mapping, Node, Scalar, Sequence
from .problems import Problems, Unreadable, unreadable
from .tree import glimpse

STDIN = "<stdin>"
MANIFESTS = (".yaml", ".yml", ".json")
MAX_FILES = 5000


class Source(Record, frozen=True):
    """The keys of the config, and the text that they stand in. format: yaml, json, toml, env or kubernetes."""

    file: str
    format: str
    top: Mapping
    data: bytes


def read(source: str | Path, text: bytes | None, format: str | None, problems: Problems) -> Source:
    """Read it. Raises ConfigError with the one thing that makes it no config, with a place."""
    file = STDIN if str(source) == "-" else str(source)
    try:
        if text is None and Path(source).is_dir():
            return _directory(Path(source), problems)
        data = files.bounded(text) if text is not None else files.config_bytes(Path(source))
        chosen = format or formats.of_file(file, known=text is None and files.has_name(file))
        root = formats.read(data, file, "yaml" if chosen == "kubernetes" else chosen)
        if chosen == "kubernetes" or (isinstance(root, Mapping) and chosen in ("yaml", "json") and kubernetes.is_manifest(root)):
            top = kubernetes.config_of(_documents(data, file), {file: data}, problems)
            if top is None:
                raise Unreadable("no_config", "no Ingress, Pomerium resource or Pomerium config is among these manifests")
            return Source(file, "kubernetes", top, data)
        return Source(file, chosen, _mapping(root, file), data)
    except Unreadable as error:
        raise error.at(file) from None
    except ValueError as error:
        if "null" not in str(error):  # only a NUL in the path is the file's fault
            raise
        raise Unreadable("missing", f"open {file!r}: {error}").at(file) from None


def _mapping(root: Node | None, file: str) -> Mapping:
    if isinstance(root, Mapping):
        return root
    if root is None:
        raise ConfigError((unreadable(Place(file, 1, 1), "empty", "the file is empty", write="routes:"),))
    kind = "!!seq" if isinstance(root, Sequence) else f"!!str `{glimpse(root.text)}`" if isinstance(root, Scalar) else ""
    message = f"line {root.place.line}: cannot unmarshal {kind} into map[string]interface {{}}"
    write = "routes: with the list under it" if isinstance(root, Sequence) else "routes:"
    raise ConfigError((unreadable(Place(file, root.place.line, root.place.column), "not_a_mapping", message, write=write),))


def _documents(data: bytes, file: str) -> list[Node]:
    """Every document with its keys as written: a manifest's are not lower-cased."""
    return list(documents(data, file, lower=False)) if data.strip() else []


def _directory(path: Path, problems: Problems) -> Source:
    """All manifests below a directory, and a Pomerium config where one lies among them."""
    found: list[Node] = []
    texts: dict[str, bytes] = {}
    unread: list[Problem] = []
    size = 0
    for file in _files(path):
        try:
            data = files.config_bytes(Path(file))
            size += len(data)
            if size > files.MAX_CONFIG:
                raise Unreadable("too_big", f"more than {files.MAX_CONFIG // 1024 // 1024} MiB below {path}")
            root = formats.read(data, file, formats.of_file(file))
            if isinstance(root, Mapping) and kubernetes.is_manifest(root):
                found += _documents(data, file)
            elif isinstance(root, Mapping) and any(key in GLOBAL_KEYS for key in root):
                found.append(root)
            texts[file] = data
        except Unreadable as error:
            unread += error.at(file).problems
    if unread:
        raise ConfigError(tuple(unread))
    top = kubernetes.config_of(found, texts, problems)
    if top is None:
        raise Unreadable("directory", f"read {path}: is a directory, without manifests for Pomerium").at(str(path))
    return Source(str(path), "kubernetes", top, b"")


def _files(path: Path) -> Iterator[str]:
    count = 0
    for folder, names, entries in os.walk(path):
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(entries):
            if name.endswith(MANIFESTS) and not name.startswith("."):
                count += 1
                if count > MAX_FILES:
                    raise Unreadable("too_big", f"more than {MAX_FILES} files below {path}")
                yield os.path.join(folder, name)
