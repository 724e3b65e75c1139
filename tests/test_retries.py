"""Retries through x-envoy-retry-on, against the rows hdr-retry-503, hdr-retry-reset and hdr-altresp."""

from __future__ import annotations

from typing import Any

import pytest

from factories import cluster, endpoint, ok
from pomprobe.model import EnvoyReply, Retries, StageName
from pomprobe.retries import Answer, after_retries

FINE = Answer(EnvoyReply(200, "-", "via_upstream", "via_upstream"), None, ok(StageName.HTTP, endpoint()))
BUSY = Answer(EnvoyReply(503, "-", "via_upstream", "via_upstream"), "HTTP503", ok(StageName.HTTP, endpoint()))
RESET_DETAILS = "upstream_reset_before_response_started{connection_termination}"
RESET = Answer(EnvoyReply(503, "UC", RESET_DETAILS, "upstream_reset_before_response_started"), "HTTP101", ok(StageName.HTTP, endpoint()))
LATE = Answer(EnvoyReply(504, "UT", "response_timeout", "upstream_response_timeout"), "HTTP201", ok(StageName.HTTP, endpoint()))


def test_an_app_error_that_stays_is_marked_as_retried() -> None:
    """Row hdr-retry-503: 503 URX via_upstream."""
    final = after_retries(cluster(retries=Retries(2, ("5xx",))), BUSY, [[BUSY], [BUSY], [BUSY]])
    assert (503, "URX", "via_upstream") == (final.reply.status, final.reply.response_flags, final.reply.response_code_details)


def test_a_reset_that_stays_keeps_its_flag_behind_the_retry_flag() -> None:
    """Row hdr-retry-reset: 503 URX,UC."""
    final = after_retries(cluster(retries=Retries(2, ("reset",))), RESET, [[RESET], [RESET], [RESET]])
    assert (503, "URX,UC", RESET_DETAILS) == (final.reply.status, final.reply.response_flags, final.reply.response_code_details)


def test_the_next_host_saves_the_request() -> None:
    """A retry goes to another host, whose answer the client gets."""
    assert after_retries(cluster(retries=Retries(1, ("5xx",))), RESET, [[RESET], [FINE]]).reply == FINE.reply


def test_without_the_header_nothing_is_retried() -> None:
    """Pomerium sets no retry policy of its own."""
    assert after_retries(cluster(), BUSY, [[BUSY]]) == BUSY


def test_other_conditions_do_not_retry_it() -> None:
    """gateway-error does not cover a 500, connect-failure no reset after the connection."""
    teapot = Answer(EnvoyReply(500, "-", "via_upstream", "via_upstream"), None, ok(StageName.HTTP, endpoint()))
    assert after_retries(cluster(retries=Retries(1, ("gateway-error",))), teapot, [[teapot], [FINE]]) == teapot
    assert after_retries(cluster(retries=Retries(1, ("connect-failure",))), RESET, [[RESET], [FINE]]) == RESET


def test_the_alternative_response_turns_a_timeout_into_204() -> None:
    """Row hdr-altresp: 204 UT response_timeout."""
    final = after_retries(cluster(alt_response=True), LATE, [[LATE]])
    assert (204, "UT", "response_timeout") == (final.reply.status, final.reply.response_flags, final.reply.response_code_details)


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
    "no attempts left": (Retries(0, ("5xx",)), BUSY, True),
}


@pytest.mark.parametrize(("retries", "first", "retried"), CONDITIONS.values(), ids=CONDITIONS)
def test_conditions(retries: Retries, first: Answer, retried: bool) -> None:
    """Each as Envoy 1.37 and 1.40 answered it (variants retry-*)."""
    assert retried == after_retries(cluster(retries=retries), first, [[first]]).reply.response_flags.startswith("URX")


def test_a_hedged_request_ends_with_the_route_timeout() -> None:
    """Variant retry-hedge: 504 URX,UT response_timeout."""
    final = after_retries(cluster(retries=Retries(1, ("5xx",)), hedged=True), LATE, [[LATE], [LATE]])
    assert (504, "URX,UT", "response_timeout") == (final.reply.status, final.reply.response_flags, final.reply.response_code_details)
