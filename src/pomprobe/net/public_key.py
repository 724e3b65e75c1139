"""A SubjectPublicKeyInfo as BoringSSL reads it (crypto/evp/evp_asn1.cc, p_*_asn1.cc): is there a key that it can use?"""

from __future__ import annotations

from ..record import Record
from . import asn1_contents, der

RSA, EC, ED25519, X25519, DSA = (
    "1.2.840.113549.1.1.1", "1.2.840.10045.2.1", "1.3.101.112", "1.3.101.110", "1.2.840.10040.4.1",
)  # fmt: skip
P224, P256, P384, P521 = "1.3.132.0.33", "1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"
DECODE = "100663398:public_key_routines:OPENSSL_internal:DECODE_ERROR"
UNSUPPORTED = "100663424:public_key_routines:OPENSSL_internal:UNSUPPORTED_ALGORITHM"
LONGEST, SHORTEST = 16 * 1024, 512  # bits of a modulus
LONGEST_EXPONENT = 33


class Curve(Record, frozen=True):
    """y² = x³ - 3x + b modulo p."""

    p: int
    b: int

    @property
    def size(self) -> int:
        """Bytes of a coordinate."""
        return (self.p.bit_length() + 7) // 8

    def square(self, x: int) -> int:
        return (x * x * x - 3 * x + self.b) % self.p


CURVES = {
    P224: Curve(2**224 - 2**96 + 1, 0xB4050A850C04B3ABF54132565044B0B7D7BFD8BA270B39432355FFB4),
    P256: Curve(
        2**256 - 2**224 + 2**192 + 2**96 - 1, 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    ),
    P384: Curve(
        2**384 - 2**128 - 2**96 + 2**32 - 1,
        0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
    ),
    P521: Curve(
        2**521 - 1,
        0x51953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B503F00,
    ),
}


def _ec(number: int, name: str) -> str:
    return f"{(15 << 24) + number}:elliptic_curve_routines:OPENSSL_internal:{name}"


def _rsa(number: int, name: str) -> str:
    return f"{(4 << 24) + number}:RSA_routines:OPENSSL_internal:{name}"


UNKNOWN_GROUP = _ec(123, "UNKNOWN_GROUP") + "|" + DECODE
EC_DECODE = _ec(128, "DECODE_ERROR")
BAD_NUMBER = f"{(3 << 24) + 117}:bignum_routines:OPENSSL_internal:BAD_ENCODING"
NEGATIVE = f"{(3 << 24) + 109}:bignum_routines:OPENSSL_internal:NEGATIVE_NUMBER"
BAD_RSA = _rsa(100, "BAD_ENCODING")


class _Bad(Exception):
    """The key cannot be used; the text is the error queue."""


def complaint(encoded: bytes, later: bool) -> str:
    """BoringSSL's errors, "" for a key that it can use. later: of Envoy 1.40's handshake, which knows fewer kinds."""
    try:
        inside = der.split(der.content(encoded, der.SEQUENCE))
        if len(inside) != 2 or inside[0][0] != der.SEQUENCE:
            return DECODE
        key = der.content(inside[1], der.BIT_STRING)
        begin, end = der.element(inside[0])[1:]
        algorithm = inside[0][begin:end]
    except der.Malformed:
        return DECODE
    try:
        tag, begin, end = der.element(algorithm)
        if tag != der.OID:
            raise der.Malformed("no algorithm")
        oid = der.oid(algorithm[begin:end])
    except der.Malformed:
        return DECODE if later and not _begins_with_oid(algorithm) else UNSUPPORTED
    if oid not in ((RSA, EC, ED25519) if later else (RSA, EC, ED25519, X25519, DSA)):
        return UNSUPPORTED
    if key[:1] != b"\0":
        return DECODE
    try:
        _read(oid, algorithm[end:], key[1:], later)
    except _Bad as bad:
        return str(bad)
    return ""


def _begins_with_oid(algorithm: bytes) -> bool:
    try:
        return der.element(algorithm)[0] == der.OID
    except der.Malformed:
        return False


