"""Fixtures of the report tests."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from pomprobe.model import Report
from pomprobe.report import Style, write

Printed = Callable[..., str]


@pytest.fixture
def printed() -> Printed:
    """Print a report in a format: printed(report, "text", width=120)."""

    def printed(report: Report, format: str, *, color: bool = False, width: int = 80, unicode: bool = True, verbose: bool = False) -> str:
        out = io.StringIO()
        write(report, format, out, Style(color, width, unicode, verbose))
        return out.getvalue()

    return printed
