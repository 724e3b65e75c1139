"""How well pomprobe agrees with Envoy: plays the recorded faults, asks live Envoys, fuzzes, and writes docs/conformance.md.

    python -m tools.conformance PATH...          the Envoys to ask; without one, the one that `pomprobe reproduce` would find

Takes half an hour, and wants a machine that has nothing else to do.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pomprobe.envoy.find import Binary, find

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "conformance.md"
CASES = 10_000
PROTOCOLS = ("http1", "http2", "tls")
NAME = re.compile(r"test_\w+\[(.+)\]")


@dataclass(frozen=True)
class Column:
    """One way to play the rows: how many of each category agreed, of how many, and which did not."""

    title: str
    agreed: Counter[str]
    played: Counter[str]
    differed: tuple[str, ...]


def played(title: str, file: str, envoy: Path | None) -> Column:
    """Run one of the test files over every row."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result.xml")
        environment = os.environ | ({"POMPROBE_ENVOY": str(envoy)} if envoy else {})
        command = [sys.executable, "-m", "pytest", f"tests/envoy/{file}", "-q", "-m", "", f"--junitxml={result}"]
        subprocess.run(command, cwd=ROOT, env=environment, check=False)
        cases = list(ElementTree.parse(result).iter("testcase"))
    agreed: Counter[str] = Counter()
    total: Counter[str] = Counter()
    differed = []
    for case in cases:
        match = NAME.fullmatch(case.get("name", ""))
        if match is None or case.find("skipped") is not None:
            continue
        category = CATEGORIES[match[1]]
        total[category] += 1
        if case.find("failure") is None and case.find("error") is None:
            agreed[category] += 1
        else:
            differed.append(match[1])
    return Column(title, agreed, total, tuple(differed))


def fuzzed(protocol: str, envoy: Binary) -> str:
    """The sum of a run of the fuzzer."""
    command = [sys.executable, "-m", "tools.fuzz_envoy", "-n", str(CASES), "--protocol", protocol, "--envoy", str(envoy.path)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    match = re.search(r"agreement: \d+/\d+ \((.+?)\) word for word, \d+/\d+ \((.+?)\)", answer.stdout)
    if match is None:
        raise SystemExit(f"{' '.join(command)} said:\n{answer.stdout}{answer.stderr}")
    return f"{match[1]} word for word, {match[2]} in status, flags and code"


def page(columns: Sequence[Column], fuzz: Sequence[tuple[str, Sequence[str]]], envoys: Sequence[Binary]) -> Iterator[str]:
    """The page, line by line."""
    yield from ("# Agreement with Envoy", "", "<!-- Written by `make conformance-table`: measured, and not to be edited. -->", "")
    yield "A forecast agrees if it gives the same status, response flags and response code details, word for word but for addresses, with"
    yield "the same shares (up to 0.15). Each row of the recorded truth is an upstream that misbehaves on loopback; the second column plays"
    yield "them to pomprobe and compares with what Envoy 1.37 was recorded to answer, the others put them to a live Envoy through"
    yield "`pomprobe reproduce`, and compare with the recording of that version."
    yield from ("", "| category | " + " | ".join(column.title for column in columns) + " |", "|---|" + "---|" * len(columns))
    for category in dict.fromkeys(CATEGORIES.values()):
        yield f"| {category} | " + " | ".join(f"{c.agreed[category]} of {c.played[category]}" for c in columns) + " |"
    yield "| **all** | " + " | ".join(f"**{c.agreed.total()} of {c.played.total()}**" for c in columns) + " |"
    for column in columns:
        if column.differed:
            yield from ("", f"{column.title}: " + ", ".join(f"`{name}`" for name in column.differed) + " differed.")
    yield from ("", "## The same bytes to both", "")
    yield "`make fuzz-envoy` makes up answers, damages them, and gives the same bytes to Envoy and to pomprobe's own stages:"
    yield f"{CASES} of each kind."
    yield from ("", "| answers | " + " | ".join(f"Envoy {envoy.version}" for envoy in envoys) + " |", "|---|" + "---|" * len(envoys))
    for protocol, sums in fuzz:
        yield f"| {protocol} | " + " | ".join(sums) + " |"


def main() -> None:
    """Measure everything, and write the page."""
    envoys = [find(path) for path in sys.argv[1:]] or [find()]
    columns = [played("forecast", "test_conformance.py", None)]
    columns += [played(f"Envoy {envoy.version}", "test_live.py", envoy.path) for envoy in envoys]
    fuzz = [(protocol, [fuzzed(protocol, envoy) for envoy in envoys]) for protocol in PROTOCOLS]
    PAGE.write_text("\n".join(page(columns, fuzz, envoys)) + "\n", encoding="utf-8")


def _categories() -> dict[str, str]:
    sys.path.insert(0, str(ROOT / "tests"))
    from envoy.scenes.rows import rows

    return {name: row.category for name, row in rows().items()}


CATEGORIES = _categories()

if __name__ == "__main__":
    main()
