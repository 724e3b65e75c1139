"""--wait: until all is well, looked at anew each time."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from servers.app import app

from .program import config, pomprobe


@dataclass
class Names:
    """A name server. known: does it know the name by now? asked: how many questions it was asked."""

    known: bool = False
    asked: list[str] = field(default_factory=list)

    def answer(self, wire: bytes) -> bytes:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        self.asked.append(question.name.to_text())
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        if not self.known:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif question.rdtype == dns.rdatatype.A:
            response.answer.append(dns.rrset.from_text(question.name, 3600, "IN", "A", "127.0.0.1"))
        return response.to_wire()


@contextmanager
def serving(names: Names) -> Iterator[int]:
    """The name server, on a port of loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                wire, client = udp.recvfrom(4096)
                if not wire:
                    return
                udp.sendto(names.answer(wire), client)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield udp.getsockname()[1]
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", udp.getsockname())
            thread.join()


def test_each_try_asks_dns_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that appears while --wait waits is found, although an answer had said that it is not there."""
    names = Names()

    def pause(_: float) -> None:
        names.known = True

    monkeypatch.setattr("pomprobe.cli.check.time.sleep", pause)
    with app() as up, serving(names) as port:
        name = config(f"to: http://late.test:{up.port}", top=f"dns_resolvers: [udp://127.0.0.1:{port}]\n")
        ended = pomprobe("check", name, "--wait", "1m", "-o", "json")
    assert 0 == ended.code, ended.out + ended.err
    (route,) = json.loads(ended.out)["routes"]
    assert ("ok", "127.0.0.1") == (route["status"], route["upstreams"][0]["endpoints"][0]["address"])
    assert {"late.test."} == set(names.asked) and len(names.asked) >= 2
