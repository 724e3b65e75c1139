"""The handshake and the stream behind it, against servers that are right, wrong, and hostile."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from OpenSSL import SSL

from pomprobe.model import Endpoint, StageFailed
from pomprobe.net import tcp, tls, tls_words
from pomprobe.net.first_flight import FirstFlight
from pomprobe.net.stream import CHUNK, Stream, TLSBroken
from pomprobe.net.tls_stream import Handshake, TLSStream
from servers.certificates import HOST, context, mint, root
from servers.tcp import answers, echo, hold, listening, reset
from servers.tls import renegotiating, threaded, with_alerts, writing
from servers.walks import shake_hands

from .envoy_words import families, family, recorded
from .handshake_cases import CASES, hello, session_id, shake
from .tls_words import words

ENVOY = recorded("handshake_envoy.txt")


async def outcome(name: str) -> str:
    """What our handshake makes of a recorded answer, in Envoy's words. The server waits for our end before it closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CASES[name](await reader.read(CHUNK)))
        writer.write_eof()
        await hold(reader, writer)

    async with listening(serve) as port:
        failed = await shake_hands(port)
    assert isinstance(failed, StageFailed)
    return words(failed.failure, failed.facts)


@pytest.mark.parametrize("members", families(ENVOY), ids=family)
async def test_a_broken_handshake_has_envoys_words(members: list[str]) -> None:
    """Alerts, records, messages and whole flights that no server should send end as in Envoy, with BoringSSL's names for it."""
    expected = {name: ENVOY[name] for name in members}
    assert expected == {name: await outcome(name) for name in members}


def test_every_answer_is_recorded() -> None:
    """No answer without Envoy's word on it, and no recording without its answer."""
    assert set(ENVOY) == set(CASES)


def test_a_reason_that_was_never_seen_is_a_decode_error() -> None:
    """A guess, where OpenSSL says what no recording holds."""
    assert tls_words.DECODE_ERROR == tls_words.boringssl("the moon is full", 20, b"")


def test_a_server_hello_that_is_not_whole_says_nothing() -> None:
    """Cut anywhere, it is no ServerHello that could be looked at."""
    whole = shake(hello(b"\xff\x01\x00\x01\x00"))
    flight = FirstFlight(())
    for byte in whole[:-1]:
        assert b"" == flight.feed(bytes((byte,)))
    assert (None, None) == (flight.hello, flight.ended)
    assert whole == flight.feed(whole[-1:])
    assert flight.hello is not None


@asynccontextmanager
async def connected(port: int, offer: SSL.Context | None = None) -> AsyncIterator[Stream]:
    """A TLS stream to a server of a test."""
    below = await tcp.connect(Endpoint("127.0.0.1", port))
    stream: Stream = below
    try:
        stream = await Handshake(below, tls.Engine(offer or tls.offer(), HOST)).run()
        yield stream
    finally:
        stream.close()


async def read_all(stream: Stream) -> bytes:
    found = b""
    while data := await stream.receive():
        found += data
    return found


async def test_bytes_go_both_ways() -> None:
    """What is sent comes back from an echo server, in any size."""
    async with listening(echo, context(mint("l", root()))) as port, connected(port) as stream:
        sent = b"x" * 300_000
        received = b""
        async with anyio.create_task_group() as group:
            group.start_soon(stream.send, sent)
            while len(received) < len(sent):
                received += await stream.receive()
        assert received == sent


@pytest.mark.parametrize("close_notify", [True, False], ids=["close_notify", "fin"])
async def test_the_end_is_the_end(close_notify: bool) -> None:
    """With close_notify or without, every byte comes first, then b"" as often as one asks."""
    with threaded(writing(mint("l", root()), [b"a", b"b" * 40_000, b"c"], close_notify=close_notify)) as port:
        async with connected(port) as stream:
            assert b"a" + b"b" * 40_000 + b"c" == await read_all(stream)
            assert b"" == await stream.receive()


