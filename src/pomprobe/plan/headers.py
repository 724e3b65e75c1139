"""What set_request_headers does: the headers that go upstream, and the x-envoy-* ones that Envoy's router obeys and removes.

Pomerium's authorize service sets them before the router sees the request (headers_evaluator_evaluation.go; rows hdr-ext-authz-real,
hdr-retry-503, hdr-streamdur-set, hdr-altresp).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..model import Route

TIMEOUT = "x-envoy-upstream-rq-timeout-ms"
PER_TRY = "x-envoy-upstream-rq-per-try-timeout-ms"
STREAM_DURATION = "x-envoy-upstream-stream-duration-ms"
ALT_RESPONSE = "x-envoy-upstream-rq-timeout-alt-response"
RETRY_ON = "x-envoy-retry-on"
MAX_RETRIES = "x-envoy-max-retries"

CONSUMED = frozenset(
    (
        TIMEOUT, PER_TRY, STREAM_DURATION, ALT_RESPONSE, RETRY_ON, MAX_RETRIES, "x-envoy-retry-grpc-on", "x-envoy-hedge-on-per-try-timeout",
        "x-envoy-retriable-status-codes", "x-envoy-retriable-header-names", "x-envoy-upstream-alt-stat-name",
    )
)  # fmt: skip
"""Removed by Envoy's router before the request goes on (source/common/router/router.cc and retry_state_impl.cc)."""

IDENTIFIER = r"[a-zA-Z0-9_][a-zA-Z0-9_\-]*"
VARIABLE = re.compile(
    rf"\$\$|\$\{{[ \t]*({IDENTIFIER})(?:[ \t]*(?:\.[ \t]*{IDENTIFIER}|\[[ \t]*\"(?:\\.|[^\"])*\"[ \t]*\]))*[ \t]*\}}"
    rf"|\$({IDENTIFIER})(?:\.{IDENTIFIER})*"
)
"""Pomerium's header templates (internal/headertemplate): `$$`, `${pomerium.jwt}`, `$pomerium.request.headers["X"]` …"""


@dataclass(frozen=True, slots=True)
class Control:
    """What the x-envoy-* headers order. Times in seconds, 0 for off; None: the header is missing or no number."""

    timeout: float | None = None
    per_try: float | None = None
    stream_duration: float | None = None
    retry_on: tuple[str, ...] = ()
    retries: int = 0
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
    retry_on = tuple(policy.strip() for policy in headers.get(RETRY_ON, "").split(",") if policy.strip())
    retries = _number(headers.get(MAX_RETRIES))
    return Control(
        timeout=_seconds(headers.get(TIMEOUT)),
        per_try=_seconds(headers.get(PER_TRY)),
        stream_duration=_seconds(headers.get(STREAM_DURATION)),
        retry_on=retry_on,
        retries=(1 if retries is None else retries) if retry_on else 0,  # Envoy's num_retries is 1 by default
        alt_response=ALT_RESPONSE in headers,
    )


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
