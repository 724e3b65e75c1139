"""The command line in this process: every test gets its own directory, and no variable of ours or of a pod."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pomprobe.cli import common


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory without pomprobe.toml, a machine that is no container, and standard input that nobody has read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pomprobe.config.container.MARK", "/no/such/file")
    for name in [*os.environ]:
        if name.startswith("POMPROBE_") or name == common.POD:
            monkeypatch.delenv(name)
    common._standard_input.cache_clear()
