"""OpenSSL's reason for a broken handshake -> what BoringSSL in Envoy 1.37 has in its error queue for the same bytes.

Each pair was seen: the same bytes were sent to both (tests/net/broken_handshakes.py). Where one reason of OpenSSL stands for several
of BoringSSL, the records that came tell them apart.
"""

from __future__ import annotations

ASN1, EC = 13, 16  # ERR_LIB_ numbers of OpenSSL


def ssl(number: int, name: str) -> str:
    """One entry of BoringSSL's error queue, of its SSL library."""
    return f"{number}:SSL_routines:OPENSSL_internal:{name}"


DECODE_ERROR = ssl(268435593, "DECODE_ERROR")
UNEXPECTED_MESSAGE = ssl(268435679, "UNEXPECTED_MESSAGE")
UNEXPECTED_RECORD = ssl(268435681, "UNEXPECTED_RECORD")
UNSUPPORTED_PROTOCOL = ssl(268435696, "UNSUPPORTED_PROTOCOL")
WRONG_CIPHER = ssl(268435698, "WRONG_CIPHER_RETURNED")
WRONG_CURVE = ssl(268435699, "WRONG_CURVE")
BAD_POINT = ssl(268435564, "BAD_ECPOINT")
CANNOT_PARSE_LEAF = ssl(268435728, "CANNOT_PARSE_LEAF_CERT")
KEY_USAGE = ssl(268435758, "KEY_USAGE_BIT_INCORRECT")
BAD_ECC_CERT = ssl(268435563, "BAD_ECC_CERT")
UNKNOWN_GROUP = (
    "251658363:elliptic_curve_routines:OPENSSL_internal:UNKNOWN_GROUP|100663398:public_key_routines:OPENSSL_internal:DECODE_ERROR"
)
UNSUPPORTED_ALGORITHM = "100663424:public_key_routines:OPENSSL_internal:UNSUPPORTED_ALGORITHM"
WRONG_CERTIFICATE_TYPE = ssl(268435697, "WRONG_CERTIFICATE_TYPE")
BAD_EXTENSION = ssl(268435646, "PARSE_TLSEXT")
EXTENSION = ssl(268435605, "ERROR_PARSING_EXTENSION") + "|" + BAD_EXTENSION
BAD_MAC = "503316581:Cipher_functions:OPENSSL_internal:BAD_DECRYPT|" + ssl(268435595, "DECRYPTION_FAILED_OR_BAD_RECORD_MAC")
BAD_SIGNATURE = "436207716:ECDSA_routines:OPENSSL_internal:BAD_SIGNATURE|" + ssl(268435570, "BAD_SIGNATURE")
BAD_ALERT = ssl(268435558, "BAD_ALERT")
CERTIFICATE_LENGTH = ssl(268435583, "CERT_LENGTH_MISMATCH")
EXCESS = ssl(268435711, "EXCESS_HANDSHAKE_DATA")
TOO_MANY_EMPTY = ssl(268435675, "TOO_MANY_EMPTY_FRAGMENTS")
TOO_MANY_WARNINGS = ssl(268435676, "TOO_MANY_WARNING_ALERTS")
UNKNOWN_ALERT = ssl(268435683, "UNKNOWN_ALERT_TYPE")
WRONG_VERSION = ssl(268435703, "WRONG_VERSION_NUMBER")
TOO_LONG = ssl(268435606, "EXCESSIVE_MESSAGE_SIZE")
TOO_SHORT = ssl(268435568, "BAD_PACKET_LENGTH") + "|" + ssl(268435595, "DECRYPTION_FAILED_OR_BAD_RECORD_MAC")
EMPTY_RETRY = ssl(268435738, "EMPTY_HELLO_RETRY_REQUEST")
MISSING_KEY_SHARE = ssl(268435714, "MISSING_KEY_SHARE")
RENEGOTIATION_ENCODING = ssl(268435657, "RENEGOTIATION_ENCODING_ERR") + "|" + EXTENSION
RENEGOTIATION_MISMATCH = ssl(268435658, "RENEGOTIATION_MISMATCH") + "|" + EXTENSION
UNSUPPORTED_COMPRESSION = ssl(268435694, "UNSUPPORTED_COMPRESSION_ALGORITHM")
DATA_TOO_LONG = ssl(268435592, "DATA_LENGTH_TOO_LONG")
ENCRYPTED_TOO_LONG = ssl(268435602, "ENCRYPTED_LENGTH_TOO_LONG")
DOWNGRADE = ssl(268435753, "TLS13_DOWNGRADE")

