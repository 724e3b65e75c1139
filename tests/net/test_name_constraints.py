"""Name constraints that are prepared once say what a comparison with one subtree after the other says, as BoringSSL makes it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import Any

import pytest
from cryptography.x509 import DNSName, NameConstraints
from hypothesis import given, settings
from hypothesis import strategies as st

from pomprobe.net import trust_store, verify, x509
from pomprobe.net.name_constraints import (
    EXCLUDED_VIOLATION,
    MOST,
    PERMITTED_VIOLATION,
    SUBTREE_BOUNDS,
    UNSPECIFIED,
    UNSUPPORTED_NAME,
    UNSUPPORTED_TYPE,
    check,
    limits,
    names,
)  # fmt: skip
from pomprobe.net.x509 import X509
from pomprobe.net.x509_extensions import DIRECTORY, DNS, IP, RFC822, URI, Constraints, GeneralName, Subtree
from pomprobe.net.x509_name import EMAIL, Attribute, Name
from pomprobe.record import replace
from servers.certificates import Pair, mint, root
from work import calls

Case = tuple[list[GeneralName], list[str], tuple[Subtree, ...], tuple[Subtree, ...], bool, bool]

# ------------------------------------------------------------------------------- one name and one subtree after the other


def nc_match(name: GeneralName, constraints: Constraints, later: bool) -> int:
    """v3_ncons.cc, nc_match: X509_V_ERR of one name."""
    permitted: bool | None = None
    for tree in constraints.permitted:
        if tree.base.kind != name.kind:
            continue
        if tree.bounded:
            return SUBTREE_BOUNDS
        if not permitted:
            error = nc_match_single(name, tree.base, later, excluding=False)
            if error not in (0, PERMITTED_VIOLATION):
                return error
            permitted = not error
    if permitted is False:
        return PERMITTED_VIOLATION
    for tree in constraints.excluded:
        if tree.base.kind == name.kind:
            error = SUBTREE_BOUNDS if tree.bounded else nc_match_single(name, tree.base, later, excluding=True)
            if error != PERMITTED_VIOLATION:
                return error or EXCLUDED_VIOLATION
    return 0


def nc_match_single(name: GeneralName, base: GeneralName, later: bool, excluding: bool) -> int:
    value, limit = name.value.decode("latin-1").lower(), base.value.decode("latin-1").lower()
    if name.kind == DIRECTORY:
        assert name.name is not None and base.name is not None
        inside = name.name.canonical.startswith(base.name.canonical)
    elif name.kind == DNS:
        inside = in_dns(value, limit, later, excluding)
    elif name.kind == RFC822:
        if value.count("@") != 1 or limit.count("@") > 1:
            return UNSUPPORTED_NAME
        domain = value.partition("@")[2]
        inside = value == limit or (domain.endswith(limit) if limit.startswith(".") else domain == limit)
    elif name.kind == URI:
        scheme, found, rest = value.partition("://")
        host = rest.partition("/")[0].partition("?")[0].partition("#")[0].partition(":")[0]
        if not scheme or not found or not host:
            return UNSUPPORTED_NAME
        inside = host.endswith(limit) if limit.startswith(".") else host == limit
    else:
        return UNSUPPORTED_TYPE
    return 0 if inside else PERMITTED_VIOLATION


def in_dns(value: str, limit: str, later: bool, excluding: bool) -> bool:
    if later:
        value, limit = value.removesuffix("."), limit.removesuffix(".")
        if excluding and value.startswith("*.") and "." in limit and value[2:] == limit.partition(".")[2]:
            return True
    return not limit or value == limit or value.endswith(limit if limit.startswith(".") else "." + limit)


# ------------------------------------------------------------------------------------------------------------ any names

TEXTS = {
    DNS: ["", "a", "A.", "b.a", "b.a.", ".a", "*.a", "*.b.a", "c.b.a", "xb.a", "é.a", ".", "*."],
    RFC822: ["", "a", ".a", "b.a", "a@a", "x@A", "x@b.a", "x@.a", ".a@a", "@a", "a@a@a", "xa@a"],
    URI: ["", "a", ".a", "b.a", "a@a", "x://a", "x://B.a/c", "x://b.a:1", "x://a?b", "x://a#b", "x://a@a", "x://.a", "x:a", "://a", "x://"],
    IP: ["", "\x7f\0\0\1"],
}
NAMES = {kind: [GeneralName(kind, text.encode("latin-1")) for text in texts] for kind, texts in TEXTS.items()}
NAMES[DIRECTORY] = [GeneralName(DIRECTORY, b"", Name(b"".join(x), ())) for n in range(4) for x in product([b"\x01", b"\x02"], repeat=n)]


def _some(of: Sequence[Any], most: int = 3) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(of), max_size=most)


def _subtrees(of: Sequence[GeneralName]) -> st.SearchStrategy[tuple[Subtree, ...]]:
    """Often all of one kind: their order decides."""
    every = [Subtree(base, bounded) for base in of for bounded in (False, False, True)]
    others = [Subtree(base, False) for names in NAMES.values() for base in names]
    return st.one_of(_some(every, 4), _some(every + others, 4)).map(tuple)


CASES = st.sampled_from(sorted(NAMES)).flatmap(
    lambda kind: st.tuples(
        _some(NAMES[kind]), _some(TEXTS[RFC822], 2), _subtrees(NAMES[kind]), _subtrees(NAMES[kind]), st.booleans(), st.booleans()
    )
)


@cache
def _leaf() -> X509:
    return x509.parse(mint("l", root()).der)


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("kind", NAMES)
def test_a_name_is_judged_as_by_one_subtree(kind: int, later: bool) -> None:
    """Every name against every subtree, permitted and excluded."""
    for name, base in product(NAMES[kind], repeat=2):
        certificate = replace(_leaf(), subject=Name(b"", ()), alt_names=(name,))
        for constraints in (Constraints((Subtree(base, False),), ()), Constraints((), (Subtree(base, False),))):
            expected = nc_match(name, constraints, later)
            assert expected == check(names(certificate, later), limits(constraints, later)), (name, constraints)


@settings(max_examples=max(400, settings().max_examples))
@given(CASES)
def test_names_are_judged_as_by_one_subtree_after_the_other(case: Case) -> None:
    """Permitted and excluded, bounded and odd ones at any place: the same error, that of the first name with one.

    The subject, mail addresses in it and alternative names come in this order; a mail address of another type cannot be compared.
    """
    alt_names, mails, permitted, excluded, ia5, later = case
    constraints = Constraints(permitted, excluded)
    subject = Name(b"\x01", tuple(Attribute(EMAIL, 0x16 if ia5 else 0x0C, mail) for mail in mails))
    expected = [nc_match(GeneralName(DIRECTORY, b"", subject), constraints, later)] if mails else []
    expected += [nc_match(GeneralName(RFC822, mail.encode()), constraints, later) if ia5 else UNSUPPORTED_NAME for mail in mails]
    expected += [nc_match(name, constraints, later) for name in alt_names]
    certificate = replace(_leaf(), subject=subject, alt_names=tuple(alt_names))
    assert next(filter(None, expected), 0) == check(names(certificate, later), limits(constraints, later))


def test_too_much_work_is_an_error() -> None:
    """More than a million comparisons (NameConstraintsLimit)."""
    certificate = replace(_leaf(), alt_names=(NAMES[DNS][0],) * 1024)
    assert 0 == check(names(certificate), limits(Constraints((Subtree(NAMES[IP][0], False),) * (MOST // 1025), ())))
    assert UNSPECIFIED == check(names(certificate), limits(Constraints((Subtree(NAMES[IP][0], False),) * (MOST // 1024), ())))


def _constrained_chain(cas: int, subtrees: int, sans: list[str]) -> tuple[Pair, list[Pair]]:
    """A root, and a leaf with these names below so many CAs, each of which permits `test` as its last subtree."""
    permitted = NameConstraints([DNSName(f"h{n}.xxxxxxxxxx.test") for n in range(subtrees - 1)] + [DNSName("test")], None)
    above = [mint("0", ca=True, extensions=[(permitted, True)])]
    for number in range(1, cas):
        above.append(mint(str(number), above[-1], ca=True, extensions=[(permitted, True)]))
    return above[0], [mint("l", above[-1], sans=sans), *reversed(above[1:])]


@pytest.mark.parametrize(
    ("cas", "subtrees", "sans"), [(7, 500, [f"n{n}.test" for n in range(2000)]), (100, 1, ["test"] * 10_000)], ids=["wide", "long"]
)
def test_a_chain_full_of_constraints_costs_little(cas: int, subtrees: int, sans: list[str]) -> None:
    """As much as fits into a handshake: a comparison of each name with each subtree would be MOST calls, and is none."""
    top, sent = _constrained_chain(cas, subtrees, sans)
    chain, roots = [x509.parse(pair.der) for pair in sent], trust_store.read(top.pem)
    verdicts = []
    assert calls(lambda: verdicts.append(verify.verify(chain, roots))) < MOST / 3
    assert [verify.Verdict()] == verdicts
