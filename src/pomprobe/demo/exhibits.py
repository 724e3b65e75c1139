"""What the demo shows: one route for each error of Pomerium's page, and for each cause that the page names.

The page: https://www.pomerium.com/docs/troubleshooting, "Upstream connection errors".
What a real Envoy answers is another matter in places; `code` is that answer, under the name that the page would use.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from anyio.abc import ByteStream

from ..record import Record
from . import servers

Server = Callable[[ByteStream], Awaitable[None]]


class Exhibit(Record, frozen=True):
    """One route of the demo.

    page: the error and the cause as Pomerium's page has them; "" for what is not there. code: what users get in truth.
    server: how the upstream behaves; None: nothing listens on its port. route: its keys, as YAML with {port} and {directory}.
    tls: whether the upstream speaks TLS, with the certificate of certificate.py.
    """

    name: str
    page: str
    code: str
    server: Server | None
    route: str = "to: http://127.0.0.1:{port}"
    tls: bool = False


HEALTH_CHECK = """
to: http://127.0.0.1:{port}
healthy_panic_threshold: 0
health_checks:
  - timeout: 1s
    interval: 10s
    unhealthy_threshold: 1
    healthy_threshold: 1
    http_health_check: {{path: /healthz}}
"""

SHORT_TIMEOUT = """
to: http://127.0.0.1:{port}
timeout: 1s
"""

PER_TRY = """
to: http://127.0.0.1:{port}
set_request_headers: {{x-envoy-upstream-rq-per-try-timeout-ms: "500"}}
"""

STREAM_DURATION = """
to: http://127.0.0.1:{port}
set_request_headers: {{x-envoy-upstream-stream-duration-ms: "500"}}
"""

OTHER_NAME = """
to: https://127.0.0.1:{port}
tls_custom_ca_file: {directory}/certificate.pem
"""

EXHIBITS = (
    Exhibit("healthy", "", "via_upstream", servers.healthy),
    Exhibit("stopped", "no_healthy_upstream: configuration or application code", "upstream_reset_before_response_started", None),
    Exhibit(
        # The broadcast address of the loopback network: the kernel refuses it at once, like a network without a route.
        "unreachable",
        "no_healthy_upstream: network or firewall settings",
        "upstream_reset_before_response_started",
        None,
        "to: http://127.255.255.255:{port}",
    ),
    Exhibit("no-such-name", "no_healthy_upstream: DNS records", "no_healthy_upstream", servers.healthy, "to: http://app.demo.test:{port}"),
    Exhibit("unhealthy", "no_healthy_upstream: failing health checks", "no_healthy_upstream", servers.unhealthy, HEALTH_CHECK),
    Exhibit(
        "stream-duration", "upstream_max_stream_duration_reached", "upstream_max_stream_duration_reached", servers.silent, STREAM_DURATION
    ),
    Exhibit("per-try", "upstream_per_try_timeout", "upstream_per_try_timeout", servers.silent, PER_TRY),
    Exhibit("cut-body", "upstream_reset_after_response_started", "upstream_reset_after_response_started", servers.cutting),
    Exhibit("reset", "upstream_reset_before_response_started", "upstream_reset_before_response_started", servers.resetting),
    Exhibit("slow", "upstream_response_timeout", "upstream_response_timeout", servers.silent, SHORT_TIMEOUT),
    Exhibit("app-error", "via_upstream", "via_upstream", servers.broken_app),
    # Not on the page, and common: a certificate for another name, and a name with two addresses of which one is dead.
    Exhibit("other-name", "", "upstream_reset_before_response_started", servers.healthy, OTHER_NAME, tls=True),
    Exhibit("pair", "", "via_upstream", servers.healthy, "to: http://pair.demo.test:{port}"),
)
