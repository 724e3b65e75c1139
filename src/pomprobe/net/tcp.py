"""TCP and unix sockets: non-blocking, with the exact errno, since Envoy's words depend on it."""

from __future__ import annotations

import errno
import os
import socket

import anyio
from anyio.lowlevel import checkpoint

from ..model import Endpoint
from .stream import CHUNK

IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h; socket has it from Python 3.12 on
TURN = 4
"""Pieces that are taken without a turn of the event loop."""
_WAITING = (errno.EINPROGRESS, errno.EINTR)


class SocketRefused(Exception):
    """The system would not give or bind a socket. errno as the system gave it; bound: binding the source address failed."""

    def __init__(self, number: int, *, binding: bool = False) -> None:
        super().__init__(reason(number))
        self.errno = number
        self.binding = binding


class ConnectFailed(Exception):
    """connect() failed. immediate: the call itself said so (Envoy's immediate_connect_error), else SO_ERROR did later."""

    def __init__(self, number: int, *, immediate: bool) -> None:
        super().__init__(reason(number))
        self.errno = number
        self.immediate = immediate


class TCPStream:
    """An open TCP or unix connection (net.stream.Stream)."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._at_once = 0

    async def receive(self) -> bytes:
        self._at_once += 1
        if self._at_once == TURN:  # a sender that is always ahead of us would otherwise never let the clock cancel us
            self._at_once = 0
            await checkpoint()
        while True:
            try:
                return self._socket.recv(CHUNK)
            except BlockingIOError:
                self._at_once = 0
                await anyio.wait_readable(self._socket)

    async def send(self, data: bytes) -> None:
        """Raises OSError (ConnectionResetError, BrokenPipeError …) where the connection is gone."""
        left = memoryview(data)
        while left:
            try:
                left = left[self._socket.send(left) :]
            except BlockingIOError:
                await anyio.wait_writable(self._socket)

    def close(self) -> None:
        self._socket.close()


async def connect(endpoint: Endpoint, source_address: str = "") -> TCPStream:
    """Connect to an address or the path of a unix socket; never asks DNS.

    Raises SocketRefused and ConnectFailed. The socket is closed on any exception, cancellation included.
    """
    sock = _socket(endpoint)
    try:
        if source_address and endpoint.port is not None:
            _bind(sock, source_address)
        await _connect(sock, endpoint)
        return TCPStream(sock)
    except BaseException:
        sock.close()
        raise


def is_own(sock: socket.socket) -> bool:
    """Is a TCP connection one with itself? On loopback the kernel may choose a port on which nobody listens for both ends."""
    return sock.family != socket.AF_UNIX and sock.getsockname() == sock.getpeername()


def has_route(endpoint: Endpoint) -> bool:
    """Does the kernel find a source address for this destination? Tells EADDRNOTAVAIL's two causes apart (no packet is sent)."""
    try:
        with socket.socket(_family(endpoint), socket.SOCK_DGRAM) as sock:
            return sock.connect_ex(_address(endpoint)) != errno.EADDRNOTAVAIL
    except OSError:
        return False


def reason(number: int) -> str:
    """Envoy's words for an errno: strerror with underscores (StreamInfo's connection termination details replace spaces)."""
    return os.strerror(number).replace(" ", "_")


def name(number: int) -> str:
    """The symbol of an errno: EHOSTUNREACH."""
    return errno.errorcode.get(number, str(number))


def _socket(endpoint: Endpoint) -> socket.socket:
    try:
        sock = socket.socket(_family(endpoint), socket.SOCK_STREAM)
    except OSError as error:
        raise SocketRefused(error.errno or 0) from error
    sock.setblocking(False)
    if endpoint.port is not None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _bind(sock: socket.socket, source_address: str) -> None:
    is_6 = ":" in source_address
    if is_6 != (sock.family == socket.AF_INET6):
        # What the kernel says to an address of the other family, which Python would look up (seen with Envoy 1.37).
        raise SocketRefused(errno.EAFNOSUPPORT if is_6 else errno.EINVAL, binding=True)
    try:
        socket.inet_pton(sock.family, source_address)
        sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        sock.bind((source_address, 0))
    except OSError as error:
        raise SocketRefused(error.errno or errno.EINVAL, binding=True) from error


async def _connect(sock: socket.socket, endpoint: Endpoint) -> None:
    try:
        number = sock.connect_ex(_address(endpoint))
    except socket.gaierror as error:  # a zone that names no interface
        raise ConnectFailed(errno.EINVAL, immediate=True) from error
    if number and number not in _WAITING:
        raise ConnectFailed(number, immediate=True)
    if number:
        if not _connected(sock):
            await anyio.wait_writable(sock)
        number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number or is_own(sock):
            raise ConnectFailed(number or errno.ECONNREFUSED, immediate=False)


def _connected(sock: socket.socket) -> bool:
    """Is the connection there already? On loopback it is before connect() returns, which says EINPROGRESS all the same."""
    try:
        sock.getpeername()
    except OSError:
        return False
    return True


def _family(endpoint: Endpoint) -> socket.AddressFamily:
    if endpoint.port is None:
        return socket.AF_UNIX
    return socket.AF_INET6 if ":" in endpoint.address else socket.AF_INET


def _address(endpoint: Endpoint) -> tuple[object, ...] | str:
    """The address for connect(). Raises ConnectFailed for a path that fits no unix socket (Python checks it without errno)."""
    if endpoint.port is None:
        # Envoy's PipeInstance: a leading @ is Linux's abstract namespace.
        path = endpoint.address
        if len(path.encode()) > 107:
            raise ConnectFailed(errno.ENAMETOOLONG, immediate=True)
        return "\0" + path[1:] if path.startswith("@") else path
    if "%" in endpoint.address:  # a zone: needs the interface's number
        numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return socket.getaddrinfo(endpoint.address, endpoint.port, type=socket.SOCK_STREAM, flags=numeric)[0][4]
    return endpoint.address, endpoint.port
