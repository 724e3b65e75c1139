"""Does a certificate name the upstream? Envoy's rules, which are not those of Python or OpenSSL.

Envoy's source/common/tls/utility.cc (dnsNameMatch, labelWildcardMatch), cert_validator/san_matcher.cc;
Pomerium's config/envoyconfig/tls.go (buildSubjectAltNameMatcher).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache


def san_matches(wanted: str, dns_names: Iterable[str], addresses: Iterable[bytes]) -> bool:
    """Is `wanted` named by the subjectAltNames? The common name never counts.

    An address matches iPAddress names only (bytes here); a name with `*` is a pattern over the dNSNames, in which case matters.
    """
    address = _address(wanted)
    if address is not None:
        return address in addresses
    if "*" in wanted:
        pattern = _pattern(wanted)
        return any(pattern.fullmatch(given) for given in dns_names)
    return any(dns_name_matches(wanted, given) for given in dns_names)


def dns_name_matches(name: str, pattern: str) -> bool:
    """One dNSName against the wanted name: a `*` may stand once in the first label, also within it (`u*.lab.test`).

    Wildcards over a top-level domain are fine, those in A-labels (xn--) are not.
    """
    name, pattern = _lower(name), _lower(pattern)
    if name == pattern:
        return True
    label, dot, rest = name.partition(".")
    wild, pattern_dot, pattern_rest = pattern.partition(".")
    if not dot or not pattern_dot or rest != pattern_rest:
        return False
    if wild.count("*") != 1 or wild.startswith("xn--"):
        return False
    head, _, tail = wild.partition("*")
    return wild == "*" or (len(label) + 1 >= len(wild) and label.startswith(head) and label.endswith(tail))


def _lower(name: str) -> str:
    """ASCII only, as absl::AsciiStrToLower: other letters keep their case."""
    return name.lower() if name.isascii() else "".join(c.lower() if c.isascii() else c for c in name)


@lru_cache(maxsize=1024)
def _pattern(wanted: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in wanted.split("*")))


@lru_cache(maxsize=1024)
def _address(text: str) -> bytes | None:
    """The bytes of an address, without its zone (Go's netip.ParseAddr takes one, and Pomerium strips it)."""
    try:
        return ipaddress.ip_address(text.partition("%")[0]).packed
    except ValueError:
        return None
