"""Random answers to a ClientHello: alerts, records, ServerHellos, certificates; plausible ones, odd ones, damaged ones."""

from __future__ import annotations

from random import Random

SESSION_ID = b"<session id of this ClientHello>"
"""Stands for the 32 bytes that a TLS 1.3 server repeats; who plays the server puts them in."""

ALERT, HANDSHAKE, CHANGE_CIPHER_SPEC, APPLICATION = 21, 22, 20, 23
VERSIONS = (0x0303, 0x0303, 0x0303, 0x0303, 0x0302, 0x0301, 0x0300, 0x0304, 0x0002, 0x7F1C)
CIPHERS = (0xC02B, 0xC02F, 0xC02C, 0xCCA9, 0x1301, 0x1302, 0x1303, 0x009C, 0x002F, 0xC023, 0x0000, 0x00FF, 0x5600, 0x1304, 0xC0AC, 0x0A0A)
DESCRIPTIONS = (*range(0, 256), 40, 40, 42, 47, 48, 70, 71, 80, 86, 90, 109, 112, 116, 120)
EXTENSIONS = (0, 5, 10, 11, 13, 16, 18, 21, 22, 23, 35, 41, 42, 43, 44, 45, 51, 13172, 65281, 0x0A0A, 17513)
RETRY = bytes.fromhex("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C")
DOWNGRADES = (b"DOWNGRD\x00", b"DOWNGRD\x01")
OTHERS = (
    b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.6\r\n", b"220 mail ESMTP\r\n", b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", b"",
    b"\x80\x2e\x01\x00\x02", b"J\x00\x00\x00\x0a8.0.36\x00", b"GET / HTTP/1.1\r\n\r\n", b"\r\n", b"<html>", b"-ERR\r\n", b"\x16",
    b"\x15\x03\x03",
)  # fmt: skip


def record(random: Random, kind: int, body: bytes) -> bytes:
    """A record, now and then with a version or a length of its own."""
    version = random.choices((b"\x03\x03", b"\x03\x01", b"\x03\x04", b"\x03\x00", b"\x02\x00"), (88, 6, 3, 2, 1))[0]
    length = len(body) if random.random() < 0.97 else max(0, len(body) + random.choice((-1, 1, 5, 16000, 20000)))
    return bytes((kind,)) + version + length.to_bytes(2) + body


def message(random: Random, kind: int, body: bytes) -> bytes:
    length = len(body) if random.random() < 0.97 else max(0, len(body) + random.choice((-1, 1, 100, 200_000)))
    return bytes((kind,)) + length.to_bytes(3) + body


def response(random: Random) -> bytes:
    """One answer, in a third of the cases damaged."""
    kind = random.randrange(10)
    if kind == 0:
        data = random.choice(OTHERS)
    elif kind < 3:
        data = b"".join(_alert(random) for _ in range(random.choice((1, 1, 1, 2, 4))))
    elif kind == 3:
        data = _stray(random)
    else:
        data = _hello(random)
        data += b"".join(
            random.choice((_certificate, _key_exchange, _stray, _alert, _done))(random) for _ in range(random.choice((0, 0, 1, 2, 3)))
        )
    for _ in range(random.choices((0, 1, 2), (66, 24, 10))[0]):
        data = _damaged(random, data)
    return data


def _alert(random: Random) -> bytes:
    level = random.choices((2, 1, 0, 3), (80, 15, 3, 2))[0]
    body = bytes((level, random.choice(DESCRIPTIONS)))
    return record(random, ALERT, body if random.random() < 0.95 else body[: random.randrange(2)] + b"\x02" * random.randrange(3))


