"""Routes with a Kubernetes service account token (pure): not Envoy but Pomerium's own Go proxy sends their requests.

Sources: Pomerium's internal/httputil/reproxy and config/http.go. The texts are those of Go 1.2x, measured with that handler over that
transport: every failure is an empty 502, which Envoy passes on, and its reason stands in Pomerium's log alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from .model import EndpointOutcomes, EnvoyReply, Failure, ForecastEntry, Outcome, StageName, Status, UpstreamOutcomes

REPLY = EnvoyReply(502, "-", "via_upstream", "via_upstream")
"""What users get, whatever failed."""

LOG = "http: proxy error: "
"""How the line in Pomerium's log begins."""

NOTE = "of Pomerium's own proxy"

UNTRUSTED, EXPIRED = "x509: certificate signed by unknown authority", "x509: certificate has expired or is not yet valid"
REASONS = {
    Failure.CONNECTION_REFUSED: "dial tcp {endpoint}: connect: connection refused",
    Failure.CONNECT_TIMEOUT: "dial tcp {endpoint}: i/o timeout",
    Failure.HANDSHAKE_TIMEOUT: "net/http: TLS handshake timeout",
    Failure.HANDSHAKE_CLOSED: "EOF",
    Failure.CLOSED: "EOF",
    Failure.NOT_TLS: "tls: first record does not look like a TLS handshake",
    Failure.NAME_NOT_FOUND: "dial tcp: lookup {name}: no such host",
    Failure.NO_ADDRESS: "dial tcp: lookup {name}: no such host",
    Failure.PROTOCOL_ERROR: "malformed HTTP response",
}
ALERTS = {40: "remote error: tls: handshake failure", 70: "remote error: tls: protocol version not supported",
          116: "remote error: tls: certificate required"}  # fmt: skip


def reason(outcome: Outcome) -> str:
    """The reason as Go words it in Pomerium's log; "" where its words were not measured."""
    facts = outcome.facts
    if outcome.failure is Failure.CERTIFICATE_REJECTED:
        return "tls: failed to verify certificate: " + (EXPIRED if facts.get("verify_code") in (9, 10) else UNTRUSTED)
    if outcome.failure is Failure.NAME_MISMATCH:
        names = facts.get("sans")
        listed = ", ".join(names) if isinstance(names, tuple) else ""
        return f"tls: failed to verify certificate: x509: certificate is valid for {listed}, not {facts.get('match_name', '')}"
    alert = facts.get("alert")
    if isinstance(alert, int):
        return ALERTS.get(alert, "")
    words = REASONS.get(outcome.failure) if outcome.failure else None
    return words.format(endpoint=outcome.endpoint, name=facts.get("name", "")) if words else ""


def reached(upstream: UpstreamOutcomes) -> EndpointOutcomes | None:
    """The address that Go's dialler ends up with: the first that takes a connection, else the last it tries."""
    for probed in upstream.endpoints:
        if any(o.stage is StageName.TCP and o.status is Status.OK for o in probed.outcomes):
            return probed
    return upstream.endpoints[-1] if upstream.endpoints else None


Told = tuple[EnvoyReply, str | None, str]
"""An answer, the rule behind it, and the reason in Pomerium's log."""


def forecast(answers: Sequence[Told | None]) -> list[ForecastEntry]:
    """The answers with their shares: Pomerium picks an upstream at random, without a look at weights or health.

    answers: one for each upstream, None where it is not known.
    """
    known = [answer for answer in answers if answer is not None]
    entries = []
    for reply, rule, why in dict.fromkeys(known):
        share, own = known.count((reply, rule, why)) / len(known), reply == REPLY and rule is not None
        note = (f"{NOTE}, whose log says `{LOG}{why}`" if why else NOTE) if own else ""
        entries.append(ForecastEntry(share, reply, rule, note, by="pomerium" if own else ""))
    return sorted(entries, key=lambda entry: (-entry.share, entry.rule is None))
