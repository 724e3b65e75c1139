"""HTTP/2's frames as Envoy 1.37 reads them (nghttp2 with Envoy's flood limits): bytes in, frames of stream 1 and of the connection out.

Source of the rules: RFC 9113, nghttp2 (lib/nghttp2_session.c), Envoy's source/common/http/http2/protocol_constraints.cc. All were
measured on Envoy 1.37; tests/net/http2_cases.py holds the answers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

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


class FrameRefused(Exception):
    """A frame that nghttp2, or Envoy's flood protection, ends the connection for."""


class BlockTooLarge(Exception):
    """More than MAX_BLOCK of compressed headers."""


@dataclass(frozen=True, slots=True)
class Block:
    """HEADERS and its CONTINUATIONs, put together."""

    payload: bytes
    end_stream: bool


@dataclass(frozen=True, slots=True)
class Body:
    """A DATA frame without its padding; Envoy passes none on before it is complete. consumed: bytes of flow control."""

    content: bytes
    consumed: int
    end_stream: bool


@dataclass(frozen=True, slots=True)
class Control:
    """Any other frame that is looked at, its form checked: RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE."""

    type: Type
    flags: int
    stream: int
    payload: bytes


Frame = Block | Body | Control


def frame(kind: Type, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A frame as it goes over the wire."""
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


class FrameReader:
    """Cuts what comes into frames. Memory: one frame, and a block of headers."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._kind = -1  # of the frame that is being read; -1: its header has not come yet
        self._length = self._flags = self._stream = 0
        self._begun = False
        self._block: bytearray | None = None
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
            if len(self._buffer) < self._length:
                return
            payload = bytes(self._buffer[: self._length])
            del self._buffer[: self._length]
            kind, self._kind = self._kind, -1
            if (whole := self._whole(kind, payload)) is not None:
                yield whole

    def _open(self, header: bytes) -> None:
        """Take a frame's header, and refuse what shows in it already."""
        self._length = int.from_bytes(header[:3], "big")
        self._kind, self._flags = header[3], header[4]
        self._stream = int.from_bytes(header[5:], "big") & MAX_WINDOW
        if not self._begun and (self._kind != Type.SETTINGS or self._flags & ACK):
            raise FrameRefused("what came first is no SETTINGS frame of HTTP/2")
        self._begun = True
        if self._length > MAX_FRAME:
            raise FrameRefused(f"a frame of {self._length} bytes")
        if (self._block is not None) != (self._kind == Type.CONTINUATION):
            raise FrameRefused("headers that another frame interrupts" if self._block is not None else "a CONTINUATION without headers")
        if self._kind in (Type.DATA, Type.HEADERS, Type.CONTINUATION, Type.RST_STREAM) and self._stream != STREAM:
            raise FrameRefused(f"{Type(self._kind).name} on stream {self._stream}")

    def _whole(self, kind: int, payload: bytes) -> Frame | None:
        flags, stream = self._flags, self._stream
        match kind:
            case Type.DATA:
                content = self._unpadded(payload, "DATA")
                self._count_empty(len(content))
                return Body(content, len(payload), bool(flags & END_STREAM))
            case Type.HEADERS:
                return self._headers(payload)
            case Type.CONTINUATION:
                self._flags &= ~END_STREAM
                return self._grow(payload)
            case Type.PUSH_PROMISE:
                raise FrameRefused("a PUSH_PROMISE, although push is off")
            case Type.PRIORITY:
                self._require(len(payload) == 5, "PRIORITY")
                self._priorities += 1
                if self._priorities > 200:  # 100 for the connection and for each stream
                    raise FrameRefused("a flood of PRIORITY frames")
            case Type.RST_STREAM:
                self._require(len(payload) == 4, "RST_STREAM")
            case Type.SETTINGS:
                well_formed = len(payload) % 6 == 0 and len(payload) <= 6 * 32 and not (flags & ACK and payload)
                self._require(stream == 0 and well_formed, "SETTINGS")
            case Type.PING:
                self._require(stream == 0 and len(payload) == 8, "PING")
            case Type.GOAWAY:
                self._require(stream == 0 and len(payload) >= 8, "GOAWAY")
            case Type.WINDOW_UPDATE:
                self._require(stream in (0, STREAM) and len(payload) == 4 and any(payload), "WINDOW_UPDATE")
                self._windows += 1
                if self._windows > self._windows_allowed:
                    raise FrameRefused("a flood of WINDOW_UPDATE frames")
            case _:
                return None
        return Control(Type(kind), flags, stream, payload)

    def _headers(self, payload: bytes) -> Frame | None:
        fields = self._unpadded(payload, "HEADERS")
        if self._flags & PRIORITY_FIELDS:
            self._require(len(fields) >= 5, "HEADERS")
            fields = fields[5:]
        self._block = bytearray()
        self._block_ends_stream = bool(self._flags & END_STREAM)
        return self._grow(fields)

    def _unpadded(self, payload: bytes, kind: str) -> bytes:
        if not self._flags & PADDED:
            return payload
        self._require(bool(payload) and payload[0] < len(payload), kind)
        return payload[1 : len(payload) - payload[0]]

    def _grow(self, fields: bytes) -> Frame | None:
        self._count_empty(len(fields))
        assert self._block is not None
        self._block += fields
        if self._flags & END_HEADERS:
            block, self._block = bytes(self._block), None
            return Block(block, self._block_ends_stream)
        if len(self._block) > MAX_BLOCK:
            raise BlockTooLarge
        return None

    def _count_empty(self, length: int) -> None:
        """Envoy takes one frame without content and without END_STREAM, not two in a row."""
        self._empty = self._empty + 1 if not length and not self._flags & END_STREAM else 0
        if self._empty > 1:
            raise FrameRefused("a flood of empty frames")

    @staticmethod
    def _require(good: bool, kind: str) -> None:
        if not good:
            raise FrameRefused(f"a malformed {kind} frame")