def _hello(random: Random) -> bytes:
    modern = random.random() < 0.4
    version = 0x0303 if modern else random.choice(VERSIONS)
    body = version.to_bytes(2) + _random(random, modern)
    session = random.choices((SESSION_ID, b"", b"s" * 32, b"s" * 33), (70 if modern else 10, 20 if modern else 80, 8, 2))[0]
    body += bytes((len(session),)) + session
    cipher = random.choice((0x1301, 0x1302, 0x1303)) if modern and random.random() < 0.85 else random.choice(CIPHERS)
    body += cipher.to_bytes(2) + bytes((random.choices((0, 1, 64), (96, 3, 1))[0],))
    extensions = [_extension(random, kind) for kind in ((43, 51) if modern else ())]
    extensions += [_extension(random, random.choice(EXTENSIONS)) for _ in range(random.choice((0, 0, 1, 1, 2)))]
    random.shuffle(extensions)
    block = b"".join(extensions)
    if block or random.random() < 0.5:
        body += len(block).to_bytes(2) + block
    return record(random, HANDSHAKE, message(random, 2, body))


def _random(random: Random, modern: bool) -> bytes:
    if modern and random.random() < 0.08:
        return RETRY
    if random.random() < 0.05:
        return b"\x11" * 24 + random.choice(DOWNGRADES)
    return b"\x11" * 32


def _extension(random: Random, kind: int) -> bytes:
    body = {
        43: random.choices((b"\x03\x04", b"\x03\x03", b"\x03\x05", b"\x03", b""), (85, 6, 3, 3, 3))[0],
        51: random.choices(
            (b"\x00\x1d\x00\x20" + b"\x42" * 32, b"\x00\x17", b"\x00\x1d\x00\x02\x01\x02", b"\x00\x1e\x00\x01\x01"), (80, 8, 6, 6)
        )[0],
        16: random.choice((b"\x00\x03\x02h2", b"\x00\x09\x08http/1.1", b"\x00\x04\x03foo", b"\x00\x00", b"\x00\x06\x02h2\x02h2", b"")),
        65281: random.choice((b"\x00", b"\x01\x00", b"")),
        11: random.choice((b"\x01\x00", b"\x01\x01", b"")),
        10: b"\x00\x02\x00\x1d",
        0: random.choice((b"", b"\x00")),
    }.get(kind, random.choice((b"", b"\x00", b"x" * random.randrange(9))))
    return kind.to_bytes(2) + len(body).to_bytes(2) + body


def _certificate(random: Random) -> bytes:
    one = random.choice((b"", b"\x30\x00", b"\x30\x03\x02\x01\x01", b"garbage"))
    chain = len(one).to_bytes(3) + one if random.random() < 0.9 else b""
    return record(random, HANDSHAKE, message(random, 11, len(chain).to_bytes(3) + chain))


def _key_exchange(random: Random) -> bytes:
    return record(random, HANDSHAKE, message(random, 12, b"\x03\x00\x1d\x20" + b"\x42" * 32 + b"\x04\x03\x00\x02\x01\x02"))


def _done(random: Random) -> bytes:
    return record(random, HANDSHAKE, message(random, 14, b""))


def _stray(random: Random) -> bytes:
    match random.randrange(6):
        case 0:
            return record(random, CHANGE_CIPHER_SPEC, random.choice((b"\x01", b"\x01", b"\x02", b"")))
        case 1:
            return record(random, APPLICATION, b"x" * random.choice((0, 1, 17, 40)))
        case 2:
            return record(random, HANDSHAKE, message(random, random.randrange(26), b"x" * random.randrange(6)))
        case 3:
            return record(random, random.randrange(256), b"x" * random.randrange(6))
        case 4:
            return record(random, HANDSHAKE, b"")
        case _:
            return record(random, HANDSHAKE, message(random, 0, b""))


def _damaged(random: Random, data: bytes) -> bytes:
    """Bytes left out, put in or changed; SESSION_ID stays whole."""
    pieces = data.split(SESSION_ID)
    which = random.randrange(len(pieces))
    piece = pieces[which]
    at = random.randrange(len(piece) + 1)
    match random.randrange(4):
        case 0 if which == len(pieces) - 1:
            piece = piece[:at]
        case 1:
            piece = piece[:at] + piece[at + random.randint(1, 3) :]
        case 2:
            piece = piece[:at] + bytes((random.randrange(256),)) + piece[at + 1 :]
        case _:
            piece = piece[:at] + bytes((random.randrange(256),)) + piece[at:]
    return SESSION_ID.join((*pieces[:which], piece, *pieces[which + 1 :]))
