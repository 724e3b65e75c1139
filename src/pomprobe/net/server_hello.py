"""The server's first message, judged as BoringSSL judges it: OpenSSL is milder in places, and has one word for what BoringSSL tells apart.

RFC 8446, 4.1.3, and RFC 5246, 7.4.1.3; BoringSSL's ssl/handshake_client.cc (do_read_server_hello), ssl/tls13_client.cc and
ssl/extensions.cc, in the order in which they check. What is encrypted, and the certificate, is left to others.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..record import Record
from .tls_words import (
    BAD_EXTENSION,
    BAD_POINT,
    DECODE_ERROR,
    DOWNGRADE,
    EMPTY_RETRY,
    EXTENSION,
    MISSING_KEY_SHARE,
    RENEGOTIATION_ENCODING,
    RENEGOTIATION_MISMATCH,
    UNEXPECTED_MESSAGE,
    UNSUPPORTED_COMPRESSION,
    UNSUPPORTED_PROTOCOL,
    WRONG_CIPHER,
    WRONG_CURVE,
    ssl,
)

SERVER_HELLO = 2  # type of a message
SERVER_NAME, GROUPS, POINT_FORMATS, SIGNATURES, ALPN, EXTENDED_MASTER_SECRET, TICKET = 0, 10, 11, 13, 16, 23, 35
SUPPORTED_VERSIONS, COOKIE, KEY_MODES, KEY_SHARE, RENEGOTIATION = 43, 44, 45, 51, 0xFF01

ANSWERABLE = {SERVER_NAME, GROUPS, POINT_FORMATS, ALPN, EXTENDED_MASTER_SECRET, TICKET, RENEGOTIATION}
"""What Envoy offers and a TLS 1.2 server may answer."""
FORBIDDEN = {SIGNATURES, SUPPORTED_VERSIONS, KEY_MODES, KEY_SHARE}
"""What Envoy offers and a TLS 1.2 server may not answer."""

TLS12, TLS13 = 0x0303, 0x0304
CIPHERS_12 = (0xC02C, 0xC030, 0xC02B, 0xC02F, 0xCCA9, 0xCCA8, 0xC009, 0xC013, 0x009C, 0x002F, 0xC00A, 0xC014, 0x009D, 0x0035)
"""Pomerium's cipher_suites."""
CIPHERS_13 = (0x1301, 0x1302, 0x1303)
X25519, CURVES = 0x001D, (0x001D, 0x0017, 0x0018, 0x0019)
"""The group of Envoy's only key share, and all that it offers."""

RETRY = bytes.fromhex("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C")
"""The random of a HelloRetryRequest."""
DOWNGRADED = (b"DOWNGRD\x00", b"DOWNGRD\x01", bytes.fromhex("ED BF B4 A8 C2 47 10 FF"))
"""The end of a random that says that the server could have done TLS 1.3; the last one is of Java 11."""

UNEXPECTED = ssl(268435678, "UNEXPECTED_EXTENSION")
DUPLICATE = ssl(268435713, "DUPLICATE_EXTENSION")
ECHOED = ssl(268435742, "SERVER_ECHOED_INVALID_SESSION_ID")
INVALID_ALPN = ssl(268435715, "INVALID_ALPN_PROTOCOL") + "|" + EXTENSION


class ServerHello(Record, frozen=True):
    """Its parts. extensions: type and content, in order; whole: they fill their block exactly."""

    version: int
    random: bytes
    session_id: bytes
    cipher: int
    compression: int
    extensions: tuple[tuple[int, bytes], ...]
    whole: bool

    @property
    def is_13(self) -> bool:
        return self.version == TLS12 and dict(self.extensions).get(SUPPORTED_VERSIONS) == TLS13.to_bytes(2)

    @property
    def is_retry(self) -> bool:
        """Is it a HelloRetryRequest?"""
        return self.random == RETRY

    @property
    def alpn(self) -> str:
        """The protocol that a TLS 1.2 server selects, "" where it selects none (or none that can be read)."""
        return _alpn(dict(self.extensions).get(ALPN, b""))


