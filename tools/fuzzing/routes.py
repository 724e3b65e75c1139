"""Random routes: upstreams that misbehave, beside timers, retries, checks, rewrites, policies and names, several of them at once.

What each does alone is recorded (tests/envoy/variants); here they meet. Times are so far apart that no two of them tie.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from envoy.scenes import http2, tls
from envoy.scenes.http1 import Answer, Request, health, plain, raw, serving, writes
from envoy.scenes.pki import Leaf
from envoy.scenes.rows import Row
from envoy.scenes.sockets import closed_port, full_backlog
from envoy.variants.health import grpc, http, tcp
from envoy.variants.timers import ordered, steps

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

    from envoy.scenes.scene import Scene
    from envoy.variants.catalogue import Play
    from servers.dns import Zone

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
STATUSES = (200, 201, 202, 203, 403, 404, 409, 410, 418, 500, 503)


async def mirror(reader: StreamReader, writer: StreamWriter, request: Request) -> bool:
    """A status that depends on what was asked for, so that a request unlike Envoy's shows."""
    path, headers = request
    seen = [path, headers.get("host", "").rpartition(":")[0], *(headers.get(name) for name in ("x-a", "x-forwarded-proto"))]
    writer.write(plain(STATUSES[zlib.crc32(repr(seen).encode()) % len(STATUSES)]))
    return True


ANSWERS: dict[str, Answer] = {
    **{str(status): writes(plain(status)) for status in (200, 302, 401, 404, 409, 429, 500, 502, 503, 504)},
    "204": writes(b"HTTP/1.1 204 X\r\n\r\n"),
    "1.0": writes(b"HTTP/1.0 200 OK\r\n\r\nok", "closes"),
    "200 and goes": writes(plain(200, "connection: close"), "closes"),
    "mirror": mirror,
    "overloaded": writes(plain(503, "x-envoy-overloaded: true")),
    "grpc-status 14": writes(plain(200, "grpc-status: 14", "content-type: application/grpc")),
    "degraded": writes(plain(200, "x-envoy-degraded: 1")),
    "header too large": writes(plain(200, "x-a: " + "a" * 70_000)),
    "100, 200": writes(b"HTTP/1.1 100 C\r\n\r\n" + plain(200)),
    "103, slow 200": steps(b"HTTP/1.1 103 E\r\n\r\n", 0.5, plain(200), then="keeps"),
    "103, closes": writes(b"HTTP/1.1 103 E\r\n\r\n", "closes"),
    "closes": writes(b"", "closes"),
    "garbage": writes(b"garbage\r\n\r\n", "closes"),
    "cut": writes(HEAD + b"ok", "closes"),
    "cut chunks": writes(CHUNKED + b"5\r\nhello\r\n", "closes"),
    "no chunk": writes(CHUNKED + b"zz\r\n", "closes"),
    "slow 200": steps(0.5, plain(200), then="keeps"),
    "slower 200": steps(1.6, plain(200), then="keeps"),
    "slow 500": steps(0.5, plain(500), then="keeps"),
    "slow, closes": steps(0.5, then="closes"),
    "slower, closes": steps(1.6, then="closes"),
    "silent": writes(b"", "silent"),
    "half a head": writes(b"HTTP/1.1 200 OK\r\ncontent-", "silent"),
    "no body": writes(HEAD, "silent"),
    "half a body": writes(HEAD + b"ok", "silent"),
    "slow body": steps(HEAD, 0.5, b"x" * 10, 0.5, b"x" * 10, then="keeps"),
    "slower body": steps(HEAD, 1.6, b"x" * 10, 1.6, b"x" * 10, then="keeps"),
}
HTTP2: dict[str, http2.Reply] = {
    "200": http2.OK,
    "404": http2.answers([(":status", "404")], b"no"),
    "503": http2.answers([(":status", "503")], b"no"),
    "reset": http2.resets("INTERNAL_ERROR"),
    "refused stream": http2.resets("REFUSED_STREAM"),
    "no error": http2.resets("NO_ERROR"),
    "reset in the body": http2.resets("CANCEL", started=True),
    "goes away": http2.goes_away(0, 0.05),
    "cut": http2.cut,
    "silent": http2.silent,
    "serving": http2.grpc_health(1),
    "not serving": http2.grpc_health(2),
    "grpc-status 14": http2.grpc_health(None, "14"),
}
CHECKED = ("200", "200", "200", "200", "503", "404", "429", "302", "closes", "silent", "slow 200", "degraded")
LEAVES: dict[str, Leaf] = {
    "good": Leaf(("up.lab.test", "127.0.0.1")),
    "other name": Leaf(("other.lab.test",)),
    "expired": Leaf(expired=True),
    "self-signed": Leaf(issuer="self"),
    "other CA": Leaf(issuer="other"),
}
FAMILIES = ("V4_PREFERRED", "AUTO", "V4_ONLY", "V6_ONLY", "ALL")
ZONE: Zone = {
    "one.zone.test": [("A", "127.0.0.1")],
    "dead.zone.test": [("A", "127.0.0.9")],
    "half.zone.test": [("A", "127.0.0.1"), ("A", "127.0.0.9")],
    "three.zone.test": [("A", "127.0.0.1"), ("A", "127.0.0.8"), ("A", "127.0.0.9")],
    "six.zone.test": [("AAAA", "::1")],
    "both.zone.test": [("A", "127.0.0.1"), ("AAAA", "::1")],
    "alias.zone.test": [("CNAME", "gone.zone.test.")],
    "empty.zone.test": [],
    "failing.zone.test": "SERVFAIL",
    "up.lab.test": [("A", "127.0.0.1")],
}
NAMES = (*(name for name in ZONE if name.endswith("zone.test")), "gone.zone.test", "one.zone.test", "one.zone.test")
KINDS = {
    "http": ("http1",) * 8 + ("refuses", "raw", "tls", "http2"),
    "https": ("tls",) * 8 + ("tls with http2",) * 3 + ("refuses", "raw", "http1", "http2"),
    "h2c": ("http2",) * 8 + ("http1", "refuses", "raw"),
}


