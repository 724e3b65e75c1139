"""Chains that a server may send, good and bad; chain_envoy.txt holds what a real Envoy 1.37 made of each.

A case is what is sent, what is trusted, and the name that is wanted. In the recording "trusted" is an accepted chain; else it is what
Envoy has between `TLS_error:|` and `:TLS_error_end`.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

from servers.certificates import (
    FUTURE,
    HOST,
    PAST,
    Extension,
    Pair,
    intermediate,
    key,
    mint,
    other_root,
    root,
    rsa_key,
    unknown,
)


@dataclass(frozen=True)
class Case:
    """One handshake. version: that of TLS; skip_verify: the route's tls_skip_verify."""

    sent: Sequence[Pair]
    trust: Sequence[Pair]
    wanted: str = HOST
    version: str = "TLSv1.3"
    skip_verify: bool = False


def cases() -> dict[str, Case]:
    """All of them, minted anew."""
    found: dict[str, Case] = {}
    for family in (_trust, _dates, _same_name, _crossed, _authorities, _usages, _key_usages):
        family(found)
    for family in (_constraints, _critical, _policies, _signatures, _orders, _names):
        family(found)
    return found


Cases = dict[str, Case]


def _trust(add: Cases) -> None:
    ours, theirs, middle = root(), other_root(), intermediate()
    leaf, alone, issued = mint("l", ours), mint("l"), mint("l", middle)
    add["trust-root"] = Case([leaf], [ours])
    add["trust-intermediate-sent"] = Case([issued, middle], [ours])
    add["trust-intermediate-missing"] = Case([issued], [ours])
    add["trust-intermediate-only"] = Case([issued], [middle])
    add["trust-intermediate-and-root"] = Case([issued, middle], [middle, ours])
    add["trust-intermediate-and-other"] = Case([issued, middle], [middle, theirs])
    add["trust-root-sent-too"] = Case([leaf, ours], [ours])
    add["trust-other"] = Case([mint("l", theirs)], [ours])
    add["trust-other-sent-too"] = Case([mint("l", theirs), theirs], [ours])
    far = mint("I2", theirs, ca=True)
    add["trust-other-intermediate"] = Case([mint("l", far), far], [ours])
    add["trust-other-intermediate-and-root"] = Case([mint("l", far), far, theirs], [ours])
    add["trust-leaf"] = Case([leaf], [leaf])
    add["trust-self"] = Case([alone], [alone])
    add["trust-self-not"] = Case([alone], [ours])
    purposeless = mint("l", usage="client")
    add["trust-self-for-clients"] = Case([purposeless], [purposeless])
    add["trust-skip"] = Case([alone], [ours], skip_verify=True)


def _dates(add: Cases) -> None:
    ours = root()
    add["dates-expired"] = Case([mint("l", ours, valid=PAST)], [ours])
    add["dates-future"] = Case([mint("l", ours, valid=FUTURE)], [ours])
    add["dates-expired-other"] = Case([mint("l", other_root(), valid=PAST)], [ours])
    add["dates-expired-for-clients"] = Case([mint("l", ours, valid=PAST, usage="client")], [ours])
    add["dates-expired-other-name"] = Case([mint("l", ours, valid=PAST, sans=["other.test"])], [ours])
    old = mint("IE", ours, ca=True, valid=PAST)
    add["dates-intermediate"] = Case([mint("l", old), old], [ours])
    add["dates-intermediate-and-leaf"] = Case([mint("l", old, valid=PAST), old], [ours])
    add["dates-intermediate-trusted"] = Case([mint("l", old)], [old])
    add["dates-intermediate-trusted-and-root"] = Case([mint("l", old)], [ours, old])
    ancient, unborn = mint("RE", ca=True, valid=PAST), mint("RF", ca=True, valid=FUTURE)
    add["dates-root"] = Case([mint("l", ancient)], [ancient])
    add["dates-root-and-leaf"] = Case([mint("l", ancient, valid=PAST)], [ancient])
    add["dates-root-future"] = Case([mint("l", unborn)], [unborn])
    below = mint("ier", ancient, ca=True)
    add["dates-root-above-trusted"] = Case([mint("l", below)], [below, ancient])
    pinned, alone = mint("l", ours, valid=PAST), mint("l", valid=PAST)
    add["dates-leaf-trusted"] = Case([pinned], [pinned])
    add["dates-self-trusted"] = Case([alone], [alone])


