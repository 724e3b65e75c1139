"""A TLS handshake completes, and the certificate is one that Envoy accepts."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from contextlib import suppress

from .. import following
from ..model import Fact, Facts, Failure, StageFailed, UpstreamTLS
from ..net import boringssl, certificates, first_flight, judge, leaf, server_hello, speaks, tls, tls_words, trust_store
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
    seen = _seen(options, engine, shaking.flight)
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
    """What is known when the handshake is over: at least the name that was asked for.

    refused, chains: of the Certificate message, as Envoy 1.37 and 1.40 see it; no chain before it came.
    """

    known: dict[str, Fact]
    refused: Sequence[str | None] = (None, None)
    chains: tuple[tuple[X509, ...], ...] | None = None
    version: str = ""
    decrypts: bool = False


def _seen(options: UpstreamTLS, engine: tls.Engine, flight: first_flight.FirstFlight) -> _Seen:
    requested = engine.client_certificate_requested
    known: dict[str, Fact] = {
        "sni": options.server_name,
        "client_certificate_requested": requested,
        "client_certificate_sent": requested and options.client_cert is not None,
    }
    sent, refused, version = flight.chain, flight.refused, engine.version
    if engine.certificates is not None and not sent:
        sent = leaf.split(engine.certificates, modern=True)
        refused = [leaf.complaint(engine.certificates, 0, modern=True, later=later) for later in (False, True)]
    if not sent or None not in refused:
        return _Seen(known, refused, decrypts=engine.decrypts)
    known |= {"chain_length": len(sent), "tls_version": version, "cipher": engine.cipher, "group": engine.group, "alpn": engine.alpn}
    chains = tuple(judge.read(sent, later=later) for later in (False, True))
    return _Seen(known | certificates.facts(chains[0][0]) if chains[0] else known, refused, chains, version, engine.decrypts)


def _ended(options: UpstreamTLS, shaking: Handshake, seen: _Seen, broken: Exception | None, later: bool) -> Facts | StageFailed:
    """How the handshake came out for this Envoy (later: 1.40). broken: what ended it, after the certificate if there was one."""
    words = seen.refused[later]
    if words is not None:
        known = {"sni": options.server_name}
        reason: Facts = {"reason": words} if words else {"wordless": True}
        return _with(Failure.TLS_ERROR, known, "the certificates of the server cannot be read", **reason)
    if seen.chains is not None:
        refusal = judge.judge(seen.chains[later], options, seen.version, whole=not shaking.flight.in_flight, later=later)
        if refusal is not None:
            return _with(refusal.failure, seen.known, refusal.message, **refusal.facts)
    return seen.known if broken is None else _failed(broken, options, shaking, seen)


def _failed(error: Exception, options: UpstreamTLS, shaking: Handshake, seen: _Seen) -> StageFailed:
    known = seen.known
    if isinstance(error, OSError):
        number = error.errno or errno.ECONNRESET
        return _with(Failure.HANDSHAKE_RESET, known, str(error), errno=errno.errorcode.get(number, str(number)))
    if isinstance(error, tls.Closed):
        return _with(Failure.HANDSHAKE_CLOSED, known, "the server closed the connection during the handshake")
    if isinstance(error, first_flight.Ended | tls.Broken) and error.alert is not None:
        return _alerted(error.alert, shaking, known)
    if isinstance(error, tls.Broken):
        return _broken(error, options, shaking, seen)
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


def _broken(error: tls.Broken, options: UpstreamTLS, shaking: Handshake, seen: _Seen) -> StageFailed:
    """OpenSSL's reason, in BoringSSL's words."""
    hello, known = shaking.flight.hello, seen.known
    if error.library == tls_words.ASN1 and seen.chains is not None:
        # A certificate that BoringSSL reads and OpenSSL does not: what the server says behind it is all that is left.
        if shaking.flight.ended is not None:
            return _failed(shaking.flight.ended, options, shaking, seen)
        return StageFailed(Failure.NOT_KNOWN, error=str(error), limit="the TLS library of this machine")
    if str(error) == "bad extension" and hello and hello.is_13 and options.alpn:
        # In an encrypted message, of which OpenSSL says no more.
        return _with(Failure.ALPN_INVALID, known, "the server selected a protocol that was not offered")
    undecrypted = hello and hello.is_13 and not seen.decrypts and str(error) in UNDECRYPTED
    reason = tls_words.BAD_MAC if undecrypted else tls_words.boringssl(str(error), error.library, b"" if seen.decrypts else shaking.first)
    return _with(Failure.TLS_ERROR, known, str(error), reason=reason)


def _with(failure: Failure, known: Facts, message: str, **more: Fact) -> StageFailed:
    failed = StageFailed(failure, error=message)
    failed.facts = {**known, **more} | ({"error": message} if failure is Failure.TLS_ERROR else {})
    return failed
