"""How long a user waits for the short commands, and for a check of one route."""

from __future__ import annotations

import sys
from pathlib import Path

from . import measure, servers
from .section import POMPROBE, Goal, Section, config

ROUNDS = 20


def startup(directory: Path) -> Section:
    """--version, --help, explain and a check of one healthy TLS upstream, beside an empty Python program."""
    address = ("127.0.0.1", servers.free_port())
    with servers.nginx(directory, [address]):
        programs = [
            measure.Program("`python -c pass`", (sys.executable, "-c", "pass")),
            measure.Program("`pomprobe --version`", (*POMPROBE, "--version")),
            measure.Program("`pomprobe --help`", (*POMPROBE, "--help")),
            measure.Program("`pomprobe explain no_healthy_upstream`", (*POMPROBE, "explain", "no_healthy_upstream")),
            measure.Program("`pomprobe check`, one route", (*POMPROBE, "check", str(config(directory, [address])))),
        ]
        costs = measure.paired(programs, ROUNDS)
    method = f"Each command in a process of its own. The check is of one TLS upstream (nginx). {ROUNDS} rounds in changing order."
    _, version, _, _, check = (measure.wall(mine) * 1000 for mine in costs)
    goals = (Goal("`pomprobe --version`", version, 120, " ms"), Goal("`pomprobe check` of one route", check, 400, " ms"))
    return Section("Start-up", method, measure.table(programs, costs, "ms"), goals)
