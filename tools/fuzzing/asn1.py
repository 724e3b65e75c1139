"""Certificates written by hand, so that every part can be odd: DER, names, extensions, signatures. Keys are the same in every run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pomprobe.net.der import encode

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
SEQUENCE, SET = 0x30, 0x31
NULL = b"\x05\x00"
PRIMES = (
    (
        0xE5541AB902ABD21D2D0D122708E35E9B1397CD816D56368A5747134411C6584654A64B7FC0A1BFA9F668D0B86246EA61CDF875B4CF3E26BFB3BAA705725E0E5242A2EF09145212CF97F564C5159BF20CFC0792AA644F6C2DDCD4485BBECDB2A9C5A0579CD43102ED922911AE1AD31BB04B7B3C51FA5B077C5D477E6CA3FFE7D5,
        0xD40BEE7C00EB4B6C5F4169A016F1E5972104EE446DD04BDC973D50FA4F5BD4D61AD36103039BB956BE272FEB04652634EF337F9D0DC6161A3DA3CF4E373F7FA104B50F9272E12C4D1139E678FF8B7439F807D6BBA4817B23C845D1FA884C82A00960A946B5A403F31C65AB0776593EE3899024A63B3787DD4BD1CACB2DB4654D,
    ),
    (
        0xD0680D720A0CE5D7D3EB72F789B58774D6EFBB0FCF51E5AB42D954045564CBDC80E6A84FE7035F6DAE78B14EFCFDD4D7DD80D3F29EFA08EDD7B56A7973C19257,
        0xC09B4368D5BB2B1CD7B7ED7667AE4B47B706481155E7302FDDB5FDB60A78BBCE19B6F79B41E5CE5E9D28D6FBD205E18CFD940D8E8F3A841AD9B10E249A3DB87D,
    ),
)
"""Of RSA keys of 2048 and 1024 bits that protect nothing."""


def _rsa(p: int, q: int) -> rsa.RSAPrivateKey:
    e = 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPublicNumbers(e, p * q)
    parts = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    return rsa.RSAPrivateNumbers(p, q, d, *parts, numbers).private_key()


def _ec(number: int, curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(0xC0FFEE + number, curve)


P256 = tuple(_ec(number, ec.SECP256R1()) for number in range(8))
RSA2048, RSA1024 = (_rsa(p, q) for p, q in PRIMES)
P384, P521, P224, K256 = _ec(1, ec.SECP384R1()), _ec(2, ec.SECP521R1()), _ec(3, ec.SECP224R1()), _ec(4, ec.SECP256K1())
ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(b"e" * 32)

HASHES = {"sha1": hashes.SHA1(), "sha224": hashes.SHA224(), "sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
RSA_OIDS = {"sha1": 5, "sha224": 14, "sha256": 11, "sha384": 12, "sha512": 13}
ECDSA_OIDS = {"sha1": "1.2.840.10045.4.1"} | {f"sha{size}": f"1.2.840.10045.4.3.{n}" for n, size in enumerate((224, 256, 384, 512), 1)}


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    out = b""
    for number in (40 * first + second, *rest):
        digits = [number & 0x7F]
        while number := number >> 7:
            digits.append(number & 0x7F | 0x80)
        out += bytes(reversed(digits))
    return encode(0x06, out)


def integer(value: int) -> bytes:
    return encode(0x02, value.to_bytes(value.bit_length() // 8 + 1, signed=True))


def sequence(*parts: bytes) -> bytes:
    return encode(SEQUENCE, b"".join(parts))


def bits(value: int, width: int = 9) -> bytes:
    """A BIT STRING without trailing zeros: bit 0 is the highest one of `width`."""
    text = f"{value:0{width}b}".rstrip("0")
    unused = -len(text) % 8
    return encode(0x03, bytes((unused,)) + int((text + "0" * unused) or "0", 2).to_bytes((len(text) + unused) // 8))


def name(*attributes: tuple[str, str, int], together: bool = False) -> bytes:
    """Attributes: type, text, tag of the string. together: all in one relative name."""
    pairs = [sequence(oid(kind), encode(tag, _text(text, tag))) for kind, text, tag in attributes]
    return encode(SEQUENCE, encode(SET, b"".join(sorted(pairs))) if together else b"".join(encode(SET, pair) for pair in pairs))


def _text(text: str, tag: int) -> bytes:
    return text.encode({0x1E: "utf-16-be", 0x1C: "utf-32-be", 0x0C: "utf-8"}.get(tag, "latin-1"))


def common(text: str, tag: int = 0x0C) -> bytes:
    return name(("2.5.4.3", text, tag))


def extension(kind: str, value: bytes, critical: bytes = b"") -> bytes:
    """critical: the BOOLEAN as encoded, b"" for the default."""
    return sequence(oid(kind), critical, encode(0x04, value))


def public(key: Key) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@dataclass
class Draft:
    """What a certificate will say, every part as encoded."""

    key: Key
    subject: bytes
    issuer: bytes
    extensions: list[bytes]
    version: bytes = encode(0xA0, integer(2))
    serial: bytes = field(default_factory=lambda: integer(77))
    begin: bytes = encode(0x17, b"200101000000Z")
    end: bytes = encode(0x18, b"20990101000000Z")
    spki: bytes = b""
    digest: str = "sha256"
    inner: bytes = b""  # the signature algorithm inside, where it differs
    after: bytes = b""  # between key and extensions: unique identifiers

    def signed(self, by: Key, *, broken: bool = False, spoil: Callable[[bytes], bytes] | None = None) -> bytes:
        """The certificate. broken: its signature is wrong; spoil: done to what is signed, before it is."""
        algorithm = _algorithm(by, self.digest)
        inner = self.inner or algorithm
        extensions = encode(0xA3, sequence(*self.extensions)) if self.extensions else b""
        spki = self.spki or public(self.key)
        validity = sequence(self.begin, self.end)
        tbs = sequence(self.version, self.serial, inner, self.issuer, validity, self.subject, spki, self.after, extensions)
        if spoil is not None:
            tbs = spoil(tbs)
        value = _signature(by, tbs, self.digest)
        if broken:
            value = value[:-1] + bytes((value[-1] ^ 1,))
        return sequence(tbs, algorithm, encode(0x03, b"\x00" + value))


def _algorithm(key: Key, digest: str) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return sequence(oid(f"1.2.840.113549.1.1.{RSA_OIDS[digest]}"), NULL)
    return sequence(oid(ECDSA_OIDS[digest] if isinstance(key, ec.EllipticCurvePrivateKey) else "1.3.101.112"))


def _signature(key: Key, data: bytes, digest: str) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), HASHES[digest])
    return key.sign(data, ec.ECDSA(HASHES[digest])) if isinstance(key, ec.EllipticCurvePrivateKey) else key.sign(data)
