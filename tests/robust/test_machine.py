"""A machine that lacks something, made with namespaces and limits: said plainly, undetermined, never an upstream's fault."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from robust.running import COMMAND, Ran, environment, needs_envoy, spawn
from robust.threads import served
from servers import http
from servers.health import tls
from servers.http import say

FINE = say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
UNSHARE = shutil.which("unshare")


def isolated() -> bool:
    """May we have a network and a mount namespace of our own?"""
    return UNSHARE is not None and 0 == subprocess.run([UNSHARE, "-rmn", "true"], capture_output=True, check=False).returncode


needs_namespaces = pytest.mark.skipif(not isolated(), reason="this machine lets us make no namespaces")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served(lambda: http.upstream(FINE)) as (server,):
        yield server.port


def written(path: Path, *to: str, **more: object) -> str:
    routes = [{"from": f"https://r{number}.example.com", "to": one, "timeout": "20s"} for number, one in enumerate(to)]
    path.write_text(yaml.safe_dump({**more, "routes": routes}))
    return str(path)


def within(prepare: str, *args: str, network: bool = False, seconds: float = 60) -> Ran:
    """The program in namespaces of its own, after these commands of a shell."""
    assert UNSHARE is not None
    script = f'set -e; {prepare}; exec "$@"'
    command = [UNSHARE, "-rmn" if network else "-rm", "bash", "-c", script, "bash", *COMMAND, *args]
    done = subprocess.run(command, capture_output=True, env=environment(), timeout=seconds, check=False)
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def limited(prepare: str, *args: str, tail: str = "") -> Ran:
    """The program behind a limit of the shell."""
    command = ["bash", "-c", f'{prepare} && exec "$@" {tail}', "bash", *COMMAND, *args]
    done = subprocess.run(command, capture_output=True, env=environment(), timeout=60, check=False)
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.parametrize("descriptors", [20, 12, 10, 9, 8, 7, 6])
def test_hardly_any_descriptors(descriptors: int, port: int, tmp_path: Path) -> None:
    """ulimit -n 20 is enough, one endpoint after the other; below ten it may not be, which is one line and exit code 3."""
    config = written(tmp_path / "c.yaml", f"http://127.0.0.1:{port}", f"http://localhost:{port}", "http://name.test:1", dns_query_tries=1)
    ran = limited(f"ulimit -n {descriptors}", "check", "-o", "json", config)
    assert "Traceback" not in ran.err
    if ran.code == 3 and not ran.out:
        assert descriptors < 10
        assert 1 == ran.err.count("\n") and "Too many open files" in ran.err
        return
    statuses = [route["status"] for route in json.loads(ran.out)["routes"]]
    assert {"ok", "warning", "undetermined"} >= set(statuses[:2])
    assert descriptors < 12 or {"ok", "warning"} >= set(statuses[:2])


@pytest.mark.parametrize("kilobytes", [120_000, 100_000, 80_000, 60_000, 40_000])
def test_hardly_any_memory(kilobytes: int, port: int, tmp_path: Path) -> None:
    """ulimit -v: one line and exit code 3 where it is not enough. Below that Python itself does not start."""
    ran = limited(f"ulimit -v {kilobytes}", "check", written(tmp_path / "c.yaml", f"http://127.0.0.1:{port}"))
    if "init_import_site" in ran.err or "Fatal Python error" in ran.err or "error while loading shared libraries" in ran.err:
        return
    assert "Traceback" not in ran.err, ran
    assert ran.code in (0, 3), ran
    assert ran.code == 0 or "leaves us no" in ran.err, ran


def test_a_standard_error_that_takes_nothing(port: int, tmp_path: Path) -> None:
    """2>/dev/full: the exit code is the same."""
    config = written(tmp_path / "c.yaml", f"http://127.0.0.1:{port}")
    missing = str(tmp_path / "none.yaml")
    for args, code in ((("check", config, "--env"), 0), (("check", missing), 2), (("check",), 2), (("lint", config), 0)):
        assert code == limited("true", *args, tail="2>/dev/full").code, args


def test_names_that_the_locale_does_not_have(port: int, tmp_path: Path) -> None:
    """LANG=C, and a config whose name is no text at all: escapes in every place, and no traceback."""
    folder = tmp_path / "名"
    folder.mkdir()
    config = written(folder / "c.yaml", f"http://127.0.0.1:{port}")
    Path(config).write_text(Path(config).read_text().replace("r0", "名"))
    ascii_only = {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for format in ("text", "json", "html", "junit", "markdown"):
        ran = spawn("check", "-o", format, "-o", f"json={folder / 'r.json'}", config, env=ascii_only)
        assert (0, "") == (ran.code, ran.err), (format, ran)
        assert ran.out.isascii() or format in ("html", "junit")
        assert "\u540d" in json.loads((folder / "r.json").read_text())["routes"][0]["from"]


def test_no_home_no_folder_for_temporary_files_no_folder_at_all(port: int, tmp_path: Path) -> None:
    """An empty environment, and a working directory that is gone."""
    config = written(tmp_path / "c.yaml", f"http://127.0.0.1:{port}")
    bare = subprocess.run(["env", "-i", *COMMAND, "check", config], capture_output=True, timeout=60, check=False)
    assert (0, b"") == (bare.returncode, bare.stderr)
    gone = tmp_path / "gone"
    gone.mkdir()
    for args, code in ((("check", config), 0), (("check", "-o", "json=r.json", config), 3), (("check", "c.yaml"), 2), (("lint", "."), 2)):
        ran = limited(f"cd {gone} && rmdir {gone}", *args)
        gone.mkdir(exist_ok=True)
        assert code == ran.code, (args, ran)
        assert "Traceback" not in ran.err


@needs_namespaces
def test_no_local_port_is_left(tmp_path: Path) -> None:
    """Four ports for forty connections at once: the others are undetermined, and it says why."""
    server = (
        "import socket, threading, time\n"
        "s = socket.create_server(('127.0.0.1', 7777), backlog=100)\n"
        "def one(c):\n c.recv(65536); time.sleep(1); c.sendall(b'HTTP/1.1 200 OK\\r\\ncontent-length: 0\\r\\n\\r\\n'); c.recv(9)\n"
        "while True: threading.Thread(target=one, args=s.accept()[:1], daemon=True).start()\n"
    )
    (tmp_path / "server.py").write_text(server)
    routes = [
        {"from": f"https://r{n}.example.com", "to": "http://127.0.0.1:7777", "prefix": f"/{n}", "prefix_rewrite": f"/{n}"}
        for n in range(40)
    ]
    (tmp_path / "c.yaml").write_text(yaml.safe_dump({"routes": routes}))
    prepare = (
        "ip link set lo up; echo '40000 40003' > /proc/sys/net/ipv4/ip_local_port_range;"
        f"{sys.executable} {tmp_path / 'server.py'} & SERVER=$!; trap 'kill $SERVER' EXIT;"
        f"for i in $(seq 100); do grep -q ':1E61 ' /proc/net/tcp && break; sleep 0.1; done; cd {tmp_path}"
    )
    assert UNSHARE is not None
    command = [UNSHARE, "-rmn", "bash", "-c", f'{prepare}; "$@"', "bash", *COMMAND, "check", "--per-host", "40", "-o", "json", "c.yaml"]
    done = subprocess.run(command, capture_output=True, env=environment(), timeout=60, check=False)
    told = json.loads(done.stdout)["routes"]
    counted = Counter(route["status"] for route in told)
    assert {"ok", "undetermined"} == set(counted), counted
    assert counted["ok"] >= 4
    limits = {verdict["title"] for route in told for verdict in route["verdicts"]}
    assert limits and all("local ports of this machine" in title for title in limits), limits


@needs_namespaces
def test_no_resolver_no_ipv6_and_no_ca_bundle(tmp_path: Path) -> None:
    """Three things that a small container lacks, in a namespace that really lacks them."""
    config = written(tmp_path / "c.yaml", "http://name.test:1", "https://127.0.0.1:1", "http://[::1]:1")
    prepare = (
        "ip link set lo up; echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; mount --bind /dev/null /etc/resolv.conf;"
        "for d in /etc/ssl/certs /etc/pki /etc/ssl /usr/local/etc/ssl; do [ ! -d $d ] || mount -t tmpfs none $d; done"
    )
    ran = within(prepare, "check", "-o", "json", config, network=True)
    by_name, secure, six = json.loads(ran.out)["routes"]
    assert ("undetermined", ["DNS151"]) == (by_name["status"], [v["rule"] for v in by_name["verdicts"]])
    assert "refused" in json.dumps(secure)  # nothing listens there: the connection says so before any certificate
    assert ["TCP116"] == [v["rule"] for v in six["verdicts"]]  # Envoy on this machine could not reach it either


@needs_namespaces
def test_no_ca_bundle_in_a_namespace(tmp_path: Path) -> None:
    """An upstream whose certificate nobody can judge here: undetermined, exit code 3, and what to install."""
    prepare = "for d in /etc/ssl/certs /etc/pki /etc/ssl /usr/local/etc/ssl; do [ ! -d $d ] || mount -t tmpfs none $d; done"
    with served(lambda: http.upstream(FINE, tls("127.0.0.1"))) as (server,):
        ran = within(prepare, "check", "--color", "never", written(tmp_path / "c.yaml", f"https://127.0.0.1:{server.port}"))
    assert 3 == ran.code, ran
    assert "ca-certificates" in ran.out


@needs_namespaces
@needs_envoy
@pytest.mark.envoy
@pytest.mark.parametrize("command", [("check", "--confirm"), ("reproduce",), ("demo",)], ids=" ".join)
def test_no_folder_for_temporary_files(command: tuple[str, ...], port: int, tmp_path: Path) -> None:
    """None that can be written, the working directory included: one line that says so; check has its report all the same."""
    config, place = written(tmp_path / "c.yaml", f"http://127.0.0.1:{port}", "http://127.0.0.1:1"), tmp_path / "place"
    place.mkdir()
    text = Path(config).read_text()
    (tmp_path / "text").write_text(text)
    folders = "for d in /tmp /var/tmp /usr/tmp; do [ ! -d $d ] || { mount --bind $d $d && mount -o remount,bind,ro $d; }; done"
    prepare = f"exec <{tmp_path / 'text'}; mount -t tmpfs -o ro none {place}; cd {place}; export TMPDIR={place}; {folders}"
    ran = within(prepare, *command, *(("-",) if command != ("demo",) else ()))
    assert ran.err.endswith("no folder for temporary files can be written; TMPDIR names one\n"), ran
    assert 1 == ran.err.count("\n")
    assert (1, True) == (ran.code, "2 routes" in ran.out) if command[0] == "check" else (3, "") == (ran.code, ran.out), ran


@needs_namespaces
@pytest.mark.parametrize("mount", ["size=1m,ro", "size=4k"], ids=["read-only", "full"])
def test_a_file_system_that_takes_no_report(mount: str, port: int, tmp_path: Path) -> None:
    """Read-only and full file systems: the report on standard output is whole, each file is one line, nothing half-written stays."""
    config, place = written(tmp_path / "c.yaml", f"http://127.0.0.1:{port}"), tmp_path / "disk"
    place.mkdir()
    prepare = f"mount -t tmpfs -o {mount} none {place}"
    wanted = ("-o", "text", "-o", f"html={place / 'r.html'}", "--state", str(place / "state"))
    ran = within(f"trap 'ls -A {place} >&2' EXIT; {prepare}", "check", *wanted, config)
    assert 3 == ran.code, ran
    assert "1 route" in ran.out
    assert "cannot write" in ran.err and "Traceback" not in ran.err
    assert ".tmp" not in ran.err
