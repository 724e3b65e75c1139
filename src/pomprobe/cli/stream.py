"""-o jsonl: a line goes out when its route is finished, so that what is known is out whatever becomes of the run."""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from collections.abc import Sequence
from io import FileIO
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
        """The next config's lines may come: files are made, or emptied, the first time. Forks of this process are made before."""
        self._streams = self._streams or [_Stream(output.path) for output in self._outputs]
        for stream in self._streams:
            stream.start()

    def route(self, report: RouteReport) -> None:
        """A route of the config at hand is finished."""
        self._told.add(report.route.index)
        line = jsonl_route(report)
        for stream in self._streams:
            stream.put(line)

    def close_config(self, report: Report) -> None:
        """The routes of one config that are not finished and will not be; the next config's count anew, when these are out."""
        for route in report.routes:
            if route.route.index not in self._told:
                self.route(route)
        self._told.clear()
        for stream in self._streams:
            stream.rest()

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
    """One file, or standard output. A thread writes while probes' clocks are running, which a slow reader is not to hold up.

    It ends with each config, since the next one may be probed by forks: a fork of a process with threads may inherit a lock that
    nobody is left to release (fork(2)).
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.unread = False
        self._problem = ""
        self._file: FileIO | None = None
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Write from now on; where the machine has no room for a thread, `rest` does it all."""
        thread = threading.Thread(target=self._write, daemon=True)
        with contextlib.suppress(RuntimeError):  # can't start new thread
            thread.start()
            self._thread = thread

    def put(self, line: str) -> None:
        if not (self.unread or self._problem):
            self._lines.put(line)

    def rest(self) -> None:
        """Wait until all is written."""
        self._lines.put(None)
        if self._thread is None:
            self._write()
        else:
            self._thread.join()
            self._thread = None

    def close(self) -> str:
        """Write what is left; why something is not written, or nothing."""
        self.rest()
        try:
            if self._file is not None:
                self._file.close()
        except OSError as error:
            self._failed(error)
        return self._problem

    def _write(self) -> None:
        if self.unread or self._problem:
            return
        try:
            if self.path is None:
                for line in iter(self._lines.get, None):
                    sys.stdout.write(line + "\n")
                    sys.stdout.flush()
                return
            if self._file is None:
                self._file = FileIO(os.path.realpath(self.path), "wb")
            for line in iter(self._lines.get, None):
                rest = memoryview(line.encode() + b"\n")
                while rest:
                    rest = rest[self._file.write(rest) or 0 :]
        except (OSError, ValueError) as error:
            self._failed(error)

    def _failed(self, error: OSError | ValueError) -> None:
        if isinstance(error, BrokenPipeError):
            self.unread = self.path is None
            self._problem = "" if self.unread else f"cannot write {clean(self.path)}: nobody reads it"
        else:
            where = "to standard output" if self.path is None else clean(self.path)
            self._problem = f"cannot write {where}: {getattr(error, 'strerror', None) or error}"
