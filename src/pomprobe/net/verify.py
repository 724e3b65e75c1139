"""Is a chain trusted? As the BoringSSL of Envoy 1.37, or of 1.40, answers it, which differs from OpenSSL in who is asked for what.

BoringSSL checks extensions (CA, purpose, path length, unknown critical ones) of what the server sent only: a trust anchor
is trusted as it is, an OpenSSL of our days wants it to be a proper CA. Source: X509_verify_cert in crypto/x509/x509_vfy.cc
with Envoy's X509_V_FLAG_PARTIAL_CHAIN and purpose ssl_server (cert_validator/default_validator.cc); every verdict here was
compared with a real Envoy (tests/net/chain_cases.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ..record import Record, replace
from . import name_constraints, policies, signatures
from .trust_store import TrustStore
from .x509 import DIGITAL_SIGNATURE, KEY_AGREEMENT, KEY_CERT_SIGN, KEY_ENCIPHERMENT, X509

SERVER_AUTH = {"1.3.6.1.5.5.7.3.1"}
MOST = 102  # certificates of a chain: X509_VERIFY_PARAM's depth of 100, the leaf and the anchor

UNABLE_TO_GET_ISSUER, UNDECODABLE_KEY, BAD_SIGNATURE = 2, 6, 7
NOT_YET_VALID, EXPIRED, ODD_BEGIN, ODD_END = 9, 10, 13, 14
SELF_SIGNED, SELF_SIGNED_IN_CHAIN, UNABLE_TO_GET_ISSUER_LOCALLY = 18, 19, 20
INVALID_CA, PATH_LENGTH, PURPOSE, UNHANDLED_CRITICAL, INVALID_EXTENSION = 24, 25, 26, 34, 41
CONSTRAINTS_WITHOUT_NAMES = 1000
"""X509_V_ERR numbers of OpenSSL and BoringSSL; the last one is BoringSSL's alone, its number ours."""


class Verdict(Record, frozen=True):
    """The first error, 0 for none, and how far from the leaf. before: BoringSSL's errors that stand before it in Envoy's words."""

    code: int = 0
    depth: int = 0
    before: str = ""


def verify(sent: Sequence[X509], trust: TrustStore, now: datetime | None = None, *, later: bool = False) -> Verdict:
    """The verdict on what a server sent, leaf first. Certificates of any other order and number are taken as they fit.

    later: of Envoy 1.40, which finds and judges some things otherwise than 1.37.
    """
    noted: list[str] = []
    chain, untrusted, verdict = _build(sent, trust, later, noted)
    verdict = (
        (verdict if verdict.code else None)
        or _check_extensions(chain[:untrusted], later)
        or _check_signatures(chain, now or datetime.now(UTC))
        or _check_names(chain, later)
        or _check_policies(chain, later)
    )
    return replace(verdict, before="|".join(noted) + ("|" if noted else "") + verdict.before) if noted else verdict


def _build(sent: Sequence[X509], trust: TrustStore, later: bool, noted: list[str]) -> tuple[list[X509], int, Verdict]:
    """The chain, how many of its certificates are not from the store, and what went wrong. noted: gets what BoringSSL notes meanwhile."""
    chain = [sent[0]]
    left = dict(enumerate(sent))  # the leaf, too: Envoy hands over all that came
    looked: set[int] = set()

    def look(number: int) -> None:
        """Its extensions are read once, when somebody asks for one."""
        if sent[number].noted and number not in looked:
            noted.append(sent[number].noted)
        looked.add(number)

    def issuer_of(certificate: X509) -> X509 | None:
        for number, candidate in left.items():
            if candidate.subject.canonical == certificate.issuer.canonical:
                look(number)
                if candidate.issued(certificate):
                    return left.pop(number)
        return None

    look(0)
    while len(chain) < MOST and not chain[-1].malformed and not chain[-1].self_signed and trust.issuer(chain[-1], later) is None:
        issuer = issuer_of(chain[-1])
        if issuer is None:
            break
        chain.append(issuer)
    if chain[-1].malformed:
        return chain, 0, Verdict(INVALID_EXTENSION)
    untrusted, root = len(chain), None
    if chain[-1].self_signed:
        if len(chain) > 1:
            root = chain.pop()
            untrusted -= 1
        else:
            anchor = trust.issuer(chain[0], later)
            if anchor is None or anchor.encoded != chain[0].encoded:
                return chain, 1, Verdict(SELF_SIGNED)
            untrusted = 0
    while len(chain) < MOST and not chain[-1].self_signed:
        anchor = trust.issuer(chain[-1], later)
        if anchor is None:
            break
        chain.append(anchor)
    if len(chain) > untrusted:
        return chain, untrusted, Verdict()
    if any(certificate.encoded == chain[0].encoded for certificate in trust.named(chain[0].subject.canonical)):
        return chain, 0, Verdict()  # the leaf itself is trusted
    if root is not None and root.issued(chain[-1]):
        return chain, untrusted, Verdict(SELF_SIGNED_IN_CHAIN, len(chain))
    return chain, untrusted, Verdict(UNABLE_TO_GET_ISSUER_LOCALLY, len(chain) - 1)


