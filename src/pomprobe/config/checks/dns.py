"""The dns_* keys: resolvers that block every cluster, and those that are not what they say."""

from __future__ import annotations

from ipaddress import ip_address

from ...model import Failure, Upstream
from .view import UNIX, View


def check(view: View) -> None:
    invalid = next((p for p in view.problems.found if p.failure is Failure.DNS_RESOLVER_INVALID), None)
    asks = any(not _static(one) for route, _ in view.proxied() for one in route.upstreams)
    if invalid is not None and asks:
        for route in view.routes:
            view.block(route.index, invalid.message)
    if view.settings.dns.use_tcp:
        return
    for i, (scheme, address, port) in enumerate(view.settings.dns.resolvers):
        if scheme == "tcp":
            items = view.top.items("dns_resolvers")
            place = items[i].place if i < len(items) else view.top.place_of("dns_resolvers")
            value = f"tcp://{f'[{address}]' if ':' in address else address}:{port}"
            message = f"{value} is still asked over UDP"
            view.note(Failure.DNS_RESOLVER_TCP, place, message, key="dns_resolvers", value=value, write="dns_use_tcp: true")


def _static(one: Upstream) -> bool:
    """No name to ask for: an address (IPv6 only without a port, clusters.go: allIPAddresses), a socket, or localhost."""
    if one.scheme in UNIX or one.host == "localhost":
        return True
    try:
        return ip_address(one.host).version == 4
    except ValueError:
        return False
