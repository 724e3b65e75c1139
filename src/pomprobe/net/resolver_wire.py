"""DNS messages: the question that is sent, and what an answer says. dnspython's part ends here; it sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.wire

from ..record import Record
from .hosts import HOSTNAME

RecordType = Literal["A", "AAAA"]

EDNS_PAYLOAD = 1232
"""Bytes of an answer that c-ares accepts over UDP (EDNSPACKETSZ)."""


ADDRESSES = (dns.rdatatype.A, dns.rdatatype.AAAA)
ADDITIONAL = 2  # the section, counted from the answer


class InvalidName(Exception):
    """A name that c-ares refuses to ask for; the message says what is wrong with it."""


class Malformed(Exception):
    """Bytes that are no DNS message."""


class Question(Record, frozen=True):
    """One question as it goes over the wire."""

    id: int
    name: dns.name.Name
    record_type: RecordType
    wire: bytes


class Reply(Record, frozen=True):
    """What a server answered. addresses: in the order of the answer, each once. cnames: targets, in the order they are followed."""

    rcode: str
    truncated: bool
    edns: bool
    addresses: tuple[str, ...]
    cnames: tuple[str, ...]
    loop: bool


def check(name: str) -> None:
    """Raise InvalidName where c-ares fails without a query: ares_split_dns_name in src/lib/record/ares_dns_name.c."""
    labels = name.removesuffix(".").split(".")
    if odd := next((character for character in name if character not in HOSTNAME), None):
        raise InvalidName(f"the character {odd!r}")
    if long := next((label for label in labels if len(label) > 63), None):
        raise InvalidName(f"a label of {len(long)} characters (63 are allowed)")
    if not all(labels):
        raise InvalidName("an empty label")
    if len(".".join(labels)) > 253:
        raise InvalidName(f"{len(name)} characters (253 are allowed)")


def question(name: str, record_type: RecordType, *, edns: bool) -> Question:
    """The question for the records of `name`, which `check` has passed."""
    message = dns.message.make_query(
        dns.name.from_text(name), record_type, use_edns=0 if edns else False, payload=EDNS_PAYLOAD if edns else None
    )
    return Question(message.id, message.question[0].name, record_type, message.to_wire())


def parse(asked: Question | None, data: bytes) -> Reply | None:
    """What the answer says, or None where it answers another question (a late or forged one, which c-ares drops too).

    Raises Malformed. Records count whatever name they stand under, and addresses of both families, as in ares_parse_into_addrinfo
    (variants dns-answer-*).
    """
    parser = _Parser(data)
    try:
        id, flags, questions, *counts = parser.get_struct("!HHHHHH")
        asks = [(parser.owner(), *parser.get_struct("!HH")) for _ in range(questions)]
        answer, ednsflags = _records(parser, counts)
    except (dns.exception.DNSException, ValueError) as error:
        raise Malformed(str(error) or type(error).__name__) from error
    if asked is None:
        return None
    wanted = dns.rdatatype.from_text(asked.record_type)
    if id != asked.id or asks != [(asked.name, wanted, dns.rdataclass.IN)]:
        return None
    targets = {_key(name): record.target for name, record in answer if record.rdtype == dns.rdatatype.CNAME}
    chain, loop = _follow(asked.name, targets)
    return Reply(
        rcode=dns.rcode.to_text(dns.rcode.from_flags(flags, ednsflags or 0)),
        truncated=bool(flags & dns.flags.TC),
        edns=ednsflags is not None,
        addresses=tuple(dict.fromkeys(record.address for _, record in answer if record.rdtype in ADDRESSES)),
        cnames=tuple(name.to_text(omit_final_dot=True) for name in chain),
        loop=loop,
    )


class _Parser(dns.wire.Parser):
    """Makes a name once that stands there again, byte for byte: a message may point at a name of 127 labels thousands of times.

    What the bytes say does not change: they were read before, so what they point at lies before both.
    """

    def __init__(self, wire: bytes) -> None:
        super().__init__(wire)
        self._known: dict[tuple[object, ...], dns.name.Name] = {}

    def owner(self) -> dns.name.Name:
        """The name at the beginning of a record or question."""
        return self._once((), lambda: dns.name.from_wire_parser(self))

    def get_name(self, *how: Any) -> dns.name.Name:
        """For dnspython's readers of records, which say how."""
        read = super().get_name
        return self._once(("record", *how), lambda: read(*how))

    def _once(self, how: tuple[object, ...], read: Callable[[], dns.name.Name]) -> dns.name.Name:
        at, end = self.current, self.current
        while end < len(self.wire) and 0 < self.wire[end] < 64:
            end += 1 + self.wire[end]
        end += 1 if self.wire[end : end + 1] == b"\0" else 2
        key = (self.wire[at:end], *how)
        if key in self._known:
            self.get_bytes(end - at)
        else:
            self._known[key] = read()
        return self._known[key]


def _records(parser: _Parser, counts: Sequence[int]) -> tuple[list[tuple[dns.name.Name, Any]], int | None]:
    """Records of the class IN in the answer with their names, and EDNS' flags; all sections are read, as c-ares does.

    dns.message.from_wire would put them into sets, and compare each with each.
    """
    answer: list[tuple[dns.name.Name, Any]] = []
    ednsflags = None
    for section, count in enumerate(counts):
        for position in range(count):
            name = parser.owner()
            rdtype, rdclass, ttl, size = parser.get_struct("!HHIH")
            if rdtype == dns.rdatatype.OPT and (section < ADDITIONAL or ednsflags is not None or name != dns.name.root):
                raise dns.message.BadEDNS
            if rdtype == dns.rdatatype.TSIG and (section < ADDITIONAL or rdclass != dns.rdataclass.ANY or position < count - 1):
                raise dns.message.BadTSIG
            with parser.restrict_to(size):
                record = dns.rdata.from_wire_parser(rdclass, rdtype, parser)
            if rdtype == dns.rdatatype.OPT:
                ednsflags = ttl
            elif section == 0 and rdclass == dns.rdataclass.IN:
                answer.append((name, record))
    return answer, ednsflags


def _key(name: dns.name.Name) -> tuple[bytes, ...]:
    """Equal for equal names; a Name's own hash is made letter by letter."""
    return tuple(map(bytes.lower, name.labels))


def _follow(name: dns.name.Name, targets: dict[tuple[bytes, ...], dns.name.Name]) -> tuple[list[dns.name.Name], bool]:
    chain: list[dns.name.Name] = []
    seen = {key := _key(name)}
    while (target := targets.get(key)) is not None:
        chain.append(target)
        key = _key(target)
        if key in seen:
            return chain, True
        seen.add(key)
    return chain, False
