"""Lines of a given width out of pieces of text with a role each: wrapping first, colours last."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len as cell_len

from ..model import Status
from ..record import Record
from .clean import ascii_only
from .style import NARROWEST, Style

Span = tuple[str, str]
"""Cleaned text, and the role that colours it ("" for none)."""

COLORS = {
    "failing": "1;31", "error": "1;31", "warning": "1;33", "ok": "32", "info": "36", "undetermined": "1;35", "bug": "1;35",
    "skipped": "2", "dim": "2", "place": "2", "name": "1", "details": "31", "fix": "1;36", "good": "32",
}  # fmt: skip
"""Role -> SGR parameters: the eight colours only, which every terminal theme keeps legible."""

MARKS = {Status.FAILING: "✗", Status.BUG: "‼", Status.WARNING: "!", Status.UNDETERMINED: "?", Status.SKIPPED: "–", Status.OK: "✓"}
ASCII_MARKS = {Status.FAILING: "x", Status.BUG: "!!", Status.WARNING: "!", Status.UNDETERMINED: "?", Status.SKIPPED: "-", Status.OK: "+"}
"""How a status looks at the start of a line."""

_STRONG = re.compile(r"[^|{}:,/;&?]*[|{}:,/;&?]*")
_WEAK = re.compile(r"[^=_.-]*[=_.-]*")
_WORD = re.compile(r" +|[^ `]*`[^`]{1,60}`[^ `]*|[^ ]+")  # a short `code` is one word
_GLUED_WORD = re.compile(r" +|[^ ](?:.*[^ ])?")
GLUED = "place"
"""The role of text that is one word, spaces and all."""


class Page(Record, frozen=True):
    """Turns spans into lines."""

    style: Style

    @property
    def width(self) -> int:
        return max(NARROWEST, self.style.width)

    def flow(self, spans: Sequence[Span], indent: int = 0, hang: int | None = None) -> Iterator[str]:
        """Wrap at spaces, and inside a word that is wider than a line at the sensible points of a URL or of Envoy's details.

        indent: columns before the first line; hang: before the others (default: indent).
        """
        hang = indent if hang is None else hang
        line: list[Span] = []
        used, start = 0, indent
        room = self.width - max(indent, hang)
        loose = [(text, "dim" if role == GLUED and cell_len(text.strip()) > room else role) for text, role in self._plain(spans)]
        for word, role, spaces in _words(loose):
            gap = spaces if line else 0
            if line and used + gap + cell_len(word) > self.width - start:
                yield self._line(line, start)
                line, used, start, gap = [], 0, hang, 0
            for piece in _fit(word, self.width - start, self.width - hang):
                if line and used + gap + cell_len(piece) > self.width - start:
                    yield self._line(line, start)
                    line, used, start, gap = [], 0, hang, 0
                line.append((" " * gap + piece, role))
                used += gap + cell_len(piece)
                gap = 0
        if line:
            yield self._line(line, start)

    def one(self, spans: Sequence[Span], indent: int = 0) -> str:
        """One line, cut with an ellipsis where it would be too wide."""
        room = self.width - indent
        kept: list[Span] = []
        plain = list(self._plain(spans))
        mark = "…" if self.style.unicode else "..."
        fits = sum(cell_len(text) for text, _ in plain) <= room
        left = room if fits else room - len(mark)
        for text, role in plain:
            part = _cut(text, left)
            kept.append((part, role))
            left -= cell_len(part)
            if part != text:
                break
        return self._line(kept if fits else [*kept, (mark, "dim")], indent)

    def _plain(self, spans: Iterable[Span]) -> Iterator[Span]:
        for text, role in spans:
            yield (text if self.style.unicode else ascii_only(text)), role

    def _line(self, spans: Sequence[Span], indent: int) -> str:
        merged: list[Span] = []
        for text, role in spans:
            if merged and merged[-1][1] == role:
                merged[-1] = (merged[-1][0] + text, role)
            else:
                merged.append((text, role))
        return (" " * indent + "".join(self._colored(text, role) for text, role in merged)).rstrip(" ")

    def _colored(self, text: str, role: str) -> str:
        if not self.style.color or role not in COLORS or not text.strip():
            return text
        lead = text[: len(text) - len(text.lstrip(" "))]
        return f"{lead}\x1b[{COLORS[role]}m{text[len(lead) :]}\x1b[0m"


def _words(spans: Iterable[Span]) -> Iterator[tuple[str, str, int]]:
    """Words with their role, and how many spaces stand before them."""
    spaces = 0
    for text, role in spans:
        for match in (_GLUED_WORD if role == GLUED else _WORD).finditer(text):
            if match[0][0] == " ":
                spaces += len(match[0])
            else:
                yield match[0], role, spaces
                spaces = 0


def _fit(word: str, first: int, other: int) -> Iterator[str]:
    """The word itself, or pieces of it that fit: the first into `first` columns, the others into `other`."""
    if cell_len(word) <= max(first, other) or not word:
        yield word
        return
    room, piece = first, ""
    for part in _parts(word, other):
        while cell_len(piece + part) > room:
            if piece:
                yield piece
                piece = ""
            else:
                head = _cut(part, room)
                yield head
                part = part[len(head) :]
            room = other
        piece += part
    if piece:
        yield piece


def _parts(word: str, room: int) -> Iterator[str]:
    """Parts of a word between which a line may end: weak points are used only in a part that no line could hold."""
    for part in filter(None, _STRONG.findall(word)):
        yield from [part] if cell_len(part) <= room else filter(None, _WEAK.findall(part))


def _cut(text: str, columns: int) -> str:
    """As much of the text as fits."""
    if cell_len(text) <= columns:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if cell_len(text[:middle]) <= columns:
            low = middle
        else:
            high = middle - 1
    return text[:low]
