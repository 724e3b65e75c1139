"""Answers to a ClientHello, written by hand, right and wrong; handshake_envoy.txt holds what a real Envoy 1.37 made of each.

In the recording "closed" is a handshake that the FIN behind the bytes ended (Envoy found nothing wrong before it); else it is what
Envoy has between `TLS_error:|` and `:TLS_error_end`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from servers.certificates import HOST, Pair, mint, root, unknown

Answer = Callable[[bytes], bytes]
"""From the ClientHello to what the server sends."""

CASES: dict[str, Answer] = {}

RANDOM = b"\x11" * 32
RETRY = bytes.fromhex("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C")  # RFC 8446, 4.1.3
TLS12 = 0x0303


def case(name: str, answer: bytes | Answer) -> None:
    assert name not in CASES, name
    CASES[name] = answer if callable(answer) else lambda _: answer


def record(kind: int, body: bytes, version: bytes = b"\x03\x03") -> bytes:
    return bytes((kind,)) + version + len(body).to_bytes(2) + body


def message(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + len(body).to_bytes(3) + body


def shake(*messages: bytes) -> bytes:
    """Each message in a record of its own."""
    return b"".join(record(22, one) for one in messages)


def extension(kind: int, body: bytes = b"") -> bytes:
    return kind.to_bytes(2) + len(body).to_bytes(2) + body


def hello(
    extensions: bytes | None = b"",
    *,
    version: int = TLS12,
    random: bytes = RANDOM,
    session_id: bytes = b"",
    cipher: int = 0xC02B,
    compression: int = 0,
) -> bytes:
    body = version.to_bytes(2) + random + bytes((len(session_id),)) + session_id + cipher.to_bytes(2) + bytes((compression,))
    return message(2, body if extensions is None else body + len(extensions).to_bytes(2) + extensions)


def session_id(client_hello: bytes) -> bytes:
    return client_hello[44 : 44 + client_hello[43]]


RENEGOTIATION = extension(0xFF01, b"\x00")
VERSION_13 = extension(43, b"\x03\x04")
DONE = message(14, b"")
HELLO = hello(RENEGOTIATION + extension(11, b"\x01\x00"))


def share(group: int = 0x1D, public: bytes | None = None) -> bytes:
    public = x25519.X25519PrivateKey.generate().public_key().public_bytes_raw() if public is None else public
    return extension(51, group.to_bytes(2) + len(public).to_bytes(2) + public)


def hello_13(extensions: bytes, cipher: int = 0x1301, compression: int = 0) -> Answer:
    return lambda came: shake(hello(VERSION_13 + extensions, session_id=session_id(came), cipher=cipher, compression=compression))


def retry(extensions: bytes) -> Answer:
    return lambda came: shake(hello(VERSION_13 + extensions, random=RETRY, session_id=session_id(came), cipher=0x1301))


def certificates(*encoded: bytes) -> bytes:
    body = b"".join(len(one).to_bytes(3) + one for one in encoded)
    return message(11, len(body).to_bytes(3) + body)


@functools.cache
def leaf() -> Pair:
    return mint("leaf", root())


def key_exchange(
    came: bytes,
    *,
    random: bytes = RANDOM,
    curve: int = 0x17,
    point: bytes | None = None,
    signature: bytes | None = None,
    algorithm: int = 0x0403,
    kind: int = 3,
) -> bytes:
    """A ServerKeyExchange of ECDHE_ECDSA (RFC 8422, 5.4), signed by the leaf's key."""
    own = leaf().key
    assert isinstance(own, ec.EllipticCurvePrivateKey)
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint) if point is None else point
    parameters = bytes((kind,)) + curve.to_bytes(2) + bytes((len(point),)) + point
    if signature is None:
        signature = own.sign(came[11:43] + random + parameters, ec.ECDSA(hashes.SHA256()))
    return message(12, parameters + algorithm.to_bytes(2) + len(signature).to_bytes(2) + signature)


def flight(*, certificate: bytes | None = None, first: bytes = HELLO, end: bytes = DONE, after: bytes = b"", **exchange: object) -> Answer:
    """A whole first flight of a TLS 1.2 server, and bytes behind it."""

    def answer(came: bytes) -> bytes:
        sent = certificates(leaf().der) if certificate is None else certificate
        return shake(first, sent, key_exchange(came, **exchange), end) + after  # type: ignore[arg-type]

    return answer


# alerts

for number in (*range(0, 60), 60, 70, 71, 80, 86, 90, 100, *range(109, 122), 255):
    case(f"alert-{number}", record(21, bytes((2, number))))
for number in (0, 10, 40, 90, 112):
    case(f"alert-warning-{number}", record(21, bytes((1, number))))
    case(f"alert-of-level-3-{number}", record(21, bytes((3, number))))
