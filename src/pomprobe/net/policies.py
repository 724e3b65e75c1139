"""Certificate policies as BoringSSL checks them: they matter only where a CA requires an explicit one.

Source: BoringSSL's crypto/x509/policy.cc, which is RFC 5280, 6.1, with any policy acceptable to the user.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from . import der, x509_syntax
from .x509 import X509
from .x509_extensions import several

INVALID, NO_EXPLICIT_POLICY = 42, 43  # X509_V_ERR numbers
POLICIES, MAPPINGS, CONSTRAINTS, INHIBIT_ANY = "2.5.29.32", "2.5.29.33", "2.5.29.36", "2.5.29.54"
ANY = "2.5.29.32.0"
STRICT = {CONSTRAINTS, MAPPINGS, INHIBIT_ANY}
"""Extensions that can make a chain invalid; policies alone cannot, if they can be read."""


RULES = "184549520:X.509_certificate_routines:OPENSSL_internal:INVALID_POLICY_EXTENSION"
"""What BoringSSL notes of extensions that it can read and that break their rules."""


Read = Callable[[X509, str], bytes | None]
"""Gives an extension's value, None where there is none; raises Invalid."""


class Invalid(der.Malformed):
    """The extensions are none, or break their rules. words: what BoringSSL's error queue says of it, "" for nothing."""

    def __init__(self, message: str, words: str) -> None:
        super().__init__(message)
        self.words = words


def check(chain: Sequence[X509], *, later: bool = False) -> int:
    """The X509_V_ERR number for the policies of a chain, leaf first, trust anchor last; 0 where they are fine. Raises Invalid.

    later: as Envoy 1.40 reads the extensions.
    """
    read = partial(_value, later=later)
    try:
        if len(chain) < 2 or not any(CONSTRAINTS in certificate.extensions for certificate in chain):
            return _syntax(chain, read)
        return _check(chain, read)
    except Invalid:
        raise
    except der.Malformed as error:
        raise Invalid(str(error), RULES) from error


def _syntax(chain: Sequence[X509], read: Read) -> int:
    """Without a CA that requires a policy only mistakes in the extensions count."""
    for depth in range(len(chain) - 2, -1, -1):  # from the CA down: the first mistake counts
        _policies(read(chain[depth], POLICIES))
        if depth:
            _mappings(read(chain[depth], MAPPINGS))
        _inhibit(read(chain[depth], INHIBIT_ANY))
    return 0


def _value(certificate: X509, oid: str, *, later: bool) -> bytes | None:
    """The extension of that OID, None where there is none. Raises Invalid where there are two, or where it cannot be read."""
    if oid in certificate.repeated:
        raise Invalid("an extension that stands there twice", "")
    value = certificate.extensions.get(oid)
    if value is not None and (words := x509_syntax.of_extension(oid, value, later)):
        raise Invalid("an extension that cannot be read", words)
    return value


def _check(chain: Sequence[X509], read: Read) -> int:
    size = len(chain)
    explicit = mapping = inhibit = size + 1  # certificates that may pass before each one applies
    valid: set[str] = {ANY}
    for depth in range(size - 2, -1, -1):
        certificate = chain[depth]
        own = _policies(read(certificate, POLICIES))
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
            valid = _mapped(valid, _mappings(read(certificate, MAPPINGS)), allowed=mapping > 0)
        if not depth or not certificate.self_issued:
            explicit, mapping, inhibit = max(explicit - 1, 0), max(mapping - 1, 0), max(inhibit - 1, 0)
        require, forbid = _constraints(read(certificate, CONSTRAINTS))
        explicit, mapping = min(explicit, require), min(mapping, forbid)
        inhibit = min(inhibit, _inhibit(read(certificate, INHIBIT_ANY)))
    return NO_EXPLICIT_POLICY if not explicit and not valid else 0


def _mapped(valid: set[str], mappings: Sequence[tuple[str, str]], *, allowed: bool) -> set[str]:
    """The policies that the next certificate may have, after the CA's mappings (RFC 5280, 6.1.4 a and b)."""
    sources = {issuer for issuer, _ in mappings}
    if not allowed:
        return valid - sources
    return (valid - sources) | {subject for issuer, subject in mappings if issuer in valid or ANY in valid}


def _policies(data: bytes | None) -> set[str] | None:
    if data is None:
        return None
    found = [der.oid(next(der.items(value))[1]) for _, value in der.items(several(data)) if value]
    if not found or len(set(found)) < len(found):
        raise der.Malformed("policies that are none, or twice the same")
    return set(found)


def _mappings(data: bytes | None) -> list[tuple[str, str]]:
    if data is None:
        return []
    pairs = []
    for _, value in der.items(several(data)):
        oids = [der.oid(oid) for _, oid in der.items(value)]
        if len(oids) != 2:
            raise der.Malformed("a policy mapping that is none")
        if ANY in oids:
            raise Invalid("a mapping of any policy", "")
        pairs.append((oids[0], oids[1]))
    if not pairs:
        raise der.Malformed("no policy mappings")
    return pairs


def _constraints(data: bytes | None) -> tuple[int, int]:
    """requireExplicitPolicy and inhibitPolicyMapping: after how many certificates they apply; a large number for never."""
    if data is None:
        return _NEVER, _NEVER
    found = {tag: der.integer(value) for tag, value in der.items(der.content(data, der.SEQUENCE))}
    if not found or min(found.values()) < 0:
        raise der.Malformed("policy constraints that are none")
    return found.get(0x80, _NEVER), found.get(0x81, _NEVER)


def _inhibit(data: bytes | None) -> int:
    if data is None:
        return _NEVER
    skip = der.integer(der.content(data, der.INTEGER))
    if skip < 0:
        raise der.Malformed("inhibitAnyPolicy below zero")
    return skip


_NEVER = 1 << 62
