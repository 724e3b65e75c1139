"""The nouns: frozen data that every other module speaks in, and nothing that acts.

Times are seconds, sizes bytes. Words are Envoy's (upstream, cluster, endpoint, response flags, response code details),
Pomerium's (route, from, to) and ours (stage, outcome, failure, fact, rule, verdict, fix, forecast, report).
"""

from __future__ import annotations

from .cluster import GRPC_STATUSES, NO_RETRIES, Cluster, Discovery, Endpoint, Protocol, Request, Retries, Timers, UpstreamTLS
from .config import (
    CircuitBreakers,
    Config,
    ConfigError,
    DNSSettings,
    HealthCheck,
    Place,
    Problem,
    Route,
    RouteKind,
    Settings,
    TLSOptions,
    Upstream,
)
from .results import (
    EndpointOutcomes,
    EnvoyReply,
    Finding,
    ForecastEntry,
    Outcome,
    Report,
    RouteReport,
    Rule,
    Suppressed,
    UpstreamOutcomes,
    Verdict,
)
from .words import Fact, Facts, Failure, Severity, StageFailed, StageName, Status, Timer

__all__ = [
    "GRPC_STATUSES",
    "NO_RETRIES",
    "CircuitBreakers",
    "Cluster",
    "Config",
    "ConfigError",
    "DNSSettings",
    "Discovery",
    "Endpoint",
    "EndpointOutcomes",
    "EnvoyReply",
    "Fact",
    "Facts",
    "Failure",
    "Finding",
    "ForecastEntry",
    "HealthCheck",
    "Outcome",
    "Place",
    "Problem",
    "Protocol",
    "Report",
    "Request",
    "Retries",
    "Route",
    "RouteKind",
    "RouteReport",
    "Rule",
    "Settings",
    "Severity",
    "StageFailed",
    "StageName",
    "Status",
    "Suppressed",
    "TLSOptions",
    "Timer",
    "Timers",
    "Upstream",
    "UpstreamOutcomes",
    "UpstreamTLS",
    "Verdict",
]
