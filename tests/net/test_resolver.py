"""The resolver against a real DNS server: which addresses it takes, and what it makes of failures."""

from __future__ import annotations

import errno
import socket

import anyio
import dns.flags
import dns.message
import pytest

from pomprobe.model import DNSSettings, Fact, Failure, StageFailed, Timer
from pomprobe.net.resolv_conf import Machine, Nameserver
from pomprobe.net.resolver import Resolved, Resolver
from pomprobe.net.resolver_query import Plan
from pomprobe.net.resolver_udp import BURST
from pomprobe.record import replace
from servers.dns import Answer, DNSServer, Forged, Zone, dns_server

A, AAAA = [("A", "127.0.0.1")], [("AAAA", "::1")]
NAME = "up.lab.test"
NOWHERE = Machine()
DEFAULT = DNSSettings()
IMPATIENT = DNSSettings(query_timeout=1.0, query_tries=1)


async def ask(server: DNSServer, name: str = NAME, settings: DNSSettings = DEFAULT, machine: Machine = NOWHERE) -> Resolved:
    """Resolve with the server as the only one in dns_resolvers."""
    return await Resolver(replace(settings, resolvers=(server.resolver,)), machine).resolve(name)


async def fails(
    zone: Zone, name: str = NAME, settings: DNSSettings = DEFAULT, machine: Machine = NOWHERE, *, tcp: bool = True
) -> StageFailed:
    """The failure of resolving the name with that zone."""
    async with dns_server(zone, tcp=tcp) as server:
        with pytest.raises(StageFailed) as caught:
            await ask(server, name, settings, machine)
    return caught.value


def one_type(record_type: str, there: Answer, other: Answer) -> Zone:
    """A zone that answers one type of record in one way and all others in another."""
    return {NAME: lambda query: there if query.question[0].to_text().endswith(f" {record_type}") else other}


# ------------------------------------------------------------------------------------------ which records count

BOTH = {NAME: [*A, *AAAA]}


@pytest.mark.parametrize(
    ("zone", "family", "addresses", "asked"),
    [
        ({NAME: A}, "V4_PREFERRED", ("127.0.0.1",), ["A"]),  # dns-ok
        ({NAME: A}, "V4_ONLY", ("127.0.0.1",), ["A"]),  # dns-only-a-v4_only
        ({NAME: A}, "AUTO", ("127.0.0.1",), ["AAAA", "A"]),  # dns-only-a-auto
        ({NAME: A}, "ALL", ("127.0.0.1",), ["A", "AAAA"]),  # dns-only-a-all
        ({NAME: AAAA}, "V4_PREFERRED", ("::1",), ["A", "AAAA"]),
        ({NAME: AAAA}, "V6_ONLY", ("::1",), ["AAAA"]),
        ({NAME: AAAA}, "ALL", ("::1",), ["A", "AAAA"]),  # dns-only-aaaa-all
        (BOTH, "V4_PREFERRED", ("127.0.0.1",), ["A"]),  # dns-both-v6-listens-only
        (BOTH, "AUTO", ("::1",), ["AAAA"]),
        (BOTH, "ALL", ("127.0.0.1", "::1"), ["A", "AAAA"]),  # dns-both-v6-listens-only-all
        (one_type("A", A, "SERVFAIL"), "V4_PREFERRED", ("127.0.0.1",), ["A"]),  # dns-aaaa-servfail-a-ok
        (one_type("AAAA", AAAA, "NXDOMAIN"), "V4_PREFERRED", ("::1",), ["A", "AAAA"]),
        (one_type("A", A, "NXDOMAIN"), "ALL", ("127.0.0.1",), ["A", "AAAA"]),
    ],
)
async def test_families(zone: Zone, family: str, addresses: tuple[str, ...], asked: list[str]) -> None:
    """The family says which records are asked for, in which order, and which of them become endpoints."""
    async with dns_server(zone) as server:
        resolved = await ask(server, settings=DNSSettings(lookup_family=family))
    assert resolved.addresses == addresses
    assert sorted(kind for _, kind, _ in server.asked) == sorted(asked)
    assert resolved.facts == {
        "name": NAME,
        "family": family,
        "source": "dns",
        "resolvers": (f"127.0.0.1:{server.port}",),
        "addresses": addresses,
    }


