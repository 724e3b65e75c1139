"""Random HTTP/2 answers to the first request of a connection (stream 1): plausible frames, odd frames, damaged bytes."""

from __future__ import annotations

import struct
from random import Random

from hpack import Encoder

Header = tuple[bytes, bytes]
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITISED = 0x1, 0x1, 0x4, 0x8, 0x20

STATUSES = (
    b"200", b"204", b"304", b"404", b"500", b"503", b"099", b"999", b"1000", b"20", b"abc", b"", b"101", b"100", b"103", b" 200", b"+20",
    b"205",
)  # fmt: skip
INTERIM = (b"100", b"102", b"103", b"199")
OTHERS: tuple[Header, ...] = (
    (b"server", b"x"), (b"content-length", b"2"), (b"content-length", b"0"), (b"content-length", b"5"), (b"content-length", b"x"),
    (b"Server", b"x"), (b"connection", b"close"), (b"transfer-encoding", b"chunked"), (b"te", b"trailers"), (b"te", b"gzip"),
    (b"upgrade", b"x"), (b":status", b"200"), (b":path", b"/"), (b":odd", b"x"), (b"x y", b"z"), (b"x", b"a\x00b"), (b"x", b"a\nb"),
    (b"x", b"a\rb"), (b"x", b" a "), (b"", b"x"), (b"x", b""), (b"x_y", b"z"), (b"x\xff", b"z"), (b"x", b"\xff"), (b"x(", b"y"),
    (b"keep-alive", b"x"), (b"x", b"y" * 9000), (b"proxy-connection", b"x"), (b"x", b"a\x01b"), (b"host", b"x"), (b"x:", b"y"),
    (b"date", b"now"), (b"cookie", b"a=b"), (b"x", b"a\tb"),
)  # fmt: skip
CODES = (*range(15), 99, 0xFFFFFFFF)
BYTES = b"\x00\x01\x02\x04\x05\x08\x09\x7f\x80\xff\x40"


