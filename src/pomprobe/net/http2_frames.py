"""HTTP/2's frames as Envoy 1.37 reads them (nghttp2 with Envoy's flood limits): bytes in, frames of stream 1 and of the connection out.

Source of the rules: RFC 9113, nghttp2 (lib/nghttp2_session.c), Envoy's source/common/http/http2/protocol_constraints.cc. All were
measured on Envoy 1.37; tests/net/http2_cases.py holds the answers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum

from ..record import Record

STREAM = 1
MAX_FRAME = 16384
MAX_WINDOW = 2**31 - 1
MAX_BLOCK = 128 * 1024
"""Bytes of compressed headers that are kept: more cannot be within Envoy's 60 KiB of headers."""

END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITY_FIELDS = 0x20


class Type(IntEnum):
    """The frames that mean something here; any other type is skipped."""

    DATA = 0
    HEADERS = 1
    PRIORITY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PUSH_PROMISE = 5
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8
    CONTINUATION = 9


class Setting(IntEnum):
    """The settings that are sent or looked at (RFC 9113, 8441, 9218)."""

    HEADER_TABLE_SIZE = 1
    ENABLE_PUSH = 2
    MAX_CONCURRENT_STREAMS = 3
    INITIAL_WINDOW_SIZE = 4
    MAX_FRAME_SIZE = 5
    ENABLE_CONNECT_PROTOCOL = 8
    NO_RFC7540_PRIORITIES = 9


class FrameRefused(Exception):
    """A frame that nghttp2, or Envoy's flood protection, ends the connection for."""


class NoSettings(FrameRefused):
    """The server does not begin with SETTINGS. came: what it said instead, so far."""

    def __init__(self, came: bytes) -> None:
        super().__init__("what came first is no SETTINGS frame of HTTP/2")
        self.came = came


class EmptyFrames(FrameRefused):
    """Two frames without content in a row, which do not count on a stream that has been reset (fuzzed)."""


class BlockTooLarge(Exception):
    """More than MAX_BLOCK of compressed headers."""


class Block(Record, frozen=True):
    """HEADERS (or a PUSH_PROMISE, then of the promised stream) and its CONTINUATIONs, put together."""

    stream: int
    payload: bytes
    end_stream: bool


class Body(Record, frozen=True):
    """A DATA frame without its padding; Envoy passes none on before it is complete. consumed: bytes of flow control."""

    stream: int
    content: bytes
    consumed: int
    end_stream: bool


class Control(Record, frozen=True):
    """Any other frame that is looked at, its form checked: RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE."""

    type: Type
    flags: int
    stream: int
    payload: bytes


Frame = Block | Body | Control