def _check_extensions(untrusted: Sequence[X509], later: bool) -> Verdict | None:
    length = 0
    for depth, certificate in enumerate(untrusted):
        is_issuer = depth > 0
        if certificate.unhandled_critical:
            return Verdict(UNHANDLED_CRITICAL, depth)
        if is_issuer and not _is_ca(certificate):
            return Verdict(INVALID_CA, depth)
        if not _serves(certificate, is_issuer=is_issuer):
            return Verdict(PURPOSE, depth)
        limited = certificate.path_length is not None and (later or not certificate.self_issued)
        if depth > 1 and limited and certificate.path_length is not None and length > certificate.path_length + 1:
            return Verdict(PATH_LENGTH, depth)
        if not certificate.self_issued or (later and not is_issuer):
            length += 1
    return None


def _is_ca(certificate: X509) -> bool:
    """A root of version 1 has no extensions to say so (check_ca in v3_purp.cc)."""
    if not certificate.may_use_key(KEY_CERT_SIGN):
        return False
    return certificate.is_ca or (certificate.version == 1 and certificate.self_signed)


def _serves(certificate: X509, *, is_issuer: bool) -> bool:
    allowed = certificate.extended_key_usage
    if allowed is not None and not allowed & SERVER_AUTH:
        return False
    return is_issuer or certificate.may_use_key(DIGITAL_SIGNATURE | KEY_ENCIPHERMENT | KEY_AGREEMENT)


def _check_signatures(chain: Sequence[X509], now: datetime) -> Verdict | None:
    """Signatures and dates, from the anchor down; the anchor's own signature says nothing."""
    for depth in range(len(chain) - 1, -1, -1):
        certificate = chain[depth]
        if depth + 1 < len(chain):
            bad = signatures.check(certificate, chain[depth + 1])
            if bad is not None:
                return Verdict(UNDECODABLE_KEY if bad.undecodable else BAD_SIGNATURE, depth, bad.words)
        if certificate.odd_times[0]:
            return Verdict(ODD_BEGIN, depth)
        if certificate.not_before > now:
            return Verdict(NOT_YET_VALID, depth)
        if certificate.odd_times[1]:
            return Verdict(ODD_END, depth)
        if certificate.not_after < now:
            return Verdict(EXPIRED, depth)
    return None


def _check_names(chain: Sequence[X509], later: bool) -> Verdict | None:
    """Each certificate against the constraints of all above it, the anchor's too."""
    constrained = False
    limits = [name_constraints.limits(above.constraints, later) if above.constraints else None for above in chain]
    for depth in range(len(chain) - 1, -1, -1):
        if depth and chain[depth].self_issued:
            continue
        if above := [limit for limit in limits[:depth:-1] if limit is not None]:
            constrained = True
            names = name_constraints.names(chain[depth], later)
            if error := next(filter(None, (name_constraints.check(names, limit) for limit in above)), 0):
                return Verdict(error, depth)
    if constrained and name_constraints.hides_a_host(chain[0]):
        return Verdict(CONSTRAINTS_WITHOUT_NAMES, -1)  # what both print
    return None


def _check_policies(chain: Sequence[X509], later: bool) -> Verdict:
    try:
        return Verdict(policies.check(chain, later=later))
    except policies.Invalid as invalid:
        return Verdict(policies.INVALID, before=invalid.words and f"{invalid.words}|")
