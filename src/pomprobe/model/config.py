"""A Pomerium config as Pomerium reads it, every value with its place."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, NamedTuple

from ..record import Record, field
from .words import Facts, Failure


class Place(NamedTuple):
    """Where a value stands: file, line and column (both from 1), and the path of its key.

    A tuple, since a config has hundreds of thousands of them and a frozen dataclass takes four times as long to make.
    """

    file: str
    line: int
    column: int
    path: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" + (f" {self.path}" if self.path else "")


class Problem(Record, frozen=True):
    """Something about the config itself, seen without a packet.

    message: Pomerium's or Envoy's own words where they have any. fatal: Pomerium would not start with it.
    """

    failure: Failure
    place: Place
    message: str
    facts: Facts = field(default_factory=dict)
    fatal: bool = False


class ConfigError(Exception):
    """A config that cannot be read, or that Pomerium would refuse; `problems` says where and what to write instead."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{p.place}: {p.message}" for p in problems))
        self.problems = problems


class RouteKind(StrEnum):
    """What a route does with a request."""

    HTTP = "http"
    TCP = "tcp"  # CONNECT tunnel
    UDP = "udp"
    SSH = "ssh"
    REDIRECT = "redirect"  # the rest have no upstream that Envoy connects to
    RESPONSE = "response"
    KUBERNETES = "kubernetes"  # proxied by Pomerium's own Go code
    TUNNEL = "tunnel"


class Upstream(Record, frozen=True):
    """One entry of `to`. `url` is as written without userinfo; `path` is the URL's path (a unix socket's path for unix)."""

    url: str
    scheme: str
    host: str  # as written, IPv6 without brackets
    port: int  # the scheme's default if the URL has none
    explicit_port: bool
    path: str
    weight: int | None
    place: Place


class TLSOptions(Record, frozen=True):
    """The route's tls_* keys that concern the upstream, files and base64 already read (PEM bytes)."""

    HIDDEN: ClassVar = ("custom_ca", "client_cert", "client_key")

    skip_verify: bool = False
    server_name: str = ""  # tls_upstream_server_name, else tls_server_name
    custom_ca: bytes | None = None
    client_cert: bytes | None = None
    client_key: bytes | None = None
    custom_ca_file: str = ""  # the files that these were read from, "" where the config holds them itself
    client_cert_file: str = ""
    client_key_file: str = ""
    allow_renegotiation: bool = False


class HealthCheck(Record, frozen=True):
    """One entry of health_checks: the checker ("http", "tcp" or "grpc") and what Envoy would be told."""

    HIDDEN: ClassVar = ("request_headers", "raw")

    checker: str
    timeout: float
    interval: float
    unhealthy_threshold: int
    healthy_threshold: int
    no_traffic_interval: float = 60.0
    # http
    path: str = ""
    host: str = ""  # default: Envoy's cluster name
    method: str = "GET"
    expected_statuses: tuple[tuple[int, int], ...] = ((200, 201),)  # half-open
    retriable_statuses: tuple[tuple[int, int], ...] = ()
    http2: bool = False  # codec_client_type HTTP2
    request_headers: tuple[tuple[str, str], ...] = ()
    # http and tcp
    send: bytes = b""
    receive: tuple[bytes, ...] = ()
    # grpc
    service_name: str = ""
    authority: str = ""
    place: Place | None = None
    raw: Mapping[str, object] = field(default_factory=dict)  # as decoded, for Envoy's own config


class CircuitBreakers(Record, frozen=True):
    """circuit_breaker_thresholds; None is Envoy's default (1024, 1024, 1024, 3, unlimited)."""

    max_connections: int | None = None
    max_pending_requests: int | None = None
    max_requests: int | None = None
    max_retries: int | None = None
    max_connection_pools: int | None = None


