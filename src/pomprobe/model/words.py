"""The closed lists: stages, statuses, timers and failures; and the facts that go with them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

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
    REQUEST = "request"  # timeout_read: the connection manager's request_timeout, which a CONNECT, that never ends, runs into
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
    RETRIES_TIMED_OUT = "retries_timed_out"  # Outcome.timer ended a request while Envoy still tried
    CLOSED = "closed"  # connection ended before a response; facts reset, interim, client_certificate_requested …
    PROTOCOL_ERROR = "protocol_error"  # what came is not what Envoy's codec accepts; fact problem
    BODY_CUT = "body_cut"  # headers were fine, the body broke; facts status, problem, protocol
    STREAM_RESET = "stream_reset"  # HTTP/2 RST_STREAM or GOAWAY; facts error_code (name), started
    APP_ERROR = "app_error"  # the app's own 5xx (via_upstream); fact status
    APP_REFUSAL = "app_refusal"  # the app's own 4xx (via_upstream); fact status
    UPGRADE_REFUSED = "upgrade_refused"  # WebSocket upgrade answered without 101; fact status

    # --- health
    HEALTH_STATUS = "health_status"  # an unexpected status; facts status, expected
    EJECTION = "ejection"  # outlier detection will take a failing host out; facts count, ejected_for, others (is a host left)
    HEALTH_PANIC = "health_panic"  # too few hosts are healthy, so failing ones get requests too; facts healthy, hosts, threshold
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
    MEMBERS_DIFFER = "members_differ"  # of one route: a page from one, 4xx from another; facts bad, bad_status, fine, fine_status
    OTHER_UPGRADE_REFUSED = "other_upgrade_refused"  # another one of allow_upgrades; facts protocol, answered
    SPDY_REFUSED = "spdy_refused"  # an upgrade to SPDY answered without 101; fact answered
    UPGRADE_NOT_ALLOWED = "upgrade_not_allowed"  # the app opens a websocket, and the route lets none through; fact upgrade_path
    UPLOAD_REFUSED = "upload_refused"  # --upload: a large body is refused and a small one is not; facts size, answered, closed
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
    AUTHORIZE_UNREACHABLE = "authorize_unreachable"  # seen by probing: Pomerium's own service; facts at (stage), key, url, reason, share
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
    UPLOAD_LIMIT = "upload_limit"  # the route's timeout is longer than timeout_read, which ends uploads
    # health and balancing
    CLUSTER_REFUSED = "cluster_refused"  # Envoy rejects the cluster; message is Envoy's
    PANIC_THRESHOLD_UNSET = "panic_threshold_unset"
    NO_HEALTH_CHECK_MULTI = "no_health_check_multi"
    HEALTH_CHECK_CODEC = "health_check_codec"  # the checker's HTTP version is not the cluster's
    UNQUOTED_HEX = "unquoted_hex"  # a payload such as 50494E47, which YAML reads as a number
    HEALTH_CHECK_HOST = "health_check_host"  # the checker's Host is Envoy's cluster name
    OUTLIER_NEVER_EJECTS = "outlier_never_ejects"
    CIRCUIT_BREAKER_ZERO = "circuit_breaker_zero"
    CIRCUIT_BREAKER_RETRIES = "circuit_breaker_retries"  # max_retries: 0, and headers that ask for retries
    CIRCUIT_BREAKER_LOW = "circuit_breaker_low"  # a threshold below Envoy's own; facts key, value, next (the request that is too many)
    # dns
    DNS_RESOLVER_INVALID = "dns_resolver_invalid"  # blocks the clusters of all routes
    DNS_RESOLVER_TCP = "dns_resolver_tcp"  # tcp:// still asks over UDP
    # Kubernetes
    ANNOTATION_UNKNOWN = "annotation_unknown"
    ANNOTATION_INVALID = "annotation_invalid"
    POD_ADDRESSES = "pod_addresses"  # Pomerium connects to pod addresses, which a manifest does not name
    MANIFEST_REFERENCE = "manifest_reference"  # a Secret, ConfigMap or Service that the manifests do not hold


class StageFailed(Exception):  # a stage's result, not an error of the program
    """A stage raises it: the kind of failure and the facts that tell it from its siblings."""

    def __init__(self, failure: Failure, *, timer: Timer | None = None, error: str = "", **facts: Fact) -> None:
        super().__init__(failure.value)
        self.failure = failure
        self.timer = timer
        self.error = error
        self.facts: Facts = facts
