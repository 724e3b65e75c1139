"""DNS answers that mean harm: huge, looping, cut, forged, out of bailiwick, with control characters; a zone of them."""

from __future__ import annotations

from collections.abc import Callable

import dns.message

from servers.dns import Forged, Large, Zone


def _answered(query: dns.message.Message, count: int, records: bytes, more: int = 0) -> bytes:
    """An answer to the query with these bytes for its records; more: how many of them stand behind the answer (authority)."""
    whole = dns.message.make_response(query).to_wire()
    end = whole.index(b"\0", 12) + 5  # the question
    return whole[:4] + b"\0\x01" + count.to_bytes(2) + more.to_bytes(2) + bytes(2) + whole[12:end] + records


def _address(address: bytes, name: bytes = b"\xc0\x0c") -> bytes:
    """An A record, by default of the name that was asked for."""
    return name + b"\0\x01\0\x01" + bytes(4) + b"\0\x04" + address


def _alias(name: bytes, target: bytes) -> bytes:
    return name + b"\0\x05\0\x01" + bytes(4) + len(target).to_bytes(2) + target


def _many(query: dns.message.Message) -> Large | str:
    """4,000 addresses: as many as fit into a message of 64 KB."""
    if query.question[0].rdtype != 1:
        return "NOERROR"
    return Large(_answered(query, 4000, b"".join(_address(bytes((127, 1, n // 250, n % 250 + 1))) for n in range(4000))))


def _chain(query: dns.message.Message) -> Large:
    """CNAMEs that lead on and on, 2,500 of them, and to no address."""
    names = [b"\xc0\x0c", *(b"\x05%05d\0" % n for n in range(2501))]
    return Large(_answered(query, 2500, b"".join(map(_alias, names, names[1:]))))


def _labels(kind: int, owner: bytes, rdata: bytes) -> Callable[[dns.message.Message], Large]:
    """A name of 126 or 127 labels, and as many records of a type as fit that have it by a pointer: PP in their name and data."""

    def answer(query: dns.message.Message) -> Large:
        name = b"\x01a" * (126 - owner.count(b"\x01")) + b"\0"
        start = len(_answered(query, 0, b"")) + 10  # the first record's name stands there
        first = b"\0\0\x10\0\x01" + bytes(4) + len(name).to_bytes(2) + name
        pointer = (0xC000 + start + 1).to_bytes(2)
        middle = kind.to_bytes(2) + b"\0\x01" + bytes(4) + len(rdata).to_bytes(2)
        record = (owner + middle + rdata).replace(b"PP", pointer)
        count = (65000 - start - len(first)) // len(record)
        letters = [bytes((97 + n % 26,)) for n in range(count)]
        return Large(_answered(query, count + 1, first + b"".join(record.replace(b"\x01a", b"\x01" + letter) for letter in letters)))

    return answer


def _forged(query: dns.message.Message, *datagrams: bytes, elsewhere: bool = False) -> Forged:
    """These, with the address of a stranger in them, and then the true answer."""
    return Forged(datagrams, [("A", TRUE)] if query.question[0].rdtype == 1 else "NOERROR", elsewhere)


def _with_id(query: dns.message.Message, id: int) -> bytes:
    return id.to_bytes(2) + _answered(query, 1, STRANGER)[2:]


TRUE, FALSE = "127.0.0.1", "127.0.0.66"
STRANGER = _address(bytes((127, 0, 0, 66)))


DNS: Zone = {
    "fine.test": [("A", TRUE)],
    "garbage.test": b"\0" * 5,
    "noise.test": bytes(range(256)) * 2,
    "empty.test": b"",
    "loop.test": [("CNAME", "loop.test.")],
    "circle.test": [("CNAME", "circle2.test.")],
    "circle2.test": [("CNAME", "circle.test.")],
    "cut.test": "TC",
    "silent.test": "DROP",
    "refused.test": "REFUSED",
    "escapes.test": [("CNAME", r"\027[31m\226\128\174.escapes.test.")],
    "lines.test": [("CNAME", r"a\010b\013c.<script>.test.")],
    "command.test": [("CNAME", r"\058\058error\058\058x.test.")],
    "many.test": [("A", f"127.1.{n // 250}.{n % 250 + 1}") for n in range(1000)],
    "compression.test": lambda query: _answered(query, 1, b"\xc0\x0c\x00\x05\x00\x01" + b"\0" * 4 + b"\x00\x02\xc0\x2e"),
    "pointer.test": lambda query: _answered(query, 1, b"\xff\xff\x00\x01\x00\x01" + b"\0" * 4 + b"\x00\x04\x7f\0\0\x01"),
    "count.test": lambda query: _answered(query, 65535, b""),
    "length.test": lambda query: _answered(query, 1, b"\xc0\x0c\x00\x01\x00\x01" + b"\0" * 4 + b"\xff\xff\x7f\0\0\x01"),
    "short.test": lambda query: _answered(query, 1, b"\xc0\x0c\x00\x01\x00\x01" + b"\0" * 4 + b"\x00\x01\x7f"),
    "text.test": lambda query: _answered(query, 200, (b"\xc0\x0c\x00\x10\x00\x01" + b"\0" * 4 + b"\x01\x00\xff" + b"\x1b" * 255) * 200),
    "most.test": _many,
    "aliases.test": _chain,
    "labels.test": _labels(16, b"PP", b"\0"),
    "label-addresses.test": _labels(1, b"\x01aPP", bytes((127, 0, 0, 1))),
    "label-aliases.test": _labels(5, b"\x01aPP", b"PP"),
    "label-servers.test": _labels(2, b"PP", b"PP"),
    "label-authorities.test": _labels(6, b"PP", b"PPPP" + bytes(20)),
    "drip.test": lambda query: Large(bytes(65535), 0.1),
    "drip-tail.test": lambda query: Large(_answered(query, 1, STRANGER)[:-1], 0.05, 1000),
    "others.test": lambda query: Large(_with_id(query, query.id ^ 1), times=10**6),
    "short-tcp.test": lambda query: Large(b"\0", times=10**6),
    "pointers.test": lambda query: _answered(query, 1, _alias(b"\xc0\x0c", b"\x01a\xc0" + bytes((len(_answered(query, 0, b"")) + 12,)))),
    "identity.test": lambda query: _forged(query, *(_with_id(query, query.id ^ n) for n in range(1, 100))),
    "identities.test": lambda query: _forged(query, *(_with_id(query, query.id ^ n) for n in range(1, 2000))),  # overrun the socket
    "elsewhere.test": lambda query: _forged(query, *[_answered(query, 1, STRANGER)] * 100, elsewhere=True),
    "question.test": lambda query: _forged(query, *[_answered(dns.message.make_query("x.test", "A", id=query.id), 1, STRANGER)] * 50),
    "type.test": lambda query: _forged(query, *[_answered(dns.message.make_query("type.test", "MX", id=query.id), 1, STRANGER)] * 50),
    "bailiwick.test": lambda query: _answered(query, 1, _address(bytes((127, 0, 0, 1))) + STRANGER, 1),
    "chain.test": [("CNAME", "chain1.test.")],
    **{f"chain{n}.test": [("CNAME", f"chain{n + 1}.test.")] for n in range(1, 60)},
}
"""Names whose answers mean harm, and one, fine.test, that means well."""
