"""Untrusted text made safe to print: the one door through which every string of a report goes."""

from __future__ import annotations

import re

LIMIT = 4000
"""Characters kept of one string; Envoy's own details stay far below."""

_UNSAFE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: terminal escapes begin here
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u3164\uffa0"  # invisible, or the Arabic letter mark
    "\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # zero width, line ends, bidirectional overrides
    "\ud800-\udfff\ufffe\uffff"  # lone surrogates and noncharacters: neither UTF-8 nor XML has them
    "\U000e0000-\U000e0fff"  # tags and variation selectors: text that nobody sees
    "]"
)
_COMMAND = re.compile(  # what CI systems obey in a log: GitHub (actions/runner ActionCommand.cs), Azure and TeamCity
    r"::(?=(?:error|warning|notice|debug|group|endgroup|echo|add-mask|add-path|add-matcher|remove-matcher|stop-commands"
    r"|set-env|set-output|save-state)(?: |::))|##(?=[a-z]*\[)",
    re.IGNORECASE,
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ASCII = {"…": "...", "·": "-", "→": "->", "×": "x", "–": "-", "—": "-", "’": "'", "“": '"', "”": '"', "\xa0": " ", "≤": "<=", "≥": ">="}
_BREAK = re.compile(r"[ \t]*[\r\n]+[ \t]*")


def clean(text: object, limit: int = LIMIT) -> str:
    """The text on one line, with every control character, bidirectional override and lone surrogate as a visible escape.

    So is the beginning of what a CI system would take for a command in its log.
    """
    raw = text if type(text) is str else str(text)
    if len(raw) <= limit and raw.isascii() and raw.isprintable() and "::" not in raw and "##" not in raw:
        return raw  # most of all text; the patterns take ten times as long
    kept = raw[:limit]
    safe = _COMMAND.sub(lambda m: f"{m[0][0]}\\x{ord(m[0][0]):02x}", _UNSAFE.sub(_escape, kept))
    return safe if len(raw) <= limit else f"{safe}… ({len(raw) - limit} more characters)"


def prose(text: str, limit: int = LIMIT) -> str:
    """Sentences of the catalogue: line ends between words are spaces, all else is cleaned."""
    return clean(_BREAK.sub(" ", text.strip(" \t\r\n")), limit)


def ascii_only(text: str) -> str:
    """Cleaned text for a terminal or file without Unicode: what is not ASCII becomes its escape."""
    return "".join(_ASCII.get(c) or (c if c < "\x80" else _escape_character(c)) for c in text)


def _escape(match: re.Match[str]) -> str:
    return _SHORT.get(match[0]) or _escape_character(match[0])


def _escape_character(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
