"""Compressed headers that have not all come: which are complete, and what is wrong already with the one that is not.

nghttp2 inflates as bytes come (lib/nghttp2_hd.c, nghttp2_hd_inflate_hd_nv), hpack only whole blocks. RFC 7541, 5 and 6.
"""

from __future__ import annotations

import copy

from hpack import Decoder, HPACKError, OversizedHeaderListError
from hpack.huffman_table import decode_huffman

from ..record import Record
from .http2_headers import HeadersRefused, HeadersTooMany, checked
from .http_events import Refused, Reset

UNDECODABLE = "headers that cannot be decompressed"
TOO_LARGE = "headers larger than 60 KiB"
LONGEST = 65536  # bytes of a name or value: NGHTTP2_HD_MAX_NV
STATIC = 61  # entries of the static table
MOST = 1 << 31


class Cut(Record, frozen=True):
    """whole: bytes of complete fields; index: that the unfinished one names, 0 for none; wrong: it can never become good."""

    whole: int
    index: int = 0
    wrong: bool = False


class _Unfinished(Exception):
    pass


class _Wrong(Exception):
    pass


def verdict(begun: bytes, decoder: Decoder, *, whole: bool = False, trailers: bool = False) -> Refused | Reset | None:
    """What is wrong already with a response's headers of which this much has come. decoder: as it was before them; it stays so.

    whole: no more is to come of them, only padding: what is unfinished then is wrong (nghttp2_session.c, `final` of inflate_header_block).
    """
    cut = look(begun)
    decoder = copy.deepcopy(decoder)
    try:
        decoded = decoder.decode(begun[: cut.whole], raw=True)
        checked(((bytes(name), bytes(value)) for name, value in decoded), trailers=trailers, cut=True)
    except HeadersRefused as refused:
        return Refused(str(refused))
    except (HeadersTooMany, OversizedHeaderListError) as many:
        return Refused(UNDECODABLE) if cut.wrong else too_many(many)  # what ends the connection overtakes what resets a stream (fuzzed)
    except (HPACKError, UnicodeDecodeError):
        return Refused(UNDECODABLE)
    wrong = cut.wrong or (whole and cut.whole < len(begun)) or cut.index > STATIC + len(decoder.header_table.dynamic_entries)
    return Refused(UNDECODABLE) if wrong else None


def too_many(many: Exception) -> Reset:
    """Envoy resets the stream."""
    return Reset("", problem=str(many) if isinstance(many, HeadersTooMany) else TOO_LARGE)


def look(block: bytes) -> Cut:
    """Where the last complete field ends, and what is known of the one behind it."""
    whole = position = index = 0
    try:
        while position < len(block):
            whole, index = position, 0
            first = block[position]
            prefix = 7 if first & 0x80 else 6 if first & 0x40 else 5 if first & 0x20 else 4
            index, position = _integer(block, position, prefix)
            if first & 0x80 or prefix == 5:
                index = 0 if prefix == 5 else index
                continue
            for _ in range(1 if index else 2):
                position = _string(block, position)
    except _Unfinished:
        return Cut(whole, index)
    except _Wrong:
        return Cut(whole, index, wrong=True)
    return Cut(position)


def _integer(block: bytes, position: int, prefix: int) -> tuple[int, int]:
    if position >= len(block):
        raise _Unfinished
    most = (1 << prefix) - 1
    value, shift = block[position] & most, 0
    position += 1
    if value < most:
        return value, position
    while position < len(block):
        byte = block[position]
        value, shift, position = value + ((byte & 0x7F) << shift), shift + 7, position + 1
        if value > MOST:
            raise _Wrong
        if not byte & 0x80:
            return value, position
    raise _Unfinished


def _string(block: bytes, position: int) -> int:
    if position >= len(block):
        raise _Unfinished
    squeezed = block[position] & 0x80
    length, position = _integer(block, position, 7)
    if length > LONGEST:
        raise _Wrong
    if position + length > len(block):
        raise _Unfinished
    if squeezed:
        try:
            decode_huffman(block[position : position + length])
        except HPACKError as error:
            raise _Wrong from error
    return position + length
