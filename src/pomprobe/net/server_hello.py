"""The server's first message, for what BoringSSL is stricter about than OpenSSL, and for what OpenSSL does not tell apart.

RFC 8446, 4.1.3, and RFC 5246, 7.4.1.3; BoringSSL's ssl/handshake_client.cc (do_read_server_hello) and ssl/extensions.cc.
"""

from __future__ import annotations

from dataclasses import dataclass

from .tls_words import BAD_EXTENSION, EXTENSION, ssl

SERVER_NAME, GROUPS, POINT_FORMATS, ALPN, EXTENDED_MASTER_SECRET, TICKET = 0, 10, 11, 16, 23, 35
PRE_SHARED_KEY, SUPPORTED_VERSIONS, KEY_SHARE, COOKIE, RENEGOTIATION = 41, 43, 51, 44, 0xFF01

EXPECTED = {SERVER_NAME, GROUPS, POINT_FORMATS, ALPN, EXTENDED_MASTER_SECRET, TICKET, RENEGOTIATION, SUPPORTED_VERSIONS}
"""What a server may answer to Envoy's offer on TLS 1.2."""
EXPECTED_13 = {SUPPORTED_VERSIONS, KEY_SHARE, PRE_SHARED_KEY, COOKIE}
EMPTY = {SERVER_NAME, EXTENDED_MASTER_SECRET}

UNEXPECTED = ssl(268435678, "UNEXPECTED_EXTENSION")
ECHOED = ssl(268435742, "SERVER_ECHOED_INVALID_SESSION_ID")


@dataclass(frozen=True, slots=True)
class ServerHello:
    """The parts that matter. extensions: type and content, in order."""

    session_id: bytes
    extensions: tuple[tuple[int, bytes], ...]

    @property
    def is_13(self) -> bool:
        return any(kind == SUPPORTED_VERSIONS for kind, _ in self.extensions)

    @property
    def alpn(self) -> str:
        """The protocol that a TLS 1.2 server selects, "" where it selects none (or none that can be read)."""
        for kind, content in self.extensions:
            if kind == ALPN and len(content) > 3 and content[2] == len(content) - 3:
                return content[3:].decode("latin-1")
        return ""


def read(came: bytes) -> ServerHello | None:
    """The ServerHello at the beginning of what came, None where it is something else or not complete in its first record."""
    if len(came) < 49 or came[0] != 22 or came[5] != 2:
        return None
    end = 9 + int.from_bytes(came[6:9])
    start = 44 + came[43]  # record and message header, version, random; then the session ID behind its length
    if end > len(came) or start + 5 > end:
        return None
    extensions = []
    position = start + 5  # cipher suite, compression, length of the extensions
    while position + 4 <= end:
        kind, size = int.from_bytes(came[position : position + 2]), int.from_bytes(came[position + 2 : position + 4])
        extensions.append((kind, came[position + 4 : position + 4 + size]))
        position += 4 + size
    return ServerHello(came[44:start], tuple(extensions))


def complaint(hello: ServerHello, session_id: bytes) -> str:
    """BoringSSL's error for a ServerHello that OpenSSL takes, "" for none. session_id: what the client sent."""
    expected = EXPECTED_13 if hello.is_13 else EXPECTED
    if any(kind not in expected for kind, _ in hello.extensions):
        return UNEXPECTED if hello.is_13 else f"{UNEXPECTED}|{BAD_EXTENSION}"
    if hello.is_13:
        return ""
    if any(kind in EMPTY and content for kind, content in hello.extensions):
        return EXTENSION
    return ECHOED if session_id and hello.session_id == session_id else ""


def bad_extension(hello: ServerHello) -> str:
    """BoringSSL's words for an extension of TLS 1.2 that OpenSSL calls bad: it does not read as it should, or stands twice."""
    kinds = [kind for kind, _ in hello.extensions]
    return EXTENSION if len(set(kinds)) == len(kinds) and ({ALPN, *EMPTY} & set(kinds)) else BAD_EXTENSION


def sent_session_id(client_hello: bytes) -> bytes:
    """The session ID of a ClientHello in its record."""
    return client_hello[44 : 44 + client_hello[43]] if len(client_hello) > 43 else b""
