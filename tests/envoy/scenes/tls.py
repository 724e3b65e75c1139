"""TLS servers: asyncio's, which closes without an alert when a handshake fails, and blocking ones, which send it."""

from __future__ import annotations

import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from servers.certificates import insist

from .http1 import plain

OK = plain(200, "connection: close")
LISTENERS = "127.0.0.1"


@dataclass(frozen=True)
class Terms:
    """What a server insists on; versions are names of ssl.TLSVersion."""

    lowest: str = ""
    highest: str = ""
    ciphers: str = ""
    curve: str = ""
    alpn: Sequence[str] = field(default=())
    client_ca: Path | None = None


def context(certificate: Path, terms: Terms = Terms()) -> ssl.SSLContext:
    """A server's context; its certificate's key has the same name and ends in .key."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if terms.ciphers:
        made.set_ciphers(terms.ciphers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of TLS 1.0 and 1.1
        if terms.lowest:
            made.minimum_version = ssl.TLSVersion[terms.lowest]
        if terms.highest:
            made.maximum_version = ssl.TLSVersion[terms.highest]
    made.load_cert_chain(certificate, certificate.with_suffix(".key"))
    if terms.alpn:
        made.set_alpn_protocols(list(terms.alpn))
    if terms.curve:
        insist(made, terms.curve)
    if terms.client_ca:
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(terms.client_ca)
    return made


def by_name(names: dict[str, ssl.SSLContext], otherwise: ssl.SSLContext) -> ssl.SSLContext:
    """A context that changes with the SNI."""

    def choose(sock: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        sock.context = names.get(name or "", otherwise)

    otherwise.sni_callback = choose
    return otherwise


@contextmanager
def threaded(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A blocking server with a thread for each connection; gives its port, and waits for its threads at the end."""
    listener = socket.create_server((LISTENERS, 0), backlog=64)
    threads: list[threading.Thread] = []
    open_sockets: list[socket.socket] = []

    def one(sock: socket.socket) -> None:
        with suppress(OSError, ssl.SSLError):
            serve(sock)
        sock.close()

    def accept() -> None:
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                sock.settimeout(15)
                open_sockets.append(sock)
                thread = threading.Thread(target=one, args=(sock,))
                threads.append(thread)
                thread.start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for sock in open_sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def sending_alerts(made: ssl.SSLContext) -> Callable[[socket.socket], None]:
    """Answers 200; a failed handshake ends with its alert on the wire, and not with a reset that would destroy it."""

    def serve(sock: socket.socket) -> None:
        try:
            with made.wrap_socket(sock, server_side=True, suppress_ragged_eofs=True) as secure:
                secure.recv(65536)
                secure.sendall(OK)
                linger(secure)
        except ssl.SSLError:
            linger(sock)

    return serve


def linger(sock: socket.socket) -> None:
    """End our half, and read until the other side has ended its own."""
    with suppress(OSError, ssl.SSLError):
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass


def selecting(certificate: Path, protocol: bytes) -> Callable[[socket.socket], None]:
    """Selects an ALPN protocol, offered or not."""
    from OpenSSL import SSL

    made = SSL.Context(SSL.TLS_SERVER_METHOD)
    made.use_certificate_chain_file(str(certificate))
    made.use_privatekey_file(str(certificate.with_suffix(".key")))
    made.set_alpn_select_callback(lambda _, offered: protocol)

    def serve(sock: socket.socket) -> None:
        sock.setblocking(True)
        connection = SSL.Connection(made, sock)
        connection.set_accept_state()
        with suppress(SSL.Error):
            connection.do_handshake()
            connection.recv(65536)
            connection.sendall(OK)

    return serve


def renegotiating(certificate: Path) -> Callable[[socket.socket], None]:
    """TLS 1.2: asks for a second handshake once the request is there, and answers after it."""
    from OpenSSL import SSL

    made = SSL.Context(SSL.TLS_SERVER_METHOD)
    made.set_max_proto_version(SSL.TLS1_2_VERSION)
    made.use_certificate_chain_file(str(certificate))
    made.use_privatekey_file(str(certificate.with_suffix(".key")))

    def serve(sock: socket.socket) -> None:
        sock.setblocking(True)
        connection = SSL.Connection(made, sock)
        connection.set_accept_state()
        with suppress(SSL.Error):
            connection.do_handshake()
            connection.recv(65536)
            connection.renegotiate()
            connection.do_handshake()
            connection.recv(65536)
            connection.sendall(OK)

    return serve
