"""What a report says of a route without a forecast: it was skipped, it is not known, or its users speak SSH, and no HTTP.

An ssh route ends with a disconnect message (RFC 4253, 11.1), whose words are not measured but read: the reasons are those of Envoy's
generic proxy (contrib/generic_proxy/filters/network/source/router/router.cc, resetReasonToStringView), the numbers those of Pomerium's
codec for it (pomerium/envoy-custom, source/extensions/filters/network/ssh/server_transport.cc, respond).
"""

from __future__ import annotations

from ..model import Failure, Outcome, RouteKind, RouteReport, StageName, Status
from . import words

NO_SERVICE, CONNECTION_LOST = "7 (service not available)", "10 (connection lost)"
UNREACHED = (Failure.CONNECTION_REFUSED, Failure.CONNECT_ERROR, Failure.CONNECT_TIMEOUT, Failure.SOURCE_ADDRESS)


def unforeseen(report: RouteReport, *, brief: bool = False) -> str:
    """One line, not yet cleaned. brief: "" where the verdicts say it all."""
    status = words.standing(report)
    if status is Status.SKIPPED:
        return "skipped: " + words.why_skipped(report)
    if status in words.UNKNOWN:
        return "not known: " + words.why_unknown(report)
    return ssh(report) or ("" if brief else "no answer is forecast")


def ssh(report: RouteReport) -> str:
    """How the ssh of an ssh route's users ends; "" where that is not known, and for any other route."""
    if report.route.kind is not RouteKind.SSH:
        return ""
    addresses = [endpoint.outcomes for upstream in report.upstreams for endpoint in upstream.endpoints]
    ends = [end for end in (next(filter(None, map(disconnect, outcomes)), "") for outcomes in addresses) if end]
    if not addresses:
        ends = [end for upstream in report.upstreams for end in map(disconnect, upstream.outcomes) if end]
    if not ends:
        return "" if any(o.status is Status.FAILING for o in words.outcomes(report)) else "ssh reaches an SSH server"
    often = "every connection ends" if len(ends) >= len(addresses) else f"connections to {len(ends)} of {len(addresses)} addresses end"
    return f"{often} with SSH disconnect {ends[0]}"


def disconnect(outcome: Outcome) -> str:
    """How the client's ssh is sent away: number, and the word of Envoy's behind it; "" where that is not known."""
    if outcome.status is not Status.FAILING:
        return ""
    if outcome.stage is StageName.DNS:
        return f"{NO_SERVICE}: no_healthy_upstream"
    if outcome.failure in UNREACHED:
        return f"{NO_SERVICE}: connection_failure"
    ended = outcome.failure is Failure.CLOSED or (outcome.failure is Failure.NOT_SSH and outcome.facts.get("closed"))
    return f"{CONNECTION_LOST}: connection_termination" if ended else ""
