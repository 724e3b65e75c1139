"""pomprobe rules: the catalogue."""

from __future__ import annotations

from typing import Annotated

import typer


def rules(
    stage: Annotated[
        str | None,
        typer.Option(help="Only the rules of one stage: config, dns, tcp, tls, http, health.", metavar="STAGE", show_default=False),
    ] = None,
) -> None:
    """List the catalogue: code, severity and title of every rule."""
    from ..catalog import load, plain
    from ..model import StageName
    from .common import usage

    if stage is not None and stage not in StageName.__members__.values():
        usage(f"--stage {stage}: one of {', '.join(StageName)}")
    for rule in load().rules:
        if stage in (None, rule.stage.value) and not rule.retired:
            typer.echo(f"{rule.code:<8}{rule.severity.value:<9}{plain(rule.title)}")