for number in (4, 5, 6):
    case(f"alert-warnings-{number}", record(21, b"\x01\x70") * number)
case("alert-empty", record(21, b""))
case("alert-short", record(21, b"\x02"))
case("alert-long", record(21, b"\x02\x28\x00"))
case("alert-two-in-one", record(21, b"\x02\x28\x02\x28"))
case("alert-after-hello-12", shake(HELLO) + record(21, b"\x02\x28"))
case("alert-after-hello-13", lambda came: hello_13(share())(came) + record(21, b"\x02\x28"))
case("alert-after-retry", lambda came: retry(extension(51, b"\x00\x17"))(came) + record(21, b"\x02\x28"))
case("alert-after-flight", flight(after=record(21, b"\x02\x28")))

# records

for kind in (0, 19, 20, 23, 24, 25, 0x80, 0xFF):
    case(f"record-type-{kind}", record(kind, b"\x01"))
for version in (0x0300, 0x0301, 0x0302, 0x0304, 0x03FF):
    case(f"record-version-{version:04x}", record(22, hello(RENEGOTIATION), version.to_bytes(2)))
for version in (0x0000, 0x0200, 0x0400, 0x7F1C):
    case(f"record-version-{version:04x}", record(22, b"x" * 10, version.to_bytes(2)))
case("record-length-18434", b"\x16\x03\x03\x48\x01" + b"x" * 18433)
case("record-length-17664", b"\x16\x03\x03\x45\x00" + b"\x02\x00\xff\xff" + b"x" * 17660)
case("record-length-16385", b"\x16\x03\x03\x40\x01" + b"\x02\x00\xff\xff" + b"x" * 16381)
case("record-length-65535", b"\x16\x03\x03\xff\xff" + b"x" * 200)
case("record-empty", record(22, b""))
case("record-empty-40", record(22, b"") * 40)
case("record-header-cut", b"\x16\x03\x03\x00")
case("record-cut", b"\x16\x03\x03\x01\x00abc")
case("record-nothing", b"")
case("record-change-cipher", record(20, b"\x02"))
case("record-change-cipher-long", record(20, b"\x01\x01"))
case("record-http", b"HTTP/1.1 400 Bad Request\r\n\r\n")
case("record-ssh", b"SSH-2.0-OpenSSH_9.6\r\n")
case("record-mysql", b"J\x00\x00\x00\x0a8.0.36\x00")

# messages

for kind in (1, 4, 8, 11, 12, 13, 14, 16, 20, 24, 99, 254):
    case(f"message-{kind}", shake(message(kind, b"\x00" * 4)))
case("message-length-16m", record(22, b"\x02\xff\xff\xff" + b"x" * 100))
case("message-length-20k", record(22, b"\x02\x00\x50\x00" + b"x" * 100))

# ServerHello

case("hello-empty", shake(message(2, b"")))
case("hello-cut", shake(message(2, b"\x03\x03" + b"\x11" * 20)))
case("hello-long", shake(message(2, hello(RENEGOTIATION)[4:] + b"\x00")))
for version in (0x0300, 0x0301, 0x0302, 0x0304, 0x0305, 0x0001):
    case(f"hello-version-{version:04x}", shake(hello(RENEGOTIATION, version=version)))
for cipher in (0x0000, 0x0005, 0x009E, 0xC028, 0xC0AD, 0x1301, 0xFFFF, 0x000A):
    case(f"hello-cipher-{cipher:04x}", shake(hello(RENEGOTIATION, cipher=cipher)))
