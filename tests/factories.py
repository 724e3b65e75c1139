"""Frozen data made in one line: a cluster, a route, outcomes."""

from __future__ import annotations

from typing import Any

from pomprobe.model import (
    CircuitBreakers,
    Cluster,
    Discovery,
    DNSSettings,
    Endpoint,
    EndpointOutcomes,
    Outcome,
    Place,
    Protocol,
    Request,
    Route,
    RouteKind,
    StageName,
    Status,
    Timers,
    Upstream,
    UpstreamOutcomes,
)


def place(path: str = "routes[0]", line: int = 3) -> Place:
    return Place("config.yaml", line, 5, path)


def upstream(url: str = "http://app:8080", host: str = "app", port: int = 8080, weight: int | None = None, number: int = 0) -> Upstream:
    return Upstream(url, url.partition(":")[0], host, port, True, "", weight, place(f"routes[0].to[{number}]", 4 + number))


def route(**more: Any) -> Route:
    given: dict[str, Any] = {
        "name": "app", "index": 0, "kind": RouteKind.HTTP, "from_url": "https://app.example.com", "from_host": "app.example.com",
        "upstreams": (upstream(),), "place": place(),
    }  # fmt: skip
    return Route(**{**given, **more})


def cluster(upstreams: tuple[Upstream, ...] | None = None, **more: Any) -> Cluster:
    made = more.pop("route", None) or route(upstreams=upstreams or (upstream(),))
    given: dict[str, Any] = {
        "name": "route-1", "route": made, "upstreams": made.upstreams, "discovery": Discovery.STRICT_DNS, "protocol": Protocol.HTTP1,
        "tls": tuple(None for _ in made.upstreams), "timers": Timers(keys={"route": "default_upstream_timeout"}),
        "request": Request("GET", "/", "app:8080"), "health_checks": (), "panic_threshold": 50, "load_balancing_policy": "ROUND_ROBIN",
        "circuit_breakers": CircuitBreakers(), "dns": DNSSettings(), "source_address": "",
    }  # fmt: skip
    return Cluster(**{**given, **more})


def endpoint(address: str = "10.0.0.1", port: int = 8080) -> Endpoint:
    return Endpoint(address, port)


def ok(stage: StageName, at: Endpoint | None = None, elapsed: float = 0.001, **facts: Any) -> Outcome:
    return Outcome(stage, Status.OK, at, facts=facts, elapsed=elapsed)


def good(at: Endpoint, status: int = 200, **facts: Any) -> EndpointOutcomes:
    """An endpoint that answers."""
    return EndpointOutcomes(at, (ok(StageName.TCP, at), ok(StageName.HTTP, at, status=status, protocol="HTTP/1.1", **facts)))


def bad(at: Endpoint, failed: Outcome, *more: Outcome) -> EndpointOutcomes:
    """An endpoint whose walk ended with this outcome."""
    return EndpointOutcomes(at, (failed, *more))


def resolved(one: Upstream, *endpoints: EndpointOutcomes, outcome: Outcome | None = None) -> UpstreamOutcomes:
    return UpstreamOutcomes(one, (outcome or ok(StageName.DNS, addresses=tuple(e.endpoint.address for e in endpoints)),), endpoints)
