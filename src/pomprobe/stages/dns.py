"""From an entry of `to` to the endpoints that Envoy would connect to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..model import Cluster, Discovery, DNSSettings, Endpoint, Facts, Upstream

if TYPE_CHECKING:
    from ..net.resolver import Resolver


async def resolve(
    upstream: Upstream, cluster: Cluster, resolver: Callable[[DNSSettings], Resolver]
) -> tuple[tuple[Endpoint, ...], Facts]:
    """The endpoints of one upstream, at least one. resolver: the one for these settings. Raises StageFailed where Envoy would have none.

    Every address of a name is an endpoint of its own (rows dns-multi-a-one-refuses, dns-both-v6-listens-only-all).
    """
    if upstream.scheme.endswith("unix"):
        return (Endpoint(upstream.path, None),), {"name": upstream.path, "source": "unix socket"}
    # Pomerium's buildLbEndpoints writes 127.0.0.1 for exactly this name, so a server on ::1 is not reached (row dns-localhost-v6only).
    host = "127.0.0.1" if upstream.host == "localhost" else upstream.host
    if cluster.discovery is Discovery.STATIC:
        return (Endpoint(host, upstream.port),), {"name": upstream.host, "source": "literal", "addresses": (host,)}
    resolved = await resolver(cluster.dns).resolve(host)
    return tuple(Endpoint(address, upstream.port) for address in resolved.addresses), {**resolved.facts, "name": upstream.host}
