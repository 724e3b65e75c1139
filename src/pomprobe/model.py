"""The nouns: frozen data that every other module speaks in, and nothing that acts.

Times are seconds, sizes bytes. Words are Envoy's (upstream, cluster, endpoint, response flags, response code details),
Pomerium's (route, from, to) and ours (stage, outcome, failure, fact, rule, verdict, fix, forecast, report).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

Fact = str | int | float | bool | None | tuple[str, ...]
Facts = Mapping[str, Fact]
"""What was seen, by name. Values are plain, so that a rule can match them and a report can print them."""


class StageName(StrEnum):
    """The stages of a probe, in the order in which a request meets them; health is asked beside them."""

    CONFIG = "config"
    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    HTTP = "http"
    HEALTH = "health"


class Status(StrEnum):
    """How a stage, a route or a run came out."""

    OK = "ok"
    WARNING = "warning"
    FAILING = "failing"
    UNDETERMINED = "undetermined"  # our own limits kept us from knowing: never blamed on the upstream
    SKIPPED = "skipped"
    BUG = "bug"  # a defect of pomprobe, never a verdict on the upstream


class Severity(StrEnum):
    """How much a rule matters to a user of the route."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Timer(StrEnum):
    """Envoy's timers as Pomerium sets them, and our own caps (the last three)."""

    CONNECT = "connect"  # cluster.connect_timeout: TCP and TLS together, always 10 s
    ROUTE = "route"  # route.timeout: from the end of the request to the end of the response
    IDLE = "idle"  # route.idle_timeout, else the connection manager's stream_idle_timeout (300 s)
    MAX_DURATION = "max_duration"  # timeout_write: the connection manager's max_stream_duration
    PER_TRY = "per_try"  # x-envoy-upstream-rq-per-try-timeout-ms
    STREAM_DURATION = "stream_duration"  # x-envoy-upstream-stream-duration-ms
    DNS = "dns"  # c-ares' tries are used up
    HEALTH = "health"  # health_checks[].timeout
    MAX_WAIT = "max_wait"  # --max-wait
    DEADLINE = "deadline"  # --deadline
    PATIENCE = "patience"  # no answer on a route without a limit: we stop, Envoy would go on


