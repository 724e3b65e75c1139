"""What x-envoy-retry-on in set_request_headers makes of an answer (pure).

Pomerium generates no retry policy; these headers are the only way to one. Sources: Envoy's source/common/router/retry_state_impl.cc,
rows hdr-retry-503, hdr-retry-reset, hdr-altresp.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .model import Cluster, EnvoyReply, Outcome, StageName

RESETS = ("UF", "UC", "UR", "UPE")


@dataclass(frozen=True, slots=True)
class Answer:
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
    if not cluster.retries or not _retriable(cluster, answer):
        return answer
    for answers in rotation[1:]:
        if answers and not _retriable(cluster, answers[0]):
            return _alternative(cluster, answers[0])
    flags = "URX" if answer.reply.response_flags == "-" else f"URX,{answer.reply.response_flags}"
    return replace(answer, reply=replace(answer.reply, response_flags=flags))


def _retriable(cluster: Cluster, answer: Answer) -> bool:
    reply, on = answer.reply, cluster.retry_on
    reset = any(flag in RESETS for flag in reply.response_flags.split(",")) and not reply.response_code_details.startswith(
        "upstream_reset_after"
    )
    if reset:
        connect = answer.outcome.stage in (StageName.TCP, StageName.TLS)
        refused = "remote_refused_stream_reset" in reply.response_code_details
        return (
            "5xx" in on
            or "gateway-error" in on
            or "reset" in on
            or (connect and "connect-failure" in on)
            or (refused and "refused-stream" in on)
        )
    if reply.response_flags == "-":
        return (
            ("5xx" in on and 500 <= reply.status <= 599)
            or ("gateway-error" in on and reply.status in (502, 503, 504))
            or ("retriable-4xx" in on and reply.status == 409)
        )
    return reply.response_code_details == "upstream_per_try_timeout" and ("5xx" in on or "gateway-error" in on or "reset" in on)


def _alternative(cluster: Cluster, answer: Answer) -> Answer:
    """x-envoy-upstream-rq-timeout-alt-response: a timeout before the headers is a 204 (row hdr-altresp)."""
    if cluster.alt_response and answer.reply.status == 504 and answer.reply.response_flags == "UT":
        return replace(answer, reply=replace(answer.reply, status=204))
    return answer
