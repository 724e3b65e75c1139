"""Sockets: what connect() says and when, and bytes with the system's own errors."""

from __future__ import annotations

import errno
import os
import resource
import socket
from pathlib import Path

import anyio
import pytest

from pomprobe.model import Endpoint
from pomprobe.net import tcp
from servers.tcp import close, echo, hold, listening, refused_port, reset, silent_port, stale_unix_socket

LOOPBACK = "127.0.0.1"


async def failure(endpoint: Endpoint, source_address: str = "") -> tuple[str, bool]:
    """The errno of a failed connect, and whether connect() itself said so."""
    with pytest.raises(tcp.ConnectFailed) as failed:
        await tcp.connect(endpoint, source_address)
    return tcp.name(failed.value.errno), failed.value.immediate


async def test_bytes_go_both_ways() -> None:
    """An echo server gives back what was sent, however much."""
    async with listening(echo) as port:
        stream = await tcp.connect(Endpoint(LOOPBACK, port))
        sent = os.urandom(3_000_000)
        received = b""
        async with anyio.create_task_group() as group:
            group.start_soon(stream.send, sent)
            while len(received) < len(sent):
                received += await stream.receive()
        stream.close()
    assert sent == received


async def test_the_end_is_the_end() -> None:
    """FIN is b"", as often as one asks."""
    async with listening(close) as port:
        stream = await tcp.connect(Endpoint(LOOPBACK, port))
        assert [b"", b""] == [await stream.receive(), await stream.receive()]
        stream.close()


async def test_a_reset_is_a_connection_reset_error() -> None:
    """RST comes as the system gives it."""
    async with listening(reset) as port:
        stream = await tcp.connect(Endpoint(LOOPBACK, port))
        with pytest.raises(ConnectionResetError):
            await stream.receive()
        stream.close()


async def test_sending_into_a_closed_connection_is_an_oserror() -> None:
    """Where the peer reset the connection, sending says so sooner or later."""
    async with listening(reset) as port:
        stream = await tcp.connect(Endpoint(LOOPBACK, port))
        with pytest.raises(OSError, match=r"reset|pipe"):
            while True:
                await stream.send(b"x" * 1000)
        stream.close()


async def test_small_writes_do_not_wait() -> None:
    """TCP_NODELAY is set, as in Envoy."""
    async with listening(hold) as port:
        stream = await tcp.connect(Endpoint(LOOPBACK, port))
        assert stream._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        stream.close()


async def test_closing_twice_is_fine() -> None:
    """close never raises."""
    async with listening(hold) as port:
        stream = await tcp.connect(Endpoint(LOOPBACK, port))
        stream.close()
        stream.close()


async def test_refused_is_delayed() -> None:
    """On TCP the kernel learns of a refusal after connect() has returned."""
    with refused_port() as port:
        assert ("ECONNREFUSED", False) == await failure(Endpoint(LOOPBACK, port))


async def test_refused_on_ipv6() -> None:
    """The same for an IPv6 address."""
    with socket.socket(socket.AF_INET6) as sock:
        sock.bind(("::1", 0))
        assert ("ECONNREFUSED", False) == await failure(Endpoint("::1", sock.getsockname()[1]))


async def test_port_0_is_left_to_the_kernel() -> None:
    """Nobody can listen there (truth: tcp-port-0)."""
    assert ("ECONNREFUSED", False) == await failure(Endpoint(LOOPBACK, 0))


async def test_the_address_of_all_is_this_machine() -> None:
    """0.0.0.0 connects to the local host (truth: tcp-addr-any)."""
    async with listening(close) as port:
        stream = await tcp.connect(Endpoint("0.0.0.0", port))
        assert b"" == await stream.receive()
        stream.close()


async def test_broadcast_fails_at_once() -> None:
    """connect() itself refuses 255.255.255.255; no packet leaves."""
    number, immediate = await failure(Endpoint("255.255.255.255", 80))
    assert immediate
    assert number in ("ENETUNREACH", "EACCES")


async def test_a_dropped_syn_waits_for_the_clock() -> None:
    """Nothing comes back: the caller's cancel scope ends it, and the socket is closed."""
    before = len(os.listdir("/proc/self/fd"))
    with silent_port() as port:
        with anyio.move_on_after(0.02) as scope:
            await tcp.connect(Endpoint(LOOPBACK, port))
        assert scope.cancelled_caught
    assert before == len(os.listdir("/proc/self/fd"))


async def test_a_failed_connect_leaves_no_socket() -> None:
    """Descriptors are given back."""
    before = len(os.listdir("/proc/self/fd"))
    with refused_port() as port:
        await failure(Endpoint(LOOPBACK, port))
    assert before == len(os.listdir("/proc/self/fd"))