def frame(kind: Type, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A frame as it goes over the wire."""
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


PADDABLE = (Type.DATA, Type.HEADERS, Type.PUSH_PROMISE)
LENGTHS = {Type.PRIORITY: 5, Type.RST_STREAM: 4, Type.PING: 8, Type.WINDOW_UPDATE: 4}
MAX_SETTINGS = 32


class FrameReader:
    """Cuts what comes into frames. Memory: one frame, and a block of headers.

    As in nghttp2, what shows in a frame's header is refused before the rest has come, and so is a wrong number of bytes of padding.
    """

    def __init__(self, strict: bool = True) -> None:
        self._strict = strict  # SETTINGS must come first
        self._buffer = bytearray()
        self._kind = -1  # of the frame that is being read; -1: its header has not come yet
        self._length = self._flags = self._stream = 0
        self._begun = self._acknowledged = self._opened = False
        self._promised = 0
        self._block: bytearray | None = None
        self._block_of = self._block_stream = 0
        self._block_ends_stream = False
        self._empty = self._priorities = self._windows = 0
        self._windows_allowed = 7  # 5, and 2 for each stream

    def allow_windows(self, data_frames: int) -> None:
        """Each DATA frame of the request allows for 20 more WINDOW_UPDATEs."""
        self._windows_allowed += 20 * data_frames

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Raises FrameRefused and BlockTooLarge; what was yielded before stands."""
        self._buffer += data
        while True:
            if self._kind < 0:
                if len(self._buffer) < 9:
                    return
                self._open(bytes(self._buffer[:9]))
                del self._buffer[:9]
            self._begun_well()
            if len(self._buffer) < self._length:
                if self._block is not None and len(self._block) + len(self._buffer) > MAX_BLOCK:
                    raise BlockTooLarge
                return
            payload = bytes(self._buffer[: self._length])
            del self._buffer[: self._length]
            kind, self._kind = self._kind, -1
            if (whole := self._whole(kind, payload)) is not None:
                yield whole

    def _open(self, header: bytes) -> None:
        """Take a frame's header, and refuse what shows in it already."""
        length = self._length = int.from_bytes(header[:3], "big")
        kind, flags = self._kind, self._flags = header[3], header[4]
        self._stream = int.from_bytes(header[5:], "big") & MAX_WINDOW
        if self._strict and not self._begun and (kind != Type.SETTINGS or flags & ACK):
            raise NoSettings(bytes(self._buffer))
        self._begun = True
        if length > MAX_FRAME and (self._block is None or kind != Type.CONTINUATION):  # nghttp2 does not ask there (fuzzed)
            raise FrameRefused(f"a frame of {length} bytes")
        if (self._block is None) == (kind == Type.CONTINUATION):
            raise FrameRefused("a CONTINUATION without headers" if self._block is None else "headers that another frame interrupts")
        if kind == Type.DATA or (kind == Type.HEADERS and not self._lead()):
            self._require_known()
        if kind == Type.CONTINUATION and self._stream != self._block_of:
            raise FrameRefused(f"CONTINUATION on stream {self._stream}")
        if kind == Type.DATA and self._stream == STREAM and not self._opened:
            raise FrameRefused("a body before the headers")
        if kind in LENGTHS and length != LENGTHS[Type(kind)]:
            raise FrameRefused(f"{Type(kind).name} of {length} bytes")
        if kind == Type.SETTINGS and (length % 6 or length > 6 * MAX_SETTINGS or (flags & ACK and length)):
            raise FrameRefused(f"SETTINGS of {length} bytes")
        if kind == Type.GOAWAY and length < 8:
            raise FrameRefused(f"GOAWAY of {length} bytes")
        if kind in PADDABLE and length < (1 if flags & PADDED else self._fixed()):
            raise FrameRefused(f"{Type(kind).name} of {length} bytes")

    def _begun_well(self) -> None:
        """Refuse what shows in the first bytes behind a header: nghttp2 looks at their stream when padding and priority are there."""
        padded = self._lead() - self._fixed()
        if padded and self._buffer:
            self._require(self._buffer[0] < self._length - self._fixed(), "padding")
        if len(self._buffer) < self._lead():
            return
        if self._kind == Type.HEADERS:
            self._require_known()
        elif self._kind == Type.PUSH_PROMISE:
            self._require(self._may_promise(bytes(self._buffer[padded : padded + 4])), "PUSH_PROMISE")

    def _require_known(self) -> None:
        if not self._known():
            raise FrameRefused(f"{Type(self._kind).name} on stream {self._stream}")

    def _lead(self) -> int:
        """Bytes that this frame has before its headers or content."""
        return (1 if self._flags & PADDED and self._kind in PADDABLE else 0) + self._fixed()

    def _known(self) -> bool:
        """Is it our stream, or one that the server has promised?"""
        return self._stream == STREAM or (0 < self._stream <= self._promised and not self._stream % 2)

    def _fixed(self) -> int:
        """Bytes that this frame has before its headers, padding aside."""
        if self._kind == Type.HEADERS:
            return 5 if self._flags & PRIORITY_FIELDS else 0
        return 4 if self._kind == Type.PUSH_PROMISE else 0

    def _whole(self, kind: int, payload: bytes) -> Frame | None:
        flags, stream = self._flags, self._stream
        content = payload[1 : len(payload) - payload[0]] if flags & PADDED and kind in PADDABLE else payload
        match kind:
            case Type.DATA:
                self._count_empty(len(content))
                return Body(stream, content, len(payload), bool(flags & END_STREAM))
            case Type.HEADERS:
                self._opened = self._opened or stream == STREAM
                fields = content[5:] if flags & PRIORITY_FIELDS else content
                self._count_empty(len(fields))
                return self._begin(stream, fields, bool(flags & END_STREAM))
            case Type.PUSH_PROMISE:
                return self._begin(self._promise(content), content[4:], False)
            case Type.CONTINUATION:
                self._flags &= ~END_STREAM
                self._count_empty(len(content))
                return self._grow(content)
            case Type.PRIORITY:
                self._priorities += 1
                if self._priorities > 200:  # 100 for the connection and for each stream
                    raise FrameRefused("a flood of PRIORITY frames")
            case Type.RST_STREAM:
                self._require(self._known(), "RST_STREAM")
            case Type.SETTINGS:
                self._require(stream == 0 and not (flags & ACK and self._acknowledged), "SETTINGS")
                self._acknowledged = self._acknowledged or bool(flags & ACK)
            case Type.PING | Type.GOAWAY:
                self._require(stream == 0, Type(kind).name)
            case Type.WINDOW_UPDATE:
                self._require((stream == 0 or self._known()) and any(payload), "WINDOW_UPDATE")
                self._windows += 1
                if self._windows > self._windows_allowed:
                    raise FrameRefused("a flood of WINDOW_UPDATE frames")
            case _:
                return None
        return Control(Type(kind), flags, stream, payload)

    def _promise(self, content: bytes) -> int:
        """The stream that is promised. Allowed until the server has acknowledged that push is off; then it is an error."""
        self._require(self._may_promise(content), "PUSH_PROMISE")
        self._promised = int.from_bytes(content[:4], "big") & MAX_WINDOW
        return self._promised

    def _may_promise(self, content: bytes) -> bool:
        promised = int.from_bytes(content[:4], "big") & MAX_WINDOW
        return not self._acknowledged and self._stream == STREAM and promised > self._promised and not promised % 2

    def unfinished_body(self) -> int:
        """Bytes that have come of a DATA frame of our stream which is not complete."""
        return len(self._buffer) if self._kind == Type.DATA and self._stream == STREAM and not self._flags & PADDED else 0

    def unfinished(self) -> tuple[bytes, bool]:
        """The compressed headers of our stream that have come so far, where more was announced; are they all, but for their padding?"""
        begun = bytes(self._block or b"")
        ours = self._block_stream == STREAM if self._block is not None else self._kind == Type.HEADERS and self._stream == STREAM
        if not ours or self._kind not in (Type.HEADERS, Type.CONTINUATION):
            return (begun if ours else b""), False
        lead = self._lead() if self._kind == Type.HEADERS else 0
        end = self._length - (self._buffer[0] if lead > self._fixed() and self._buffer else 0)
        return begun + bytes(self._buffer[lead:end]), bool(self._flags & END_HEADERS) and len(self._buffer) >= end

    def _begin(self, stream: int, fields: bytes, ends_stream: bool) -> Frame | None:
        self._block = bytearray()
        self._block_of = self._stream
        self._block_stream, self._block_ends_stream = stream, ends_stream
        return self._grow(fields)

    def _grow(self, fields: bytes) -> Frame | None:
        assert self._block is not None
        self._block += fields
        if self._flags & END_HEADERS:
            block, self._block = bytes(self._block), None
            return Block(self._block_stream, block, self._block_ends_stream)
        if len(self._block) > MAX_BLOCK:
            raise BlockTooLarge
        return None

    def _count_empty(self, length: int) -> None:
        """Envoy takes one frame without content and without END_STREAM, not two in a row."""
        self._empty = self._empty + 1 if not length and not self._flags & END_STREAM else 0
        if self._empty > 1:
            raise EmptyFrames("a flood of empty frames")

    @staticmethod
    def _require(good: bool, what: str) -> None:
        if not good:
            raise FrameRefused(f"a wrong {what} frame" if what != "padding" else "wrong padding")
