"""Certificate policies as BoringSSL checks them: they matter only where a CA requires an explicit one.

Source: BoringSSL's crypto/x509/policy.cc, which is RFC 5280, 6.1, with any policy acceptable to the user.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import der
from .x509 import X509

INVALID, NO_EXPLICIT_POLICY = 42, 43  # X509_V_ERR numbers
POLICIES, MAPPINGS, CONSTRAINTS, INHIBIT_ANY = "2.5.29.32", "2.5.29.33", "2.5.29.36", "2.5.29.54"
ANY = "2.5.29.32.0"
STRICT = {CONSTRAINTS, MAPPINGS, INHIBIT_ANY}
"""Extensions that can make a chain invalid; policies alone cannot, if they can be read."""


class Invalid(der.Malformed):
    """The extensions break their rules. wordless: BoringSSL's error queue says nothing of it."""

    def __init__(self, message: str, *, wordless: bool = False) -> None:
        super().__init__(message)
        self.wordless = wordless


def check(chain: Sequence[X509]) -> int:
    """The X509_V_ERR number for the policies of a chain, leaf first, trust anchor last; 0 where they are fine. Raises Invalid."""
    try:
        if len(chain) < 2 or not any(CONSTRAINTS in certificate.extensions for certificate in chain):
            return _syntax(chain)
        return _check(chain)
    except Invalid:
        raise
    except der.Malformed as error:
        raise Invalid(str(error)) from error


def _syntax(chain: Sequence[X509]) -> int:
    """Without a CA that requires a policy only mistakes in the extensions count."""
    for depth in range(len(chain) - 2, -1, -1):  # from the CA down: the first mistake counts
        _policies(chain[depth])
        if depth:
            _mappings(chain[depth])
        _inhibit(chain[depth])
    return 0


def _value(certificate: X509, oid: str) -> bytes | None:
    """The extension of that OID, None where there is none. Raises Invalid where there are two."""
    if oid in certificate.repeated:
        raise Invalid("an extension that stands there twice", wordless=True)
    return certificate.extensions.get(oid)


def _check(chain: Sequence[X509]) -> int:
    size = len(chain)
    explicit = mapping = inhibit = size + 1  # certificates that may pass before each one applies
    valid: set[str] = {ANY}
    for depth in range(size - 2, -1, -1):
        certificate = chain[depth]
        own = _policies(certificate)
        if own is None:
            valid = set()
        else:
            any_allowed = inhibit > 0 or (depth > 0 and certificate.self_issued)
            added = own - {ANY} if ANY in valid else set()
            if ANY not in own or not any_allowed:
                valid = valid & (own - {ANY})
            valid = valid | added
        if not explicit and not valid:
            return NO_EXPLICIT_POLICY
        if depth:
            valid = _mapped(valid, _mappings(certificate), allowed=mapping > 0)
        if not depth or not certificate.self_issued:
            explicit, mapping, inhibit = max(explicit - 1, 0), max(mapping - 1, 0), max(inhibit - 1, 0)
        require, forbid = _constraints(certificate)
        explicit, mapping, inhibit = min(explicit, require), min(mapping, forbid), min(inhibit, _inhibit(certificate))
    return NO_EXPLICIT_POLICY if not explicit and not valid else 0


def _mapped(valid: set[str], mappings: Sequence[tuple[str, str]], *, allowed: bool) -> set[str]:
    """The policies that the next certificate may have, after the CA's mappings (RFC 5280, 6.1.4 a and b)."""
    sources = {issuer for issuer, _ in mappings}
    if not allowed:
        return valid - sources
    return (valid - sources) | {subject for issuer, subject in mappings if issuer in valid or ANY in valid}


def _policies(certificate: X509) -> set[str] | None:
    data = _value(certificate, POLICIES)
    if data is None:
        return None
    found = [der.oid(next(der.items(value))[1]) for _, value in der.items(der.content(data, der.SEQUENCE)) if value]
    if not found or len(set(found)) < len(found):
        raise der.Malformed("policies that are none, or twice the same")
    return set(found)


def _mappings(certificate: X509) -> list[tuple[str, str]]:
    data = _value(certificate, MAPPINGS)
    if data is None:
        return []
    pairs = []
    for _, value in der.items(der.content(data, der.SEQUENCE)):
        oids = [der.oid(oid) for _, oid in der.items(value)]
        if len(oids) != 2:
            raise der.Malformed("a policy mapping that is none")
        if ANY in oids:
            raise Invalid("a mapping of any policy", wordless=True)
        pairs.append((oids[0], oids[1]))
    if not pairs:
        raise der.Malformed("no policy mappings")
    return pairs


def _constraints(certificate: X509) -> tuple[int, int]:
    """requireExplicitPolicy and inhibitPolicyMapping: after how many certificates they apply; a large number for never."""
    data = _value(certificate, CONSTRAINTS)
    if data is None:
        return _NEVER, _NEVER
    found = {tag: der.integer(value) for tag, value in der.items(der.content(data, der.SEQUENCE))}
    if not found or min(found.values()) < 0:
        raise der.Malformed("policy constraints that are none")
    return found.get(0x80, _NEVER), found.get(0x81, _NEVER)


def _inhibit(certificate: X509) -> int:
    data = _value(certificate, INHIBIT_ANY)
    if data is None:
        return _NEVER
    skip = der.integer(der.content(data, der.INTEGER))
    if skip < 0:
        raise der.Malformed("inhibitAnyPolicy below zero")
    return skip


_NEVER = 1 << 62
