"""Calls of the program: in this process, or as its users call it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from pomprobe.cli import main

PROGRAM = Path(sys.executable).with_name("pomprobe")


@dataclass(frozen=True)
class Ended:
    """What a call came to."""

    code: int
    out: str
    err: str


def pomprobe(*arguments: str, stdin: bytes = b"", environment: dict[str, str] | None = None) -> Ended:
    """Call the program in this process, with pomprobe.toml and the environment as from a shell."""
    with CliRunner().isolation(stdin, environment) as (out, err, _), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["pomprobe", *arguments])
        code = 0
        try:
            main()
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        sys.stdout.flush()
        sys.stderr.flush()
        return Ended(code, out.getvalue().decode(), err.getvalue().decode())


def config(*routes: str, name: str = "config.yaml", top: str = "") -> str:
    """A config in the working directory. routes: the keys of each behind `from`, such as "to: http://127.0.0.1:1"."""
    text = top + "routes:\n"
    for number, route in enumerate(routes):
        text += f"  - from: https://{chr(97 + number)}.example.com\n" + "".join(f"    {line}\n" for line in route.splitlines())
    Path(name).write_text(text)
    return name
