"""Many upstreams: a thousand that answer, a thousand that do not, ten thousand; beside curl and blackbox_exporter."""

from __future__ import annotations

import contextlib
import json
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import measure, servers
from .section import POMPROBE, Goal, Section, config

COUNT = 1000
AT_ONCE = 100
ROUNDS = 7
ROUNDS_DEAD = 2
DEAD = 100
CONNECT_TIMEOUT = 10
ROUNDS_LARGE = 3

WHY = (
    "before the first packet one process loads, reads and plans, on one of the two cores (see the profile above), which neither a daemon "
    "that runs already nor a compiled client has to; of what a probe costs, two fifths are OpenSSL and the kernel, the rest is Python"
)

WHY_DEAD = (
    "what is before the first packet and behind the last timer is work of one process, and takes what the machine takes: 11.4 s in all "
    "where `python -c pass` takes 15 ms"
)

Sockets = Sequence[tuple[str, int]]


def healthy(directory: Path) -> Section:
    """A thousand TLS upstreams on addresses of their own, all healthy."""
    port = servers.free_port()
    sockets = [(address, port) for address in servers.addresses(COUNT)]
    with servers.nginx(directory, list(sockets)), contextlib.ExitStack() as stack:
        programs = [_pomprobe(directory, sockets), _curl(directory, sockets), *_blackbox(directory, sockets, stack)]
        _all_are_healthy(programs[0])
        costs = measure.paired(programs, ROUNDS)
    method = (
        f"{COUNT:,} TLS upstreams, each on an address of its own (nginx, one worker, no session reuse); every program makes a new\n"
        f"connection to each, checks the certificate against a private CA, sends one GET and reads the answer.\n"
        f"curl and blackbox_exporter have {AT_ONCE} at a time, pomprobe as many as it takes by itself.\n"
        "blackbox_exporter is asked by `curl --parallel`, as Prometheus would ask it; its CPU time is the daemon's and curl's.\n"
        f"nginx runs on the same cores. {ROUNDS} rounds in changing order."
    )
    ours, *others = costs
    goals = [
        Goal(f"{COUNT:,} healthy upstreams, times as long as {name}", measure.ratio(ours, theirs), most, "", WHY)
        for name, most, theirs in zip(("curl", "blackbox_exporter"), (0.5, 1.0), others, strict=False)
    ]
    return Section(f"{COUNT:,} healthy upstreams", method, measure.table(programs, costs), goals)


def dead(directory: Path) -> Section:
    """A thousand upstreams whose SYNs are dropped: nobody answers before the connect timeout of 10 s."""
    with servers.black_hole() as port, contextlib.ExitStack() as stack:
        sockets = [(address, port) for address in servers.addresses(COUNT)]
        programs = [_pomprobe(directory, sockets, (1,)), _curl(directory, sockets, (28,)), *_blackbox(directory, sockets, stack)]
        costs = measure.paired(programs, ROUNDS_DEAD, warm=False)
    method = (
        f"{COUNT:,} endpoints that drop every SYN. The timeout is Envoy's, 10 s to connect, for all programs.\n"
        f"curl and blackbox_exporter have {AT_ONCE} at a time.\n"
        "A walk of pomprobe that only waits gives its place to the next one, so that a thousand dead endpoints are no queue.\n"
        f"{ROUNDS_DEAD} rounds in changing order."
    )
    most = 1.05 * CONNECT_TIMEOUT + 1
    goals = (Goal(f"{COUNT:,} endpoints that drop every packet", measure.wall(costs[0]), most, " s", WHY_DEAD),)
    return Section(f"{COUNT:,} endpoints that drop every packet", method, measure.table(programs, costs), goals)


def mixed(directory: Path) -> Section:
    """Do endpoints that drop every packet hold up the others? When the line of the last healthy route comes."""
    port = servers.free_port()
    healthy = [(address, port) for address in servers.addresses(COUNT - DEAD)]
    taken: dict[int, list[float]] = {0: [], DEAD: []}
    with servers.nginx(directory, list(healthy)), servers.black_hole() as hole:
        dead = [(address, hole) for address in servers.addresses(DEAD)]
        spread = [one for place in range(DEAD) for one in (dead[place], *healthy[place::DEAD])]
        for _ in range(ROUNDS):
            for count, sockets in ((0, healthy), (DEAD, spread)):
                taken[count].append(_last_healthy(config(directory, sockets)))
    alone, beside = statistics.median(taken[0]), statistics.median(taken[DEAD])
    lines = ["| upstreams | last healthy route told after, s |", "|---|---:|"]
    lines += [f"| {COUNT - DEAD} healthy | {alone:.2f} |", f"| the same, and {DEAD} that drop every packet among them | {beside:.2f} |"]
    method = f"`pomprobe check -o jsonl`: when its line of the last healthy route is there. Medians of {ROUNDS} runs of each, in turn."
    goals = (Goal(f"{DEAD} dead among {COUNT:,}: times as long until the last healthy one", beside / alone, 1.25),)
    return Section("Dead endpoints among healthy ones", method, lines, goals)


