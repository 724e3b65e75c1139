"""Names to addresses as the c-ares of Pomerium's Envoy does it: which records are asked for, in which order, and which answer counts.

Sources: Envoy's source/extensions/network/dns_resolver/cares/dns_impl.cc, c-ares 1.34 (src/lib/ares_getaddrinfo.c, ares_search.c), and the
dns-* rows of the recorded truth.
"""

from __future__ import annotations

import anyio

from ..model import DNSSettings, Fact, Facts, Failure, StageFailed, Timer
from ..record import Record, replace
from .resolv_conf import Machine, Nameserver
from .resolver_lookup import Asked, Looked, look_up
from .resolver_query import SECONDS, TRIES, Plan
from .resolver_wire import RecordType

FAMILIES: dict[str, tuple[RecordType, ...]] = {
    "V4_ONLY": ("A",),
    "V6_ONLY": ("AAAA",),
    "V4_PREFERRED": ("A", "AAAA"),
    "AUTO": ("AAAA", "A"),
    "ALL": ("A", "AAAA"),
}
"""The records asked for, the preferred ones first. Only ALL takes both; otherwise the second counts where the first gave nothing."""


class Resolved(Record, frozen=True):
    """The addresses of a name, in the order of the answer, each once: Envoy makes one host of each."""

    addresses: tuple[str, ...]
    facts: Facts


class Resolver:
    """Resolves names as one Envoy would. Each name is asked for once, and what came of it is kept."""

    def __init__(self, settings: DNSSettings, machine: Machine) -> None:
        self._family = settings.lookup_family
        self._machine = machine
        # The scheme is not looked at: only dns_use_tcp makes Envoy use TCP (row dns-resolver-tcp-scheme).
        own = tuple(dict.fromkeys(Nameserver(address, port) for _, address, port in settings.resolvers))
        self._plan = Plan(
            servers=own or machine.nameservers,
            tries=settings.query_tries or TRIES,
            seconds=min(settings.query_timeout or SECONDS, SECONDS),
            use_tcp=settings.use_tcp or machine.use_tcp,
            edns=not settings.use_tcp,  # by setting c-ares' flags for TCP Envoy clears the default one, EDNS
        )
        self._results: dict[str, Resolved | StageFailed] = {}
        self._locks: dict[str, anyio.Lock] = {}

    async def anew(self, name: str) -> Resolved:
        """The same, asked once more, whatever is known already: does the resolver always answer?"""
        return await self._resolve(name)

    async def resolve(self, name: str) -> Resolved:
        """The addresses of a name or an address (IPv6 without brackets).

        Raises StageFailed; its failures NO_RESOLVER and NOT_KNOWN tell about this machine, not about the name.
        """
        if name not in self._results:
            # Whoever comes first asks, the others wait for the lock. If the first one is cancelled, the next one asks anew.
            async with self._locks.setdefault(name, anyio.Lock()):
                if name not in self._results:
                    try:
                        self._results[name] = await self._resolve(name)
                    except StageFailed as failed:
                        if failed.failure is Failure.NOT_KNOWN:
                            raise
                        self._results[name] = failed
        result = self._results[name]
        if isinstance(result, StageFailed):  # a fresh one for each: they are raised in different tasks
            raise StageFailed(result.failure, timer=result.timer, error=result.error, **result.facts)
        return result

    async def _resolve(self, name: str) -> Resolved:
        asked = Asked()
        looked = await self._by_family(name, asked)
        facts: dict[str, Fact] = {"name": name, "family": self._family, "source": looked.source, "resolvers": tuple(asked.log.servers)}
        if looked.cname:
            facts["cname"] = looked.cname
        if len(asked.names) > 1:
            facts["tried"] = tuple(asked.names)
        if looked.failure is None:
            return Resolved(looked.addresses, {**facts, "addresses": looked.addresses})
        failure = looked.failure
        if other := await self._forbidden(name, failure):
            failure = Failure.NO_ADDRESS
            facts |= {"other_family": other}
        if failure is Failure.DNS_DANGLING:
            facts |= {"target": looked.cname[-1]}
        facts |= {key: value for key in ("rcode", "limit", "problem") if (value := getattr(looked, key)) is not None}
        raise StageFailed(failure, timer=Timer.DNS if failure is Failure.DNS_TIMEOUT else None, error=looked.error, **facts)

    async def _by_family(self, name: str, asked: Asked) -> Looked:
        """Look up the first type of the family; the second too where it takes both, or the first gave nothing.

        Envoy asks one after the other. Here the second question is sent as soon as the first one has gone unanswered for one
        try: it only counts once the first has failed, so the result is the same, and a dead resolver costs half the time.
        """
        first, *rest = FAMILIES[self._family]
        if not rest:
            return await self._look_up(name, first, asked)
        looks: list[Looked] = []

        async def second() -> None:
            if self._family != "ALL":
                await asked.log.slow.wait()
            looks.append(await self._look_up(name, rest[0], asked))

        async with anyio.create_task_group() as group:
            group.start_soon(second)
            looked = await self._look_up(name, first, asked)
            if self._family != "ALL" and looked.failure in (None, Failure.NOT_KNOWN):
                group.cancel_scope.cancel()
                return looked
            asked.log.slow.set()
        return _choose(looked, *looks)

    async def _look_up(self, name: str, record_type: RecordType, asked: Asked) -> Looked:
        return await look_up(name, record_type, self._machine, self._plan, asked)

    async def _forbidden(self, name: str, failure: Failure) -> RecordType | None:
        """The type of the addresses that the name has, but that V4_ONLY or V6_ONLY forbids; one more question, at most."""
        other: RecordType = "AAAA" if self._family == "V4_ONLY" else "A"
        if self._family not in ("V4_ONLY", "V6_ONLY") or failure not in (Failure.NO_ADDRESS, Failure.NAME_NOT_FOUND, Failure.NAME_INVALID):
            return None
        # A name that DNS does not know, or that cannot be asked for, may still be a literal address or stand in the hosts file.
        plan = replace(self._plan, tries=1) if failure is Failure.NO_ADDRESS else Plan(())
        looked = await look_up(name, other, self._machine, plan, Asked())
        return other if looked.addresses else None


def _choose(first: Looked, second: Looked) -> Looked:
    """What two lookups come to: all the addresses; else the failure of the first, unless that is an empty answer."""
    for looked in (first, second):
        if looked.failure is Failure.NOT_KNOWN:
            return looked
    if addresses := tuple(dict.fromkeys((*first.addresses, *second.addresses))):
        return replace(first if first.addresses else second, addresses=addresses)
    return second if first.failure is Failure.NO_ADDRESS else first