async def test_a_chunk_is_never_longer_than_promised() -> None:
    """receive gives at most CHUNK bytes, however much is there."""
    with threaded(writing(mint("l", root()), [b"x" * 16_384] * 20, close_notify=True)) as port:
        async with connected(port) as stream:
            sizes = []
            while data := await stream.receive():
                sizes.append(len(data))
    assert 20 * 16_384 == sum(sizes)
    assert max(sizes) <= CHUNK


async def test_a_refused_client_certificate_shows_on_the_first_read() -> None:
    """On TLS 1.3 the handshake succeeds; the alert certificate_required (116) comes after it (truth: tlsa-mtls-missing-13)."""
    strict = context(mint("l", root()), client_ca=root(), lowest=ssl.TLSVersion.TLSv1_3)
    with threaded(with_alerts(strict)) as port:
        async with connected(port) as stream:
            with pytest.raises(TLSBroken) as broken:
                await stream.receive()
            with pytest.raises(TLSBroken):
                await stream.receive()
    assert 116 == broken.value.alert


async def test_garbage_after_the_handshake_breaks_the_stream() -> None:
    """Records that do not decrypt are no alert of the peer, and no end either."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(CHUNK)
        os.write(writer.get_extra_info("socket").fileno(), b"\x17\x03\x03\x00\x20" + b"x" * 32)  # below TLS
        await hold(reader, writer)

    async with listening(serve, context(mint("l", root()))) as port, connected(port) as stream:
        await stream.send(b"hello")
        with pytest.raises(TLSBroken) as broken:
            await read_all(stream)
    assert broken.value.alert is None


async def test_a_reset_is_the_systems_own_error() -> None:
    """RST after the handshake is a ConnectionResetError, as on plain TCP."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        await reset(reader, writer)

    async with listening(serve, context(mint("l", root()))) as port, connected(port) as stream:
        await stream.send(b"x")
        with pytest.raises(ConnectionResetError):
            await read_all(stream)


async def test_a_renegotiation_is_refused() -> None:
    """A server that asks for one on TLS 1.2 gets no more of us than an alert (truth: tls-renegotiation)."""
    with threaded(renegotiating(mint("l", root()))) as port:
        async with connected(port) as stream:
            await stream.send(b"request")
            try:
                assert b"" == await stream.receive()
            except TLSBroken as broken:
                assert broken.alert in (None, 40, 100)


async def test_a_renegotiation_is_done_where_the_route_allows_it() -> None:
    """tls_upstream_allow_renegotiation: the second handshake happens below the stream."""
    with threaded(renegotiating(mint("l", root()), answer=b"done")) as port:
        async with connected(port, tls.offer(allow_renegotiation=True)) as stream:
            await stream.send(b"request")
            assert b"done" == await stream.receive()


async def test_one_byte_at_a_time_is_a_handshake_too() -> None:
    """A server whose every byte comes alone is slow, not wrong."""
    strict = context(mint("l", root()))

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = strict.wrap_bio(incoming, outgoing, server_side=True)
        while True:
            try:
                server.do_handshake()
                break
            except ssl.SSLWantReadError:
                for byte in outgoing.read():
                    writer.write(bytes((byte,)))
                    await writer.drain()
                incoming.write(await reader.read(CHUNK))
        for byte in outgoing.read():
            writer.write(bytes((byte,)))
            await writer.drain()
        await hold(reader, writer)

    async with listening(relay) as port, connected(port) as stream:
        assert isinstance(stream, TLSStream)


async def test_a_chain_that_is_too_long_is_refused() -> None:
    """More than 100 kB of certificates are not read, neither by us nor by Envoy (case flight-certificates-128k)."""
    assert "268435606:SSL_routines:OPENSSL_internal:EXCESSIVE_MESSAGE_SIZE" == ENVOY["flight-certificates-128k"]


