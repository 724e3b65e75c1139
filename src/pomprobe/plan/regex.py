"""The door of RE2, Envoy's regular expressions: matching, replacing, and texts that match. Linear in time whatever a config says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

POSIX = {
    "[:alpha:]": "a-zA-Z", "[:digit:]": "0-9", "[:alnum:]": "0-9A-Za-z", "[:lower:]": "a-z", "[:upper:]": "A-Z", "[:word:]": "0-9A-Za-z_",
    "[:xdigit:]": "0-9A-Fa-f", "[:space:]": r"\s", "[:blank:]": r" \t", "[:punct:]": r"!-/:-@\[-`{-~",
}  # fmt: skip

CLASSES = {"d": "0", "w": "a", "s": " ", "D": "a", "W": "-", "S": "a", "n": "\n", "t": "\t"}
MOST = 1000
"""Rounds of a repetition that RE2 allows."""
NOTHING = "AbBzZGQE"  # anchors and quoting: match no character


def matches(pattern: str, text: str) -> bool:
    """Does the whole text match? Nothing does where RE2 refuses the expression."""
    expression = _compiled(pattern)
    try:
        return expression is not None and expression.fullmatch(text) is not None
    except UnicodeEncodeError:  # text that is no Unicode
        return False


def literal_start(pattern: str) -> str:
    """Plain text with which everything that the expression matches begins, as far as that is plain to see."""
    if "|" in pattern or "(?" in pattern:
        return ""
    text = re.match(r"\^?((?:[^\\^$.|?*+()\[\]{}]|\\[./-])*)([*?{]?)", pattern)
    assert text is not None  # it matches nothing, too
    plain = text[1].replace("\\", "")
    return plain[:-1] if text[2] else plain


def substituted(pattern: str, substitution: str, text: str) -> str:
    r"""RE2's GlobalReplace, where `\0` is the whole match and `\\` a backslash; what cannot be read leaves the text as it is."""
    expression = _compiled(pattern)
    if expression is None:
        return text

    def written(match: Any) -> str:
        return re.sub(r"\\([0-9\\])", lambda part: "\\" if part[1] == "\\" else match.group(int(part[1])) or "", substitution)

    try:
        return str(expression.sub(written, text))
    except (IndexError, UnicodeError):
        return text


def examples(pattern: str) -> Iterator[str]:
    """Matching texts: with every repetition as short as allowed, then with one and two more rounds of each; all are verified."""
    if _compiled(pattern) is None:
        return
    for rounds in (0, 1, 2):
        try:
            text = _Maker(_translated(pattern), rounds).make()
        except (re.error, IndexError):  # what RE2 knows and we do not, such as `\pN`
            return
        if matches(pattern, text):
            yield text


@cache
def _compiled(pattern: str) -> Any:
    """The expression; None where RE2 refuses it."""
    import re2  # type: ignore[import-untyped]  # only where a config has one

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError):
        return None


def _translated(pattern: str) -> str:
    for name, characters in POSIX.items():
        pattern = pattern.replace(name, characters)
    return pattern


class _Maker:
    """Walks the pattern once and writes the first text that comes to mind."""

    def __init__(self, pattern: str, rounds: int) -> None:
        self.pattern = pattern
        self.rounds = rounds
        self.at = 0

    def make(self) -> str:
        """The first alternative of what follows, up to a closing bracket or the end."""
        parts: list[str] = []
        first: str | None = None
        while self.at < len(self.pattern) and self.pattern[self.at] != ")":
            if self.pattern[self.at] == "|":
                self.at += 1
                first = "".join(parts) if first is None else first
                parts = []
                continue
            parts.append(self._repeated(self._atom()))
        return "".join(parts) if first is None else first

    def _atom(self) -> str:
        char = self._take()
        if char == "(":
            if self.pattern[self.at] == "?":
                self.at += 1
                while self.pattern[self.at] not in ":>)":
                    self.at += 1
                self.at += self.pattern[self.at] != ")"
            text = self.make()
            self._take()
            return text
        if char == "[":
            return self._set()
        if char == "\\":
            char = self._take()
            return "" if char in NOTHING else CLASSES.get(char, char)
        if char in "^$":
            return ""
        return "a" if char == "." else char

    def _set(self) -> str:
        start = self.at - 1
        self.at += self.pattern[self.at] == "^"
        self.at += self.pattern[self.at] == "]"
        while self.pattern[self.at] != "]":
            self.at += 2 if self.pattern[self.at] == "\\" else 1
        self.at += 1
        allowed = re.compile(self.pattern[start : self.at])
        return next((char for char in map(chr, (97, 48, 65, 45, *range(33, 127))) if allowed.fullmatch(char)), "a")

    def _repeated(self, text: str) -> str:
        least, most = 1, 1
        while self.at < len(self.pattern) and (match := re.compile(r"[*+?]|\{(\d+)(,?)(\d*)\}").match(self.pattern, self.at)):
            self.at = match.end()
            if match[0] == "?" and self.pattern[self.at - 2] in "*+?}":
                continue  # lazy
            least = {"*": 0, "+": 1, "?": 0}.get(match[0], int(match[1] or 0))
            most = {"*": 99, "+": 99, "?": 1}.get(match[0], int(match[3]) if match[3] else 99 if match[2] else least)
        if least > MOST:  # RE2 takes the braces for text
            raise IndexError
        return text * min(least + self.rounds if most > least else least, most)

    def _take(self) -> str:
        self.at += 1
        return self.pattern[self.at - 1]
