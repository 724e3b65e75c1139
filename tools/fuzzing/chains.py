"""Random certificate chains, odd in one place or a few: names, dates, usages, constraints, algorithms, order.

Half of the chains have one certificate whose DER is spoilt, under a good signature most of the time. They are sent in the first flight of
a server of TLS 1.2 or 1.3; what follows them (an alert, a message that has no place there) says whether Envoy had anything against them.
"""

from __future__ import annotations

import base64
from functools import partial
from random import Random

from pomprobe.net.der import encode

from .asn1 import (
    ECDSA_OIDS,
    ED25519,
    K256,
    NULL,
    P224,
    P256,
    P384,
    P521,
    RSA1024,
    RSA2048,
    RSA_OIDS,
    Draft,
    Key,
    bits,
    common,
    extension,
    integer,
    name,
    oid,
    sequence,
)
from .malformed import damaged

NAME = "up.lab.test"
"""What the route wants to find in the certificate."""

ALERT = 77
UNEXPECTED = b"\x14\0\0\0"
"""A Finished, before its time."""
ACCEPTED = (f"TLS_error:|{(16 << 24) + 1000 + ALERT}:", "TLS_error:|268435679:")
"""Where the alert, or the unexpected message, is all that Envoy has to say, the certificates were good."""

MODERN = b"<TLS 1.3>"
"""Before the messages that a server of TLS 1.3 sends after its ServerHello; who plays the server encrypts them."""

TRUE = encode(0x01, b"\xff")
BASIC, USAGE, EXTENDED, ALT, CONSTRAINTS, SUBJECT_KEY, AUTHORITY_KEY = (f"2.5.29.{n}" for n in (19, 15, 37, 17, 30, 14, 35))
POLICIES, MAPPINGS, POLICY_LIMITS, INHIBIT, CRL_POINTS = (f"2.5.29.{n}" for n in (32, 33, 36, 54, 31))
CN, ORGANIZATION, EMAIL = "2.5.4.3", "2.5.4.10", "1.2.840.113549.1.9.1"
SIGNS, SIGNS_CERTS = 0x100, 0x08  # digitalSignature is bit 0 of 9, keyCertSign bit 5
CA = [extension(BASIC, sequence(TRUE), TRUE), extension(USAGE, bits(SIGNS_CERTS | 0x04), TRUE)]


def general(kind: int, value: bytes) -> bytes:
    return encode((0xA0 if kind in (0, 3, 4, 5) else 0x80) | kind, value)


def dns(text: str) -> bytes:
    return general(2, text.encode("latin-1"))


def alt(*names: bytes) -> bytes:
    return extension(ALT, sequence(*names))


def _trees(tag: int, *bases: bytes) -> bytes:
    return encode(tag, b"".join(sequence(base) for base in bases)) if bases else b""


def constraints(permitted: tuple[bytes, ...] = (), excluded: tuple[bytes, ...] = (), critical: bytes = TRUE) -> bytes:
    return extension(CONSTRAINTS, sequence(_trees(0xA0, *permitted), _trees(0xA1, *excluded)), critical)


def _root(
    subject: str, key: Key, extensions: list[bytes] | None = None, end: bytes = encode(0x18, b"20990101000000Z")
) -> tuple[Draft, bytes]:
    draft = Draft(key, common(subject), common(subject), CA if extensions is None else extensions, end=end)
    return draft, draft.signed(key)


ROOTS = (
    _root("root", P256[0]),
    _root("root", P256[0]),
    _root("rsa root", RSA2048),
    _root("weak root", RSA1024),
    _root("p384 root", P384),
    _root("narrow root", P256[1], [*CA, constraints((dns("lab.test"),))]),
    _root("short root", P256[2], [extension(BASIC, sequence(TRUE, integer(0)), TRUE)]),
    _root("old root", P256[3], end=encode(0x17, b"210101000000Z")),
    _root("plain root", P256[4], []),
    _root("twin", P256[5]),
    _root("twin", P256[6]),
)
TRUST = b"".join(
    b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(encoded) + b"-----END CERTIFICATE-----\n" for _, encoded in ROOTS[1:]
)

