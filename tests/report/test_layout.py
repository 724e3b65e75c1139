"""Wrapping and colours."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pomprobe.report.clean import clean
from pomprobe.report.layout import COLORS, Page, Span
from pomprobe.report.style import Style

from .examples import EXPIRED

SPANS = st.lists(st.tuples(st.text(max_size=120).map(clean), st.sampled_from(["", "place", *COLORS])), max_size=6)


@given(SPANS, st.integers(40, 130), st.integers(0, 10), st.booleans())
def test_no_line_is_wider_than_the_page(spans: list[Span], width: int, indent: int, unicode: bool) -> None:
    """Whatever the text, letters of double width included."""
    page = Page(Style(width=width, unicode=unicode))
    assert [] == [line for line in (*page.flow(spans, indent, indent + 3), page.one(spans, indent)) if cell_len(line) > width]


@given(SPANS, st.integers(40, 130))
def test_wrapping_loses_nothing_but_spaces(spans: list[Span], width: int) -> None:
    """The letters of all lines together are those of the text."""
    lines = "".join(Page(Style(width=width)).flow(spans))
    assert "".join(text for text, _ in spans).replace(" ", "") == lines.replace(" ", "")


@given(SPANS, st.integers(40, 130))
def test_colors_change_no_letter(spans: list[Span], width: int) -> None:
    """Without its escapes a coloured line is the plain one."""
    plain = list(Page(Style(width=width)).flow(spans))
    colored = Page(Style(width=width, color=True)).flow(spans)
    assert plain == [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in colored]


def test_details_break_at_their_own_seams() -> None:
    """Envoy's details end a line after a separator, not inside a word."""
    lines = list(Page(Style(width=80)).flow([(EXPIRED.response_code_details, "")], indent=4))
    assert EXPIRED.response_code_details == "".join(line.strip() for line in lines)
    assert [] == [line for line in lines[:-1] if line[-1] not in "|{}:,"]


def test_a_place_is_not_torn() -> None:
    """File, line and key path stay on one line."""
    lines = list(Page(Style(width=40)).flow([("some words that nearly fill it", ""), ("  a.yaml:3:5 routes[0]", "place")]))
    assert ["some words that nearly fill it", "a.yaml:3:5 routes[0]"] == lines