class Failure(StrEnum):
    """What went wrong, as a closed list: rules match these and their facts; the words come from the catalogue."""

    # --- config: seen without a packet (Problem.failure)
    CONFIG_UNREADABLE = "config_unreadable"  # no file, not YAML, a list at the top …
    CONFIG_REFUSED = "config_refused"  # Pomerium would not start; message is its own
    # (further members of stage config stand in the block at the end)

    # --- dns
    NAME_NOT_FOUND = "name_not_found"  # NXDOMAIN
    NO_ADDRESS = "no_address"  # the name exists without an address of an allowed family
    SERVER_FAILURE = "server_failure"  # SERVFAIL
    DNS_REFUSED = "dns_refused"  # rcode REFUSED
    DNS_ERROR = "dns_error"  # any other rcode; fact rcode
    DNS_MALFORMED = "dns_malformed"  # an answer that is no DNS message
    DNS_TRUNCATED = "dns_truncated"  # TC over UDP, and no TCP
    DNS_LOOP = "dns_loop"  # CNAME loop
    DNS_DANGLING = "dns_dangling"  # CNAME to a name that does not exist; fact target
    DNS_TIMEOUT = "dns_timeout"  # every try of every server unanswered
    RESOLVER_UNREACHABLE = "resolver_unreachable"  # the resolver's port is closed, or no route to it
    NAME_INVALID = "name_invalid"  # label > 63 characters, .onion: fails without a query
    NO_RESOLVER = "no_resolver"  # ours: this machine has no resolver configured

    # --- tcp
    CONNECTION_REFUSED = "connection_refused"
    CONNECT_ERROR = "connect_error"  # any other errno; facts errno (name), reason (Envoy's words), immediate
    SOURCE_ADDRESS = "source_address"  # envoy_bind_config_source_address is not an address of this machine
    UDP_REFUSED = "udp_refused"  # ICMP says that nobody listens on the UDP port, or the way there is closed; fact reason
    CONNECT_TIMEOUT = "connect_timeout"  # SYN unanswered when a timer fired
    NOT_SSH = "not_ssh"  # an ssh route's server that does not begin as SSH does; facts banner, speaks, closed

    # --- tls
    CERTIFICATE_REJECTED = "certificate_rejected"  # facts verify_code (X509_V_ERR_…), reason, depth
    NAME_MISMATCH = "name_mismatch"  # chain good, no SAN matches
    NOT_TLS = "not_tls"  # the first bytes are no TLS record
    TLS_ALERT = "tls_alert"  # facts alert (number), alert_name, on_client_hello
    HANDSHAKE_CLOSED = "handshake_closed"  # FIN during the handshake, no alert
    HANDSHAKE_RESET = "handshake_reset"  # RST during the handshake
    HANDSHAKE_TIMEOUT = "handshake_timeout"
    ALPN_INVALID = "alpn_invalid"  # the server selected a protocol that was not offered
    TLS_ERROR = "tls_error"  # any other local TLS error; fact error
    TRUST_UNAVAILABLE = "trust_unavailable"  # no CA bundle on this machine (ours: undetermined)

    # --- http
    TIMED_OUT = "timed_out"  # Outcome.timer says which; fact started: were response headers seen
    CLOSED = "closed"  # connection ended before a response; facts reset, interim, client_certificate_requested …
    PROTOCOL_ERROR = "protocol_error"  # what came is not what Envoy's codec accepts; fact problem
    BODY_CUT = "body_cut"  # headers were fine, the body broke; facts status, problem, protocol
    STREAM_RESET = "stream_reset"  # HTTP/2 RST_STREAM or GOAWAY; facts error_code (name), started
    APP_ERROR = "app_error"  # the app's own 5xx (via_upstream); fact status
    APP_REFUSAL = "app_refusal"  # the app's own 4xx (via_upstream); fact status
    UPGRADE_REFUSED = "upgrade_refused"  # WebSocket upgrade answered without 101; fact status

    # --- health
    HEALTH_STATUS = "health_status"  # an unexpected status; facts status, expected
    HEALTH_TIMEOUT = "health_timeout"
    HEALTH_CONNECTION = "health_connection"  # TCP or TLS failed for the check; fact cause
    HEALTH_PROTOCOL = "health_protocol"  # codec and server disagree (h2 selected by ALPN, HTTP/1 checker …)
    HEALTH_PAYLOAD = "health_payload"  # receive bytes did not come
    HEALTH_GRPC = "health_grpc"  # not SERVING; facts grpc_status, serving_status

    # --- seen on stages that came out well: warnings and notes (insights.py)
    CERTIFICATE_EXPIRES_SOON = "certificate_expires_soon"  # fact days_left
    SLOW_NAME = "slow_name"  # the name took long to resolve; fact seconds
    LITTLE_HEADROOM = "little_headroom"  # facts used_percent, seconds, timeout_key, timeout_seconds
    KEEPALIVE_SHORT = "keepalive_short"  # the server says it closes idle connections early; fact keep_alive_seconds
    IDLE_CLOSED = "idle_closed"  # --idle-probe: the server closed an idle connection; fact idle_seconds
    REDIRECT_TO_UPSTREAM = "redirect_to_upstream"  # Location names the upstream itself, which users cannot reach; fact location
    LOOP_SEEN = "loop_seen"  # the answer is Pomerium's own; fact loop: by what that shows
    SINKHOLE = "sinkhole"  # 0.0.0.0 or ::, which filtering resolvers answer; fact address
    METADATA_ADDRESS = "metadata_address"  # a cloud's metadata service; fact address
    TLS_BEHIND = "tls_behind"  # a tcp route's server that speaks TLS; fact tls_names
    SPDY_OVER_HTTP2 = "spdy_over_http2"  # allow_spdy, and ALPN selects HTTP/2
    SPDY_REFUSED = "spdy_refused"  # an upgrade to SPDY answered without 101; fact answered
    UPGRADE_NOT_ALLOWED = "upgrade_not_allowed"  # the app opens a websocket, and the route lets none through; fact upgrade_path
    HEALTH_WRONG = "health_wrong"  # the health check fails although requests work; fact answered
    INTERMITTENT = "intermittent"  # --samples: some requests failed; facts failed, samples
    STREAMING = "streaming"  # a body without end on a route without a limit
    TUNNEL_CLOSED = "tunnel_closed"  # the server hangs up as soon as a tunnel is open; fact banner
    HEALTH_BLIND = "health_blind"  # the health check passes although requests fail

    # --- what the plan alone decides
    CIRCUIT_BREAKER = "circuit_breaker"  # a threshold of 0 refuses every request; fact breaker (key), pools (bool)

    # --- any stage: ours, never the upstream's
    NOT_KNOWN = "not_known"  # a cap, our congestion, descriptors, ports; fact limit
    BUG = "bug"

    # --- config, continued: what a config says and does not mean (Problem.failure, never fatal but where said)
    # keys and values
    UNKNOWN_KEY = "unknown_key"  # Pomerium logs `unknown config option` and goes on; facts key, nearest
    CAMEL_CASE_KEY = "camel_case_key"  # httpHealthCheck becomes httphealthcheck and is dropped
    PRE_032_KEY = "pre_032_key"  # lb_policy, connect_timeout …: an Envoy cluster field, ignored since Pomerium 0.32
    NEWER_KEY = "newer_key"  # known to a later Pomerium than the one that was named
    TOP_LEVEL_ROUTE_KEY = "top_level_route_key"  # a key of routes at the top level
    GLOBAL_KEY_IN_ROUTE = "global_key_in_route"
    DURATION_NANOSECONDS = "duration_nanoseconds"  # timeout: 30 is 30 ns, which Envoy reads as no timeout
    DURATION_TRUNCATED = "duration_truncated"  # less than Envoy's unit: becomes 0
    NEGATIVE_DURATION = "negative_duration"  # Envoy refuses the whole route configuration
    UNRENDERED_TEMPLATE = "unrendered_template"  # ${VAR} or {{ }} in a value
    ENV_OVERRIDE = "env_override"  # an environment variable wins over the file
    ENVOY_HEADERS = "envoy_headers"  # x-envoy-* among set_request_headers
    # the set of routes
    NO_ROUTES = "no_routes"
    SERVICES_WITHOUT_PROXY = "services_without_proxy"
    ROUTES_AND_POLICY = "routes_and_policy"  # both lists are read, policy first
    DUPLICATE_ROUTE = "duplicate_route"  # blocks the clusters of all routes
    SHADOWED_ROUTE = "shadowed_route"  # an earlier route takes every request of it
    LOOP_TO_POMERIUM = "loop_to_pomerium"
    # from and to
    FROM_HTTP = "from_http"
    FROM_WITHOUT_PORT = "from_without_port"  # tcp+https and udp+https: the port is part of the match
    CONNECT_FORWARDED = "connect_forwarded"  # tcp+https in front of a `to` that is not tcp
    DEFAULT_PORT_80 = "default_port_80"
    SCHEME_IS_PLAIN_HTTP = "scheme_is_plain_http"  # ws, wss, grpc, tcp behind https …: plain HTTP/1.1
    SCHEME_PORT_MISMATCH = "scheme_port_mismatch"
    MIXED_TLS_SCHEMES = "mixed_tls_schemes"
    MIXED_H2C = "mixed_h2c"
    H2C_WITH_WEBSOCKETS = "h2c_with_websockets"
    LOCALHOST_UPSTREAM = "localhost_upstream"
    DUPLICATE_UPSTREAM = "duplicate_upstream"
    TO_PATH_WITHOUT_SLASH = "to_path_without_slash"
    TO_PATH_IGNORED = "to_path_ignored"
    TO_PART_IGNORED = "to_part_ignored"  # userinfo, query or fragment
    TO_UNUSED = "to_unused"  # redirect or response wins
    UNIX_SOCKET_PATH = "unix_socket_path"  # the socket's path is also sent as the request's path
    IPV6_WITH_V4_ONLY = "ipv6_with_v4_only"
    # TLS
    TLS_KEYS_ON_HTTP = "tls_keys_on_http"
    SKIP_VERIFY = "skip_verify"
    SKIP_VERIFY_WITH_CA = "skip_verify_with_ca"
    CUSTOM_CA_PUBLIC_HOST = "custom_ca_public_host"
    CUSTOM_CA_TWICE = "custom_ca_twice"  # tls_custom_ca and tls_custom_ca_file
    CA_UNREADABLE = "ca_unreadable"
    CA_EXPIRED = "ca_expired"
    CLIENT_CERT_EXPIRED = "client_cert_expired"  # or not yet valid; fact state
    CLIENT_CERT_KEY_MISMATCH = "client_cert_key_mismatch"  # fatal
    SERVER_NAME_UNMATCHABLE = "server_name_unmatchable"  # a trailing dot, or none at all behind https+unix
    # timers
    IDLE_TIMEOUT_ALONE = "idle_timeout_alone"  # the documentation says it lifts the route timeout; it does not
    STREAM_TIMEOUT = "stream_timeout"  # a limit on a route that streams
    # health and balancing
    CLUSTER_REFUSED = "cluster_refused"  # Envoy rejects the cluster; message is Envoy's
    PANIC_THRESHOLD_UNSET = "panic_threshold_unset"
    NO_HEALTH_CHECK_MULTI = "no_health_check_multi"
    HEALTH_CHECK_CODEC = "health_check_codec"  # the checker's HTTP version is not the cluster's
    UNQUOTED_HEX = "unquoted_hex"  # a payload such as 50494E47, which YAML reads as a number
    HEALTH_CHECK_HOST = "health_check_host"  # the checker's Host is Envoy's cluster name
    OUTLIER_NEVER_EJECTS = "outlier_never_ejects"
    CIRCUIT_BREAKER_ZERO = "circuit_breaker_zero"
    # dns
    DNS_RESOLVER_INVALID = "dns_resolver_invalid"  # blocks the clusters of all routes
    DNS_RESOLVER_TCP = "dns_resolver_tcp"  # tcp:// still asks over UDP
    # Kubernetes
    ANNOTATION_UNKNOWN = "annotation_unknown"
    ANNOTATION_INVALID = "annotation_invalid"
    POD_ADDRESSES = "pod_addresses"  # Pomerium connects to pod addresses, which a manifest does not name
    MANIFEST_REFERENCE = "manifest_reference"  # a Secret, ConfigMap or Service that the manifests do not hold


