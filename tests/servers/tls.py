"""TLS servers that do what asyncio's will not: send their alert, pick any protocol, ask to renegotiate, ticket after ticket."""

from __future__ import annotations

import selectors
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from OpenSSL import SSL

from .certificates import Pair

PATIENCE = 10.0  # seconds, after which a forgotten connection ends by itself
Serve = Callable[[socket.socket], None]


@contextmanager
def threaded(serve: Serve) -> Iterator[int]:
    """A blocking server on a port of 127.0.0.1, one connection after the other; stopped at the end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def loop() -> None:
            while True:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                sock.settimeout(PATIENCE)
                with sock, suppress(OSError, SSL.Error):
                    serve(sock)

        thread = threading.Thread(target=loop)
        thread.start()
        try:
            yield port
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def with_alerts(context: ssl.SSLContext, answer: bytes = b"") -> Serve:
    """Shakes hands as nginx and Go do: where it fails, the alert goes out before the FIN. Then answers what it reads."""

    def serve(sock: socket.socket) -> None:
        try:
            with context.wrap_socket(sock, server_side=True) as tls:
                while tls.recv(65536):
                    tls.sendall(answer)
        except ssl.SSLError:
            _linger(sock)

    return serve


def _linger(sock: socket.socket) -> None:
    """Read to the end, so that no RST destroys the alert that is on its way."""
    with suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass


def selecting(leaf: Pair, protocol: bytes, highest: int = SSL.TLS1_3_VERSION) -> Serve:
    """Selects this protocol by ALPN, offered or not."""
    context = _context(leaf, highest)
    context.set_alpn_select_callback(lambda _, __: protocol)

    def serve(sock: socket.socket) -> None:
        connection = SSL.Connection(context, sock)
        connection.set_accept_state()
        _pump(sock, connection.do_handshake)
        _linger(sock)

    return serve


def renegotiating(leaf: Pair, answer: bytes = b"done") -> Serve:
    """On TLS 1.2: reads once, asks for a renegotiation, and answers when it has come about."""
    context = _context(leaf, SSL.TLS1_2_VERSION)

    def serve(sock: socket.socket) -> None:
        connection = SSL.Connection(context, sock)
        connection.set_accept_state()
        _pump(sock, connection.do_handshake)
        _pump(sock, lambda: connection.recv(65536))
        connection.renegotiate()
        _pump(sock, connection.do_handshake)
        _pump(sock, lambda: connection.recv(1), until=lambda: not connection.renegotiate_pending())
        _pump(sock, lambda: connection.sendall(answer))
        _linger(sock)

    return serve


def writing(leaf: Pair, pieces: Sequence[bytes], *, close_notify: bool) -> Serve:
    """After the handshake: writes a record for each piece, and closes with close_notify or without."""
    context = _context(leaf, SSL.TLS1_3_VERSION)

    def serve(sock: socket.socket) -> None:
        connection = SSL.Connection(context, sock)
        connection.set_accept_state()
        _pump(sock, connection.do_handshake)
        for piece in pieces:
            connection.sendall(piece)
        if close_notify:
            connection.shutdown()
        _linger(sock)

    return serve


def _context(leaf: Pair, highest: int) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_max_proto_version(highest)
    context.use_certificate(leaf.certificate)
    context.use_privatekey(leaf.key)
    return context


def _pump(sock: socket.socket, action: Callable[[], object], *, until: Callable[[], bool] = lambda: False) -> None:
    """Try until OpenSSL has what it needs (or until there is nothing more to do); sockets with a timeout do not block."""
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        while True:
            try:
                action()
                return
            except SSL.WantReadError:
                if until() or not selector.select(PATIENCE):
                    return
