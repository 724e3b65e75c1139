"""The global keys that concern upstreams, with Pomerium's defaults and its refusals (config/options.go, options_dns.go)."""

from __future__ import annotations

from ipaddress import ip_address

from ..model import CircuitBreakers, DNSSettings, Failure, Place, Settings
from . import compound, duration, files, url, values
from .reader import Reader
from .services import authorize
from .values import Refused

FAMILIES = ("AUTO", "V4_ONLY", "V6_ONLY", "V4_PREFERRED", "ALL")
SERVICES = ("all", "authenticate", "authorize", "cache", "databroker", "proxy")
BREAKERS = ("max_connections", "max_pending_requests", "max_requests", "max_retries", "max_connection_pools")
Resolver = tuple[str, str, int]


def read_settings(reader: Reader) -> Settings:
    """The settings; whatever cannot be decoded or is refused becomes a problem of the reader."""
    services = reader.text("services", "all")
    if not service_names(services) or not set(service_names(services)) <= set(SERVICES):
        message = f"config: {services} is an invalid service type"
        reader.problems.refuse("services", reader.place("services"), message, key="services", value=services, write="services: all")
    return Settings(
        default_upstream_timeout=reader.seconds("default_upstream_timeout", 30.0) or 0.0,
        timeout_read=reader.seconds("timeout_read", 30.0) or 0.0,
        timeout_write=reader.seconds("timeout_write", 0.0) or 0.0,
        timeout_idle=reader.seconds("timeout_idle", 300.0) or 0.0,
        dns=_dns(reader),
        certificate_authority=_authority(reader),
        bind_source_address=reader.text("envoy_bind_config_source_address"),
        bind_freebind=bool(reader.read("envoy_bind_config_freebind", values.json_bool, None)),
        circuit_breakers=circuit_breakers(reader),
        allow_upgrades=reader.texts("allow_upgrades"),
        services=services,
        address=reader.text("address"),
        authenticate_service_url=reader.text("authenticate_service_url"),
        authorize=authorize(reader, set(service_names(services))),
        override_certificate_name=reader.text("override_certificate_name"),
        places=reader.places,
    )


def service_names(services: str) -> list[str]:
    return [name for name in (part.strip().lower() for part in services.split(",")) if name]


def serves_routes(services: str) -> bool:
    """Whether the proxy is among the services (config/helpers.go, IsProxy)."""
    return bool({"all", "proxy"} & set(service_names(services)))


NONE = CircuitBreakers()


def circuit_breakers(reader: Reader) -> CircuitBreakers:
    """`circuit_breaker_thresholds`, of a route or global: five numbers that go through JSON."""
    within = reader.struct("circuit_breaker_thresholds")
    if within is None:
        return NONE
    return CircuitBreakers(**{name: within.read(name, lambda n: values.json_int(n, values.MAX_UINT32), None) for name in BREAKERS})