class StageFailed(Exception):  # noqa: N818: a stage's result, not an error of the program
    """A stage raises it: the kind of failure and the facts that tell it from its siblings."""

    def __init__(self, failure: Failure, *, timer: Timer | None = None, error: str = "", **facts: Fact) -> None:
        super().__init__(failure.value)
        self.failure = failure
        self.timer = timer
        self.error = error
        self.facts: Facts = facts


# ------------------------------------------------------------------------------------------------ config


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


@dataclass(frozen=True, slots=True)
class Problem:
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


@dataclass(frozen=True, slots=True)
class Upstream:
    """One entry of `to`. `url` is as written without userinfo; `path` is the URL's path (a unix socket's path for unix)."""

    url: str
    scheme: str
    host: str  # as written, IPv6 without brackets
    port: int  # the scheme's default if the URL has none
    explicit_port: bool
    path: str
    weight: int | None
    place: Place


@dataclass(frozen=True, slots=True)
class TLSOptions:
    """The route's tls_* keys that concern the upstream, files and base64 already read (PEM bytes)."""

    skip_verify: bool = False
    server_name: str = ""  # tls_upstream_server_name, else tls_server_name
    custom_ca: bytes | None = field(default=None, repr=False)
    client_cert: bytes | None = field(default=None, repr=False)
    client_key: bytes | None = field(default=None, repr=False)
    custom_ca_file: str = ""  # the files that these were read from, "" where the config holds them itself
    client_cert_file: str = ""
    client_key_file: str = ""
    allow_renegotiation: bool = False


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One entry of health_checks: the checker ("http", "tcp" or "grpc") and what Envoy would be told."""

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
    request_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    # http and tcp
    send: bytes = b""
    receive: tuple[bytes, ...] = ()
    # grpc
    service_name: str = ""
    authority: str = ""
    place: Place | None = None
    raw: Mapping[str, object] = field(default_factory=dict, repr=False)  # as decoded, for Envoy's own config


@dataclass(frozen=True, slots=True)
class CircuitBreakers:
    """circuit_breaker_thresholds; None is Envoy's default (1024, 1024, 1024, 3, unlimited)."""

    max_connections: int | None = None
    max_pending_requests: int | None = None
    max_requests: int | None = None
    max_retries: int | None = None
    max_connection_pools: int | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """One route as Pomerium reads it. Durations in seconds; None is "not set".

    envoy_refusals: Envoy's messages if it would reject the cluster of this route (its users get 503 `cluster_not_found`).
    """

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
    set_request_headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # may hold secrets
    remove_request_headers: tuple[str, ...] = ()
    load_balancing_policy: str = "ROUND_ROBIN"  # ROUND_ROBIN, MAGLEV, RANDOM, RING_HASH, LEAST_REQUEST
    health_checks: tuple[HealthCheck, ...] = ()
    outlier_detection: Mapping[str, object] | None = None
    healthy_panic_threshold: int | None = None  # per cent; Envoy's default is 50
    circuit_breakers: CircuitBreakers = CircuitBreakers()  # the route's own only
    google_serverless: bool = False
    serves: str = ""  # redirect and response routes: what they answer, in words
    envoy_refusals: tuple[str, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict, repr=False)  # key of the route -> place of its value