def _same_name(add: Cases) -> None:
    """Several CAs of one name: made anew with the same key, or with another."""
    same = key("p256")
    old, new = mint("Twice", ca=True, own_key=same, valid=PAST), mint("Twice", ca=True, own_key=same)
    leaf = mint("l", new)
    add["same-key-old-first"] = Case([leaf], [old, new])
    add["same-key-old-last"] = Case([leaf], [new, old])
    add["same-key-old-sent"] = Case([leaf, old], [new])
    other = mint("Twice", ca=True)
    blind = mint("l", new, authority=False)
    add["same-name-identified"] = Case([leaf], [other])
    add["same-name-blind"] = Case([blind], [other])
    add["same-name-blind-both"] = Case([blind], [other, new])
    add["same-name-blind-both-turned"] = Case([blind], [new, other])
    add["same-name-no-identifier"] = Case([leaf], [mint("Twice", ca=True, identifiers=False)])
    add["same-name-blind-intermediate"] = Case([mint("l", x := mint("Ix", new, ca=True, authority=False)), x], [other])
    four = [mint("Twice", ca=True) for _ in range(4)]
    for number, one in enumerate(four):
        below = mint("l", one, authority=False)
        add[f"same-four-{number}"] = Case([below], four)
        add[f"same-three-{number}"] = Case([below], four[:3])
        mixed = [root(), four[0], other_root(), four[1], intermediate(), four[2], old, four[3]]
        add[f"same-mixed-{number}"] = Case([below], mixed)
    small = mint("TwiceR", ca=True, kind="rsa2048")
    add["same-name-longer-key"] = Case([mint("l", small, authority=False)], [mint("TwiceR", ca=True, kind="rsa3072", identifiers=False)])
    add["same-name-ec-for-rsa"] = Case([mint("l", small, authority=False)], [mint("TwiceR", ca=True, identifiers=False)])
    add["same-name-rsa-for-ec"] = Case([mint("l", mint("TwiceR", ca=True), authority=False)], [small])


def _crossed(add: Cases) -> None:
    """The same CA signed by two others, as public CAs do when a root grows old."""
    own, theirs = key("p256"), other_root()
    mine = mint("X", ca=True, own_key=own)
    by_other = mint("X", theirs, ca=True, own_key=own)
    dead = mint("DST", ca=True, valid=PAST)
    by_dead = mint("X", dead, ca=True, own_key=own)
    leaf = mint("l", mine)
    add["crossed-sent"] = Case([leaf, by_other], [mine])
    add["crossed-other-trusted"] = Case([leaf, by_other], [theirs])
    add["crossed-dead-sent"] = Case([leaf, by_dead], [mine])
    add["crossed-dead-sent-with-root"] = Case([leaf, by_dead, dead], [mine])
    add["crossed-dead-trusted"] = Case([leaf, by_dead], [dead])
    add["crossed-both-trusted"] = Case([leaf, by_dead], [dead, mine])
    add["crossed-both-trusted-turned"] = Case([leaf, by_dead], [mine, dead])