def _dns(reader: Reader) -> DNSSettings:
    family = reader.text("dns_lookup_family")
    if family and family not in FAMILIES:
        known = ", ".join(FAMILIES)
        message = f"config: unknown dns_lookup_family: known families are: {known}: {family}"
        write = f"dns_lookup_family: {family.upper()}" if family.upper() in FAMILIES else "dns_lookup_family: V4_PREFERRED"
        key = "dns_lookup_family"
        reader.problems.refuse(key, reader.place(key), message, key=key, value=family, write=write)
    timeout = reader.nanoseconds("dns_query_timeout")
    if timeout is not None and timeout < 0:
        key, shown = "dns_query_timeout", duration.render(timeout)
        message = "config: dns_query_timeout must be positive"
        reader.problems.refuse(key, reader.place(key), message, key=key, value=shown, write="dns_query_timeout: 5s")
    return DNSSettings(
        lookup_family=family or "V4_PREFERRED",
        resolvers=tuple(resolver for resolver in _resolvers(reader) if resolver is not None),
        query_timeout=float(timeout // duration.SECOND) if timeout is not None and timeout >= duration.SECOND else None,
        query_tries=reader.read("dns_query_tries", lambda n: values.json_int(n, values.MAX_UINT32), None),
        use_tcp=bool(reader.read("dns_use_tcp", values.json_bool, None)),
        udp_max_queries=reader.read("dns_udp_max_queries", lambda n: values.json_int(n, values.MAX_UINT32), None),
        refresh_rate=_rate(reader, "dns_refresh_rate"),
        failure_refresh_rate=_rate(reader, "dns_failure_refresh_rate"),
    )


def _rate(reader: Reader, key: str) -> float | None:
    found = reader.nanoseconds(key)
    if found is None:
        return None
    if found < duration.MILLISECOND:
        message = f"config: {key} must be at least 1ms"
        reader.problems.refuse("dns_refresh_rate", reader.place(key), message, key=key, value=duration.render(found), write=f"{key}: 5s")
    return duration.seconds(found)


def _resolvers(reader: Reader) -> list[Resolver | None]:
    """Each of dns_resolvers; one that Pomerium cannot use blocks the building of all clusters (clusters.go, getCARESDNSResolverConfig)."""
    out: list[Resolver | None] = []
    for i, written in enumerate(reader.texts("dns_resolvers")):
        try:
            out.append(resolver(written))
        except ValueError as error:
            items = reader.mapping.items("dns_resolvers")
            place: Place = items[i].place if i < len(items) else reader.place("dns_resolvers")
            message = f'failed to build address from resolver "{url.mask(written)}": {error}'
            write = "udp://IP:53"
            if _is_address(written.rpartition("/")[2].rpartition(":")[0]):
                write = f"udp://{written.rpartition('/')[2]}"
            elif _is_address(written.rpartition("/")[2]):
                write = f"udp://{written.rpartition('/')[2]}:53"
            reader.problems.note(Failure.DNS_RESOLVER_INVALID, place, message, key="dns_resolvers", value=url.mask(written), write=write)
            out.append(None)
    return out


def resolver(written: str) -> Resolver:
    """(scheme, address, port) of udp://IP:port. Raises ValueError with Pomerium's words (envoyconfig.go, buildIPAddressFromURL)."""
    try:
        parsed = url.parse_any(written)
    except url.BadURL as error:
        raise ValueError(f"parse url: {error}") from None
    if parsed.scheme not in ("udp", "tcp"):
        raise ValueError(f"unsupported url scheme: {parsed.scheme}")
    if not parsed.hostname:
        raise ValueError(f"must include an IP address: {url.mask(written)}")
    if not _is_address(parsed.hostname):
        raise ValueError(f"host must be an IP address: {parsed.hostname}")
    if not parsed.port:
        raise ValueError(f"must include a port: {url.mask(written)}")
    port = int(parsed.port) if len(parsed.port) < 12 else 10**12
    if port > 65535:
        raise ValueError(f'invalid port "{parsed.port}": strconv.ParseUint: parsing "{parsed.port}": value out of range')
    if port == 0:
        raise ValueError(f"port must be greater than zero: {parsed.port}")
    return parsed.scheme, parsed.hostname, port


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _authority(reader: Reader) -> bytes | None:
    """certificate_authority and the file, one after the other (config.go, AllCertificateAuthoritiesPEM).

    What cannot be read is only logged, and then no CA at all is set: every https cluster is refused.
    """
    out = b""
    for key in ("certificate_authority", "certificate_authority_file"):
        written = reader.text(key)
        if not written:
            continue
        try:
            out += (compound.decoded(reader.mapping.entries[key]) if key == "certificate_authority" else files.named(written)) + b"\n"
        except (Refused, files.Unopened) as error:
            message = "unable to enable certificate verification because no root CAs were found"
            reader.problems.note(Failure.CA_UNREADABLE, reader.place(key), message, key=key, error=str(error), scope="all https routes")
            return None
    return out or None