async def test_a_dropped_aaaa_answered() -> None:
    """Where the A question times out the AAAA answer counts (row dns-a-drop-aaaa-ok)."""
    async with dns_server(one_type("A", "DROP", AAAA)) as server:
        assert (await ask(server, settings=IMPATIENT)).addresses == ("::1",)


async def test_slow_first_answer_wins() -> None:
    """The second type, asked early because the first answer is late, does not count once the first one has answered."""
    zone: Zone = {NAME: lambda query: AAAA if query.question[0].rdtype != 1 else A if len(server.asked) > 1 else "DROP"}
    async with dns_server(zone) as server:
        resolved = await ask(server, settings=DNSSettings(query_timeout=0.05, query_tries=8))
    assert resolved.addresses == ("127.0.0.1",)


@pytest.mark.parametrize(("records", "family", "other"), [(AAAA, "V4_ONLY", "AAAA"), (A, "V6_ONLY", "A")])
async def test_forbidden_family(records: list[tuple[str, str]], family: str, other: str) -> None:
    """Records of the forbidden family alone are no address; the facts say that there are some (row dns-only-aaaa-v4_only)."""
    failed = await fails({NAME: records}, settings=DNSSettings(lookup_family=family))
    assert (failed.failure, failed.facts["other_family"]) == (Failure.NO_ADDRESS, other)


async def test_no_records_at_all() -> None:
    """A name without addresses of either family (NODATA) has no address, and nothing about another family is said."""
    for family in ("V4_PREFERRED", "V4_ONLY", "ALL"):
        failed = await fails({NAME: []}, settings=DNSSettings(lookup_family=family))
        assert (failed.failure, "other_family" in failed.facts) == (Failure.NO_ADDRESS, False)


async def test_every_address_once_in_order() -> None:
    """Each address of an answer is one endpoint, in the order of the answer (rows dns-multi-a-one-refuses, dns-dup-a)."""
    records = [("A", f"127.0.0.{i}") for i in (3, 1, 2, 1)]
    async with dns_server({NAME: records}) as server:
        assert (await ask(server)).addresses == ("127.0.0.3", "127.0.0.1", "127.0.0.2")


async def test_thousands_of_addresses() -> None:
    """An answer of 4,000 addresses, truncated over UDP, comes whole over TCP."""
    addresses = tuple(f"127.0.{i // 250}.{i % 250 + 1}" for i in range(4000))

    def answer(query: dns.message.Message) -> Answer:
        if len(server.asked) == 1:
            return "TC"
        head = dns.message.make_response(query).to_wire()
        records = (b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(address) for address in addresses)
        question_end = 12 + len(query.question[0].name.to_wire() or b"") + 4
        return head[:6] + (4000).to_bytes(2) + b"\0\0\0\0" + head[12:question_end] + b"".join(records)

    async with dns_server({NAME: answer}) as server:
        assert (await ask(server)).addresses == addresses
    assert [transport for _, _, transport in server.asked] == ["udp", "tcp"]


# ------------------------------------------------------------------------------------------ failures

GONE: Zone = {NAME: [("CNAME", "gone.lab.test.")], "gone.lab.test": "NXDOMAIN"}
LOOP: Zone = {NAME: [("CNAME", "b.lab.test.")], "b.lab.test": [("CNAME", f"{NAME}.")]}


