"""How Envoy reaches the upstreams of a route: discovery, protocol and TLS (clusters.go, protocols.go, tls.go)."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar

from ..model import Discovery, Protocol, Route, RouteKind, Settings, Upstream, UpstreamTLS
from ..record import Record
from .bundle import Bundle

UNIX = ("unix", "https+unix")
SECURE = ("https", "https+unix")

MALFORMED = "malformed IP address: [{}]. Consider setting resolver_name or setting cluster type to 'STRICT_DNS' or 'LOGICAL_DNS'"
"""Envoy's refusal of a bare IPv6 address, which Pomerium hands over with its brackets where `to` has no port."""


class Trust(Record, frozen=True):
    """The certificates that a route without tls_custom_ca trusts (None: this machine has no bundle), and where they came from."""

    HIDDEN: ClassVar = ("pem",)

    pem: bytes | None
    source: str
    file: str = ""  # the one that holds just these, "" where there is none


def trusts(settings: Settings, bundle: Bundle) -> Trust:
    """The system's bundle and certificate_authority together (envoyconfig.go, getCombinedCertificateAuthority)."""
    if bundle.system_ca is None:
        return Trust(None, "none: this machine has no bundle of certificate authorities")
    source = bundle.system_ca_path or "the system's bundle"
    if settings.certificate_authority is None:
        return Trust(bundle.system_ca, source, bundle.system_ca_path or "")
    key = "certificate_authority_file" if "certificate_authority_file" in settings.places else "certificate_authority"
    return Trust(bundle.system_ca + b"\n" + settings.certificate_authority, f"{source} + {key}")


def discovery(upstreams: Sequence[Upstream]) -> Discovery:
    """STATIC if every host is an address as Pomerium recognises one, or a unix socket.

    It cuts at the first colon to look for a port, so a bare IPv6 address is none, and its cluster asks DNS (row dns-ipv6-literal).
    """
    return Discovery.STATIC if all(_literal(upstream) for upstream in upstreams) else Discovery.STRICT_DNS


def protocol(route: Route) -> Protocol:
    """What is spoken: raw for tunnels, HTTP/2 where every `to` is h2c, ALPN where every one is TLS, else HTTP/1.1."""
    schemes = [upstream.scheme for upstream in route.upstreams]
    if route.kind is RouteKind.SSH or (route.kind in (RouteKind.TCP, RouteKind.UDP) and schemes[0] == route.kind.value):
        return Protocol.RAW
    if route.websockets:
        return Protocol.HTTP1
    if all(scheme in SECURE for scheme in schemes):
        return Protocol.AUTO
    return Protocol.HTTP2 if all(scheme == "h2c" for scheme in schemes) else Protocol.HTTP1


def tls(route: Route, trust: Trust) -> tuple[UpstreamTLS | None, ...]:
    """One context for each upstream.

    A plaintext one beside an https one gets the context of the first https one: no transport socket matches it, and Pomerium makes
    that one the cluster's default (row tls-mixed-http-https).
    """
    own = [_context(route, upstream, trust) if upstream.scheme in SECURE else None for upstream in route.upstreams]
    default = next((context for context in own if context is not None), None)
    return tuple(context or default for context in own)


def refusals(route: Route, spoken: Protocol) -> tuple[str, ...]:
    """Envoy's messages where it rejects the cluster for what only the plan knows.

    That this machine has no bundle of certificate authorities is none: Pomerium may run on another one, or in an image that has it.
    """
    messages = [MALFORMED.format(upstream.host) for upstream in route.upstreams if ":" in upstream.host and not upstream.explicit_port]
    if spoken in (Protocol.HTTP1, Protocol.RAW) and any(check.checker == "grpc" for check in route.health_checks):
        messages.append("cluster must support HTTP/2 for gRPC healthchecking")
    return tuple(messages)


def _context(route: Route, upstream: Upstream, trust: Trust) -> UpstreamTLS:
    options = route.tls
    name = options.server_name or upstream.host
    if options.custom_ca is not None:
        pem: bytes | None = options.custom_ca
        source = "tls_custom_ca_file" if "tls_custom_ca_file" in route.places else "tls_custom_ca"
        file = options.custom_ca_file
        if route.kind is RouteKind.KUBERNETES and trust.pem is not None:  # config/http.go adds it to the system's (GetCertPool)
            pem, source, file = trust.pem + b"\n" + options.custom_ca, f"{trust.source} + {source}", ""
    else:
        pem, source, file = trust.pem, trust.source, trust.file
    return UpstreamTLS(
        server_name=name,
        match_name=_matched(name),
        skip_verify=options.skip_verify,
        trust=pem,
        trust_source=source,
        alpn=("http/1.1",) if route.websockets else ("h2", "http/1.1"),
        client_cert=options.client_cert,
        client_key=options.client_key,
        trust_file=file,
        client_cert_file=options.client_cert_file,
        client_key_file=options.client_key_file,
        allow_renegotiation=options.allow_renegotiation,
    )


@lru_cache(maxsize=1024)
def _matched(name: str) -> str:
    """The name that a SAN must match: an address in its canonical form and without a zone, anything else as it is."""
    try:
        return str(ipaddress.ip_address(name.partition("%")[0]))
    except ValueError:
        return name


def _literal(upstream: Upstream) -> bool:
    if upstream.scheme in UNIX or upstream.host == "localhost":
        return True
    if ":" in upstream.host:
        return not upstream.explicit_port  # `[::1]` without a port keeps its brackets, and is recognised
    if not upstream.host[-1:].isdigit():
        return False
    try:
        ipaddress.IPv4Address(upstream.host)
    except ValueError:
        return False
    return True
