"""What a real Envoy answered, to compare what was played with."""

from __future__ import annotations

import json
from pathlib import Path

from .playing import Answer

DATA = Path(__file__).parent.parent / "data"
ROWS = {row["id"]: row for row in json.loads((DATA / "measured.json").read_text())["rows"]}


def recorded(name: str, version: str = "1.37") -> set[tuple[int, str, str]]:
    """Status, flags and details of every answer in the row."""
    return {(o["status"], o["response_flags"], o["response_code_details"]) for o in ROWS[name]["outcomes"][version]}


def known(name: str, version: str = "1.37") -> set[tuple[int, str, str]]:
    """The same, of either recording."""
    if name in ROWS:
        return recorded(name, version)
    outcomes = next(row for row in json.loads((DATA / "truth.json").read_text()) if row["id"] == name)["outcomes"][version]
    return {(o["status"], o["response_flags"], o["response_code_details"]) for o in outcomes}


def answers(forecast: list[Answer]) -> set[tuple[int, str, str]]:
    """The same of a forecast."""
    return {(status, flags, details) for _, status, flags, details in forecast}
