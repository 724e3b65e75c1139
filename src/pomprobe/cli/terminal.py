"""How to print: colours, columns and letters, as the caller, the terminal and the environment want them.

Colours: --color, else NO_COLOR (no-color.org), else CLICOLOR_FORCE and CLICOLOR (bixense.com/clicolors), else whether it is a terminal
that can. Letters: ASCII in the locale C, which cron gives its jobs; what it mails is in the locale's encoding.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .common import usage

if TYPE_CHECKING:
    from ..report.style import Style

COLUMNS = 100
"""Columns where there is no terminal to ask."""

COERCED = ("C.UTF-8", "C.utf8", "UTF-8")
"""What Python itself sets LC_CTYPE to where the locale is C (PEP 538)."""


def style(color: str, verbose: bool, *, file: bool = False) -> Style:
    """How to print on standard output, or into a file."""
    import shutil

    from ..report.style import NARROWEST, Style

    if color not in ("auto", "always", "never"):
        usage(f"--color {color}: one of auto, always, never")
    terminal = sys.stdout.isatty() and not file
    wanted = color == "always" or (color == "auto" and not file and colored(os.environ, terminal))
    width = shutil.get_terminal_size((COLUMNS, 24)).columns if terminal else COLUMNS
    return Style(wanted, max(NARROWEST, width), unicode(os.environ, sys.stdout.encoding, utf8_mode=bool(sys.flags.utf8_mode)), verbose)


def colored(environ: Mapping[str, str], terminal: bool) -> bool:
    """Are colours wanted where --color does not say?"""
    if environ.get("NO_COLOR"):
        return False
    if environ.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return terminal and environ.get("TERM") != "dumb" and environ.get("CLICOLOR") != "0"


def unicode(environ: Mapping[str, str], encoding: str | None, *, utf8_mode: bool) -> bool:
    """Has standard output more than ASCII? utf8_mode: does Python write UTF-8 whatever the locale says? It does in the locale C."""
    if "utf" not in (encoding or "").lower():
        return False
    if environ.get("PYTHONIOENCODING") or environ.get("PYTHONUTF8") == "1":
        return True
    category = environ.get("LC_CTYPE", "")
    if utf8_mode and category in COERCED:
        category = ""
    locale = environ.get("LC_ALL") or category or environ.get("LANG") or "C"
    return locale not in ("C", "POSIX")
