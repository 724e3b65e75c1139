"""Retries through x-envoy-retry-on, against the rows hdr-retry-503, hdr-retry-reset and hdr-altresp."""

from __future__ import annotations

from typing import Any

import pytest

from factories import cluster, endpoint, ok
from pomprobe.model import EnvoyReply, Retries, StageName
from pomprobe.retries import Answer, alternative, marked, retriable

FINE = Answer(EnvoyReply(200, "-", "via_upstream", "via_upstream"), None, ok(StageName.HTTP, endpoint()))
BUSY = Answer(EnvoyReply(503, "-", "via_upstream", "via_upstream"), "HTTP503", ok(StageName.HTTP, endpoint()))
RESET_DETAILS = "upstream_reset_before_response_started{connection_termination}"
RESET = Answer(EnvoyReply(503, "UC", RESET_DETAILS, "upstream_reset_before_response_started"), "HTTP101", ok(StageName.HTTP, endpoint()))
LATE = Answer(EnvoyReply(504, "UT", "response_timeout", "upstream_response_timeout"), "HTTP201", ok(StageName.HTTP, endpoint()))
WRITTEN = Answer(EnvoyReply(504, "-", "max_duration_timeout", "max_duration_timeout"), "HTTP206", ok(StageName.HTTP, endpoint()))


@pytest.mark.parametrize(
    ("answer", "flag", "flags"), [(BUSY, "URX", "URX"), (RESET, "URX", "URX,UC"), (BUSY, "UO", "UO"), (LATE, "UO", "UO,UT")]
)
def test_an_answer_that_is_retried_in_vain_is_marked(answer: Answer, flag: str, flags: str) -> None:
    """Rows hdr-retry-503, hdr-retry-reset; variants retry-tries-none-*."""
    final = marked(answer, flag)
    assert flags == final.reply.response_flags
    assert (answer.reply.status, answer.reply.response_code_details) == (final.reply.status, final.reply.response_code_details)


def test_without_the_header_nothing_is_retried() -> None:
    """Pomerium sets no retry policy of its own."""
    assert not retriable(cluster(), BUSY)


def test_other_conditions_do_not_retry_it() -> None:
    """gateway-error does not cover a 500, connect-failure no reset after the connection."""
    assert not retriable(cluster(retries=Retries(1, ("gateway-error",))), answered(500))
    assert not retriable(cluster(retries=Retries(1, ("connect-failure",))), RESET)


def test_the_alternative_response_turns_a_timeout_into_204() -> None:
    """Row hdr-altresp: 204 UT response_timeout."""
    final = alternative(cluster(alt_response=True), LATE)
    assert (204, "UT", "response_timeout") == (final.reply.status, final.reply.response_flags, final.reply.response_code_details)
    assert alternative(cluster(alt_response=True), BUSY) == BUSY
    assert alternative(cluster(), LATE) == LATE


def answered(status: int, **facts: Any) -> Answer:
    """The app's own answer, with what the HTTP stage saw in its headers."""
    return Answer(EnvoyReply(status, "-", "via_upstream", "via_upstream"), None, ok(StageName.HTTP, endpoint(), **facts))


def stage_failed(stage: StageName) -> Answer:
    details = "upstream_reset_before_response_started{remote_connection_failure}"
    return Answer(EnvoyReply(503, "UF", details, "upstream_reset_before_response_started"), None, ok(stage, endpoint()))


CONDITIONS = {
    "status of the list": (Retries(1, ("retriable-status-codes",), statuses=(429,)), answered(429), True),
    "status outside of it": (Retries(1, ("retriable-status-codes",), statuses=(429,)), answered(500), False),
    "a list alone": (Retries(1, ("5xx",), statuses=(429,)), answered(429), False),
    "header": (Retries(1, ("retriable-headers",), headers=("x-again",)), answered(200, retriable_header="x-again"), True),
    "no such header": (Retries(1, ("retriable-headers",), headers=("x-again",)), answered(200, retriable_header=None), False),
    "rate-limited": (Retries(1, ("envoy-ratelimited",)), answered(429, ratelimited=True), True),
    "rate-limited goes first": (Retries(1, ("5xx",)), answered(503, ratelimited=True), False),
    "gRPC": (Retries(1, grpc_on=("unavailable",)), answered(200, grpc_status=14), True),
    "other gRPC status": (Retries(1, grpc_on=("cancelled",)), answered(200, grpc_status=14), False),
    "refused before the request": (Retries(1, ("reset-before-request",)), stage_failed(StageName.TCP), True),
    "TLS before the request": (Retries(1, ("reset-before-request",)), stage_failed(StageName.TLS), True),
    "closed after the request": (Retries(1, ("reset-before-request",)), RESET, False),
    "a timeout of the request": (Retries(1, ("5xx",)), LATE, False),
    "a timeout without a flag": (Retries(1, ("5xx",)), WRITTEN, False),
}


@pytest.mark.parametrize(("retries", "first", "retried"), CONDITIONS.values(), ids=CONDITIONS)
def test_conditions(retries: Retries, first: Answer, retried: bool) -> None:
    """Each as Envoy 1.37 and 1.40 answered it (variants retry-*)."""
    assert retried == retriable(cluster(retries=retries), first)