@dataclass(frozen=True)
class Upstream:
    """What it does, for people, and what starts it."""

    words: str
    play: Play


def route(seed: int, number: int) -> Row:
    """The route of this number. Its upstreams are of one scheme, and what is odd about it is drawn key by key."""
    dice = Random(f"{seed}/{number}")
    scheme = dice.choice(("http",) * 6 + ("https",) * 3 + ("h2c",))
    checked, named = dice.random() < 0.3, dice.random() < 0.3
    upstreams = [_upstream(dice, scheme, checked) for _ in range(dice.choice((1, 1, 1, 2, 2, 3)))]
    weighted = dice.random() < 0.2
    to = []
    for index in range(len(upstreams)):
        host = dice.choice(NAMES) if named else dice.choice(("127.0.0.1",) * 5 + ("localhost",))
        port = "{port}" if index == 0 else f"{{port{index + 1}}}"
        path = dice.choice(("", "", "", "/p", "/p/", "/?a=b"))
        to.append(f"{scheme}://{host}:{port}{path}" + (f",{dice.choice((1, 2, 3))}" if weighted else ""))
    headers = _headers(dice)
    keys: dict[str, Any] = {
        "to": to,
        **_some(dice, 0.85, timeout=dice.choice(("1.2s", "3s", "3s"))),
        **_some(dice, 0.2, idle_timeout=dice.choice(("1s", "0s", "5s"))),
        **(_secure(dice) if scheme == "https" else {}),
        **({"set_request_headers": headers} if headers else {}),
        **_some(dice, 0.08, allow_websockets=True),
        **_some(dice, 0.05, allow_spdy=True),
        **_rewrites(dice),
        **(_checks(dice, scheme) if checked else {}),
        **_some(dice, 0.2, load_balancing_policy=dice.choice(("round_robin", "least_request", "random", "ring_hash", "maglev"))),
        **_some(dice, 0.06, circuit_breaker_thresholds={dice.choice(BREAKERS): dice.choice((0, 1))}),
    }

    async def play(made: Scene) -> None:
        for upstream in upstreams:
            await upstream.play(made)

    words = " | ".join(upstream.words for upstream in upstreams)
    return Row(f"route-{number}", "", words, keys, settings(seed), {}, (), 0.0, False, play)