def _read(oid: str, parameters: bytes, key: bytes, later: bool) -> None:
    if oid == RSA:
        if parameters != b"\5\0":
            raise _Bad(DECODE)
        _modulus(key, later)
    elif oid == EC:
        _point(CURVES[_curve(parameters, later)], key)
    elif oid in (ED25519, X25519) and (parameters or len(key) != 32):
        raise _Bad(DECODE)


def _curve(parameters: bytes, later: bool) -> str:
    try:
        tag, begin, end = der.element(parameters)
        if tag != der.OID:
            raise der.Malformed("no name of a curve")
    except der.Malformed:
        raise _Bad(f"{EC_DECODE}|{DECODE}") from None
    try:
        oid = der.oid(parameters[begin:end])
    except der.Malformed:
        oid = ""
    if oid not in CURVES or (later and oid == P224):
        raise _Bad(UNSUPPORTED if later else UNKNOWN_GROUP)
    if end != len(parameters):
        raise _Bad(DECODE)
    return oid


def _point(curve: Curve, key: bytes) -> None:
    """Uncompressed or compressed (ec_GFp_simple_oct2point)."""
    size = curve.size
    if not key:
        raise _Bad(_ec(100, "BUFFER_TOO_SMALL"))
    x = int.from_bytes(key[1 : 1 + size])
    if key[0] == 4 and len(key) == 1 + 2 * size:
        y = int.from_bytes(key[1 + size :])
        if x >= curve.p or y >= curve.p:
            raise _Bad(EC_DECODE)
        if y * y % curve.p != curve.square(x):
            raise _Bad(_ec(120, "POINT_IS_NOT_ON_CURVE"))
    elif key[0] in (2, 3) and len(key) == 1 + size and x < curve.p:
        square = curve.square(x)
        if square and pow(square, (curve.p - 1) // 2, curve.p) != 1:
            raise _Bad(_ec(107, "INVALID_COMPRESSED_POINT"))
    else:
        raise _Bad(_ec(109, "INVALID_ENCODING"))


def _modulus(key: bytes, later: bool) -> None:
    """RSAPublicKey (crypto/rsa/rsa_asn1.cc, rsa_check_public_key)."""
    words, whole = _numbers(key, later)
    if later and (words or not whole):  # RSA_public_key_from_bytes says so once more
        words = f"{words}|{BAD_RSA}" if words else BAD_RSA
    if words or not whole:
        raise _Bad(f"{words}|{DECODE}" if words else DECODE)


def _numbers(key: bytes, later: bool) -> tuple[str, bool]:
    """What is wrong with the key, and does nothing stand behind it?"""
    try:
        tag, at, end = der.element(key)
    except der.Malformed:
        tag, at, end = 0, 0, 0
    if tag != der.SEQUENCE:
        return BAD_RSA, True
    numbers = []
    for _ in range(2):
        try:
            tag, begin, at = der.element(key, at, end)
            if tag != der.INTEGER:
                raise der.Malformed("no number")
            asn1_contents.check(der.INTEGER, key[begin:at], later=later)
        except der.Malformed:
            return f"{BAD_NUMBER}|{BAD_RSA}", True
        if key[begin] & 0x80:
            return f"{NEGATIVE}|{BAD_RSA}", True
        numbers.append(int.from_bytes(key[begin:at]))
    if at != end:
        return BAD_RSA, True
    words = _parameters(*numbers)
    return (f"{words}|{_rsa(104, 'BAD_RSA_PARAMETERS')}" if words else ""), end == len(key)


def _parameters(modulus: int, exponent: int) -> str:
    bits = modulus.bit_length()
    if bits > LONGEST:
        return _rsa(128, "MODULUS_TOO_LARGE")
    if bits < SHORTEST:
        return _rsa(126, "KEY_SIZE_TOO_SMALL")
    if not modulus & 1:
        return _rsa(104, "BAD_RSA_PARAMETERS")
    return _rsa(101, "BAD_E_VALUE") if not exponent & 1 or not 2 <= exponent.bit_length() <= LONGEST_EXPONENT else ""
