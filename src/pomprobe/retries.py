"""What x-envoy-retry-on and its relatives in set_request_headers make of an answer (pure).

Pomerium generates no retry policy; these headers are the only way to one. Sources: Envoy's source/common/router/retry_state_impl.cc,
rows hdr-retry-503, hdr-retry-reset, hdr-altresp, and the variants retry-*.
"""

from __future__ import annotations

from collections.abc import Sequence

from .model import GRPC_STATUSES, Cluster, EnvoyReply, Facts, Outcome, Retries, StageName, Timer
from .record import Record, replace

VIA_UPSTREAM = "via_upstream"
RESETS = ("UF", "UC", "UR", "UPE")
ANY_RESET = ("5xx", "gateway-error", "reset")
OF_ALL_TRIES = (Timer.ROUTE, Timer.IDLE, Timer.MAX_DURATION)
"""Timers that end a request before its headers, however many tries it has: a retry is no activity."""

OF_ONE_TRY = ("upstream_per_try_timeout", "upstream_max_stream_duration_reached")
"""Details of the timers that end one try, and not the request."""


class Answer(Record, frozen=True):
    """A reply, the rule behind it, and the outcome that it came from. share: of its host's answers, 0 to 1."""

    reply: EnvoyReply
    rule: str | None
    outcome: Outcome
    share: float = 1.0

    @property
    def seconds(self) -> float:
        """How long one try takes that ends so: up to the response headers, which decide."""
        first_byte = self.outcome.facts.get("first_byte")
        return first_byte if isinstance(first_byte, float) else self.outcome.elapsed


def retriable(cluster: Cluster, answer: Answer) -> bool:
    """Do the cluster's conditions ask for another try after this answer?"""
    retries, reply = cluster.retries, answer.reply
    if not retries.conditions:
        return False
    if any(flag in RESETS for flag in reply.response_flags.split(",")):
        return not reply.response_code_details.startswith("upstream_reset_after") and _reset(retries.on, answer)
    if reply.response_code_details == VIA_UPSTREAM:  # the flags alone do not tell: those of max_duration_timeout are "-", too
        return _answered(retries, reply.status, answer.outcome.facts)
    return silent(cluster, answer) or (reply.response_code_details in OF_ONE_TRY and any(policy in retries.on for policy in ANY_RESET))


def silent(cluster: Cluster, answer: Answer) -> bool:
    """Is it a try that hedging (x-envoy-hedge-on-per-try-timeout) leaves open beside the next one, in vain?"""
    return cluster.hedge is not None and answer.outcome.timer in OF_ALL_TRIES and answer.reply.status == 504


def marked(answer: Answer, flag: str) -> Answer:
    """The answer that goes to the client although it is retriable: with URX, tried often enough, or UO, no retry being allowed."""
    reply = answer.reply
    return replace(answer, reply=replace(reply, response_flags=flag if reply.response_flags == "-" else f"{flag},{reply.response_flags}"))


def alternative(cluster: Cluster, answer: Answer) -> Answer:
    """x-envoy-upstream-rq-timeout-alt-response: a timeout before the headers is a 204 (row hdr-altresp)."""
    if cluster.alt_response and answer.reply.status == 504 and answer.reply.response_flags in ("UT", "URX,UT", "UO,UT"):
        return replace(answer, reply=replace(answer.reply, status=204))
    return answer


def _reset(on: Sequence[str], answer: Answer) -> bool:
    """RetryStateImpl::wouldRetryFromReset; a connection that fails has not begun the request."""
    connect = answer.outcome.stage in (StageName.TCP, StageName.TLS)
    refused = "remote_refused_stream_reset" in answer.reply.response_code_details
    return (
        any(policy in on for policy in ANY_RESET)
        or (connect and ("connect-failure" in on or "reset-before-request" in on))
        or (refused and "refused-stream" in on)
    )


def _answered(retries: Retries, status: int, facts: Facts) -> bool:
    """RetryStateImpl::wouldRetryFromHeaders: x-envoy-ratelimited goes before everything else."""
    on = retries.on
    if facts.get("ratelimited"):
        return "envoy-ratelimited" in on
    return (
        ("5xx" in on and 500 <= status <= 599)
        or ("gateway-error" in on and status in (502, 503, 504))
        or ("retriable-4xx" in on and status == 409)
        or ("retriable-status-codes" in on and status in retries.statuses)
        or ("retriable-headers" in on and bool(facts.get("retriable_header")))
        or facts.get("grpc_status") in [GRPC_STATUSES[word] for word in retries.grpc_on]
    )