def settings(seed: int) -> dict[str, Any]:
    """The global keys of all routes of this seed."""
    dice = Random(seed)
    return {
        "dns_resolvers": ["udp://127.0.0.1:{port}"],
        "dns_failure_refresh_rate": "1s",
        "dns_lookup_family": FAMILIES[seed % len(FAMILIES)],
        "default_upstream_timeout": dice.choice(("2s", "4s")),
        **_some(dice, 0.3, timeout_write=dice.choice(("2300ms", "8s"))),
        **_some(dice, 0.3, timeout_idle="2s"),
        **_some(dice, 0.3, circuit_breaker_thresholds={"max_retries": dice.choice((0, 1))}),
        **_some(dice, 0.2, envoy_bind_config_source_address="127.0.0.5"),
        **_some(dice, 0.3, set_response_headers={"x-b": "c"}),
    }


BREAKERS = ("max_requests", "max_pending_requests", "max_connections", "max_retries")
POLICIES = (
    "5xx", "connect-failure", "gateway-error", "reset", "retriable-4xx", "refused-stream", "retriable-status-codes",
    "5xx,retriable-4xx", "reset-before-request",
)  # fmt: skip


def _some(dice: Random, chance: float, **keys: Any) -> dict[str, Any]:
    """These keys, or none."""
    return keys if dice.random() < chance else {}


def _headers(dice: Random) -> dict[str, str]:
    found: dict[str, str] = {}
    if dice.random() < 0.25:
        found |= ordered(on=dice.choice(POLICIES), codes="404,500")
        found |= _some(dice, 0.5, **ordered(max=dice.choice((0, 1, 2, 3))))
        found |= _some(dice, 0.3, **ordered(per_try=dice.choice((250, 700))))
    found |= _some(dice, 0.08, **ordered(timeout=dice.choice((250, 1000))))
    found |= _some(dice, 0.05, **ordered(duration=dice.choice((450, 900))))
    found |= _some(dice, 0.04, **ordered(alt=1))
    found |= _some(dice, 0.1, **{"x-a": "app.lab.test"})
    return found | _some(dice, 0.03, host="set.lab.test")


def _secure(dice: Random) -> dict[str, Any]:
    trust = dice.choices(({"tls_custom_ca_file": "{pki}/ca.pem"}, {"tls_skip_verify": True}, {}), (70, 15, 15))[0]
    client = {"tls_client_cert_file": "{pki}/client.pem", "tls_client_key_file": "{pki}/client.key"}
    name = dice.choice(("up.lab.test", "up.lab.test", "nope.lab.test"))
    return trust | _some(dice, 0.5, tls_upstream_server_name=name) | _some(dice, 0.2, **client)


