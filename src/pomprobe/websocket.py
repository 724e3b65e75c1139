"""The websocket handshake of a browser behind the route, kubectl's for SPDY, or another upgrade: question and answer (pure).

RFC 6455, section 4.1. Many apps have their websockets at another path than the route's, so nothing here is part of a forecast.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from .model import Cluster, Facts, Failure, Outcome, Protocol, Request, Route, StageName, Status
from .record import replace
from .redact import shown

OPEN = 101
SPDY = "SPDY/3.1"
PATIENCE = 10.0
"""Seconds that a server may take for a handshake; a route with websockets has no timeout of its own."""

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
"""Any 16 bytes do: the sample of RFC 6455, section 1.3."""

NOT_ASKED = ("connect", "connect-udp", "h2c")
"""Upgrades that no GET asks for (RFC 9110, 9.3.6; RFC 9298), or that Envoy takes out of requests (codec_impl.cc, h2c)."""

LIMIT = 3
"""Protocols of one route that are asked for."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+(/[!#$%&'*+.^_`|~0-9A-Za-z-]+)?\Z")
"""The protocol of an Upgrade header (RFC 9110, section 7.8)."""

ENDED = (Failure.CLOSED, Failure.STREAM_RESET)
MAY_BE_THE_HOST = (400, 401, 403, 404)


def attempts(cluster: Cluster, path: str = "") -> Iterator[tuple[Cluster, str, str]]:
    """The handshake as the route sends it, and again with the Host of `from`; with the key that this would be, and what it is, in words.

    path: where to ask, if not at the route's own path.
    """
    there = shown(path or cluster.request.path)
    yield asking(cluster, path), "", f"websocket upgrade at {there}"
    users = cluster.request.original_host
    if users and users != cluster.request.host:
        yield asking(with_host(cluster, users), path), "preserve_host_header: true", f"websocket upgrade at {there} with Host: {users}"


def asking(cluster: Cluster, path: str = "") -> Cluster:
    """The cluster as it is where a handshake is sent over it: HTTP/1.1, at most PATIENCE, and the headers of RFC 6455.

    Names are in the case in which browsers send them, which Envoy keeps (preserve_case), and on which some servers insist.
    """
    request = cluster.request
    scheme = urlsplit(cluster.route.from_url).scheme or "https"
    origin = f"{scheme}://{request.original_host or cluster.route.from_host}"
    headers = (("Upgrade", "websocket"), ("Sec-WebSocket-Key", KEY), ("Sec-WebSocket-Version", "13"), ("Origin", origin))
    return _upgrading(cluster, headers, path)


def asking_for_spdy(cluster: Cluster) -> Cluster:
    """The same for what `kubectl exec` asks for."""
    return asking_for(cluster, SPDY)


def asking_for(cluster: Cluster, protocol: str, path: str = "") -> Cluster:
    """The same for another protocol of `allow_upgrades`, such as tcp (docker attach) or tailscale-control-protocol."""
    return _upgrading(cluster, (("Upgrade", protocol),), path)


def others(route: Route) -> tuple[str, ...]:
    """What else than websockets and SPDY is asked for, as it would be in a header; at most LIMIT."""
    return tuple(name for name in route.upgrades if name not in NOT_ASKED and _TOKEN.match(name))[:LIMIT]


def _upgrading(cluster: Cluster, headers: tuple[tuple[str, str], ...], path: str = "") -> Cluster:
    request, timers = cluster.request, cluster.timers
    sent = replace(request, path=path or request.path, headers=(*request.headers, ("Connection", "Upgrade"), *headers))
    contexts = tuple(context and replace(context, alpn=("http/1.1",)) for context in cluster.tls)
    limited = replace(timers, route=min(PATIENCE, timers.route or PATIENCE))
    return replace(cluster, protocol=Protocol.HTTP1, tls=contexts, timers=limited, request=sent)


def with_host(cluster: Cluster, host: str) -> Cluster:
    """The cluster as it is where every upstream gets this Host, without the headers that tell of another one."""
    request = cluster.request
    headers = tuple((name, value) for name, value in request.headers if name not in ("x-envoy-original-host", "x-forwarded-host"))
    return replace(cluster, request=_named(replace(request, headers=headers), host))


def read(outcomes: Sequence[Outcome]) -> Facts:
    """Facts `upgrade_status`, or `upgrade_failure` where no answer came."""
    last = next((o for o in outcomes if o.status is not Status.OK), outcomes[-1] if outcomes else None)
    if last is None or last.status in (Status.UNDETERMINED, Status.BUG, Status.SKIPPED):
        return {}
    status = last.facts.get("status")
    if last.stage is StageName.HTTP and isinstance(status, int):
        return {"upgrade_status": status}
    return {"upgrade_failure": last.failure.value} if last.failure else {}


def may_be_the_host(seen: Facts) -> bool:
    """Is it a refusal that an app gives to a Host, or an Origin beside it, that it does not know?"""
    return seen.get("upgrade_status") in MAY_BE_THE_HOST


def refusal(facts: Facts) -> Facts | None:
    """The facts of an UPGRADE_REFUSED, from those of the route's own answer; None where there is nothing to say.

    An app that refuses everything (nobody is signed in) says nothing about websockets.
    """
    status, works = facts.get("upgrade_status"), facts.get("upgrade_works")
    if facts.get("upgrade_failure") in ENDED:
        return {"closed": True, "status": None, "works": None}
    if not isinstance(status, int) or status == OPEN or (status >= 400 and status == facts.get("status") and not works):
        return None
    return {"status": status, "works": works}


def _named(request: Request, host: str) -> Request:
    return replace(request, host=host, hosts=tuple(host for _ in request.hosts))