def _last_healthy(path: Path) -> float:
    """Seconds until the last route that is ok has been told."""
    began = last = time.perf_counter()
    argv = (*POMPROBE, "check", str(path), "-o", "jsonl", "--fail-on", "never")
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line).get("status") == "ok":
                last = time.perf_counter()
    return last - began


def large(directory: Path) -> Section:
    """How time and memory grow with the number of routes."""
    first = servers.free_port()
    ports = range(first, first + 10) if first < 60000 else range(first - 10, first)
    every = [(address, port) for port in ports for address in servers.addresses(1000)]
    with servers.nginx(directory, every):
        programs = []
        for count in (1000, 3000, 10000):
            program = _pomprobe(directory, every[:count])
            programs.append(measure.Program(f"`pomprobe check`, {count:,} routes", program.argv))
        costs = measure.paired(programs, ROUNDS_LARGE)
    method = f"As above, with more upstreams: 1,000 addresses with up to ten ports each. {ROUNDS_LARGE} rounds in changing order."
    most = max(cost.memory for cost in costs[-1]) * 2**20 / 1e6
    goals = (
        Goal("10,000 routes, memory", most, 150, " MB"),
        Goal("10,000 routes, times as long as 1,000", measure.ratio(costs[-1], costs[0]), 10),
    )
    return Section("Up to 10,000 routes", method, measure.table(programs, costs), goals)


def lint(directory: Path) -> Section:
    """A config of ten thousand routes, read and checked without a packet."""
    config(directory, [(address, port) for port in range(8000, 8010) for address in servers.addresses(1000)])
    argv = (*POMPROBE, "lint", str(directory / "config-10000.yaml"), "--fail-on", "never")
    program = measure.Program("`pomprobe lint`, 10,000 routes", argv)
    costs = measure.paired([program], ROUNDS_LARGE)
    return Section("Lint", f"Ten thousand routes, no packet. {ROUNDS_LARGE} rounds.", measure.table([program], costs))


def _pomprobe(directory: Path, sockets: Sockets, codes: Sequence[int] = (0,)) -> measure.Program:
    report = directory / "report.json"
    argv = (*POMPROBE, "check", str(config(directory, sockets)), "-o", f"json={report}")
    return measure.Program("`pomprobe check -o json`", argv, codes)


def _all_are_healthy(program: measure.Program) -> None:
    """What is compared is the same work: every upstream was reached and judged healthy."""
    measure.run(program)
    summary = json.loads(Path(program.argv[-1].partition("=")[2]).read_text())["summary"]
    if summary["ok"] != summary["routes"]:
        raise RuntimeError(f"not every upstream is healthy: {summary}")


def _curl(directory: Path, sockets: Sockets, codes: Sequence[int] = (0,)) -> measure.Program:
    """curl --parallel with a URL for each upstream; names differ, so that no connection is used twice."""
    domain = servers.SERVER_NAME.partition(".")[2]
    lines = ["silent", f'cacert = "{directory}/ca.pem"', 'connect-timeout = "10"', 'noproxy = "*"']
    for number, (address, port) in enumerate(sockets):
        name = f"u{number}.{domain}:{port}"
        lines += [f'resolve = "{name}:{address}"', f'url = "https://{name}/"', 'output = "/dev/null"']
    path = directory / "curl.conf"
    path.write_text("\n".join(lines))
    argv = ("curl", "--parallel", "--parallel-immediate", "--parallel-max", str(AT_ONCE), "--config", str(path))
    return measure.Program("`curl --parallel`", argv, codes)


def _blackbox(directory: Path, sockets: Sockets, stack: contextlib.ExitStack) -> Iterator[measure.Program]:
    """blackbox_exporter asked for each upstream; nothing where it is not installed."""
    program = shutil.which("prometheus-blackbox-exporter") or shutil.which("blackbox_exporter")
    if program is None:
        return
    trust = f"tls_config: {{ca_file: {directory}/ca.pem, server_name: {servers.SERVER_NAME}}}"
    (directory / "blackbox.yml").write_text(
        f"modules: {{https: {{prober: http, timeout: 10s, http: {{preferred_ip_protocol: ip4, {trust}}}}}}}\n"
    )
    port = servers.free_port()
    argv = (program, f"--config.file={directory}/blackbox.yml", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error")
    process = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    servers.wait_for("127.0.0.1", port)
    lines = ["silent", 'noproxy = "*"']
    for address, upstream in sockets:
        lines += [f'url = "http://127.0.0.1:{port}/probe?module=https&target=https://{address}:{upstream}/"', 'output = "/dev/null"']
    path = directory / "blackbox-curl.conf"
    path.write_text("\n".join(lines))
    asked = ("curl", "--parallel", "--parallel-immediate", "--parallel-max", str(AT_ONCE), "--config", str(path))
    yield measure.Program("`blackbox_exporter`", asked, daemon=process.pid)