@dataclass(frozen=True, slots=True)
class DNSSettings:
    """The dns_* keys. resolvers: (scheme, address, port); empty is resolv.conf's. None is c-ares' default."""

    lookup_family: str = "V4_PREFERRED"
    resolvers: tuple[tuple[str, str, int], ...] = ()
    query_timeout: float | None = None  # whole seconds as Pomerium passes them on; None: 5 s
    query_tries: int | None = None  # None: 4
    use_tcp: bool = False
    udp_max_queries: int | None = None
    refresh_rate: float | None = None
    failure_refresh_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The global keys that concern upstreams, with Pomerium's defaults. Durations in seconds."""

    default_upstream_timeout: float = 30.0
    timeout_read: float = 30.0
    timeout_write: float = 0.0
    timeout_idle: float = 300.0
    dns: DNSSettings = DNSSettings()
    certificate_authority: bytes | None = field(default=None, repr=False)
    bind_source_address: str = ""
    bind_freebind: bool = False
    circuit_breakers: CircuitBreakers = CircuitBreakers()
    allow_upgrades: tuple[str, ...] = ()
    services: str = "all"
    address: str = ""
    authenticate_service_url: str = ""
    places: Mapping[str, Place] = field(default_factory=dict, repr=False)  # global key -> place of its value


