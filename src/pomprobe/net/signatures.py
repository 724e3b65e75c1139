"""Signatures and keys, through `cryptography`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import MD5
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from .x509 import X509

_X509 = "184549382:X.509_certificate_routines:OPENSSL_internal:public_key_routines|"
_ECDSA = "436207716:ECDSA_routines:OPENSSL_internal:BAD_SIGNATURE|" + _X509
_WRONG_KEY = "201326781:ASN.1_encoding_routines:OPENSSL_internal:WRONG_PUBLIC_KEY_TYPE|"
_NO_KEY = "184549501:X.509_certificate_routines:OPENSSL_internal:PUBLIC_KEY_DECODE_ERROR|"
_UNSUPPORTED = "201326703:ASN.1_encoding_routines:OPENSSL_internal:DIGEST_AND_KEY_TYPE_NOT_SUPPORTED|"
_RSA = (
    "67108971:RSA_routines:OPENSSL_internal:BLOCK_TYPE_IS_NOT_01|67109000:RSA_routines:OPENSSL_internal:PADDING_CHECK_FAILED|" + _X509
)
_PSS = "67108986:RSA_routines:OPENSSL_internal:FIRST_OCTET_INVALID|" + _X509
_ED25519 = "100663427:public_key_routines:OPENSSL_internal:INVALID_SIGNATURE|" + _X509
_RSA_LENGTH = "67108976:RSA_routines:OPENSSL_internal:DATA_LEN_NOT_EQUAL_TO_MOD_LEN|" + _X509


@dataclass(frozen=True, slots=True)
class Bad:
    """A signature that does not hold. words: what BoringSSL has in its error queue. undecodable: its issuer's key cannot be read."""

    words: str
    undecodable: bool = False


@lru_cache(maxsize=4096)
def check(certificate: X509, issuer: X509) -> Bad | None:
    """Did the key of `issuer` sign this certificate? None: it did."""
    try:
        key = x509.load_der_x509_certificate(issuer.encoded).public_key()
    except (ValueError, UnsupportedAlgorithm):
        return Bad(_NO_KEY, undecodable=True)
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        return Bad(_NO_KEY, undecodable=True)
    try:
        return _verify(x509.load_der_x509_certificate(certificate.encoded), key)
    except (ValueError, UnsupportedAlgorithm):
        return Bad(_UNSUPPORTED)


def _verify(certificate: x509.Certificate, key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey) -> Bad | None:
    signature, signed, how = certificate.signature, certificate.tbs_certificate_bytes, certificate.signature_algorithm_parameters
    hashed = certificate.signature_hash_algorithm
    if isinstance(hashed, MD5):
        return Bad(_UNSUPPORTED)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            if not isinstance(how, padding.PKCS1v15 | padding.PSS) or hashed is None:
                return Bad(_WRONG_KEY)
            if len(signature) != (key.key_size + 7) // 8:
                return Bad(_RSA_LENGTH)
            key.verify(signature, signed, how, hashed)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            if not isinstance(how, ec.ECDSA):
                return Bad(_WRONG_KEY)
            key.verify(signature, signed, how)
        else:
            if certificate.signature_algorithm_oid != x509.SignatureAlgorithmOID.ED25519:
                return Bad(_WRONG_KEY)
            key.verify(signature, signed)
    except InvalidSignature:
        if isinstance(key, rsa.RSAPublicKey):
            return Bad(_PSS if isinstance(how, padding.PSS) else _RSA)
        return Bad(_ECDSA if isinstance(key, ec.EllipticCurvePublicKey) else _ED25519)
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
