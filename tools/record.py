"""Puts the variants of tests/envoy/variants to live Envoys, beside our forecast, and records what they answer.

    python -m tools.record PATH...              the Envoys; tests/data/variants.json holds the answers of each version
    python -m tools.record -k 'tls-*' PATH...   some of them; the others stay as they are

Says where the forecast differs. Exit code 1 if it does anywhere.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from pomprobe.envoy.find import Binary, find

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from envoy.scenes.asking import answers, forecasts, recording  # noqa: E402
from envoy.scenes.batches import batches, staged  # noqa: E402
from envoy.scenes.pki import Authority  # noqa: E402
from envoy.scenes.rows import as_entries, mismatch  # noqa: E402
from envoy.variants import VARIANTS  # noqa: E402
from envoy.variants.catalogue import RECORDED  # noqa: E402

if TYPE_CHECKING:
    from envoy.scenes.rows import Entry, Row

AT_ONCE = 2
OLDER = "1.36"
"""Of this version only what differs from 1.37 is kept."""

Recorded = dict[str, dict[str, list[dict[str, Any]]]]


async def record(rows: Sequence[Row], envoys: Sequence[Binary]) -> tuple[Recorded, dict[str, list[str]]]:
    """The answers by row and Envoy version, and what our forecast has wrong."""
    told: Recorded = defaultdict(dict)
    wrong: dict[str, list[str]] = defaultdict(list)
    limit = anyio.CapacityLimiter(AT_ONCE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pki").mkdir()
        authority = Authority(folder / "pki")

        async def one(number: int, batch: Sequence[Row]) -> None:
            async with limit, staged(batch, folder / str(number), authority) as stage:
                sys.stderr.write(f"{batch[0].id} and {len(batch) - 1} more\n")
                seen = {recording(envoy): await answers(stage.config, batch, envoy) for envoy in envoys}
                ours = await forecasts(stage.config, list(seen))
            for version, entries in seen.items():
                for row, real, forecast in zip(batch, entries, ours[version], strict=True):
                    told[row.id][version] = _kept(row, version, real)
                    if difference := mismatch(_as_told(row, told[row.id]), forecast, version):
                        wrong[row.id].append(f"{version}: {difference}")

        async with anyio.create_task_group() as group:
            for number, batch in enumerate(batches(rows)):
                group.start_soon(one, number, batch)
    return told, wrong


def _kept(row: Row, version: str, entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """The answers as data; where any will do, also those of earlier recordings."""
    new: list[dict[str, Any]] = [
        {"status": r.status, "response_flags": r.response_flags, "response_code_details": r.response_code_details, "share": round(share, 3)}
        for r, share in entries
    ]
    if row.any:
        seen = list(map(_words, new))
        new += [dict(outcome) for outcome in row.outcomes.get(version, ()) if _words(outcome) not in seen]
    return new


def _words(outcome: Mapping[str, Any]) -> tuple[Any, ...]:
    return outcome["status"], outcome["response_flags"], outcome["response_code_details"]


def _as_told(row: Row, outcomes: Mapping[str, Sequence[Mapping[str, Any]]]) -> Row:
    return replace(row, outcomes={version: tuple(entries) for version, entries in outcomes.items()})


def _differs(row: Row, entries: Sequence[Mapping[str, Any]]) -> bool:
    return mismatch(row, as_entries(entries), "1.37") != ""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-k", default="*", help="which variants, as in a shell; several with commas")
    parser.add_argument("envoy", nargs="*")
    options = parser.parse_args()
    envoys = [find(path) for path in options.envoy] or [find()]
    rows = [row for name, row in VARIANTS.items() if any(fnmatch.fnmatch(name, pattern) for pattern in options.k.split(","))]
    told, wrong = anyio.run(partial(record, rows, envoys))
    kept = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    for name, answered in told.items():
        kept[name] = kept.get(name, {}) | answered
        if OLDER in answered and (VARIANTS[name].any or not _differs(VARIANTS[name], answered[OLDER])):
            del kept[name][OLDER]
    lines = [f"{json.dumps(name)}: {json.dumps(kept[name], sort_keys=True)}" for name in VARIANTS if name in kept]
    RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    for name, differences in sorted(wrong.items()):
        sys.stdout.write(f"{name}\n    " + "\n    ".join(differences) + "\n")
    sys.stdout.write(f"{len(rows) - len(wrong)} of {len(rows)} agree\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
