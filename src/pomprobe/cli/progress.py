"""A progress bar on standard error, for runs that take a while; nothing of it in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..api import Session

AFTER = 1.0
"""Seconds that a run may take before a bar appears: most are over by then."""


@contextmanager
def bar(session: Session, wanted: bool) -> Iterator[Callable[[], None] | None]:
    """A function to call now and then while the session runs, which draws; None where there is no terminal to draw on."""
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from ..report.clean import clean

    console = Console(stderr=True)
    columns = (
        BarColumn(20),
        MofNCompleteColumn(),
        TextColumn("routes"),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    began = monotonic()
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as progress:
        task = progress.add_task("", total=session.total, visible=False)

        def draw() -> None:
            if monotonic() - began < AFTER:
                return
            pending = session.pending()
            waiting = f"waiting for {clean(pending[0])}" + (f" and {len(pending) - 1} more" if len(pending) > 1 else "") if pending else ""
            left = session.left()
            text = (f"{left:.0f} s left, " if left is not None else "") + waiting
            progress.update(task, completed=session.total - len(pending), description=text[: max(10, console.width - 50)], visible=True)
            progress.refresh()

        yield draw
