"""Name constraints as BoringSSL checks them (crypto/x509/v3_ncons.cc, as in Envoy 1.37 and 1.40): DNS, mail, URI and directory names only.

Results are X509_V_ERR numbers, 0 for none. A million comparisons are allowed (MOST) for each CA, so names and constraints are first turned
into texts of which one lies in the other where it ends like it: str.endswith compares with all constraints at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat

from ..record import Record
from .x509 import X509
from .x509_extensions import DIRECTORY, DNS, RFC822, URI, Constraints, GeneralName, Subtree
from .x509_name import COMMON_NAME, EMAIL

PERMITTED_VIOLATION, EXCLUDED_VIOLATION, SUBTREE_BOUNDS = 47, 48, 49
UNSUPPORTED_TYPE, UNSUPPORTED_CONSTRAINT, UNSUPPORTED_NAME = 51, 52, 53
UNSPECIFIED = 1
MOST = 1 << 20  # names times constraints, against certificates made to keep a client busy
_IA5 = 0x16
_START = "\N{FULL BLOCK}"  # where a whole name or domain begins; no name has it, since a byte of them is a character


class Names(Record, frozen=True):
    """The names of a certificate: kind, text, and why it cannot be compared (0: it can); a name without a kind is an error in any case.

    texts: of those that can, by kind; unreadable: kinds of those that cannot. count: of names as BoringSSL counts them.
    """

    each: tuple[tuple[int | None, str, int], ...]
    texts: Mapping[int | None, Sequence[str]]
    unreadable: frozenset[int | None]
    count: int


class _Trees(Record, frozen=True):
    """The subtrees of one kind of name on one side: what a name in them ends with, up to the first odd one.

    odd: the error of that one. bounded: some tree has bounds; begins_bounded: the first one has.
    """

    endings: tuple[str, ...]
    odd: int
    bounded: bool
    begins_bounded: bool


class Limits(Record, frozen=True):
    """The name constraints of a CA by the kind of name; count: of subtrees."""

    permitted: Mapping[int | None, _Trees]
    excluded: Mapping[int | None, _Trees]
    count: int


def limits(constraints: Constraints, later: bool = False) -> Limits:
    """The constraints of a CA, for names that were read alike. later: as Envoy 1.40 reads them."""
    permitted, excluded = _by_kind(constraints.permitted, later), _by_kind(constraints.excluded, later, excluding=True)
    return Limits(permitted, excluded, len(constraints.permitted) + len(constraints.excluded))


def names(certificate: X509, later: bool = False) -> Names:
    """The names of a certificate, in the order in which they are checked. later: as Envoy 1.40 reads them."""
    alt_names = certificate.alt_names or ()
    each = (*_of_subject(certificate, later), *(_read(name, later) for name in alt_names))
    texts: dict[int | None, list[str]] = {}
    for kind, text, error in each:
        if not error:
            texts.setdefault(kind, []).append(text)
    return Names(each, texts, frozenset(kind for kind, _, error in each if error), len(certificate.subject.attributes) + len(alt_names))


def check(found: Names, limits: Limits) -> int:
    """Do the names of a certificate obey the constraints of a CA above it?"""
    if found.count * limits.count > MOST:
        return UNSPECIFIED
    readable = found.unreadable.isdisjoint((None, *limits.permitted, *limits.excluded))
    if readable and all(_obey(texts, limits.permitted.get(kind), limits.excluded.get(kind)) for kind, texts in found.texts.items()):
        return 0
    return next(filter(None, (_error(name, limits) for name in found.each)))


def hides_a_host(certificate: X509) -> bool:
    """A common name that looks like a host, without a subjectAltName: constraints cannot see it, so BoringSSL refuses it."""
    return certificate.alt_names is None and any(
        _looks_like_host(attribute.text) for attribute in certificate.subject.attributes if attribute.oid == COMMON_NAME
    )


def _of_subject(certificate: X509, later: bool) -> Iterator[tuple[int | None, str, int]]:
    subject = certificate.subject
    if subject.attributes:
        yield _read(GeneralName(DIRECTORY, b"", subject), later)
    for attribute in subject.attributes:
        if attribute.oid == EMAIL:  # one that is no IA5String cannot be compared
            mail = _read(GeneralName(RFC822, attribute.text.encode()), later)
            yield mail if attribute.tag == _IA5 else (None, "", UNSUPPORTED_NAME)


def _read(name: GeneralName, later: bool) -> tuple[int | None, str, int]:
    """Kind, what is compared of it, and why it cannot be."""
    text, error = _text(name), 0
    if name.kind == DNS:
        text = _START + (text.removesuffix(".") if later else text)
    elif name.kind == RFC822:
        text, error = _mail(text), 0 if text.count("@") == 1 else UNSUPPORTED_NAME
    elif name.kind == URI:
        scheme, found, rest = text.partition("://")
        host = rest.partition("/")[0].partition("?")[0].partition("#")[0].partition(":")[0]
        text, error = _START + host, 0 if scheme and found and host else UNSUPPORTED_NAME
    elif name.kind != DIRECTORY:
        error = UNSUPPORTED_TYPE
    return name.kind, text, error


def _text(name: GeneralName) -> str:
    """A byte a character; a directory name from its end, since it lies in what it begins with."""
    return name.name.canonical.decode("latin-1")[::-1] if name.name else name.value.decode("latin-1").lower()


def _mail(text: str) -> str:
    return _START + text.replace("@", "@" + _START)


def _by_kind(subtrees: Sequence[Subtree], later: bool, *, excluding: bool = False) -> Mapping[int | None, _Trees]:
    kinds: dict[int | None, list[Subtree]] = {}
    for tree in subtrees:
        kinds.setdefault(tree.base.kind, []).append(tree)
    return {kind: _trees(trees, later, excluding) for kind, trees in kinds.items()}


def _trees(trees: Sequence[Subtree], later: bool, excluding: bool) -> _Trees:
    oddities = [SUBTREE_BOUNDS if tree.bounded else _oddity(tree.base) for tree in trees]
    odd = next(filter(None, oddities), 0)
    plain = trees[: oddities.index(odd)] if odd else trees
    endings = [ending for tree in plain for ending in _endings(tree.base, later, excluding)]
    return _Trees(tuple(dict.fromkeys(endings)), odd, SUBTREE_BOUNDS in oddities, trees[0].bounded)


def _oddity(base: GeneralName) -> int:
    return UNSUPPORTED_NAME if base.kind == RFC822 and base.value.count(b"@") > 1 else 0


def _endings(base: GeneralName, later: bool, excluding: bool) -> Iterator[str]:
    limit = _text(base)
    if base.kind == DNS:
        limit = limit.removesuffix(".") if later else limit
        yield limit if not limit or limit.startswith(".") else "." + limit
        if later and excluding and "." in limit:  # a wildcard lies in what is excluded below the same name (nc_dns since 2026)
            yield f"{_START}*.{limit.partition('.')[2]}"
    elif base.kind == DIRECTORY or limit.startswith("."):
        yield limit
    if base.kind != DIRECTORY:
        yield _mail(limit) if base.kind == RFC822 else _START + limit


def _obey(texts: Sequence[str], permitted: _Trees | None, excluded: _Trees | None) -> bool:
    """Has _error nothing to say of these names of one kind? At the speed of C."""
    inside = permitted is None or (not permitted.bounded and all(map(str.endswith, texts, repeat(permitted.endings))))
    return inside and (excluded is None or not (excluded.odd or any(map(str.endswith, texts, repeat(excluded.endings)))))


def _error(name: tuple[int | None, str, int], limits: Limits) -> int:
    kind, text, unreadable = name
    if kind is None:
        return unreadable
    if permitted := limits.permitted.get(kind):
        if permitted.begins_bounded or unreadable:
            return SUBTREE_BOUNDS if permitted.begins_bounded else unreadable
        if not text.endswith(permitted.endings):
            return permitted.odd or PERMITTED_VIOLATION
        if permitted.bounded:
            return SUBTREE_BOUNDS
    if excluded := limits.excluded.get(kind):
        if excluded.begins_bounded or unreadable:
            return SUBTREE_BOUNDS if excluded.begins_bounded else unreadable
        return EXCLUDED_VIOLATION if text.endswith(excluded.endings) else excluded.odd
    return 0


def _looks_like_host(text: str) -> bool:
    """x509v3_looks_like_dns_name: labels of letters, digits, `-`, `_` and `:`, maybe below a wildcard."""
    labels = text.removesuffix(".").removeprefix("*.").split(".")
    return all(label and not label.startswith("-") and _is_label(label) for label in labels)


def _is_label(label: str) -> bool:
    return label.isascii() and all(c.isalnum() or c in "-_:" for c in label)
