"""The door for untrusted text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pomprobe.report.clean import LIMIT, ascii_only, clean, prose

from .examples import HOSTILE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text, ümlaut, 漢字", "plain text, ümlaut, 漢字"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("\x9b0m", "\\x9b0m"),
        ("user\u202egpj.exe", "user\\u202egpj.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("lone\udc80", "lone\\udc80"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("fe80::1", "fe80::1"),
        ("::error title=x::y", ":\\x3aerror title=x::y"),
        ("::ADD-MASK::secret", ":\\x3aADD-MASK::secret"),
        ("##[error]x ##vso[task.complete]y", "#\\x23[error]x #\\x23vso[task.complete]y"),
    ],
)
def test_what_could_steer_a_reader_is_shown(text: str, expected: str) -> None:
    """Controls, overrides and a CI system's commands become visible; everything else stays as it is."""
    assert expected == clean(text)


def test_long_text_is_cut_and_says_so() -> None:
    """One string cannot fill the screen."""
    assert "x" * LIMIT + "… (5 more characters)" == clean("x" * (LIMIT + 5))


@given(st.text(st.characters(), max_size=200) | st.binary(max_size=50).map(lambda b: b.decode("utf-8", "surrogateescape")))
@example(HOSTILE)
def test_cleaned_text_is_harmless(text: str) -> None:
    """Whatever comes in: no control, format or surrogate character comes out, and a second cleaning changes nothing."""
    cleaned = clean(text)
    assert [] == [c for c in cleaned if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(c) in OVERRIDES]
    assert cleaned == clean(cleaned)
    cleaned.encode()


OVERRIDES = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def test_prose_is_one_line() -> None:
    """A folded sentence of the catalogue has no line ends; an escape in it is still shown."""
    assert "two lines, \\x1b[2J" == prose("  two\n   lines, \x1b[2J\n")


def test_ascii_only_keeps_the_meaning() -> None:
    """Marks have an ASCII form, letters an escape."""
    assert "3 x a -> b... \\xfc \\u6f22" == ascii_only("3 × a → b… ü 漢")
