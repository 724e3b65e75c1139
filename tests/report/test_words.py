"""Phrases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import ok
from pomprobe.model import StageName
from pomprobe.report import words
from pomprobe.report.fold import listed

from . import examples


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 ms"),
        (0.0004, "0.4 ms"),
        (0.003, "3 ms"),
        (0.0854, "85 ms"),
        (0.9996, "1 s"),
        (1.234, "1.2 s"),
        (30, "30 s"),
        (300, "5 min"),
        (150, "150 s"),
    ],
)
def test_durations_are_said_as_people_say_them(seconds: float, expected: str) -> None:
    """Two digits are enough, and the unit fits."""
    assert expected == words.duration(seconds)


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (1.0, "every request gets"),
        (0.5, "1 of 2 requests (50 %) gets"),
        (2 / 3, "2 of 3 requests (67 %) get"),
        (0.667, "2 of 3 requests (67 %) get"),
        (11 / 12, "11 of 12 requests (92 %) get"),
        (0.9137, "91 % of the requests get"),
        (0.001, "less than 1 % of the requests get"),
    ],
)
def test_shares_are_said_in_words(share: float, expected: str) -> None:
    """k of n where there is such a k and n, else per cent."""
    assert expected == f"{words.share(share)} {words.gets(share)}"


@given(st.floats(0.0001, 1.0))
def test_every_share_can_be_said(share: float) -> None:
    """No share is said as none, and none below 1 as every."""
    said = words.share(share)
    assert said.startswith("every") == (share >= 0.9995)
    assert not said.startswith(("0 of", "100 %"))


@pytest.mark.parametrize(
    ("items", "expected"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c"), (list("abcde"), "a, b and 3 more")]
)
def test_lists_are_said_in_words(items: list[str], expected: str) -> None:
    """Long lists are cut and say how much is left out."""
    assert expected == listed(items)


def test_names_that_are_there_twice_are_told_apart() -> None:
    """Two routes of one name carry their place."""
    report = examples.report(examples.healthy("app", line=3), examples.healthy("app", line=9), examples.healthy("b"))
    assert ["app (pomerium.yaml:3:5)", "app (pomerium.yaml:9:5)", "b"] == words.unique_names(report)


def test_a_time_without_zone_is_utc() -> None:
    """Dates of certificates are UTC whatever the machine's zone."""
    assert words.moment("2026-10-01T00:00:00Z") == words.moment("2026-10-01")


@pytest.mark.parametrize(("late", "expected"), [(0.0, "40 ms"), (0.003, "40 ms"), (0.005, "≤40 ms")])
def test_a_time_that_may_be_our_own_says_so(late: float, expected: str) -> None:
    """A tenth of it or more."""
    assert expected == words.took(ok(StageName.TCP, elapsed=0.04, late=late))
