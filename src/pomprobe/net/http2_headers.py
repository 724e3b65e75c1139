"""Headers of an HTTP/2 response, accepted and refused as Envoy 1.37 does (nghttp2's lib/nghttp2_http.c, then Envoy's own limits).

Measured; tests/net/http2_cases.py holds the answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .http1_head import MAX_HEADERS, MERGED, number_of
from .http_events import Headers

MAX_BYTES = 60 * 1024
"""Names and values together, :status included: the max_response_headers_kb of Envoy's HTTP/2."""

MAX_STRING = 64 * 1024
"""nghttp2 takes no name or value that is longer as it is sent: Huffman's code makes one of 100 KiB short enough."""

_NAME = re.compile(rb"[!#$%&'*+\-.0-9^_`a-z|~]+")
_VALUE = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")
_STATUS = re.compile(rb"[0-9]{3}")
_LENGTH = re.compile(rb"[0-9]+")
_CONNECTION = frozenset((b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"))


class HeadersRefused(Exception):
    """nghttp2 takes the headers for an error of the protocol (UPE)."""


class HeadersTooMany(Exception):
    """Envoy resets the stream (remote_reset)."""


def checked(headers: Iterable[tuple[bytes, bytes]], *, trailers: bool = False, encoded: int = 0, cut: bool = False) -> tuple[int, Headers]:
    """The status (0 for trailers) and the other headers; each header is checked in turn, as they are decoded.

    encoded: bytes that they had when compressed. cut: these are not all.
    Raises HeadersRefused and HeadersTooMany, whichever comes first.
    """
    status = count = size = 0
    kept: list[tuple[bytes, bytes]] = []
    merged: set[bytes] = set()
    for name, value in headers:
        if encoded > MAX_STRING and (len(name) > MAX_STRING or len(value) > MAX_STRING):
            raise HeadersRefused("a header of more than 64 KiB")
        if name[:1] == b":":
            if trailers or name != b":status" or status or kept:
                raise HeadersRefused("a pseudo-header that does not belong there")
            status = _status(value)
        else:
            _check(name, value)
            kept.append((name, value))
            if name == b"content-length":
                _announced(status - 1, content_length(tuple(kept)))
        if name == b"cookie":
            continue  # Envoy puts them together in the end
        if name in merged:
            size += 1 + len(value)
        else:
            count += 1
            size += len(name) + len(value)
        if name in MERGED:
            merged.add(name)
        if count > MAX_HEADERS:
            raise HeadersTooMany("more than 100 headers")
        if size > MAX_BYTES:
            raise HeadersTooMany("headers larger than 60 KiB")
    if not trailers and not status and not cut:
        raise HeadersRefused("no :status")
    return status - 1 if status else 0, tuple(kept)


def content_length(headers: Headers) -> int | None:
    """The length that the headers promise; raises HeadersRefused for what is no number, and for two."""
    lengths = [value for name, value in headers if name == b"content-length"]
    if not lengths:
        return None
    if len(lengths) > 1:
        raise HeadersRefused("two Content-Length headers")
    length = number_of(lengths[0]) if _LENGTH.fullmatch(lengths[0]) else -1
    if not 0 <= length < 2**63:
        raise HeadersRefused("Content-Length is not a number")
    return length


def _announced(status: int, length: int | None) -> None:
    if 100 <= status < 200:
        raise HeadersRefused(f"a {status} response that announces a body")
    if status == 204 and length:
        raise HeadersRefused("a 204 response that announces a body")


def _status(value: bytes) -> int:
    """The status plus one, so that 000, which Envoy passes on, is not taken for none."""
    if not _STATUS.fullmatch(value):
        raise HeadersRefused("the :status is not a number of three digits")
    if value == b"101":
        raise HeadersRefused(":status 101, which HTTP/2 does not have")
    return int(value) + 1


def _check(name: bytes, value: bytes) -> None:
    if not _NAME.fullmatch(name):
        upper = _NAME.fullmatch(name.lower())
        raise HeadersRefused("an upper-case letter in a header name" if upper else "a character in a header name that is not allowed there")
    if not _VALUE.fullmatch(value):
        raise HeadersRefused("a control character in a header")
    if name in _CONNECTION or (name == b"te" and value.lower() != b"trailers"):
        raise HeadersRefused(f"the {name.decode('ascii')} header, which HTTP/2 does not have")
