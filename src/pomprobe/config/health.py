"""health_checks and outlier_detection: what Pomerium decodes, and what Envoy then refuses.

Envoy's words were seen with `envoy --mode validate` (1.37 and 1.40, the same but for two checks). Pomerium validates a cluster
only before it adds them (config/envoyconfig/clusters.go, buildPolicyCluster).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from collections.abc import Mapping as MappingType
from typing import Any

from ..model import Failure, HealthCheck, Place
from . import duration
from .messages import HEALTH_CHECK, OUTLIER_DETECTION
from .nodes import Kind, Mapping, Node, Scalar, Sequence
from .problems import Refusal
from .reader import Reader
from .values import Refused

TWO_CHECKS = "Multiple health checks not supported"
"""Envoy 1.37, which Pomerium 0.33 bundles. 1.40 supports several, but wants names that Pomerium cannot set."""
TWO_UNNAMED = "health check at index 0 is missing a name; all health checks must have a name when multiple health checks are configured"
REQUIRED = "Proto constraint validation failed ({}ValidationError.{}: value is required)"
POSITIVE = "Proto constraint validation failed ({}ValidationError.{}: value must be greater than 0s)"
PERCENT = "Proto constraint validation failed ({}ValidationError.{}: value must be less than or equal to 100)"
EMPTY = "Proto constraint validation failed ({}ValidationError.{}: value length must be at least 1 characters)"
MISSING = 'Proto constraint validation failed (field: "{}", reason: is required)'
GET_WITH_PAYLOAD = (
    "HTTP health check cannot specify a request payload with method 'GET'. "
    "Only methods that support a request body (POST, PUT, PATCH, OPTIONS) can be used with payload."
)
TOO_LONG = "The expected response length '{}' is over than http health response buffer size '{}'"
BUFFER = 1024
"""Envoy's response_buffer_size where none is set."""
CRASH = "std::terminate called! Uncaught unknown exception, see trace."
"""What Envoy does with an HTTP3 check on a cluster without QUIC, in 1.37 and in 1.40: it ends itself."""
_HEX = re.compile(r"([0-9a-fA-F]{2})+\Z")


def read_health_checks(reader: Reader, names: bool = False) -> tuple[tuple[HealthCheck, ...], tuple[Refusal, ...]]:
    """The checks as Envoy would be told them, and Envoy's messages where it refuses the cluster.

    names: the Envoy in question (1.40) takes several checks if they have names.
    """
    checks: list[HealthCheck] = []
    refusals: list[Refusal] = []
    for i, node in enumerate(_entries(reader)):
        try:
            raw: dict[str, Any] = HEALTH_CHECK(node, "health_checks")
        except Refused as refused:
            refused.within = f"[{i}]"
            reader.refuse("health_checks", refused)
            continue
        refusals += check_refusals(raw, node)
        checks.append(_check(raw, node))
    if len(checks) > 1:
        place = reader.place("health_checks")
        refusals.append(Refusal(TWO_UNNAMED if names else TWO_CHECKS, place, "health_checks", "one entry in health_checks"))
    return tuple(checks), tuple(refusals)


def _entries(reader: Reader) -> tuple[Node, ...]:
    """A list; a mapping alone is a list of one, as mapstructure has it."""
    node = reader.mapping.get("health_checks")
    if node is None or not reader.has("health_checks"):
        return ()
    if isinstance(node, Sequence):
        return node.items
    if isinstance(node, Scalar) and node.kind is Kind.STRING and not node.text:
        return ()
    return (node,)


def _check(raw: dict[str, Any], node: Node) -> HealthCheck:
    checker = next((name for name in ("http", "tcp", "grpc") if f"{name}_health_check" in raw), "")
    own = raw.get(f"{checker}_health_check", {})
    expected = tuple((entry.get("start", 0), entry.get("end", 0)) for entry in own.get("expected_statuses", ()))
    return HealthCheck(
        checker=checker,
        timeout=_seconds(raw, "timeout"),
        interval=_seconds(raw, "interval"),
        unhealthy_threshold=raw.get("unhealthy_threshold", 0),
        healthy_threshold=raw.get("healthy_threshold", 0),
        no_traffic_interval=_seconds(raw, "no_traffic_interval", 60.0),
        path=own.get("path", ""),
        host=own.get("host", ""),
        expected_statuses=expected or ((200, 201),),
        retriable_statuses=tuple((entry.get("start", 0), entry.get("end", 0)) for entry in own.get("retriable_statuses", ())),
        http2=own.get("codec_client_type") == "HTTP2",
        send=_payload(own.get("send", {})),
        receive=tuple(_payload(payload) for payload in own.get("receive", ())),
        service_name=own.get("service_name", ""),
        authority=own.get("authority", ""),
        place=node.place,
        raw=raw,
    )


def _seconds(raw: dict[str, Any], key: str, default: float = 0.0) -> float:
    return duration.seconds(duration.parse_proto(raw[key])) if key in raw else default


def _payload(payload: dict[str, Any]) -> bytes:
    if "binary" in payload:
        written = payload["binary"].replace("-", "+").replace("_", "/")
        return base64.b64decode(written + "=" * (-len(written) % 4))
    written = payload.get("text", "")
    return bytes.fromhex(written) if _HEX.match(written) else b""


