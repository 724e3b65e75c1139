"""A TLS handshake completes, and the certificate is one that Envoy accepts."""

from __future__ import annotations

import errno

from ..model import Fact, Facts, Failure, StageFailed, UpstreamTLS
from ..net import boringssl, certificates, names, speaks, tls
from ..net.tls_stream import Closed, Handshake, NotTLS
from .walk import Walk


async def handshake(walk: Walk) -> Facts:
    """Shake hands over `walk.stream`, judge the certificate as Envoy does, and leave the TLS stream in `walk.stream`.

    Order as in Envoy: what the server's certificate is worth is decided before anything that the server says after it,
    and an error of the chain comes before the name (cert_validator/default_validator.cc).
    """
    options, stream = walk.tls, walk.stream
    assert options is not None and stream is not None  # the runner's table: only with TLS, only after tcp
    machine = _machine(options)
    shaking = Handshake(stream, machine)
    known: dict[str, Fact]
    try:
        walk.stream = await shaking.run()
    except NotTLS as error:
        known = {"sni": options.server_name}
        raise _with(
            Failure.NOT_TLS, known, str(error), first_bytes=speaks.printable(error.first), speaks=speaks.guess(error.first)
        ) from error
    except (Closed, OSError, tls.Broken) as error:
        known = _facts(options, machine)
        _judge(options, machine, known)
        raise _failed(error, shaking, known) from error
    known = _facts(options, machine)
    _judge(options, machine, known)
    if machine.alpn and machine.alpn not in options.alpn:
        raise _with(Failure.ALPN_INVALID, known, "the server selected a protocol that was not offered")
    return known


def _machine(options: UpstreamTLS) -> tls.Machine:
    try:
        offer = tls.offer(options.trust or b"", options.alpn, options.client_cert, options.client_key, options.allow_renegotiation)
        return tls.Machine(offer, options.server_name)
    except tls.Unusable as error:
        raise StageFailed(Failure.TRUST_UNAVAILABLE, error=str(error)) from error


def _facts(options: UpstreamTLS, machine: tls.Machine) -> dict[str, Fact]:
    """What is known so far: everything after a handshake, at least the name that was asked for."""
    known: dict[str, Fact] = {
        "sni": options.server_name,
        "client_certificate_requested": machine.client_certificate_requested,
        "client_certificate_sent": machine.client_certificate_requested and options.client_cert is not None,
    }
    sent = machine.certificates
    if sent:
        known |= certificates.facts(certificates.read(sent[0]))
        known |= {
            "chain_length": len(sent),
            "tls_version": machine.version,
            "cipher": machine.cipher,
            "group": machine.group,
            "alpn": machine.alpn,
        }
    return known


def _judge(options: UpstreamTLS, machine: tls.Machine, known: Facts) -> None:
    """Raises StageFailed where Envoy would not accept the certificate; nothing where none came."""
    sent = machine.certificates
    if not sent or options.skip_verify:
        return
    chain = machine.chain()
    if chain.code:
        reason = boringssl.verify_reason(chain.code)
        raise _with(Failure.CERTIFICATE_REJECTED, known, reason, verify_code=chain.code, reason=reason, depth=chain.depth)
    leaf = certificates.read(sent[0])
    if not names.san_matches(options.match_name, leaf.dns_names, leaf.addresses):
        raise _with(Failure.NAME_MISMATCH, known, f"no name of the certificate matches {options.match_name!r}")


def _failed(error: Exception, shaking: Handshake, known: Facts) -> StageFailed:
    if isinstance(error, tls.Broken):
        if error.alert is not None:
            return _with(
                Failure.TLS_ALERT,
                known,
                str(error),
                alert=error.alert,
                alert_name=boringssl.alert_name(error.alert),
                alert_code=boringssl.alert_code(error.alert),
                on_client_hello=shaking.alert_came_first and error.alert == 40,
            )
        return _with(Failure.TLS_ERROR, known, str(error), error=str(error))
    if isinstance(error, OSError):
        number = error.errno or errno.ECONNRESET
        return _with(Failure.HANDSHAKE_RESET, known, str(error), errno=errno.errorcode.get(number, str(number)))
    return _with(Failure.HANDSHAKE_CLOSED, known, "the server closed the connection during the handshake")


def _with(failure: Failure, known: Facts, message: str, **more: Fact) -> StageFailed:
    failed = StageFailed(failure, error=message)
    failed.facts = {**known, **more}
    return failed
