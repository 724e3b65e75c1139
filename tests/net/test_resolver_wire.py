"""DNS messages from anyone: parsed, passed over, or malformed, and nothing else."""

from __future__ import annotations

import contextlib

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pomprobe.net import resolver_wire as wire
from pomprobe.record import replace
from robust.hostile_dns import DNS
from servers.dns import Large
from work import calls

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


# ------------------------------------------------------------------------------------------- the same as dnspython's messages


def of_message(data: bytes) -> wire.Reply | str | None:
    """What the message says that dnspython makes of the bytes."""
    try:
        message = dns.message.from_wire(data, keyring=False, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError):
        return "malformed"
    if message.id != ASKED.id or [(q.name, q.rdtype, q.rdclass) for q in message.question] != [(ASKED.name, 1, 1)]:
        return None
    records = [rrset for rrset in message.answer if rrset.rdclass == 1]
    targets = {rrset.name: rrset[0].target for rrset in records if rrset.rdtype == dns.rdatatype.CNAME}
    name, chain = ASKED.name, [ASKED.name]
    while name in targets and targets[name] not in chain:
        name = targets[name]
        chain.append(name)
    return wire.Reply(
        rcode=dns.rcode.to_text(message.rcode()),
        truncated=bool(message.flags & dns.flags.TC),
        edns=message.edns >= 0,
        addresses=tuple(sorted({record.address for rrset in records if rrset.rdtype in wire.ADDRESSES for record in rrset})),
        cnames=tuple(one.to_text(omit_final_dot=True) for one in [*chain[1:], *([targets[name]] if name in targets else [])]),
        loop=name in targets,
    )


def of_bytes(data: bytes) -> wire.Reply | str | None:
    try:
        reply = wire.parse(ASKED, data)
    except wire.Malformed:
        return "malformed"
    return reply and replace(reply, addresses=tuple(sorted(reply.addresses)))


HEAD = dns.message.make_response(dns.message.from_wire(wire.question("up.lab.test", "A", edns=False).wire)).to_wire()[2:]
NAMES = [b"\xc0\x0c", b"\xc0\x0c", b"\xc0\x0f", b"\x01a\xc0\x0c", b"\x01A\xc0\x0c", b"\x01a\0", b"\0"]
names = st.one_of(*[st.sampled_from(NAMES)] * 6, st.integers(12, 90).map(lambda at: bytes((0xC0, at))), st.just(b"\x01a" * 126 + b"\0"))
DATA = {
    1: st.sampled_from([b"\x7f\0\0\1", b"\x7f\0\0\2", b"\x7f"]), 28: st.just(bytes(16)), 5: names, 2: names, 39: names,
    6: st.builds(b"".join, st.tuples(names, names, st.just(bytes(20)))), 15: names.map(b"\0\1".__add__), 16: st.just(b"\1a"),
    46: names.map(lambda name: bytes(18) + name + b"s"), 41: st.sampled_from([b"", b"", b"\0\1\0\0"]),
    250: names.map(lambda name: name + bytes(16)), 999: names,
}  # fmt: skip


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Answers of a few records in any section, most as they should be; now and then a byte is another one."""
    counts, records = [0, 0, 0], b""
    for section in sorted(draw(st.lists(st.sampled_from([0, 0, 0, 1, 2, 2]), max_size=4))):
        rdtype = draw(st.sampled_from([1, 5, 5, 5, *DATA] if section < 2 else [41, 41, 41, 250, *DATA]))
        rdata, usual = draw(DATA[rdtype]), draw(st.integers(0, 9)) > 0
        owner = b"\0" if usual and rdtype in (41, 250) else draw(names)
        rdclass = 255 if usual and rdtype == 250 else 1 if usual else draw(st.sampled_from([1, 3, 255]))
        records += owner + rdtype.to_bytes(2) + rdclass.to_bytes(2) + draw(st.sampled_from([bytes(4), b"\1\0\0\0", b"\xff" * 4]))
        records += len(rdata).to_bytes(2) + rdata
        counts[section] += 1
    message = bytearray(ASKED.id.to_bytes(2) + HEAD[:4] + b"".join(count.to_bytes(2) for count in counts) + HEAD[10:] + records)
    if draw(st.integers(0, 4)) == 0:
        message[draw(st.integers(0, len(message) - 1))] = draw(st.integers(0, 255))
    return bytes(message)


@settings(max_examples=max(400, settings().max_examples))
@given(messages())
def test_an_answer_says_what_dnspython_reads_in_it(data: bytes) -> None:
    """Reply, stranger or malformed, as its own messages, which are made of sets and compare each record with each.

    But for dynamic updates: to c-ares they are messages as all others.
    """
    assume(data[2] & 0x78 != 0x28)
    assert of_message(data) == of_bytes(data)


LARGE = [name for name, zone in DNS.items() if callable(zone) and isinstance(zone(dns.message.make_query(name, "A")), Large)]


@pytest.mark.parametrize("name", LARGE)
def test_a_large_answer_costs_little(name: str) -> None:
    """What fits into a message: a few calls for each byte of it."""
    asked, zone = wire.question(name, "A", edns=False), DNS[name]
    assert callable(zone)
    answer = zone(dns.message.from_wire(asked.wire))
    assert isinstance(answer, Large) and isinstance(answer.whole, bytes)

    whole = answer.whole

    def parse() -> None:
        with contextlib.suppress(wire.Malformed):
            wire.parse(asked, whole)

    assert calls(parse) < 16 * len(whole) + 1000
