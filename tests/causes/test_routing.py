"""What stands between Pomerium and the app, in a network of its own: root cause K, addresses of clouds, and a loop (R).

The routes, neighbours and addresses are real, in a namespace from which nothing leaves: it has no link to anywhere.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from servers.http import say, upstream

from .playing import play
from .recorded import answers, known, recorded

ALONE = ("unshare", "--map-root-user", "--net")
LINK = "ip link add v0 type veth peer name v1 && ip addr add 198.19.0.1/24 dev v0 && ip link set v0 up && ip link set v1 up"
DROPPED = f"{LINK} && ip neigh add 198.19.0.9 lladdr 02:00:00:00:00:09 dev v0"
"""A neighbour that is known and takes no packet: SYN gets no answer, as behind a firewall that drops."""

METADATA = "ip addr add 169.254.169.254/32 dev lo"
SERVER = """
import socket
server = socket.create_server(("169.254.169.254", 80))
print("listening", flush=True)
client, _ = server.accept()
client.recv(4096)
client.sendall(b"HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\nconnection: close\\r\\n\\r\\nok")
client.close()
"""


def _no_namespace() -> str:
    """Why there can be no network of our own, "" if there can."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return "needs the programs unshare and ip"
    tried = subprocess.run([*ALONE, "sh", "-c", f"ip link set lo up && {LINK}"], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"no network namespace with a link here: {tried.stderr.strip()[:100]}"


WHY_NOT = _no_namespace()
alone = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "-")


def probed(setup: str, to: str, folder: Path, keys: str = "", server: str = "") -> dict[str, Any]:
    """The JSON report on a route to `to`, from a network that was set up so; server: a program that runs beside it."""
    config = folder / "config.yaml"
    config.write_text(f"routes:\n  - from: https://app.example.com\n    to: {to}\n{keys}")
    beside = f"{sys.executable} -c '{server}' | (read ready; exec \"$@\"); exit" if server else 'exec "$@"'
    command = f"ip link set lo up && {setup} && {beside}"
    check = [sys.executable, "-m", "pomprobe", "check", str(config), "-o", "json"]
    done = subprocess.run([*ALONE, "sh", "-c", command, "sh", *check], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    report: dict[str, Any] = json.loads(done.stdout)["routes"][0]
    return report


def forecast(report: dict[str, Any]) -> set[tuple[int, str, str]]:
    return {(entry["status"], entry["response_flags"], entry["response_code_details"]) for entry in report["forecast"]}


def fixes(report: dict[str, Any], code: str) -> str:
    return " ".join(fix for verdict in report["verdicts"] if verdict["rule"] == code for fix in verdict["fixes"])


@alone
@pytest.mark.parametrize(
    ("setup", "address", "code", "row", "fix"),
    [
        ("ip route add unreachable 10.9.9.9", "10.9.9.9", "TCP113", "tcp-ehostunreach", "`ip route get 10.9.9.9`"),
        ("ip route add prohibit 10.9.9.9", "10.9.9.9", "TCP117", "tcp-prohibit", "`ip route get 10.9.9.9`"),
        ("ip route add blackhole 192.0.2.129", "192.0.2.129", "TCP112", "own-route-blackhole", "`ip route get 192.0.2.129`"),
        ("true", "203.0.113.5", "TCP115", "tcp-broadcast", "`internal: true`"),
        (LINK, "198.19.0.2", "TCP114", "own-route-no-neighbour", "`firewall-cmd --add-port=80/tcp`"),
        (DROPPED, "198.19.0.9", "TCP131", "own-route-dropped", "security group, firewall, NetworkPolicy"),
    ],
    ids=["unreachable", "prohibited", "blackhole", "no route", "no neighbour", "dropped"],
)
def test_no_way_to_the_app(setup: str, address: str, code: str, row: str, fix: str, tmp_path: Path) -> None:
    """K: each way in which a connection does not come about has its own words of Envoy's, its own rule and its own remedy."""
    report = probed(setup, f"http://{address}:80", tmp_path)
    ((status, flags, details),) = forecast(report)
    expected = {(s, f, d.replace("10.9.9.9", address).replace("255.255.255.255", address)) for s, f, d in known(row)}
    assert (status, flags, details) in expected
    assert code in {verdict["rule"] for verdict in report["verdicts"]}
    assert fix in fixes(report, code)


@alone
def test_a_firewall_that_drops_and_a_shorter_timeout(tmp_path: Path) -> None:
    """K: with `timeout: 2s` the same silence is a 504, which looks like a slow app; the rule says that it is none."""
    report = probed(DROPPED, "http://198.19.0.9:80", tmp_path, "    timeout: 2s\n")
    assert {(504, "UT", "response_timeout")} == forecast(report)
    assert "198.19.0.9" in fixes(report, "TCP132")


@alone
def test_the_metadata_service(tmp_path: Path) -> None:
    """R: what answers is no app, but hands out the machine's credentials; it is named."""
    report = probed(METADATA, "http://169.254.169.254", tmp_path, server=SERVER)
    assert (recorded("own-metadata"), "warning") == (forecast(report), report["status"])
    assert "Point `to` at an app." == fixes(report, "TCP162")


async def test_to_is_pomeriums_own_listener() -> None:
    """R: `to` is the `address` on which Pomerium itself listens; where nobody has to sign in, requests go round until the timeout."""
    async with upstream(say()) as server:
        played = await play(f"to: http://localhost:{server.port}\ntimeout: 300ms", f"address: :{server.port}")
        elsewhere = await play("to: http://127.0.0.1:1", f"address: 10.0.0.1:{server.port}")
    assert recorded("own-loop") == answers(played.forecast)
    assert "internal address in `to`" in played.fix("CFG306")
    assert "CFG306" not in elsewhere.codes
