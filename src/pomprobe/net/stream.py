"""Byte streams: the one shape that TCP, unix and TLS connections have for the stages above them."""

from __future__ import annotations

from typing import Protocol

CHUNK = 65536
"""Bytes read at once."""


class Stream(Protocol):
    """An open connection.

    receive: what is there, at most CHUNK bytes; b"" at the end of the stream (FIN, or TLS without close_notify).
    Raises OSError (ConnectionResetError for RST) as the system gives it, and TLSBroken for an error of TLS after the handshake.
    """

    async def receive(self) -> bytes: ...

    async def send(self, data: bytes) -> None: ...

    def close(self) -> None:
        """Close at once, without waiting and without raising."""


class TLSBroken(Exception):
    """TLS failed after the handshake. alert: the number of the alert that came, if one did."""

    def __init__(self, message: str, alert: int | None = None) -> None:
        super().__init__(message)
        self.alert = alert