SANS = (
    dns(NAME), dns(NAME), dns("*.lab.test"), dns("u*.lab.test"), dns("*p.lab.test"), dns("*"), dns("*.test"), dns("UP.LAB.TEST"), dns(""),
    dns("up.lab.test."), dns("other.test"), dns("up.lab.test\0.evil.test"), dns("xn--*.lab.test"), dns("\xfcp.lab.test"),
    dns("a.up.lab.test"),
    general(7, b"\x7f\0\0\1"), general(7, b"\x7f\0\0"), general(7, b"\0" * 15 + b"\x01"), general(6, b"https://up.lab.test/"),
    general(1, b"a@lab.test"), general(4, common("up.lab.test")), general(8, b"\x2a\x03\x04"), general(0, oid("1.2.3") + encode(0xA0,
    encode(0x0C, b"x"))),
    general(6, b"urn:x"), general(1, b"nobody"),
)  # fmt: skip
LIMITS = (
    dns("lab.test"), dns(".lab.test"), dns("test"), dns(""), dns("other.test"), dns("up.lab.test"), dns("a.lab.test"), dns("LAB.test"),
    dns("*.lab.test"), dns("lab.test."), general(7, b"\x7f\0\0\0\xff\0\0\0"), general(7, b"\x0a\0\0\0\xff\0\0\0"), general(1,
    b"lab.test"), general(1, b".test"),
    general(1, b"a@lab.test"), general(6, b"lab.test"), general(6, b".test"), general(4, common("leaf")),
    general(4, name((ORGANIZATION, "lab", 0x0C))), general(8, b"\x2a\x03\x04"),
)  # fmt: skip
PURPOSES = (
    "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0", "1.3.6.1.5.5.7.3.3", "2.16.840.1.113730.4.1", "1.2.3.4",
)  # fmt: skip
DATES = (
    encode(0x17, b"200101000000Z"), encode(0x17, b"490101000000Z"), encode(0x17, b"500101000000Z"), encode(0x17, b"210101000000Z"),
    encode(0x18, b"20900101000000Z"), encode(0x18, b"20200101000000Z"), encode(0x18, b"99991231235959Z"),
    encode(0x18, b"00010101000000Z"), encode(0x18, b"19490101000000Z"), encode(0x17, b"240229000000Z"),
)  # fmt: skip
SERIALS = (integer(0), integer(-1), integer(1 << 158), integer(1 << 200))
VERSIONS = (b"", encode(0xA0, integer(0)), encode(0xA0, integer(1)), encode(0xA0, integer(3)))
POLICY = "1.2.3.4"
LEAF_KEYS: tuple[Key, ...] = (P256[7], P256[7], P256[7], RSA2048, P384, P521, P224, K256, ED25519, RSA1024)


def response(random: Random) -> bytes:
    """A ServerHello, certificates, and what follows them."""
    sent, key = _chain(random)
    if random.random() < 0.4:
        listed = b"".join(len(one).to_bytes(3) + one + b"\0\0" for one in sent)
        return MODERN + b"\x08\0\0\2\0\0" + _message(11, b"\0" + len(listed).to_bytes(3) + listed) + UNEXPECTED
    cipher = 0xC02F if isinstance(key, type(RSA2048)) else 0xC02B
    if random.random() < 0.01:
        cipher = random.choice((0xC02F, 0xC02B, 0x009C))
    hello = b"\x03\x03" + b"\x11" * 32 + b"\0" + cipher.to_bytes(2) + b"\0"
    listed = b"".join(len(one).to_bytes(3) + one for one in sent)
    certificate = _message(11, len(listed).to_bytes(3) + listed)
    records = [_message(2, hello), *(certificate[at : at + 16384] for at in range(0, len(certificate), 16384))]
    return b"".join(b"\x16\x03\x03" + len(one).to_bytes(2) + one for one in records) + b"\x15\x03\x03\x00\x02\x02" + bytes((ALERT,))


