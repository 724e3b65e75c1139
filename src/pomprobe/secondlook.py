"""A second look at a failure (pure): which other setting would work, as clusters to try, so that a fix names what was tried.

At most LIMIT further connections for one endpoint, and only where the failure itself suggests what to try.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from urllib.parse import urlsplit

from . import websocket
from .insights import redirected
from .model import Cluster, Endpoint, Facts, Failure, Outcome, Protocol, RouteKind, StageName, Status, Upstream, UpstreamTLS
from .record import Record, replace
from .redact import shown

LIMIT = 3

PATIENCE = 3.0
"""Seconds for each trial: what works, works soon; a route's own 30 s would make a silent server cost minutes."""

HOST_REFUSALS = (400, 403, 404, 421)
"""Statuses with which an app answers a Host that it does not know."""

MAY_BE_PLAIN = (Failure.NOT_TLS, Failure.HANDSHAKE_CLOSED, Failure.HANDSHAKE_RESET, Failure.HANDSHAKE_TIMEOUT)
"""How a server without TLS takes a ClientHello: it answers, closes, or waits for the end of a line."""

NAME_ALERTS = (40, 49, 80, 112)
"""Alerts with which a server refuses a name that it does not serve: handshake_failure, access_denied, internal_error, unrecognized_name."""

SECURE = ("https", "https+unix")
"""Schemes with TLS; a plain one beside them in `to` gets TLS as well, and already says what it speaks."""

UPGRADE_WANTED = (400, 426)
"""Statuses with which a websocket server answers a plain GET."""


class Trial(Record, frozen=True):
    """One further connection. works: the key and value that would be the fix; what: the connection, for --verbose."""

    cluster: Cluster
    context: UpstreamTLS | None
    endpoint: Endpoint
    works: str
    what: str


def hurried(cluster: Cluster) -> Cluster:
    """The cluster of a trial, with timers of PATIENCE at most."""
    timers = cluster.timers
    connect, route = min(timers.connect, PATIENCE), min(timers.route or PATIENCE, PATIENCE)
    return replace(cluster, timers=replace(timers, connect=connect, route=route))


def trials(
    cluster: Cluster, upstream: Upstream, context: UpstreamTLS | None, endpoint: Endpoint, outcomes: Sequence[Outcome]
) -> list[Trial]:
    """What to try after this walk, most likely first."""
    if cluster.route.kind not in (RouteKind.HTTP, RouteKind.KUBERNETES):
        return []
    last = next((o for o in outcomes if o.status is Status.FAILING), outcomes[-1] if outcomes else None)
    if last is None:
        return []
    return list(islice(_suggested(cluster, upstream, context, endpoint, last), LIMIT))


TLS_PORTS = (443, 465, 636, 853, 989, 990, 992, 993, 995, 2376, 2484, 3269, 5061, 5671, 6380, 6443, 6514, 6697, 8443, 8883, 9093, 9443)
"""Ports whose servers speak TLS from the first byte on (IANA, and what is usual: Docker, Oracle, Redis, Kafka …)."""


def may_hide_tls(cluster: Cluster, endpoint: Endpoint, outcomes: Sequence[Outcome]) -> bool:
    """Is it a tcp route's server that waits for the client, at a port that is one of TLS by custom?"""
    last = outcomes[-1]
    waits = last.status is Status.OK and last.facts.get("tunnel") and not last.facts.get("banner")
    return bool(waits) and cluster.route.kind is RouteKind.TCP and cluster.protocol is Protocol.RAW and endpoint.port in TLS_PORTS


def behind(cluster: Cluster, upstream: Upstream) -> tuple[Cluster, UpstreamTLS]:
    """The cluster and context of a handshake with such a server; nothing is sent after it."""
    return hurried(cluster), UpstreamTLS(upstream.host, upstream.host, True, b"", "not verified", ())


def hidden_tls(after: Sequence[Outcome]) -> Facts:
    """Facts `tls_behind` and `tls_names` where such a server answered the handshake."""
    last = after[-1] if after else None
    if last is None or last.stage is not StageName.TLS or last.status is not Status.OK:
        return {}
    names = last.facts.get("sans")
    return {"tls_behind": True, "tls_names": names if isinstance(names, tuple) else ()}


def works(trial: Trial, cluster: Cluster, upstream: Upstream, before: Sequence[Outcome], after: Sequence[Outcome]) -> bool:
    """Did the trial get an answer that is better than what the route gets now?"""
    answer, was = (after[-1] if after else None), before[-1]
    if answer is None or not answered(answer):
        return False
    status = answer.facts.get("status")
    assert isinstance(status, int)
    if answer.facts.get("upgraded"):
        return True
    if answered(was) and was.status is Status.OK:  # a redirect to where users cannot go
        return status < 400 and not redirected(answer.facts, upstream, cluster)
    return status < 400 if answered(was) else status < 500 and status != 400


def in_vain(after: Sequence[Outcome]) -> bool:
    """Does what came of a trial that does not work say so for sure? A refusal does; a timer of ours does not."""
    return bool(after) and after[-1].status in (Status.OK, Status.FAILING) and after[-1].timer is None


def answered(outcome: Outcome) -> bool:
    """Is it an answer with a status, whatever it says?"""
    return (
        outcome.stage is StageName.HTTP
        and isinstance(outcome.facts.get("status"), int)
        and outcome.failure in (None, Failure.APP_ERROR, Failure.APP_REFUSAL)
    )