@pytest.mark.parametrize(
    ("zone", "failure", "facts"),
    [
        ({NAME: "NXDOMAIN"}, Failure.NAME_NOT_FOUND, {"rcode": "NXDOMAIN"}),  # dns-nxdomain
        ({NAME: "SERVFAIL"}, Failure.SERVER_FAILURE, {"rcode": "SERVFAIL"}),  # dns-servfail
        ({NAME: "REFUSED"}, Failure.DNS_REFUSED, {"rcode": "REFUSED"}),
        ({NAME: "FORMERR"}, Failure.DNS_ERROR, {"rcode": "FORMERR"}),  # dns-formerr
        ({NAME: "NOTIMP"}, Failure.DNS_ERROR, {"rcode": "NOTIMP"}),
        ({NAME: "NOTAUTH"}, Failure.DNS_ERROR, {"rcode": "NOTAUTH"}),
        ({NAME: b"\xff" * 10}, Failure.DNS_MALFORMED, {}),  # dns-garbage
        ({NAME: "DROP"}, Failure.DNS_TIMEOUT, {}),
        (GONE, Failure.DNS_DANGLING, {"target": "gone.lab.test", "cname": ("gone.lab.test",), "rcode": "NXDOMAIN"}),  # dns-cname-dangling
        (LOOP, Failure.DNS_LOOP, {"cname": ("b.lab.test", NAME), "rcode": "NOERROR"}),  # dns-cname-loop
        (one_type("A", "SERVFAIL", []), Failure.SERVER_FAILURE, {"rcode": "SERVFAIL"}),
        (one_type("A", [], "SERVFAIL"), Failure.SERVER_FAILURE, {"rcode": "SERVFAIL"}),
    ],
)
async def test_failures(zone: Zone, failure: Failure, facts: dict[str, Fact]) -> None:
    """Each kind of bad answer is a failure of its own, although Envoy answers all of them with no_healthy_upstream."""
    failed = await fails(zone, settings=replace(IMPATIENT, query_timeout=0.05) if failure is Failure.DNS_TIMEOUT else DEFAULT)
    always = {"name": NAME, "family": "V4_PREFERRED", "source": "dns", "resolvers": failed.facts["resolvers"]}
    assert (failed.failure, failed.facts) == (failure, {**always, **facts})
    assert failed.timer == (Timer.DNS if failure is Failure.DNS_TIMEOUT else None)


async def test_cname_chain() -> None:
    """A chain of CNAMEs is followed inside the answer (row dns-cname-chain)."""
    zone: Zone = {NAME: [("CNAME", "a.lab.test.")], "a.lab.test": [("CNAME", "b.lab.test.")], "b.lab.test": A}
    async with dns_server(zone) as server:
        resolved = await ask(server)
    assert (resolved.addresses, resolved.facts["cname"]) == (("127.0.0.1",), ("a.lab.test", "b.lab.test"))
    assert server.asked == [(NAME, "A", "udp")]


async def test_resolver_port_closed() -> None:
    """A resolver whose port is closed is unreachable, not slow (row dns-resolver-port-closed)."""
    async with dns_server({}, udp=False, tcp=False) as server:
        with pytest.raises(StageFailed) as caught:
            await ask(server)
    assert caught.value.failure is Failure.RESOLVER_UNREACHABLE
    assert caught.value.error == f"127.0.0.1:{server.port}: Connection refused"


async def test_no_resolver() -> None:
    """Without any nameserver nothing is known about a name, but the hosts file still counts."""
    machine = Machine(hosts={"app": ("127.0.0.7",)})
    resolver = Resolver(DNSSettings(), machine)
    assert (await resolver.resolve("app")).addresses == ("127.0.0.7",)
    with pytest.raises(StageFailed) as caught:
        await resolver.resolve(NAME)
    assert caught.value.failure is Failure.NO_RESOLVER


