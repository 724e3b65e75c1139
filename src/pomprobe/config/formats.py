"""Which reader a config needs: Pomerium goes by the extension of the file's name alone (viper 1.21)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from .document import documents
from .environment import read_dotenv
from .json_text import read_json
from .nodes import Kind, Node, Scalar
from .problems import Unreadable

Read = Callable[[bytes, str], Node | None]
FORMATS = ("yaml", "json", "toml", "env", "kubernetes")
_WITHOUT_CODEC = ("properties", "props", "prop", "hcl", "tfvars", "ini")
_BY_EXTENSION = {"yaml": "yaml", "yml": "yaml", "json": "json", "toml": "toml", "env": "env", "dotenv": "env"}


def of_file(name: str, *, known: bool = True) -> str:
    """The format of a file by its name. Raises Unreadable with viper's words; where it need not be known, others are YAML."""
    _, dot, extension = PurePath(name).name.rpartition(".")  # as Go's filepath.Ext: `.env` has one, too
    extension = extension if dot else ""
    if extension in _BY_EXTENSION:
        return _BY_EXTENSION[extension]
    if not known:
        return "yaml"
    if extension in _WITHOUT_CODEC:
        raise Unreadable("format", "While parsing config: decoder not found for this format", write="config.yaml")
    raise Unreadable("format", f'Unsupported Config Type "{extension}"', write="config.yaml")


def read(data: bytes, file: str, format: str) -> Node | None:
    """The tree of the text; None where it is empty. Raises Unreadable."""
    if format not in FORMATS:
        raise ValueError(f"{format!r} is none of {', '.join(FORMATS)}")
    if not data.strip():
        return None
    readers: dict[str, Read] = {"json": read_json, "toml": _read_toml, "env": read_dotenv}
    root = readers[format](data, file) if format in readers else next(documents(data, file), None)
    return None if isinstance(root, Scalar) and root.kind is Kind.NULL else root


def _read_toml(data: bytes, file: str) -> Node:
    from .toml_text import read_toml  # 5 ms that most configs do not need

    return read_toml(data, file)
