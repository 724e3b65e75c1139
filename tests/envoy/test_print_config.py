"""`reproduce --print-config`: an Envoy started from what it prints takes every sample, and no secret stands in it."""

from __future__ import annotations

import base64
import http.client
import json
import os
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import anyio
import pytest
import trustme

from cli.program import Ended, pomprobe
from pomprobe.config import load
from pomprobe.envoy.admin import Admin, connected
from pomprobe.envoy.bootstrap import ADMIN, LISTENER
from pomprobe.envoy.find import Binary

from .asking import OK, saying, upstream

pytestmark = pytest.mark.envoy

FOLDER = Path(__file__).parents[2] / "sample-configs"
SAMPLES = sorted(path for path in FOLDER.iterdir() if path.is_file())
ALONE = ("unshare", "-n")
"""No network, not even loopback: a sample's names and addresses are not asked for."""
NAMESPACES = subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode == 0


def print_config(config: Path) -> Ended:
    ended = pomprobe("reproduce", str(config), "--print-config")
    assert 0 == ended.code, ended
    return ended


def written(text: str, folder: Path) -> Path:
    file = folder / "envoy.json"
    file.write_text(text)
    return file


def run(envoy: Binary, file: Path, prefix: Sequence[str], more: Mapping[str, str]) -> subprocess.Popen[bytes]:
    command = [*prefix, str(envoy.path), "-c", str(file), "--concurrency", "1", "--disable-hot-restart", "--log-level", "critical"]
    with (file.parent / "stdout").open("wb") as out, (file.parent / "stderr").open("wb") as errors:
        return subprocess.Popen(command, cwd=file.parent, env={**os.environ, **more}, stdout=out, stderr=errors)


@asynccontextmanager
async def started(envoy: Binary, file: Path, *prefix: str, more: Mapping[str, str] | None = None) -> AsyncIterator[Admin]:
    """An Envoy in the file's folder, once it is live."""
    process = run(envoy, file, prefix, more or {})
    try:
        async with connected(file.parent / ADMIN) as admin:
            with anyio.fail_after(60):
                while not await admin.ready():
                    assert process.poll() is None, (file.parent / "stderr").read_text()
                    await anyio.sleep(0.05)
            yield admin
    finally:
        process.kill()
        process.wait()


def valid(envoy: Binary, file: Path, more: Mapping[str, str] | None = None) -> str:
    """What Envoy has against the configuration."""
    command = [str(envoy.path), "--mode", "validate", "-c", str(file), "--log-level", "critical"]
    ended = subprocess.run(command, cwd=file.parent, env={**os.environ, **(more or {})}, capture_output=True, text=True, check=False)
    return "" if ended.returncode == 0 else ended.stdout + ended.stderr


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_envoy_accepts_what_is_printed_of_every_sample(sample: Path, envoy: Binary, tmp_path: Path) -> None:
    """Every route of the sample with an upstream is in it, but those that are named as left out."""
    ended = print_config(sample)
    assert "" == valid(envoy, written(ended.out, tmp_path))
    left_out = [line for line in ended.err.splitlines() if "left out: " in line]
    static = json.loads(ended.out)["static_resources"]
    assert len(load(sample).routes) == len(static["clusters"]) + len(left_out)


@pytest.mark.skipif(not NAMESPACES, reason="needs unshare, and the right to use it")
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
async def test_envoy_starts_with_what_is_printed_of_every_sample(sample: Path, envoy: Binary, tmp_path: Path) -> None:
    """It is live, with each cluster of the configuration."""
    text = print_config(sample).out
    names = {cluster["name"] for cluster in json.loads(text)["static_resources"]["clusters"]}
    async with started(envoy, written(text, tmp_path), *ALONE) as admin:
        assert names == set(await admin.clusters())