async def test_no_file_descriptor_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine lacks is not blamed on the resolver, and not remembered either."""
    async with dns_server({NAME: A}) as server:
        resolver = Resolver(DNSSettings(resolvers=(server.resolver,)), NOWHERE)

        def refuse(*_: object) -> socket.socket:
            raise OSError(errno.EMFILE, "Too many open files")

        with monkeypatch.context() as patch:
            patch.setattr("pomprobe.net.resolver_udp.socket.socket", refuse)
            with pytest.raises(StageFailed) as caught:
                await resolver.resolve(NAME)
        assert (caught.value.failure, caught.value.facts["limit"]) == (Failure.NOT_KNOWN, "EMFILE")
        assert (await resolver.resolve(NAME)).addresses == ("127.0.0.1",)


# ------------------------------------------------------------------------------------------ servers, tries, transports


@pytest.mark.parametrize("first", ["SERVFAIL", "REFUSED", "NOTIMP", "DROP", b"\xff" * 10, "closed"])
async def test_second_server(first: str | bytes) -> None:
    """A server that fails or says nothing is followed by the next one (row dns-two-resolvers-first-servfail)."""
    async with dns_server({"*": first}, udp=first != "closed") as bad, dns_server({"*": A}) as good:
        settings = DNSSettings(resolvers=(bad.resolver, good.resolver), query_timeout=0.05 if first == "DROP" else None)
        resolved = await Resolver(settings, NOWHERE).resolve(NAME)
    assert resolved.addresses == ("127.0.0.1",)
    assert resolved.facts["resolvers"] == (f"127.0.0.1:{bad.port}", f"127.0.0.1:{good.port}")


@pytest.mark.parametrize("final", ["NXDOMAIN", [], "FORMERR"])
async def test_final_answers(final: Answer) -> None:
    """NXDOMAIN, an empty answer and FORMERR are final: the next server is not asked."""
    async with dns_server({"*": final}) as first, dns_server({"*": A}) as second:
        with pytest.raises(StageFailed):
            await Resolver(DNSSettings(resolvers=(first.resolver, second.resolver)), NOWHERE).resolve(NAME)
    assert second.asked == []


async def test_tries() -> None:
    """Each server is tried four times for each type of record before the name has failed."""
    async with dns_server({"*": "SERVFAIL"}) as first, dns_server({"*": "SERVFAIL"}) as second:
        with pytest.raises(StageFailed):
            await Resolver(DNSSettings(resolvers=(first.resolver, second.resolver)), NOWHERE).resolve(NAME)
    assert [kind for _, kind, _ in first.asked] == [kind for _, kind, _ in second.asked] == ["A"] * 4 + ["AAAA"] * 4


async def test_truncated() -> None:
    """A truncated answer is asked for again over TCP."""
    async with dns_server({NAME: lambda query: "TC" if len(server.asked) == 1 else A}) as server:
        assert (await ask(server)).addresses == ("127.0.0.1",)
    assert [transport for _, _, transport in server.asked] == ["udp", "tcp"]


async def test_truncated_without_tcp() -> None:
    """A truncated answer of a server that does not speak TCP is no answer (row dns-truncated-no-tcp)."""
    failed = await fails({NAME: "TC"}, tcp=False)
    assert failed.failure is Failure.DNS_TRUNCATED


@pytest.mark.parametrize("machine", [NOWHERE, Machine(use_tcp=True)])
async def test_tcp_only(machine: Machine) -> None:
    """dns_use_tcp, or use-vc of resolv.conf, asks over TCP alone (row dns-use-tcp)."""
    async with dns_server({NAME: A}) as server:
        assert (await ask(server, settings=DNSSettings(use_tcp=not machine.use_tcp), machine=machine)).addresses == ("127.0.0.1",)
    assert server.asked == [(NAME, "A", "tcp")]


async def test_tcp_only_closed() -> None:
    """dns_use_tcp with a resolver that only speaks UDP (row dns-use-tcp-closed)."""
    failed = await fails({NAME: A}, settings=DNSSettings(use_tcp=True), tcp=False)
    assert failed.failure is Failure.RESOLVER_UNREACHABLE


async def test_tcp_scheme_asks_over_udp() -> None:
    """The scheme of dns_resolvers does not matter (row dns-resolver-tcp-scheme)."""
    async with dns_server({NAME: A}) as server:
        resolver = Resolver(DNSSettings(resolvers=(("tcp", "127.0.0.1", server.port),)), NOWHERE)
        assert (await resolver.resolve(NAME)).addresses == ("127.0.0.1",)
    assert server.asked == [(NAME, "A", "udp")]


async def test_server_without_edns() -> None:
    """A server that refuses EDNS with FORMERR is asked again without it, which is no try of its own."""

    def old(query: dns.message.Message) -> Answer:
        if query.edns < 0:
            return A
        reply = dns.message.make_response(query)
        reply.use_edns(False)
        reply.set_rcode(dns.rcode.FORMERR)
        return reply.to_wire()

    async with dns_server({NAME: old}) as server:
        assert (await ask(server, settings=DNSSettings(query_tries=1))).addresses == ("127.0.0.1",)


def forged(query: dns.message.Message, **changes: int) -> bytes:
    """An answer with another address, or to another question, than the one that was asked."""
    other = dns.message.make_query("other.lab.test." if "name" in changes else query.question[0].name, query.question[0].rdtype)
    reply = dns.message.make_response(other)
    reply.id = changes.get("id", query.id)
    reply.answer.append(dns.rrset.from_text(other.question[0].name, 60, "IN", "A", "127.6.6.6"))
    return reply.to_wire()


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_forged_answers(elsewhere: bool) -> None:
    """Answers with another id, to another question, or from another address are passed over."""

    def answer(query: dns.message.Message) -> Answer:
        fakes = (forged(query),) if elsewhere else (forged(query, id=query.id ^ 1), forged(query, name=1), b"")
        return Forged(fakes, then=A, elsewhere=elsewhere)

    async with dns_server({NAME: answer}) as server:
        assert (await ask(server, settings=DNSSettings(query_tries=1))).addresses == ("127.0.0.1",)


async def test_garbage_with_an_unknown_id() -> None:
    """Bytes that are no message may be the answer to any question: they end the try, and the next one is sent."""
    async with dns_server({NAME: lambda query: b"\xff" * 3 if len(server.asked) == 1 else A}) as server:
        assert (await ask(server)).addresses == ("127.0.0.1",)
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("over_tcp", "failure"),
    [("DROP", Failure.DNS_TRUNCATED), ("CLOSE", Failure.DNS_TRUNCATED), (b"", Failure.DNS_MALFORMED), (b"\xff" * 9, Failure.DNS_MALFORMED)],
)
async def test_bad_answers_over_tcp(over_tcp: Answer, failure: Failure) -> None:
    """After a truncated answer, silence and an end over TCP mean that TCP does not work; other bytes are malformed."""
    async with dns_server({NAME: lambda query: "TC" if len(server.asked) == 1 else over_tcp}) as server:
        with pytest.raises(StageFailed) as caught:
            await ask(server, settings=DNSSettings(lookup_family="V4_ONLY", query_timeout=1.0, query_tries=1))
    assert caught.value.failure is failure


async def test_shared_sockets() -> None:
    """Many names at once share sockets, and one that goes unanswered disturbs no other."""
    zone: Zone = {f"n{i}.lab.test": A for i in range(249)}
    resolved: list[tuple[str, ...]] = []
    async with dns_server({**zone, "dead.lab.test": "DROP"}) as server:
        resolver = Resolver(DNSSettings(resolvers=(server.resolver,), lookup_family="V4_ONLY"), NOWHERE)

        async def one(name: str) -> None:
            resolved.append((await resolver.resolve(name)).addresses)

        async with anyio.create_task_group() as dead:
            dead.start_soon(one, "dead.lab.test")
            async with anyio.create_task_group() as group:
                for name in zone:
                    group.start_soon(one, name)
            dead.cancel_scope.cancel()
    assert resolved == [("127.0.0.1",)] * 249
    assert len(server.peers) <= 4


async def test_dead_names_hold_nobody_up() -> None:
    """More names without an answer than are asked for at once: another name is asked for all the same."""
    async with dns_server({NAME: A, "*": "DROP"}) as server:
        resolver = Resolver(DNSSettings(resolvers=(server.resolver,)), NOWHERE)
        async with anyio.create_task_group() as dead:
            for i in range(BURST + 1):
                dead.start_soon(resolver.resolve, f"n{i}.lab.test")
            await anyio.wait_all_tasks_blocked()
            assert (await resolver.resolve(NAME)).addresses == ("127.0.0.1",)
            dead.cancel_scope.cancel()


def test_patience() -> None:
    """Each round over the servers doubles the time, less c-ares' mean jitter: a minute until a name has failed by default."""
    one, two = (Plan((Nameserver("127.0.0.1"),) * count) for count in (1, 2))
    assert [one.patience(attempt) for attempt in range(4)] == [5, 7.5, 15, 30]
    assert [two.patience(attempt) for attempt in range(4)] == [5, 5, 7.5, 7.5]


