"""A fault at every await around a private Envoy: run as a program, it breaks one after the other, and prints what became of the run.

Prints JSON: command -> each place that its run came to again -> [exit code, is there a report, is the secret told, what was said,
processes left, files left].
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from robust.chaos import FAULTS, SECRET

OURS = ("envoy.", "cli.confirm", "cli.reproduce")
"""Modules whose awaits are broken here."""

COMMANDS = {"check": ("check", "--confirm", "-o", "json", "--no-progress"), "reproduce": ("reproduce", "-o", "json", "--requests", "1")}


def main() -> None:
    """Break everything around Envoy that a run over three routes awaits: one refuses, one is a tunnel, one is no route for Envoy."""
    from robust.running import run  # after the hook

    with tempfile.TemporaryDirectory(prefix="pc-", dir="/tmp") as folder:
        tempfile.tempdir = folder  # short, since a unix socket lies in it
        config = Path(folder, "c.json")
        routes = ({"to": "http://127.0.0.1:1"}, {"to": "http://[::1]"}, {"from": "tcp+https://t.example.com:22", "to": "tcp://127.0.0.1:1"})
        named = [{"name": f"r{n}", "from": f"https://r{n}.example.com", "timeout": "5s", **one} for n, one in enumerate(routes)]
        config.write_text(json.dumps({"routes": named}))
        told: dict[str, dict[str, Any]] = {}
        for command, args in COMMANDS.items():
            FAULTS.reached.clear()
            told[command] = {"": _told(run(*args, str(config)), folder)}
            for place in [place for place in FAULTS.reached if place.startswith(OURS)]:
                FAULTS.target, FAULTS.kind = place, RuntimeError
                ran = _told(run(*args, str(config)), folder)
                if FAULTS.target is None:  # else this run had nothing to wait for there: an Envoy that was ready at the first look
                    told[command][place] = ran
    print(json.dumps(told))


def _told(ran: Any, folder: str) -> list[Any]:
    try:
        report = bool(json.loads(ran.out)["routes"])
    except ValueError:
        report = False
    until = time.monotonic() + 5
    while _children() and time.monotonic() < until:  # an Envoy that only validates ends by itself
        time.sleep(0.01)
    return [ran.code, report, SECRET in ran.all, ran.err, _children(), [name for name in os.listdir(folder) if name != "c.json"]]


def _children() -> list[str]:
    """What runs below this process, without what has ended."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            try:
                found.append(Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue
    return [line for line in found if line]


if __name__ == "__main__":
    main()
