"""A second look at a failure (pure): which other setting would work, as clusters to try, so that a fix names what was tried.

At most LIMIT further connections for one endpoint, and only where the failure itself suggests what to try.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from .model import Cluster, Endpoint, Facts, Failure, Outcome, Protocol, RouteKind, StageName, Status, Upstream, UpstreamTLS

LIMIT = 3

HOST_REFUSALS = (400, 403, 404, 421)
"""Statuses with which an app answers a Host that it does not know."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One further connection. works: the key and value that would be the fix; what: the connection, for --verbose."""

    cluster: Cluster
    context: UpstreamTLS | None
    endpoint: Endpoint
    works: str
    what: str


def trials(
    cluster: Cluster, upstream: Upstream, context: UpstreamTLS | None, endpoint: Endpoint, outcomes: Sequence[Outcome]
) -> list[Trial]:
    """What to try after this walk, most likely first."""
    if cluster.route.kind is not RouteKind.HTTP:
        return []
    last = next((o for o in outcomes if o.status is Status.FAILING), outcomes[-1] if outcomes else None)
    if last is None:
        return []
    return list(islice(_suggested(cluster, upstream, context, endpoint, last), LIMIT))


def works(trial: Trial, before: Sequence[Outcome], after: Sequence[Outcome]) -> bool:
    """Did the trial get an answer that is better than what the route gets now?"""
    answer = after[-1] if after else None
    if answer is None or answer.stage is not StageName.HTTP:
        return False
    status, was = answer.facts.get("status"), before[-1].facts.get("status")
    if not isinstance(status, int):
        return False
    return status < 400 if isinstance(was, int) else status < 500 and status != 400


def told(outcome: Outcome, tried: Sequence[str], found: str) -> Outcome:
    """The outcome with what the second look learned: facts `tried` and, if something works, `works`."""
    facts: Facts = {**outcome.facts, "tried": tuple(tried), **({"works": found} if found else {})}
    return replace(outcome, facts=facts)


def _suggested(cluster: Cluster, upstream: Upstream, context: UpstreamTLS | None, endpoint: Endpoint, last: Outcome) -> Iterator[Trial]:
    failure, facts = last.failure, last.facts
    if failure is Failure.NAME_MISMATCH and context is not None:
        for name in _names(facts, cluster.route.from_host):
            named = replace(context, server_name=name, match_name=name)
            yield Trial(cluster, named, endpoint, f"tls_upstream_server_name: {name}", f"TLS to {endpoint} with the name {name}")
    elif failure is Failure.NOT_TLS or (context is not None and failure is Failure.HANDSHAKE_CLOSED):
        plain = replace(cluster, protocol=Protocol.HTTP1, tls=tuple(None for _ in cluster.tls))
        yield Trial(plain, None, endpoint, f"to: {_with_scheme(upstream, 'http')}", f"plain HTTP to {endpoint}")
    elif context is None and failure in (Failure.PROTOCOL_ERROR, Failure.CLOSED, Failure.APP_REFUSAL) and _may_speak_tls(last):
        secure = UpstreamTLS(upstream.host, upstream.host, True, b"", "not verified", ("h2", "http/1.1"))
        yield Trial(
            replace(cluster, protocol=Protocol.AUTO), secure, endpoint, f"to: {_with_scheme(upstream, 'https')}", f"TLS to {endpoint}"
        )
    if context is None and failure in (Failure.PROTOCOL_ERROR, Failure.CLOSED):
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
    if (
        failure is Failure.APP_REFUSAL
        and facts.get("status") in HOST_REFUSALS
        and cluster.request.host != cluster.route.from_host
        and cluster.route.from_host
    ):
        asked = replace(cluster, request=replace(cluster.request, host=cluster.route.from_host))
        yield Trial(
            asked,
            context,
            endpoint,
            "preserve_host_header: true",
            f"GET {cluster.request.path} from {endpoint} with Host: {cluster.route.from_host}",
        )


def _names(facts: Facts, from_host: str) -> Iterator[str]:
    """Names of the certificate that tls_upstream_server_name could take: the users' own first."""
    sans = facts.get("sans")
    names = [name for name in sans if "*" not in name] if isinstance(sans, tuple) else []
    yield from sorted(names, key=lambda name: name.lower() != from_host.lower())[:2]


def _may_speak_tls(last: Outcome) -> bool:
    """A TLS port answers plain HTTP with TLS bytes, with silence, or (nginx, Go) with a 400 of its own."""
    return last.failure is not Failure.APP_REFUSAL or last.facts.get("status") == 400


def _with_scheme(upstream: Upstream, scheme: str) -> str:
    host = f"[{upstream.host}]" if ":" in upstream.host else upstream.host
    return f"{scheme}://{host}:{upstream.port}{upstream.path}"