def _message(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + len(body).to_bytes(3) + body


def _chain(random: Random) -> tuple[list[bytes], Key]:
    above, encoded = random.choice(ROOTS) if random.random() < 0.5 else ROOTS[1]
    chain = [encoded]
    longest = random.choices((0, 1, 2, 3, 4), (35, 38, 18, 6, 3))[0]
    spoilt = random.choice((0, 0, *range(longest + 1))) if random.random() < 0.5 else -1
    for depth in range(longest, -1, -1):
        keys: tuple[Key, ...] = (*P256[1:], RSA2048, P384) if depth else LEAF_KEYS
        key = random.choice(keys) if random.random() < 0.3 else P256[7]
        subject = common(f"middle {depth}" if depth else "leaf")
        draft = Draft(key, subject, above.subject, list(CA) if depth else [alt(dns(NAME))])
        for _ in range(random.choices((0, 1, 2), (62, 30, 8))[0]):
            _odd(random, draft, above, leaf=not depth)
        signer = above.key if random.random() < 0.97 else random.choice(P256)
        inside = depth == spoilt and random.random() < 0.85
        one = draft.signed(signer, broken=random.random() < 0.01, spoil=partial(damaged, random) if inside else None)
        chain.insert(0, damaged(random, one) if depth == spoilt and not inside else one)
        above = draft
    return _arranged(random, chain), above.key


def _arranged(random: Random, chain: list[bytes]) -> list[bytes]:
    """What of it is sent, and in which order."""
    leaf, *rest = chain
    if random.random() < 0.75:
        rest = rest[:-1]
    for _ in range(random.choices((0, 1, 2), (80, 14, 6))[0]):
        match random.randrange(5):
            case 0:
                random.shuffle(rest)
            case 1 if rest:
                rest.pop(random.randrange(len(rest)))
            case 2 if rest:
                rest.insert(random.randrange(len(rest) + 1), random.choice((leaf, *rest)))
            case 3:
                rest.insert(random.randrange(len(rest) + 1), random.choice(ROOTS)[1])
            case _:
                draft = Draft(P256[3], common(random.choice(("root", "middle 1", "leaf", "x"))), common("root"), list(CA))
                rest.insert(random.randrange(len(rest) + 1), draft.signed(random.choice(P256)))
    return [leaf, *rest]


def _odd(random: Random, draft: Draft, above: Draft, *, leaf: bool) -> None:
    """One part of a certificate that is not as usual."""
    critical = random.choice((TRUE, b""))
    match random.randrange(21):
        case 0:
            ca = random.choice((TRUE, b"", encode(0x01, b"\0"), encode(0x01, b"\1")))
            length = random.choice((b"", b"", integer(0), integer(1), integer(-1), integer(5)))
            _put(draft, BASIC, sequence(ca, length), critical)
        case 1:
            _put(draft, USAGE, bits(random.choice((SIGNS, 0x40, 0x20, 0x10, 8, 4, SIGNS | 8, 0x1FF, 0x0C))), critical)
        case 2:
            purposes = [oid(random.choice(PURPOSES)) for _ in range(random.choice((1, 1, 2)))]
            _put(draft, EXTENDED, sequence(*purposes), critical)
        case 3 | 4 | 5:
            names = [random.choice(SANS) for _ in range(random.choice((1, 1, 2, 3)))]
            _put(draft, ALT, sequence(*names, *([dns(NAME)] if random.random() < 0.5 else [])), critical)
        case 6 | 7 if not leaf or random.random() < 0.3:
            some = tuple(random.choice(LIMITS) for _ in range(random.choice((1, 1, 2))))
            draft.extensions.append(constraints(some, (), critical) if random.random() < 0.5 else constraints((), some, critical))
        case 8:
            draft.begin = random.choice(DATES)
        case 9:
            draft.end = random.choice(DATES)
        case 10:
            draft.subject = random.choice((*_names(draft.subject), above.subject, above.subject))
        case 11:
            draft.issuer = random.choice(_names(draft.issuer))
        case 12:
            draft.serial = random.choice(SERIALS)
        case 13:
            draft.version = random.choice(VERSIONS)
            if random.random() < 0.5:
                draft.extensions.clear()
        case 14:
            draft.digest = random.choice(("sha1", "sha224", "sha384", "sha512"))
        case 15:
            kind = random.choice((RSA_OIDS["sha256"], RSA_OIDS["sha1"], 10, 4))
            draft.inner = random.choice((sequence(oid(f"1.2.840.113549.1.1.{kind}"), NULL), sequence(oid(ECDSA_OIDS["sha384"]))))
        case 16:
            draft.extensions.append(
                extension(random.choice(("1.2.3.4.5", "1.3.6.1.5.5.7.1.1", "2.5.29.18", CRL_POINTS)), sequence(), critical)
            )
        case 17:
            draft.extensions.append(random.choice(draft.extensions) if draft.extensions else CA[0])
        case 18:
            _identify(random, draft, above)
        case 19:
            draft.after = random.choice((encode(0x81, b"\0x"), encode(0x82, b"\0x")))
        case 20:
            _policy(random, draft, critical)


def _put(draft: Draft, kind: str, value: bytes, critical: bytes) -> None:
    """Instead of the extension of that kind."""
    draft.extensions = [one for one in draft.extensions if oid(kind) not in one[:8]] + [extension(kind, value, critical)]


def _names(usual: bytes) -> tuple[bytes, ...]:
    """Other ways to write a name, and other names."""
    return (
        common("ROOT"), common("root", 0x13), common("  root "), common("root", 0x1E), common("leaf"), common(NAME),
        common("other.test"), sequence(),
        name((CN, "root", 0x0C), (ORGANIZATION, "lab", 0x13)), name((ORGANIZATION, "lab", 0x0C), (CN, "root", 0x0C), together=True),
        name((EMAIL, "a@lab.test", 0x16), (CN, "leaf", 0x0C)), name((EMAIL, "a@lab.test", 0x0C)), name((CN, "r\xfct", 0x14)),
        common("middle 1", 0x1C),
        common("a b.lab.test"), usual,
    )  # fmt: skip


def _identify(random: Random, draft: Draft, above: Draft) -> None:
    own, other = encode(0x04, b"k" * 20), encode(0x80, random.choice((b"k" * 20, b"x" * 20, b"")))
    parts = [other if random.random() < 0.7 else b""]
    if random.random() < 0.5:
        parts.append(encode(0xA1, general(4, random.choice((above.issuer, above.subject, common("x"))))))
        parts.append(encode(0x82, random.choice((b"M", b"\x07"))))
    if random.random() < 0.6:
        draft.extensions.append(extension(AUTHORITY_KEY, sequence(*parts)))
    if random.random() < 0.6:
        draft.extensions.append(extension(SUBJECT_KEY, own))


def _policy(random: Random, draft: Draft, critical: bytes) -> None:
    policy = sequence(oid(random.choice((POLICY, "1.2.3.5", "2.5.29.32.0"))))
    match random.randrange(4):
        case 0:
            draft.extensions.append(extension(POLICIES, sequence(*[policy] * random.choice((1, 1, 1, 2, 0))), critical))
        case 1:
            limit = encode(random.choice((0x80, 0x81)), random.choice((b"\0", b"\1", b"\xff")))
            draft.extensions.append(extension(POLICY_LIMITS, sequence(*[limit] * random.choice((1, 1, 0))), critical))
        case 2:
            draft.extensions.append(
                extension(MAPPINGS, sequence(sequence(oid(POLICY), oid(random.choice(("1.2.3.5", "2.5.29.32.0"))))), critical)
            )
        case _:
            draft.extensions.append(extension(INHIBIT, random.choice((integer(0), integer(1), integer(-1))), critical))