def test_longest_patience() -> None:
    """c-ares takes no more than five seconds for a first try, whatever dns_query_timeout says."""
    assert Resolver(DNSSettings(query_timeout=30.0), NOWHERE)._plan.seconds == 5.0


# ------------------------------------------------------------------------------------------ names that are special


@pytest.mark.parametrize(
    ("name", "family", "addresses"),
    [
        ("127.000.000.001", "V4_PREFERRED", ("127.0.0.1",)),  # dns-leading-zero
        ("::1", "V4_PREFERRED", ("::1",)),  # dns-ipv6-literal
        ("::1", "ALL", ("::1",)),
        ("127.0.0.1", "ALL", ("127.0.0.1",)),
        ("127.0.0.1", "V6_ONLY", ("127.0.0.1",)),
        ("app.localhost", "V4_PREFERRED", ("127.0.0.1",)),
        ("app.LOCALHOST", "AUTO", ("::1",)),
        ("app.localhost", "ALL", ("127.0.0.1", "::1")),
    ],
)
async def test_answered_without_a_query(name: str, family: str, addresses: tuple[str, ...]) -> None:
    """Addresses and names under .localhost need no DNS."""
    async with dns_server({"*": "NXDOMAIN"}) as server:
        assert (await ask(server, name, DNSSettings(lookup_family=family))).addresses == addresses
    assert server.asked == []


