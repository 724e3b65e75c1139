"""Config -> Cluster: what Envoy would be told about each route. Pure; a machine's own trust comes in as data.

Source of every rule: Pomerium's config/envoyconfig (clusters.go, routes.go, protocols.go, tls.go) and the recorded truth.
"""

from __future__ import annotations

from ..model import CircuitBreakers, Cluster, Config, DNSSettings, Protocol, Route, RouteKind, Settings, TLSOptions, Upstream
from ..record import fields, replace
from .bundle import Bundle
from .example import Earlier
from .headers import control
from .request import request
from .timers import hedge, timers
from .transport import Trust, discovery, protocol, refusals, tls, trusts

__all__ = ["Bundle", "authorize", "plan"]

WITHOUT_UPSTREAM = (RouteKind.REDIRECT, RouteKind.RESPONSE, RouteKind.TUNNEL)
"""Routes for which Envoy connects to nothing that can be probed."""

PANIC_THRESHOLD = 50
"""Envoy's healthy_panic_threshold where the route sets none, in per cent."""


AUTHORIZE = "pomerium-authorize"
"""Envoy's cluster for Pomerium's own authorize service, as in its logs."""

UNSET = CircuitBreakers()


def plan(config: Config, bundle: Bundle) -> tuple[Cluster | None, ...]:
    """One cluster for each route, in the config's order; None for a route without an upstream.

    A kubernetes route has a cluster too, so that it can be probed: its traffic goes through Pomerium's own Go proxy,
    which its consumers see by `route.kind`.
    """
    trust = trusts(config.settings, bundle)
    hosts: dict[str, Earlier] = {}
    clusters: list[Cluster | None] = []
    for route in config.routes:
        earlier = hosts.setdefault(route.from_host, Earlier())
        probed = route.kind not in WITHOUT_UPSTREAM and route.upstreams
        clusters.append(_cluster(route, earlier, config.settings, trust) if probed else None)
        earlier.add(route)
    return tuple(clusters)


def authorize(config: Config, bundle: Bundle) -> Cluster | None:
    """Envoy's cluster for Pomerium's authorize service (clusters.go, buildInternalCluster); None where that is no other process.

    As the cluster of a tunnel: its name, connection and TLS are probed as Envoy uses them, and nothing is asked.
    """
    upstreams, settings = config.settings.authorize, config.settings
    if not upstreams:
        return None
    options = TLSOptions(server_name=settings.override_certificate_name)
    tcp = RouteKind.TCP
    route = Route(AUTHORIZE, -1, tcp, "", "", upstreams, upstreams[0].place, cluster_name=AUTHORIZE, tls=options, timeout=0.0)
    cluster = _cluster(route, Earlier(), settings, trusts(settings, bundle))
    limits = replace(cluster.timers, handshake=cluster.timers.connect, request=None, max_duration=None)
    return replace(cluster, protocol=Protocol.RAW, timers=limits, source_address="", refusals=())


def _cluster(route: Route, earlier: Earlier, settings: Settings, trust: Trust) -> Cluster:
    orders = control(route)
    contexts = tls(route, trust)
    spoken = protocol(route)
    running = timers(route, settings, orders)
    own = refusals(route, spoken)
    return Cluster(
        name=route.cluster_name,
        route=route,
        upstreams=tuple(_dialled(upstream) for upstream in route.upstreams),
        discovery=discovery(route.upstreams),
        protocol=spoken,
        tls=contexts,
        timers=running,
        request=request(route, earlier, running),
        health_checks=route.health_checks,
        panic_threshold=PANIC_THRESHOLD if route.healthy_panic_threshold is None else route.healthy_panic_threshold,
        load_balancing_policy=route.load_balancing_policy,
        circuit_breakers=_circuit_breakers(route, settings),
        dns=_dns(route, settings.dns),
        source_address=settings.bind_source_address,
        retries=orders.retries,
        hedge=hedge(orders, running),
        alt_response=orders.alt_response,
        refusals=tuple(dict.fromkeys((*route.envoy_refusals, *own))),
    )


def _dialled(upstream: Upstream) -> Upstream:
    """The upstream with the host that Envoy dials: `localhost` exactly is 127.0.0.1 and never ::1 (clusters.go, buildLbEndpoints)."""
    return replace(upstream, host="127.0.0.1") if upstream.host == "localhost" else upstream


def _dns(route: Route, settings: DNSSettings) -> DNSSettings:
    if route.kind is RouteKind.KUBERNETES:
        return DNSSettings(lookup_family="ALL")  # Go's dialler: the machine's own resolver, and every address of a name
    return replace(settings, lookup_family="V4_ONLY") if route.google_serverless else settings


def _circuit_breakers(route: Route, settings: Settings) -> CircuitBreakers:
    """The route's thresholds over the global ones, field by field (circuit_breakers.go)."""
    if route.circuit_breakers == UNSET:
        return settings.circuit_breakers
    chosen = {}
    for field in fields(CircuitBreakers):
        own = getattr(route.circuit_breakers, field.name)
        chosen[field.name] = getattr(settings.circuit_breakers, field.name) if own is None else own
    return CircuitBreakers(**chosen)
