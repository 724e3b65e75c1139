"""Signatures and keys, through `cryptography`."""

from __future__ import annotations

from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_private_key

from ..record import Record
from . import der, public_key
from .public_key import BAD_NUMBER, NEGATIVE
from .x509 import X509, Signature

_X509 = "184549382:X.509_certificate_routines:OPENSSL_internal:public_key_routines|"
_NO_ECDSA = "436207716:ECDSA_routines:OPENSSL_internal:BAD_SIGNATURE|"
_ECDSA = _NO_ECDSA + _X509
_WRONG_KEY = "201326781:ASN.1_encoding_routines:OPENSSL_internal:WRONG_PUBLIC_KEY_TYPE|"
_NO_KEY = "184549501:X.509_certificate_routines:OPENSSL_internal:PUBLIC_KEY_DECODE_ERROR|"
_UNSUPPORTED = "201326703:ASN.1_encoding_routines:OPENSSL_internal:DIGEST_AND_KEY_TYPE_NOT_SUPPORTED|"
_AMBIGUOUS = "184549513:X.509_certificate_routines:OPENSSL_internal:SIGNATURE_ALGORITHM_MISMATCH|"
_RSA = (
    "67108971:RSA_routines:OPENSSL_internal:BLOCK_TYPE_IS_NOT_01|67109000:RSA_routines:OPENSSL_internal:PADDING_CHECK_FAILED|" + _X509
)
_PSS = "67108986:RSA_routines:OPENSSL_internal:FIRST_OCTET_INVALID|" + _X509
_ED25519 = "100663427:public_key_routines:OPENSSL_internal:INVALID_SIGNATURE|" + _X509
_RSA_OTHER = "67108969:RSA_routines:OPENSSL_internal:BAD_SIGNATURE|" + _X509
_RSA_LARGE = "67108979:RSA_routines:OPENSSL_internal:DATA_TOO_LARGE_FOR_MODULUS|" + _X509
_RSA_LENGTH = "67108976:RSA_routines:OPENSSL_internal:DATA_LEN_NOT_EQUAL_TO_MOD_LEN|" + _X509


class Bad(Record, frozen=True):
    """A signature that does not hold. words: what BoringSSL has in its error queue. undecodable: its issuer's key cannot be read."""

    words: str
    undecodable: bool = False


PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
CURVES = ("secp224r1", "secp256r1", "secp384r1", "secp521r1")
"""BoringSSL knows no other (variant tls-root-key-k256)."""

PKCS1: dict[str, hashes.HashAlgorithm] = {
    "1.2.840.113549.1.1.5": hashes.SHA1(),
    "1.2.840.113549.1.1.14": hashes.SHA224(),
    "1.2.840.113549.1.1.11": hashes.SHA256(),
    "1.2.840.113549.1.1.12": hashes.SHA384(),
    "1.2.840.113549.1.1.13": hashes.SHA512(),
}
ECDSA: dict[str, hashes.HashAlgorithm] = {
    "1.2.840.10045.4.1": hashes.SHA1(),
    "1.2.840.10045.4.3.1": hashes.SHA224(),
    "1.2.840.10045.4.3.2": hashes.SHA256(),
    "1.2.840.10045.4.3.3": hashes.SHA384(),
    "1.2.840.10045.4.3.4": hashes.SHA512(),
}
PSS, ED25519 = "1.2.840.113549.1.1.10", "1.3.101.112"
PSS_HASHES: dict[str, hashes.HashAlgorithm] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}


@lru_cache(maxsize=4096)
def check(certificate: X509, issuer: X509) -> Bad | None:
    """Did the key of `issuer` sign this certificate? None: it did. Algorithms as in BoringSSL's crypto/x509/algorithm.cc."""
    if public_key.complaint(issuer.key_info, later=False):
        return Bad(_NO_KEY, undecodable=True)
    try:
        key = load_der_public_key(issuer.key_info)
    except (ValueError, UnsupportedAlgorithm):
        return Bad(_NO_KEY, undecodable=True)
    if not isinstance(key, PublicKey) or (isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name not in CURVES):
        return Bad(_NO_KEY, undecodable=True)
    if certificate.signature.ambiguous:
        return Bad(_AMBIGUOUS)
    algorithm = certificate.signature.algorithm
    if algorithm not in {*PKCS1, *ECDSA, PSS, ED25519}:
        return Bad(_UNSUPPORTED)
    try:
        return _verify(certificate.signature, key)
    except InvalidSignature:
        value = certificate.signature.value
        if isinstance(key, rsa.RSAPublicKey):
            return Bad(_PSS if algorithm == PSS else _rsa(value, key.public_numbers()))
        return Bad(_ecdsa(value) if isinstance(key, ec.EllipticCurvePublicKey) else _ED25519)


