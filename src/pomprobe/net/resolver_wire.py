"""DNS messages: the question that is sent, and what an answer says. dnspython's part ends here; it sends nothing."""

from __future__ import annotations

from typing import Literal

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from ..record import Record
from .hosts import HOSTNAME

RecordType = Literal["A", "AAAA"]

EDNS_PAYLOAD = 1232
"""Bytes of an answer that c-ares accepts over UDP (EDNSPACKETSZ)."""


ADDRESSES = (dns.rdatatype.A, dns.rdatatype.AAAA)


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
    try:
        message = dns.message.from_wire(data, keyring=False, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError) as error:
        raise Malformed(str(error) or type(error).__name__) from error
    if asked is None:
        return None
    wanted = dns.rdatatype.from_text(asked.record_type)
    if message.id != asked.id or [(q.name, q.rdtype, q.rdclass) for q in message.question] != [(asked.name, wanted, dns.rdataclass.IN)]:
        return None
    records = [rrset for rrset in message.answer if rrset.rdclass == dns.rdataclass.IN]
    addresses = [record.address for rrset in records if rrset.rdtype in ADDRESSES for record in rrset]
    targets = {rrset.name: rrset[0].target for rrset in records if rrset.rdtype == dns.rdatatype.CNAME}
    chain, loop = _follow(asked.name, targets)
    return Reply(
        rcode=dns.rcode.to_text(message.rcode()),
        truncated=bool(message.flags & dns.flags.TC),
        edns=message.edns >= 0,
        addresses=tuple(dict.fromkeys(addresses)),
        cnames=tuple(name.to_text(omit_final_dot=True) for name in chain),
        loop=loop,
    )


def _follow(name: dns.name.Name, targets: dict[dns.name.Name, dns.name.Name]) -> tuple[list[dns.name.Name], bool]:
    chain: list[dns.name.Name] = []
    seen = {name}
    while (target := targets.get(name)) is not None:
        chain.append(target)
        if target in seen:
            return chain, True
        seen.add(target)
        name = target
    return chain, False
