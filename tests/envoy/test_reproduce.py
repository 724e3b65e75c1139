"""A real, private Envoy in front of real upstreams: what it answers, and that nothing of it stays."""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, TypeVar

import anyio
import pytest

from plan.builders import route
from pomprobe.envoy.find import Binary, EnvoyError
from pomprobe.model import Config, DNSSettings, HealthCheck, Settings
from pomprobe.plan import plan
from pomprobe.system_ca import read_bundle
from servers.dns import dns_server

from .asking import OK, answers, ask_envoy, saying, silent, upstream

T = TypeVar("T")
pytestmark = pytest.mark.envoy

REFUSED = "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}"

REQUESTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "path of to": {"path_of_to": "/base", "prefix": "/api"},
    "path": {"path": "/a/b"},
    "regex": {"regex": r"/v\d+/(users|groups)"},
    "regex_rewrite": {"path": "/a/b", "regex_rewrite_pattern": "^/(.)/(.)$", "regex_rewrite_substitution": r"/\2/\1\0"},
    "preserve_host_header": {"preserve_host_header": True, "from_url": "https://lab.example.com:8443"},
    "host_rewrite": {"host_rewrite": "x.example"},
    "host_rewrite_header": {"host_rewrite_header": "X-My-Host", "set_request_headers": {"x-my-host": "h.example"}},
    "host_rewrite_header without the header": {"host_rewrite_header": "X-My-Host"},
    "host from the path": {
        "path": "/t1/x",
        "host_path_regex_rewrite_pattern": "^/(.+)/x$",
        "host_path_regex_rewrite_substitution": r"\1.example",
    },
    "headers": {
        "set_request_headers": {
            "X-Percent": "50%", "Authorization": "Bearer s3cret", "x-empty": "", "X-Envoy-Retry-On": "5xx", "X-Envoy-Max-Retries": "1",
            "x-envoy-upstream-rq-timeout-ms": "2000", "x-envoy-upstream-rq-timeout-alt-response": "1", "user-agent": "me",
        },
        "remove_request_headers": ("accept", "x-forwarded-host"),
    },
    "per try": {"set_request_headers": {"x-envoy-upstream-rq-per-try-timeout-ms": "1500"}},
    "no timeout": {"timeout": 0.0},
    "host header": {"set_request_headers": {"Host": "other.example"}, "preserve_host_header": True},
    "http from": {"from_url": "http://lab.example.com"},
}  # fmt: skip


async def test_the_planned_request_is_what_envoy_sends(envoy: Binary) -> None:
    """Path, Host and every header of the plan are those that a real Envoy sends upstream, but for its random x-request-id."""
    heads: dict[str, list[bytes]] = {name: [] for name in REQUESTS}
    async with AsyncExitStack() as stack:
        routes = []
        for index, (name, keys) in enumerate(REQUESTS.items()):
            port = await stack.enter_async_context(upstream(saying(OK, heads[name])))
            path = keys.get("path_of_to", "")
            routes.append(route(f"http://127.0.0.1:{port}{path}", index=index, **{k: v for k, v in keys.items() if k != "path_of_to"}))
        found = await ask_envoy(envoy, *routes)
    planned = plan(Config("config.yaml", tuple(routes), Settings()), read_bundle())
    for name, cluster, reproduction in zip(REQUESTS, planned, found, strict=True):
        assert [(200, "-", "via_upstream")] == answers(reproduction), name
        first, *lines = heads[name][0].decode().split("\r\n")[:-2]
        sent = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
        del sent["x-request-id"]
        assert cluster is not None
        assert (f"GET {cluster.request.path} HTTP/1.1", dict(cluster.request.headers)) == (
            first,
            {k: v for k, v in sent.items() if k != "host"},
        ), name
        assert cluster.request.host == sent["host"], name


async def test_shares(envoy: Binary) -> None:
    """Every endpoint gets its share of the requests, and each answer is Envoy's own, word for word."""
    cut = b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nok"
    async with upstream(saying(OK)) as good, upstream(saying(cut)) as short:
        (found,) = await ask_envoy(envoy, route(f"http://127.0.0.1:{good}", "http://127.0.0.1:1", f"http://127.0.0.1:{short}"), requests=6)
    expected = {
        (200, "-", "via_upstream"): 2,
        (503, "UF", REFUSED): 2,
        (200, "UPE", "upstream_reset_after_response_started{protocol_error}"): 2,
    }
    assert expected == {answer: share.count for answer, share in zip(answers(found), found.shares, strict=True)}
    assert ["127.0.0.1"] * 3 == [host.address.partition(":")[0] for host in found.hosts]


