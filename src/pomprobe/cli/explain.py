"""pomprobe explain: from an error back to its causes."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ..exits import UNJUDGED


def explain(
    what: Annotated[
        list[str],
        typer.Argument(
            help="A rule code, one of Pomerium's error codes, response code details, a log line or an error page; - reads standard input.",
            metavar="WHAT...",
        ),
    ],
) -> None:
    """Explain a rule, a Pomerium error code, response code details, a log line or an error page."""
    from ..explain import explain as find
    from ..explain import render
    from ..report.clean import clean

    text = sys.stdin.read() if what == ["-"] else " ".join(what)
    explanation = find(text)
    for line in render(explanation).splitlines():
        typer.echo(clean(line))
    if not explanation.known:
        raise typer.Exit(UNJUDGED)