async def test_v4_only_forbids_an_ipv6_literal() -> None:
    """An IPv6 literal in a DNS cluster gives no address with V4_ONLY."""
    failed = await fails({"*": A}, "::1", DNSSettings(lookup_family="V4_ONLY"))
    assert (failed.failure, failed.facts["other_family"]) == (Failure.NO_ADDRESS, "AAAA")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("abc.onion", "a .onion name"),  # dns-onion
        ("abc.ONION.", "a .onion name"),
        ("a" * 64 + ".lab.test", "a label of 64 characters (63 are allowed)"),
        ("a..lab.test", "an empty label"),
        ("ü.lab.test", "the character 'ü'"),
        (".".join(["a" * 60] * 5), "304 characters (253 are allowed)"),
    ],
)
async def test_names_that_are_not_asked_for(name: str, problem: str) -> None:
    """These fail without a query."""
    async with dns_server({"*": A}) as server:
        with pytest.raises(StageFailed) as caught:
            await ask(server, name)
    assert (caught.value.failure, caught.value.facts["problem"], server.asked) == (Failure.NAME_INVALID, problem, [])


@pytest.mark.parametrize("name", ["127.1", "0x7f000001", "2130706433", "app", "UP.Lab.Test", "_x.lab.test", "-x.lab.test", f"{NAME}."])
async def test_names_that_are_asked_for(name: str) -> None:
    """What inet_aton reads as an address is a name; odd but legal names go out as they are (rows dns-decimal-ip, dns-mixed-case)."""
    async with dns_server({"*": A}) as server:
        assert (await ask(server, name)).addresses == ("127.0.0.1",)
    assert server.asked == [(name.removesuffix("."), "A", "udp")]


async def test_hosts_file_first() -> None:
    """The hosts file comes before DNS, also with dns_resolvers, but only for the families that it has."""
    machine = Machine(hosts={NAME: ("127.0.0.5", "::5")})
    async with dns_server({"*": [("A", "127.9.9.9"), ("AAAA", "::9")]}) as server:
        assert (await ask(server, NAME.upper(), machine=machine)).facts["source"] == "hosts file"
        assert (await ask(server, machine=machine, settings=DNSSettings(lookup_family="ALL"))).addresses == ("127.0.0.5", "::5")
        only_v4 = Machine(hosts={NAME: ("127.0.0.5",)})
        assert (await ask(server, machine=only_v4, settings=DNSSettings(lookup_family="AUTO"))).addresses == ("::9",)
    assert server.asked == [(NAME, "AAAA", "udp")]


async def test_nsswitch_order() -> None:
    """`hosts: dns files` turns the order around; the hosts file then helps where DNS knows nothing."""
    machine = Machine(hosts={NAME: ("127.0.0.5",), "other": ("127.0.0.6",)}, lookups="bf")
    async with dns_server({NAME: A}) as server:
        assert (await ask(server, machine=machine)).addresses == ("127.0.0.1",)
        assert (await ask(server, "other", machine=machine)).addresses == ("127.0.0.6",)


async def test_hosts_file_has_the_forbidden_family() -> None:
    """A name of the hosts file whose only address V4_ONLY forbids says so, although DNS does not know it."""
    machine = Machine(hosts={NAME: ("::5",)})
    failed = await fails({}, settings=DNSSettings(lookup_family="V4_ONLY"), machine=machine)
    assert (failed.failure, failed.facts["other_family"]) == (Failure.NO_ADDRESS, "AAAA")


# ------------------------------------------------------------------------------------------ search domains


