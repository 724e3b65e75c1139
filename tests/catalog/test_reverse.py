"""From Envoy's words back to the rules."""

from __future__ import annotations

import pytest

from pomprobe.catalog import Catalog, reply
from pomprobe.catalog.reverse import causes
from pomprobe.record import replace

from .examples import ACTIVE, CATALOG, examples

PLAIN = {"code": "c", "status": 503, "response_flags": "UF", "response_code_details": "no_healthy_upstream", "evidence": "r"}

RB = "upstream_reset_before_response_started"
TLS = f"{RB}{{remote_connection_failure|TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify_cert_failed:"


def codes(details: str, status: int | None = None, flags: str | None = None) -> list[str]:
    return [cause.rule.code for cause in causes(CATALOG, details, status, flags)]


def test_every_forecast_leads_back_to_its_rule() -> None:
    """Unless a more telling rule stands for the same words, the rule behind a forecast is among the causes."""
    fallbacks = {rule.code for rule in ACTIVE if len(rule.when) == 1}
    lost = []
    for rule in ACTIVE:
        for example in examples(rule, "fires"):
            answer = reply(rule, example.facts)
            if answer and rule.code not in fallbacks:
                found = codes(answer.response_code_details, answer.status, answer.response_flags)
                lost += [] if rule.code in found else [f"{rule.code}: {answer} leads to {found}"]
    assert [] == lost


def test_a_reason_names_its_rule() -> None:
    """An expired certificate is told by its words alone, at depth 0 from a CA's above it, with the facts in them."""
    words = f"{TLS}_X509_verify_cert:_certificate_verification_error_at_depth_%d:_certificate_has_expired:TLS_error_end}}"
    (cause,) = causes(CATALOG, words % 0)
    assert ("TLS102", {"depth": 0}) == (cause.rule.code, cause.facts)
    assert ["TLS103"] == [code for code in codes(words % 1) if code != "TLS102"]


def test_a_reason_without_a_rule_of_its_own_has_the_general_one() -> None:
    """The last resort stands in only where nothing better fits."""
    words = f"{TLS}_X509_verify_cert:_certificate_verification_error_at_depth_0:_certificate_revoked:TLS_error_end}}"
    assert ["TLS101"] == codes(words)
    assert ["TLS201"] == codes(
        f"{RB}{{remote_connection_failure|TLS_error:|268436546:SSL_routines:OPENSSL_internal:TLSV1_ALERT_USER_CANCELLED:TLS_error_end}}"
    )


@pytest.mark.parametrize(
    ("status", "flags", "expected"),
    [
        (404, "-", ["HTTP404", "HTTP410"]),
        (418, "-", ["HTTP499", "HTTP601"]),
        (502, None, ["HTTP502", "HTTP604"]),
        (505, "URX", ["HTTP599"]),
    ],
)
def test_the_apps_status_narrows(status: int, flags: str, expected: list[str]) -> None:
    """via_upstream alone says nothing; with the status it is the rules for that status. Used-up retries do not hide it."""
    found = codes("via_upstream", status, flags)
    assert set(expected) <= set(found)
    assert not {"HTTP500", "HTTP403"} & set(found)


def test_status_and_flags_narrow() -> None:
    """The same details before and after the response began."""
    assert "HTTP202" not in codes("response_timeout", 504, "UT")
    assert "HTTP201" not in codes("response_timeout", 200, "UT")
    assert [] == codes("response_timeout", 504, "UF")
    assert "HTTP101" in codes(f"{RB}{{connection_termination}}", 503, "URX,UC")


def test_words_that_are_cut_short_fit_what_begins_so() -> None:
    """Older Envoys stopped at CERTIFICATE_VERIFY_FAILED."""
    found = codes(f"{RB}{{remote_connection_failure|TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED}}")
    assert {"TLS102", "TLS105", "TLS121"} <= set(found)
    assert [] == codes(f"{RB}{{never_seen}}")
    assert [] == codes(RB)


def test_a_fact_must_fit_the_rule() -> None:
    """An IPv4 address is no reason to speak of IPv6."""
    words = f"{RB}{{remote_connection_failure|immediate_connect_error:_Network_is_unreachable|remote_address:%s}}"
    assert "TCP115" in codes(words % "10.0.0.1:80")
    assert "TCP143" not in codes(f"{RB}{{remote_connection_failure|immediate_connect_error:_Permission_denied|remote_address:10.0.0.1:80}}")


def test_a_version_may_differ_in_its_flags_alone() -> None:
    """Then its words are those of the others."""
    rule = replace(CATALOG.rules[0], means={**PLAIN, "versions": {"1.40": {"response_flags": "UH"}}})
    assert [rule.code] == [cause.rule.code for cause in causes(Catalog((rule,)), "no_healthy_upstream", 503, "UF")]
