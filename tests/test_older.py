"""The words of Envoy 1.36, as 1.36.4 answered the recorded faults."""

from __future__ import annotations

import pytest

from pomprobe.api import ENVOY, _envoy
from pomprobe.model import EnvoyReply
from pomprobe.older import as_before

HEAD = "upstream_reset_before_response_started{remote_connection_failure|TLS_error:|268435581:SSL_routines:OPENSSL_internal:"
NEW = HEAD + "CERTIFICATE_VERIFY_FAILED:verify_cert_failed:_SAN_matcher:TLS_error_end}"
OLD = HEAD + "CERTIFICATE_VERIFY_FAILED:TLS_error_end}"


def test_a_refused_certificate_has_no_reason() -> None:
    """Rows tls-wrong-san, tls-expired and others."""
    code = "upstream_reset_before_response_started"
    assert EnvoyReply(503, "UF", OLD, code) == as_before(EnvoyReply(503, "UF", NEW, code), "name-mismatch")


def test_a_stream_that_ends_with_protocol_error_is_reset() -> None:
    """Row h2c-rst-protocol_error: 503 UR remote_reset, and not 502 UPE."""
    before = "upstream_reset_before_response_started"
    told = as_before(EnvoyReply(502, "UPE", before + "{protocol_error}", before), "stream-protocol-error")
    assert EnvoyReply(503, "UR", before + "{remote_reset}", before) == told


def test_everything_else_stays() -> None:
    """Most words are the same in both."""
    reply = EnvoyReply(504, "UT", "response_timeout", "upstream_response_timeout")
    assert reply == as_before(reply, "response-timeout")


RELEASES = [("0.33", "1.37"), ("0.33.1", "1.37"), ("0.32", "1.36"), ("v0.32.4", "1.36"), ("next", "1.40")]


@pytest.mark.parametrize(("release", "envoy"), RELEASES)
def test_a_release_chooses_its_envoy(release: str, envoy: str) -> None:
    """Whatever the patch, and with a v in front."""
    assert ENVOY
    assert envoy == _envoy(release)
