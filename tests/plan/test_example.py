"""The path that is asked for belongs to this route and to none before it on its host."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomprobe.model import Config, Route, Settings
from pomprobe.plan import plan
from pomprobe.plan.example import Earlier
from pomprobe.plan.regex import literal_start, matches
from work import calls

from .builders import SYSTEM, route

STARTS = {
    "^/app1/.*$": "/app1/",
    "/v1\\.0/x": "/v1.0/x",
    "/ab*c": "/a",
    "/ab+c": "/ab",
    "/ab?c": "/a",
    "/ab{0,2}c": "/a",
    "/a|/b": "",
    "(?i)/a": "",
    "/a(b|c)": "",
    "/[ab]": "/",
    "": "",
    "^$": "",
}


@pytest.mark.parametrize(("pattern", "expected"), STARTS.items())
def test_how_an_expression_begins(pattern: str, expected: str) -> None:
    """Plain text, up to the first character that may be another one or may be missing."""
    assert expected == literal_start(pattern)


@given(st.text("/ab.*+?|()[]{}1,^$\\", max_size=8), st.text("/ab1.", max_size=6))
def test_what_an_expression_matches_begins_like_that(pattern: str, text: str) -> None:
    """For every expression and every text."""
    if matches(pattern, text):
        assert text.startswith(literal_start(pattern))


ROUTES = st.lists(st.tuples(st.sampled_from(("prefix", "path", "regex")), st.text("/ab.*", max_size=5)), max_size=6)


@given(ROUTES, st.text("/ab.", max_size=6))
def test_earlier_routes_take_what_envoy_gives_them(written: list[tuple[str, str]], path: str) -> None:
    """As with each of them tried in turn."""
    earlier, expected = Earlier(), False
    for key, value in written:
        given: dict[str, Any] = {key: value}
        earlier.add(route("http://a", **given))
        expected = expected or naive(key, value, path)
    assert expected == earlier.takes(path)


def naive(key: str, value: str, path: str) -> bool:
    if not value or key == "prefix":
        return path.startswith(value or "/")
    if key == "path":
        return path == value
    return matches(value, path)


@pytest.mark.parametrize("key", ["prefix", "path", "regex"])
def test_thousands_of_routes_on_one_host(key: str) -> None:
    """Twice as many are twice the work, not four times."""
    once, twice = (calls(partial(planned, key, count)) for count in (500, 1000))
    assert twice < 2.2 * once


def planned(key: str, count: int) -> None:
    clusters = plan(Config("c", tuple(made(key, index) for index in range(count)), Settings()), SYSTEM)
    assert f"/app{count - 1}/" == clusters[-1].request.path if clusters[-1] else ""


def made(key: str, index: int) -> Route:
    value = f"^/app{index}/.*$" if key == "regex" else f"/app{index}/"
    given: dict[str, Any] = {key: value}
    return route("http://a", index=index, **given)
