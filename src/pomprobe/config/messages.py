"""The protobuf messages of health_checks and outlier_detection, field by field (pkg/grpc/config/config.proto)."""

from __future__ import annotations

from .nodes import Kind, Node, Scalar
from .protojson import Message, a_bool, a_duration, a_string, anything, int64, many, one_of, some_bytes, uint32, uint64


def hex_text(node: Node, name: str) -> str:
    """Hexadecimal text. Without quotes YAML makes a number of 50494E47, which Pomerium refuses: a check says so, it is read as meant."""
    if isinstance(node, Scalar) and node.kind in (Kind.INTEGER, Kind.FLOAT):
        return node.text
    return a_string(node, name)


PAYLOAD = Message({"text": hex_text, "binary": some_bytes}, {"pomerium.config.HealthCheck.Payload.payload": ("text", "binary")})
RANGE = Message({"start": int64, "end": int64})
HEALTH_CHECK = Message(
    {
        **dict.fromkeys(("timeout", "interval", "initial_jitter", "interval_jitter", "no_traffic_interval"), a_duration),
        **dict.fromkeys(("no_traffic_healthy_interval", "unhealthy_interval", "unhealthy_edge_interval"), a_duration),
        "healthy_edge_interval": a_duration,
        **dict.fromkeys(("interval_jitter_percent", "unhealthy_threshold", "healthy_threshold", "alt_port"), uint32),
        **dict.fromkeys(("reuse_connection", "always_log_health_check_failures", "always_log_health_check_success"), a_bool),
        "transport_socket_match_criteria": anything,
        "http_health_check": Message(
            {
                "host": a_string,
                "path": a_string,
                "send": PAYLOAD,
                "receive": many(PAYLOAD),
                "response_buffer_size": uint64,
                "request_headers_to_remove": many(a_string),
                "expected_statuses": many(RANGE),
                "retriable_statuses": many(RANGE),
                "codec_client_type": one_of("HTTP1", "HTTP2", "HTTP3"),
            }
        ),
        "tcp_health_check": Message({"send": PAYLOAD, "receive": many(PAYLOAD)}),
        "grpc_health_check": Message({"service_name": a_string, "authority": a_string}),
    },
    {"pomerium.config.HealthCheck.health_checker": ("http_health_check", "tcp_health_check", "grpc_health_check")},
)
_OUTLIER_NUMBERS = (
    "consecutive_5xx",
    "max_ejection_percent",
    "enforcing_consecutive_5xx",
    "enforcing_success_rate",
    "success_rate_minimum_hosts",
    "success_rate_request_volume",
    "success_rate_stdev_factor",
    "consecutive_gateway_failure",
    "enforcing_consecutive_gateway_failure",
    "consecutive_local_origin_failure",
    "enforcing_consecutive_local_origin_failure",
    "enforcing_local_origin_success_rate",
    "failure_percentage_threshold",
    "enforcing_failure_percentage",
    "enforcing_failure_percentage_local_origin",
    "failure_percentage_minimum_hosts",
    "failure_percentage_request_volume",
)
OUTLIER_DETECTION = Message(
    {
        **dict.fromkeys(("interval", "base_ejection_time", "max_ejection_time", "max_ejection_time_jitter"), a_duration),
        **dict.fromkeys(("split_external_local_origin_errors", "successful_active_health_check_uneject_host"), a_bool),
        "always_eject_one_host": a_bool,
        **dict.fromkeys(_OUTLIER_NUMBERS, uint32),
    }
)
