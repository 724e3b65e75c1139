"""From an entry of `to` to the endpoints that Envoy would connect to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio

from ..model import Cluster, Discovery, DNSSettings, Endpoint, Fact, Facts, Failure, StageFailed, Upstream

if TYPE_CHECKING:
    from ..net.resolver import Resolver


PATIENCE = 5.0
"""Seconds for a further lookup of a name that has been found: c-ares has lost a query by then."""


async def resolve(
    upstream: Upstream, cluster: Cluster, resolver: Callable[[DNSSettings], Resolver], samples: int = 1
) -> tuple[tuple[Endpoint, ...], Facts]:
    """The endpoints of one upstream, at least one. resolver: the one for these settings. Raises StageFailed where Envoy would have none.

    Every address of a name is an endpoint of its own (rows dns-multi-a-one-refuses, dns-both-v6-listens-only-all).
    samples: how often a name is asked for; facts `samples` and `failed`, if it is more than once.
    """
    if upstream.scheme.endswith("unix"):
        return (Endpoint(upstream.path, None),), {"name": upstream.path, "source": "unix socket"}
    # Pomerium's buildLbEndpoints writes 127.0.0.1 for exactly this name, so a server on ::1 is not reached (row dns-localhost-v6only).
    host = "127.0.0.1" if upstream.host == "localhost" else upstream.host
    if cluster.discovery is Discovery.STATIC:
        return (Endpoint(host, upstream.port),), {"name": upstream.host, "source": "literal", "addresses": (host,)}
    asked = resolver(cluster.dns)
    resolved = await asked.resolve(host)
    facts: dict[str, Fact] = {**resolved.facts, "name": upstream.host}
    if samples > 1 and not _literal(host):
        failed = [await _fails(asked, host) for _ in range(samples - 1)]
        facts |= {"samples": samples, "failed": sum(failed)}
    return tuple(Endpoint(address, upstream.port) for address in resolved.addresses), facts


async def _fails(resolver: Resolver, host: str) -> bool:
    """Does the name that was found a moment ago fail to resolve now?"""
    with anyio.move_on_after(PATIENCE):
        try:
            await resolver.anew(host)
            return False
        except StageFailed as failed:
            return failed.failure is not Failure.NOT_KNOWN
    return True


def _literal(host: str) -> bool:
    """Is it an address, for which nobody is asked?"""
    return ":" in host or host.replace(".", "").isdigit()
