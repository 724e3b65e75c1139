"""The command line: options become calls of the library, and its results exit codes. One file per command."""

from __future__ import annotations

import errno
import gc
import os
import signal
import sys

from .. import __version__

UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What standard output says when it takes no more."""


def main() -> None:
    """Run the command line and exit."""
    gc.set_threshold(100_000, 50, 50)  # imports make much that stays: looking through it is a tenth of the start-up
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until there is something to report: end without a traceback
    _open_standard_streams()
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
    except OSError as error:
        if error.errno not in UNWRITTEN:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still buffered has nowhere to go
        sys.stderr.write(f"pomprobe: cannot write to standard output: {error.strerror}\n")
        sys.exit(3)


def _open_standard_streams() -> None:
    """Where a shell has closed one (`>&-`), Python has None, and the next socket would get its number."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


def version() -> str:
    return f"pomprobe {__version__} (truth: Envoy 1.37 as in Pomerium 0.33, and 1.40)"
