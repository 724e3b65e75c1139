"""What set_request_headers does: the headers that go upstream, and the x-envoy-* ones that Envoy's router obeys and removes.

Pomerium's authorize service sets them before the router sees the request (headers_evaluator_evaluation.go; rows hdr-ext-authz-real,
hdr-retry-503, hdr-streamdur-set, hdr-altresp).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..model import GRPC_STATUSES, NO_RETRIES, Retries, Route
from ..record import Record

TIMEOUT = "x-envoy-upstream-rq-timeout-ms"
PER_TRY = "x-envoy-upstream-rq-per-try-timeout-ms"
STREAM_DURATION = "x-envoy-upstream-stream-duration-ms"
ALT_RESPONSE = "x-envoy-upstream-rq-timeout-alt-response"
RETRY_ON = "x-envoy-retry-on"
GRPC_RETRY_ON = "x-envoy-retry-grpc-on"
MAX_RETRIES = "x-envoy-max-retries"
RETRIABLE_STATUSES = "x-envoy-retriable-status-codes"
RETRIABLE_HEADERS = "x-envoy-retriable-header-names"
HEDGE = "x-envoy-hedge-on-per-try-timeout"

CONSUMED = frozenset(
    (
        TIMEOUT, PER_TRY, STREAM_DURATION, ALT_RESPONSE, RETRY_ON, GRPC_RETRY_ON, MAX_RETRIES, RETRIABLE_STATUSES, RETRIABLE_HEADERS, HEDGE,
        "x-envoy-upstream-alt-stat-name",
    )
)  # fmt: skip
"""Removed by Envoy's router before the request goes on (source/common/router/router.cc and retry_state_impl.cc)."""

POLICIES = frozenset(
    (
        "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "refused-stream", "envoy-ratelimited", "retriable-4xx",
        "retriable-status-codes", "retriable-headers", "http3-post-connect-failure",
    )
)  # fmt: skip
"""What x-envoy-retry-on may say; Envoy skips what it does not know (RetryStateImpl::parseRetryOn)."""

IDENTIFIER = r"[a-zA-Z0-9_][a-zA-Z0-9_\-]*"
VARIABLE = re.compile(
    rf"\$\$|\$\{{[ \t]*({IDENTIFIER})(?:[ \t]*(?:\.[ \t]*{IDENTIFIER}|\[[ \t]*\"(?:\\.|[^\"])*\"[ \t]*\]))*[ \t]*\}}"
    rf"|\$({IDENTIFIER})(?:\.{IDENTIFIER})*"
)
"""Pomerium's header templates (internal/headertemplate): `$$`, `${pomerium.jwt}`, `$pomerium.request.headers["X"]` …"""


class Control(Record, frozen=True):
    """What the x-envoy-* headers order. Times in seconds, 0 for off; None: the header is missing or no number."""

    timeout: float | None = None
    per_try: float | None = None
    stream_duration: float | None = None
    retries: Retries = NO_RETRIES
    hedged: bool = False
    alt_response: bool = False


def rendered(route: Route) -> Mapping[str, str]:
    """set_request_headers as they leave authorize: lower-case names, templates filled in.

    A value that needs a session (`${pomerium.…}`) is unknown to us, and its header is left out; any other reference renders empty.
    """
    headers = {}
    for name, template in route.set_request_headers.items():
        value = _render(template)
        if value is not None:
            headers[name.lower()] = value
    return headers


def control(route: Route) -> Control:
    """What the route's set_request_headers tell Envoy's router."""
    headers = rendered(route)
    return Control(
        timeout=_seconds(headers.get(TIMEOUT)),
        per_try=_seconds(headers.get(PER_TRY)),
        stream_duration=_seconds(headers.get(STREAM_DURATION)),
        retries=_retries(headers),
        hedged=headers.get(HEDGE) == "true",
        alt_response=ALT_RESPONSE in headers,
    )


def _retries(headers: Mapping[str, str]) -> Retries:
    """What is retried, and how often: Envoy's num_retries is 1 by default."""
    on = tuple(policy for policy in _list(headers.get(RETRY_ON)) if policy in POLICIES)
    grpc = tuple(status for status in _list(headers.get(GRPC_RETRY_ON)) if status in GRPC_STATUSES)
    if not on and not grpc:
        return NO_RETRIES
    count = _number(headers.get(MAX_RETRIES))
    statuses = tuple(number for text in _list(headers.get(RETRIABLE_STATUSES)) if (number := _number(text)) is not None)
    return Retries(1 if count is None else count, on, grpc, statuses, tuple(name.lower() for name in _list(headers.get(RETRIABLE_HEADERS))))


def _list(value: str | None) -> list[str]:
    return [part.strip() for part in (value or "").split(",") if part.strip()]


def _render(template: str) -> str | None:
    unknown = False

    def replacement(match: re.Match[str]) -> str:
        nonlocal unknown
        if match[0] == "$$":
            return "$"
        unknown = unknown or "pomerium" in (match[1], match[2])
        return ""

    value = VARIABLE.sub(replacement, template)
    return None if unknown else value


def _number(text: str | None) -> int | None:
    """As absl::SimpleAtoi reads a uint64: decimal digits, or nothing."""
    return int(text) if text is not None and re.fullmatch(r"\s*\+?[0-9]{1,19}\s*", text, re.ASCII) else None


def _seconds(milliseconds: str | None) -> float | None:
    number = _number(milliseconds)
    return None if number is None else number / 1000
