"""A progress bar on standard error, for runs that take a while; nothing of it in a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..api import Session

AFTER = 1.0
"""Seconds that a run may take before a bar appears: most are over by then."""

NARROW = 60
"""Columns below which there is only room for words."""


@contextmanager
def bar(session: Session, wanted: bool) -> Iterator[Callable[[], None] | None]:
    """A function to call now and then while the session runs, which draws; None where there is no terminal to draw on."""
    if not wanted or not sys.stderr.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from ..report.clean import ascii_only
    from .terminal import unicode

    letters = unicode(os.environ, sys.stderr.encoding, utf8_mode=bool(sys.flags.utf8_mode))
    console = Console(stderr=True)
    narrow = console.width < NARROW or not letters  # the bar is drawn in Unicode
    columns = (
        *(() if narrow else (BarColumn(20),)),
        MofNCompleteColumn(),
        TextColumn("routes"),
        *(() if narrow else (TimeElapsedColumn(),)),
        TextColumn("{task.description}", markup=False),
    )
    room = console.width - 2 * len(str(session.total)) - (10 if narrow else 39)  # what the other columns leave
    began = monotonic()
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as progress:
        task = progress.add_task("", total=session.total, visible=False)

        def draw() -> None:
            if monotonic() - began < AFTER:
                return
            pending = session.pending()
            said = waiting(pending, session.left(), room)
            done = session.total - len(pending)
            progress.update(task, completed=done, description=said if letters else ascii_only(said), visible=True)
            progress.refresh()

        yield draw


def waiting(pending: Sequence[str], left: float | None, room: int) -> str:
    """Time to the deadline and what is waited for, in so many columns. pending: names, the one that began first first."""
    from ..report.clean import clean

    time = "" if left is None else f"{left:.0f} s left"
    if not pending:
        return time
    more = f" +{len(pending) - 1}" if len(pending) > 1 else ""
    name = clean(pending[0])
    for said in (f"{time}, waiting for " if time else "waiting for ", f"{time}, " if time else ""):
        space = room - len(said) - len(more)
        if space >= min(len(name), 12):
            return said + (name if len(name) <= space else name[: space - 1] + "…") + more
    return time