class Malformed(Exception):
    """It is cut, or longer than it says."""


def complaint(
    kind: int, body: bytes, session_id: bytes, offered: Sequence[str], retry: ServerHello | None = None
) -> str | None:
    """BoringSSL's error for a message that should be a ServerHello, "" for one without words, None where it is taken.

    session_id, offered: what the client sent (protocols of ALPN); retry: the HelloRetryRequest that came before.
    """
    if kind != SERVER_HELLO:
        return UNEXPECTED_MESSAGE
    try:
        hello = read(body)
    except Malformed:
        return DECODE_ERROR
    if retry is not None:
        return _second(hello, retry, session_id)
    if hello.version != TLS12:
        return DECODE_ERROR if hello.version == TLS13 else UNSUPPORTED_PROTOCOL
    if [kind for kind, _ in hello.extensions].count(SUPPORTED_VERSIONS) > 1:
        return DUPLICATE
    if not hello.whole:
        return BAD_EXTENSION
    version = dict(hello.extensions).get(SUPPORTED_VERSIONS, TLS12.to_bytes(2))
    if len(version) != 2:
        return ""
    if version == TLS13.to_bytes(2):
        return _of_13(hello, session_id) or None
    return (_of_12(hello, session_id, offered) or None) if version == TLS12.to_bytes(2) else UNSUPPORTED_PROTOCOL


def sent_session_id(client_hello: bytes) -> bytes:
    """The session ID of a ClientHello in its record."""
    return client_hello[44 : 44 + client_hello[43]] if len(client_hello) > 43 else b""


def read(body: bytes) -> ServerHello:
    """A ServerHello from the body of its message (ssl_parse_server_hello). Raises Malformed."""
    if len(body) < 35 or body[34] > 32:
        raise Malformed
    rest = 35 + body[34]
    block = body[rest + 5 :]
    if len(body) < rest + 3 or (len(body) > rest + 3 and (len(body) < rest + 5 or int.from_bytes(body[rest + 3 : rest + 5]) != len(block))):
        raise Malformed
    extensions, position = [], 0
    while position + 4 <= len(block):
        end = position + 4 + int.from_bytes(block[position + 2 : position + 4])
        if end > len(block):
            break
        extensions.append((int.from_bytes(block[position : position + 2]), block[position + 4 : end]))
        position = end
    cipher = int.from_bytes(body[rest : rest + 2])
    return ServerHello(
        int.from_bytes(body[:2]), body[2:34], body[35:rest], cipher, body[rest + 2], tuple(extensions), position == len(block)
    )


def _of_12(hello: ServerHello, session_id: bytes, offered: Sequence[str]) -> str:
    if hello.random.endswith(DOWNGRADED):
        return DOWNGRADE
    if hello.cipher not in CIPHERS_12:
        return WRONG_CIPHER
    if session_id and hello.session_id == session_id:
        return ECHOED
    if hello.compression:
        return UNSUPPORTED_COMPRESSION
    kinds = [kind for kind, _ in hello.extensions]
    if len(set(kinds)) < len(kinds):
        return BAD_EXTENSION
    for kind, content in hello.extensions:
        if kind in FORBIDDEN:
            return f"{UNEXPECTED}|{EXTENSION}"
        if kind not in ANSWERABLE or (kind == ALPN and not offered):
            return f"{UNEXPECTED}|{BAD_EXTENSION}"
        if words := _extension(kind, content, offered):
            return words
    return ""


