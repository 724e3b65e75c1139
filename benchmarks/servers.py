"""What is probed: nginx on thousands of loopback sockets, a port that drops every SYN, and a server that takes its time."""

from __future__ import annotations

import contextlib
import multiprocessing
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import trustme

SERVER_NAME = "upstream.bench.test"


def certificate(directory: Path) -> None:
    """A CA and a certificate of SERVER_NAME: ca.pem, server.pem (key and chain)."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(directory / "ca.pem")
    ca.issue_cert(SERVER_NAME, "*." + SERVER_NAME.partition(".")[2]).private_key_and_cert_chain_pem.write_to_path(directory / "server.pem")


def addresses(count: int) -> list[str]:
    """So many addresses of loopback: 127.1.0.1, 127.1.0.2, …"""
    return [f"127.1.{number // 250}.{number % 250 + 1}" for number in range(count)]


@contextlib.contextmanager
def nginx(directory: Path, sockets: list[tuple[str, int]], *, log: bool = False) -> Iterator[None]:
    """One nginx worker that listens with TLS on each address and port, and answers `ok`. Needs ca.pem and server.pem there.

    log: access.log gets the address and the seconds that each request took, by nginx' own clock.
    """
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/sbin:/bin")
    if program is None:
        raise FileNotFoundError("nginx is not installed")
    listen = "\n".join(f"    listen {address}:{port} ssl;" for address, port in sockets)
    (directory / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; worker_rlimit_nofile 20000; pid {directory}/nginx.pid; error_log {directory}/error.log;
events {{ worker_connections 19000; multi_accept on; }}
http {{
  log_format took "$server_addr $request_time"; access_log {f"{directory}/access.log took" if log else "off"};
  ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache off; ssl_session_tickets off;
  client_body_temp_path {directory}; proxy_temp_path {directory};
  fastcgi_temp_path {directory}; uwsgi_temp_path {directory}; scgi_temp_path {directory};
  server {{
{listen}
    ssl_certificate {directory}/server.pem; ssl_certificate_key {directory}/server.pem;
    location / {{ return 200 "ok\\n"; }}
  }}
}}
""")
    process = subprocess.Popen([program, "-c", str(directory / "nginx.conf"), "-p", str(directory)], stderr=subprocess.DEVNULL)
    try:
        wait_for(*sockets[-1])
        yield
    finally:
        process.terminate()
        process.wait()


def wait_for(address: str, port: int) -> None:
    """Return when something listens there. Raises TimeoutError after 20 s."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection((address, port)):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {address}:{port}")


def free_port(address: str = "127.0.0.1") -> int:
    """A port on which nothing listened a moment ago."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """A port on which every address of loopback drops SYNs: the queue of its only listener is full, and nobody accepts."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("0.0.0.0", 0))
        listener.listen(0)
        port: int = listener.getsockname()[1]
        for _ in range(4):  # Linux lets backlog + 1 in
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        yield port


@contextlib.contextmanager
def slow_server(directory: Path, before_handshake: float, before_answer: float) -> Iterator[int]:
    """A TLS server in a process of its own that waits (seconds) before the handshake and before its answer; gives its port."""
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(target=_slow, args=(str(directory), port, before_handshake, before_answer))
    process.start()
    try:
        wait_for("127.0.0.1", port)
        yield port
    finally:
        process.terminate()
        process.join()


def _slow(directory: str, port: int, before_handshake: float, before_answer: float) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(directory, "server.pem"))

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):  # a probe that only looks whether somebody listens
            time.sleep(before_handshake)
            with context.wrap_socket(connection, server_side=True) as client:
                client.recv(65536)
                time.sleep(before_answer)
                client.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nok\n")

    with socket.create_server(("127.0.0.1", port), backlog=100) as listener:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection,), daemon=True).start()
