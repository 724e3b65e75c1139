"""Where the time of a large run goes: the profile behind the table of a thousand upstreams."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from . import servers
from .section import POMPROBE, Section, config

ROUNDS = 5
COUNT = 1000

SCRIPT = """
import gc, io, json, resource, sys, time
said, at = {}, time.process_time()
def phase(name):
    global at
    now = time.process_time()
    said[name], at = now - at, now
import anyio, pomprobe
from pomprobe import report
from pomprobe.api import Session
from pomprobe.report.style import Style
import pomprobe.report.json
phase("imports")
gc.freeze()
gc.set_threshold(20_000, 50, 50)
config = pomprobe.load(sys.argv[1])
phase("reading the config")
session = Session(config, fork=True)
phase("planning, forking")
anyio.run(session.run)
phase("collecting and diagnosing, beside the probing")
done = session.report()
pomprobe.report.json.write(done, io.StringIO(), Style())
phase("the report, as JSON")
children = resource.getrusage(resource.RUSAGE_CHILDREN)
said["probing, in all processes together"] = children.ru_utime + children.ru_stime
print(json.dumps(said))
"""


def phases(directory: Path) -> Section:
    """Processor time of each phase, the least of some runs: what else the machine does only adds to it."""
    python = Path(POMPROBE[0]).with_name("python")
    sockets = [(address, port) for port in (servers.free_port(),) for address in servers.addresses(COUNT)]
    path = config(directory, sockets)
    runs: list[dict[str, float]] = []
    with servers.nginx(directory, sockets):
        for _ in range(ROUNDS):
            answer = subprocess.run((str(python), "-c", SCRIPT, str(path)), capture_output=True, check=True, stdin=subprocess.DEVNULL)
            runs.append(json.loads(answer.stdout))
    lines = ["| phase | CPU, s |", "|---|---:|"]
    lines += [f"| {name} | {min(run[name] for run in runs):.2f} |" for name in runs[0]]
    method = f"A run over the {COUNT:,} upstreams, phase by phase; the least of {ROUNDS} runs. All but the probing is in one process."
    return Section("Where the time of a thousand upstreams goes", method, lines)