def frame(kind: int, flags: int, stream: int, payload: bytes, length: int | None = None) -> bytes:
    """A frame, whose length may lie."""
    return struct.pack(">I", len(payload) if length is None else length)[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def response(random: Random) -> bytes:
    """What a server says once it has the request; in a fifth of the cases damaged."""
    encoder = Encoder()
    frames = [] if random.random() < 0.03 else [_settings(random)]
    frames += [_noise(random) for _ in range(random.choice((0, 0, 0, 1, 2)))]
    while random.random() < 0.1:
        frames += _headers(random, encoder, [(b":status", random.choice(INTERIM))], end=random.random() < 0.05)
    end = random.random() < 0.2
    frames += _headers(random, encoder, _fields(random), end)
    if not end:
        frames += _body(random, encoder)
    if random.random() < 0.25:
        frames.insert(random.randrange(1, len(frames) + 1), _noise(random))
    if random.random() < 0.08:
        random.shuffle(frames)
    message = b"".join(frames)
    for _ in range(random.choices((0, 1, 2), (80, 14, 6))[0]):
        message = _damaged(random, message)
    return message


def _fields(random: Random) -> list[Header]:
    fields = [(b":status", b"200" if random.random() < 0.7 else random.choice(STATUSES))]
    fields += [random.choice(OTHERS) for _ in range(random.choice((0, 0, 1, 1, 2)))]
    if random.random() < 0.03:
        fields += [(b"x-%d" % number, b"y") for number in range(random.choice((97, 98, 99, 100, 120)))]
    if random.random() < 0.02:
        fields += [(b"x-%d" % number, b"y" * 8000) for number in range(random.choice((6, 7, 8, 9)))]
    if random.random() < 0.04:
        random.shuffle(fields)
    return fields[1:] if random.random() < 0.02 else fields


def _headers(random: Random, encoder: Encoder, fields: list[Header], end: bool) -> list[bytes]:
    block = encoder.encode(fields, huffman=random.random() < 0.5)
    flags, payload = END_STREAM * end, block
    if random.random() < 0.05:
        pad = random.choice((0, 1, 9, 255))
        flags, payload = flags | PADDED, bytes([pad]) + block + bytes(min(pad, 20))
    if random.random() < 0.04:
        flags, payload = flags | PRIORITISED, b"\0\0\0\0\x10" + block
    stream = 1 if random.random() < 0.98 else random.choice((0, 2, 3))
    if len(payload) > 16384 or (random.random() < 0.06 and payload):
        at = min(16384, random.randrange(len(payload) + 1))
        pieces = [payload[at : at + 16384] for at in range(at, len(payload), 16384)] or [b""]
        more = [frame(CONTINUATION, END_HEADERS * (index == len(pieces) - 1), stream, piece) for index, piece in enumerate(pieces)]
        return [frame(HEADERS, flags, stream, payload[:at]), *more]
    return [frame(HEADERS, flags | END_HEADERS, stream, payload)]


def _body(random: Random, encoder: Encoder) -> list[bytes]:
    if random.random() < 0.06:
        return []
    frames = [frame(DATA, 0, 1, random.choice((b"", b"o", b"ok", b"x" * 16384))) for _ in range(random.choice((0, 0, 1, 2)))]
    kind = random.randrange(12)
    if kind < 7:
        pad = random.random() < 0.05
        return [*frames, frame(DATA, END_STREAM | PADDED * pad, 1, b"\x01" * pad + random.choice((b"ok", b"", b"okay")) + b"\0" * pad)]
    if kind == 7:
        trailers = [random.choice(((b"grpc-status", b"0"), *OTHERS))]
        return [*frames, *_headers(random, encoder, trailers, end=random.random() < 0.9)]
    if kind == 8:
        return [*frames, _reset(random)]
    if kind == 9:
        return [*frames, _goaway(random)]
    return frames


def _settings(random: Random) -> bytes:
    kind = random.randrange(20)
    if kind < 12:
        return frame(SETTINGS, 0, 0, b"")
    pairs = [
        (random.choice((1, 2, 3, 4, 5, 6, 8, 9, 99)), random.choice((0, 1, 2, 100, 4096, 65535, 1 << 20, (1 << 31) - 1, 1 << 31)))
        for _ in range(1)
    ]
    payload = b"".join(struct.pack(">HI", *pair) for pair in pairs)
    if kind == 19:
        return frame(SETTINGS, random.choice((0, ACK)), random.choice((0, 1)), payload[: random.randrange(7)])
    return frame(SETTINGS, 0, 0, payload)


def _reset(random: Random) -> bytes:
    return frame(RST_STREAM, 0, 1 if random.random() < 0.9 else random.choice((0, 2, 3)), struct.pack(">I", random.choice(CODES)))


def _goaway(random: Random) -> bytes:
    return frame(
        GOAWAY, 0, 0, struct.pack(">II", random.choice((0, 1, 1, 3, (1 << 31) - 1)), random.choice(CODES)) + random.choice((b"", b"bye"))
    )


def _noise(random: Random) -> bytes:
    match random.randrange(11):
        case 0:
            return frame(PING, random.choice((0, ACK)), random.choice((0, 0, 0, 1)), b"12345678"[: random.choice((8, 8, 8, 7))])
        case 1:
            return frame(WINDOW_UPDATE, 0, random.choice((0, 1, 3)), struct.pack(">I", random.choice((0, 1, 1000, (1 << 31) - 1))))
        case 2:
            return frame(PRIORITY, 0, random.choice((0, 1, 3)), b"\0\0\0\0\x10"[: random.choice((5, 5, 4))])
        case 3:
            return frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2" + Encoder().encode([(b":method", b"GET"), (b":path", b"/")]))
        case 4:
            return frame(random.choice((10, 11, 12, 16, 255)), random.randrange(256), random.choice((0, 1)), b"odd")
        case 5:
            return frame(SETTINGS, ACK, 0, b"")
        case 6:
            return _reset(random)
        case 7:
            return _goaway(random)
        case 8:
            return frame(DATA, random.choice((0, END_STREAM)), random.choice((0, 1, 3)), b"ok")
        case 9:
            return frame(CONTINUATION, END_HEADERS, 1, b"\x88")
        case _:
            return b"HTTP/1.1 400 Bad Request\r\n\r\n"


def _damaged(random: Random, message: bytes) -> bytes:
    at = random.randrange(len(message) + 1)
    match random.randrange(5):
        case 0:
            return message[:at]
        case 1:
            return message[:at] + message[at + random.randint(1, 4) :]
        case 2:
            return message[:at] + bytes([random.choice(BYTES)]) + message[at + 1 :]
        case 3:
            return message[:at] + bytes([random.choice(BYTES)]) + message[at:]
        case _:
            return message[:at] + bytes([random.randrange(256)]) + message[at + 1 :]
