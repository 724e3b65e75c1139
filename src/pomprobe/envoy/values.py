"""Small values of Envoy's configuration: typed messages, durations, headers, and where bytes are kept."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Any, Protocol

Message = dict[str, Any]
"""A protobuf message in its JSON form."""

CERTIFICATE = re.compile(rb"-----BEGIN ((?:TRUSTED |X509 )?CERTIFICATE)-----[A-Za-z0-9+/=\s]*-----END \1-----")


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
    """Set a header, over one that is there, even to an empty value; `value` may hold substitution commands."""
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD", "keep_empty_value": True}


class Store(Protocol):
    """Where certificates and secret values go, so that the configuration can name them. file: where the config has them, "" if inline."""

    def source(self, content: bytes, file: str) -> Message:
        """A DataSource for certificates."""
        ...

    def key(self, route: int, content: bytes, file: str) -> Message:
        """A DataSource for a private key of the route with this index."""
        ...

    def header(self, route: int, name: str, value: str) -> str:
        """What stands for the value of a header of the route with this index."""
        ...


class Files:
    """Keeps bytes as files of mode 0600 in a private folder; equal bytes share one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: set[Path] = set()

    def source(self, content: bytes, file: str) -> Message:
        """A file named after its content; the config's own may change while Envoy starts."""
        path = self._folder / f"{hashlib.sha256(content).hexdigest()[:24]}.pem"
        if path not in self._paths:
            self._paths.add(path)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.write(content)
        return {"filename": str(path)}

    def key(self, route: int, content: bytes, file: str) -> Message:
        """A file, too."""
        return self.source(content, file)

    def header(self, route: int, name: str, value: str) -> str:
        """As it is: the configuration is private too."""
        return literal(value)

    def remove(self) -> None:
        """Remove every file: Envoy reads them once."""
        for path in self._paths:
            path.unlink(missing_ok=True)
        self._paths.clear()


class Public:
    """For a configuration that is printed: certificates as they are, keys and header values by the names of environment variables."""

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}
        """Name of a variable -> what it has to hold."""

    def source(self, content: bytes, file: str) -> Message:
        """The file that the config names, else the certificates themselves, and nothing that stands beside them."""
        if file:
            return {"filename": file}
        return {"inline_string": "".join(f"{match[0].decode('ascii', 'replace')}\n" for match in CERTIFICATE.finditer(content))}

    def key(self, route: int, content: bytes, file: str) -> Message:
        """The file that the config names, else a variable that Envoy reads as it starts."""
        if file:
            return {"filename": file}
        name = f"POMPROBE_ROUTE_{route}_TLS_CLIENT_KEY"
        self.variables[name] = "tls_client_key, decoded"
        return {"environment_variable": name}

    def header(self, route: int, name: str, value: str) -> str:
        """A command that Envoy fills in for each request; a variable that is not set gives `-`."""
        variable = f"POMPROBE_ROUTE_{route}_{re.sub(r'[^A-Z0-9]', '_', name.upper())}"
        while variable in self.variables:
            variable += "_"
        self.variables[variable] = f"the value of {name} in set_request_headers"
        return f"%ENVIRONMENT({variable})%"
