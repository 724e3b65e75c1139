"""Where reports go: the -o of a command, read and served."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from .common import say_error, usage
from .terminal import style

if TYPE_CHECKING:
    from ..model import Report
    from ..report.output import Output


def severity(fail_on: str) -> None:
    """See that --fail-on can be meant."""
    if fail_on not in ("error", "warning", "never"):
        usage(f"--fail-on {fail_on}: one of error, warning, never")


def outputs_of(texts: list[str] | None) -> list[Output]:
    """Every -o; text where there is none. One that says nothing ends the program with exit code 2."""
    from ..report.output import Output, OutputError

    try:
        return [Output.parse(text) for text in texts or ["text"]]
    except OutputError as error:
        usage(str(error))


def show(report: Report, outputs: Sequence[Output], color: str, verbose: bool, news: Sequence[str] = ()) -> bool:
    """Write the report everywhere, behind the news where it is text for people; was every one written?"""
    from ..report.output import OutputError

    written = True
    for output in outputs:
        if news and output.format == "text" and output.path is None:
            typer.echo("\n".join(news) + "\n")
        try:
            output.write(report, style(color, verbose, file=output.path is not None), sys.stdout)
        except OutputError as error:
            say_error(str(error))
            written = False
    return written
