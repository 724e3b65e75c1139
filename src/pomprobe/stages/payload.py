"""What a health check's `receive` asks for, found in what comes."""

from __future__ import annotations


class Matcher:
    """Looks for pieces that must come one after the other, with anything in between (Envoy's PayloadMatcher::match)."""

    def __init__(self, pieces: tuple[bytes, ...]) -> None:
        self._pieces = list(pieces)
        self._tail = b""

    def feed(self, data: bytes) -> bool:
        """Have all of them come? Keeps no more than a piece needs to be found across two reads."""
        self._tail += data
        while self._pieces:
            piece = self._pieces[0]
            at = self._tail.find(piece)
            if at < 0:
                self._tail = self._tail[max(0, len(self._tail) - len(piece) + 1) :]
                return False
            self._tail = self._tail[at + len(piece) :]
            del self._pieces[0]
        return True
