"""TLS upstreams: names of every kind, chains, usages, constraints, and what a server sends with them."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Callable, Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage
from cryptography.x509.oid import NameOID

from servers.certificates import BITS

from ..scenes.tls import Terms
from .chains import CA_USAGE, DAY, FITTING, NAME, NOW, Chain, Extensions, Made, case, direct, make, middle, names, root, under

SANS: dict[str, tuple[str, Extensions]] = {
    "exact": (NAME, names(NAME)),
    "other": (NAME, names("other.test")),
    "upper-san": (NAME, names("UP.LAB.TEST")),
    "upper-to": ("UP.lab.test", names(NAME)),
    "wildcard": (NAME, names("*.lab.test")),
    "wildcard-two": ("a.up.lab.test", names("*.lab.test")),
    "wildcard-apex": ("lab.test", names("*.lab.test")),
    "wildcard-partial": (NAME, names("u*.lab.test")),
    "wildcard-partial-end": (NAME, names("*p.lab.test")),
    "wildcard-middle": (NAME, names("u*p.lab.test")),
    "wildcard-only": (NAME, names("*")),
    "wildcard-tld": ("lab.test", names("*.test")),
    "wildcard-inner": (NAME, names("up.*.test")),
    "wildcard-double": (NAME, names("*.*.test")),
    "wildcard-idn": ("xn--bcher-kva.lab.test", names("x*.lab.test")),
    "wildcard-upper": (NAME, names("*.LAB.TEST")),
    "wildcard-for-ip": ("127.0.0.1", names("*.0.0.1")),
    "dot-san": (NAME, names(NAME + ".")),
    "dot-to": (NAME + ".", names(NAME)),
    "dot-both": (NAME + ".", names(NAME + ".")),
    "ip": ("127.0.0.1", names("127.0.0.1")),
    "ip-as-dns": ("127.0.0.1", names(x509.DNSName("127.0.0.1"))),
    "ip-other": ("127.0.0.1", names("127.0.0.2")),
    "ip6": ("::1", names("::1")),
    "ip6-long": ("0:0:0:0:0:0:0:1", names("::1")),
    "ip6-mapped": ("127.0.0.1", names("::ffff:127.0.0.1")),
    "dns-as-uri": (NAME, names(x509.UniformResourceIdentifier("https://up.lab.test"))),
    "dns-as-mail": (NAME, names(x509.RFC822Name("x@up.lab.test"))),
    "none-cn": (NAME, ()),
    "empty-names": (NAME, names()),
    "underscore": ("a_b.lab.test", names("a_b.lab.test")),
    "star-underscore": ("a_b.lab.test", names("*.lab.test")),
    "hundred": (NAME, names(*(f"n{n}.lab.test" for n in range(100)))),
    "hundred-and": (NAME, names(*(f"n{n}.lab.test" for n in range(100)), NAME)),
    "localhost": ("localhost", names("localhost")),
    "star-to": ("*.lab.test", names("up.lab.test")),
    "star-to-star": ("*.lab.test", names("*.lab.test")),
    "star-to-other": ("*.lab.test", names("lab.test")),
    "many-kinds": (NAME, names("10.0.0.1", x509.RFC822Name("a@b.c"), x509.UniformResourceIdentifier("spiffe://x/y"), "a.test")),
    "single-label": ("app", names("app")),
    "critical": (NAME, ((FITTING, True),)),
    "directory-name": (NAME, names(x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])))),
    "registered-id": (NAME, names(x509.RegisteredID(x509.ObjectIdentifier("1.2.3")))),
    "other-name": (NAME, names(x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x01a"))),
    "comma": (NAME, names("a,b.test")),
    "space": (NAME, names("a b.test")),
}
for label, (asked, sans) in SANS.items():
    case(f"san-{label}", direct(subject=NAME, extensions=sans), tls_upstream_server_name=asked)
case("empty-subject", direct(subject=""))


def usage(*which: x509.ObjectIdentifier, critical: bool = False) -> Extensions:
    return ((FITTING, False), (x509.ExtendedKeyUsage(which), critical))


def keys(**bits: bool) -> Extensions:
    return ((FITTING, False), (x509.KeyUsage(**{field: bits.get(field, False) for field in BITS}), True))


UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
LEAVES: dict[str, dict[str, Any]] = {
    "eku-server": {"extensions": usage(Usage.SERVER_AUTH)},
    "eku-client": {"extensions": usage(Usage.CLIENT_AUTH)},
    "eku-any": {"extensions": usage(Usage.ANY_EXTENDED_KEY_USAGE)},
    "eku-both": {"extensions": usage(Usage.SERVER_AUTH, Usage.CLIENT_AUTH)},
    "eku-code": {"extensions": usage(Usage.CODE_SIGNING)},
    "eku-sgc": {"extensions": usage(x509.ObjectIdentifier("2.16.840.1.113730.4.1"))},
    "eku-ms-sgc": {"extensions": usage(x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.3"))},
    "eku-critical": {"extensions": usage(Usage.SERVER_AUTH, critical=True)},
    "eku-client-critical": {"extensions": usage(Usage.CLIENT_AUTH, critical=True)},
    "ku-sign": {"extensions": keys(digital_signature=True)},
    "ku-encipher": {"extensions": keys(key_encipherment=True)},
    "ku-agree": {"extensions": keys(key_agreement=True)},
    "ku-cert-sign": {"extensions": keys(key_cert_sign=True)},
    "ku-none": {"extensions": keys(content_commitment=True)},
    "ca-true": {"ca": True},
    "ca-true-path": {"ca": True, "path": 0},
    "ca-false": {"ca": False},
    "ca-false-not-critical": {"ca": False, "critical": False},
    "unknown-critical": {"extensions": ((FITTING, False), (UNKNOWN, True))},
    "unknown": {"extensions": ((FITTING, False), (UNKNOWN, False))},
    "expired": {"begin": NOW - 9 * DAY, "end": NOW - DAY},
    "expired-a-minute": {"end": NOW - dt.timedelta(minutes=1)},
    "future": {"begin": NOW + DAY},
    "year-2049": {"end": dt.datetime(2049, 12, 31)},
    "year-9999": {"end": dt.datetime(9999, 12, 31, 23, 59, 59)},
    "since-1950": {"begin": dt.datetime(1951, 1, 1)},
    "sha384": {"digest": hashes.SHA384()},
    "must-staple": {"extensions": ((FITTING, False), (x509.TLSFeature([x509.TLSFeatureType.status_request]), False))},
    "policy": {
        "extensions": ((FITTING, False), (x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), None)]), True))
    },
    "own-constraints": {"extensions": ((FITTING, False), (x509.NameConstraints([x509.DNSName("other.test")], None), True))},
    "crl-point": {
        "extensions": (
            (FITTING, False),
            (x509.CRLDistributionPoints([x509.DistributionPoint([x509.UniformResourceIdentifier("http://x/")], None, None, None)]), True),
        )
    },
}
for label, leaf in LEAVES.items():
    case(f"leaf-{label}", direct(**leaf))
KEYS: dict[str, Callable[[], Any]] = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "k256": lambda: ec.generate_private_key(ec.SECP256K1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
    "rsa1024": lambda: rsa.generate_private_key(65537, 1024),
    "rsa-e3": lambda: rsa.generate_private_key(3, 2048),
}


def keyed(key: Callable[[], Any], top: Callable[[], Any] | None = None, **leaf: Any) -> Chain:
    def chain() -> tuple[Sequence[Made], Sequence[Made]]:
        over = root(key=top() if top else None)
        return [make(issuer=over, key=key(), **leaf)], [over]

    return chain


for label, key in KEYS.items():
    for version in ("TLSv1_2", "TLSv1_3"):
        low = "ALL:@SECLEVEL=0"
        case(f"key-{label}-{version[-1]}", keyed(key), Terms(lowest=version, highest=version, ciphers=low))
    case(f"root-key-{label}", keyed(KEYS["p256"], key))
MIDDLES: dict[str, Callable[[Made], Made]] = {
    "ok": middle,
    "no-usage": lambda top: middle(top, ()),
    "no-cert-sign": lambda top: middle(top, ((keys(digital_signature=True)[1]),)),
    "not-ca": lambda top: middle(top, ca=False),
    "no-constraints": lambda top: middle(top, ca=None),
    "expired": lambda top: middle(top, begin=NOW - 9 * DAY, end=NOW - DAY),
    "future": lambda top: middle(top, begin=NOW + DAY),
    "path-0": lambda top: middle(top, path=0),
    "not-critical": lambda top: middle(top, critical=False),
    "eku-server": lambda top: middle(top, ((CA_USAGE, True), (x509.ExtendedKeyUsage([Usage.SERVER_AUTH]), False))),
    "eku-client": lambda top: middle(top, ((CA_USAGE, True), (x509.ExtendedKeyUsage([Usage.CLIENT_AUTH]), False))),
    "eku-any": lambda top: middle(top, ((CA_USAGE, True), (x509.ExtendedKeyUsage([Usage.ANY_EXTENDED_KEY_USAGE]), False))),
    "unknown-critical": lambda top: middle(top, ((CA_USAGE, True), (UNKNOWN, True))),
    "permitted": lambda top: middle(top, ((CA_USAGE, True), (x509.NameConstraints([x509.DNSName("lab.test")], None), True))),
    "permitted-dot": lambda top: middle(top, ((CA_USAGE, True), (x509.NameConstraints([x509.DNSName(".lab.test")], None), True))),
    "permitted-other": lambda top: middle(top, ((CA_USAGE, True), (x509.NameConstraints([x509.DNSName("other.test")], None), True))),
    "excluded": lambda top: middle(top, ((CA_USAGE, True), (x509.NameConstraints(None, [x509.DNSName("lab.test")]), True))),
    "excluded-other": lambda top: middle(top, ((CA_USAGE, True), (x509.NameConstraints(None, [x509.DNSName("other.test")]), True))),
    "permitted-ip": lambda top: middle(
        top, ((CA_USAGE, True), (x509.NameConstraints([x509.IPAddress(ipaddress.ip_network("10.0.0.0/8"))], None), True))
    ),
    "permitted-mail": lambda top: middle(top, ((CA_USAGE, True), (x509.NameConstraints([x509.RFC822Name("x.test")], None), True))),
    "permitted-not-critical": lambda top: middle(
        top, ((CA_USAGE, True), (x509.NameConstraints([x509.DNSName("other.test")], None), False))
    ),
    "permitted-directory": lambda top: middle(
        top,
        (
            (CA_USAGE, True),
            (x509.NameConstraints([x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "x")]))], None), True),
        ),
    ),
    "policy-required": lambda top: middle(top, ((CA_USAGE, True), (x509.PolicyConstraints(0, None), True))),
    "inhibit-any": lambda top: middle(top, ((CA_USAGE, True), (x509.InhibitAnyPolicy(0), True))),
    "wrong-signature": lambda top: middle(top, signer=ec.generate_private_key(ec.SECP256R1())),
    "other-issuer-name": lambda top: middle(top, issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody")])),
    "same-name-as-root": lambda top: middle(top, subject="root"),
    "aki-wrong": lambda top: middle(top, ((CA_USAGE, True), (x509.AuthorityKeyIdentifier(b"x" * 20, None, None), False))),
}
for label, over in MIDDLES.items():
    case(f"middle-{label}", under(over))
IP_LEAF: dict[str, Any] = {"extensions": names("127.0.0.1")}
case("constraints-ip-outside", under(MIDDLES["permitted-ip"], **IP_LEAF), tls_upstream_server_name="127.0.0.1")
case(
    "constraints-ip-inside",
    under(
        lambda top: middle(
            top, ((CA_USAGE, True), (x509.NameConstraints([x509.IPAddress(ipaddress.ip_network("127.0.0.0/8"))], None), True))
        ),
        **IP_LEAF,
    ),
    tls_upstream_server_name="127.0.0.1",
)
case("constraints-dns-for-ip", under(MIDDLES["permitted-other"], **IP_LEAF), tls_upstream_server_name="127.0.0.1")
case("constraints-cn-only", under(MIDDLES["permitted"], subject="other.test", extensions=()))
case("constraints-wildcard", under(MIDDLES["permitted"], extensions=names("*.lab.test")))
case("constraints-wildcard-outside", under(MIDDLES["permitted"], extensions=names("*.other.test", NAME)))
case(
    "constraints-excluded-wildcard",
    under(
        lambda top: middle(top, ((CA_USAGE, True), (x509.NameConstraints(None, [x509.DNSName("a.lab.test")]), True))),
        extensions=names("*.lab.test"),
    ),
)
case("constraints-mail-leaf", under(MIDDLES["permitted-mail"], extensions=names(NAME, x509.RFC822Name("a@y.test"))))
case("constraints-mail-leaf-ok", under(MIDDLES["permitted-mail"], extensions=names(NAME, x509.RFC822Name("a@x.test"))))
case(
    "constraints-uri-leaf",
    under(
        lambda top: middle(top, ((CA_USAGE, True), (x509.NameConstraints([x509.UniformResourceIdentifier("x.test")], None), True))),
        extensions=names(NAME, x509.UniformResourceIdentifier("https://y.test/")),
    ),
)


def several(*steps: Any) -> Chain:
    """A chain whose sent certificates are picked by index: 0 leaf, 1 lower, 2 upper, 3 root, 4 a stranger."""

    def chain() -> tuple[Sequence[Made], Sequence[Made]]:
        top = root()
        upper = middle(top, subject="upper")
        lower = middle(upper, subject="lower")
        pool = [make(issuer=lower), lower, upper, top, root("stranger")]
        return [pool[step] for step in steps], [top]

    return chain


for order in ((0, 1, 2), (0, 2, 1), (0, 1), (0, 2), (0,), (0, 1, 2, 3), (0, 1, 1, 2), (0, 4, 1, 2), (0, 0, 1, 2), (0, 3)):
    case("order-" + "".join(map(str, order)), several(*order))
case("wrong-signature", lambda: (lambda top: ([make(issuer=top, signer=ec.generate_private_key(ec.SECP256R1()))], [top]))(root()))
case("root-expired", lambda: (lambda top: ([make(issuer=top)], [top]))(root(begin=NOW - 9 * DAY, end=NOW - DAY)))
case("root-not-ca", lambda: (lambda top: ([make(issuer=top)], [top]))(make("root", None, (), ca=False)))
case("root-without-constraints", lambda: (lambda top: ([make(issuer=top)], [top]))(make("root", None, ())))
case("root-path-0-leaf", lambda: (lambda top: ([make(issuer=top)], [top]))(root(path=0)))
case("root-path-0-middle", lambda: (lambda top: (lambda mid: ([make(issuer=mid), mid], [top]))(middle(top)))(root(path=0)))
case(
    "root-eku-client",
    lambda: (lambda top: ([make(issuer=top)], [top]))(
        root(extensions=((CA_USAGE, True), (x509.ExtendedKeyUsage([Usage.CLIENT_AUTH]), False)))
    ),
)
case("root-unknown-critical", lambda: (lambda top: ([make(issuer=top)], [top]))(root(extensions=((UNKNOWN, True),))))
case("two-roots-same-name", lambda: (lambda a, b: ([make(issuer=b)], [a, b]))(root(), root()))
case("trusted-middle-only", lambda: (lambda mid: ([make(issuer=mid)], [mid]))(middle(root())))
case("trusted-middle-expired", lambda: (lambda mid: ([make(issuer=mid)], [mid]))(middle(root(), begin=NOW - 9 * DAY, end=NOW - DAY)))
case("trusted-leaf", lambda: (lambda leaf: ([leaf], [leaf]))(make(issuer=root())))
case("trusted-self-signed", lambda: (lambda leaf: ([leaf], [leaf]))(make()))
case("trusted-self-signed-not-ca", lambda: (lambda leaf: ([leaf], [leaf]))(make(ca=False)))
case("trusted-self-signed-expired", lambda: (lambda leaf: ([leaf], [leaf]))(make(begin=NOW - 9 * DAY, end=NOW - DAY)))
case("self-signed-not-trusted", lambda: ([make()], [root()]))
case("self-signed-same-name-as-root", lambda: ([make("root")], [root()]))
case(
    "cross-signed",
    lambda: (
        lambda old, new: (lambda cross: ([make(issuer=Made(cross.certificate, new.key)), cross], [old]))(
            make("new", old, ((CA_USAGE, True),), ca=True, key=new.key)
        )
    )(root("old"), root("new")),
)
case("depth-10", lambda: _deep(10))
case("depth-101", lambda: _deep(101))


def _deep(levels: int) -> tuple[Sequence[Made], Sequence[Made]]:
    chain = [root("r")]
    for level in range(levels):
        chain.append(middle(chain[-1], subject=f"m{level}"))
    return [make(issuer=chain[-1]), *reversed(chain[1:])], [chain[0]]


for label, chain in {
    "self-signed": lambda: ([make()], [root()]),
    "expired": direct(**LEAVES["expired"]),
    "other-name": direct(extensions=names("other.test")),
    "client": direct(**LEAVES["eku-client"]),
    "critical": direct(**LEAVES["unknown-critical"]),
}.items():
    case(f"skip-verify-{label}", chain, tls_skip_verify=True)