@pytest.mark.parametrize(
    ("name", "ndots", "asked"),
    [
        ("app", 1, ["app.one.test", "app.two.test", "app"]),
        ("app.ns", 1, ["app.ns", "app.ns.one.test", "app.ns.two.test"]),
        ("app.ns", 5, ["app.ns.one.test", "app.ns.two.test", "app.ns"]),
        ("app.", 1, ["app"]),
    ],
)
async def test_search_domains(name: str, ndots: int, asked: list[str]) -> None:
    """resolv.conf's search and ndots count with dns_resolvers, too; a trailing dot ends the search."""
    machine = Machine(search=("one.test", "two.test"), ndots=ndots)
    async with dns_server({}) as server:
        with pytest.raises(StageFailed) as caught:
            await ask(server, name, DNSSettings(lookup_family="V4_ONLY"), machine)
    assert caught.value.failure is Failure.NAME_NOT_FOUND
    assert [question for question, _, _ in server.asked] == asked
    assert caught.value.facts.get("tried") == (tuple(asked) if len(asked) > 1 else None)


async def test_search_ends_at_the_first_address() -> None:
    """The first search domain that knows the name wins."""
    async with dns_server({"app.two.test": A}) as server:
        resolved = await ask(server, "app", machine=Machine(search=("one.test", "two.test", "three.test")))
    assert (resolved.addresses, resolved.facts["tried"]) == (("127.0.0.1",), ("app.one.test", "app.two.test"))


async def test_search_and_server_failure() -> None:
    """SERVFAIL ends the search, except for a single label, which systemd-resolved answers so."""
    zone: Zone = {"app": "SERVFAIL", "app.ns": "SERVFAIL", "app.one.test": A, "app.ns.one.test": A}
    machine = Machine(search=("one.test",), ndots=0)
    async with dns_server(zone) as server:
        assert (await ask(server, "app", machine=machine)).addresses == ("127.0.0.1",)
        with pytest.raises(StageFailed) as caught:
            await ask(server, "app.ns", machine=machine)
    assert caught.value.failure is Failure.SERVER_FAILURE


async def test_search_tells_the_most() -> None:
    """Where one of the names exists without an address, that is what is said."""
    failed = await fails({"app.one.test": []}, "app", machine=Machine(search=("one.test",)))
    assert failed.failure is Failure.NO_ADDRESS


# ------------------------------------------------------------------------------------------ sharing


async def test_one_query_for_many() -> None:
    """Lookups of one name share one query, whether they run at once or later; failures too."""
    async with dns_server({NAME: A, "bad.lab.test": "NXDOMAIN"}) as server:
        resolver = Resolver(DNSSettings(resolvers=(server.resolver,), lookup_family="V4_ONLY"), NOWHERE)
        results: list[object] = []

        async def one(name: str) -> None:
            try:
                results.append((await resolver.resolve(name)).addresses)
            except StageFailed as failed:
                results.append(failed)

        async with anyio.create_task_group() as group:
            for name in (NAME, "bad.lab.test") * 10:
                group.start_soon(one, name)
        await one(NAME)
    assert sorted(server.asked) == [("bad.lab.test", "A", "udp"), (NAME, "A", "udp")]
    failures = [result for result in results if isinstance(result, StageFailed)]
    assert len({id(failed) for failed in failures}) == 10
    assert results.count(("127.0.0.1",)) == 11


async def test_cancelled_leader() -> None:
    """When the lookup that sent the query is cancelled, the others still get their answer."""
    async with dns_server({NAME: lambda query: "DROP" if len(server.asked) == 1 else A}) as server:
        resolver = Resolver(DNSSettings(resolvers=(server.resolver,)), NOWHERE)
        results: list[Resolved] = []

        async def follow() -> None:
            results.append(await resolver.resolve(NAME))

        async with anyio.create_task_group() as followers, anyio.create_task_group() as leader:
            leader.start_soon(resolver.resolve, NAME)
            await server.was_asked.wait()
            followers.start_soon(follow)
            leader.cancel_scope.cancel()
    assert results[0].addresses == ("127.0.0.1",)


async def test_machine_nameservers() -> None:
    """Without dns_resolvers those of resolv.conf are asked."""
    async with dns_server({NAME: A}) as server:
        machine = Machine(nameservers=(Nameserver("127.0.0.1", server.port),))
        assert (await Resolver(DNSSettings(), machine).resolve(NAME)).addresses == ("127.0.0.1",)
