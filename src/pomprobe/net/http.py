"""The door of httpx: a request over a connection that is open already, and its response as Envoy's codecs would read it.

httpx's Request and Response with a transport of our own; its client is not used, for its set-up takes longer than the request.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import cache
from typing import Protocol

import httpx

from . import http1
from .http_events import Closed, Data, End, Event, Head, Headers, Interim, Refused, Reset
from .stream import Stream, TLSBroken

FIRST = 64
"""Bytes of the server's answer that are kept, so that a person can be told what it speaks."""

Response = httpx.Response
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


def request(
    method: str, target: str, host: str, headers: tuple[tuple[str, str], ...] = (), *, scheme: str = "https", body: bytes = b""
) -> httpx.Request:
    """A request that goes out exactly like this: Host first, then the headers in their order, and nothing else.

    Text is sent in UTF-8, as it stands in the config and as Envoy passes it on.
    """
    own = b"Host" if any(name == "Upgrade" for name, _ in headers) else b"host"  # as browsers write it where they upgrade
    fields = [(own, host.encode()), *((name.encode(), value.encode()) for name, value in headers)]
    extensions = {"target": target.encode()}
    return httpx.Request(method, _url(scheme), headers=fields, stream=httpx.ByteStream(body), extensions=extensions)


@cache
def _url(scheme: str) -> httpx.URL:
    """httpx wants one; what is sent of it is the scheme, and to parse it takes longer than to send the request."""
    return httpx.URL(f"{scheme}://upstream/")


class OpenStreamTransport(httpx.AsyncBaseTransport):
    """One request over an open stream, which stays its owner's to close.

    on_interim: called for each 100, 102, 103 and 104. trailers: HTTP/2's, once the body has been read.
    Sending and reading raise Broken, nothing else; the response's body comes piece by piece, never decompressed.
    """

    def __init__(self, stream: Stream, *, http2: bool = False, on_interim: Callable[[], None] = lambda: None) -> None:
        self.trailers: Headers = ()
        self._stream = stream
        self._http2 = http2
        self._on_interim = on_interim
        self._codec: Codec = http1.ResponseReader()
        self._events: deque[Event] = deque()
        self._first = b""
        self._reset = False
        self._alert: int | None = None
        self._closed = False
        self._message = ""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and read the head of its response."""
        assert isinstance(request.stream, httpx.AsyncByteStream)
        body = b"".join([piece async for piece in request.stream])
        await self._send(self._begin(request, body))
        while True:
            match await self._next():
                case Interim():
                    self._on_interim()
                case Head() as head:
                    extensions = {"http_version": head.version.encode(), "reason_phrase": head.reason.encode("latin-1")}
                    headers = httpx.Headers(list(head.headers))
                    return httpx.Response(head.status, headers=headers, stream=Body(self), request=request, extensions=extensions)

    async def piece(self) -> bytes | None:
        """The next piece of the body; None at its end."""
        event = await self._next()
        if isinstance(event, Data):
            return event.content
        if isinstance(event, End):
            self.trailers = event.trailers
        return None

    def _begin(self, request: httpx.Request, body: bytes) -> bytes:
        """Choose the codec, and write the request in its way."""
        method, target = request.method.encode("ascii"), request.extensions["target"]
        headers = tuple(request.headers.raw)
        if not self._http2:
            self._codec = http1.ResponseReader(request.method, "upgrade" in request.headers)
            return http1.request(method, target, headers, body)
        from .http2 import Http2Codec  # its tables take longer to load than most answers

        codec = self._codec = Http2Codec(request.method)
        host = request.headers["host"].encode()
        pseudo = ((b":method", method), (b":scheme", request.url.raw_scheme), (b":authority", host), (b":path", target))
        connect = method == b"CONNECT"  # has no scheme and no path, and leaves the stream open (RFC 9113, 8.5)
        own = (pseudo[0], pseudo[2]) if connect else pseudo
        sent = (*own, *((name.lower(), value) for name, value in headers if name.lower() not in _HOP_BY_HOP))
        return codec.request(sent, body, ends=not connect)

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


class Body(httpx.AsyncByteStream):
    """The body of a response, piece by piece as it comes; an iterator of its own, so that it can be left at any point."""

    def __init__(self, transport: OpenStreamTransport) -> None:
        self._transport = transport
        self._done = False

    def __aiter__(self) -> Body:
        return self

    async def __anext__(self) -> bytes:
        piece = await self.piece()
        if not piece and self._done:
            raise StopAsyncIteration
        return piece

    async def piece(self) -> bytes:
        """The next piece; b"" at the end of the body."""
        piece = None if self._done else await self._transport.piece()
        self._done = self._done or piece is None
        return piece or b""
