"""What the DNS servers of the rows say, read from their words."""

from __future__ import annotations

import re
from typing import Any

from servers.dns import Answer, Zone


def zone(words: str) -> Zone:
    words = words.replace(" over UDP and TCP", "")
    if "->" not in words:
        return {"*": _answer({"never answers": "DROP"}.get(words, words))}
    pairs = (part.split(" -> ", 1) for part in words.split("; "))
    return {("*" if name == "any name" else name.lower()): _by_type(told) for name, told in pairs}


def _by_type(words: str) -> Any:
    """An answer, or one for each type ("A: …, AAAA: …")."""
    if not re.match(r"A: ", words):
        return _answer(words)
    told = {kind: _answer(text) for kind, text in re.findall(r"(A|AAAA): (.+?)(?=, A|$)", words)}
    return lambda query: told["AAAA" if query.question[0].rdtype == 28 else "A"]


def _answer(words: str) -> Answer:
    if words == "GARBAGE":
        return b"garbage"
    if words.startswith("truncated"):
        return "TC"
    records = re.findall(r"(A|AAAA|CNAME) ([\w.:-]+)", words)
    return records or words