async def test_unix_sockets(tmp_path: Path) -> None:
    """A socket that listens, one that does not, none, and something else: unix sockets say it at once."""
    async with listening(echo, unix=tmp_path / "up.sock"):
        stream = await tcp.connect(Endpoint(str(tmp_path / "up.sock"), None))
        await stream.send(b"hello")
        assert b"hello" == await stream.receive()
        stream.close()
    with stale_unix_socket(tmp_path) as path:
        assert ("ECONNREFUSED", True) == await failure(Endpoint(str(path), None))
    assert ("ENOENT", True) == await failure(Endpoint(str(tmp_path / "none"), None))
    (tmp_path / "file").touch()
    assert ("ECONNREFUSED", True) == await failure(Endpoint(str(tmp_path / "file"), None))
    assert ("ENAMETOOLONG", True) == await failure(Endpoint("/" + "x" * 107, None))


async def test_abstract_unix_sockets() -> None:
    """A leading @ is Linux's namespace without files, as in Envoy."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind("\0pomprobe-test")
        assert ("ECONNREFUSED", True) == await failure(Endpoint("@pomprobe-test", None))
        sock.listen()
        (await tcp.connect(Endpoint("@pomprobe-test", None))).close()


async def test_a_zone_names_an_interface() -> None:
    """An IPv6 address with a zone is no name to be looked up; a zone that is no interface is an invalid argument."""
    assert ("EINVAL", True) == await failure(Endpoint("fe80::1%nowhere", 9))
    number, _ = await failure(Endpoint("fe80::1%lo", 9))
    assert number != "EINVAL"


async def test_the_source_address_is_bound() -> None:
    """The server sees the connection come from it."""
    seen: list[str] = []

    async def serve(reader: anyio.abc.ByteReceiveStream, writer: object) -> None:
        seen.append(writer.get_extra_info("peername")[0])  # type: ignore[attr-defined]

    async with listening(serve) as port:  # type: ignore[arg-type]
        stream = await tcp.connect(Endpoint(LOOPBACK, port), "127.0.0.7")
        await stream.receive()
        stream.close()
    assert ["127.0.0.7"] == seen


@pytest.mark.parametrize(("source", "expected"), [("10.99.99.99", "EADDRNOTAVAIL"), ("::1", "EAFNOSUPPORT"), ("nonsense", "EINVAL")])
async def test_a_source_address_that_cannot_be_bound(source: str, expected: str) -> None:
    """Said before anything is sent, in the kernel's words; nothing is looked up."""
    async with listening(hold) as port:
        with pytest.raises(tcp.SocketRefused) as refused:
            await tcp.connect(Endpoint(LOOPBACK, port), source)
    assert (expected, True) == (tcp.name(refused.value.errno), refused.value.binding)


async def test_no_descriptor_left_is_ours() -> None:
    """EMFILE comes as the system refusing a socket, not as a failed connect."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(int(fd) for fd in os.listdir("/proc/self/fd"))
    spare = [os.open("/dev/null", os.O_RDONLY) for _ in range(used - len(os.listdir("/proc/self/fd")) + 2)]
    highest = max(int(fd) for fd in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(highest, *spare) if highest < spare[-1] else highest, hard))
    try:
        with pytest.raises(tcp.SocketRefused) as refused:
            await tcp.connect(Endpoint(LOOPBACK, 9))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for fd in spare:
            os.close(fd)
    assert errno.EMFILE == refused.value.errno


async def test_a_source_address_of_the_other_family() -> None:
    """IPv4 for an IPv6 upstream is an invalid argument, as Envoy 1.37 prints it."""
    with pytest.raises(tcp.SocketRefused) as refused:
        await tcp.connect(Endpoint("::1", 9), "127.0.0.1")
    assert errno.EINVAL == refused.value.errno


async def test_a_unix_socket_has_no_source_address(tmp_path: Path) -> None:
    """It is not bound, as in Envoy."""
    async with listening(hold, unix=tmp_path / "up.sock"):
        (await tcp.connect(Endpoint(str(tmp_path / "up.sock"), None), "10.99.99.99")).close()


def test_a_connection_with_itself_is_seen() -> None:
    """Both ends have one address and port: nobody listens there, whatever the kernel says."""
    with socket.socket() as sock:
        sock.bind((LOOPBACK, 0))
        sock.connect(sock.getsockname())
        assert tcp.is_own(sock)


def test_words_are_envoys() -> None:
    """strerror with underscores, and the symbol of the number."""
    assert ("No_route_to_host", "EHOSTUNREACH") == (tcp.reason(errno.EHOSTUNREACH), tcp.name(errno.EHOSTUNREACH))


def test_a_route_is_found_without_a_packet() -> None:
    """The loopback addresses have one; an address of another family than the socket's has none."""
    assert [True, True, False] == [tcp.has_route(Endpoint(address, 9)) for address in (LOOPBACK, "::1", "not an address")]
