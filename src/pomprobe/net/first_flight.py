"""What a server says before anything is encrypted, read as BoringSSL reads it: OpenSSL is told only what BoringSSL takes.

Records: ssl/tls_record.cc (tls_open_record, ssl_process_alert); messages: ssl/s3_both.cc (tls_open_handshake), whole ones alone; their
order: ssl/handshake_client.cc. BoringSSL looks at the first byte of a plain record's version and waits for what is not all there; OpenSSL
judges the rest of the version and the beginnings. What a certificate is worth, and every key, is left to OpenSSL and verify.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from enum import Enum

from . import leaf, server_hello
from .server_hello import ServerHello
from .tls_words import (
    ALERT,
    BAD_ALERT,
    BAD_MAC,
    CHANGE_CIPHER_SPEC,
    DATA,
    DATA_TOO_LONG,
    ENCRYPTED_TOO_LONG,
    EXCESS,
    HANDSHAKE,
    LONGEST_RECORD,
    TOO_LONG,
    TOO_MANY_EMPTY,
    TOO_MANY_WARNINGS,
    TOO_SHORT,
    UNEXPECTED_MESSAGE,
    UNEXPECTED_RECORD,
    UNKNOWN_ALERT,
    WRONG_VERSION,
)

HEADER, LONGEST_PLAIN = 5, 16384  # bytes of a record
MAJOR = 3  # first byte of a record's version, in every TLS there is
VERSION = b"\x03\x03"
CERTIFICATE, DONE = 11, 14  # types of messages
LONGEST_MESSAGE = 100 * 1024  # ssl_max_handshake_message_len of a client
TAG = 16  # bytes of authentication at the end of an encrypted record
MOST_EMPTY, MOST_WARNINGS = 32, 4  # kMaxEmptyRecords, kMaxWarningAlerts
WARNING, FATAL, CLOSE_NOTIFY, USER_CANCELLED = 1, 2, 0, 90


class _Await(Enum):
    """What comes next."""

    HELLO = 0
    SECOND_HELLO = 1  # after a HelloRetryRequest
    CERTIFICATE = 2
    FLIGHT = 3  # the rest of the first flight of TLS 1.2
    ENCRYPTED = 4  # the first record after the ServerHello of TLS 1.3
    ANYTHING = 5  # OpenSSL's


class Ended(Exception):
    """BoringSSL ends the handshake here. words: its error queue, "" for none; alert: of the server, if that is why."""

    def __init__(self, words: str = "", alert: int | None = None) -> None:
        super().__init__(words)
        self.words = words
        self.alert = alert


class FirstFlight:
    """Bytes of the server go in with `feed`; what OpenSSL may see of them comes out, and an end where there is one.

    Never holds more than a message and a record.
    """

    def __init__(self, offered: Sequence[str]) -> None:
        self._offered = offered
        self._session_id = b""
        self._await = _Await.HELLO
        self._came = b""
        self._content = b""
        self._empty = self._warnings = 0
        self.hello: ServerHello | None = None
        """The last ServerHello that could be read."""
        self.ended: Ended | None = None
        self.chain: list[bytes] = []
        """What the server sent as certificates in TLS 1.2, leaf first."""
        self.refused: Sequence[str | None] = (None, None)
        """What Envoy 1.37 and 1.40 have against that message, None for nothing."""

    @property
    def in_flight(self) -> bool:
        """Has the first flight of a TLS 1.2 server begun, and not ended?"""
        return self._await in (_Await.CERTIFICATE, _Await.FLIGHT)

    @property
    def on_client_hello(self) -> bool:
        """Is it the ClientHello that the server has not answered yet?"""
        return self._await is _Await.HELLO

    def sent(self, client_hello: bytes) -> None:
        """The first record that went to the server."""
        self._session_id = server_hello.sent_session_id(client_hello)

    def feed(self, data: bytes) -> bytes:
        """What OpenSSL is to see now. Sets `ended` at an error; what came before it is given all the same."""
        self._came += data
        out = b""
        try:
            while not self._is_over and (record := self._record()):
                out += self._encrypted(*record) if self._await is _Await.ENCRYPTED else self._plain(*record)
        except _Stop as stop:
            self.ended = stop.ended
            return out + stop.before
        if self._is_over:
            out, self._came = out + self._came, b""
        return out

    @property
    def _is_over(self) -> bool:
        return self._await is _Await.ANYTHING

    def _record(self) -> tuple[int, bytes] | None:
        """Content type and body of the next record, None before it is all there."""
        if len(self._came) < HEADER:
            return None
        version, length = self._came[1:3], int.from_bytes(self._came[3:5])
        if version[0] != MAJOR or (self._await is _Await.ENCRYPTED and version != VERSION):
            raise _Stop(WRONG_VERSION)
        if length > LONGEST_RECORD:
            raise _Stop(ENCRYPTED_TOO_LONG)
        if len(self._came) < HEADER + length:
            return None
        kind, body = self._came[0], self._came[HEADER : HEADER + length]
        self._came = self._came[HEADER + length :]
        return kind, body

    def _encrypted(self, kind: int, body: bytes) -> bytes:
        """Only what cannot be decrypted is judged here."""
        if self._is_filler(kind, body):
            return b""
        if len(body) < TAG:
            raise _Stop(TOO_SHORT)
        if kind != DATA:
            raise _Stop(BAD_MAC)
        self._await = _Await.ANYTHING
        return _record(kind, body)

    def _plain(self, kind: int, body: bytes) -> bytes:
        if self._await is _Await.SECOND_HELLO and self._is_filler(kind, body):
            return b""
        if len(body) > LONGEST_PLAIN:
            raise _Stop(DATA_TOO_LONG)
        if body:
            self._empty = 0
        else:
            self._count_empty()
        if kind == ALERT:
            self._alert(body)
            return b""
        if kind != HANDSHAKE:
            raise _Stop(UNEXPECTED_RECORD)
        self._warnings = 0
        self._content += body
        return self._messages()

    def _is_filler(self, kind: int, body: bytes) -> bool:
        """A ChangeCipherSpec of TLS 1.3 says nothing."""
        if kind != CHANGE_CIPHER_SPEC or body != b"\x01":
            return False
        self._count_empty()
        return True

    def _count_empty(self) -> None:
        self._empty += 1
        if self._empty > MOST_EMPTY:
            raise _Stop(TOO_MANY_EMPTY)

    def _alert(self, body: bytes) -> None:
        if len(body) != 2:
            raise _Stop(BAD_ALERT)
        level, number = body
        if level == FATAL:
            raise _Stop(alert=number)
        if level != WARNING:
            raise _Stop(UNKNOWN_ALERT)
        if number == CLOSE_NOTIFY:
            raise _Stop()
        if self._await is _Await.SECOND_HELLO and number != USER_CANCELLED:
            raise _Stop(BAD_ALERT)
        self._warnings += 1
        if self._warnings > MOST_WARNINGS:
            raise _Stop(TOO_MANY_WARNINGS)

    def _messages(self) -> bytes:
        """The whole messages that are there, each checked, in records of their own."""
        out = b""
        while len(self._content) >= 4 and self._await not in (_Await.ENCRYPTED, _Await.ANYTHING):
            size = 4 + int.from_bytes(self._content[1:4])
            if size > 4 + LONGEST_MESSAGE:
                raise _Stop(TOO_LONG, before=out)
            if size > len(self._content):
                break
            message, self._content = self._content[:size], self._content[size:]
            try:
                self._message(message[0], message[4:])
            except _Stop as stop:
                raise _Stop(stop.ended.words, before=out) from None
            out += b"".join(_record(HANDSHAKE, message[at : at + LONGEST_PLAIN]) for at in range(0, size, LONGEST_PLAIN))
            if self._content and self._await in (_Await.SECOND_HELLO, _Await.ENCRYPTED, _Await.ANYTHING):
                raise _Stop(EXCESS, before=out)
        return out

    def _message(self, kind: int, body: bytes) -> None:
        match self._await:
            case _Await.HELLO | _Await.SECOND_HELLO:
                self._hello(kind, body)
            case _Await.CERTIFICATE:
                if kind != CERTIFICATE:
                    raise _Stop(UNEXPECTED_MESSAGE)
                assert self.hello is not None  # comes before
                self._certificates(body, self.hello.cipher)
                self._await = _Await.FLIGHT
            case _Await.FLIGHT if kind == DONE:
                self._await = _Await.ANYTHING

    def _hello(self, kind: int, body: bytes) -> None:
        words = server_hello.complaint(kind, body, self._session_id, self._offered, self.hello)
        with suppress(server_hello.Malformed):
            self.hello = server_hello.read(body)
        if words is not None:
            raise _Stop(words)
        hello = self.hello
        assert hello is not None  # it was taken, so it was read
        again = self._await is _Await.HELLO and hello.is_retry
        self._await = (_Await.SECOND_HELLO if again else _Await.ENCRYPTED) if hello.is_13 else _Await.CERTIFICATE

    def _certificates(self, body: bytes, cipher: int) -> None:
        self.chain = leaf.split(body, modern=False)
        self.refused = tuple(leaf.complaint(body, cipher, modern=False, later=later) for later in (False, True))
        if None not in self.refused:  # where one of them goes on, so does OpenSSL
            raise _Stop(self.refused[0] or "")


class _Stop(Exception):
    """The end of the handshake, and what OpenSSL may still see before it."""

    def __init__(self, words: str = "", alert: int | None = None, before: bytes = b"") -> None:
        super().__init__(words)
        self.ended = Ended(words, alert)
        self.before = before


def _record(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + VERSION + len(body).to_bytes(2) + body
