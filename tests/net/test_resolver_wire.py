"""DNS messages from anyone: parsed, passed over, or malformed, and nothing else."""

from __future__ import annotations

import dns.message
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomprobe.net import resolver_wire as wire

ASKED = wire.question("up.lab.test", "A", edns=True)


def answer() -> bytes:
    """A good answer with a chain of names."""
    reply = dns.message.make_response(dns.message.from_wire(ASKED.wire))
    reply.answer.append(dns.rrset.from_text("up.lab.test.", 60, "IN", "CNAME", "a.lab.test."))
    reply.answer.append(dns.rrset.from_text("a.lab.test.", 60, "IN", "A", "127.0.0.1", "127.0.0.2"))
    return reply.to_wire()


GOOD = answer()


def read(data: bytes) -> None:
    try:
        wire.parse(ASKED, data)
    except wire.Malformed as error:
        assert str(error)


@given(st.binary(max_size=80))
def test_any_bytes(data: bytes) -> None:
    """Whatever comes, the only error is Malformed."""
    read(data)
    read(GOOD[:2] + data)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255), st.integers(0, len(GOOD)))
def test_damaged_answers(at: int, flip: int, end: int) -> None:
    """The same for an answer that was damaged or cut."""
    read(GOOD[:at] + bytes((GOOD[at] ^ flip,)) + GOOD[at + 1 :])
    read(GOOD[:end])


def test_answer() -> None:
    """The parts of a good answer; junk behind it does not matter."""
    reply = wire.parse(ASKED, GOOD + b"junk")
    assert reply is not None
    assert sorted(reply.addresses) == ["127.0.0.1", "127.0.0.2"]
    assert (reply.rcode, reply.cnames, reply.loop) == ("NOERROR", ("a.lab.test",), False)


@pytest.mark.parametrize("edns", [False, True])
def test_question(edns: bool) -> None:
    """A question asks for recursion, and with EDNS says how much c-ares would accept over UDP."""
    message = dns.message.from_wire(wire.question("Up.lab.test", "AAAA", edns=edns).wire)
    assert message.question[0].to_text() == "Up.lab.test. IN AAAA"
    assert (bool(message.flags & dns.flags.RD), message.edns, message.payload) == (True, 0 if edns else -1, 1232 if edns else 0)
