"""The system's bundle of certificate authorities."""

from __future__ import annotations

from pathlib import Path

from pomprobe.plan import Bundle
from pomprobe.system_ca import read_bundle


def test_first_bundle_that_exists(tmp_path: Path) -> None:
    """The first of the known places that exists is the system's bundle."""
    second, third = tmp_path / "b.pem", tmp_path / "c.pem"
    second.write_bytes(b"B")
    third.write_bytes(b"C")
    assert Bundle(b"B", str(second)) == read_bundle([str(tmp_path / "a.pem"), str(second), str(third)])


def test_no_bundle(tmp_path: Path) -> None:
    """A machine without a bundle, or with one that cannot be read, trusts nothing."""
    assert Bundle() == read_bundle([str(tmp_path / "a.pem")])
    assert Bundle() == read_bundle([str(tmp_path)])
