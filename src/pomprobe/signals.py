"""Signals that end a run with what is known."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager

import anyio

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def heeded() -> list[signal.Signals]:
    """Those that end us; one that is ignored stays so (nohup, a shell's background job)."""
    return [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]


@contextmanager
def received(numbers: Sequence[signal.Signals]) -> Iterator[AsyncIterator[signal.Signals]]:
    """The signals as they come, within an event loop; their handlers are those of before in the end.

    asyncio leaves Python's own for SIGINT (unix_events.py, remove_signal_handler), whose KeyboardInterrupt ends a report halfway, with
    an exit code as if it were whole.
    """
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        with anyio.open_signal_receiver(*numbers) as signals:
            yield signals
    finally:
        for number, handler in before.items():
            if handler is not None:  # one that is not of Python
                signal.signal(number, handler)
