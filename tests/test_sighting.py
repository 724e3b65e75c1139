"""Envoy's words are found wherever people meet them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomprobe.sighting import Sighting, sighted

HEADS = ("no_healthy_upstream", "response_timeout", "via_upstream", "upstream_reset_before_response_started", "http1.codec_error")
RB = "upstream_reset_before_response_started"
REFUSED = f"{RB}{{remote_connection_failure|delayed_connect_error:_Connection_refused}}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no_healthy_upstream", Sighting("no_healthy_upstream", "no_healthy_upstream")),
        (REFUSED, Sighting(RB, REFUSED)),
        (f"503 UF {REFUSED}", Sighting(RB, REFUSED, 503, "UF")),
        (
            f'[2026-01-01T00:00:00.000Z] "GET / HTTP/1.1" 503 UF {REFUSED} - "-" 0 152 0 - "-" "curl/8.0" "id" "app" "-"',
            Sighting(RB, REFUSED, 503, "UF"),
        ),
        ('"GET / HTTP/2" 200 - via_upstream - "-" 0 4 12 11', Sighting("via_upstream", "via_upstream", 200)),
        ('"GET / HTTP/2" 503 URX,UF - "-"', Sighting("", "", 503, "URX,UF")),
        (
            '{"level":"info","response-code":504,"response-code-details":"response_timeout","upstream-cluster":"route-1"}',
            Sighting("response_timeout", "response_timeout", 504),
        ),
        (
            '{"upstream-cluster":"my-app-0c3c49ee3957ee89","response-code":504,"response-code-details":"response_timeout"}',
            Sighting("response_timeout", "response_timeout", 504, cluster="my-app-0c3c49ee3957ee89"),
        ),
        (
            '{"requestId": "1", "status": "503", "statusText": "no_healthy_upstream"}',
            Sighting("no_healthy_upstream", "no_healthy_upstream", 503),
        ),
        (
            f'<script>window.POMERIUM_DATA = {{"responseFlags":"UF","status":"503","statusText":"{REFUSED}"}};</script>',
            Sighting(RB, REFUSED, 503, "UF"),
        ),
        (
            f"<p>{RB}{{remote_connection_failure&#124;connection&#x5f;x}}</p>",
            Sighting(RB, f"{RB}{{remote_connection_failure|connection_x}}"),
        ),
        (f"{RB}\\u007bconnection_timeout\\u007d", Sighting(RB, f"{RB}{{connection_timeout}}")),
        (
            "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
            Sighting(RB, f"{RB}{{connection_termination}}"),
        ),
        (
            "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: remote connection failure, "
            "transport failure reason: delayed connect error: 111",
            Sighting(RB, REFUSED),
        ),
        ("upstream connect error or disconnect/reset before headers. and so on", Sighting(RB, RB)),
        ("< no healthy upstream >", Sighting("no_healthy_upstream", "no_healthy_upstream")),
        ("upstream request timeout", Sighting("response_timeout", "response_timeout")),
        ("downstream duration timeout", Sighting("max_duration_timeout", "max_duration_timeout")),
        (f"{RB}{{connection failure,delayed connect error: 111}}", Sighting(RB, REFUSED)),
        (f"{RB}{{remote_connection_failure,delayed_connect_error:_111}}", Sighting(RB, REFUSED)),
        (
            f"{RB}{{connection_failure,TLS_error:_268435581:SSL_routines:X}}",
            Sighting(RB, f"{RB}{{remote_connection_failure|TLS_error:|268435581:SSL_routines:X}}"),
        ),
        ('"GET /" 400 DPE http1.codec_error', Sighting("http1.codec_error", "http1.codec_error", 400, "DPE")),
    ],
)
def test_words_are_found(text: str, expected: Sighting) -> None:
    """In details alone, in Envoy's and Pomerium's logs, in the error page, in JSON, in plain bodies; older words become today's."""
    assert expected == sighted(text, HEADS)


@pytest.mark.parametrize("text", ["", "hello", "503", "GET / HTTP/1.1", "my_via_upstream_x", '"GET / HTTP/2" 200 -'])
def test_other_text_says_nothing(text: str) -> None:
    """A status alone is no word of Envoy's, and neither is part of another word."""
    assert sighted(text, HEADS) is None


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    """Whatever is pasted: no error."""
    sighted(text, HEADS)
    sighted(f"upstream connect error or disconnect/reset before headers.{text}", HEADS)
    sighted(f"{RB}{{{text}", HEADS)