async def test_endless_empty_records_end() -> None:
    """A server that sends records without content, for ever, is left soon: nothing of it is kept."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(CHUNK)
        while True:
            writer.write(b"\x16\x03\x03\x00\x00" * 1000)
            await writer.drain()

    async with listening(serve) as port:
        failed = await shake_hands(port)
    assert isinstance(failed, StageFailed)
    assert "268435675:SSL_routines:OPENSSL_internal:TOO_MANY_EMPTY_FRAGMENTS" == failed.facts["reason"]


async def test_a_handshake_can_be_cancelled() -> None:
    """A server that never answers keeps nobody: the clock's cancellation gets through."""
    async with listening(hold) as port:
        below = await tcp.connect(Endpoint("127.0.0.1", port))
        with anyio.move_on_after(0.01) as scope:
            await Handshake(below, tls.Engine(tls.offer(), HOST)).run()
        below.close()
    assert scope.cancelled_caught


async def test_nothing_is_kept_of_connections_that_are_gone() -> None:
    """That a server asked for a client certificate is forgotten with the connection."""
    async with listening(hold, context(mint("l", root()), client_ca=root(), lowest=ssl.TLSVersion.TLSv1_3)) as port:
        below = await tcp.connect(Endpoint("127.0.0.1", port))
        engine = tls.Engine(tls.offer(), HOST)
        await Handshake(below, engine).run()
        assert engine.client_certificate_requested
        below.close()
        assert tls.Engine(tls.offer(), HOST).client_certificate_requested is False


def client_hello(**offered: object) -> bytes:
    engine = tls.Engine(tls.offer(**offered), HOST)
    engine.handshake()
    return engine.take()


def extensions(came: bytes) -> dict[int, bytes]:
    """The extensions of a ClientHello (RFC 8446, 4.1.2)."""
    position = 44 + len(session_id(came))
    position += 2 + int.from_bytes(came[position : position + 2])
    position += 1 + came[position] + 2
    found = {}
    while position < len(came):
        kind, size = int.from_bytes(came[position : position + 2]), int.from_bytes(came[position + 2 : position + 4])
        found[kind] = came[position + 4 : position + 4 + size]
        position += 4 + size
    return found


def test_the_offer_is_that_of_envoy() -> None:
    """Groups, signature algorithms, versions and ciphers as BoringSSL offers them under Pomerium's settings."""
    came = client_hello(alpn=("h2", "http/1.1"))
    found = extensions(came)
    position = 44 + len(session_id(came))
    ciphers = came[position + 2 : position + 2 + int.from_bytes(came[position : position + 2])].hex(" ", 2).split()
    assert bytes.fromhex("0008 001d 0017 0018 0019") == found[10]
    assert bytes.fromhex("0012 0403 0804 0401 0503 0805 0501 0806 0601 0201") == found[13]
    assert bytes.fromhex("04 0304 0303") == found[43]
    assert b"\x00\x0c\x02h2\x08http/1.1" == found[16]
    assert b"\x00\x0e\x00\x00\x0bup.lab.test" == found[0]
    thirteen = ["1301", "1302", "1303"]
    twelve = ["c02c", "c030", "c02b", "c02f", "cca9", "cca8", "c009", "c013", "009c", "002f", "c00a", "c014", "009d", "0035"]
    assert thirteen + twelve == [cipher for cipher in ciphers if cipher != "00ff"]
    assert b"" == found[35]  # session tickets
    assert not {22, 49} & found.keys()  # encrypt-then-MAC, post-handshake authentication


def test_no_alpn_and_no_name_where_there_is_none() -> None:
    """An empty list and an empty name are left out."""
    engine = tls.Engine(tls.offer(), "")
    engine.handshake()
    assert not {0, 16} & extensions(engine.take()).keys()


def test_a_client_certificate_that_does_not_fit_its_key_is_unusable() -> None:
    """Said before anything is sent."""
    with pytest.raises(tls.Unusable):
        tls.offer(client_cert=mint().pem, client_key=mint().key_pem)


async def test_what_answers_in_plain_text_is_shown() -> None:
    """The first bytes are kept for people, and what they look like."""
    async with listening(answers(b"SSH-2.0-OpenSSH_9.6\r\n")) as port:
        failed = await shake_hands(port)
    assert isinstance(failed, StageFailed)
    assert ("SSH", "SSH-2.0-OpenSSH_9.6\\r\\n") == (failed.facts["speaks"], failed.facts["first_bytes"])