def _authorities(add: Cases) -> None:
    """What is a CA: nobody asks a trusted certificate, everybody a sent one."""
    ours = root()
    for name, options in {
        "plain": {},
        "nothing": {"constraints": False},
        "key-usage": {"constraints": False, "key_usage": ["key_cert_sign"]},
    }.items():
        below = mint("N" + name, ours, usage=None, sans=(), **options)  # type: ignore[arg-type]
        add[f"authority-intermediate-{name}"] = Case([mint("l", below), below], [ours])
        add[f"authority-intermediate-{name}-trusted"] = Case([mint("l", below)], [below])
        top = mint("N" + name, usage=None, sans=(), **options)  # type: ignore[arg-type]
        add[f"authority-root-{name}"] = Case([mint("l", top)], [top])
    no_sign = mint("N6", ca=True, key_usage=["digital_signature"])
    add["authority-root-may-not-sign"] = Case([mint("l", no_sign)], [no_sign])
    below = mint("N7", ours, ca=True, key_usage=["digital_signature"])
    add["authority-intermediate-may-not-sign"] = Case([mint("l", below), below], [ours])
    bare = mint("N9", ca=True, identifiers=False)
    add["authority-root-without-identifier"] = Case([mint("l", bare, identifiers=False, authority=False)], [bare])
    short = mint("P0", ours, ca=True, path_length=0)
    deeper = mint("P1", short, ca=True)
    add["authority-path-length"] = Case([mint("l", deeper), deeper, short], [ours])
    short_root = mint("RP", ca=True, path_length=0)
    deeper = mint("IP", short_root, ca=True)
    add["authority-path-length-root"] = Case([mint("l", deeper), deeper], [short_root])
    san: Extension = (x509.SubjectAlternativeName([x509.DNSName(HOST)]), False)
    signing = mint("l", ours, ca=True, key_usage=["key_cert_sign", "digital_signature"], extensions=[san])
    add["authority-as-leaf"] = Case([signing], [ours])
    alone = mint("l", ca=True, extensions=[san])
    add["authority-as-leaf-trusted"] = Case([alone], [alone])
    add["authority-as-leaf-untrusted"] = Case([alone], [ours])
    add["authority-mismatch"] = Case([mint("l", ours, authority_key=key("p256"))], [ours])


def _usages(add: Cases) -> None:
    ours = root()
    for usage in ("client", "any", "server+client", "code", None):
        add[f"usage-{usage}"] = Case([mint("l", ours, usage=usage)], [ours])
    for usage in ("client", "any", "code"):
        below, top = mint("middle" + usage, ours, ca=True, usage=usage), mint("ours" + usage, ca=True, usage=usage)
        add[f"usage-intermediate-{usage}"] = Case([mint("l", below), below], [ours])
        add[f"usage-root-{usage}"] = Case([mint("l", top)], [top])


def _key_usages(add: Cases) -> None:
    ours = root()
    for bit in ("digital_signature", "key_encipherment", "key_agreement", "data_encipherment", "key_cert_sign", "content_commitment"):
        for kind in ("p256", "rsa2048"):
            leaf = mint("l", ours, key_usage=[bit], kind=kind)
            add[f"bits-{bit}-{kind}-13"] = Case([leaf], [ours])
            if kind == "rsa2048":  # no OpenSSL server shows an EC certificate on TLS 1.2 that may not sign
                add[f"bits-{bit}-{kind}-12"] = Case([leaf], [ours], version="TLSv1.2")
    unfit = mint("l", ours, key_usage=["key_encipherment"], kind="rsa2048")
    add["bits-skip"] = Case([unfit], [ours], skip_verify=True)
    add["bits-other"] = Case([mint("l", other_root(), key_usage=["key_encipherment"], kind="rsa2048")], [ours])
    add["bits-expired"] = Case([mint("l", ours, key_usage=["key_encipherment"], kind="rsa2048", valid=PAST)], [ours])


def _constrained(
    permitted: x509.GeneralName | None, excluded: x509.GeneralName | None = None, issuer: Pair | None = None
) -> Pair:
    constraints = x509.NameConstraints([permitted] if permitted else None, [excluded] if excluded else None)
    return mint("NC", issuer, ca=True, extensions=[(constraints, True)])


