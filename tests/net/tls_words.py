"""What Envoy says of a handshake, in the words of the recordings: the entries of BoringSSL's error queue."""

from __future__ import annotations

from pomprobe.model import Facts, Failure

VERIFY = "268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify_cert_failed:_"
ALPN = (
    "268435715:SSL_routines:OPENSSL_internal:INVALID_ALPN_PROTOCOL|268435605:SSL_routines:OPENSSL_internal:ERROR_PARSING_EXTENSION"
    "|268435646:SSL_routines:OPENSSL_internal:PARSE_TLSEXT"
)


def words(failure: Failure, facts: Facts) -> str:
    """What stands between `TLS_error:|` and `:TLS_error_end`; "closed" where Envoy gives no reason."""
    match failure:
        case Failure.CERTIFICATE_REJECTED:
            where = f"X509_verify_cert:_certificate_verification_error_at_depth_{facts['depth']}:_{facts['reason']}"
            return f"{facts.get('before', '')}{VERIFY}{where}"
        case Failure.NAME_MISMATCH:
            return VERIFY + "SAN_matcher"
        case Failure.TLS_ALERT:
            alert = f"{facts['alert_code']}:SSL_routines:OPENSSL_internal:{facts['alert_name']}"
            more = "|268435610:SSL_routines:OPENSSL_internal:HANDSHAKE_FAILURE_ON_CLIENT_HELLO"
            return alert + (more if facts["on_client_hello"] else "")
        case Failure.NOT_TLS:
            return "268435703:SSL_routines:OPENSSL_internal:WRONG_VERSION_NUMBER"
        case Failure.ALPN_INVALID:
            return ALPN
        case Failure.TLS_ERROR:
            return "closed" if facts.get("wordless") else str(facts["reason"])
        case Failure.HANDSHAKE_CLOSED:
            return "closed"
        case Failure.HANDSHAKE_RESET:
            return "33554536:system_library:OPENSSL_internal:Connection_reset_by_peer"
        case _:
            raise AssertionError(failure)
