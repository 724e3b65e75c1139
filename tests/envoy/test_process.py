"""The private folder, and errors that come out of task groups."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from pomprobe.envoy.find import Binary, EnvoyError
from pomprobe.envoy.process import private_folder, unwrapped
from pomprobe.envoy.report import write_json


def test_a_private_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only its owner can look into the folder, and it is gone at the end."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with private_folder() as folder:
        assert 0o700 == folder.stat().st_mode & 0o777
        (folder / "secret").write_text("s3cret")
    assert [] == os.listdir(tmp_path)


def test_a_folder_short_enough_for_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unix socket's path has at most 107 bytes: a deep TMPDIR is not used."""
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with private_folder() as folder:
        assert len(str(folder)) <= 80
    assert [] == os.listdir(deep)


def test_errors_come_out_of_their_groups() -> None:
    """An EnvoyError in groups of groups comes out alone; anything else stays as it is."""
    with pytest.raises(EnvoyError, match="gone"), unwrapped():
        raise ExceptionGroup("outer", [ExceptionGroup("inner", [EnvoyError("gone")])])
    with pytest.raises(ExceptionGroup), unwrapped():
        raise ExceptionGroup("outer", [EnvoyError("gone"), ValueError("a defect")])


def test_json() -> None:
    """The JSON is one document of plain ASCII."""
    out = io.StringIO()
    write_json(Binary(Path("/usr/bin/énvoy"), "1.37.0"), [], out)
    assert out.getvalue().isascii()
    assert {"agree": 0, "differ": 0} == json.loads(out.getvalue())["summary"]
