"""pomprobe explain: from an error back to its causes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..exits import UNJUDGED
from .common import Env, Version, environment, read, usage


def explain(
    what: Annotated[
        list[str],
        typer.Argument(
            help="A rule code, one of Pomerium's error codes, response code details, a log line or an error page; - reads standard input.",
            metavar="WHAT...",
        ),
    ],
    config: Annotated[
        Path | None,
        typer.Option(
            help="A config: of which of its routes the text tells, and what this route can have; the name of a route is enough then.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    pomerium_version: Version = "0.33",
    env: Env = None,
) -> None:
    """Explain a rule, a Pomerium error code, response code details, a log line or an error page; sends no packet.

    Exit codes: 0 something is known, 2 usage or a config that Pomerium would refuse, 3 nothing is known.
    """
    from ..explain import explain as find
    from ..explain import render
    from ..report.clean import clean

    if what == ["-"] and config is not None and str(config) == "-":
        usage("--config -: standard input has the text already")
    loaded = None if config is None else read(config, pomerium_version, environment(env))
    text = sys.stdin.read() if what == ["-"] else " ".join(what)
    explanation = find(text)
    if loaded is not None:
        from ..explain_route import beside
        from ..plan import plan
        from ..system_ca import read_bundle

        explanation = beside(explanation, text, loaded, list(zip(loaded.routes, plan(loaded, read_bundle()), strict=True)))
    for line in render(explanation).splitlines():
        typer.echo(clean(line))
    if not explanation.known:
        raise typer.Exit(UNJUDGED)
