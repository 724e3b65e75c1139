"""python -m benchmarks: measure everything and write docs/benchmarks.md; with names of sections, print those alone."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pomprobe

from . import many, phases, servers, stages, startup
from .section import Goal, Section

SECTIONS: dict[str, Callable[[Path], Section]] = {
    "startup": startup.startup,
    "healthy": many.healthy,
    "phases": phases.phases,
    "dead": many.dead,
    "mixed": many.mixed,
    "large": many.large,
    "lint": many.lint,
    "stages": stages.stages,
    "load": stages.under_load,
}
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"

HEAD = """# Benchmarks

Written by `make bench`. Times are wall times unless the column says otherwise. A ratio is the median, over the rounds,
of a program's time by the first program's in the same round. Numbers are of one machine, and for comparing within a table.

"""


def main(names: list[str]) -> int:
    """Measure the named sections and print them; without names all, into the page. 1 if a goal is missed without a known reason."""
    pages: list[str] = []
    goals: list[Goal] = []
    for name in names or SECTIONS:
        with tempfile.TemporaryDirectory(prefix="pomprobe-bench-") as directory:
            os.chmod(directory, 0o755)  # nginx' worker may be another user
            servers.certificate(Path(directory))
            section = SECTIONS[name](Path(directory))
        print(section.markdown(), flush=True)  # noqa: T201
        pages.append(section.markdown())
        goals += section.goals
    table = Section("Goals", "Each number above that was to be at most so much.", [*GOALS, *(goal.line() for goal in goals)]).markdown()
    print(table)  # noqa: T201
    if not names:
        PAGE.write_text(HEAD + machine() + "\n" + "\n".join([*pages, table]))
    return 1 if any(not goal.met and not goal.why for goal in goals) else 0


GOALS = ("| goal | at most | measured | |", "|---|---:|---:|---|")


def machine() -> str:
    """The machine and the versions, as a list."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    lines = [
        f"{os.cpu_count()} cores{' of ' + model[1] if model else ''}, {memory:.0f} GiB, Linux {platform.release()}",
        f"pomprobe {pomprobe.__version__}, Python {platform.python_version()}",
        *(version for version in (_version("curl"), _version("nginx"), _version("prometheus-blackbox-exporter")) if version),
    ]
    return "".join(f"- {line}\n" for line in lines)


def _version(program: str) -> str:
    """The first line of what a program says about itself; "" where it is not installed."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if path is None:
        return ""
    flag = "-v" if program == "nginx" else "--version"
    answer = subprocess.run([path, flag], capture_output=True, text=True, check=True)
    return (answer.stdout + answer.stderr).splitlines()[0]


sys.exit(main(sys.argv[1:]))