@dataclass(frozen=True, slots=True)
class Config:
    """A Pomerium config as Pomerium reads it, with what is wrong with it."""

    file: str
    routes: tuple[Route, ...]
    settings: Settings
    problems: tuple[Problem, ...] = ()
    suppressions: tuple[tuple[int, str], ...] = ()  # `# pomprobe: ignore CODE`: (line it is about, code)


# ------------------------------------------------------------------------------------------------ plan


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


@dataclass(frozen=True, slots=True)
class UpstreamTLS:
    """The TLS context of one upstream. trust: PEM of every trusted certificate, or None where this machine has none."""

    server_name: str  # SNI, sent as it is, addresses too
    match_name: str  # what a SAN must match; with a `*` it is a pattern over the SANs
    skip_verify: bool
    trust: bytes | None = field(repr=False)
    trust_source: str  # for people: "tls_custom_ca_file", "/etc/ssl/certs/ca-certificates.crt + certificate_authority" …
    alpn: tuple[str, ...]
    client_cert: bytes | None = field(default=None, repr=False)
    client_key: bytes | None = field(default=None, repr=False)
    trust_file: str = ""  # the file that holds just these bytes, "" where there is none; so for the next two
    client_cert_file: str = ""
    client_key_file: str = ""
    allow_renegotiation: bool = False


@dataclass(frozen=True, slots=True)
class Timers:
    """The timers that apply to one request, in seconds; None is off. `keys`: timer -> the key that set it, for people."""

    connect: float = 10.0
    route: float | None = 30.0
    idle: float | None = 300.0
    max_duration: float | None = None
    per_try: float | None = None
    stream_duration: float | None = None
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def limits(self) -> tuple[float | None, ...]:
        """The seconds alone, to compare two routes by."""
        return (self.connect, self.route, self.idle, self.max_duration, self.per_try, self.stream_duration)


@dataclass(frozen=True, slots=True)
class Request:
    """The one GET (or upgrade) that is sent. Headers are in the order sent, without Host."""

    method: str
    path: str
    host: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # may hold secrets of set_request_headers
    hosts: tuple[str, ...] = ()  # one Host for each upstream of the cluster, where they differ from one to the next
    original_path: str = ""  # what a user asks Pomerium for, before the rewrites that give path and host
    original_host: str = ""


GRPC_STATUSES = {"cancelled": 1, "deadline-exceeded": 4, "resource-exhausted": 8, "internal": 13, "unavailable": 14}
"""The words of x-envoy-retry-grpc-on -> gRPC status."""


@dataclass(frozen=True, slots=True)
class Retries:
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