def check_refusals(raw: dict[str, Any], node: Node) -> Iterator[Refusal]:
    """Why Envoy refuses a cluster with this check."""

    def at(key: str) -> Place:
        return node.place_of(key) if isinstance(node, Mapping) else node.place

    for key in ("timeout", "interval"):
        if key not in raw:
            yield Refusal(REQUIRED.format("HealthCheck", key.capitalize()), at(key), key, f"{key}: 10s")
    for key in ("unhealthy_threshold", "healthy_threshold"):
        if key not in raw:
            yield Refusal(REQUIRED.format("HealthCheck", pascal(key)), at(key), key, f"{key}: 2")
    yield from _durations(raw, "HealthCheck", at, zero_is_fine=("initial_jitter", "interval_jitter"))
    checker = next((name for name in ("http_health_check", "tcp_health_check", "grpc_health_check") if name in raw), None)
    if checker is None:
        write = "http_health_check: {path: /healthz}"
        yield Refusal(MISSING.format("health_checker"), at("http_health_check"), "http_health_check", write)
        return
    own: dict[str, Any] = raw[checker]
    within = at(checker)
    if checker == "http_health_check":
        yield from _http_refusals(own, within)
    payloads = [("send", own["send"])] if "send" in own else []
    for key, payload in [*payloads, *(("receive", entry) for entry in own.get("receive", ()))]:
        if not payload:
            yield Refusal(MISSING.format("payload"), within, key)
        elif "text" in payload and not payload["text"]:
            yield Refusal(EMPTY.format("Payload", "Text"), within, key)
        elif "text" in payload and not _HEX.match(payload["text"]):
            write = f'text: "{payload["text"].encode("utf-8", "replace").hex()}"'
            yield Refusal(f"invalid hex string '{payload['text'][:200]}'", within, key, write[:400])


def _http_refusals(own: dict[str, Any], place: Place) -> Iterator[Refusal]:
    if not own.get("path"):
        yield Refusal(EMPTY.format("HttpHealthCheck", "Path"), place, "path", "path: /")
    for name in ("expected", "retriable"):
        for entry in own.get(f"{name}_statuses", ()):
            start, end = entry.get("start", 0), entry.get("end", 0)
            if start >= end:
                problem = f"expecting start < end, but found start={start} and end={end}"
            elif start < 100:
                problem = f"expecting start >= 100, but found start={start}"
            elif end > 600:
                problem = f"expecting end <= 600, but found end={end}"
            else:
                continue
            yield Refusal(f"Invalid http {name} status range: {problem}", place, f"{name}_statuses")
    if own.get("codec_client_type") == "HTTP3":
        yield Refusal(CRASH, place, "codec_client_type", "codec_client_type: HTTP1", Failure.HEALTH_CHECK_CODEC)
    expected, buffer = sum(len(_payload(entry)) for entry in own.get("receive", ())), int(own.get("response_buffer_size", BUFFER))
    if expected > buffer > 0:
        yield Refusal(TOO_LONG.format(expected, buffer), place, "response_buffer_size", f"response_buffer_size: {expected}")
    if "send" in own:
        yield Refusal(GET_WITH_PAYLOAD, place, "send")


def _durations(raw: MappingType[str, Any], message: str, at: Any, zero_is_fine: tuple[str, ...] = ()) -> Iterator[Refusal]:
    for key, value in raw.items():
        if not (key in ("timeout", "interval") or key.endswith(("_interval", "_jitter", "_time"))):
            continue
        nanoseconds = duration.parse_proto(value)
        if nanoseconds < 0:
            yield Refusal(not_positive(nanoseconds), at(key), key)
        elif nanoseconds == 0 and key not in zero_is_fine:
            yield Refusal(POSITIVE.format(message, pascal(key)), at(key), key, f"{key}: 10s")


def read_outlier_detection(reader: Reader) -> tuple[dict[str, Any] | None, tuple[Refusal, ...]]:
    """outlier_detection as Envoy would be told it, and Envoy's messages where it refuses the cluster."""
    node = reader.mapping.get("outlier_detection")
    if node is None or not reader.has("outlier_detection"):
        return None, ()
    try:
        raw: dict[str, Any] = OUTLIER_DETECTION(node, "outlier_detection")
    except Refused as refused:
        reader.refuse("outlier_detection", refused)
        return None, ()
    assert isinstance(node, Mapping)
    refusals = list(_durations(raw, "OutlierDetection", node.place_of, zero_is_fine=("max_ejection_time_jitter",)))
    for key, value in raw.items():
        percent = key.startswith("enforcing_") or key in ("max_ejection_percent", "failure_percentage_threshold")
        if percent and value > 100:
            refusals.append(Refusal(PERCENT.format("OutlierDetection", pascal(key)), node.place_of(key), key, f"{key}: 100"))
    longest, base = (duration.parse_proto(raw.get(key, "0s")) for key in ("max_ejection_time", "base_ejection_time"))
    if longest and longest < (base or 30 * duration.SECOND):
        message = "outlier detector's max_ejection_time cannot be smaller than base_ejection_time"
        refusals.append(Refusal(message, node.place_of("max_ejection_time"), "max_ejection_time"))
    return raw, tuple(refusals)


def not_positive(nanoseconds: int) -> str:
    """Envoy's refusal of a negative duration, which prints the protobuf message."""
    whole, rest = divmod(-nanoseconds, duration.SECOND)
    parts = [f"{name}: {-number}" for name, number in (("seconds", whole), ("nanos", rest)) if number]
    return f"Invalid duration: Expected positive duration: {' '.join(parts)}"


def pascal(key: str) -> str:
    """max_ejection_percent as the validator names it: MaxEjectionPercent, Consecutive_5Xx."""
    return "".join("_5Xx" if part == "5xx" else part.capitalize() for part in key.split("_"))
