"""Secrets that are easy to find again: each is unique, and so are its first and last four characters."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field


@dataclass
class Canaries:
    """Hands out one canary for each name, and looks for all of them, for parts of them and for their base64 in a text."""

    given: dict[str, str] = field(default_factory=dict)
    readable: list[str] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        """The canary of that name: 32 letters and digits, which begins and ends with four letters that no word, number or digest has."""
        digest = hashlib.sha256(name.encode())
        rare = "".join("QXZJKWVY"[byte % 8] for byte in digest.digest()[:4])
        middle = base64.b32encode(digest.digest()[4:19]).decode()
        return self.given.setdefault(name, f"{rare}{middle}{rare[::-1]}")

    def keep(self, name: str, text: str) -> str:
        """Look for this text too, which the test has made itself."""
        self.given[name] = text
        return text

    def show(self, pem: str) -> None:
        """What anyone may read: the lines of a certificate, in which any four letters can stand by chance."""
        self.readable += pem.splitlines()[1:-1]

    def found(self, text: str) -> list[str]:
        """Names of the canaries that can be read in the text, whole, in part or encoded."""
        for line in self.readable:
            text = text.replace(line, "")
        lowered = text.lower()
        return [name for name, canary in self.given.items() if any(form.lower() in lowered for form in _forms(canary))]


def _forms(canary: str) -> set[str]:
    """The first four and the last four characters, hexadecimal, and base64 at each of the three offsets within a longer text."""
    forms = {canary[:4], canary[-4:]} if _rare(canary) else {canary[:8]}
    forms.add(canary[:8].encode().hex())
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + canary.encode()).decode()
        forms.add(encoded[4:16])  # what does not depend on the bytes before
        forms.add(encoded[4:16].replace("+", "-").replace("/", "_"))
    return forms


def _rare(canary: str) -> bool:
    """Is it one of ours, whose ends stand in no other text?"""
    return set(canary[:4]) <= set("QXZJKWVY") and canary[-4:] == canary[3::-1]
