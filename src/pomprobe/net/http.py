"""One request over a connection that is open already, and its response as Envoy's codecs would read it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Protocol

import anyio
import anyio.lowlevel

from ..record import Record
from . import http1
from .http_events import Closed, Data, End, Event, Head, Headers, Interim, Refused, Reset
from .stream import CHUNK, Stream, TLSBroken

FIRST = 64
"""Bytes of the server's answer that are kept, so that a person can be told what it speaks."""

Unsendable = http1.Unsendable
Ending = Refused | Closed | Reset
_HOP_BY_HOP = frozenset((b"host", b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"))


class Broken(Exception):
    """The exchange did not come to its end. ending: as the codec saw it; the rest: how the connection went.

    closed: the connection ended (or TLS broke), in contrast to bytes that are refused. reset: with a RST. alert: that of TLS.
    first: the first bytes that came.
    """

    def __init__(self, ending: Ending, *, closed: bool, reset: bool, alert: int | None, first: bytes, message: str = "") -> None:
        super().__init__(message or repr(ending))
        self.ending = ending
        self.closed = closed
        self.reset = reset
        self.alert = alert
        self.first = first


class Codec(Protocol):
    """What HTTP/1 and HTTP/2 have in common."""

    @property
    def ended(self) -> bool: ...

    def feed(self, data: bytes) -> Iterator[Event]: ...

    def output(self) -> bytes: ...

    def eof(self) -> Event: ...


class Request(Record, frozen=True):
    """A request that goes out exactly like this: Host first, then the headers in their order, and nothing else.

    Text is sent in UTF-8, as it stands in the config and as Envoy passes it on. scheme: HTTP/2's pseudo-header.
    """

    method: str
    target: str
    host: str
    headers: tuple[tuple[str, str], ...] = ()
    scheme: str = "https"
    body: bytes = b""
    zeros: int = 0  # a body of so many bytes that is sent while the response is read; HTTP/1 alone

    @property
    def upgrades(self) -> bool:
        """Does it ask for another protocol?"""
        return any(name.lower() == "upgrade" for name, _ in self.headers)


class Response:
    """The head of a response. raw: its headers in their order, names in lower case. version: "HTTP/1.1" or as sent, "HTTP/2"."""

    def __init__(self, head: Head) -> None:
        self.status = head.status
        self.version = head.version
        self.reason = head.reason
        self.raw = head.headers

    @cached_property
    def headers(self) -> dict[str, str]:
        """Value by lower-case name; those of one name are joined by commas (RFC 9110, 5.3)."""
        return by_name(self.raw)


def by_name(raw: Headers) -> dict[str, str]:
    """Headers or trailers as text."""
    found: dict[str, str] = {}
    for name, value in raw:
        key, text = _text(name), _text(value)
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


class Exchange:
    """One request, prepared here, and its response over an open stream, which stays its owner's to close.

    on_interim: called for each 100, 102, 103 and 104. trailers: HTTP/2's, once the body has been read. Raises Unsendable.
    Sending and reading raise Broken, nothing else; the response's body comes piece by piece, never decompressed.
    """

    def __init__(self, stream: Stream, request: Request, *, http2: bool = False, on_interim: Callable[[], None] = lambda: None) -> None:
        self.trailers: Headers = ()
        self._stream = stream
        self._on_interim = on_interim
        self._codec, self._request = _over_http2(request) if http2 else _over_http1(request)
        self._zeros = request.zeros
        self._events: deque[Event] = deque()
        self._first = b""
        self._reset = False
        self._alert: int | None = None
        self._closed = False
        self._message = ""
        self._ended = False

    async def ask(self) -> Response:
        """Send the request and read the head of its response. Raises Broken."""
        await self._send(self._request)
        if not self._zeros:
            return await self._head()
        came: Response | Broken
        async with anyio.create_task_group() as group:
            group.start_soon(self._pour)
            try:
                came = await self._head()
            except Broken as broken:
                came = broken
            group.cancel_scope.cancel()  # who has answered wants no more (Envoy resets the stream)
        if isinstance(came, Broken):
            raise came
        return came

    async def _pour(self) -> None:
        """Send the body, as fast as it is taken."""
        left = self._zeros
        while left and not self._message:
            await self._send(bytes(min(left, CHUNK)))
            left -= min(left, CHUNK)
            await anyio.lowlevel.checkpoint()

    async def _head(self) -> Response:
        while True:
            match await self._next():
                case Interim():
                    self._on_interim()
                case Head() as head:
                    return Response(head)

    async def piece(self) -> bytes | None:
        """The next piece of the body; None at its end. Raises Broken."""
        if not self._ended:
            event = await self._next()
            if isinstance(event, Data):
                return event.content
            self._ended = True
            self.trailers = event.trailers if isinstance(event, End) else ()
        return None

    async def _send(self, data: bytes) -> None:
        """A server may answer and close before it has read: what it said is still to be read (Envoy reads it, too)."""
        try:
            await self._stream.send(data)
        except OSError as error:
            self._reset = self._reset or isinstance(error, ConnectionResetError)
            self._message = str(error)
        except TLSBroken as error:
            self._alert = error.alert
            self._message = str(error)

    async def _next(self) -> Event:
        """The next event; raises Broken for one that ends the exchange early."""
        while not self._events:
            data = await self._receive()
            if data:
                self._first += data[: FIRST - len(self._first)]
                self._events.extend(self._codec.feed(data))
                if out := self._codec.output():
                    await self._send(out)
            else:
                self._closed = True
                self._events.append(self._codec.eof())
        event = self._events.popleft()
        if isinstance(event, Refused | Closed | Reset):
            raise Broken(event, closed=self._closed, reset=self._reset, alert=self._alert, first=self._first, message=self._message)
        return event

    async def _receive(self) -> bytes:
        """What has come; b"" at the end, however the connection ended: Envoy's codec sees no difference."""
        try:
            return await self._stream.receive()
        except TLSBroken as error:
            self._alert = error.alert
            self._message = str(error)
        except OSError as error:
            self._reset = True
            self._message = str(error)
        return b""


def _over_http1(request: Request) -> tuple[Codec, bytes]:
    upgrades = request.upgrades
    own = b"Host" if upgrades else b"host"  # as browsers write it where they upgrade
    fields = ((own, request.host.encode()), *_encoded(request))
    written = http1.request(request.method.encode("ascii"), request.target.encode(), fields, request.body)
    return http1.ResponseReader(request.method, upgrades), written


def _over_http2(request: Request) -> tuple[Codec, bytes]:
    from .http2 import Http2Codec  # its tables take longer to load than most answers

    codec = Http2Codec(request.method)
    connect = request.method == "CONNECT"  # has no scheme and no path, and leaves the stream open (RFC 9113, 8.5)
    method, authority = (b":method", request.method.encode("ascii")), (b":authority", request.host.encode())
    rest = ((b":scheme", request.scheme.encode()), authority, (b":path", request.target.encode()))
    pseudo = (method, authority) if connect else (method, *rest)
    fields = ((name.lower(), value) for name, value in _encoded(request) if name.lower() not in _HOP_BY_HOP)
    return codec, codec.request((*pseudo, *fields), request.body, ends=not connect)


def _encoded(request: Request) -> Headers:
    return tuple((name.encode(), value.encode()) for name, value in request.headers)