def _constraints(add: Cases) -> None:
    dns, mail, uri = x509.DNSName, x509.RFC822Name, x509.UniformResourceIdentifier

    def below(permitted: x509.GeneralName | None, name: str, excluded: x509.GeneralName | None = None, **leaf: object) -> None:
        wanted = leaf.pop("wanted", HOST)
        top = _constrained(permitted, excluded)
        add[f"constraints-{name}"] = Case([mint(issuer=top, **leaf)], [top], wanted=str(wanted))  # type: ignore[arg-type]

    below(dns("lab.test"), "inside")
    below(dns("other.test"), "outside")
    below(None, "excluded", excluded=dns("lab.test"))
    below(None, "excluded-other", excluded=dns("other.test"))
    below(None, "excluded-wildcard", excluded=dns("x.lab.test"), sans=["*.lab.test"])
    below(dns(".lab.test"), "leading-dot")
    below(dns("LAB.TEST"), "case")
    below(dns("up.lab.test"), "wildcard", sans=["*.lab.test"])
    below(dns("other.test"), "outside-expired", valid=PAST)
    below(x509.IPAddress(ipaddress.ip_network("10.0.0.0/8")), "address", sans=["127.0.0.1"], wanted="127.0.0.1")
    below(x509.IPAddress(ipaddress.ip_network("10.0.0.0/8")), "address-host")
    below(dns("lab.test"), "common-name-outside", common_name="other.test", sans=[])
    below(dns("lab.test"), "common-name-inside", common_name=HOST, sans=[])
    below(dns("lab.test"), "common-name-beside", common_name="evil.test")
    below(dns("lab.test"), "common-name-words", common_name="evil corp", sans=[])
    below(mail("lab.test"), "mail")
    below(mail("lab.test"), "mail-inside", sans=[HOST, mail("a@lab.test")])
    below(mail("lab.test"), "mail-outside", sans=[HOST, mail("a@other.test")])
    below(mail(".lab.test"), "mail-below", sans=[HOST, mail("a@x.lab.test")])
    below(mail("a@lab.test"), "mail-one", sans=[HOST, mail("b@lab.test")])
    below(uri("lab.test"), "uri-outside", sans=[HOST, uri("http://other/")])
    below(uri("lab.test"), "uri-inside", sans=[HOST, uri("http://lab.test:80/x")])
    below(uri(".lab.test"), "uri-below", sans=[HOST, uri("http://x.lab.test/")])
    below(uri("lab.test"), "uri-none", sans=[HOST, uri("urn:x")])
    lab = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Lab")])
    longer = x509.Name([*lab, x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    shouted = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, " LAB "), x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    below(x509.DirectoryName(lab), "directory-outside")
    below(x509.DirectoryName(lab), "directory-inside", subject=longer)
    below(x509.DirectoryName(lab), "directory-case", subject=shouted)
    below(x509.RegisteredID(ObjectIdentifier("1.2.3")), "unknown")
    below(x509.RegisteredID(ObjectIdentifier("1.2.3")), "unknown-used", sans=[HOST, x509.RegisteredID(ObjectIdentifier("1.2.3"))])
    address = x509.Name([x509.NameAttribute(NameOID.EMAIL_ADDRESS, "a@other.test")])
    below(mail("lab.test"), "mail-in-subject", subject=address)
    inner = _constrained(dns("other.test"), issuer=root())
    add["constraints-intermediate"] = Case([mint("l", inner), inner], [root()])
    add["constraints-intermediate-trusted"] = Case([mint("l", inner)], [inner])


def _critical(add: Cases) -> None:
    ours, odd = root(), (unknown("1.2.3.4"), True)
    add["critical-leaf"] = Case([mint("l", ours, extensions=[odd])], [ours])
    add["critical-leaf-expired"] = Case([mint("l", ours, valid=PAST, extensions=[odd])], [ours])
    add["critical-leaf-for-clients"] = Case([mint("l", ours, usage="client", extensions=[odd])], [ours])
    add["critical-not"] = Case([mint("l", ours, extensions=[(unknown("1.2.3.4"), False)])], [ours])
    pinned, top = mint("l", ours, extensions=[odd]), mint("cr", ca=True, extensions=[odd])
    below = mint("ci", ours, ca=True, extensions=[odd])
    add["critical-leaf-trusted"] = Case([pinned], [pinned])
    add["critical-root"] = Case([mint("l", top)], [top])
    add["critical-intermediate"] = Case([mint("l", below), below], [ours])
    add["critical-staple"] = Case([mint("l", ours, extensions=[(x509.TLSFeature([x509.TLSFeatureType.status_request]), True)])], [ours])
    add["critical-crl-points"] = Case([mint("l", ours, extensions=[(unknown("2.5.29.31", b"\x30\x00"), True)])], [ours])


def _policies(add: Cases) -> None:
    ours = root()

    def policies(*oids: str) -> Extension:
        return x509.CertificatePolicies([x509.PolicyInformation(ObjectIdentifier(oid), None) for oid in oids]), False

    require = (x509.PolicyConstraints(0, None), True)
    add["policies-plain"] = Case([mint("l", ours, extensions=[policies("1.2.3")])], [ours])
    for name, top, leaf in (
        ("none", [], []),
        ("leaf-only", [], [policies("1.2.3")]),
        ("same", [policies("1.2.3")], [policies("1.2.3")]),
        ("other", [policies("1.2.3")], [policies("1.2.4")]),
        ("any-above", [policies("2.5.29.32.0")], [policies("1.2.4")]),
        ("any-below", [policies("1.2.3")], [policies("2.5.29.32.0")]),
    ):
        below = mint("PI", ours, ca=True, extensions=[require, *top])
        add[f"policies-required-{name}"] = Case([mint("l", below, extensions=leaf), below], [ours])
    forbid = (x509.InhibitAnyPolicy(0), True)
    below = mint("PA", ours, ca=True, extensions=[require, forbid, policies("1.2.3")])
    add["policies-any-forbidden"] = Case([mint("l", below, extensions=[policies("2.5.29.32.0")]), below], [ours])
    anchor = mint("PR", ca=True, extensions=[require])
    add["policies-required-by-root"] = Case([mint("l", anchor)], [anchor])
    below = mint("P1", ours, ca=True, extensions=[(x509.PolicyConstraints(1, None), True)])
    add["policies-required-later"] = Case([mint("l", below), below], [ours])
    mapped = (unknown("2.5.29.33", bytes.fromhex("300a300806022a0306022a04")), False)  # 1.2.3 -> 1.2.4
    below = mint("PM", ours, ca=True, extensions=[require, policies("1.2.3"), mapped])
    add["policies-mapped"] = Case([mint("l", below, extensions=[policies("1.2.4")]), below], [ours])
    add["policies-mapped-away"] = Case([mint("l", below, extensions=[policies("1.2.3")]), below], [ours])
    both = (x509.PolicyConstraints(0, 0), True)
    below = mint("PN", ours, ca=True, extensions=[both, policies("1.2.3"), mapped])
    add["policies-mapping-forbidden-later"] = Case([mint("l", below, extensions=[policies("1.2.4")]), below], [ours])


def _signatures(add: Cases) -> None:
    ours = root()
    for kind in ("p384", "p521", "p224", "ed25519", "ed448", "rsa2048", "rsa3072"):
        top = mint("CA" + kind, ca=True, kind=kind)
        add[f"signature-{kind}"] = Case([mint("l", top)], [top])
    rsa = mint("RS", ca=True, kind="rsa2048")
    add["signature-pss"] = Case([mint("l", rsa, pss=True)], [rsa])
    add["signature-bad"] = Case([mint("l", ours, signing_key=key("p256"))], [ours])
    add["signature-bad-expired"] = Case([mint("l", ours, signing_key=key("p256"), valid=PAST)], [ours])
    below = mint("BI", ours, ca=True, signing_key=key("p256"))
    add["signature-bad-intermediate"] = Case([mint("l", below), below], [ours])
    shorter = rsa_key(2047)  # as many bytes, and below every modulus of 2048 bits, which another such key's signature is not always
    add["signature-bad-rsa"] = Case([mint("l", rsa, signing_key=shorter)], [rsa])
    add["signature-bad-rsa-length"] = Case([mint("l", rsa, signing_key=rsa_key(3072))], [rsa])
    edwards = mint("ED", ca=True, kind="ed25519")
    add["signature-bad-ed25519"] = Case([mint("l", edwards, signing_key=key("ed25519"))], [edwards])
    add["signature-weak-key"] = Case([mint("l", ours, kind="rsa1024")], [ours])


def _orders(add: Cases) -> None:
    ours, theirs = root(), other_root()
    upper = mint("J", ours, ca=True)
    lower = mint("K", upper, ca=True)
    leaf = mint("l", lower)
    add["order-right"] = Case([leaf, lower, upper], [ours])
    add["order-turned"] = Case([leaf, upper, lower], [ours])
    add["order-extra"] = Case([leaf, theirs, lower, intermediate(), upper], [ours])
    add["order-twice"] = Case([leaf, lower, lower, upper, upper], [ours])
    add["order-gap"] = Case([leaf, upper], [ours])
    add["order-open"] = Case([leaf, lower], [ours])
    for depth in (9, 99, 101):
        chain = [ours]
        for number in range(depth):
            chain.append(mint(f"D{number}", chain[-1], ca=True))
        chain.append(mint("l", chain[-1]))
        add[f"order-deep-{depth}"] = Case(chain[:0:-1], [ours])


NAMES: tuple[tuple[str, str, tuple[str | x509.GeneralName, ...]], ...] = (
    ("same", HOST, (HOST,)),
    ("other", HOST, ("other.lab.test",)),
    ("second", HOST, ("other.lab.test", HOST)),
    ("case", "UP.lab.test", ("up.LAB.test",)),
    ("wild", HOST, ("*.lab.test",)),
    ("wild-two-labels", "a.b.lab.test", ("*.lab.test",)),
    ("wild-apex", "lab.test", ("*.lab.test",)),
    ("wild-tld", "lab.test", ("*.test",)),
    ("wild-all", HOST, ("*",)),
    ("wild-one-label", "test", ("*",)),
    ("wild-end", HOST, ("u*.lab.test",)),
    ("wild-start", HOST, ("*p.lab.test",)),
    ("wild-middle", HOST, ("u*p.lab.test",)),
    ("wild-nothing", HOST, ("up*.lab.test",)),
    ("wild-overlap", "aba.lab.test", ("ab*ba.lab.test",)),
    ("wild-double", HOST, ("**.lab.test",)),
    ("wild-second-label", HOST, ("up.*.test",)),
    ("wild-two", HOST, ("*.*.test",)),
    ("wild-ace", "xn--u.lab.test", ("xn--*.lab.test",)),
    ("wild-ace-name", "xn--u.lab.test", ("x*.lab.test",)),
    ("wild-underscore", "a_b.lab.test", ("*.lab.test",)),
    ("pattern", "*.lab.test", (HOST,)),
    ("pattern-case", "*.LAB.test", (HOST,)),
    ("pattern-literal", "*.lab.test", ("*.lab.test",)),
    ("pattern-start", "u*.lab.test", (HOST,)),
    ("pattern-all", "*", (HOST,)),
    ("pattern-dots", "*.test", (HOST,)),
    ("pattern-partial", "*lab", (HOST,)),
    ("dot", "up.lab.test.", (HOST,)),
    ("dot-both", "up.lab.test.", ("up.lab.test.",)),
    ("address", "127.0.0.1", ("127.0.0.1",)),
    ("address-other", "127.0.0.1", ("127.0.0.2",)),
    ("address-for-host", HOST, ("127.0.0.1",)),
    ("host-for-address", "127.0.0.1", (HOST,)),
    ("address-as-host", "127.0.0.1", (x509.DNSName("127.0.0.1"),)),
    ("address-6", "::1", ("::1",)),
    ("address-6-long", "0:0::1", ("::1",)),
    ("address-6-mapped", "::ffff:1.2.3.4", ("::ffff:1.2.3.4",)),
    ("address-4-mapped", "1.2.3.4", ("::ffff:1.2.3.4",)),
    ("mail", HOST, (x509.RFC822Name("a@up.lab.test"),)),
    ("uri", HOST, (x509.UniformResourceIdentifier("https://up.lab.test"),)),
    ("none", HOST, ()),
)


def _names(add: Cases) -> None:
    ours = root()
    for name, wanted, sans in NAMES:
        add[f"names-{name}"] = Case([mint(HOST, ours, sans=sans)], [ours], wanted=wanted)
    for name, raw in {
        "latin": b"\x82\x02\xc3\xbc\x82\x0bup.lab.test",
        "nul": b"\x82\x0cup.lab.test\x00",
        "address-of-3-bytes": b"\x87\x03abc\x82\x0bup.lab.test",
        "empty": b"\x82\x00\x82\x0bup.lab.test",
        "nothing": b"",
    }.items():
        extension = unknown("2.5.29.17", bytes((0x30, len(raw))) + raw)
        add[f"names-raw-{name}"] = Case([mint("l", ours, sans=(), extensions=[(extension, False)])], [ours])


@functools.cache
def all_cases() -> dict[str, Case]:
    return cases()
