"""What a server's answer consists of, in the order in which it comes: the one vocabulary of the HTTP codecs.

A codec is fed bytes and gives events; the last one says how the exchange ended: End, Refused, Closed or Reset.
"""

from __future__ import annotations

from ..record import Record

Headers = tuple[tuple[bytes, bytes], ...]
"""Name (lower case) and value of every header, in the order received."""


class Interim(Record, frozen=True):
    """A response that announces another one (100, 102, 103). Envoy passes none of them on."""

    status: int


class Head(Record, frozen=True):
    """The final response's status line and headers. version: "HTTP/1.1" or as sent, "HTTP/2"."""

    status: int
    version: str
    headers: Headers
    reason: str = ""


class Data(Record, frozen=True):
    """A piece of the body, as it came: nothing is decompressed."""

    content: bytes


class End(Record, frozen=True):
    """The response is complete. trailers: HTTP/2's; Envoy drops those of HTTP/1."""

    trailers: Headers = ()


class Refused(Record, frozen=True):
    """Bytes that Envoy's codec does not accept (response flag UPE); problem: what, in a few words.

    older_status: of the response that Envoy 1.36 takes all the same, 0 for none.
    """

    problem: str
    older_status: int = 0


class Closed(Record, frozen=True):
    """The connection ended where Envoy says connection_termination (response flag UC).

    goaway: HTTP/2's GOAWAY had promised an answer to this very stream.
    """

    goaway: bool = False


class Reset(Record, frozen=True):
    """HTTP/2's RST_STREAM or GOAWAY ended the stream (response flag UR). error_code: its name in RFC 9113."""

    error_code: str
    goaway: bool = False
    problem: str = ""


Event = Interim | Head | Data | End | Refused | Closed | Reset
