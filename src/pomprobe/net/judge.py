"""Would Envoy accept what a server sent? Certificates in, a refusal or none out.

Order as in BoringSSL and Envoy's cert_validator/default_validator.cc: can the leaf be read, does its key usage fit TLS 1.3, the chain,
the name, and on TLS 1.2 the key usage last.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from time import time

from ..model import Fact, Facts, Failure, UpstreamTLS
from ..record import Record, field
from . import boringssl, certificates, der, kinship, names, tls_words, trust_store, verify, x509
from .x509 import DIGITAL_SIGNATURE, X509

NO_ISSUER = (2, 20, 21)
"""X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, …_ISSUER_CERT_LOCALLY and …_VERIFY_LEAF_SIGNATURE."""


class Refusal(Record, frozen=True):
    """Why Envoy would end the handshake, with the facts that tell it from other reasons."""

    failure: Failure
    message: str
    facts: Facts = field(default_factory=dict)


def read(sent: Sequence[bytes], *, later: bool = False) -> tuple[X509, ...]:
    """The certificates that can be read, in DER before; none where the first one cannot. later: as Envoy 1.40 sees them."""
    chain = []
    for encoded in sent:
        try:
            chain.append(x509.parse(encoded, later=later))
        except der.Malformed:
            if not chain:
                return ()
    return tuple(chain)


def judge(
    chain: Sequence[X509], options: UpstreamTLS, version: str, *, whole: bool = True, later: bool = False
) -> Refusal | None:
    """The verdict on a chain as the server sent it, on a connection of this TLS version; None where Envoy is content.

    whole: TLS 1.2 alone; did the server's first flight come to its end, before which nobody looks at the key usage?
    later: the verdict of Envoy 1.40.
    """
    if not chain:
        return _tls_error("the certificate cannot be read", tls_words.CANNOT_PARSE_LEAF)
    signs = chain[0].may_use_key(DIGITAL_SIGNATURE)
    if not signs and version == "TLSv1.3":
        return _tls_error("the key usage of the certificate leaves out digital signatures", tls_words.KEY_USAGE)
    refusal = None if options.skip_verify else _chain(chain, options, later) or _name(chain[0], options.match_name)
    if whole and refusal is None and not signs and not certificates.key_type(chain[0]).startswith("RSA"):
        return _tls_error("the key usage of the certificate leaves out digital signatures", tls_words.KEY_USAGE)
    return refusal


def _chain(chain: Sequence[X509], options: UpstreamTLS, later: bool) -> Refusal | None:
    verdict = _verified(tuple(chain), options.trust or b"", int(time()), later)
    if not verdict.code:
        return None
    reason = boringssl.verify_reason(verdict.code)
    facts: dict[str, Fact] = {"verify_code": verdict.code, "reason": reason, "depth": verdict.depth}
    if verdict.code in NO_ISSUER and (related := _relative(chain[-1], options.trust or b"")):
        facts |= {"missing_ca": str(chain[-1].issuer), "related_ca": related}
    return Refusal(Failure.CERTIFICATE_REJECTED, reason, facts | ({"before": verdict.before} if verdict.before else {}))


@lru_cache(maxsize=1024)
def _relative(last: X509, trust: bytes) -> str:
    """The trusted CA that has probably issued the CA that is missing; "" for none."""
    return "" if last.self_issued else kinship.relative(last.issuer, trust_store.read(trust).certificates)


@lru_cache(maxsize=1024)
def _verified(chain: tuple[X509, ...], trust: bytes, second: int, later: bool) -> verify.Verdict:
    """The verdict at a (Unix) second, finer than which no certificate is dated: many servers of a fleet show the same chain."""
    return verify.verify(chain, trust_store.read(trust), datetime.fromtimestamp(second, UTC), later=later)


@lru_cache(maxsize=1024)
def _name(leaf: X509, wanted: str) -> Refusal | None:
    if names.san_matches(wanted, certificates.dns_names(leaf), certificates.addresses(leaf)):
        return None
    return Refusal(Failure.NAME_MISMATCH, f"no name of the certificate matches {wanted!r}")


def _tls_error(message: str, words: str) -> Refusal:
    return Refusal(Failure.TLS_ERROR, message, {"error": message, "reason": words})
