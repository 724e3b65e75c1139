"""The recorded truth: what a real Envoy answered to each fault, and when another answer counts as the same."""

from __future__ import annotations

import functools
import json
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pomprobe.model import EnvoyReply

DATA = Path(__file__).parent.parent.parent / "data"
TRUTH, SCENES, OLDER, MEASURED = (DATA / f"{name}.json" for name in ("truth", "scenes", "envoy-1.36", "measured"))
"""What was answered; and for each row that a probe can see: the route, the global keys, and how to compare. OLDER: the rows to which
Envoy 1.36.4 answered otherwise than 1.37.0. MEASURED: what was measured for the catalogue beside them."""

TOLERANCE = 0.15
"""By how much a share may differ: recordings and replays are samples."""

SECONDS = 4.0
"""The longest that an Envoy took for a fault that was measured for the catalogue."""

Entry = tuple[EnvoyReply, float]


@dataclass(frozen=True)
class Row:
    """One recorded fault. seconds: the longest that Envoy took. any: every recorded answer will do, in any share."""

    id: str
    category: str
    upstream: str
    route: Mapping[str, Any]
    settings: Mapping[str, Any]
    outcomes: Mapping[str, tuple[Mapping[str, Any], ...]]
    needs: tuple[str, ...]
    seconds: float
    any: bool
    play: Callable[[Any], Awaitable[None]] | None = None  # starts its upstreams, given a Scene; None: `upstream` says how

    def expected(self, version: str) -> tuple[Mapping[str, Any], ...]:
        """The answers of this Envoy version, as in 1.37, else of the nearest one recorded; of every one where any will do."""
        if self.any:
            return tuple(o for outcomes in self.outcomes.values() for o in outcomes)
        return self.outcomes[min(self.outcomes, key=lambda recorded: abs(_minor(recorded) - _minor(version)))]


@functools.cache
def rows() -> Mapping[str, Row]:
    """Every row that a probe can see."""
    recorded = {entry["id"]: entry for entry in json.loads(TRUTH.read_text())}
    for name, answers in json.loads(OLDER.read_text()).items():
        recorded[name]["outcomes"]["1.36"] = answers
    return {entry["id"]: _row(entry, recorded[entry["id"]]) for entry in json.loads(SCENES.read_text())}


@functools.cache
def measured() -> Mapping[str, Row]:
    """Those of the faults measured for the catalogue that can be played again from the words that describe them."""
    entries = [entry for entry in json.loads(MEASURED.read_text())["rows"] if entry.get("replayed")]
    return {entry["id"]: _row({"global": {}, **entry, "seconds": SECONDS}, entry) for entry in entries}


def _row(scene: Mapping[str, Any], recorded: Mapping[str, Any]) -> Row:
    accepted = {"accept": tuple(scene["accept"])} if "accept" in scene else {}
    return Row(
        id=scene["id"],
        category=recorded["category"],
        upstream=scene.get("upstream", recorded["upstream"]),
        route=scene["route"],
        settings=scene.get("global", {}),
        outcomes={version: tuple(answers) for version, answers in recorded["outcomes"].items()} | accepted,
        needs=tuple(scene.get("needs", ())),
        seconds=scene.get("seconds", 0.0),
        any=scene.get("any", False),
    )


def _minor(version: str) -> int:
    return int(version.partition(".")[2])


def mismatch(row: Row, answers: Iterable[Entry], version: str) -> str:
    """ "" where the answers are those of the row, word for word but for addresses; else what is wrong."""
    return difference(as_entries(row.expected(version)), answers, any=row.any)


def as_entries(outcomes: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """Recorded answers as those of a reproduction."""
    return [
        (EnvoyReply(outcome["status"], outcome["response_flags"], outcome["response_code_details"], ""), outcome["share"])
        for outcome in outcomes
    ]


def difference(expected: Iterable[Entry], answers: Iterable[Entry], *, any: bool = False) -> str:
    """The same between answers. any: those that are there must be among the expected ones, in any share."""
    wanted, got = _folded(expected), _folded(answers)
    if abs(sum(got.values()) - 1) > 0.02:
        return f"shares add up to {sum(got.values()):.2f}"
    if odd := got.keys() - wanted.keys():
        return f"got {odd}, expected {set(wanted)}"
    if any:
        return ""
    return "".join(
        f"share of {key} is {got.get(key, 0):.2f}, expected {share:.2f}"
        for key, share in wanted.items()
        if abs(got.get(key, 0) - share) > TOLERANCE
    )


def _folded(answers: Iterable[Entry]) -> dict[tuple[int, str, str], float]:
    folded: dict[tuple[int, str, str], float] = defaultdict(float)
    for reply, share in answers:
        details = re.sub(r"remote_address:[^|}]*", "remote_address:", reply.response_code_details)
        details = re.sub(r"\d+\.\d+\.\d+\.\d+:\d+", "ADDRESS", details)
        folded[reply.status, ",".join(sorted(reply.response_flags.split(","))), details] += share
    return {key: share for key, share in folded.items() if share > 0}
