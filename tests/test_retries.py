"""Retries through x-envoy-retry-on, against the rows hdr-retry-503, hdr-retry-reset and hdr-altresp."""

from __future__ import annotations

from factories import cluster, endpoint, ok
from pomprobe.model import EnvoyReply, StageName
from pomprobe.retries import Answer, after_retries

FINE = Answer(EnvoyReply(200, "-", "via_upstream", "via_upstream"), None, ok(StageName.HTTP, endpoint()))
BUSY = Answer(EnvoyReply(503, "-", "via_upstream", "via_upstream"), "HTTP503", ok(StageName.HTTP, endpoint()))
RESET_DETAILS = "upstream_reset_before_response_started{connection_termination}"
RESET = Answer(EnvoyReply(503, "UC", RESET_DETAILS, "upstream_reset_before_response_started"), "HTTP101", ok(StageName.HTTP, endpoint()))
LATE = Answer(EnvoyReply(504, "UT", "response_timeout", "upstream_response_timeout"), "HTTP201", ok(StageName.HTTP, endpoint()))


def test_an_app_error_that_stays_is_marked_as_retried() -> None:
    """Row hdr-retry-503: 503 URX via_upstream."""
    final = after_retries(cluster(retries=2, retry_on=("5xx",)), BUSY, [[BUSY], [BUSY], [BUSY]])
    assert (503, "URX", "via_upstream") == (final.reply.status, final.reply.response_flags, final.reply.response_code_details)


def test_a_reset_that_stays_keeps_its_flag_behind_the_retry_flag() -> None:
    """Row hdr-retry-reset: 503 URX,UC."""
    final = after_retries(cluster(retries=2, retry_on=("reset",)), RESET, [[RESET], [RESET], [RESET]])
    assert (503, "URX,UC", RESET_DETAILS) == (final.reply.status, final.reply.response_flags, final.reply.response_code_details)


def test_the_next_host_saves_the_request() -> None:
    """A retry goes to another host, whose answer the client gets."""
    assert after_retries(cluster(retries=1, retry_on=("5xx",)), RESET, [[RESET], [FINE]]).reply == FINE.reply


def test_without_the_header_nothing_is_retried() -> None:
    """Pomerium sets no retry policy of its own."""
    assert after_retries(cluster(), BUSY, [[BUSY]]) == BUSY


def test_other_conditions_do_not_retry_it() -> None:
    """gateway-error does not cover a 500, connect-failure no reset after the connection."""
    teapot = Answer(EnvoyReply(500, "-", "via_upstream", "via_upstream"), None, ok(StageName.HTTP, endpoint()))
    assert after_retries(cluster(retries=1, retry_on=("gateway-error",)), teapot, [[teapot], [FINE]]) == teapot
    assert after_retries(cluster(retries=1, retry_on=("connect-failure",)), RESET, [[RESET], [FINE]]) == RESET


def test_the_alternative_response_turns_a_timeout_into_204() -> None:
    """Row hdr-altresp: 204 UT response_timeout."""
    final = after_retries(cluster(alt_response=True), LATE, [[LATE]])
    assert (204, "UT", "response_timeout") == (final.reply.status, final.reply.response_flags, final.reply.response_code_details)
