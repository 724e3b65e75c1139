"""The Pomerium resource (ingress.pomerium.io/v1) to global keys (pomerium/config.go; apis/ingress/v1/pomerium_types.go)."""

from __future__ import annotations

import base64

from ...model import Failure
from .. import duration
from ..nodes import Mapping, Node, Scalar
from ..problems import Problems
from .nodes import mapping, text
from .objects import Object, Objects, secret_data

TIMEOUTS = {"read": "timeout_read", "write": "timeout_write", "idle": "timeout_idle"}
DNS = {
    "failureRefreshRate": "dns_failure_refresh_rate",
    "queryTimeout": "dns_query_timeout",
    "queryTries": "dns_query_tries",
    "refreshRate": "dns_refresh_rate",
    "udpMaxQueries": "dns_udp_max_queries",
    "useTcp": "dns_use_tcp",
}
BREAKERS = {
    "maxConnections": "max_connections",
    "maxPendingRequests": "max_pending_requests",
    "maxRequests": "max_requests",
    "maxRetries": "max_retries",
    "maxConnectionPools": "max_connection_pools",
}
FAMILIES = ("auto", "v4_only", "v6_only", "v4_preferred", "all")


def settings(one: Object, objects: Objects, problems: Problems) -> dict[str, Node]:
    """The global keys that the resource sets."""
    spec = one.mapping("spec")
    if spec is None:
        return {}
    found: dict[str, Node] = {}
    _timeouts(spec, found, problems)
    dns = spec.mapping("dns")
    if dns is not None:
        found |= {key: dns.entries[name] for name, key in DNS.items() if name in dns}
        _family(dns, found, problems)
    breakers = spec.mapping("circuitBreakerThresholds")
    if breakers is not None:
        thresholds = {key: breakers.entries[name] for name, key in BREAKERS.items() if name in breakers}
        found["circuit_breaker_thresholds"] = mapping(thresholds, breakers.place)
    for name, key in (("allowUpgrades", "allow_upgrades"), ("runtimeFlags", "runtime_flags")):
        if name in spec:
            found[key] = spec.entries[name]
    authenticate = spec.mapping("authenticate")
    if authenticate is not None and "url" in authenticate:
        found["authenticate_service_url"] = authenticate.entries["url"]
    _authorities(spec, one, objects, found, problems)
    return found


def _timeouts(spec: Mapping, found: dict[str, Node], problems: Problems) -> None:
    timeouts = spec.mapping("timeouts")
    if timeouts is None:
        return
    found |= {key: timeouts.entries[name] for name, key in TIMEOUTS.items() if name in timeouts}
    read, write = (_nanoseconds(timeouts.get(name)) for name in ("read", "write"))
    if read is not None and write is not None and read >= write:
        message = f"timeouts: read timeout ({duration.render(read)}) must be less than write timeout ({duration.render(write)})"
        place = timeouts.place_of("read")
        problems.refuse("timeouts", place, message, key="spec.timeouts.read", write=f"write: more than {duration.render(read)}")


def _nanoseconds(node: Node | None) -> int | None:
    try:
        return duration.parse(node.text) if isinstance(node, Scalar) and not node.is_null else None
    except duration.BadDuration:
        return None  # refused when it is read


def _family(dns: Mapping, found: dict[str, Node], problems: Problems) -> None:
    family = dns.scalar("lookupFamily")
    if not family:
        return
    place = dns.place_of("lookupFamily")
    if family not in FAMILIES:
        known = ", ".join(f'"{name}"' for name in FAMILIES)
        message = f'spec.dns.lookupFamily: Unsupported value: "{family}": supported values: {known}'
        write = f"lookupFamily: {family.lower() if family.lower() in FAMILIES else 'v4_preferred'}"
        problems.refuse("dns_lookup_family", place, message, key="spec.dns.lookupFamily", value=family, write=write)
    found["dns_lookup_family"] = text(family.upper() if family.lower() in FAMILIES else "", place)


def _authorities(spec: Mapping, one: Object, objects: Objects, found: dict[str, Node], problems: Problems) -> None:
    """caSecrets name Secrets with a ca.crt: all of them together are certificate_authority."""
    collected = b""
    for item in spec.items("caSecrets"):
        if not isinstance(item, Scalar):
            continue
        namespace, _, name = item.text.rpartition("/")
        secret = objects.get("Secret", namespace or one.namespace, name)
        data = secret_data(secret, "ca.crt") if secret is not None else None
        if data is None:
            message = f"Secret {item.text} with ca.crt is not among the manifests"
            problems.note(Failure.MANIFEST_REFERENCE, item.place, message, kind="Secret", name=item.text, key="spec.caSecrets")
        else:
            collected += data + b"\n"
            found["certificate_authority"] = text(base64.b64encode(collected).decode(), item.place)
