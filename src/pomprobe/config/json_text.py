"""JSON to raw nodes with places, iteratively; the messages are those of Go's encoding/json (scanner.go, decode.go)."""

from __future__ import annotations

import json
import math
import re

from .nodes import Kind, Node
from .problems import Unreadable
from .tree import MAX_DEPTH, Expander, Raw

_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORDS = {"t": "true", "f": "false", "n": "null"}
END = "unexpected end of JSON input"


def read_json(data: bytes, file: str) -> Node:
    """The tree of a JSON text. Raises Unreadable."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable("encoding", f"invalid UTF-8 at byte {error.start}") from None
    return Expander(file, unique_keys=False).node(_Scanner(text).document(), "", 0)


def check_json(text: str) -> None:
    """Raise Unreadable with Go's words where the text is no JSON."""
    _Scanner(text).document()


class _Scanner:
    """One pass over the text with an explicit stack."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._lines = [0]
        for match in re.finditer("\n", text):
            self._lines.append(match.end())

    def document(self) -> Raw:
        stack: list[Raw] = []
        root: Raw | None = None
        expect = "value"  # value, first (a value or the end of a list), key, first key, more
        while root is None or stack:
            self._skip()
            char = self._char()
            if expect == "more":
                expect = self._after_value(stack, char)
            elif expect in ("key", "first key"):
                expect = self._key(stack, char, expect)
            else:
                raw = self._value(stack, char, expect)
                root = root or raw
                if raw is not None and raw.shape in ("sequence", "mapping"):
                    stack.append(raw)
                    if len(stack) > MAX_DEPTH:
                        raise self._error("too_deep", "exceeded max depth")
                    expect = "first" if raw.shape == "sequence" else "first key"
                else:
                    expect = "more"
        self._skip()
        if self.at < len(self.text):
            raise self._bad("after top-level value")
        return root

    def _after_value(self, stack: list[Raw], char: str) -> str:
        top = stack[-1]
        self.at += 1
        if char == ",":
            return "value" if top.shape == "sequence" else "key"
        if char == ("]" if top.shape == "sequence" else "}"):
            stack.pop()
            return "more"
        self.at -= 1
        raise self._bad("after array element" if top.shape == "sequence" else "after object key:value pair")

    def _key(self, stack: list[Raw], char: str, expect: str) -> str:
        if char == "}" and expect == "first key":
            self.at += 1
            stack.pop()
            return "more"
        if char != '"':
            raise self._bad("looking for beginning of object key string")
        stack[-1].children.append(self._string())
        self._skip()
        if self._char() != ":":
            raise self._bad("after object key")
        self.at += 1
        return "value"

    def _value(self, stack: list[Raw], char: str, expect: str) -> Raw | None:
        if char == "]" and expect == "first":
            self.at += 1
            stack.pop()
            return None
        if char in "{[":
            line, column = self._place()
            raw = Raw("mapping" if char == "{" else "sequence", line, column)
            self.at += 1
        elif char == '"':
            raw = self._string()
        elif char in "-0123456789":
            raw = self._number()
        elif char in _WORDS:
            raw = self._word(_WORDS[char])
        else:
            raise self._bad("looking for beginning of value")
        if stack:
            stack[-1].children.append(raw)
        return raw

    def _string(self) -> Raw:
        line, column = self._place()
        match = _STRING.match(self.text, self.at)
        if match is None:
            self.at += 1
            while self.at < len(self.text) and self.text[self.at] >= " " and self.text[self.at] != '"':
                self.at += 1
                if self.text[self.at - 1] == "\\":
                    if self._char() not in '"\\/bfnrtu':
                        raise self._bad("in string escape code")
                    self.at += 1
                    if self.text[self.at - 1] == "u":
                        self._hex()
            self._char()
            raise self._bad("in string literal")
        self.at = match.end()
        value: str = json.loads(match[0])
        return Raw("scalar", line, column, value.encode("utf-8", "replace").decode("utf-8"))

    def _hex(self) -> None:
        for _ in range(4):
            if self._char() not in "0123456789abcdefABCDEF":
                raise self._bad("in \\u hexadecimal character escape")
            self.at += 1

    def _number(self) -> Raw:
        line, column = self._place()
        match = _NUMBER.match(self.text, self.at)
        if match is None:
            self.at += 1
            self._char()
            raise self._bad("in numeric literal")
        self.at = match.end()
        rest = self.text[self.at : self.at + 1]
        if rest == "." or (rest in "eE" and rest):
            self.at += 1
            self._char()
            raise self._bad("after decimal point in numeric literal" if rest == "." else "in exponent of numeric literal")
        if len(match[0]) > 400 or math.isinf(float(match[0])):
            message = f"json: cannot unmarshal number {match[0][:80]} into Go value of type float64"
            raise Unreadable("json", message, line, column)
        whole = match[0].lstrip("-").isdigit() and len(match[0]) < 18
        return Raw("scalar", line, column, match[0], Kind.INTEGER if whole else Kind.FLOAT)

    def _word(self, word: str) -> Raw:
        line, column = self._place()
        for i, expected in enumerate(word):
            if self._char() != expected:
                raise self._bad(f"in literal {word} (expecting '{word[i]}')")
            self.at += 1
        return Raw("scalar", line, column, word, Kind.NULL if word == "null" else Kind.BOOLEAN)

    def _skip(self) -> None:
        match = _SPACE.match(self.text, self.at)
        assert match is not None
        self.at = match.end()

    def _char(self) -> str:
        if self.at >= len(self.text):
            raise self._error("json", END)
        return self.text[self.at]

    def _bad(self, where: str) -> Unreadable:
        char = self.text[self.at]
        shown = {"'": r"'\''", '"': "'\"'", "\t": r"'\t'", "\n": r"'\n'", "\r": r"'\r'", "\x00": r"'\x00'"}.get(char, f"'{char}'")
        return self._error("nul" if char == "\0" else "json", f"invalid character {shown} {where}")

    def _error(self, reason: str, message: str) -> Unreadable:
        return Unreadable(reason, message, *self._place())

    def _place(self) -> tuple[int, int]:
        low, high = 0, len(self._lines)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._lines[middle] <= self.at else (low, middle)
        return low + 1, self.at - self._lines[low] + 1
