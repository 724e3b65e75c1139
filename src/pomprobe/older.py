"""What Envoy 1.36 (Pomerium 0.32) says otherwise than 1.37 (pure): seen by playing the recorded faults to 1.36.4."""

from __future__ import annotations

import re

from .model import EnvoyReply, Failure, Outcome, Status
from .record import replace

RESET = {
    "stream-protocol-error": "upstream_reset_before_response_started",
    "stream-protocol-error-after-start": "upstream_reset_after_response_started",
    "http2-content-length-wrong": "upstream_reset_after_response_started",
}
"""Rules of HTTP/2 whose protocol error is a plain reset there (rows h2c-rst-protocol_error, h2c-cl-mismatch)."""


def as_before(reply: EnvoyReply, rule: str) -> EnvoyReply:
    """The reply of the rule of this name in the words of 1.36, which do not tell why a certificate is not accepted."""
    if (head := RESET.get(rule)) and reply.code == head:
        status = 503 if head.startswith("upstream_reset_before") else reply.status
        return EnvoyReply(status, "UR", f"{head}{{remote_reset}}", head)
    details = re.sub(r"(CERTIFICATE_VERIFY_FAILED):verify_cert_failed:.*(:TLS_error_end)", r"\1\2", reply.response_code_details)
    return replace(reply, response_code_details=details)


def as_past(outcome: Outcome) -> Outcome:
    """How the stage came out for 1.36, which takes an HTTP/2 response before the server's SETTINGS (row h2c-no-settings)."""
    status = outcome.facts.get("older_status")
    if not isinstance(status, int):
        return outcome
    facts = {**outcome.facts, "status": status, "started": True}
    if status < 400:
        return replace(outcome, status=Status.OK, failure=None, facts=facts, error="")
    return replace(outcome, failure=Failure.APP_ERROR if status >= 500 else Failure.APP_REFUSAL, facts=facts, error="")