@dataclass(frozen=True, slots=True)
class Cluster:
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
    hedged: bool = False  # x-envoy-hedge-on-per-try-timeout
    alt_response: bool = False  # x-envoy-upstream-rq-timeout-alt-response
    refusals: tuple[str, ...] = ()  # Envoy's messages if it rejects the cluster

    def request_to(self, upstream: Upstream) -> Request:
        """The request as it is sent to this upstream: the Host is by default the upstream's own."""
        hosts = self.request.hosts
        return replace(self.request, host=hosts[self.upstreams.index(upstream)]) if hosts else self.request


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One host of a cluster. `port` is None for a unix socket, whose path `address` is then."""

    address: str
    port: int | None

    def __str__(self) -> str:
        if self.port is None:
            return self.address
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


# ------------------------------------------------------------------------------------------------ results


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one stage came out. elapsed: seconds of this stage alone. error: the raw message, for --verbose."""

    stage: StageName
    status: Status
    endpoint: Endpoint | None = None
    failure: Failure | None = None
    timer: Timer | None = None
    facts: Facts = field(default_factory=dict)
    elapsed: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class EndpointOutcomes:
    """One endpoint and its outcomes in the order of the stages; `samples` holds further walks (--samples)."""

    endpoint: Endpoint
    outcomes: tuple[Outcome, ...]
    samples: tuple[tuple[Outcome, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class UpstreamOutcomes:
    """One entry of `to`: the outcome of its name, and its endpoints (none where the name gave none)."""

    upstream: Upstream
    outcomes: tuple[Outcome, ...]
    endpoints: tuple[EndpointOutcomes, ...]


@dataclass(frozen=True, slots=True)
class EnvoyReply:
    """What Envoy answers: the status, %RESPONSE_FLAGS% ("-" for none) and %RESPONSE_CODE_DETAILS%.

    code: the name in Pomerium's documentation (which differs where Envoy's changed: upstream_response_timeout).
    """

    status: int
    response_flags: str
    response_code_details: str
    code: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One file of the catalogue. `when`: facts that must hold; the match with most keys wins."""

    code: str
    name: str
    stage: StageName
    title: str
    severity: Severity
    when: Mapping[str, object]
    means: Mapping[str, object] | None
    why: str
    fixes: tuple[str, ...]
    see: tuple[str, ...]
    retired: str = ""
    examples: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A rule that fires on an outcome: its words with the facts filled in, and what the user would see."""

    rule: Rule
    title: str
    why: str
    fixes: tuple[str, ...]
    stage: StageName
    upstream: Upstream | None
    endpoint: Endpoint | None
    means: EnvoyReply | None
    place: Place
    facts: Facts = field(default_factory=dict)
    severity: Severity = Severity.ERROR  # the rule's, or less where no request is harmed (a dead name beside a live one)


@dataclass(frozen=True, slots=True)
class ForecastEntry:
    """One answer and the share of the requests that get it (0 to 1). rule: code of the rule behind it, if any."""

    share: float
    reply: EnvoyReply
    rule: str | None = None
    note: str = ""  # e.g. "per client: all or nothing" (ring hash)
    by: str = ""  # who answers so, if neither Envoy nor the app: "pomerium" (its own proxy), "tunnel" (Envoy opens it)


@dataclass(frozen=True, slots=True)
class RouteReport:
    """Everything about one route: its status, the forecast, the verdicts (worst first) and every outcome."""

    route: Route
    cluster: Cluster | None  # None for a route without upstream
    status: Status
    forecast: tuple[ForecastEntry, ...]
    verdicts: tuple[Verdict, ...]
    upstreams: tuple[UpstreamOutcomes, ...]
    outcomes: tuple[Outcome, ...] = ()  # of the route as a whole (skipped and why, refused by Envoy …)
    suppressed: tuple[Suppressed, ...] = ()
    confirmed: str = ""  # --confirm: what a real Envoy says of the forecast


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem of the config with its rule and words, as reports print it."""

    rule: Rule
    severity: Severity
    message: str
    fixes: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that somebody knows of and does not want to hear about. by: where it was said, for people."""

    what: Verdict | Finding
    by: str


@dataclass(frozen=True, slots=True)
class Report:
    """One run. started: UTC, ISO 8601; elapsed: seconds; interrupted: ended by a signal or the deadline."""

    config: str
    started: str
    elapsed: float
    findings: tuple[Finding, ...]
    routes: tuple[RouteReport, ...]
    interrupted: bool = False
    suppressed: tuple[Suppressed, ...] = ()  # problems of the config

    @property
    def problems(self) -> tuple[Verdict, ...]:
        """The verdicts of all routes, in the config's order."""
        return tuple(verdict for route in self.routes for verdict in route.verdicts)
