"""What a server's answer consists of, in the order in which it comes: the one vocabulary of the HTTP codecs.

A codec is fed bytes and gives events; the last one says how the exchange ended: End, Refused, Closed or Reset.
"""

from __future__ import annotations

from dataclasses import dataclass

Headers = tuple[tuple[bytes, bytes], ...]
"""Name (lower case) and value of every header, in the order received."""


@dataclass(frozen=True, slots=True)
class Interim:
    """A response that announces another one (100, 102, 103). Envoy passes none of them on."""

    status: int


@dataclass(frozen=True, slots=True)
class Head:
    """The final response's status line and headers. version: "HTTP/1.1" or as sent, "HTTP/2"."""

    status: int
    version: str
    headers: Headers
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Data:
    """A piece of the body, as it came: nothing is decompressed."""

    content: bytes


@dataclass(frozen=True, slots=True)
class End:
    """The response is complete. trailers: HTTP/2's; Envoy drops those of HTTP/1."""

    trailers: Headers = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """Bytes that Envoy's codec does not accept (response flag UPE); problem: what, in a few words."""

    problem: str


@dataclass(frozen=True, slots=True)
class Closed:
    """The connection ended where Envoy says connection_termination (response flag UC).

    goaway: HTTP/2's GOAWAY had promised an answer to this very stream.
    """

    goaway: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    """HTTP/2's RST_STREAM or GOAWAY ended the stream (response flag UR). error_code: its name in RFC 9113."""

    error_code: str
    goaway: bool = False
    problem: str = ""


Event = Interim | Head | Data | End | Refused | Closed | Reset