class Route(Record, frozen=True):
    """One route as Pomerium reads it. Durations in seconds; None is "not set".

    envoy_refusals: Envoy's messages if it would reject the cluster of this route (its users get 503 `cluster_not_found`).
    """

    HIDDEN: ClassVar = ("set_request_headers", "places")

    name: str  # for people: the `name` key, else the host (and path) of `from`
    index: int
    kind: RouteKind
    from_url: str
    from_host: str  # host of `from`, without port
    upstreams: tuple[Upstream, ...]
    place: Place
    key_name: str = ""  # the `name` key
    cluster_name: str = ""  # Envoy's, as in its logs: `<name>-<id>` or `route-<id>`
    prefix: str = ""
    path: str = ""
    regex: str = ""
    timeout: float | None = None
    idle_timeout: float | None = None
    websockets: bool = False  # allow_websockets, or websocket among the effective allow_upgrades
    spdy: bool = False
    upgrades: tuple[str, ...] = ()  # what else is among the effective allow_upgrades, in lower case
    mcp_server: bool = False
    tls: TLSOptions = field(default_factory=TLSOptions)
    preserve_host_header: bool = False
    host_rewrite: str = ""
    host_rewrite_header: str = ""
    host_path_regex_rewrite_pattern: str = ""
    host_path_regex_rewrite_substitution: str = ""
    prefix_rewrite: str = ""
    regex_rewrite_pattern: str = ""
    regex_rewrite_substitution: str = ""
    set_request_headers: Mapping[str, str] = field(default_factory=dict)  # may hold secrets
    remove_request_headers: tuple[str, ...] = ()
    load_balancing_policy: str = "ROUND_ROBIN"  # ROUND_ROBIN, MAGLEV, RANDOM, RING_HASH, LEAST_REQUEST
    health_checks: tuple[HealthCheck, ...] = ()
    outlier_detection: Mapping[str, object] | None = None
    healthy_panic_threshold: int | None = None  # per cent; Envoy's default is 50
    circuit_breakers: CircuitBreakers = CircuitBreakers()  # the route's own only
    google_serverless: bool = False
    serves: str = ""  # redirect and response routes: what they answer, in words
    envoy_refusals: tuple[str, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict)  # key of the route -> place of its value


class DNSSettings(Record, frozen=True):
    """The dns_* keys. resolvers: (scheme, address, port); empty is resolv.conf's. None is c-ares' default."""

    lookup_family: str = "V4_PREFERRED"
    resolvers: tuple[tuple[str, str, int], ...] = ()
    query_timeout: float | None = None  # whole seconds as Pomerium passes them on; None: 5 s
    query_tries: int | None = None  # None: 4
    use_tcp: bool = False
    udp_max_queries: int | None = None
    refresh_rate: float | None = None
    failure_refresh_rate: float | None = None


class Settings(Record, frozen=True):
    """The global keys that concern upstreams, with Pomerium's defaults. Durations in seconds."""

    HIDDEN: ClassVar = ("certificate_authority", "places")

    default_upstream_timeout: float = 30.0
    timeout_read: float = 30.0
    timeout_write: float = 0.0
    timeout_idle: float = 300.0
    dns: DNSSettings = DNSSettings()
    certificate_authority: bytes | None = None
    bind_source_address: str = ""
    bind_freebind: bool = False
    circuit_breakers: CircuitBreakers = CircuitBreakers()
    allow_upgrades: tuple[str, ...] = ()
    services: str = "all"
    address: str = ""
    authenticate_service_url: str = ""
    authorize: tuple[Upstream, ...] = ()  # where the proxy asks before each request; empty where it is its own authorize service
    override_certificate_name: str = ""
    places: Mapping[str, Place] = field(default_factory=dict)  # global key -> place of its value


class Config(Record, frozen=True):
    """A Pomerium config as Pomerium reads it, with what is wrong with it."""

    file: str
    routes: tuple[Route, ...]
    settings: Settings
    problems: tuple[Problem, ...] = ()
    suppressions: tuple[tuple[int, str], ...] = ()  # `# pomprobe: ignore CODE`: (line it is about, code)
