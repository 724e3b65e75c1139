"""The command line: options become calls of the library, and its results exit codes. One file per command."""

from __future__ import annotations

import os
import signal
import sys

from .. import __version__


def main() -> None:
    """Run the command line and exit."""
    if sys.argv[1:] in (["--version"], ["-V"]):  # before anything heavy is imported
        sys.stdout.write(version() + "\n")
        return
    from .app import command, options
    from .defaults import BadDefaults, defaults

    try:
        found = defaults(options()) if os.path.exists("pomprobe.toml") else {}
    except BadDefaults as error:
        sys.stderr.write(f"pomprobe: {error}\n")
        sys.exit(2)
    try:
        command()(prog_name="pomprobe", default_map=found, auto_envvar_prefix="POMPROBE")
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # `| head -1`: typer makes it a 1, which would be findings
            sys.exit(128 + signal.SIGPIPE)
        raise


def version() -> str:
    return f"pomprobe {__version__} (truth: Envoy 1.37 as in Pomerium 0.33, and 1.40)"