async def test_one_name_without_an_answer_holds_back_nobody(envoy: Binary) -> None:
    """A route whose DNS server is silent is pending, with the answer that a new route has; the others are answered."""
    async with dns_server({"dead.test": "DROP", "gone.test": "NXDOMAIN"}) as dns, upstream(saying(OK)) as port:
        settings = Settings(dns=DNSSettings(resolvers=(dns.resolver,)))
        dead, gone, good = await ask_envoy(
            envoy, route("http://dead.test:80"), route("http://gone.test:80", index=1), route(f"http://127.0.0.1:{port}", index=2),
            settings=settings, patience=1.5,
        )  # fmt: skip
    assert ([(503, "NC", "cluster_not_found")], True) == (answers(dead), dead.pending)
    assert ([(503, "UH", "no_healthy_upstream")], False, ()) == (answers(gone), gone.pending, gone.hosts)
    assert [(200, "-", "via_upstream")] == answers(good)


async def test_hosts_explain_no_healthy_upstream(envoy: Binary) -> None:
    """The view of a cluster names why its host gets no traffic."""
    raw = {"timeout": "1s", "interval": "1s", "unhealthy_threshold": 1, "healthy_threshold": 1, "http_health_check": {"path": "/healthz"}}
    check = HealthCheck("http", 1, 1, 1, 1, raw=raw)
    bad = b"HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    async with upstream(saying(bad)) as port:
        (found,) = await ask_envoy(envoy, route(f"http://127.0.0.1:{port}", health_checks=(check,), healthy_panic_threshold=0))
    assert [(503, "UH", "no_healthy_upstream")] == answers(found)
    assert [(f"127.0.0.1:{port}", False, ("failed_active_health_check",))] == [(h.address, h.healthy, h.failing) for h in found.hosts]


async def test_refused_routes_leave_the_others_alone(envoy: Binary) -> None:
    """What Envoy refuses comes with its own words, and the rest is asked all the same."""
    twice = {"timeout": "1s", "interval": "1s", "http_health_check": {"path": "/"}}
    async with upstream(saying(OK)) as port:
        found = await ask_envoy(
            envoy,
            route("http://[::1]"),
            route("http://127.0.0.1:2", index=1, timeout=-1.0),
            route(
                "http://127.0.0.1:3",
                index=2,
                health_checks=(HealthCheck("http", 1, 1, 1, 1, raw=twice),),
                set_request_headers={"x-key": "s3cret"},
            ),
            route(f"http://127.0.0.1:{port}", index=3, cluster_name="route-same"),
            route(f"http://127.0.0.1:{port}", index=4, cluster_name="route-same"),
        )
    refusals = [one.refusal for one in found]
    assert refusals[0].startswith("malformed IP address: [::1]")
    assert refusals[1].startswith("Invalid duration: Expected positive duration")
    assert "UnhealthyThreshold: value is required" in refusals[2]
    assert "s3cret" not in refusals[2]
    assert "is not unique" in refusals[4]
    assert [(200, "-", "via_upstream")] == answers(found[3])


async def test_tunnel(envoy: Binary) -> None:
    """A tcp route is asked with a CONNECT: open is good, refused is refused."""
    async with upstream(silent) as port:
        opened, refused = await ask_envoy(
            envoy,
            route(f"tcp://127.0.0.1:{port}", from_url="tcp+https://lab.example.com:22"),
            route("tcp://127.0.0.1:1", index=1, from_url="tcp+https://lab.example.com:22"),
        )
    assert [(200, "-", "via_upstream")] == answers(opened)
    assert [(503, "UF", REFUSED)] == answers(refused)


async def test_patience(envoy: Binary) -> None:
    """An answer without end is the upstream's own; one that has not begun when patience runs out is none."""
    endless = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n"

    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(endless)
        await silent(reader, writer)

    async with upstream(stream) as sse, upstream(silent) as mute:
        one, other = await ask_envoy(
            envoy, route(f"http://127.0.0.1:{sse}", timeout=0.0), route(f"http://127.0.0.1:{mute}", index=1, timeout=0.0), patience=1.0
        )
    assert ([(200, "-", "via_upstream")], 0) == (answers(one), one.unanswered)
    assert ([], 1) == (answers(other), other.unanswered)


async def test_enough(envoy: Binary) -> None:
    """One host that always says the same is asked no further; of two, and of one that changes its mind, all requests count."""
    said = itertools.count()

    async def fickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK if next(said) % 2 else OK.replace(b"200 OK", b"500 No"))
        await writer.drain()

    async with upstream(saying(OK)) as one, upstream(saying(OK)) as other, upstream(fickle) as third:
        found = await ask_envoy(
            envoy,
            route(f"http://127.0.0.1:{one}"),
            route(f"http://127.0.0.1:{one}", f"http://127.0.0.1:{other}", index=1),
            route(f"http://127.0.0.1:{third}", index=2),
            requests=6, enough=3,
        )  # fmt: skip
    assert [3, 6, 6] == [each.requests for each in found]