def _extension(kind: int, content: bytes, offered: Collection[str]) -> str:
    """What is wrong with an extension of TLS 1.2: the parse_serverhello functions of ssl/extensions.cc."""
    match kind:
        case _ if kind in (SERVER_NAME, EXTENDED_MASTER_SECRET, TICKET):
            return EXTENSION if content else ""
        case _ if kind == POINT_FORMATS:
            return "" if content and content[0] == len(content) - 1 and 0 in content[1:] else EXTENSION
        case _ if kind == RENEGOTIATION:
            if not content or content[0] != len(content) - 1:
                return RENEGOTIATION_ENCODING
            return RENEGOTIATION_MISMATCH if content[0] else ""
        case _ if kind == ALPN:
            chosen = _alpn(content)
            return EXTENSION if not chosen else "" if chosen in offered else INVALID_ALPN
    return ""


def _alpn(content: bytes) -> str:
    """The one protocol of the list, "" where it is not exactly one."""
    fits = len(content) > 3 and int.from_bytes(content[:2]) == len(content) - 2 and content[2] == len(content) - 3
    return content[3:].decode("latin-1") if fits else ""


def _of_13(hello: ServerHello, session_id: bytes) -> str:
    if hello.compression or hello.session_id != session_id:
        return DECODE_ERROR
    if hello.cipher not in CIPHERS_13:
        return WRONG_CIPHER
    seen: dict[int, bytes] = {}
    if words := _unexpected(hello, seen):
        return words
    return _retried(seen) if hello.is_retry else _shared(seen.get(KEY_SHARE), X25519)


def _unexpected(hello: ServerHello, seen: dict[int, bytes]) -> str:
    """What is wrong with the kinds of its extensions; seen: gets their contents."""
    expected = {SUPPORTED_VERSIONS, KEY_SHARE} | ({COOKIE} if hello.is_retry else set())
    for kind, content in hello.extensions:
        if kind not in expected:
            return UNEXPECTED
        if kind in seen:
            return DUPLICATE
        seen[kind] = content
    return ""


def _second(hello: ServerHello, retry: ServerHello, session_id: bytes) -> str | None:
    """What is wrong with the ServerHello that follows a HelloRetryRequest (tls13_client.cc, do_read_server_hello)."""
    if hello.version != TLS12 or hello.compression or hello.session_id != session_id or not (hello.extensions or not hello.whole):
        return DECODE_ERROR
    if hello.is_retry:
        return UNEXPECTED_MESSAGE
    if hello.cipher != retry.cipher:
        return WRONG_CIPHER
    seen: dict[int, bytes] = {}
    if words := _unexpected(hello, seen):
        return words
    if not hello.whole:
        return BAD_EXTENSION
    if seen.get(SUPPORTED_VERSIONS) != TLS13.to_bytes(2):
        return ssl(268435744, "SECOND_SERVERHELLO_VERSION_MISMATCH")
    asked = dict(retry.extensions).get(KEY_SHARE)
    return _shared(seen.get(KEY_SHARE), int.from_bytes(asked) if asked else X25519) or None


def _retried(seen: dict[int, bytes]) -> str:
    """What is wrong with a HelloRetryRequest."""
    cookie, share = seen.get(COOKIE), seen.get(KEY_SHARE)
    if cookie is None and share is None:
        return EMPTY_RETRY
    if cookie is not None and (len(cookie) < 3 or int.from_bytes(cookie[:2]) != len(cookie) - 2):
        return DECODE_ERROR
    if share is None:
        return ""
    if len(share) != 2:
        return DECODE_ERROR
    group = int.from_bytes(share)
    return "" if group in CURVES and group != X25519 else WRONG_CURVE


def _shared(share: bytes | None, group: int) -> str:
    """What is wrong with the server's key share of this group; a point of a curve is left to OpenSSL."""
    if share is None:
        return MISSING_KEY_SHARE
    if len(share) < 4 or int.from_bytes(share[2:4]) != len(share) - 4:
        return DECODE_ERROR
    if int.from_bytes(share[:2]) != group:
        return WRONG_CURVE
    return "" if group != X25519 or (len(share) == 36 and any(share[4:])) else BAD_POINT
