"""Read configs from text, and say what was found."""

from __future__ import annotations

from typing import Any

import pytest

from pomprobe.config import load
from pomprobe.model import Config, ConfigError, Failure, Problem, Route

ROUTE = "routes:\n- from: https://app.example.com\n  to: http://app.internal:8080\n"


def read(text: str, **more: Any) -> Config:
    """The config in this YAML."""
    return load("-", text=text.encode(), **more)


def with_keys(*lines: str) -> str:
    """A config of one route with these keys."""
    return ROUTE + "".join(f"  {line}\n" for line in lines)


def route(*lines: str, **more: Any) -> Route:
    """The one route with these keys."""
    return read(with_keys(*lines), **more).routes[0]


def to(*lines: str) -> str:
    """A config of one route whose `to` is written like this."""
    return "routes:\n- from: https://app.example.com\n" + "".join(f"  {line}\n" for line in lines)


def refused(text: str | bytes, **more: Any) -> tuple[Problem, ...]:
    """The problems with which this config is refused."""
    with pytest.raises(ConfigError) as caught:
        load("-", text=text.encode() if isinstance(text, str) else text, **more)
    assert all(problem.fatal for problem in caught.value.problems)
    return caught.value.problems


def messages(text: str, **more: Any) -> list[str]:
    return [problem.message for problem in refused(text, **more)]


def found(config: Config, failure: Failure) -> list[Problem]:
    return [problem for problem in config.problems if problem.failure is failure]


def noted(text: str, failure: Failure, **more: Any) -> Problem:
    """The one problem of this kind in the config."""
    some = found(read(text, **more), failure)
    assert len(some) == 1, [problem.failure.value for problem in read(text, **more).problems]
    return some[0]
