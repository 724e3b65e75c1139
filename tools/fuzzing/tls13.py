"""A server's first flight of TLS 1.3, encrypted for the ClientHello that it answers (RFC 8446, 7.1; RFC 5869)."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY = X25519PrivateKey.from_private_bytes(b"k" * 32)
X25519, KEY_SHARE = 29, 51
AES_128_GCM_SHA256 = b"\x13\x01"
HANDSHAKE, DATA = 22, 23
LONGEST = 16384
EMPTY = hashlib.sha256().digest()


def flight(client_hello: bytes, messages: bytes) -> bytes:
    """A ServerHello, and messages of the handshake behind it. client_hello: its record."""
    asked = client_hello[5:]
    session, shared = _read(asked)
    own = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    extensions = b"\0\x2b\0\2\3\4" + b"\0\x33\0\x24\0\x1d\0\x20" + own
    hello = b"\3\3" + b"\x11" * 32 + bytes((len(session),)) + session + AES_128_GCM_SHA256 + b"\0"
    hello += len(extensions).to_bytes(2) + extensions
    hello = b"\x02" + len(hello).to_bytes(3) + hello
    secret = _traffic_secret(KEY.exchange(X25519PublicKey.from_public_bytes(shared)), asked + hello)
    out = bytes((HANDSHAKE, 3, 3)) + len(hello).to_bytes(2) + hello
    pieces = [messages[at : at + LONGEST] for at in range(0, len(messages), LONGEST)]
    return out + b"".join(_protected(secret, number, piece) for number, piece in enumerate(pieces))


def _read(hello: bytes) -> tuple[bytes, bytes]:
    """The session ID and the X25519 key share of a ClientHello, b"" where it has none."""
    at = 39 + hello[38]
    session = hello[39:at]
    at += 2 + int.from_bytes(hello[at : at + 2])
    at += 1 + hello[at] + 2
    while at < len(hello):
        kind, size = int.from_bytes(hello[at : at + 2]), int.from_bytes(hello[at + 2 : at + 4])
        body, at = hello[at + 4 : at + 4 + size], at + 4 + size
        if kind == KEY_SHARE:
            shares = body[2:]
            while shares:
                length = int.from_bytes(shares[2:4])
                if int.from_bytes(shares[:2]) == X25519:
                    return session, shares[4 : 4 + length]
                shares = shares[4 + length :]
    raise ValueError("a ClientHello without a key share of X25519")


def _traffic_secret(shared: bytes, transcript: bytes) -> bytes:
    """server_handshake_traffic_secret."""
    early = _extract(bytes(32), bytes(32))
    handshake = _extract(_expand(early, b"derived", EMPTY, 32), shared)
    return _expand(handshake, b"s hs traffic", hashlib.sha256(transcript).digest(), 32)


def _protected(secret: bytes, number: int, piece: bytes) -> bytes:
    key, iv = _expand(secret, b"key", b"", 16), _expand(secret, b"iv", b"", 12)
    plain = piece + bytes((HANDSHAKE,))
    head = bytes((DATA, 3, 3)) + (len(plain) + 16).to_bytes(2)
    nonce = (int.from_bytes(iv) ^ number).to_bytes(12)
    return head + AESGCM(key).encrypt(nonce, plain, head)


def _extract(salt: bytes, material: bytes) -> bytes:
    return hmac.digest(salt, material, "sha256")


def _expand(secret: bytes, label: bytes, context: bytes, size: int) -> bytes:
    """HKDF-Expand-Label, of one block."""
    label = b"tls13 " + label
    info = size.to_bytes(2) + bytes((len(label),)) + label + bytes((len(context),)) + context
    return hmac.digest(secret, info + b"\1", "sha256")[:size]
