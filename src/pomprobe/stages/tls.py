"""A TLS handshake completes, and the certificate is one that Envoy accepts."""

from __future__ import annotations

import errno
from contextlib import suppress

from ..model import Fact, Facts, Failure, StageFailed, UpstreamTLS
from ..net import boringssl, certificates, judge, server_hello, speaks, tls, tls_words, trust_store
from ..net.tls_stream import Handshake, NotTLS
from .walk import Walk

HANDSHAKE_FAILURE = 40

UNDECRYPTED = (
    "bad record type", "data length too long", "decryption failed or bad record mac", "unexpected message", "wrong version number",
)  # fmt: skip
"""OpenSSL's reasons for a first encrypted record of TLS 1.3 that is none."""


async def handshake(walk: Walk) -> Facts:
    """Shake hands over `walk.stream`, judge the certificate as Envoy does, and leave the TLS stream in `walk.stream`.

    What the certificate is worth is decided before anything that the server says after it: Envoy would have ended the handshake there.
    """
    options, stream = walk.tls, walk.stream
    assert options is not None and stream is not None  # the runner's table: only with TLS, only after tcp
    engine = tls.Engine(_offer(options), options.server_name)
    shaking = Handshake(stream, engine)
    walk.clock.begin()
    try:
        try:
            walk.stream = await shaking.run()
        finally:
            walk.clock.end()
    except NotTLS as error:
        known: dict[str, Fact] = {"sni": options.server_name}
        raise _with(
            Failure.NOT_TLS, known, str(error), first_bytes=speaks.printable(error.first), speaks=speaks.guess(error.first)
        ) from error
    except (tls.Closed, tls.Broken, OSError) as error:
        _check_hello(options, shaking)
        raise _failed(error, options, shaking, _judged(options, engine)) from error
    _check_hello(options, shaking)
    return _judged(options, engine)


def prepare(options: UpstreamTLS) -> None:
    """Read the trusted certificates and make the context, which are kept: that takes longer than many a handshake."""
    with suppress(StageFailed):  # each handshake says so itself
        _offer(options)


def _offer(options: UpstreamTLS) -> tls.Offer:
    if not trust_store.read(options.trust or b"").certificates and not options.skip_verify:
        raise StageFailed(Failure.TRUST_UNAVAILABLE, error="no certificate among the trusted ones")
    try:
        return tls.offer(options.alpn, options.client_cert, options.client_key, options.allow_renegotiation)
    except tls.Unusable as error:
        raise StageFailed(Failure.NOT_KNOWN, error=str(error), limit="the TLS library of this machine") from error


def _check_hello(options: UpstreamTLS, shaking: Handshake) -> None:
    """Raises StageFailed where BoringSSL refuses a ServerHello that OpenSSL takes."""
    words = server_hello.complaint(shaking.first, server_hello.sent_session_id(shaking.client_hello), options.alpn)
    known: dict[str, Fact] = {"sni": options.server_name}
    if words == server_hello.INVALID_ALPN:
        hello = server_hello.read(shaking.first)
        facts: dict[str, Fact] = {"alpn": hello.alpn} if hello else {}
        raise _with(Failure.ALPN_INVALID, known, "the server selected a protocol that was not offered", **facts)
    if words == server_hello.WORDLESS:
        raise _with(Failure.TLS_ERROR, known, "what the server says is cut", wordless=True)
    if words:
        raise _with(Failure.TLS_ERROR, known, "the ServerHello breaks the rules of TLS", reason=words)


def _judged(options: UpstreamTLS, engine: tls.Engine) -> dict[str, Fact]:
    """What is known so far: at least the name that was asked for. Raises StageFailed where Envoy would refuse the certificate."""
    requested = engine.client_certificate_requested
    known: dict[str, Fact] = {
        "sni": options.server_name,
        "client_certificate_requested": requested,
        "client_certificate_sent": requested and options.client_cert is not None,
    }
    sent = engine.certificates
    if not sent:
        return known
    known |= {"chain_length": len(sent), "tls_version": engine.version, "cipher": engine.cipher}
    known |= {"group": engine.group, "alpn": engine.alpn}
    chain = judge.read(sent)
    if chain:
        known |= certificates.facts(chain[0])
    refusal = judge.judge(chain, options, engine.version)
    if refusal:
        raise _with(refusal.failure, known, refusal.message, **refusal.facts)
    return known


def _failed(error: Exception, options: UpstreamTLS, shaking: Handshake, known: Facts) -> StageFailed:
    if isinstance(error, OSError):
        number = error.errno or errno.ECONNRESET
        return _with(Failure.HANDSHAKE_RESET, known, str(error), errno=errno.errorcode.get(number, str(number)))
    if not isinstance(error, tls.Broken):
        return _with(Failure.HANDSHAKE_CLOSED, known, "the server closed the connection during the handshake")
    if error.alert is not None:
        return _with(
            Failure.TLS_ALERT,
            known,
            str(error),
            alert=error.alert,
            alert_name=boringssl.alert_name(error.alert),
            alert_code=boringssl.alert_code(error.alert),
            on_client_hello=shaking.alert_came_first and error.alert == HANDSHAKE_FAILURE,
        )
    hello = server_hello.read(shaking.first)
    if str(error) != "bad extension":
        words = server_hello.protected(shaking.first) if hello and hello.is_13 and not hello.is_retry and str(error) in UNDECRYPTED else ""
        reason = words or tls_words.boringssl(str(error), error.library, shaking.first)
        return _with(Failure.TLS_ERROR, known, str(error), reason=reason)
    if hello and hello.is_13 and options.alpn:  # in an encrypted message, of which OpenSSL says no more than "bad extension"
        return _with(Failure.ALPN_INVALID, known, "the server selected a protocol that was not offered")
    return _with(Failure.TLS_ERROR, known, "bad extension", reason=tls_words.BAD_EXTENSION)


def _with(failure: Failure, known: Facts, message: str, **more: Fact) -> StageFailed:
    failed = StageFailed(failure, error=message)
    failed.facts = {**known, **more} | ({"error": message} if failure is Failure.TLS_ERROR else {})
    return failed
