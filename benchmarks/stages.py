"""Are the times of the stages right? Beside those of `curl -w`, on an upstream whose delays are known."""

from __future__ import annotations

import json
import statistics
import subprocess
from pathlib import Path

from . import servers
from .section import POMPROBE, Section, config

ROUNDS = 10
COUNT = 1000
HANDSHAKE, ANSWER = 0.1, 0.2
CURL_FORMAT = "%{time_connect} %{time_appconnect} %{time_pretransfer} %{time_starttransfer}"


def stages(directory: Path) -> Section:
    """TCP, TLS and HTTP of one connection each, by pomprobe and by curl in turn."""
    ours: dict[str, list[float]] = {"tcp": [], "tls": [], "http": []}
    theirs: dict[str, list[float]] = {"tcp": [], "tls": [], "http": []}
    with servers.slow_server(directory, HANDSHAKE, ANSWER) as port:
        path = config(directory, [("127.0.0.1", port)])
        for _ in range(ROUNDS):
            for stage, seconds in _pomprobe(path).items():
                ours[stage].append(seconds)
            for stage, seconds in _curl(directory, port).items():
                theirs[stage].append(seconds)
    known = {"tcp": 0.0, "tls": HANDSHAKE, "http": ANSWER}
    lines = ["| stage | server's delay, ms | pomprobe, ms | curl, ms |", "|---|---:|---:|---:|"]
    for stage, delay in known.items():
        mine, peer = statistics.median(ours[stage]), statistics.median(theirs[stage])
        lines.append(f"| {stage} | {delay * 1000:.0f} | {mine * 1000:.1f} | {peer * 1000:.1f} |")
    method = (
        f"One TLS upstream that waits {HANDSHAKE * 1000:.0f} ms before its handshake and {ANSWER * 1000:.0f} ms before its answer;\n"
        f"medians of {ROUNDS} connections of each program, in turn. curl's are `time_connect`, `time_appconnect - time_connect`\n"
        "and `time_starttransfer - time_pretransfer`."
    )
    return Section("Times of the stages", method, lines)


def under_load(directory: Path) -> Section:
    """The HTTP stage of a thousand upstreams at once, beside the server's own clock."""
    port = servers.free_port()
    sockets = [(address, port) for address in servers.addresses(COUNT)]
    report = directory / "report.json"
    with servers.nginx(directory, sockets, log=True):
        argv = (*POMPROBE, "check", str(config(directory, sockets)), "-o", f"json={report}")
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    took = {address: float(seconds) for address, seconds in map(str.split, (directory / "access.log").read_text().splitlines())}
    errors: dict[bool, list[float]] = {False: [], True: []}
    for route in json.loads(report.read_text())["routes"]:
        (endpoint,) = route["upstreams"][0]["endpoints"]
        (outcome,) = (outcome for outcome in endpoint["outcomes"] if outcome["stage"] == "http")
        errors["late" in outcome["facts"]].append(abs(outcome["elapsed"] - took[endpoint["address"]]))
    lines = ["| outcomes | count | median error, ms | 99 % are below, ms |", "|---|---:|---:|---:|"]
    for late, name in ((False, "times that count"), (True, "marked: measured while our loop was late")):
        many = sorted(errors[late])
        if many:
            lines.append(f"| {name} | {len(many)} | {statistics.median(many) * 1000:.1f} | {many[int(len(many) * 0.99) - 1] * 1000:.1f} |")
    method = (
        f"{COUNT:,} TLS upstreams at once, as above: the time of the HTTP stage beside nginx' own clock (`$request_time`, whole\n"
        "milliseconds). A time that was measured while our event loop was late has the fact `late`, and no timeout is judged by it."
    )
    return Section("Times of the HTTP stage under load", method, lines)


def _pomprobe(path: Path) -> dict[str, float]:
    answer = subprocess.run((*POMPROBE, "check", str(path), "-o", "json"), capture_output=True, check=True, stdin=subprocess.DEVNULL)
    outcomes = json.loads(answer.stdout)["routes"][0]["upstreams"][0]["endpoints"][0]["outcomes"]
    return {outcome["stage"]: outcome["elapsed"] for outcome in outcomes}


def _curl(directory: Path, port: int) -> dict[str, float]:
    name = f"{servers.SERVER_NAME}:{port}"
    argv = ["curl", "-s", "-o", "/dev/null", "--cacert", f"{directory}/ca.pem", "--noproxy", "*", "--resolve", f"{name}:127.0.0.1"]
    answer = subprocess.run([*argv, "-w", CURL_FORMAT, f"https://{name}/"], capture_output=True, check=True, stdin=subprocess.DEVNULL)
    connect, appconnect, pretransfer, starttransfer = (float(seconds) for seconds in answer.stdout.split())
    return {"tcp": connect, "tls": appconnect - connect, "http": starttransfer - pretransfer}
