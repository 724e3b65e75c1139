"""BoringSSL's words, which Envoy prints: alerts, verification errors, and what OpenSSL words differently.

Error codes are BoringSSL's packed ones, library << 24 | reason, with library 16 for SSL and 2 for the system.
"""

from __future__ import annotations

SSL_LIBRARY = 16 << 24
ALERT_OFFSET = 1000  # SSL_AD_REASON_OFFSET

ALERTS = {
    0: "SSLV3_ALERT_CLOSE_NOTIFY",
    10: "SSLV3_ALERT_UNEXPECTED_MESSAGE",
    20: "SSLV3_ALERT_BAD_RECORD_MAC",
    21: "TLSV1_ALERT_DECRYPTION_FAILED",
    22: "TLSV1_ALERT_RECORD_OVERFLOW",
    30: "SSLV3_ALERT_DECOMPRESSION_FAILURE",
    40: "SSLV3_ALERT_HANDSHAKE_FAILURE",
    41: "SSLV3_ALERT_NO_CERTIFICATE",
    42: "SSLV3_ALERT_BAD_CERTIFICATE",
    43: "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
    44: "SSLV3_ALERT_CERTIFICATE_REVOKED",
    45: "SSLV3_ALERT_CERTIFICATE_EXPIRED",
    46: "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
    47: "SSLV3_ALERT_ILLEGAL_PARAMETER",
    48: "TLSV1_ALERT_UNKNOWN_CA",
    49: "TLSV1_ALERT_ACCESS_DENIED",
    50: "TLSV1_ALERT_DECODE_ERROR",
    51: "TLSV1_ALERT_DECRYPT_ERROR",
    60: "TLSV1_ALERT_EXPORT_RESTRICTION",
    70: "TLSV1_ALERT_PROTOCOL_VERSION",
    71: "TLSV1_ALERT_INSUFFICIENT_SECURITY",
    80: "TLSV1_ALERT_INTERNAL_ERROR",
    86: "TLSV1_ALERT_INAPPROPRIATE_FALLBACK",
    90: "TLSV1_ALERT_USER_CANCELLED",
    100: "TLSV1_ALERT_NO_RENEGOTIATION",
    110: "TLSV1_ALERT_UNSUPPORTED_EXTENSION",
    111: "TLSV1_ALERT_CERTIFICATE_UNOBTAINABLE",
    112: "TLSV1_ALERT_UNRECOGNIZED_NAME",
    113: "TLSV1_ALERT_BAD_CERTIFICATE_STATUS_RESPONSE",
    114: "TLSV1_ALERT_BAD_CERTIFICATE_HASH_VALUE",
    115: "TLSV1_ALERT_UNKNOWN_PSK_IDENTITY",
    116: "TLSV1_ALERT_CERTIFICATE_REQUIRED",
    120: "TLSV1_ALERT_NO_APPLICATION_PROTOCOL",
    121: "TLSV1_ALERT_ECH_REQUIRED",
    122: "PAKE_AND_KEY_SHARE_NOT_ALLOWED",  # no alert, but the reason that has its number
}

VERIFY_REASONS = {
    2: "unable to get issuer certificate",
    3: "unable to get certificate CRL",
    4: "unable to decrypt certificate's signature",
    5: "unable to decrypt CRL's signature",
    6: "unable to decode issuer public key",
    7: "certificate signature failure",
    8: "CRL signature failure",
    9: "certificate is not yet valid",
    10: "certificate has expired",
    11: "CRL is not yet valid",
    12: "CRL has expired",
    13: "format error in certificate's notBefore field",
    14: "format error in certificate's notAfter field",
    15: "format error in CRL's lastUpdate field",
    16: "format error in CRL's nextUpdate field",
    17: "out of memory",
    18: "self signed certificate",
    19: "self signed certificate in certificate chain",
    20: "unable to get local issuer certificate",
    21: "unable to verify the first certificate",
    22: "certificate chain too long",
    23: "certificate revoked",
    24: "invalid CA certificate",
    25: "path length constraint exceeded",
    26: "unsupported certificate purpose",
    27: "certificate not trusted",
    28: "certificate rejected",
    29: "subject issuer mismatch",
    30: "authority and subject key identifier mismatch",
    31: "authority and issuer serial number mismatch",
    32: "key usage does not include certificate signing",
    33: "unable to get CRL issuer certificate",
    34: "unhandled critical extension",
    35: "key usage does not include CRL signing",
    36: "unhandled critical CRL extension",
    37: "invalid non-CA certificate (has CA markings)",
    38: "proxy path length constraint exceeded",
    39: "key usage does not include digital signature",
    40: "proxy certificates not allowed, please set the appropriate flag",
    41: "invalid or inconsistent certificate extension",
    42: "invalid or inconsistent certificate policy extension",
    43: "no explicit policy",
    44: "Different CRL scope",
    45: "Unsupported extension feature",
    46: "RFC 3779 resource not subset of parent's resources",
    47: "permitted subtree violation",
    48: "excluded subtree violation",
    49: "name constraints minimum and maximum not supported",
    50: "application verification failure",
    51: "unsupported name constraint type",
    52: "unsupported or invalid name constraint syntax",
    53: "unsupported or invalid name syntax",
    54: "CRL path validation error",
    1000: "Issuer has name constraints but leaf has no SANs",  # BoringSSL's alone: verify.CONSTRAINTS_WITHOUT_NAMES
}
"""X509_V_ERR number -> BoringSSL's X509_verify_cert_error_string (crypto/x509/x509_txt.cc)."""


def alert_name(alert: int) -> str:
    """BoringSSL's reason for a fatal alert of the peer; a number that it has no name for is unknown_error."""
    return ALERTS.get(alert, "unknown_error")


def alert_code(alert: int) -> int:
    return SSL_LIBRARY + ALERT_OFFSET + alert


def verify_reason(code: int) -> str:
    """The reason of Envoy's certificate_verification_error, with underscores as in the response code details."""
    return VERIFY_REASONS.get(code, "unknown certificate verification error").replace(" ", "_")
