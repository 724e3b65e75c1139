"""TLS over an open stream: the handshake, and the stream that it leaves."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from .first_flight import HEADER, MAJOR, FirstFlight
from .stream import CHUNK, Stream, TLSBroken
from .tls import Broken, Closed, Engine

KEPT = 4096  # bytes; the plain part of a handshake is shorter where no certificate comes in it


class NotTLS(Exception):
    """The first bytes are no record of TLS."""

    def __init__(self, first: bytes) -> None:
        super().__init__("the first bytes are no TLS record")
        self.first = first


class TLSStream:
    """A TLS connection after its handshake (net.stream.Stream)."""

    def __init__(self, stream: Stream, engine: Engine) -> None:
        self._stream = stream
        self._engine = engine
        self.renegotiation = False
        """Has the server asked for a second handshake? TLS 1.2 knows no other reason to answer before the client is done."""

    async def receive(self) -> bytes:
        while True:
            try:
                data = self._engine.read(CHUNK)
            except Broken as error:
                await self._parting()
                raise TLSBroken(str(error), error.alert) from error
            out = self._engine.take()  # an answer to a key update or a renegotiation
            if out:
                self.renegotiation = self._engine.version == "TLSv1.2"
                await self._stream.send(out)
            if data is not None:
                return data
            came = await self._stream.receive()
            if not came:
                return b""
            self._engine.feed(came)

    async def send(self, data: bytes) -> None:
        try:
            self._engine.write(data)
        except Broken as error:
            raise TLSBroken(str(error), error.alert) from error
        await self._stream.send(self._engine.take())

    def close(self) -> None:
        self._stream.close()

    async def _parting(self) -> None:
        """Our alert, so that the server's log can name what went wrong; as Envoy does."""
        with contextlib.suppress(OSError):
            await self._stream.send(self._engine.take())


class Handshake:
    """A handshake in progress, or how far it came."""

    def __init__(self, stream: Stream, engine: Engine, offered: Sequence[str] = ()) -> None:
        self._stream = stream
        self._engine = engine
        self.flight = FirstFlight(offered)
        """The server's plain part, as BoringSSL sees it. offered: the protocols of ALPN."""
        self.first = b""
        """The first bytes that came, for a look at what OpenSSL does not tell."""

    async def run(self) -> TLSStream:
        """Raises NotTLS, first_flight.Ended, tls.Closed, tls.Broken, and OSError as the system gives it."""
        greeted = False
        while True:
            try:
                complete = self._engine.handshake()
            except Broken:
                with contextlib.suppress(OSError):
                    await self._stream.send(self._engine.take())
                raise
            out = self._engine.take()
            if out:
                if not greeted:
                    self.flight.sent(out)
                    greeted = True
                await self._stream.send(out)
            if self.flight.ended:
                raise self.flight.ended
            if complete:
                return TLSStream(self._stream, self._engine)
            came = await self._stream.receive()
            if not came:
                raise Closed
            self._look(came)
            self._engine.feed(self.flight.feed(came))

    def _look(self, came: bytes) -> None:
        """BoringSSL reads a whole record header before it judges it (ssl/tls_record.cc, tls_open_record)."""
        seen = len(self.first)
        if seen < KEPT:
            self.first += came[: KEPT - seen]
        if seen < HEADER <= len(self.first) and self.first[1] != MAJOR:
            raise NotTLS(self.first)