def _verify(signature: Signature, key: PublicKey) -> Bad | None:
    """Raises InvalidSignature."""
    algorithm, value, signed = signature.algorithm, signature.value, signature.signed
    if isinstance(key, rsa.RSAPublicKey):
        digest = PKCS1.get(algorithm) or (_pss_hash(signature.parameters) if algorithm == PSS else None)
        if digest is None:
            return Bad(_PSS if algorithm == PSS else _WRONG_KEY)
        if len(value) != (key.key_size + 7) // 8:
            return Bad(_RSA_LENGTH)
        scheme = padding.PSS(padding.MGF1(digest), digest.digest_size) if algorithm == PSS else padding.PKCS1v15()
        key.verify(value, signed, scheme, digest)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        if algorithm not in ECDSA:
            return Bad(_WRONG_KEY)
        key.verify(value, signed, ec.ECDSA(ECDSA[algorithm]))
    else:
        if algorithm != ED25519:
            return Bad(_WRONG_KEY)
        key.verify(value, signed)
    return None


def _rsa(value: bytes, key: rsa.RSAPublicNumbers) -> str:
    """What is wrong with a signature of PKCS #1: its padding, or what it signs (RSA_verify)."""
    number = int.from_bytes(value)
    if number >= key.n:
        return _RSA_LARGE
    plain = pow(number, key.e, key.n).to_bytes(len(value))
    padding, found, _ = plain[2:].partition(b"\0")
    return _RSA_OTHER if plain[:2] == b"\0\1" and found and len(padding) >= 8 and not padding.strip(b"\xff") else _RSA


def _ecdsa(value: bytes) -> str:
    """What is wrong with an ECDSA signature: its two numbers, or what it signs (ECDSA_SIG_parse)."""
    try:
        tag, at, end = der.element(value)
        if tag != der.SEQUENCE:
            raise der.Malformed("no pair")
    except der.Malformed:
        return _NO_ECDSA + _ECDSA
    for _ in range(2):
        try:
            tag, begin, at = der.element(value, at, end)
            if tag != der.INTEGER:
                raise der.Malformed("no number")
            negative = der.integer(value[begin:at]) < 0
        except der.Malformed:
            return f"{BAD_NUMBER}|{_NO_ECDSA}{_ECDSA}"
        if negative:
            return f"{NEGATIVE}|{_NO_ECDSA}{_ECDSA}"
    return _NO_ECDSA + _ECDSA if at != end else _ECDSA


def _pss_hash(parameters: bytes) -> hashes.HashAlgorithm | None:
    """The digest of RSASSA-PSS-params (RFC 4055, 3.1), for both the message and the mask, with a salt of its length; else None."""
    try:
        fields = dict(der.items(der.content(parameters, der.SEQUENCE)))
        (_, oid), *_ = der.items(der.content(fields[0xA0], der.SEQUENCE))
        digest = PSS_HASHES.get(der.oid(oid))
        fits = digest is not None and der.integer(der.content(fields[0xA2], der.INTEGER)) == digest.digest_size
        return digest if fits else None
    except (der.Malformed, KeyError, ValueError):
        return None


def load(certificates: bytes, key: bytes) -> tuple[list[x509.Certificate], PrivateKeyTypes]:
    """A certificate with its chain, and its key, from PEM. Raises ValueError where one of them cannot be read."""
    try:
        return x509.load_pem_x509_certificates(certificates), load_pem_private_key(key, None)
    except (TypeError, UnsupportedAlgorithm) as error:  # a key with a password, or of a kind that nobody uses
        raise ValueError("the key cannot be used") from error


def scheme(key: PrivateKeyTypes) -> bytes:
    """The signature scheme of TLS 1.3 that a key needs beyond those of every client, b"" for none (RFC 8446, 4.2.3)."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return b"ed25519"
    return b"ecdsa_secp521r1_sha512" if isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size == 521 else b""
