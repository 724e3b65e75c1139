"""docs/root-causes.md: up to date, and every cause either played or said to be unseen."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def _tool() -> ModuleType:
    """tools/causes.py, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("causes_tool", Path(__file__).parent.parent / "tools" / "causes.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made  # where dataclasses looks for it
    spec.loader.exec_module(made)
    return made


causes = _tool()
TEST = (
    'async def test_it() -> None:\n    """{}: it fails."""\n'
    '    assert "{}" in codes\n    assert 503 == forecast\n    assert "x: 1" in played.fix()\n'
)
PART = 'async def test_it() -> None:\n    """A: it fails."""\n    assert "TCP101" in codes\n    assert 503 == forecast\n'
CAUSE = "- {{id: A, cause: It is broken, cases: 1, sees: 503, fix: Mend it, {}}}\n"


def folder(path: Path, cause: str, test: str) -> Path:
    (path / "causes.yaml").write_text(cause)
    (path / "test_it.py").write_text(test)
    return path


def test_the_page_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    """`make docs` has nothing to do."""
    assert (0, "") == (causes.main(["--check"]), capsys.readouterr().err)


@pytest.mark.parametrize(
    ("cause", "test", "problem"),
    [
        (CAUSE.format("also: []"), "", "A has no test"),
        (CAUSE.format("unseen: it hides, do: look"), TEST.format("A", "TCP101"), "A is said to be unseen, and has tests"),
        (CAUSE.format("also: [TCP000]"), TEST.format("A", "TCP101"), "A names TCP000, which is no rule"),
        (CAUSE.format("also: []"), TEST.format("A", "TLS000"), "A names TLS000, which is no rule"),
        (CAUSE.format("also: []"), PART, "no test of A asserts a rule, the forecast and a fix"),
        (CAUSE.format("also: []"), TEST.format("A", "nothing"), "no test of A names a rule"),
        (CAUSE.format("unseen: it hides"), "", "A is said to be unseen, and not what its users can do"),
        (CAUSE.format("unseen: it hides, do: look"), TEST.format("B", "TCP101"), "tests play B, which is not in causes.yaml"),
        (CAUSE.format("also: []"), TEST.format("It", "TCP101"), "test_it.py: test_it does not say which cause it plays"),
    ],
)
def test_what_does_not_fit_is_told(
    cause: str, test: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cause without a test, a test without a cause, a rule that is gone."""
    monkeypatch.setattr(causes, "FOLDER", folder(tmp_path, cause, test))
    assert (1, f"{problem}\n") == (causes.main(["--check"]), capsys.readouterr().err)


def test_a_stale_page_is_told_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """--check changes nothing; without it the page is written."""
    monkeypatch.setattr(causes, "PAGE", tmp_path / "root-causes.md")
    assert (1, "docs/root-causes.md is stale: run `make docs`\n") == (causes.main(["--check"]), capsys.readouterr().err)
    assert [0, 0] == [causes.main([]), causes.main(["--check"])]
