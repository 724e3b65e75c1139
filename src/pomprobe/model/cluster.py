"""What Envoy would be told about one route."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from ..record import Record, field, replace
from .config import CircuitBreakers, DNSSettings, HealthCheck, Route, Upstream
from .words import StageName, Timer


class Discovery(StrEnum):
    """How Envoy gets a cluster's endpoints: from the config, or by asking DNS for every name."""

    STATIC = "static"
    STRICT_DNS = "strict_dns"


class Protocol(StrEnum):
    """What is spoken on the connection; AUTO is what ALPN selects (HTTP/1.1 without a selection)."""

    AUTO = "auto"
    HTTP1 = "http1"
    HTTP2 = "http2"
    RAW = "raw"  # tcp, udp and ssh routes


class UpstreamTLS(Record, frozen=True):
    """The TLS context of one upstream. trust: PEM of every trusted certificate, or None where this machine has none."""

    HIDDEN: ClassVar = ("trust", "client_cert", "client_key")

    server_name: str  # SNI, sent as it is, addresses too
    match_name: str  # what a SAN must match; with a `*` it is a pattern over the SANs
    skip_verify: bool
    trust: bytes | None
    trust_source: str  # for people: "tls_custom_ca_file", "/etc/ssl/certs/ca-certificates.crt + certificate_authority" …
    alpn: tuple[str, ...]
    client_cert: bytes | None = None
    client_key: bytes | None = None
    trust_file: str = ""  # the file that holds just these bytes, "" where there is none; so for the next two
    client_cert_file: str = ""
    client_key_file: str = ""
    allow_renegotiation: bool = False


class Timers(Record, frozen=True):
    """The timers that apply to one request, in seconds; None is off. `keys`: timer -> the key that set it, for people."""

    connect: float = 10.0
    route: float | None = 30.0
    idle: float | None = 300.0
    max_duration: float | None = None
    request: float | None = None
    per_try: float | None = None
    stream_duration: float | None = None
    handshake: float | None = None  # from the open connection on; None: `connect` is for TCP and TLS together
    keys: Mapping[str, str] = field(default_factory=dict)

    def seconds(self, timer: Timer, stage: StageName) -> float | None:
        """How long this timer runs in this stage; None for one that is not Envoy's."""
        if timer is Timer.CONNECT and stage is StageName.TLS and self.handshake:
            return self.handshake
        return self.by_name.get(timer)

    @property
    def by_name(self) -> dict[Timer, float | None]:
        """Each timer's seconds."""
        timers = (Timer.CONNECT, Timer.ROUTE, Timer.IDLE, Timer.MAX_DURATION, Timer.REQUEST, Timer.PER_TRY, Timer.STREAM_DURATION)
        return dict(zip(timers, self.limits, strict=True))

    @property
    def limits(self) -> tuple[float | None, ...]:
        """The seconds alone, to compare two routes of a kind by."""
        return (self.connect, self.route, self.idle, self.max_duration, self.request, self.per_try, self.stream_duration)


class Request(Record, frozen=True):
    """The one GET (or upgrade) that is sent. Headers are in the order sent, without Host."""

    HIDDEN: ClassVar = ("headers",)

    method: str
    path: str
    host: str
    headers: tuple[tuple[str, str], ...] = ()  # may hold secrets of set_request_headers
    hosts: tuple[str, ...] = ()  # one Host for each upstream of the cluster, where they differ from one to the next
    original_path: str = ""  # what a user asks Pomerium for, before the rewrites that give path and host
    original_host: str = ""
    body: int = 0  # bytes, all of them 0, of which the headers tell; only --upload sends any


GRPC_STATUSES = {"cancelled": 1, "deadline-exceeded": 4, "resource-exhausted": 8, "internal": 13, "unavailable": 14}
"""The words of x-envoy-retry-grpc-on -> gRPC status."""


class Retries(Record, frozen=True):
    """What x-envoy-* headers make Envoy try again. on, grpc_on: conditions, none without such headers; count: at most so often.

    statuses, headers: of x-envoy-retriable-status-codes and x-envoy-retriable-header-names (lower case).
    """

    count: int = 0
    on: tuple[str, ...] = ()
    grpc_on: tuple[str, ...] = ()
    statuses: tuple[int, ...] = ()
    headers: tuple[str, ...] = ()

    @property
    def conditions(self) -> tuple[str, ...]:
        """All of them, for people."""
        return (*self.on, *self.grpc_on)


NO_RETRIES = Retries()


class Cluster(Record, frozen=True):
    """What Envoy would be told about one route."""

    name: str
    route: Route
    upstreams: tuple[Upstream, ...]
    discovery: Discovery
    protocol: Protocol
    tls: tuple[UpstreamTLS | None, ...]  # one for each upstream
    timers: Timers
    request: Request
    health_checks: tuple[HealthCheck, ...]
    panic_threshold: int
    load_balancing_policy: str
    circuit_breakers: CircuitBreakers  # the route's over the global ones
    dns: DNSSettings
    source_address: str
    retries: Retries = NO_RETRIES  # through set_request_headers alone
    hedge: float | None = None  # x-envoy-hedge-on-per-try-timeout: seconds after which another try is made beside one that is open
    alt_response: bool = False  # x-envoy-upstream-rq-timeout-alt-response
    refusals: tuple[str, ...] = ()  # Envoy's messages if it rejects the cluster

    def request_to(self, upstream: Upstream) -> Request:
        """The request as it is sent to this upstream: the Host is by default the upstream's own."""
        hosts = self.request.hosts
        return replace(self.request, host=hosts[self.upstreams.index(upstream)]) if hosts else self.request


class Endpoint(Record, frozen=True):
    """One host of a cluster. `port` is None for a unix socket, whose path `address` is then."""

    address: str
    port: int | None

    def __str__(self) -> str:
        if self.port is None:
            return self.address
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"
