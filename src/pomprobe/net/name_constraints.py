"""Name constraints as BoringSSL checks them (crypto/x509/v3_ncons.cc, as in Envoy 1.37 and 1.40): DNS, mail, URI and directory names only.

Results are X509_V_ERR numbers, 0 for none.
"""

from __future__ import annotations

from collections.abc import Iterator

from .x509 import X509
from .x509_extensions import DIRECTORY, DNS, RFC822, URI, Constraints, GeneralName, Subtree
from .x509_name import COMMON_NAME, EMAIL

PERMITTED_VIOLATION, EXCLUDED_VIOLATION, SUBTREE_BOUNDS = 47, 48, 49
UNSUPPORTED_TYPE, UNSUPPORTED_CONSTRAINT, UNSUPPORTED_NAME = 51, 52, 53
UNSPECIFIED = 1
MOST = 1 << 20  # names times constraints, against certificates made to keep a client busy
_IA5 = 0x16


def check(certificate: X509, constraints: Constraints, later: bool = False) -> int:
    """Do the names of a certificate obey the constraints of a CA above it? later: as Envoy 1.40 reads them."""
    alt_names = certificate.alt_names or ()
    names = len(certificate.subject.attributes) + len(alt_names)
    if names * (len(constraints.permitted) + len(constraints.excluded)) > MOST:
        return UNSPECIFIED
    for name in (*_of_subject(certificate), *alt_names):
        if name.kind == RFC822 and name.name is not None:
            return UNSUPPORTED_NAME
        error = _check(name, constraints, later)
        if error:
            return error
    return 0


def hides_a_host(certificate: X509) -> bool:
    """A common name that looks like a host, without a subjectAltName: constraints cannot see it, so BoringSSL refuses it."""
    return certificate.alt_names is None and any(
        _looks_like_host(attribute.text) for attribute in certificate.subject.attributes if attribute.oid == COMMON_NAME
    )


def _of_subject(certificate: X509) -> Iterator[GeneralName]:
    subject = certificate.subject
    if subject.attributes:
        yield GeneralName(DIRECTORY, b"", subject)
    for attribute in subject.attributes:
        if attribute.oid == EMAIL:
            # A mail address that is no IA5String cannot be compared; `name` marks it.
            yield GeneralName(RFC822, attribute.text.encode(), None if attribute.tag == _IA5 else subject)


def _check(name: GeneralName, constraints: Constraints, later: bool) -> int:
    permitted: bool | None = None
    for tree in constraints.permitted:
        if tree.base.kind != name.kind:
            continue
        if tree.bounded:
            return SUBTREE_BOUNDS
        if permitted:
            continue
        error = _within(name, tree, later)
        if error not in (0, PERMITTED_VIOLATION):
            return error
        permitted = not error
    if permitted is False:
        return PERMITTED_VIOLATION
    for tree in constraints.excluded:
        if tree.base.kind != name.kind:
            continue
        error = SUBTREE_BOUNDS if tree.bounded else _within(name, tree, later, excluding=True)
        if error != PERMITTED_VIOLATION:
            return error or EXCLUDED_VIOLATION
    return 0


def _within(name: GeneralName, tree: Subtree, later: bool, *, excluding: bool = False) -> int:
    """0 where the name lies in the subtree, PERMITTED_VIOLATION where not, else what cannot be understood."""
    base = tree.base
    if name.kind == DIRECTORY and name.name and base.name:
        return 0 if name.name.canonical.startswith(base.name.canonical) else PERMITTED_VIOLATION
    value, limit = name.value.decode("latin-1").lower(), base.value.decode("latin-1").lower()
    if name.kind == DNS:
        return _dns(value, limit, excluding) if later else _dns_before(value, limit)
    if name.kind == RFC822:
        return _mail(value, limit)
    if name.kind == URI:
        return _uri(value, limit)
    return UNSUPPORTED_TYPE


def _dns(value: str, limit: str, excluding: bool) -> int:
    """Without the dot at the end; a wildcard lies in what is excluded below the same name (nc_dns since 2026)."""
    if not limit:
        return 0
    value, limit = value.removesuffix("."), limit.removesuffix(".")
    if excluding and value.startswith("*.") and "." in limit and value[2:] == limit.partition(".")[2]:
        return 0
    return _dns_before(value, limit)


def _dns_before(value: str, limit: str) -> int:
    inside = not limit or value == limit or value.endswith(limit if limit.startswith(".") else "." + limit)
    return 0 if inside else PERMITTED_VIOLATION


def _mail(value: str, limit: str) -> int:
    if value.count("@") != 1 or limit.count("@") > 1:
        return UNSUPPORTED_NAME
    domain = value.partition("@")[2]
    inside = value == limit or (domain.endswith(limit) if limit.startswith(".") else domain == limit)
    return 0 if inside else PERMITTED_VIOLATION


def _uri(value: str, limit: str) -> int:
    scheme, found, rest = value.partition("://")
    host = rest.partition("/")[0].partition("?")[0].partition("#")[0].partition(":")[0]
    if not scheme or not found or not host:
        return UNSUPPORTED_NAME
    inside = host.endswith(limit) if limit.startswith(".") else host == limit
    return 0 if inside else PERMITTED_VIOLATION


def _looks_like_host(text: str) -> bool:
    """x509v3_looks_like_dns_name: labels of letters, digits, `-`, `_` and `:`, maybe below a wildcard."""
    labels = text.removesuffix(".").removeprefix("*.").split(".")
    return all(label and not label.startswith("-") and _is_label(label) for label in labels)


def _is_label(label: str) -> bool:
    return label.isascii() and all(c.isalnum() or c in "-_:" for c in label)
