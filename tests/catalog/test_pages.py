"""docs/rules is what the catalogue says, page by page."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from .examples import ACTIVE

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def docs() -> ModuleType:
    """tools/docs.py, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("docs", ROOT / "tools" / "docs.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_are_up_to_date(docs: ModuleType) -> None:
    """`make docs` has been run."""
    assert [] == docs.differences(docs.PAGES, docs.pages())


def test_every_rule_has_a_page_and_a_line(docs: ModuleType) -> None:
    """The page is named after the code; the index leads to it."""
    pages = docs.pages()
    assert [] == [rule.code for rule in ACTIVE if f"{rule.code}.md" not in pages or f"({rule.code}.md)" not in pages["README.md"]]


def test_links_between_pages_lead_somewhere(docs: ModuleType) -> None:
    """No page points at one that is not there."""
    pages = docs.pages()
    links = {(name, link) for name, text in pages.items() for link in re.findall(r"\]\(([^)]+\.md)\)", text)}
    assert [] == sorted((name, link) for name, link in links if link not in pages)


def test_pages_are_written_compared_and_removed(docs: ModuleType, tmp_path: Path) -> None:
    """A page that is missing, stale or left over is told, and writing puts it right."""
    made = {"A.md": "a\n", "B.md": "b\n"}
    (tmp_path / "B.md").write_text("old\n")
    (tmp_path / "C.md").write_text("c\n")
    assert ["A.md is missing", "B.md is stale", "C.md is left over"] == docs.differences(tmp_path, made)
    docs.write(tmp_path, made)
    assert [] == docs.differences(tmp_path, made)


def test_the_check_says_what_is_wrong(
    docs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--check` changes nothing and fails; without it the pages are written."""
    monkeypatch.setattr(docs, "PAGES", tmp_path / "rules")
    assert 1 == docs.main(["--check"])
    assert "docs/rules/TLS102.md is missing" in capsys.readouterr().err
    assert not (tmp_path / "rules").exists()
    assert [0, 0] == [docs.main([]), docs.main(["--check"])]
