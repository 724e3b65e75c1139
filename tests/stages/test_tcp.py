"""The tcp stage: which failure, and the facts that make Envoy's words."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pomprobe.model import Failure, StageFailed
from pomprobe.net import tcp as door
from pomprobe.stages import tcp
from servers.tcp import hold, listening, refused_port, stale_unix_socket
from servers.walks import LOOPBACK, walk_to


async def failed(port: int | None, *, address: str = LOOPBACK, source_address: str = "") -> StageFailed:
    walk = walk_to(port, address=address, source_address=source_address)
    with pytest.raises(StageFailed) as caught:
        await tcp.connect(walk)
    assert walk.stream is None
    return caught.value


async def test_an_open_port_gives_a_stream() -> None:
    """There is nothing to tell, and the stream is on the walk."""
    async with listening(hold) as port:
        walk = walk_to(port)
        assert {} == await tcp.connect(walk)
        assert walk.stream
        walk.stream.close()


async def test_refused() -> None:
    """delayed_connect_error:_Connection_refused (truth: tcp-refused-https)."""
    with refused_port() as port:
        refused = await failed(port)
    assert Failure.CONNECTION_REFUSED == refused.failure
    assert {"errno": "ECONNREFUSED", "reason": "Connection_refused", "immediate": False} == refused.facts


async def test_a_stale_unix_socket(tmp_path: Path) -> None:
    """immediate_connect_error:_Connection_refused: not the same words as on TCP (truth: unix-refused)."""
    with stale_unix_socket(tmp_path) as path:
        stale = await failed(None, address=str(path))
    assert Failure.CONNECT_ERROR == stale.failure
    assert {"errno": "ECONNREFUSED", "reason": "Connection_refused", "immediate": True} == stale.facts


async def test_no_unix_socket(tmp_path: Path) -> None:
    """immediate_connect_error:_No_such_file_or_directory."""
    missing = await failed(None, address=str(tmp_path / "none.sock"))
    assert ("ENOENT", "No_such_file_or_directory", True) == tuple(missing.facts.values())


async def test_a_source_address_of_another_machine() -> None:
    """failed_to_bind_to_10.99.99.99:0:_Cannot_assign_requested_address (truth: tcp-bind-source-bad)."""
    async with listening(hold) as port:
        foreign = await failed(port, source_address="10.99.99.99")
    assert Failure.SOURCE_ADDRESS == foreign.failure
    expected = {"errno": "EADDRNOTAVAIL", "reason": "Cannot_assign_requested_address", "source_address": "10.99.99.99"}
    assert expected == foreign.facts


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
async def test_our_own_limits_are_not_the_upstreams(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine lacks leaves the upstream undetermined, and says what is lacking."""

    async def connect(*_: object) -> None:
        raise door.SocketRefused(number)

    monkeypatch.setattr(door, "connect", connect)
    ours = await failed(9)
    assert Failure.NOT_KNOWN == ours.failure
    assert ours.facts["limit"] == tcp.LIMITS[number]


@pytest.mark.parametrize(("route", "expected"), [(True, Failure.NOT_KNOWN), (False, Failure.CONNECT_ERROR)])
async def test_an_address_that_is_not_available(route: bool, expected: Failure, monkeypatch: pytest.MonkeyPatch) -> None:
    """EADDRNOTAVAIL is a lack of ports where there is a way to the destination, else IPv6 is switched off, which Envoy sees as well."""

    async def connect(*_: object) -> None:
        raise door.ConnectFailed(errno.EADDRNOTAVAIL, immediate=True)

    monkeypatch.setattr(door, "connect", connect)
    monkeypatch.setattr(door, "has_route", lambda _: route)
    assert expected == (await failed(9, address="::1")).failure


@pytest.mark.skipif(
    not shutil.which("unshare") or subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode != 0,
    reason="needs a network namespace of its own",
)
@pytest.mark.parametrize(
    ("setup", "address", "expected"),
    [
        ("ip route add unreachable 10.9.9.9", "10.9.9.9", "EHOSTUNREACH No_route_to_host True"),
        ("ip route add prohibit 10.9.9.9", "10.9.9.9", "EACCES Permission_denied True"),
        ("true", "10.9.9.9", "ENETUNREACH Network_is_unreachable True"),
        ("echo 1 > /proc/sys/net/ipv6/conf/lo/disable_ipv6", "::1", "EADDRNOTAVAIL Cannot_assign_requested_address True"),
    ],
    ids=["unreachable", "prohibited", "no route", "IPv6 off"],
)
def test_what_the_kernel_knows_is_said_at_once(setup: str, address: str, expected: str) -> None:
    """immediate_connect_error: no route, a forbidden one, an address family that is off (truth: tcp-ehostunreach, tcp-prohibit)."""
    script = (
        "import anyio\nfrom pomprobe.model import StageFailed\nfrom pomprobe.stages import tcp\nfrom servers.walks import walk_to\n"
        "async def main():\n"
        f"    try: await tcp.connect(walk_to(80, address={address!r}))\n"
        "    except StageFailed as failed: print(*failed.facts.values())\n"
        "anyio.run(main)\n"
    )
    command = f"ip link set lo up && ip addr add 10.9.9.1/32 dev lo && {setup} && exec {sys.executable} -c '{script}'"
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(["unshare", "-n", "sh", "-c", command.replace("'10.9.9.9'", '"10.9.9.9"').replace("'::1'", '"::1"')],
                          capture_output=True, text=True, env=env)  # fmt: skip
    assert expected == done.stdout.strip(), done.stderr
