"""A TLS handshake completes, and the certificate is one that Envoy accepts."""

from __future__ import annotations

import errno
from contextlib import suppress

from .. import following
from ..model import Fact, Facts, Failure, StageFailed, UpstreamTLS
from ..net import boringssl, certificates, first_flight, judge, server_hello, speaks, tls, tls_words, trust_store, x509
from ..net.tls_stream import Handshake, NotTLS
from ..net.x509 import X509
from ..record import Record
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
    shaking = Handshake(stream, engine, options.alpn)
    broken: Exception | None = None
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
    except (first_flight.Ended, tls.Closed, tls.Broken, OSError) as error:
        broken = error
    seen = _seen(options, engine)
    now, later = (_ended(options, shaking, seen, broken, later) for later in (False, True))
    told = following.told(now, later)
    if isinstance(now, StageFailed):
        now.facts = told
        raise now from broken
    return told


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


class _Seen(Record, frozen=True):
    """What is known when the handshake is over: at least the name that was asked for. chain: None before a certificate came."""

    known: dict[str, Fact]
    chain: tuple[X509, ...] | None = None
    version: str = ""
    unreadable: x509.Unreadable | None = None


def _seen(options: UpstreamTLS, engine: tls.Engine) -> _Seen:
    requested = engine.client_certificate_requested
    known: dict[str, Fact] = {
        "sni": options.server_name,
        "client_certificate_requested": requested,
        "client_certificate_sent": requested and options.client_cert is not None,
    }
    sent = engine.certificates
    if not sent:
        return _Seen(known)
    version = engine.version
    known |= {"chain_length": len(sent), "tls_version": version, "cipher": engine.cipher, "group": engine.group, "alpn": engine.alpn}
    try:
        chain = judge.read(sent)
    except x509.Unreadable as error:
        return _Seen(known, unreadable=error)
    return _Seen(known | certificates.facts(chain[0]) if chain else known, chain, version)


def _ended(options: UpstreamTLS, shaking: Handshake, seen: _Seen, broken: Exception | None, later: bool) -> Facts | StageFailed:
    """How the handshake came out for this Envoy (later: 1.40). broken: what ended it, after the certificate if there was one."""
    known = seen.known
    if later and shaking.flight.later_words:
        reason = shaking.flight.later_words
        return _with(Failure.TLS_ERROR, {"sni": options.server_name}, "a key of no kind that Envoy 1.40 knows", reason=reason)
    if seen.unreadable is not None:
        return _with(Failure.TLS_ERROR, known, str(seen.unreadable), reason=seen.unreadable.words)
    if seen.chain is not None:
        refusal = judge.judge(seen.chain, options, seen.version, whole=not shaking.flight.in_flight, later=later)
        if refusal is not None:
            return _with(refusal.failure, known, refusal.message, **refusal.facts)
    return known if broken is None else _failed(broken, options, shaking, known)


def _failed(error: Exception, options: UpstreamTLS, shaking: Handshake, known: Facts) -> StageFailed:
    if isinstance(error, OSError):
        number = error.errno or errno.ECONNRESET
        return _with(Failure.HANDSHAKE_RESET, known, str(error), errno=errno.errorcode.get(number, str(number)))
    if isinstance(error, tls.Closed):
        return _with(Failure.HANDSHAKE_CLOSED, known, "the server closed the connection during the handshake")
    if isinstance(error, first_flight.Ended | tls.Broken) and error.alert is not None:
        return _alerted(error.alert, shaking, known)
    if isinstance(error, tls.Broken):
        return _broken(error, options, shaking, known)
    words = str(error)
    if not words:
        return _with(Failure.TLS_ERROR, known, "what the server says is cut", wordless=True)
    if words == server_hello.INVALID_ALPN:
        selected = shaking.flight.hello.alpn if shaking.flight.hello else ""
        return _with(Failure.ALPN_INVALID, known, "the server selected a protocol that was not offered", alpn=selected)
    return _with(Failure.TLS_ERROR, known, "what the server says breaks the rules of TLS", reason=words)


def _alerted(alert: int, shaking: Handshake, known: Facts) -> StageFailed:
    name = boringssl.alert_name(alert)
    return _with(
        Failure.TLS_ALERT,
        known,
        f"the server sent the alert {alert}",
        alert=alert,
        alert_name=name,
        alert_code=boringssl.alert_code(alert),
        on_client_hello=shaking.flight.on_client_hello and alert == HANDSHAKE_FAILURE,
    )


def _broken(error: tls.Broken, options: UpstreamTLS, shaking: Handshake, known: Facts) -> StageFailed:
    """OpenSSL's reason, in BoringSSL's words."""
    hello = shaking.flight.hello
    if str(error) == "bad extension" and hello and hello.is_13 and options.alpn:
        # In an encrypted message, of which OpenSSL says no more.
        return _with(Failure.ALPN_INVALID, known, "the server selected a protocol that was not offered")
    undecrypted = hello and hello.is_13 and str(error) in UNDECRYPTED
    reason = tls_words.BAD_MAC if undecrypted else tls_words.boringssl(str(error), error.library, shaking.first)
    return _with(Failure.TLS_ERROR, known, str(error), reason=reason)


def _with(failure: Failure, known: Facts, message: str, **more: Fact) -> StageFailed:
    failed = StageFailed(failure, error=message)
    failed.facts = {**known, **more} | ({"error": message} if failure is Failure.TLS_ERROR else {})
    return failed
