"""The command line: options become calls of the library, and its results exit codes. One file per command."""

from __future__ import annotations

import errno
import gc
import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

from .. import __version__

UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What standard output says when it takes no more."""


def main() -> None:
    """Run the command line and exit."""
    gc.set_threshold(100_000, 50, 50)  # imports make much that stays: looking through it is a tenth of the start-up
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # a shell's background job
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # until there is something to report: end without a traceback
    _open_standard_streams()
    if sys.argv[1:] in (["--version"], ["-V"]):  # before anything heavy is imported
        sys.stdout.write(version() + "\n")
        return
    try:
        _run()
    except MemoryError as error:  # on the way there
        _give_up(error)
    finally:
        gc.freeze()  # nobody looks for cycles among what ends with the process anyway


def _run() -> None:
    from .app import command, options
    from .defaults import FILE, PREFIX, BadDefaults, check_environment, defaults

    made, found = command(), {}
    try:
        if os.path.exists(FILE):
            found = defaults(options(made))
        if any(name.startswith(PREFIX) for name in os.environ):
            for message in check_environment(options(made), os.environ):
                sys.stderr.write(f"pomprobe: {message}\n")
    except BadDefaults as error:
        sys.stderr.write(f"pomprobe: {error}\n")
        sys.exit(2)
    try:
        made(prog_name="pomprobe", default_map=found, auto_envvar_prefix="POMPROBE")
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # `| head -1`: typer makes it a 1, which would be findings
            sys.exit(128 + signal.SIGPIPE)
        raise
    except OSError as error:
        if error.errno not in UNWRITTEN:
            _give_up(error)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still buffered has nowhere to go
        _give_up(error, f"cannot write to standard output: {error.strerror}")
    except Exception as defect:
        _give_up(defect)


def _give_up(error: Exception, said: str = "") -> NoReturn:
    """End with one line and exit code 3: the machine has no room for us, or this is a defect of ours."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, BrokenPipeError):
        sys.exit(128 + signal.SIGPIPE)
    try:
        from ..defects import told

        said = said or told(error)
    except MemoryError:  # not even for what would say so
        said = "this machine leaves us no memory"
    with suppress(OSError, ValueError):
        sys.stderr.write(f"pomprobe: {said}\n")
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
