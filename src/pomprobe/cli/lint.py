"""pomprobe lint: what can be said about a config without a packet."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ..exits import FINDINGS, GOOD, fails
from .common import Configs, Version, read, style, usage


def lint(
    configs: Configs = None,
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            help="Format of the report, to standard output or to =FILE; may be repeated.",
            metavar="FORMAT[=FILE]",
            show_default=False,
        ),
    ] = None,
    fail_on: Annotated[
        str, typer.Option(help="Lowest severity that makes the exit code 1: error, warning or never.", metavar="SEVERITY")
    ] = "error",
    pomerium_version: Version = "0.33",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing when all is well.")] = False,
    color: Annotated[str, typer.Option(help="auto, always or never.", metavar="WHEN")] = "auto",
) -> None:
    """Say what is wrong with the configs themselves; sends no packet."""
    if not configs:
        usage("no config: pomprobe lint config.yaml (- reads standard input)")
    if fail_on not in ("error", "warning", "never"):
        usage(f"--fail-on {fail_on}: one of error, warning, never")
    from ..lint import lint as judge
    from ..report.output import Output, OutputError

    try:
        outputs = [Output.parse(text) for text in output or ["text"]]
    except (ValueError, OutputError) as error:
        usage(str(error))
    from ..api import merge

    report = merge([judge(read(path, pomerium_version)) for path in configs])
    code = FINDINGS if fails(report, fail_on) else GOOD
    if not (quiet and code == 0):
        for one in outputs:
            one.write(report, style(color, False, file=one.path is not None), sys.stdout)
    raise typer.Exit(code)
