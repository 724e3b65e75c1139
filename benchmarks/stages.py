"""Are the times of the stages right? Beside those of `curl -w` and of the packets, alone and under load."""

from __future__ import annotations

import json
import statistics
import subprocess
from collections.abc import Iterable
from pathlib import Path

from . import packets, servers
from .section import POMPROBE, Goal, Section, config

ROUNDS = 10
ROUNDS_LOAD = 5
COUNT = 1000
HANDSHAKE, ANSWER = 0.1, 0.2
NGINX = "nginx, which is as busy, does not count the time that a request waits for it; the packets tell what is ours"
CURL_FORMAT = "%{time_connect} %{time_appconnect} %{time_pretransfer} %{time_starttransfer}"


def stages(directory: Path) -> Section:
    """TCP, TLS and HTTP of one connection each, by pomprobe and by curl in turn."""
    known = {"tcp": 0.0, "tls": HANDSHAKE, "http": ANSWER}
    ours: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    seen: list[dict[str, float]] = []
    with servers.slow_server(directory, HANDSHAKE, ANSWER) as port:
        path = config(directory, [("127.0.0.1", port)])
        for _ in range(ROUNDS):
            with packets.captured(port) as connections:
                ours.append(_pomprobe(path))
            seen += [connection.stages() for connection in connections.values()]
            theirs.append(_curl(directory, port))
    lines = ["| stage | server's delay, ms | pomprobe, ms | packets, ms | curl, ms |", "|---|---:|---:|---:|---:|"]
    goals = []
    for stage, delay in known.items():
        mine, real, peer = (statistics.median(one[stage] for one in some) * 1000 for some in (ours, seen, theirs))
        lines.append(f"| {stage} | {delay * 1000:.0f} | {mine:.1f} | {real:.1f} | {peer:.1f} |")
        for whose, other in (("curl's", peer), ("the packets'", real)):
            goals.append(Goal(f"time of {stage}, away from {whose}", abs(mine - other), max(1.0, 0.1 * other), " ms"))
    method = (
        f"One TLS upstream that waits {HANDSHAKE * 1000:.0f} ms before its handshake and {ANSWER * 1000:.0f} ms before its answer;\n"
        f"medians of {ROUNDS} connections of each program, in turn. The packets are those of pomprobe's connections, with the kernel's\n"
        "times; curl's are `time_connect`, `time_appconnect - time_connect` and `time_starttransfer - time_pretransfer`."
    )
    return Section("Times of the stages", method, lines, goals)


def under_load(directory: Path) -> Section:
    """The HTTP stage of a thousand upstreams at once, beside the packets and the server's own clock."""
    by_packets: dict[bool, list[float]] = {False: [], True: []}
    by_server: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(ROUNDS_LOAD):
        _one_load(directory, by_packets, by_server)
    lines = ["| outcomes | count | beside | median error, ms | 99 % are below, ms |", "|---|---:|---|---:|---:|"]
    for late, name in ((False, "times that count"), (True, "marked: measured while our loop was late")):
        for whose, errors in (("the packets", by_packets[late]), ("nginx' clock", by_server[late])):
            if errors:
                lines.append(f"| {name} | {len(errors)} | {whose} | {statistics.median(errors) * 1000:.1f} | {_below(errors) * 1000:.1f} |")
    method = (
        f"{COUNT:,} TLS upstreams at once, as above, {ROUNDS_LOAD} times: how far the time of the HTTP stage is from what the kernel saw,\n"
        "from the request's packet to the last one of the answer, and from nginx' own clock (`$request_time`, whole milliseconds, without\n"
        "the time that a request waits for nginx). A time that was measured while our event loop was late has the fact `late`, and no\n"
        "timeout is judged by it."
    )
    goals = [
        Goal(f"HTTP stage under load, 99 % of the times that count, away from {whose}", _below(errors[False]) * 1000, 5, " ms", why)
        for whose, errors, why in (("the packets'", by_packets, ""), ("nginx'", by_server, NGINX))
    ]
    return Section("Times of the HTTP stage under load", method, lines, goals)


def _one_load(directory: Path, by_packets: dict[bool, list[float]], by_server: dict[bool, list[float]]) -> None:
    port = servers.free_port()
    sockets = [(address, port) for address in servers.addresses(COUNT)]
    report, log = directory / "report.json", directory / "access.log"
    with servers.nginx(directory, sockets, log=True):
        argv = (*POMPROBE, "check", str(config(directory, sockets)), "-o", f"json={report}")
        with packets.captured(port) as connections:
            subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    took = {address: float(seconds) for address, seconds in map(str.split, log.read_text().splitlines())}
    log.unlink()
    for route in json.loads(report.read_text())["routes"]:
        (endpoint,) = route["upstreams"][0]["endpoints"]
        (outcome,) = (outcome for outcome in endpoint["outcomes"] if outcome["stage"] == "http")
        late, address = "late" in outcome["facts"], endpoint["address"]
        by_packets[late].append(abs(outcome["elapsed"] - connections[address].stages()["http"]))
        by_server[late].append(abs(outcome["elapsed"] - took[address]))


def _below(errors: Iterable[float]) -> float:
    """What 99 % of them do not exceed."""
    many = sorted(errors)
    return many[int(len(many) * 0.99) - 1]


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
