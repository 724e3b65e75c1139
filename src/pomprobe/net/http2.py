"""HTTP/2 as Envoy 1.37's client codec speaks and reads it: bytes in, events out.

The header compression is hpack's, h2's own. h2 itself stands for another choice of what to refuse than nghttp2 and Envoy.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

import hpack

from .http1 import INTERIM
from .http2_cut import TOO_LARGE, UNDECODABLE, too_many, verdict
from .http2_errors import error_name
from .http2_frames import (
    ACK,
    END_HEADERS,
    END_STREAM,
    MAX_FRAME,
    MAX_WINDOW,
    STREAM,
    Block,
    BlockTooLarge,
    Body,
    Control,
    EmptyFrames,
    Frame,
    FrameReader,
    FrameRefused,
    NoSettings,
    Setting,
    Type,
    frame,
)
from .http2_headers import HeadersRefused, HeadersTooMany, checked, content_length
from .http_events import Closed, Data, End, Event, Head, Headers, Interim, Refused, Reset

WINDOW = 1024 * 1024
"""Bytes of flow control: Pomerium's initial_connection_window_size. What is read is given back at once."""

GO = 32768
"""Bytes that Envoy reads in one go (per_connection_buffer_limit_bytes): what is wrong with a stream ends it before the next go."""

