"""How a report may look on the terminal or in the file that it goes to."""

from __future__ import annotations

from ..record import Record

NARROWEST = 40
"""Columns below which no line is laid out."""


class Style(Record, frozen=True):
    """color: ANSI colours; width: columns; unicode: else plain ASCII marks; verbose: every stage, fact and setting."""

    color: bool = False
    width: int = 80
    unicode: bool = True
    verbose: bool = False
