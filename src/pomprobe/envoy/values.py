"""Small values of Envoy's configuration: typed messages, durations, headers, and where bytes are kept."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

Message = dict[str, Any]
"""A protobuf message in its JSON form."""

REDACTED = "<redacted>"


def typed(name: str, /, **fields: Any) -> Message:
    """A message inside an Any; `name` is without its common prefix."""
    return {"@type": f"type.googleapis.com/envoy.{name}", **fields}


def extension(extension_name: str, name: str, /, **fields: Any) -> Message:
    """A named extension with its typed configuration."""
    return {"name": extension_name, "typed_config": typed(name, **fields)}


def duration(seconds: float) -> str:
    """Seconds as protobuf writes a duration."""
    whole, nanos = divmod(round(abs(seconds) * 1e9), 1_000_000_000)
    return f"{'-' if seconds < 0 else ''}{whole}.{nanos:09d}s"


def literal(value: str) -> str:
    """A header value in which Envoy sees no substitution command."""
    return value.replace("%", "%%")


def set_header(name: str, value: str) -> Message:
    """Set a header, over one that is there, even to an empty value."""
    return {"header": {"key": name, "value": literal(value)}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD", "keep_empty_value": True}


class Store(Protocol):
    """Where certificates and secret values go, so that the configuration can name them."""

    def source(self, what: str, content: bytes) -> Message:
        """A DataSource for these bytes; `what` says for people what they are."""
        ...

    def secrets(self, values: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        """Headers as they may stand in the configuration."""
        ...


class Files:
    """Keeps bytes as files of mode 0600 in a private folder; equal bytes share one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: set[Path] = set()

    def source(self, what: str, content: bytes) -> Message:
        """A file named after its content."""
        path = self._folder / f"{hashlib.sha256(content).hexdigest()[:24]}.pem"
        if path not in self._paths:
            self._paths.add(path)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
        return {"filename": str(path)}

    def secrets(self, values: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        """As they are: the configuration is private too."""
        return values

    def remove(self) -> None:
        """Remove every file: Envoy reads them once."""
        for path in self._paths:
            path.unlink(missing_ok=True)
        self._paths.clear()


class Redacted:
    """For printing: keeps nothing, and names what would be there."""

    def source(self, what: str, content: bytes) -> Message:
        """What the bytes are, and how many."""
        return {"inline_string": f"<{what}, {len(content)} bytes>"}

    def secrets(self, values: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        """Names only."""
        return [(name, REDACTED) for name, _ in values]
