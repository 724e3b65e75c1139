"""The console blocks of README.md and docs/commands.md are what the programs print: this writes them, `--check` compares.

A block begins with `$ command`. A paragraph `…` stands for paragraphs left out. Ports of loopback, times and the directory of
the demo differ from run to run, and are left out of the comparison.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", ROOT / "docs" / "commands.md")
BLOCK = re.compile(r"(?<=```console\n)\$ (?P<command>pomprobe [^\n]*)\n(?P<output>.*?)(?=```)", re.DOTALL)
VARYING = (
    (re.compile(r":\d{4,5}\b"), ":PORT"),
    (re.compile(r"(≤|<=)?\d+(\.\d+)? m?s\b"), "TIME"),
    (re.compile(r"\S*/pomprobe-demo-\w+"), "DIRECTORY"),
    (re.compile(r"\s+"), " "),  # what differs in length moves the line breaks of a paragraph
)


def blocks(text: str) -> Iterator[re.Match[str]]:
    """The console blocks that run pomprobe."""
    return BLOCK.finditer(text)


def output(command: str) -> str:
    """What a command prints, on a plain terminal of 80 columns."""
    program = Path(sys.executable).with_name("pomprobe")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "COVERAGE", "POMPROBE_"))}
    environment |= {"COLUMNS": "80", "TERM": "dumb", "PYTHONIOENCODING": "utf-8"}
    argv = [str(program), *shlex.split(command)[1:]]
    return subprocess.run(argv, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout


def differences(text: str) -> list[str]:
    """The commands whose block says something that the command does not print."""
    return [block["command"] for block in blocks(text) if not _prints(output(block["command"]), block["output"])]


def _prints(printed: str, shown: str) -> bool:
    """Whether every part of `shown`, between the lines `…`, stands in `printed`, in this order."""
    parts = [_normal(part) for part in re.split(r"^…$", shown, flags=re.MULTILINE)]
    printed = _normal(printed)
    if len(parts) == 1:
        return printed == parts[0]
    at = 0
    for part in parts:
        found = printed.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _normal(text: str) -> str:
    for pattern, instead in VARYING:
        text = pattern.sub(instead, text)
    return text.strip()


def _written(block: re.Match[str]) -> str:
    """The block as the command prints it now, of an excerpt each paragraph that begins with the same two words; as it is where it holds."""
    printed = output(block["command"]).rstrip() + "\n"
    if _prints(printed, block["output"]):
        return block[0]
    if "…" in block["output"].splitlines():
        now = {_head(paragraph): paragraph for paragraph in printed.rstrip().split("\n\n")}
        shown = block["output"].rstrip().split("\n\n")
        printed = "\n\n".join(now.get(_head(paragraph), paragraph) for paragraph in shown) + "\n"
    return f"$ {block['command']}\n{printed}"


def _head(paragraph: str) -> str:
    return " ".join(paragraph.split()[:2])


def main(arguments: list[str]) -> int:
    stale = False
    for page in PAGES:
        if arguments != ["--check"]:
            page.write_text(BLOCK.sub(_written, page.read_text()))
        for command in differences(page.read_text()):
            print(f"{page.name}: not what the command prints: {command}", file=sys.stderr)  # noqa: T201
            stale = True
    return int(stale)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
