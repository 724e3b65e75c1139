"""The door to UDP sockets: one empty datagram, and what the kernel hears of it."""

from __future__ import annotations

import socket

import anyio

from ..model import Endpoint


async def knock(endpoint: Endpoint, source: str = "") -> bytes:
    """Send an empty datagram and wait for what comes back; the caller's cancel scope ends the waiting.

    Raises ConnectionRefusedError where an ICMP error says that nobody listens, and OSError as the system gives it.
    """
    family = socket.AF_INET6 if ":" in endpoint.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as knocking:
        if source:
            knocking.bind((source, 0))
        knocking.connect((endpoint.address, endpoint.port or 0))
        knocking.send(b"")
        while True:
            await anyio.wait_readable(knocking)
            try:
                return knocking.recv(65535)
            except BlockingIOError:  # woken without a datagram: wait on
                continue
