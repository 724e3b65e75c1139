"""The chunked body of an HTTP/1 response, accepted and refused as Envoy's codec does (quiche/balsa/balsa_frame.cc).

Nothing is kept but the place in the grammar and trailers (at most 80 KiB of them).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto

from .http1_head import HeadRefused, header_lines

MAX_TRAILERS = 80 * 1024
"""Bytes of trailers that Envoy reads: the limit of the headers."""

_SIZE_END = re.compile(rb"[^0-9A-Fa-f]")
_TRAILER = re.compile(rb"[^\r\n]")
_END = re.compile(rb"\n\r?\n")
_DELIMITERS = frozenset(b"\t\n\r ;")


class ChunkRefused(Exception):
    """The bytes are no chunked body to Envoy's codec."""


class _State(Enum):
    SIZE = auto()
    EXTENSION = auto()
    DATA = auto()
    AFTER_DATA = auto()
    LAST = auto()  # after the last chunk's line: the empty line, or trailers
    TRAILERS = auto()
    DONE = auto()


class ChunkReader:
    """Takes the bytes after the head; gives the pieces of the body. `done` once the last chunk and the trailers are read."""

    def __init__(self) -> None:
        self._state = _State.SIZE
        self._size = 0
        self._digits = False
        self._carriage_return = False
        self._tail = b"\n"  # line ends since the last chunk's size
        self._trailers = bytearray()

    @property
    def done(self) -> bool:
        return self._state is _State.DONE

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Raises ChunkRefused; what was yielded before stands."""
        at = 0
        while at < len(data) and not self.done:
            if self._state is _State.SIZE:
                at = self._read_size(data, at)
            elif self._state is _State.EXTENSION:
                at = self._read_extension(data, at)
            elif self._state is _State.DATA:
                piece = data[at : at + self._size]
                self._size -= len(piece)
                at += len(piece)
                if not self._size:
                    self._state = _State.AFTER_DATA
                yield piece
            elif self._state is _State.AFTER_DATA:
                at = self._skip_line(data, at)
            elif self._state is _State.LAST:
                at = self._read_last(data, at)
            else:
                at = self._read_trailers(data, at)

    def _read_size(self, data: bytes, at: int) -> int:
        stop = _SIZE_END.search(data, at)
        end = stop.start() if stop else len(data)
        if end > at:
            self._digits = True
            digits = data[at:end].lstrip(b"0") if not self._size else data[at:end]
            if len(digits) > 16 or self._size.bit_length() + 4 * len(digits) > 67:
                raise ChunkRefused("a chunk size that is too large")
            self._size = self._size << 4 * len(digits) | int(digits or b"0", 16)
            if self._size >= 2**64:
                raise ChunkRefused("a chunk size that is too large")
        if stop:
            if not self._digits or data[end] not in _DELIMITERS:
                raise ChunkRefused("a chunk size that is not a number")
            self._state = _State.EXTENSION
            self._digits = self._carriage_return = False
        return end

    def _read_extension(self, data: bytes, at: int) -> int:
        end = data.find(b"\n", at)
        line = data[at:] if end < 0 else data[at:end]
        if (self._carriage_return and line) or b"\r" in line[:-1]:
            raise ChunkRefused("a bare CR after a chunk size")
        self._carriage_return |= line.endswith(b"\r")
        if end < 0:
            return len(data)
        if not self._carriage_return:
            raise ChunkRefused("a bare LF after a chunk size")
        self._state = _State.DATA if self._size else _State.LAST
        return end + 1

    def _skip_line(self, data: bytes, at: int) -> int:
        end = data.find(b"\n", at)
        if end < 0:
            return len(data)
        self._state = _State.SIZE
        return end + 1

    def _read_last(self, data: bytes, at: int) -> int:
        """Line ends after the last chunk: either the body's end, or what Balsa skips before the trailers."""
        stop = _TRAILER.search(data, at)
        run = self._tail + data[at : stop.start() if stop else len(data)]
        if found := _END.search(run):
            self._state = _State.DONE
            return at + found.end() - len(self._tail)
        self._tail = run[-2:]
        if stop:
            self._state = _State.TRAILERS
            return stop.start()
        return len(data)

    def _read_trailers(self, data: bytes, at: int) -> int:
        before = len(self._trailers)
        self._trailers += data[at : at + MAX_TRAILERS + 1 - before]
        found = _END.search(self._trailers, max(before - 2, 0))
        if found and found.end() <= MAX_TRAILERS:
            self._check_trailers(bytes(self._trailers[: found.end()]))
            self._state = _State.DONE
            return at + found.end() - before
        if len(self._trailers) > MAX_TRAILERS:
            raise ChunkRefused("trailers larger than 80 KiB after the last chunk")
        return len(data)

    @staticmethod
    def _check_trailers(block: bytes) -> None:
        try:
            header_lines(block)
        except HeadRefused as refused:
            raise ChunkRefused(f"in the trailers after the last chunk: {refused}") from None