def _suggested(cluster: Cluster, upstream: Upstream, context: UpstreamTLS | None, endpoint: Endpoint, last: Outcome) -> Iterator[Trial]:
    failure, facts = last.failure, last.facts
    if failure is Failure.NAME_MISMATCH and context is not None:
        for name in _names(facts, cluster.route.from_host, context.server_name):
            named = replace(context, server_name=name, match_name=name)
            yield Trial(cluster, named, endpoint, f"tls_upstream_server_name: {name}", f"TLS to {endpoint} with the name {name}")
    elif failure is Failure.TLS_ALERT and context is not None and facts.get("alert") in NAME_ALERTS and _other(context, cluster):
        name = cluster.route.from_host
        named = replace(context, server_name=name, match_name=name)
        yield Trial(cluster, named, endpoint, f"tls_upstream_server_name: {name}", f"TLS to {endpoint} with the name {name}")
    elif failure is Failure.CLOSED and context is not None and facts.get("renegotiation"):
        again = replace(context, allow_renegotiation=True)
        yield Trial(cluster, again, endpoint, "tls_upstream_allow_renegotiation: true", f"TLS to {endpoint} with a second handshake")
    elif context is not None and failure in MAY_BE_PLAIN and upstream.scheme in SECURE:
        plain = replace(cluster, protocol=Protocol.HTTP1, tls=tuple(None for _ in cluster.tls))
        yield Trial(plain, None, endpoint, f"to: {_with_scheme(upstream, 'http')}", f"plain HTTP to {endpoint}")
    elif context is None and failure in (Failure.PROTOCOL_ERROR, Failure.CLOSED, Failure.APP_REFUSAL) and _may_speak_tls(last):
        secure = UpstreamTLS(upstream.host, upstream.host, True, b"", "not verified", ("h2", "http/1.1"))
        yield Trial(
            replace(cluster, protocol=Protocol.AUTO), secure, endpoint, f"to: {_with_scheme(upstream, 'https')}", f"TLS to {endpoint}"
        )
    silent = failure is Failure.TIMED_OUT and cluster.protocol is Protocol.HTTP2 and not facts.get("started")
    if context is None and (failure in (Failure.PROTOCOL_ERROR, Failure.CLOSED) or silent):
        if cluster.protocol is Protocol.HTTP2:
            yield Trial(
                replace(cluster, protocol=Protocol.HTTP1),
                None,
                endpoint,
                f"to: {_with_scheme(upstream, 'http')}",
                f"HTTP/1.1 to {endpoint}",
            )
        elif failure is Failure.PROTOCOL_ERROR and facts.get("speaks") in ("HTTP/2", "h2"):
            yield Trial(
                replace(cluster, protocol=Protocol.HTTP2), None, endpoint, f"to: {_with_scheme(upstream, 'h2c')}", f"HTTP/2 to {endpoint}"
            )
    if failure is Failure.APP_REFUSAL or (last.status is Status.OK and redirected(facts, upstream, cluster)):
        yield from _other_hosts(cluster, upstream, context, endpoint, facts)


def _other_hosts(cluster: Cluster, upstream: Upstream, context: UpstreamTLS | None, endpoint: Endpoint, facts: Facts) -> Iterator[Trial]:
    """What an app that refuses a request, or redirects it, may want instead: the users' Host, that name in TLS, an upgrade."""
    sent, users, status = cluster.request_to(upstream).host, cluster.request.original_host, facts.get("status")
    name = sent.partition(":")[0]
    if status == 421 and context is not None and context.server_name != name:
        named = replace(context, server_name=name, match_name=name)
        yield Trial(cluster, named, endpoint, f"tls_upstream_server_name: {name}", f"TLS to {endpoint} with the name {name}")
    if users and users != sent and (status in HOST_REFUSALS or redirected(facts, upstream, cluster)):
        asked = websocket.with_host(cluster, users)
        what = f"GET {shown(cluster.request.path)} from {endpoint} with Host: {users}"
        yield Trial(asked, context, endpoint, "preserve_host_header: true", what)
    if status in UPGRADE_WANTED and not cluster.route.websockets:
        plain = context and replace(context, alpn=("http/1.1",))
        what = f"websocket upgrade at {shown(cluster.request.path)} of {endpoint}"
        yield Trial(websocket.asking(cluster), plain, endpoint, "allow_websockets: true", what)


def _names(facts: Facts, from_host: str, asked: str) -> Iterator[str]:
    """Names that tls_upstream_server_name could take: the users' own first, then those of the certificate.

    A server that was asked for an address shows the certificate of any site; for the users' name it may have another one.
    """
    sans = facts.get("sans")
    names = [name for name in sans if "*" not in name] if isinstance(sans, tuple) else []
    known = from_host.lower() in [name.lower() for name in names]
    if known or ("*" not in from_host and (":" in asked or asked.replace(".", "").isdigit())):
        yield from_host
    yield from [name for name in names if name.lower() != from_host.lower()][:2]


def _other(context: UpstreamTLS, cluster: Cluster) -> bool:
    """Is the name that users type another one than the server was asked for?"""
    name = cluster.route.from_host
    return "*" not in name and name.lower() != context.server_name.lower()


def _may_speak_tls(last: Outcome) -> bool:
    """A TLS port answers plain HTTP with TLS bytes, with silence, or (nginx, Go) with a 400 of its own."""
    if last.failure is Failure.PROTOCOL_ERROR and last.facts.get("speaks") not in ("", "TLS", None):
        return False
    return last.failure is not Failure.APP_REFUSAL or last.facts.get("status") == 400


def _with_scheme(upstream: Upstream, scheme: str) -> str:
    """The entry of `to` as it would be written; `localhost` stays that, which Envoy takes for 127.0.0.1 and apps see as Host."""
    host = f"[{upstream.host}]" if ":" in upstream.host else upstream.host
    if urlsplit(upstream.url).hostname == "localhost":
        host = "localhost"
    return f"{scheme}://{host}:{upstream.port}{upstream.path}"