case("hello-compression", shake(hello(RENEGOTIATION, compression=1)))
case("hello-session-33", shake(hello(RENEGOTIATION, session_id=b"x" * 33)))
case("hello-session-echoed", lambda came: shake(hello(RENEGOTIATION, session_id=session_id(came))))
case("hello-extension-twice", shake(hello(RENEGOTIATION * 2)))
case("hello-extension-unknown", shake(hello(RENEGOTIATION + extension(0x1234))))
case("hello-renegotiation-wrong", shake(hello(extension(0xFF01, b"\x01a"))))
case("hello-renegotiation-empty", shake(hello(extension(0xFF01))))
case("hello-alpn-empty", shake(hello(RENEGOTIATION + extension(16))))
case("hello-alpn-two", shake(hello(RENEGOTIATION + extension(16, b"\x00\x0c\x02h2\x08http/1.1"))))
case("hello-alpn-foreign", shake(hello(RENEGOTIATION + extension(16, b"\x00\x04\x03foo"))))
case("hello-alpn-nothing", shake(hello(RENEGOTIATION + extension(16, b"\x00\x01\x00"))))
case("hello-server-name-full", shake(hello(RENEGOTIATION + extension(0, b"x"))))
case("hello-master-secret-full", shake(hello(RENEGOTIATION + extension(23, b"x"))))
case("hello-says-12", shake(hello(extension(43, b"\x03\x03"))))
case("hello-downgrade-12", shake(hello(RENEGOTIATION, random=b"\x11" * 24 + b"DOWNGRD\x01")))
case("hello-downgrade-11", shake(hello(RENEGOTIATION, random=b"\x11" * 24 + b"DOWNGRD\x00")))
case("hello-13-cipher-12", hello_13(share(), cipher=0xC02B))
case("hello-13-no-session", lambda _: shake(hello(VERSION_13 + share(), cipher=0x1301)))
case("hello-13-no-share", hello_13(b""))
case("hello-13-other-group", hello_13(share(0x17, b"\x04" + b"x" * 64)))
case("hello-13-zero-share", hello_13(share(0x1D, bytes(32))))
case("hello-13-compression", hello_13(share(), compression=1))
case("hello-13-unknown-cipher", hello_13(share(), cipher=0x1304))
case("hello-13-extension-unknown", hello_13(share() + extension(0x1234)))
case("hello-13", hello_13(share()))
case("hello-13-garbage", lambda came: hello_13(share())(came) + record(23, b"x" * 60))
case("hello-13-more", lambda came: record(22, hello_13(share())(came)[5:] + message(8, b"\x00\x00")))
case("retry-nothing", retry(b""))
case("retry-same-group", retry(extension(51, b"\x00\x1d")))
case("retry-foreign-group", retry(extension(51, b"\x00\x1e")))
case("retry-twice", lambda came: retry(extension(51, b"\x00\x17"))(came) * 2)

# the rest of the first flight, TLS 1.2

case("flight-hello", shake(HELLO))
case("flight-certificate", lambda _: shake(HELLO, certificates(leaf().der)))
case("flight-no-certificate", shake(HELLO, certificates()))
case("flight-garbage", shake(HELLO, certificates(b"garbage")))
case("flight-certificate-cut", shake(HELLO, message(11, b"\x00\x10\x00\x00\x00\x05abc")))
case("flight-certificate-long", lambda came: flight(certificate=certificates(leaf().der + b"\x00"))(came))
case("flight-certificates-128k", shake(HELLO) + record(22, b"\x0b\x02\x00\x00\x01\xff\xfd" + b"x" * 9000))
case("flight-no-key-exchange", lambda _: shake(HELLO, certificates(leaf().der), DONE))
case("flight-other-signature", flight(random=b"\x12" * 32))
case("flight-curve-448", flight(curve=0x1E))
case("flight-curve-secp256k1", flight(curve=0x16))
case("flight-algorithm-p521", flight(algorithm=0x0603))
case("flight-algorithm-rsa", flight(algorithm=0x0804))
case("flight-point-nowhere", flight(point=b"\x04" + b"x" * 64))
case("flight-point-short", flight(point=b"\x04" + b"x" * 4))
case("flight-two-certificates", lambda came: shake(HELLO, certificates(leaf().der), certificates(leaf().der), key_exchange(came), DONE))
case("flight-data", flight(after=record(23, b"\x02\x28")))
case("flight-early-change-cipher", lambda _: shake(HELLO, certificates(leaf().der)) + record(20, b"\x01"))
case("flight-finished-garbage", flight(after=record(20, b"\x01") + record(22, b"x" * 40)))
case("flight-request-garbage", lambda came: shake(HELLO, certificates(leaf().der), key_exchange(came), message(13, b"\x05\x40"), DONE))
case("flight-rsa-with-ec-key", flight(first=hello(RENEGOTIATION, cipher=0xC02F)))
case("flight-static-rsa-with-ec-key", lambda _: shake(hello(RENEGOTIATION, cipher=0x009C), certificates(leaf().der), DONE))
case("flight-status", lambda came: shake(HELLO, certificates(leaf().der), message(22, b"\x01\x00\x00\x01x"), key_exchange(came), DONE))


def odd(oid: str, value: bytes, *, sans: tuple[str, ...] = (HOST,)) -> Answer:
    """A flight whose certificate has an extension of these very bytes."""
    own = mint("odd", root(), constraints=False, usage=None, sans=sans, own_key=leaf().key, identifiers=False, authority=False,
               extensions=[(unknown(oid, value), False)])  # fmt: skip
    return flight(certificate=certificates(own.der))


# certificates that BoringSSL does not take; what its ASN.1 library says before differs, so only those without a word of it

for name, value in {
    "path-length-of-no-ca": b"\x30\x03\x02\x01\x00",
    "path-length-negative": b"\x30\x06\x01\x01\xff\x02\x01\xff",
}.items():
    case(f"extension-{name}", lambda came, value=value: odd("2.5.29.19", value)(came))  # type: ignore[misc]
