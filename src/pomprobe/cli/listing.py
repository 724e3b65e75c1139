"""pomprobe list: what would be probed, without a packet."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ..exits import UNJUDGED
from .common import Configs, Env, Routes, Version, environment, read, usage


def list_routes(
    configs: Configs = None,
    route: Routes = None,
    output: Annotated[str, typer.Option("--output", "-o", help="text or json.", metavar="FORMAT")] = "text",
    pomerium_version: Version = "0.33",
    env: Env = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also where each setting comes from.")] = False,
) -> None:
    """Show what would be probed and with which effective settings; sends no packet."""
    if not configs:
        usage("no config: pomprobe list config.yaml (- reads standard input)")
    if output not in ("text", "json"):
        usage(f"--output {output}: one of text, json")
    from ..listing import describe
    from ..plan import authorize, plan
    from ..report.clean import clean
    from ..selection import Selection
    from ..system_ca import read_bundle

    selection, found, given = Selection(tuple(route or [])), [], environment(env)
    for path in configs:
        config, bundle = read(path, pomerium_version, given), read_bundle()
        chosen = [pair for pair in zip(config.routes, plan(config, bundle), strict=True) if pair[0] in selection]
        if chosen and (own := authorize(config, bundle)) is not None:
            chosen.append((own.route, own))
        found += [(one, list(describe(one, cluster, config.settings if verbose else None))) for one, cluster in chosen]
    if output == "json":
        typer.echo(
            json.dumps(
                [
                    {"name": one.name, "from": one.from_url, "place": str(one.place), "settings": [list(row) for row in rows]}
                    for one, rows in found
                ],
                indent=2,
            )
        )
    else:
        for one, rows in found:
            typer.echo(clean(f"{one.name}  {one.from_url}  ({one.place.file}:{one.place.line})"))
            for key, value in rows:
                typer.echo(clean(f"  {key:<13}{value}"))
    if not found:
        typer.echo("pomprobe: no route" + (" matches --route" if route else " in the config"), err=True)
        raise typer.Exit(UNJUDGED)