def _rewrites(dice: Random) -> dict[str, Any]:
    hosts: tuple[dict[str, Any], ...] = (
        {}, {"preserve_host_header": True}, {"host_rewrite": "app.lab.test"}, {"host_rewrite_header": "x-a"},
        {"host_path_regex_rewrite_pattern": "^/(.*)$", "host_path_regex_rewrite_substitution": "\\1.lab.test"},
    )  # fmt: skip
    ways: tuple[dict[str, Any], ...] = (
        {}, {"prefix": "/app"}, {"path": "/app/x"}, *({"regex": regex} for regex in ("^/app/.*$", "/a+", "/(x|y)/z")),
    )  # fmt: skip
    paths: tuple[dict[str, Any], ...] = (
        {}, *({"prefix_rewrite": prefix} for prefix in ("/x", "/x/", "/")),
        {"regex_rewrite_pattern": "^/app(.*)$", "regex_rewrite_substitution": "/y\\1"},
        {"regex_rewrite_pattern": "/", "regex_rewrite_substitution": "/z/"},
    )  # fmt: skip
    drawn = (dice.choices(some, (4 * (len(some) - 1), *[1] * (len(some) - 1)))[0] for some in (hosts, ways, paths))
    return {key: value for keys in drawn for key, value in keys.items()}


def _checks(dice: Random, scheme: str) -> dict[str, Any]:
    kind = dice.choice(("http", "http", "http", "tcp", "tcp" if scheme == "http" else "grpc"))
    more: Mapping[str, Any] = dice.choice(
        ({}, {}, {"expected_statuses": [{"start": 200, "end": 400}]}, {"host": "up.lab.test"}, {"codec_client_type": "HTTP2"})
    )
    (check,) = http(**more) if kind == "http" else tcp() if kind == "tcp" else grpc()
    often = {"unhealthy_threshold": dice.choice((1, 2, 3)), "healthy_threshold": dice.choice((1, 2))}
    panic = _some(dice, 0.6, healthy_panic_threshold=dice.choice((0, 0, 50, 60, 100)))
    return {"health_checks": [check | _some(dice, 0.3, **often)], **panic}


def _upstream(dice: Random, scheme: str, checked: bool) -> Upstream:
    kind = "blackhole" if dice.random() < 0.02 else dice.choice(KINDS[scheme])
    if kind in ("refuses", "blackhole"):

        async def nobody(made: Scene) -> None:
            made.ports.append(made.stack.enter_context(closed_port() if kind == "refuses" else full_backlog()))

        return Upstream(kind, nobody)
    if kind == "raw":
        then, reads = dice.choice(("closes", "resets", "silent")), dice.random() < 0.6
        reads = reads or then == "resets"  # at once, it is a race with the request
        data = dice.choice((b"", b"SSH-2.0-x\r\n", b"\x15\x03\x01\x00\x02\x02\x46"))

        async def bytes_alone(made: Scene) -> None:
            await made.serve(raw(data, then, reads=reads))

        return Upstream(f"{data!r}, {then}{'' if reads else ' at once'}", bytes_alone)
    if "http2" in kind:
        name = dice.choice(("200", "200", "200", *HTTP2))
        handler, words = http2.serving(HTTP2[name]), f"{name} over HTTP/2"
    else:
        name, check = dice.choice(("200", *["mirror"] * 5, *ANSWERS)), dice.choice(CHECKED)
        handler = serving(health(ANSWERS[check], ANSWERS[name]) if checked else ANSWERS[name])
        words = f"{name}, checked: {check}" if checked else name
    if "tls" not in kind:

        async def plainly(made: Scene) -> None:
            await made.serve(handler)

        return Upstream(words, plainly)
    leaf = dice.choice(("good",) * 6 + tuple(LEAVES))
    client, old, alpn = dice.random() < 0.1, dice.random() < 0.1, ("h2", "http/1.1") if "http2" in kind else ("http/1.1",)

    async def securely(made: Scene) -> None:
        terms = tls.Terms(
            alpn=alpn, client_ca=made.authority.folder / "ca.pem" if client else None, highest="TLSv1_2" if old else ""
        )  # fmt: skip
        await made.serve(handler, tls.context(made.authority.leaf(LEAVES[leaf]), terms))

    asks = ", asks for a certificate" if client else ""
    return Upstream(f"{words} [TLS{' 1.2' if old else ''}, {leaf}{asks}]", securely)


def told(row: Row) -> str:
    """The route, as a line of JSON."""
    return json.dumps(dict(row.route))
