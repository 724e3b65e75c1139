"""Run programs, and tell what they cost: paired runs, so that what else the machine does meets all of them alike."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

COST = Path(__file__).with_name("cost.py")
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """One run of a program. wall and cpu (user and system): seconds; memory: the most that was resident, in MiB."""

    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True, slots=True)
class Program:
    """A command to measure. codes: the exit codes that are right; daemon: a process that works for it, whose time counts too."""

    name: str
    argv: Sequence[str]
    codes: Sequence[int] = (0,)
    daemon: int | None = None


def run(program: Program) -> Cost:
    """Run it once, its output into a file. Raises RuntimeError where it ends with another exit code than it should."""
    before = _cpu(program.daemon)
    with tempfile.NamedTemporaryFile() as said:
        argv = (sys.executable, "-I", "-S", str(COST), said.name, *program.argv)
        answer = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout.split()
        if int(answer[0]) not in program.codes:
            raise RuntimeError(f"{program.name} ended with {answer[0]}: {said.read()[-500:].decode(errors='replace')}")
    wall, cpu, memory = map(float, answer[1:])
    return Cost(wall, cpu + _cpu(program.daemon) - before, max(memory, _memory(program.daemon)))


def paired(programs: Sequence[Program], rounds: int, *, warm: bool = True) -> list[list[Cost]]:
    """The costs of each program, round by round; who goes first changes from round to round. warm: one round before is not counted."""
    costs: list[list[Cost]] = [[] for _ in programs]
    for number in range(-1 if warm else 0, rounds):
        order = [(number + position) % len(programs) for position in range(len(programs))]
        for index in order:
            cost = run(programs[index])
            if number >= 0:
                costs[index].append(cost)
    return costs


def ratio(costs: Sequence[Cost], others: Sequence[Cost]) -> float:
    """The median of each round's ratio of the wall times."""
    return statistics.median(cost.wall / other.wall for cost, other in zip(costs, others, strict=True))


def wall(costs: Sequence[Cost]) -> float:
    """The median wall time, in seconds."""
    return statistics.median(cost.wall for cost in costs)


def table(programs: Sequence[Program], costs: Sequence[Sequence[Cost]], unit: str = "s") -> list[str]:
    """Medians, the range of the wall time, and the median of each round's ratio to the first program, as Markdown."""
    scale, digits = (1000, 0) if unit == "ms" else (1, 2)
    lines = [f"| program | median, {unit} | range, {unit} | CPU, {unit} | memory, MiB | ratio |", "|---|---:|---:|---:|---:|---:|"]
    for program, mine in zip(programs, costs, strict=True):
        walls = [cost.wall * scale for cost in mine]
        cpu, memory = statistics.median(cost.cpu * scale for cost in mine), statistics.median(cost.memory for cost in mine)
        middle = f"{statistics.median(walls):.{digits}f} | {min(walls):.{digits}f} to {max(walls):.{digits}f}"
        lines.append(f"| {program.name} | {middle} | {cpu:.{digits}f} | {memory:.0f} | {ratio(mine, costs[0]):.2f} |")
    return lines


def _cpu(pid: int | None) -> float:
    """Seconds of processor time that a running process has used: fields 14 and 15 of /proc/PID/stat, proc(5)."""
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def _memory(pid: int | None) -> float:
    """The most that a running process has had resident, in MiB (VmHWM)."""
    if pid is None:
        return 0.0
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