async def test_what_is_not_asked(envoy: Binary) -> None:
    """Routes that Envoy does not carry say why they are skipped."""
    (found,) = await ask_envoy(envoy, route("udp://127.0.0.1:53", from_url="udp+https://lab.example.com:53"))
    assert found.skipped.startswith("UDP routes are not reproduced: ")


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder whose name leaves room for a unix socket's: pytest's own is too long where several workers run."""
    with tempfile.TemporaryDirectory(prefix="p-", dir="/tmp") as folder:
        yield Path(folder)


async def test_nothing_stays_when_it_is_cancelled(envoy: Binary, short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelling stops Envoy and removes its folder."""
    monkeypatch.setattr("tempfile.tempdir", str(short_path))
    asked = asyncio.Event()

    async def hears(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await silent(reader, writer)

    async with upstream(hears) as port, anyio.create_task_group() as group:
        group.start_soon(ask_envoy, envoy, route(f"http://127.0.0.1:{port}", timeout=0.0))
        (process,) = await eventually(lambda: children(os.getpid()))
        await asked.wait()
        group.cancel_scope.cancel()
    assert ([], []) == (children(os.getpid()), sorted(os.listdir(short_path)))
    gc.collect()  # what was not closed is told now, and is an error
    assert gone(process)


SCRIPT = """
import sys, anyio
sys.path.insert(0, sys.argv[1])
from envoy.asking import ask_envoy
from plan.builders import route
from pomprobe.envoy.find import find
from pomprobe.envoy.process import tidily
async def ask(): await ask_envoy(find(sys.argv[2]), route(sys.argv[3], timeout=0.0))
print("ended by", anyio.run(tidily, ask).name, file=sys.stderr)
"""


async def test_an_envoy_that_ends_early(envoy: Binary) -> None:
    """An Envoy that is killed in between is an error that says so, and not a wait without end."""

    async def ask(port: int) -> None:
        with pytest.raises(EnvoyError, match=r"Envoy (ended with signal 9|takes no more connections|does not answer)"):
            await ask_envoy(envoy, route(f"http://127.0.0.1:{port}", timeout=0.0))

    async with upstream(silent) as port, anyio.create_task_group() as group:
        group.start_soon(ask, port)
        (process,) = await eventually(lambda: [child for child in children(os.getpid()) if b"envoy.json" in command_line(child)])
        os.kill(process, signal.SIGKILL)


async def test_an_envoy_that_does_not_start(envoy: Binary, monkeypatch: pytest.MonkeyPatch) -> None:
    """Envoy's own words come out where it does not start."""
    monkeypatch.setattr("pomprobe.envoy.reproduce.bootstrap", lambda *_: {"no_such_field": 1})
    with pytest.raises(EnvoyError, match=r"no_such_field|unknown field|no such field"):
        await ask_envoy(envoy, route("http://127.0.0.1:1"))


async def test_a_signal_leaves_nothing_behind(envoy: Binary, short_path: Path) -> None:
    """SIGTERM ends the work, after Envoy is gone and its folder is removed."""
    async with upstream(silent) as port:
        tests = str(Path(__file__).parent.parent)
        command = [sys.executable, "-c", SCRIPT, tests, str(envoy.path), f"http://127.0.0.1:{port}"]
        environment = {**os.environ, "TMPDIR": str(short_path)}
        ours = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)  # noqa: ASYNC220
        await eventually(lambda: list(short_path.glob("*/admin.sock")))
        (process,) = await eventually(lambda: children(ours.pid))
        ours.send_signal(signal.SIGTERM)
        await eventually(lambda: ours.poll() is not None)
    _, error = ours.communicate()
    assert b"ended by SIGTERM\n" == error
    assert [] == sorted(os.listdir(short_path))
    assert gone(process)


async def test_envoy_dies_with_us(envoy: Binary, short_path: Path) -> None:
    """kill -9 of our own process takes Envoy with it."""
    async with upstream(silent) as port:
        tests = str(Path(__file__).parent.parent)
        command = [sys.executable, "-c", SCRIPT, tests, str(envoy.path), f"http://127.0.0.1:{port}"]
        ours = subprocess.Popen(command, env={**os.environ, "TMPDIR": str(short_path)})  # noqa: ASYNC220
        try:
            await eventually(lambda: list(short_path.glob("*/admin.sock")))
            (process,) = await eventually(lambda: children(ours.pid))
        finally:
            ours.send_signal(signal.SIGKILL)
            ours.wait()
        await eventually(lambda: gone(process))


def children(pid: int) -> Sequence[int]:
    """The processes that this process started and that run."""
    found = [int(number) for task in Path(f"/proc/{pid}/task").iterdir() for number in (task / "children").read_text().split()]
    return [child for child in found if not gone(child)]


def command_line(pid: int) -> bytes:
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


async def eventually(look: Callable[[], T]) -> T:
    """What `look` finds as soon as it finds something: there is no event for what another process does."""
    with anyio.fail_after(20):
        while not (found := look()):  # noqa: ASYNC110
            await anyio.sleep(0.01)
    return found
