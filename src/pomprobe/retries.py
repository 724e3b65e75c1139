"""What x-envoy-retry-on and its relatives in set_request_headers make of an answer (pure).

Pomerium generates no retry policy; these headers are the only way to one. Sources: Envoy's source/common/router/retry_state_impl.cc,
rows hdr-retry-503, hdr-retry-reset, hdr-altresp, and the variants retry-*.
"""

from __future__ import annotations

from collections.abc import Sequence

from .model import GRPC_STATUSES, Cluster, EnvoyReply, Facts, Outcome, Retries, StageName
from .record import Record, replace

RESETS = ("UF", "UC", "UR", "UPE")
ANY_RESET = ("5xx", "gateway-error", "reset")
TIMEOUT = "response_timeout"
PER_TRY_TIMEOUT = "upstream_per_try_timeout"


class Answer(Record, frozen=True):
    """A reply, the rule behind it, and the outcome that it came from."""

    reply: EnvoyReply
    rule: str | None
    outcome: Outcome
    share: float = 1.0


def after_retries(cluster: Cluster, first: Answer, rotation: Sequence[Sequence[Answer]]) -> Answer:
    """The answer that the client gets: the first that is not retried, or the last with the flag URX.

    rotation: the answers of the hosts in the order in which attempts meet them, the first attempt's host included.
    """
    answer = _alternative(cluster, first)
    if not _retriable(cluster, answer):
        return answer
    for answers in rotation[1:]:
        if answers and not _retriable(cluster, answers[0]):
            return _alternative(cluster, answers[0])
    flags = "URX" if answer.reply.response_flags == "-" else f"URX,{answer.reply.response_flags}"
    return replace(answer, reply=replace(answer.reply, response_flags=flags))


def _retriable(cluster: Cluster, answer: Answer) -> bool:
    retries, reply = cluster.retries, answer.reply
    if not retries.conditions:
        return False
    if any(flag in RESETS for flag in reply.response_flags.split(",")):
        return not reply.response_code_details.startswith("upstream_reset_after") and _reset(retries.on, answer)
    if reply.response_flags == "-":
        return _answered(retries, reply.status, answer.outcome.facts)
    if cluster.hedged and reply.response_code_details == TIMEOUT and answer.reply.status == 504:
        return True  # by then every attempt has been made
    return reply.response_code_details == PER_TRY_TIMEOUT and any(policy in retries.on for policy in ANY_RESET)


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


def _alternative(cluster: Cluster, answer: Answer) -> Answer:
    """x-envoy-upstream-rq-timeout-alt-response: a timeout before the headers is a 204 (row hdr-altresp)."""
    if cluster.alt_response and answer.reply.status == 504 and answer.reply.response_flags == "UT":
        return replace(answer, reply=replace(answer.reply, status=204))
    return answer
