"""From an entry of `to` to endpoints."""

from __future__ import annotations

import pytest

from factories import cluster, upstream
from pomprobe.model import Discovery, DNSSettings, Endpoint, Failure, StageFailed
from pomprobe.net.resolv_conf import Machine
from pomprobe.net.resolver import Resolver
from pomprobe.record import replace
from pomprobe.stages import dns
from servers.dns import dns_server


async def test_unix_socket() -> None:
    """A unix socket is its own endpoint."""
    to = replace(upstream("unix:///run/app.sock", "", 80), path="/run/app.sock")
    endpoints, facts = await dns.resolve(to, cluster((to,), discovery=Discovery.STATIC), lambda settings: Resolver(settings, Machine()))
    assert (endpoints, facts["source"]) == ((Endpoint("/run/app.sock", None),), "unix socket")


@pytest.mark.parametrize("discovery", list(Discovery))
async def test_localhost(discovery: Discovery) -> None:
    """localhost is 127.0.0.1, and never ::1, however the cluster gets its endpoints (rows dns-localhost, dns-localhost-v6only)."""
    to = upstream("http://localhost:8080", "localhost", 8080)
    resolver = Resolver(DNSSettings(lookup_family="ALL"), Machine(hosts={"localhost": ("::1",)}))
    endpoints, facts = await dns.resolve(to, cluster((to,), discovery=discovery), lambda _: resolver)
    assert (endpoints, facts["name"], facts["source"]) == ((Endpoint("127.0.0.1", 8080),), "localhost", "literal")


async def test_static() -> None:
    """In a static cluster the address stands as it is written."""
    to = upstream("http://127.0.0.1:8080", "127.0.0.1", 8080)
    endpoints, facts = await dns.resolve(to, cluster((to,), discovery=Discovery.STATIC), lambda settings: Resolver(settings, Machine()))
    assert endpoints == (Endpoint("127.0.0.1", 8080),)
    assert facts == {"name": "127.0.0.1", "source": "literal", "addresses": ("127.0.0.1",)}


async def test_every_address() -> None:
    """Every address of a name is an endpoint with the upstream's port."""
    to = upstream("http://up.lab.test:8080", "up.lab.test", 8080)
    async with dns_server({"up.lab.test": [("A", "127.0.0.1"), ("A", "127.0.0.2")]}) as server:
        endpoints, facts = await dns.resolve(to, cluster((to,)), lambda _: Resolver(DNSSettings(resolvers=(server.resolver,)), Machine()))
    assert endpoints == (Endpoint("127.0.0.1", 8080), Endpoint("127.0.0.2", 8080))
    assert facts["addresses"] == ("127.0.0.1", "127.0.0.2")


async def test_failure() -> None:
    """A name without addresses is the resolver's failure."""
    to = upstream("http://up.lab.test:8080", "up.lab.test", 8080)
    async with dns_server({}) as server:
        with pytest.raises(StageFailed) as caught:
            await dns.resolve(to, cluster((to,)), lambda _: Resolver(DNSSettings(resolvers=(server.resolver,)), Machine()))
    assert (caught.value.failure, caught.value.facts["name"]) == (Failure.NAME_NOT_FOUND, "up.lab.test")