REASONS = {
    "bad change cipher spec": UNEXPECTED_RECORD,
    "bad extension": BAD_EXTENSION,
    "bad key share": WRONG_CURVE,
    "bad length": DECODE_ERROR,
    "bad protocol version number": ssl(268435678, "UNEXPECTED_EXTENSION") + "|" + EXTENSION,
    "bad record type": TOO_SHORT,
    "bad signature": BAD_SIGNATURE,
    "cert length mismatch": CANNOT_PARSE_LEAF,
    "cipher operation failed": BAD_MAC,
    "decryption failed or bad record mac": BAD_MAC,
    "excessive message size": TOO_LONG,
    "failed during derivation": BAD_POINT,
    "inappropriate fallback": DOWNGRADE,
    "invalid alert": BAD_ALERT,
    "invalid compression algorithm": DECODE_ERROR,
    "invalid encoding": "251658349:elliptic_curve_routines:OPENSSL_internal:INVALID_ENCODING|" + BAD_POINT,
    "invalid session id": DECODE_ERROR,
    "length mismatch": DECODE_ERROR,
    "no change following hrr": EMPTY_RETRY,
    "no suitable key share": MISSING_KEY_SHARE,
    "not on record boundary": EXCESS,
    "point is not on curve": "251658360:elliptic_curve_routines:OPENSSL_internal:POINT_IS_NOT_ON_CURVE|" + BAD_POINT,
    "provider signature failure": BAD_SIGNATURE,
    "record too small": TOO_MANY_EMPTY,
    "renegotiation encoding err": RENEGOTIATION_ENCODING,
    "renegotiation mismatch": RENEGOTIATION_MISMATCH,
    "tls session id too long": DECODE_ERROR,
    "too many warn alerts": TOO_MANY_WARNINGS,
    "unexpected message": UNEXPECTED_MESSAGE,
    "unexpected record": UNEXPECTED_RECORD,
    "unknown alert type": UNKNOWN_ALERT,
    "unknown cipher returned": WRONG_CIPHER,
    "unsupported compression algorithm": UNSUPPORTED_COMPRESSION,
    "unsupported protocol": UNSUPPORTED_PROTOCOL,
    "wrong certificate type": WRONG_CERTIFICATE_TYPE,
    "wrong cipher returned": WRONG_CIPHER,
    "wrong curve": WRONG_CURVE,
    "wrong signature type": ssl(268435701, "WRONG_SIGNATURE_TYPE"),
    "wrong version number": WRONG_VERSION,
}

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23  # content types of records
LONGEST_RECORD = 16384 + 320  # BoringSSL's SSL3_RT_MAX_ENCRYPTED_LENGTH


def boringssl(reason: str, library: int, came: bytes) -> str:
    """BoringSSL's error queue for OpenSSL's reason. came: the first bytes from the peer, for what OpenSSL does not tell apart.

    A reason that was never seen is called a decode error, which is what BoringSSL says most often.
    """
    if library == ASN1:
        return CANNOT_PARSE_LEAF
    records = plain_records(came)
    if reason == "unexpected message" and any(kind not in (ALERT, HANDSHAKE) for kind, _ in records):
        return UNEXPECTED_RECORD
    if reason == "data length too long":
        return ENCRYPTED_TOO_LONG if records and records[-1][1] > LONGEST_RECORD else DATA_TOO_LONG
    return REASONS.get(reason, DECODE_ERROR)


def plain_records(came: bytes) -> list[tuple[int, int]]:
    """Content type and length of the records at the beginning, as far as their headers came."""
    found = []
    start = 0
    while start + 5 <= len(came):
        length = int.from_bytes(came[start + 3 : start + 5])
        found.append((came[start], length))
        start += 5 + length
    return found
