"""OpenSSL's own server, told to renew its keys or to renegotiate without end: the route's timer ends it, in bounded memory."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import trustme
import yaml

from robust.running import measured

OPENSSL = shutil.which("openssl")
pytestmark = [pytest.mark.skipif(OPENSSL is None, reason="no openssl here"), pytest.mark.slow]
MEMORY = 120 * 1024
"""Kilobytes; a run over one upstream takes about 60 MB."""


@contextmanager
def flooding(folder: Path, command: bytes, *options: str) -> Iterator[int]:
    """The port of an s_server that obeys the command on and on, as soon as somebody is connected."""
    issued = trustme.CA().issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    assert OPENSSL is not None
    server = subprocess.Popen(
        [OPENSSL, "s_server", "-accept", "127.0.0.1:0", "-cert", str(folder / "server.pem"), "-key", str(folder / "server.pem"), *options],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert server.stdin is not None and server.stdout is not None
    ended = threading.Event()

    def drain() -> None:
        assert server.stdout is not None
        while server.stdout.read(65536):
            pass

    def feed() -> None:
        assert server.stdin is not None
        with suppress(OSError, ValueError):
            while not ended.wait(0.002):
                server.stdin.write(command)
                server.stdin.flush()

    threads = [threading.Thread(target=work) for work in (drain, feed)]
    try:
        while not (found := re.search(rb"ACCEPT .*:(\d+)", server.stdout.readline())):
            pass
        for thread in threads:
            thread.start()
        yield int(found[1])
    finally:
        ended.set()
        server.kill()
        server.wait()
        for thread in threads:
            thread.join()
        server.stdout.close()
        with suppress(OSError):
            server.stdin.close()


@pytest.mark.parametrize(
    ("command", "options"),
    [(b"K\n", ("-tls1_3",)), (b"k\n", ("-tls1_3",)), (b"R\n", ("-tls1_2",)), (b"r\n", ("-tls1_2",))],
    ids=["key updates that want an answer", "key updates", "renegotiation", "renegotiation with a certificate"],
)
@pytest.mark.parametrize("allowed", [False, True], ids=["refused", "allowed"])
def test_a_flood_within_tls_is_bounded(command: bytes, options: tuple[str, ...], allowed: bool, tmp_path: Path) -> None:
    """Judged within the route's timeout, whether renegotiation is allowed or not; no defect of ours."""
    with flooding(tmp_path, command, *options) as port:
        route = {
            "from": "https://a.example.com", "to": f"https://127.0.0.1:{port}", "timeout": "2s", "tls_skip_verify": True,
            "tls_upstream_allow_renegotiation": allowed,
        }  # fmt: skip
        (tmp_path / "c.yaml").write_text(yaml.safe_dump({"routes": [route]}))
        used = measured("check", "-o", "json", "--no-second-look", str(tmp_path / "c.yaml"), out=tmp_path / "out", err=tmp_path / "err")
        report = json.loads((tmp_path / "out").read_text())
    (told,) = report["routes"]
    assert '"bug"' not in json.dumps(told), told
    assert told["status"] in ("failing", "undetermined"), told  # s_server never answers
    assert report["elapsed"] < 5
    assert used.memory < MEMORY
