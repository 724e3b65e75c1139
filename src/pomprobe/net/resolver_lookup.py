"""One lookup of one type of record, as c-ares' ares_getaddrinfo does it: a literal address, the hosts file, DNS with search domains."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..model import Failure
from ..record import Record
from . import hosts
from . import resolver_wire as wire
from .resolv_conf import Machine
from .resolver_query import Log, Missed, Plan, ask

LOOPBACK: dict[wire.RecordType, str] = {"A": "127.0.0.1", "AAAA": "::1"}


class Looked(Record, frozen=True):
    """Addresses, or why there are none. problem: what is wrong with the name; limit: what our machine lacked."""

    addresses: tuple[str, ...] = ()
    source: str = "dns"  # "literal", "hosts file", "localhost"
    cname: tuple[str, ...] = ()
    failure: Failure | None = None
    error: str = ""
    rcode: str | None = None
    limit: str | None = None
    problem: str | None = None


@dataclass(slots=True)
class Asked:
    """What has been asked for one name, and of whom."""

    log: Log = field(default_factory=Log)
    names: dict[str, None] = field(default_factory=dict)


async def look_up(name: str, record_type: wire.RecordType, machine: Machine, plan: Plan, asked: Asked) -> Looked:
    """Look up one name; failures are values, since two lookups may run side by side."""
    literal = hosts.address(name)
    if literal is not None and (record_type == "AAAA" or ":" not in literal):  # an IPv4 address passes as IPv6, too
        return Looked((literal,), source="literal")
    if name.lower().removesuffix(".").endswith(".onion"):
        return Looked(failure=Failure.NAME_INVALID, problem="a .onion name")
    localhost = name.lower() == "localhost" or name.lower().endswith(".localhost")
    looked = Looked(failure=Failure.NAME_NOT_FOUND, source="hosts file")
    for source in machine.lookups:
        if source == "f":
            found = tuple(at for at in machine.hosts.get(name.lower(), ()) if (":" in at) == (record_type == "AAAA"))
            if found or localhost:
                return Looked(found or (LOOPBACK[record_type],), source="hosts file" if found else "localhost")
        elif not localhost:
            looked = await _search(name, record_type, machine, plan, asked)
            if not _goes_on(looked, name):
                return looked
    return looked


async def _search(name: str, record_type: wire.RecordType, machine: Machine, plan: Plan, asked: Asked) -> Looked:
    """Ask for the name, and for the name under each search domain, until one gives an address or a failure that ends it."""
    looks: list[Looked] = []
    for candidate in _candidates(name, machine):
        asked.names[candidate] = None
        looked = await _ask(candidate, record_type, plan, asked.log)
        if not _goes_on(looked, candidate):
            return looked
        looks.append(looked)
    return next((looked for looked in looks if looked.failure is not Failure.NAME_NOT_FOUND), looks[0])


def _candidates(name: str, machine: Machine) -> list[str]:
    """The names to ask for, in order (ares_search_name_list)."""
    if name.endswith("."):
        return [name]
    searched = [f"{name}." if domain == "." else f"{name}.{domain}" for domain in machine.search]
    return [name, *searched] if name.count(".") >= machine.ndots else [*searched, name]


async def _ask(name: str, record_type: wire.RecordType, plan: Plan, log: Log) -> Looked:
    try:
        wire.check(name)
    except wire.InvalidName as error:
        return Looked(failure=Failure.NAME_INVALID, problem=str(error))
    if not plan.servers:
        return Looked(failure=Failure.NO_RESOLVER)
    reply = await ask(plan, name, record_type, log)
    if isinstance(reply, Missed):
        return Looked(failure=reply.failure, rcode=reply.rcode, error=reply.error, limit=reply.limit)
    return _read(reply)


def _read(reply: wire.Reply) -> Looked:
    """What c-ares makes of an answer (ares_dns_query_reply_tostatus, ares_parse_into_addrinfo)."""
    if reply.rcode == "NXDOMAIN":
        failure = Failure.DNS_DANGLING if reply.cnames else Failure.NAME_NOT_FOUND
    elif reply.addresses and reply.rcode != "FORMERR":
        return Looked(reply.addresses, cname=reply.cnames)
    elif reply.rcode != "NOERROR":
        failure = Failure.DNS_ERROR
    else:
        failure = Failure.DNS_LOOP if reply.loop else Failure.NO_ADDRESS
    return Looked(cname=reply.cnames, failure=failure, rcode=reply.rcode, error=reply.rcode)


def _goes_on(looked: Looked, name: str) -> bool:
    """Does c-ares try the next search domain, or the next source, after this (host_callback)?"""
    if looked.failure in (Failure.SERVER_FAILURE, Failure.DNS_REFUSED):
        return "." not in name  # systemd-resolved answers so for a single label
    if looked.failure is Failure.DNS_ERROR:
        return looked.rcode not in ("FORMERR", "NOTIMP")
    return looked.failure in (Failure.NAME_NOT_FOUND, Failure.NO_ADDRESS, Failure.DNS_LOOP, Failure.DNS_DANGLING)
