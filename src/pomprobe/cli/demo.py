"""pomprobe demo: misbehaving upstreams on loopback, and a check of them."""

from __future__ import annotations

from typing import Annotated

import typer

from .terminal import style


def demo(
    color: Annotated[str, typer.Option(help="auto, always or never.", metavar="WHEN")] = "auto",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Every stage, fact and effective setting.")] = False,
) -> None:
    """Start misbehaving upstreams on loopback, one for each of Pomerium's error codes, and check them."""
    from ..demo import run

    if ended := run(style(color, verbose)):
        raise typer.Exit(128 + ended)
