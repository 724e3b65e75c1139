"""The head of an HTTP/1 response, accepted and refused as Envoy's codec does.

Source of every rule: quiche/balsa/balsa_frame.cc with the policy that Envoy 1.37 sets (source/common/http/http1/balsa_parser.cc), then
Envoy's own checks (source/common/http/http1/codec_impl.cc). Each was measured on Envoy 1.37; tests/net/http1_cases.py holds the answers.
"""

from __future__ import annotations

import re

from ..record import Record
from .http_events import Headers

MAX_HEADERS = 100
"""Envoy's default for max_headers_count; those of MERGED count once."""

_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]")
_NAME = re.compile(rb"[!#$%&'*+\-.0-9A-Z^_`a-z|~]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_STATUS = re.compile(rb"\+?([0-9]+)")
_DIGITS = re.compile(rb"[0-9]*")
_BLANK = bytes(range(33))  # Balsa's white space is every byte up to the space
_SIZE_MAX = 2**64 - 1

MERGED = frozenset(
    b"""access-control-allow-credentials access-control-allow-headers access-control-allow-methods access-control-allow-origin
    access-control-expose-headers access-control-max-age age cache-control connection content-encoding content-type date etag expires
    grpc-message grpc-status keep-alive last-modified location proxy-connection proxy-status server transfer-encoding upgrade vary via
    x-envoy-attempt-count x-envoy-decorator-operation x-envoy-degraded x-envoy-immediate-health-check-fail x-envoy-ratelimited
    x-envoy-upstream-canary x-envoy-upstream-healthchecked-cluster x-envoy-upstream-service-time x-request-id""".split()
)
"""Headers that Envoy keeps in one entry, however often they come (measured with each 101 times)."""


class HeadRefused(Exception):
    """The head is not one that Envoy's codec accepts."""


class StatusLine(Record, frozen=True):
    """The first line. status is what Envoy makes of the number (16 bits)."""

    version: str
    status: int
    reason: str


def status_line(line: bytes) -> StatusLine:
    """Read the first line (with or without its line end); raises HeadRefused."""
    version, _, rest = _island(line.rstrip(b"\r\n"))
    status, _, reason = _island(rest)
    if not status:
        raise HeadRefused("no status code in the first line")
    digits = _STATUS.fullmatch(status)
    if digits is None or number_of(digits[1]) > _SIZE_MAX:
        raise HeadRefused("the status code is not a number")
    if not _VERSION.fullmatch(version):
        raise HeadRefused("the status line names no HTTP/1 version")
    return StatusLine(version.decode("ascii"), number_of(digits[1]) & 0xFFFF, reason.strip(_BLANK).decode("latin-1"))


def header_lines(block: bytes) -> Headers:
    """Read everything after the first line, up to and including the empty line; raises HeadRefused."""
    if _CONTROL.search(block):
        raise HeadRefused("a control character in a header")
    headers = []
    for name, value in _fields(block.split(b"\n")[:-1]):
        if not name:
            raise HeadRefused("an empty header name")
        if not _NAME.fullmatch(name):
            raise HeadRefused("a character in a header name that is not allowed there")
        if name.lower() != b"content-length":  # which is read before carriage returns inside a value go (fuzzed)
            value = value.replace(b"\r", b"").replace(b"\n", b"").strip(b" \t")
        headers.append((name.lower(), value))
    return tuple(headers)


def content_length(headers: Headers, status: int) -> int | None:
    """The body's length, None where no header says it; raises HeadRefused for more than one and for what is no number.

    A 304 may say anything that is no number, and more than once: Balsa looks at it only where a body can follow.
    """
    found = values(headers, b"content-length")
    lengths = [_length(value) for value in found]
    if len(lengths) > 1 and (max(lengths) >= 0 or len(set(lengths)) > 1):
        raise HeadRefused("two Content-Length headers")
    if not lengths or status == 304:
        return None
    if lengths[0] < 0:
        raise HeadRefused("Content-Length is not a number")
    return lengths[0]


def _length(value: bytes) -> int:
    """The number, -1 for what is none, -2 for one that is too large, whatever follows it."""
    digits = _DIGITS.match(value)
    assert digits is not None
    number = number_of(digits[0])
    if number > _SIZE_MAX:
        return -2
    return number if digits[0] and digits[0] == value else -1


def number_of(digits: bytes) -> int:
    """The number that decimal digits say; of a very long one only that it is too large for anything."""
    return int(digits.lstrip(b"0")[:21] or b"0")


def too_many(headers: Headers) -> bool:
    """Are there more headers than Envoy takes?"""
    merged = {name for name, _ in headers if name in MERGED}
    return sum(name not in MERGED for name, _ in headers) + len(merged) > MAX_HEADERS


def values(headers: Headers, name: bytes) -> list[bytes]:
    """Every value of a header, in the order received."""
    return [value for key, value in headers if key == name]


def _island(text: bytes) -> tuple[bytes, bytes, bytes]:
    """The first word of text, the white space after it, and the rest."""
    text = text.lstrip(_BLANK)
    for index, byte in enumerate(text):
        if byte <= 32:
            return text[:index], b" ", text[index:]
    return text, b"", b""


def _fields(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    """Name and value of each header, continuation lines (obs-fold) joined to the line before; the last line is the empty one."""
    fields: list[tuple[bytes, bytes]] = []
    folded: list[bytes] = []
    for line in lines[:-1]:
        if folded and line[:1] <= b" ":
            if line[:1] not in (b" ", b"\t"):
                raise HeadRefused("a header line that begins with a control character")
            folded.append(line)
            continue
        if folded:
            fields.append(_field(b"\n".join(folded)))
        folded = [line]
    if folded:
        fields.append(_field(b"\n".join(folded)))
    return fields


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.rstrip(_BLANK).partition(b":")
    if not colon:
        raise HeadRefused("a header line without a colon")
    return name, value.lstrip(_BLANK)
