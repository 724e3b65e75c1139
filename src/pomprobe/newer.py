"""What Envoy 1.40 (no released Pomerium has it yet) says otherwise than 1.37 (pure): seen by playing variants and fuzzed chains to both."""

from __future__ import annotations

from .following import OWN
from .model import EnvoyReply, Failure, Outcome, Status
from .record import replace

X509, ASN1, SSL = (f"{name}_routines:OPENSSL_internal:" for name in ("X.509_certificate", "ASN.1_encoding", "SSL"))
WORDS = (
    (f"184549515:{X509}INVALID_FIELD_FOR_VERSION", f"201326701:{ASN1}DECODE_ERROR"),
    (f"268436578:{SSL}PAKE_AND_KEY_SHARE_NOT_ALLOWED", f"268436578:{SSL}unknown_error"),
)
"""An entry of BoringSSL's error queue -> the same in 1.40."""

UNPROBED = "Envoy 1.40 takes this certificate, 1.37 does not: the walk ended there"


def as_after(reply: EnvoyReply) -> EnvoyReply:
    """The reply in the words of 1.40."""
    details = reply.response_code_details
    for before, after in WORDS:
        details = details.replace(before, after)
    return reply if details == reply.response_code_details else replace(reply, response_code_details=details)


def as_next(outcome: Outcome) -> Outcome:
    """How the stage came out for 1.40."""
    failure = outcome.facts.get("next_failure")
    if failure is None or failure is False:
        return outcome
    own = {key: value for key, value in outcome.facts.items() if key not in OWN and not key.startswith("next_")}
    facts = own | {key.removeprefix("next_"): value for key, value in outcome.facts.items() if key.startswith("next_")}
    del facts["failure"]
    if failure:
        error = facts.get("error") or facts.get("reason") or ""
        return replace(outcome, status=Status.FAILING, failure=Failure(str(failure)), facts=facts, error=str(error))
    return replace(outcome, status=Status.UNDETERMINED, failure=Failure.NOT_KNOWN, facts={**facts, "limit": UNPROBED}, error="")
