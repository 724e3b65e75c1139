"""Names: families against answers, chains, answers that fit no question, resolvers that differ."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from servers.dns import Answer, Zone

from ..scenes.http1 import plain, serving, writes
from ..scenes.scene import Scene
from .catalogue import Play, variant

OK = serving(writes(plain(200)))
HOME = [("A", "127.0.0.1")]
HOME6 = [("AAAA", "::1")]
SETTINGS: dict[str, Any] = {
    "dns_resolvers": ["udp://127.0.0.1:{port}"],
    "dns_failure_refresh_rate": "1s",
    "dns_query_timeout": "1s",
    "dns_query_tries": 1,
}
TO = "http://up.lab.test:{port}"


def named(*zones: Zone, hosts: tuple[str, ...] = ("127.0.0.1",), tcp: bool = True) -> Play:
    """DNS servers with these zones, and an HTTP server on each address (all on the same port)."""

    async def play(made: Scene) -> None:
        for zone in zones:
            await made.resolve(zone, tcp=tcp)
        await made.serve(OK, host=hosts[0])

    return play


def by_type(a: Answer, aaaa: Answer) -> Callable[[dns.message.Message], Answer]:
    return lambda query: aaaa if query.question[0].rdtype == dns.rdatatype.AAAA else a


def edited(edit: Callable[[dns.message.Message], None], records: list[tuple[str, str]] = HOME) -> Callable[[dns.message.Message], Answer]:
    """The usual answer, changed in some way before it is sent."""

    def answer(query: dns.message.Message) -> Answer:
        reply = dns.message.make_response(query)
        for kind, value in records:
            if dns.rdatatype.from_text(kind) == query.question[0].rdtype:
                reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", kind, value))
        edit(reply)
        return reply.to_wire()

    return answer


WORDS: dict[str, Answer] = {
    "a": HOME,
    "aaaa": HOME6,
    "both": [*HOME, *HOME6],
    "nodata": [],
    "nxdomain": "NXDOMAIN",
    "servfail": "SERVFAIL",
    "refused": "REFUSED",
    "notimp": "NOTIMP",
    "formerr": "FORMERR",
    "drop": "DROP",
    "garbage": b"garbage",
    "cname-only": [("CNAME", "gone.lab.test.")],
}
for family in ("V4_PREFERRED", "AUTO", "V4_ONLY", "V6_ONLY", "ALL"):
    for a in ("a", "nodata", "nxdomain", "servfail", "refused", "drop"):
        for aaaa in ("aaaa", "nodata", "nxdomain", "servfail", "drop"):
            if (a, aaaa) == ("nxdomain", "nodata"):
                continue
            both: Zone = {"up.lab.test": by_type(WORDS[a], WORDS[aaaa])}
            listens = "::1" if aaaa == "aaaa" and (a != "a" or family in ("AUTO", "V6_ONLY")) else "127.0.0.1"
            variant(
                f"dns-{family.lower().replace('_', '-')}-{a}-{aaaa}",
                play=named(both, hosts=(listens,)),
                to=TO,
                seconds=4.0,
                settings=SETTINGS | {"dns_lookup_family": family},
                timeout="3s",
            )
for word in ("notimp", "formerr", "garbage", "cname-only"):
    variant(f"dns-{word}", play=named({"up.lab.test": WORDS[word]}), to=TO, seconds=4.0, settings=SETTINGS, timeout="3s")
for rcode in ("YXDOMAIN", "NOTAUTH", "NOTZONE", "NXRRSET"):
    variant(f"dns-{rcode.lower()}", play=named({"*": rcode}), to=TO, seconds=4.0, settings=SETTINGS, timeout="3s")


def _other_name(reply: dns.message.Message) -> None:
    reply.answer = [dns.rrset.from_text("other.lab.test.", 60, "IN", "A", "127.0.0.1")]


def _other_question(reply: dns.message.Message) -> None:
    reply.question = dns.message.make_query("other.lab.test.", "A").question


def _upper(reply: dns.message.Message) -> None:
    reply.question = dns.message.make_query("UP.LAB.TEST.", reply.question[0].rdtype).question


def _no_question(reply: dns.message.Message) -> None:
    reply.question = []


def _id(reply: dns.message.Message) -> None:
    reply.id = (reply.id + 1) % 65536


def _query(reply: dns.message.Message) -> None:
    reply.flags &= ~dns.flags.QR


def _not_recursive(reply: dns.message.Message) -> None:
    reply.flags &= ~dns.flags.RA


def _truncated(reply: dns.message.Message) -> None:
    reply.flags |= dns.flags.TC


def _ttl_zero(reply: dns.message.Message) -> None:
    reply.answer = [dns.rrset.from_text("up.lab.test.", 0, "IN", "A", "127.0.0.1")] if reply.answer else []


def _chaos(reply: dns.message.Message) -> None:
    reply.answer = [dns.rrset.from_text("up.lab.test.", 60, "CH", "TXT", "x")]


def _referral(reply: dns.message.Message) -> None:
    reply.answer = []
    reply.authority = [dns.rrset.from_text("lab.test.", 60, "IN", "NS", "ns.lab.test.")]


def _nxdomain_with_answer(reply: dns.message.Message) -> None:
    reply.set_rcode(dns.rcode.NXDOMAIN)


def _servfail_with_answer(reply: dns.message.Message) -> None:
    reply.set_rcode(dns.rcode.SERVFAIL)


def _additional(reply: dns.message.Message) -> None:
    reply.additional, reply.answer = reply.answer, []


def _cname_apart(reply: dns.message.Message) -> None:
    reply.answer = [
        dns.rrset.from_text("up.lab.test.", 60, "IN", "CNAME", "a.lab.test."),
        dns.rrset.from_text("b.lab.test.", 60, "IN", "A", "127.0.0.1"),
    ]


def _cname_after(reply: dns.message.Message) -> None:
    reply.answer = [
        dns.rrset.from_text("a.lab.test.", 60, "IN", "A", "127.0.0.1"),
        dns.rrset.from_text("up.lab.test.", 60, "IN", "CNAME", "a.lab.test."),
    ]


def _both_families(reply: dns.message.Message) -> None:
    reply.answer = [
        dns.rrset.from_text("up.lab.test.", 60, "IN", "AAAA", "::1"),
        dns.rrset.from_text("up.lab.test.", 60, "IN", "A", "127.0.0.1"),
    ]


def _other_family(reply: dns.message.Message) -> None:
    kind, value = ("AAAA", "::1") if reply.question[0].rdtype == dns.rdatatype.A else ("A", "127.0.0.1")
    reply.answer = [dns.rrset.from_text("up.lab.test.", 60, "IN", kind, value)]


def _two_cnames(reply: dns.message.Message) -> None:
    reply.answer = [
        dns.rrset.from_text("up.lab.test.", 60, "IN", "CNAME", "a.lab.test.", "b.lab.test."),
        dns.rrset.from_text("a.lab.test.", 60, "IN", "A", "127.0.0.1"),
    ]


EDITS = (
    _other_name,
    _other_question,
    _upper,
    _no_question,
    _id,
    _query,
    _not_recursive,
    _truncated,
    _ttl_zero,
    _chaos,
    _referral,
    _nxdomain_with_answer,
    _servfail_with_answer,
    _additional,
    _cname_apart,
    _cname_after,
    _both_families,
    _other_family,
    _two_cnames,
)
for edit in EDITS:
    name = edit.__name__.strip("_").replace("_", "-")
    variant(f"dns-answer-{name}", play=named({"*": edited(edit)}), to=TO, seconds=4.0, settings=SETTINGS, timeout="3s")
for length in (1, 8, 16, 17, 24):
    chain: Zone = {"up.lab.test": [("CNAME", "c0.lab.test.")], f"c{length}.lab.test": HOME} | {
        f"c{n}.lab.test": [("CNAME", f"c{n + 1}.lab.test.")] for n in range(length)
    }
    variant(f"dns-chain-of-{length + 1}", play=named(chain), to=TO, seconds=4.0, settings=SETTINGS, timeout="3s")
MANY = [("A", f"127.0.1.{n}") for n in range(1, 4)]
variant("dns-four-addresses", play=named({"up.lab.test": [*HOME, *MANY]}), to=TO, settings=SETTINGS, timeout="3s", any=True)
for address in ("0.0.0.0", "127.255.255.254"):
    variant(f"dns-address-{address}", play=named({"up.lab.test": [("A", address)]}), to=TO, settings=SETTINGS, timeout="3s")
TWO = SETTINGS | {"dns_resolvers": ["udp://127.0.0.1:{port}", "udp://127.0.0.1:{port2}"]}
for first in ("nxdomain", "nodata", "servfail", "refused", "notimp", "formerr", "drop", "garbage"):
    variant(f"dns-two-resolvers-{first}", play=named({"*": WORDS[first]}, {"*": HOME}), to=TO, seconds=4.0, settings=TWO, timeout="3s")
for label, host in {
    "underscore": "a_b.lab.test",
    "dash-first": "-a.lab.test",
    "dash-last": "a-.lab.test",
    "numeric": "1.2.3",
    "hex": "0x7f.1",
    "trailing-dot": "up.lab.test.",
    "punycode": "xn--bcher-kva.test",
    "localhost-sub": "app.localhost",
    "local": "app.local",
    "localdomain": "localhost.localdomain",
    "upper-localhost": "LOCALHOST",
    "ip6-localhost": "ip6-localhost",
    "octal": "0177.0.0.1",
    "short-ip": "127.1",
    "label-63": "a" * 63 + ".test",
    "label-64": "a" * 64 + ".test",
    "two-dots": "a..test",
    "name-253": ".".join(["a" * 49] * 5),
    "onion": "a.onion",
    "onion-dot": "a.onion.",
    "asterisk": "*.lab.test",
    "star": "up.*.test",
}.items():
    variant(f"dns-name-{label}", play=named({"*": HOME}), to=f"http://{host}:{{port}}", seconds=4.0, settings=SETTINGS, timeout="3s")


def closed() -> Play:
    async def play(made: Scene) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            made.resolvers.append(free.getsockname()[1])
        await made.resolve({"*": HOME})
        await made.serve(OK)

    return play


variant("dns-first-resolver-closed", play=closed(), to=TO, seconds=4.0, settings=TWO, timeout="3s")
TCP = SETTINGS | {"dns_use_tcp": True}
for word in ("a", "nxdomain", "servfail", "drop"):
    variant(f"dns-tcp-{word}", play=named({"*": WORDS[word]}), to=TO, seconds=4.0, settings=TCP, timeout="3s")
variant("dns-tc-then-tcp", play=named({"*": edited(_truncated)}), to=TO, seconds=4.0, settings=SETTINGS, timeout="3s")
variant("dns-tc-no-tcp", play=named({"*": "TC"}, tcp=False), to=TO, seconds=4.0, settings=SETTINGS, timeout="3s")
PAIR = ["http://up.lab.test:{port}", "http://gone.lab.test:{port}"]
variant("mixed-one-name-gone", play=named({"up.lab.test": HOME}), to=PAIR, settings=SETTINGS, timeout="3s")
variant("mixed-one-name-servfail", play=named({"up.lab.test": HOME, "gone.lab.test": "SERVFAIL"}), to=PAIR, settings=SETTINGS, timeout="3s")
variant("mixed-both-names-gone", play=named({"*": "NXDOMAIN"}), to=PAIR, settings=SETTINGS, timeout="3s")
variant("mixed-name-and-closed-address", play=named({"*": [*HOME, ("A", "127.0.0.2")]}), to=TO, settings=SETTINGS, timeout="3s")
variant("mixed-name-and-literal", play=named({"*": "NXDOMAIN"}), to=["http://127.0.0.1:{port}", TO], settings=SETTINGS, timeout="3s")
