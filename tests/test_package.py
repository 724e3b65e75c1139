"""The package as users get it: built, installed into an environment of its own, and run from there."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import pomprobe

ROOT = Path(__file__).parent.parent
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    call(sys.executable, "-m", "build", "--wheel", "--outdir", str(directory), str(ROOT), cwd=directory)
    (path,) = directory.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The `pomprobe` of an environment that has the wheel and what it depends on, and nothing else."""
    directory = tmp_path_factory.mktemp("installed")
    venv.create(directory, with_pip=True)
    call(str(directory / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel), cwd=directory)
    yield directory / "bin" / "pomprobe"


def call(*argv: str, cwd: Path) -> str:
    """Standard output of a command that has to succeed, in a directory where no source tree can be imported by accident."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV_", "COVERAGE"))}
    done = subprocess.run(argv, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{argv} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_wheel_has_every_rule(wheel: Path) -> None:
    """Every file of the catalogue is in the wheel, and what is in the wheel is ours alone."""
    names = zipfile.ZipFile(wheel).namelist()
    rules = {str(path.relative_to(ROOT)) for path in (ROOT / "probes").rglob("*.yaml")}
    assert rules
    assert {name.removeprefix("pomprobe/") for name in names if name.startswith("pomprobe/probes/")} == rules
    assert {name.partition("/")[0] for name in names} == {"pomprobe", f"pomprobe-{pomprobe.__version__}.dist-info"}


def test_the_wheel_says_that_it_is_typed(wheel: Path) -> None:
    """py.typed is there, so that type checkers read our annotations (PEP 561)."""
    assert "pomprobe/py.typed" in zipfile.ZipFile(wheel).namelist()


def test_the_version_is_that_of_the_project(installed: Path, tmp_path: Path) -> None:
    """`pomprobe --version` says the version of pyproject.toml."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert pomprobe.__version__ == version
    assert version in call(str(installed), "--version", cwd=tmp_path)


def test_the_catalogue_is_found(installed: Path, tmp_path: Path) -> None:
    """`pomprobe rules` lists the same rules as in the source tree."""
    ours = call(sys.executable, "-m", "pomprobe", "rules", cwd=ROOT)
    assert call(str(installed), "rules", cwd=tmp_path) == ours


def test_the_demo_runs(installed: Path, tmp_path: Path) -> None:
    """`pomprobe demo` checks its upstreams with what is in the wheel."""
    assert "upstream_max_stream_duration_reached" in call(str(installed), "demo", cwd=tmp_path)