async def test_secrets_come_from_the_environment(envoy: Binary, tmp_path: Path) -> None:
    """Neither header values nor an inline key are printed; Envoy has both from the variables that are named, and names none in its log."""
    leaf = trustme.CA().issue_cert("a")
    chain, key = leaf.cert_chain_pems[0].bytes(), leaf.private_key_pem.bytes()
    heads: list[bytes] = []
    async with upstream(saying(OK, heads)) as port:
        config = tmp_path / "config.yaml"
        config.write_text(f"""
routes:
  - from: https://a.example.com
    to: http://127.0.0.1:{port}
    set_request_headers: {{Authorization: Bearer s3cret-100%, x_a: one, x-a: two}}
  - from: https://b.example.com
    to: https://127.0.0.1:{port}
    tls_custom_ca: {base64.b64encode(chain + key).decode()}
    tls_client_cert: {base64.b64encode(chain + key).decode()}
    tls_client_key: {base64.b64encode(key).decode()}
""")
        ended = print_config(config)
        assert not [one for one in ("s3cret", "PRIVATE KEY", *key.decode().splitlines()[1:-1]) if one in ended.out + ended.err]
        assert [
            "pomprobe: Envoy reads POMPROBE_ROUTE_1_TLS_CLIENT_KEY from its environment: tls_client_key, decoded",
            "pomprobe: Envoy reads POMPROBE_ROUTE_0_AUTHORIZATION from its environment: the value of authorization in set_request_headers",
            "pomprobe: Envoy reads POMPROBE_ROUTE_0_X_A from its environment: the value of x_a in set_request_headers",
            "pomprobe: Envoy reads POMPROBE_ROUTE_0_X_A_ from its environment: the value of x-a in set_request_headers",
        ] == sorted(ended.err.splitlines(), key=lambda line: ("CLIENT_KEY" not in line, line))
        given = {
            "POMPROBE_ROUTE_0_AUTHORIZATION": "Bearer s3cret-100%",
            "POMPROBE_ROUTE_0_X_A": "one",
            "POMPROBE_ROUTE_0_X_A_": "two",
            "POMPROBE_ROUTE_1_TLS_CLIENT_KEY": key.decode(),
        }
        file = written(ended.out, tmp_path)
        assert "Failed to load incomplete private key" in valid(envoy, file)
        async with started(envoy, file, more=given) as admin:
            status = await anyio.to_thread.run_sync(ask, await admin.port(LISTENER), "0")
        assert 200 == status
    sent = dict(line.split(": ", 1) for line in heads[0].decode().splitlines()[1:-1])
    assert ("Bearer s3cret-100%", "two") == (sent["authorization"], sent["x-a"])
    assert "s3cret" not in (tmp_path / "stdout").read_text()


def ask(port: int, route: str) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", "/", headers={"x-pomprobe-route": route, "x-forwarded-for": "203.0.113.1"})
        answer = connection.getresponse()
        answer.read()
        return answer.status


def test_a_file_is_named_and_not_copied(envoy: Binary, tmp_path: Path) -> None:
    """Certificates and keys that stand in files of the config are read there by Envoy, too."""
    authority = trustme.CA()
    leaf = authority.issue_cert("a")
    names = {"ca.pem": authority.cert_pem, "cert.pem": leaf.cert_chain_pems[0], "key.pem": leaf.private_key_pem}
    for name, blob in names.items():
        blob.write_to_path(str(tmp_path / name))
    config = tmp_path / "config.yaml"
    keys = {"tls_custom_ca_file": "ca.pem", "tls_client_cert_file": "cert.pem", "tls_client_key_file": "key.pem"}
    told = "".join(f"    {key}: {tmp_path / name}\n" for key, name in keys.items())
    config.write_text(f"routes:\n  - from: https://a.example.com\n    to: https://127.0.0.1:1\n{told}")
    ended = print_config(config)
    assert ("", "") == (ended.err, valid(envoy, written(ended.out, tmp_path)))
    assert not [name for name in names if f'"filename": "{tmp_path / name}"' not in ended.out]


def test_what_envoy_refuses_is_left_out_and_named(envoy: Binary, tmp_path: Path) -> None:
    """A negative timeout keeps no Envoy from starting with the other routes."""
    config = tmp_path / "config.yaml"
    config.write_text("""
routes:
  - {name: fine, from: "https://a.example.com", to: "http://127.0.0.1:1"}
  - {name: back, from: "https://b.example.com", to: "http://127.0.0.1:1", timeout: -1s}
""")
    ended = print_config(config)
    assert "" == valid(envoy, written(ended.out, tmp_path))
    (note,) = ended.err.splitlines()
    assert note.startswith("pomprobe: left out: back: refused: Invalid duration: Expected positive duration")
    assert ["fine"] == [one["name"].rpartition("-")[0] for one in json.loads(ended.out)["static_resources"]["clusters"]]


def test_with_a_route_twice_there_is_no_cluster(envoy: Binary, tmp_path: Path) -> None:
    """As Pomerium builds none at all: each route is named."""
    config = tmp_path / "config.yaml"
    config.write_text("""
routes:
  - {name: fine, from: "https://a.example.com", to: "http://127.0.0.1:1"}
  - {name: twice, from: "https://b.example.com", to: "http://127.0.0.1:1"}
  - {name: twice, from: "https://b.example.com", to: "http://127.0.0.1:1"}
""")
    ended = print_config(config)
    assert "" == valid(envoy, written(ended.out, tmp_path))
    assert 3 == len([line for line in ended.err.splitlines() if line.endswith(" is not unique")])
