"""Secrets while a private Envoy runs: not in the arguments of any process, in files of ours alone, and gone in the end."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from pomprobe.envoy.find import EnvoyError, find
from robust.canaries import Canaries
from robust.running import COMMAND, environment
from robust.test_secrets import CLOSED, config
from robust.threads import served, silent
from servers.health import tls
from servers.http import say, upstream

try:
    find()
except EnvoyError as error:
    pytest.skip(str(error), allow_module_level=True)

pytestmark = [pytest.mark.envoy, pytest.mark.slow]


@pytest.fixture(scope="module")
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The folder for temporary files; short, since a unix socket lies in it."""
    with tempfile.TemporaryDirectory(prefix="ps-", dir="/tmp") as made:
        yield Path(made)


class Seen:
    """Everything that can be seen of a program from outside while it runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.arguments: set[str] = set()
        self.environments: set[str] = set()
        self.modes: dict[str, int] = {}
        self.contents: dict[str, str] = {}

    def look(self, group: int) -> None:
        for process in Path("/proc").iterdir():
            if process.name.isdigit():
                try:
                    line = (process / "cmdline").read_text(errors="replace")
                    variables = (process / "environ").read_text(errors="replace")
                    if str(self.folder) in variables:
                        self.arguments.add(line)
                        if "envoy.json" in line:
                            self.environments.add(variables)
                except OSError:
                    continue
        for path in [Path(folder, name) for folder, folders, files in os.walk(self.folder) for name in (*folders, *files)]:
            try:
                info = path.lstat()
                self.modes[path.name] = stat.S_IMODE(info.st_mode)
                if stat.S_ISREG(info.st_mode):
                    self.contents[path.name] = path.read_text(errors="replace")
            except OSError:
                continue


def watched(folder: Path, *args: str, end: int = 0, more: Mapping[str, str] | None = None) -> tuple[int, str, Seen]:
    """Run it, looking every few milliseconds; end: a signal that it is sent once Envoy runs; more: of its environment."""
    seen = Seen(folder)
    with open(folder.parent / f"{folder.name}.out", "w+") as out:
        process = subprocess.Popen([*COMMAND, *args], stdout=out, stderr=out, env=environment({"TMPDIR": str(folder), **(more or {})}))
        try:
            sent = False
            while process.poll() is None:
                seen.look(process.pid)
                if end and not sent and any("envoy.json" in line for line in seen.arguments):
                    process.send_signal(end)
                    sent = True
                time.sleep(0.01)
        finally:
            process.kill()
            process.wait()
        out.seek(0)
        said = out.read()
    (folder.parent / f"{folder.name}.out").unlink()
    return process.returncode, said, seen


@pytest.mark.parametrize("command", [("check", "-v", "--confirm"), ("reproduce",), ("reproduce", "-o", "json")], ids=" ".join)
def test_a_private_envoy_keeps_them_to_itself(command: tuple[str, ...], folder: Path, tmp_path: Path, canaries: Canaries) -> None:
    """Files are 0600 in a folder of 0700, arguments hold names of files alone, nothing is left, and nothing is said."""
    secure = tls("127.0.0.1")
    scripts = (say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"), say(CLOSED))
    with served(*(lambda s=s: upstream(s) for s in scripts), lambda: upstream(say(CLOSED), secure)) as servers:
        path = tmp_path / "c.yaml"
        path.write_text(yaml.safe_dump(config(canaries, [server.port for server in servers])))
        own = {name: canaries[name] for name in ("SHARED_SECRET", "IDP_CLIENT_SECRET", "POMPROBE_SMTP_PASSWORD")}
        code, said, seen = watched(folder, *command, str(path), more=own)
    assert code in (0, 1), said
    assert seen.environments and [] == canaries.found("\n".join(seen.environments))
    assert any("envoy.json" in line for line in seen.arguments), "Envoy was not seen"
    assert [] == canaries.found("\n".join(seen.arguments))
    assert [] == canaries.found(said), said
    private = {name: mode for name, mode in seen.modes.items() if mode & 0o077 and not name.endswith(".sock")}
    inside = {name: mode for name, mode in private.items() if name in seen.contents and canaries.found(seen.contents[name])}
    assert {} == inside
    assert [] == os.listdir(folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
@pytest.mark.parametrize("command", [("check", "--confirm"), ("reproduce",)], ids=" ".join)
def test_a_signal_leaves_no_envoy_and_no_file(command: tuple[str, ...], number: signal.Signals, folder: Path, tmp_path: Path) -> None:
    """While Envoy waits for an upstream: the exit code of the signal, no child, no temporary folder; what is known is reported."""
    with served(lambda: silent(1)) as (ports,):
        path = tmp_path / "c.yaml"
        timeout = {"timeout": "20s"}
        path.write_text(
            yaml.safe_dump({"routes": [{"from": "https://a.example.com", "to": f"http://127.0.0.1:{p}", **timeout} for p in (*ports, 1)]})
        )
        args = (*command, *(("--max-wait", "1s") if command[0] == "check" else ()), str(path))
        code, said, _ = watched(folder, *args, end=number)
    assert 128 + number == code, said
    assert "Traceback" not in said, said
    assert "ended early" in said, said
    assert ("TCP102" in said) == (command[0] == "check"), said
    assert [] == os.listdir(folder)
    time.sleep(0.2)
    left = Seen(folder)
    left.look(0)
    assert set() == left.arguments, left.arguments
