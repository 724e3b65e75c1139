"""-o jsonl: a line goes out when its route is finished, so that what is known is out whatever becomes of the run."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from ..model import Report, RouteReport
from ..report.clean import clean
from ..report.jsonl import jsonl_route, jsonl_summary
from ..report.output import Output


class Lines:
    """Every output that gets lines while the run goes on. Used from one thread; others do the writing.

    alone: does nothing else come of the run?
    """

    def __init__(self, outputs: Sequence[Output], alone: bool) -> None:
        self._outputs = outputs
        self._alone = alone
        self._streams: list[_Stream] = []
        self._told: set[int] = set()

    def open(self) -> None:
        """Begin: files are made, or emptied."""
        self._streams = [_Stream(output.path) for output in self._outputs]

    def route(self, report: RouteReport) -> None:
        """A route of the config at hand is finished."""
        self._told.add(report.route.index)
        line = jsonl_route(report)
        for stream in self._streams:
            stream.put(line)

    def close_config(self, report: Report) -> None:
        """The routes of one config that are not finished and will not be; the next config's count anew."""
        for route in report.routes:
            if route.route.index not in self._told:
                self.route(route)
        self._told.clear()

    def close(self, report: Report) -> list[str]:
        """The summary, when every line is out; why lines could not be written."""
        for stream in self._streams:
            stream.put(jsonl_summary(report))
        return [problem for stream in self._streams if (problem := stream.close())]

    @property
    def on_terminal(self) -> bool:
        """Do lines go where a progress bar would?"""
        return sys.stdout.isatty() and any(output.path is None for output in self._outputs)

    @property
    def unread(self) -> bool:
        """Has the reader of standard output gone?"""
        return any(stream.unread for stream in self._streams)

    @property
    def pointless(self) -> bool:
        """Is there nobody left to probe for?"""
        return self._alone and all(stream.unread for stream in self._streams)


class _Stream:
    """One file, or standard output. A thread writes: a slow reader is not to hold up the probes, whose clocks are running."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.unread = False
        self._problem = ""
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        self._lines.put(line)

    def close(self) -> str:
        """Wait until all is written; why something is not, or nothing."""
        self._lines.put(None)
        self._thread.join()
        return self._problem

    def _write(self) -> None:
        try:
            if self.path is None:
                for line in iter(self._lines.get, None):
                    sys.stdout.write(line + "\n")
                    sys.stdout.flush()
                return
            with open(os.path.realpath(self.path), "wb", buffering=0) as file:
                for line in iter(self._lines.get, None):
                    rest = memoryview(line.encode() + b"\n")
                    while rest:
                        rest = rest[file.write(rest) or 0 :]
        except BrokenPipeError:
            self.unread = self.path is None
            self._problem = "" if self.unread else f"cannot write {clean(self.path)}: nobody reads it"
        except (OSError, ValueError) as error:
            where = "to standard output" if self.path is None else clean(self.path)
            self._problem = f"cannot write {where}: {getattr(error, 'strerror', None) or error}"