FLOOD = 1000
"""Acknowledgements that Envoy queues for what it read in more than one go before it takes them for a flood."""

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class Http2Codec:
    """One request and its response on a fresh connection.

    method: the request's (HEAD has no body). strict: as Envoy 1.37; 1.36 takes a response before the server's SETTINGS.
    Memory: FrameReader's, and one decoded block of headers.
    """

    def __init__(self, method: str = "GET", *, strict: bool = True) -> None:
        self.ended = False
        self._method = method
        self._frames = FrameReader(strict)
        self._encoder = hpack.Encoder()
        self._decoder = hpack.Decoder(max_header_list_size=1 << 20)
        self._out = bytearray()
        self._acks = 0
        self._connect_allowed = False
        self._last_stream = MAX_WINDOW
        self._initial_window = 65535
        self._credit = {0: 65535, STREAM: 65535}  # what we may send: we do not, but a server can overflow it
        self._head: Head | None = None
        self._expects_body = True
        self._length: int | None = None
        self._received = 0
        self._spent = self._looked_at = 0
        self._fault: Refused | Reset | None = None  # of the stream alone: RST_STREAM or GOAWAY that came with it is looked at first

    def request(self, headers: Headers, body: bytes = b"", *, ends: bool = True) -> bytes:
        """The connection's preface, our settings and the request. body: what fits the window that every server gives (64 KiB).

        ends: False leaves our side of the stream open, as a tunnel needs it.
        Raises ValueError for a longer one, and for headers that would break lines behind a server that speaks HTTP/1 itself.
        """
        if len(body) > 65535:
            raise ValueError("a request body of more than 65535 bytes")
        if any(re.search(rb"[\x00\r\n]", name + value) for name, value in headers):
            raise ValueError("a control character in the request")
        settings = struct.pack(">HIHIHI", Setting.ENABLE_PUSH, 0, Setting.MAX_CONCURRENT_STREAMS, 100, Setting.INITIAL_WINDOW_SIZE, WINDOW)
        sent = [frame(Type.SETTINGS, 0, 0, settings), frame(Type.WINDOW_UPDATE, 0, 0, struct.pack(">I", WINDOW - 65535))]
        blocks, pieces = _cut(self._encoder.encode(headers)), _cut(body)
        for index, block in enumerate(blocks):
            flags = (END_HEADERS if index == len(blocks) - 1 else 0) | (0 if index or body or not ends else END_STREAM)
            sent.append(frame(Type.CONTINUATION if index else Type.HEADERS, flags, STREAM, block))
        sent += [frame(Type.DATA, END_STREAM if index == len(pieces) - 1 else 0, STREAM, piece) for index, piece in enumerate(pieces)]
        self._frames.allow_windows(len(pieces))
        return _PREFACE + b"".join(sent)

    def output(self) -> bytes:
        """What is to be sent after feed: acknowledgements and windows."""
        out, self._out = bytes(self._out), bytearray()
        return out

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that these bytes complete. Bytes after the end of the response are not looked at."""
        if self.ended:
            return
        self._acks = 0
        for at in range(0, len(data), GO):
            for event in self._all(data[at : at + GO], len(data)):
                self.ended = isinstance(event, End | Reset | Refused)
                yield event
                if self.ended:
                    return
            fault = self._fault or self._cut_headers()
            if fault is not None:
                self.ended = True
                yield fault
                return

    def _all(self, data: bytes, came: int) -> Iterator[Event]:
        try:
            for one in self._frames.feed(data):
                yield from self._read(one)
                if self._acks > FLOOD and came > GO:
                    raise FrameRefused("a flood of PING or SETTINGS frames")
        except (FrameRefused, HeadersRefused) as refused:
            if not (isinstance(refused, EmptyFrames) and isinstance(self._fault, Reset)):
                yield Refused(str(refused), _taken_before(self._method, refused.came) if isinstance(refused, NoSettings) else 0)
        except BlockTooLarge:
            yield Reset("", problem=TOO_LARGE)
        except (hpack.HPACKError, UnicodeDecodeError):
            yield Refused(UNDECODABLE)

    def eof(self) -> Event:
        """What the end of the connection means here: the same at any time, with FIN or RST."""
        self.ended = True
        begun = self._frames.unfinished_body()
        if begun and self._head is None:
            return Refused("a body before the headers")
        if begun and self._length is not None and self._received + begun > self._length:
            return Refused(f"content-length {self._length}, body {self._received + begun} or more")
        return self._cut_headers(last=True) or Closed(goaway=self._last_stream < MAX_WINDOW)

    def _cut_headers(self, *, last: bool = False) -> Refused | Reset | None:
        """What is wrong already with headers of which more is to come: nghttp2 looks at each as soon as it is complete (fuzzed).

        Not at every byte, unless it is the last: what comes drop by drop would cost too much.
        """
        begun, whole = self._frames.unfinished()
        if not begun or (not last and len(begun) < self._looked_at * 5 // 4):
            return None
        self._looked_at = len(begun) + 1
        return verdict(begun, self._decoder, whole=whole, trailers=self._head is not None)

    def _read(self, one: Frame) -> Iterator[Event]:
        match one:
            case Control(type=Type.RST_STREAM, stream=1):
                yield Reset(error_name(one.payload))
            case Control(type=Type.GOAWAY):
                yield from self._goaway(one.payload)
            case Control(type=Type.SETTINGS):
                yield from self._settings(one)
            case Control(type=Type.PING) if not one.flags & ACK:
                self._acknowledge(frame(Type.PING, ACK, 0, one.payload))
            case Control(type=Type.WINDOW_UPDATE) if one.stream in self._credit:
                self._credit[one.stream] += int.from_bytes(one.payload, "big") & MAX_WINDOW
                if self._credit[one.stream] > MAX_WINDOW:
                    raise FrameRefused("a flow-control window that is too large")
            case Block() if one.stream != STREAM:
                self._decoder.decode(one.payload, raw=True)  # a promised response: only its table counts
            case Body() if one.stream != STREAM:
                self._give_back(one.consumed)
            case Block() if self._fault is None:
                yield from self._limited(one)
            case Body() if self._fault is None:
                yield from self._body(one)

    def _limited(self, block: Block) -> Iterator[Event]:
        try:
            yield from self._headers(block)
        except (HeadersTooMany, hpack.OversizedHeaderListError) as many:
            self._fault = too_many(many)

    def _headers(self, block: Block) -> Iterator[Event]:
        decoded = ((bytes(name), bytes(value)) for name, value in self._decoder.decode(block.payload, raw=True))
        if self._head is not None:
            if not block.end_stream:
                raise HeadersRefused("trailers that do not end the stream")
            _, trailers = checked(decoded, trailers=True, encoded=len(block.payload))
            promised = content_length(trailers)
            if promised is not None:
                if self._length is not None:
                    raise HeadersRefused("two Content-Length headers")
                self._length = promised
            yield self._end(trailers)
            return
        status, headers = checked(decoded, encoded=len(block.payload))
        length = content_length(headers)
        if 100 <= status < 200:
            if block.end_stream:
                raise HeadersRefused(f"a {status} response that ends the stream")
            if status in INTERIM:
                yield Interim(status)
            return
        if self._method == "HEAD" or status in (204, 304):
            length = 0
        if block.end_stream and length:
            raise HeadersRefused(f"content-length {length}, body 0")
        self._length = length
        self._head = Head(status, "HTTP/2", headers)
        yield self._head
        if block.end_stream:
            yield self._end(())

    def _body(self, body: Body) -> Iterator[Event]:
        self._give_back(body.consumed)
        self._received += len(body.content)
        if self._head is None and (body.content or body.end_stream):
            self._fault = Refused("a body before the headers")
        elif self._length is not None and (self._received > self._length or (body.end_stream and self._received < self._length)):
            self._fault = Refused(f"content-length {self._length}, body {self._received}" + ("" if body.end_stream else " or more"))
        else:
            if body.content:
                yield Data(body.content)
            if body.end_stream:
                yield self._end(())

    def _end(self, trailers: Headers) -> End:
        if self._length is not None and self._received != self._length:
            raise FrameRefused(f"content-length {self._length}, body {self._received}")
        return End(trailers)

    def _goaway(self, payload: bytes) -> Iterator[Event]:
        last = int.from_bytes(payload[:4], "big") & MAX_WINDOW
        if last > self._last_stream or (last and not last % 2):
            raise FrameRefused("a GOAWAY that names a wrong stream")
        self._last_stream = last
        if last < STREAM:
            yield Reset(error_name(payload[4:8]), goaway=True)

    def _settings(self, settings: Control) -> Iterator[Event]:
        if settings.flags & ACK:
            return
        for key, value in struct.iter_unpack(">HI", settings.payload):
            if not self._acceptable(key, value):
                raise FrameRefused(f"a wrong value of setting {key}")
            self._connect_allowed |= key == Setting.ENABLE_CONNECT_PROTOCOL and value == 1
            if key == Setting.INITIAL_WINDOW_SIZE:
                self._credit[STREAM] += value - self._initial_window
                self._initial_window = value
                if self._credit[STREAM] > MAX_WINDOW:
                    yield Reset("FLOW_CONTROL_ERROR", problem="a flow-control window that is too large")
                    return
            if key == Setting.HEADER_TABLE_SIZE:
                self._encoder.header_table_size = min(value, 4096)
        self._acknowledge(frame(Type.SETTINGS, ACK, 0))

    def _acceptable(self, key: int, value: int) -> bool:
        match key:
            case Setting.ENABLE_PUSH:
                return value == 0
            case Setting.INITIAL_WINDOW_SIZE:
                return value <= MAX_WINDOW
            case Setting.MAX_FRAME_SIZE:
                return MAX_FRAME <= value < 2**24
            case Setting.ENABLE_CONNECT_PROTOCOL:
                return value <= 1 and not (self._connect_allowed and value == 0)
            case Setting.NO_RFC7540_PRIORITIES:
                return value <= 1
            case _:
                return True

    def _acknowledge(self, answer: bytes) -> None:
        self._out += answer
        self._acks += 1

    def _give_back(self, consumed: int) -> None:
        self._spent += consumed
        if self._spent >= WINDOW // 4:
            increment = struct.pack(">I", self._spent)
            self._out += frame(Type.WINDOW_UPDATE, 0, 0, increment) + frame(Type.WINDOW_UPDATE, 0, STREAM, increment)
            self._spent = 0


def _taken_before(method: str, came: bytes) -> int:
    """The status of the response that Envoy 1.36 takes from a server that says no SETTINGS, 0 where it is not all there (fuzzed)."""
    events = list(Http2Codec(method, strict=False).feed(came))
    return next((one.status for one in events if isinstance(one, Head)), 0) if events and isinstance(events[-1], End) else 0


def _cut(data: bytes) -> list[bytes]:
    return [data[i : i + MAX_FRAME] for i in range(0, len(data), MAX_FRAME)]
