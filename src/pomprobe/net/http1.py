"""HTTP/1 as Envoy 1.37's client codec reads it: bytes in, events out, as strict and as lenient as Envoy is."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from enum import Enum, auto

from .http1_chunks import ChunkReader, ChunkRefused
from .http1_head import HeadRefused, StatusLine, content_length, header_lines, status_line, too_many, values
from .http_events import Closed, Data, End, Event, Head, Headers, Interim, Refused

MAX_HEAD = 80 * 1024
"""Bytes of status line and headers, the empty line included, that Envoy reads for an upstream's response."""

INTERIM = (100, 102, 103, 104)
"""Statuses after which Envoy counts the response as started; it drops any other 1xx without a trace."""

_END_OF_HEAD = re.compile(rb"\n\r?\n")


class _State(Enum):
    START = auto()
    HEAD = auto()
    LENGTH = auto()
    CHUNKS = auto()
    UNTIL_CLOSE = auto()
    UPGRADED = auto()  # a refusal with the headers of an upgrade: Envoy passes bytes on until the connection ends
    ENDED = auto()


class Unsendable(ValueError):
    """A request that would not be one: a control character in a header, or a line break anywhere."""


def request(method: bytes, target: bytes, headers: Headers, body: bytes = b"") -> bytes:
    """A request as Envoy writes it: names and values as given, spaces of a rewritten path too; raises Unsendable."""
    head = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    broken = head.count(b"\n") != len(headers) or re.search(rb"\x00|\r(?!\n)", head)
    if broken or re.search(rb"[\x00-\x20\x7f]", method) or re.search(rb"[\x00-\x1f\x7f]", target):
        raise Unsendable("a control character in the request")
    return method + b" " + target + b" HTTP/1.1\r\n" + head + b"\r\n" + body


class ResponseReader:
    """Reads the response to one request.

    method: the request's (HEAD has no body). upgrade: the request asked for an upgrade. Memory: at most MAX_HEAD bytes of head,
    or trailers. Headers as in _body are those of ClientConnectionImpl::onHeadersCompleteBase, codec_impl.cc.
    """

    def __init__(self, method: str = "GET", upgrade: bool = False) -> None:
        self._method = method
        self._upgrade = upgrade
        self._state = _State.START
        self._head = bytearray()
        self._first: StatusLine | None = None
        self._first_end = 0
        self._left = 0
        self._chunks = ChunkReader()

    @property
    def ended(self) -> bool:
        """Has the last event been given?"""
        return self._state is _State.ENDED

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that these bytes complete. Bytes after the end of the response are not looked at."""
        try:
            while data and not self.ended:
                if self._state in (_State.START, _State.HEAD):
                    data = yield from self._read_head(data)
                elif self._state is _State.CHUNKS:
                    yield from self._read_chunks(data)
                    data = b""
                else:
                    data = yield from self._read_body(data)
        except HeadRefused as refused:
            self._state = _State.ENDED
            yield Refused(str(refused))

    def output(self) -> bytes:
        """HTTP/1 has nothing to answer while it reads."""
        return b""

    def eof(self) -> Event:
        """What the end of the connection means here; a RST means the same to Envoy's codec."""
        state, self._state = self._state, _State.ENDED
        match state:
            case _State.START | _State.UPGRADED:
                return Closed()
            case _State.HEAD if self._first is None:
                return Refused("cut inside the status line")
            case _State.HEAD:
                return Refused("cut inside the headers")
            case _State.UNTIL_CLOSE:
                return End()
            case _State.CHUNKS:
                return Refused("cut inside a chunked body")
            case _:
                return Refused(f"cut {self._left} bytes before the end of the body")

    def _read_head(self, data: bytes) -> Generator[Event, None, bytes]:
        if self._state is _State.START:
            if data[:1] != b"H":
                raise HeadRefused("what came is no HTTP response")
            self._state = _State.HEAD
        before = len(self._head)
        self._head += data[: MAX_HEAD - before]
        if self._first is None and (newline := self._head.find(b"\n", before)) >= 0:
            self._first = status_line(bytes(self._head[: newline + 1]))
            self._first_end = newline + 1
        found = _END_OF_HEAD.search(self._head, max(before - 2, self._first_end - 1, 0)) if self._first else None
        if found is None or self._first is None:
            if len(self._head) >= MAX_HEAD:
                raise HeadRefused("headers larger than 80 KiB")
            return b""
        block = bytes(self._head[self._first_end : found.end()])
        if re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", self._head[: self._first_end]):
            raise HeadRefused("a control character in the status line")
        rest = data[found.end() - before :]
        headers = header_lines(block)
        first, self._first = self._first, None
        self._head.clear()
        yield from self._enter_body(first, headers)
        return rest

    def _enter_body(self, first: StatusLine, headers: Headers) -> Iterator[Event]:
        """Say what came, and choose how the body is read."""
        status = first.status
        chunked, length = _check(status, headers)
        if 100 <= status < 200 and status != 101:
            self._state = _State.START
            if status in INTERIM:
                yield Interim(status)
            return
        yield Head(status, first.version, headers, first.reason)
        if self._method == "CONNECT" and 200 <= status < 300:  # a length says nothing there (RFC 9110, 9.3.6)
            self._state = _State.UNTIL_CLOSE
        elif self._method == "HEAD" or status in (101, 204, 304) or length == 0:
            self._state = _State.ENDED
            yield End()
        elif self._upgrade and _is_upgrade(headers):
            self._state = _State.UPGRADED
        elif chunked:
            self._state = _State.CHUNKS
        elif length is None:
            self._state = _State.UNTIL_CLOSE
        else:
            self._state = _State.LENGTH
            self._left = length

    def _read_body(self, data: bytes) -> Generator[Event, None, bytes]:
        if self._state in (_State.UNTIL_CLOSE, _State.UPGRADED):
            yield Data(data)
            return b""
        piece, rest = data[: self._left], data[self._left :]
        self._left -= len(piece)
        yield Data(piece)
        if not self._left:
            self._state = _State.ENDED
            yield End()
        return rest

    def _read_chunks(self, data: bytes) -> Iterator[Event]:
        try:
            for piece in self._chunks.feed(data):
                yield Data(piece)
        except ChunkRefused as refused:
            self._state = _State.ENDED
            yield Refused(str(refused))
            return
        if self._chunks.done:
            self._state = _State.ENDED
            yield End()


def _check(status: int, headers: Headers) -> tuple[bool, int | None]:
    """Envoy's own checks of a head that Balsa has taken: is the body chunked, and how long is it?"""
    if too_many(headers):
        raise HeadRefused("more than 100 headers")
    length = content_length(headers, status)
    codings = [value.lower() for value in values(headers, b"transfer-encoding")]
    if codings and values(headers, b"content-length"):
        raise HeadRefused("Transfer-Encoding together with a length")
    if codings and [coding for coding in codings if coding] != [b"chunked"]:
        raise HeadRefused("a Transfer-Encoding other than chunked")
    if status < 200 or status == 204:
        if codings:
            raise HeadRefused(f"a {status} response that announces a body")
        if any(value != b"0" for value in values(headers, b"content-length")):
            raise HeadRefused(f"a {status} response that announces a body")
    return codings[-1:] == [b"chunked"], length


def _is_upgrade(headers: Headers) -> bool:
    """Do the headers agree to an upgrade, whatever the status? Utility::isUpgrade, source/common/http/utility.cc."""
    connection = b",".join(values(headers, b"connection")).lower()
    return bool(values(headers, b"upgrade")) and b"upgrade" in (token.strip() for token in connection.split(b","))
