"""Signals that end a run with what is known."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

import anyio

_Handler = Callable[[int, FrameType | None], object] | int | None

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def heeded() -> list[signal.Signals]:
    """Those that end us; one that is ignored stays so (nohup, a shell's background job)."""
    return [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]


@contextmanager
def received(numbers: Sequence[signal.Signals]) -> Iterator[AsyncIterator[signal.Signals]]:
    """The signals as they come, within an event loop; their handlers are those of before in the end.

    asyncio leaves Python's own for SIGINT (unix_events.py, remove_signal_handler), whose KeyboardInterrupt ends a report halfway, with
    an exit code as if it were whole: a signal that comes just then waits for the handler of before.
    """
    before = {number: signal.getsignal(number) for number in numbers}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        with anyio.open_signal_receiver(*numbers) as signals:
            try:
                yield signals
            finally:
                signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    finally:
        _restore(before)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextmanager
def noted(numbers: Sequence[signal.Signals]) -> Iterator[Sequence[signal.Signals]]:
    """The signals that have come so far, where no event loop runs that receives them. Must be entered from the main thread."""
    before = {number: signal.getsignal(number) for number in numbers}
    came: list[signal.Signals] = []
    try:
        for number in numbers:
            signal.signal(number, lambda number, _: came.append(signal.Signals(number)))
        yield came
    finally:
        _restore(before)


def _restore(handlers: Mapping[signal.Signals, _Handler]) -> None:
    for number, handler in handlers.items():
        if handler is not None:  # one that is not of Python
            signal.signal(number, handler)
