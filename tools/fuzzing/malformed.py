"""DER with one element that is not as it should be: lengths, tags, numbers, times, strings, what is missing or stands there twice."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from random import Random

from pomprobe.net import der

TAGS = (
    *range(0x31), 0x1E, 0x1C, 0x80, 0x81, 0x82, 0x83, 0xA0, 0xA1, 0xA2, 0xA3, 0x24, 0x23, 0x2C, 0x33, 0x1F, 0x3F, 0xBF, 0x40, 0x60, 0xC1,
)  # fmt: skip
CONTENTS: dict[int, tuple[bytes, ...]] = {
    0x01: (b"\0", b"\1", b"\xfe", b"", b"\xff\xff"),
    0x02: (b"", b"\0\0", b"\0\x7f", b"\xff\xff", b"\0\x80", b"\x80", b"\xff", b"\xff\x7f", b"\x7f" * 40, b"\0", b"\1", b"\3", b"\0" * 9),
    0x03: (b"", b"\0", b"\7", b"\7\x80", b"\7\1", b"\x08\0", b"\1\xff", b"\0\0", b"\0\xff\xff\xff", b"\xff"),
    0x04: (b"", b"\0", b"\x30\0", b"\5\0", b"\x30\x80\0\0"),
    0x05: (b"\0",),
    0x06: (
        b"", b"\x80\1", b"\x55\x80", b"\x55\x1d\x80\x13", b"\x55\x1d\x93", b"\x55\x1d\x13", b"\xff" * 12 + b"\x7f", b"\x2a",
        b"\x81" * 9 + b"\1", b"\x55\x1d\x11", b"\x55\x1d\x25", b"\x2b\x65\x70",
    ),
    0x0C: (b"", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\0b", b"\xe2\x82", b" \t", b"\xef\xbf\xbe"),
    0x16: (b"", b"\xff", b"a\0b"),
    0x17: (
        b"", b"2001010000Z", b"200101000000", b"200101000000+0000", b"200101000000-0100", b"200101000000+2500", b"201301000000Z",
        b"200230000000Z", b"200101000060Z", b"200101240000Z", b"20010100000Z", b"200101000000z", b"20 101000000Z", b"200101000000Z\0",
        b"20200101000000Z", b"200229000000Z", b"210229000000Z", b"991231235959Z", b"000101000000Z", b"200101000000.5Z",
        b"200101000000+0100",
    ),
    0x18: (
        b"", b"20200101000000", b"20200101000000.5Z", b"20200101000000+0000", b"20201301000000Z", b"20200101000060Z", b"202001010000Z",
        b"00000101000000Z", b"99991231235959Z", b"20200230000000Z", b"2020010100000aZ", b"20990101000000+0100", b"21000229000000Z",
        b"20480101000000Z", b"19500101000000Z", b"200101000000Z",
    ),
    0x1C: (b"", b"\0\0\0", b"\0\x11\0\0", b"\0\0\xd8\0", b"\0\0\0a"),
    0x1E: (b"", b"a", b"\xd8\0", b"\0a", b"\xff\xfe"),
    0x82: (b"", b"\0", b"a", b"*.", b"*.lab.test"),
    0x87: (b"", b"\0" * 3, b"\0" * 5, b"\0" * 17),
}  # fmt: skip
"""By tag: contents that say too little, too much, or nothing."""


@dataclass
class Node:
    """One element. lead: bytes before what stands inside (a BIT STRING's)."""

    tag: int
    inside: bytes | list[Node | bytes]
    lead: bytes = b""

    @property
    def content(self) -> bytes:
        return self.lead + (self.inside if isinstance(self.inside, bytes) else b"".join(map(encoded, self.inside)))


def encoded(node: Node | bytes) -> bytes:
    return node if isinstance(node, bytes) else der.encode(node.tag, node.content)


def damaged(random: Random, data: bytes) -> bytes:
    """The element that `data` is, with one or two places of it spoilt, and right lengths around them."""
    root: list[Node | bytes] = [*_read(data)]
    for _ in range(random.choices((1, 2), (88, 12))[0]):
        if places := _places(root):
            _spoil(random, *random.choice(places))
    return b"".join(map(encoded, root))


def _read(data: bytes) -> list[Node]:
    nodes = []
    for tag, content in der.items(data):
        lead = content[:1] if tag == der.BIT_STRING else b""
        inside: bytes | list[Node | bytes] = content[len(lead) :]
        if tag & 0x20 or tag in (der.OCTET_STRING, der.BIT_STRING):
            with suppress(der.Malformed):
                inside = [*_read(content[len(lead) :])] or b""
        nodes.append(Node(tag, inside, lead))
    return nodes


def _places(nodes: list[Node | bytes]) -> list[tuple[list[Node | bytes], int, Node]]:
    """Each element with the list that it stands in."""
    found = []
    for index, node in enumerate(nodes):
        if isinstance(node, Node):
            found.append((nodes, index, node))
            if isinstance(node.inside, list):
                found += _places(node.inside)
    return found


def _spoil(random: Random, among: list[Node | bytes], index: int, node: Node) -> None:
    content = node.content
    size = len(content)
    match random.randrange(16):
        case 0:  # a length that lies
            length = max(0, size + random.choice((-1, 1, 1, 5, 200)))
            among[index] = der.encode(node.tag, b"x" * length)[: -length or None] + content
        case 1:
            among[index] = bytes((node.tag, 0x80)) + content + random.choice((b"\0\0", b"\0\0", b""))
        case 2:  # a length that is not minimal
            width = random.choice((1, 2, 2, 3, 4, 5, 8))
            among[index] = bytes((node.tag, 0x80 | width)) + (size % 256**width).to_bytes(width) + content
        case 3:
            among[index] = Node(random.choice(TAGS), content)
        case 4:
            among[index] = Node(node.tag ^ 0x20, content)
        case 5:
            among[index] = Node(node.tag, content + random.choice((b"\0", b"\5\0", b"\x30\0", b"\2\1\1", b"x", b"\0\0\0")))
        case 6:
            among[index] = Node(node.tag, b"")
        case 7:
            del among[index]
        case 8:
            among.insert(index, node)
        case 9:
            among.insert(random.randrange(len(among)), among.pop(index))
        case 10:
            among.insert(index, random.choice((b"\5\0", b"\2\1\1", b"\x30\0", b"\1\1\xff", b"\xa0\3\2\1\2", b"\x04\0", b"\x81\1\0")))
        case 11 if size:
            at = random.randrange(size)
            among[index] = Node(node.tag, content[:at] + bytes((content[at] ^ 1 << random.randrange(8),)) + content[at + 1 :])
        case 12 if size:
            among[index] = Node(node.tag, content[: random.randrange(size)])
        case _:
            among[index] = Node(node.tag, random.choice(CONTENTS.get(node.tag, (content + b"\0", content[:-1]))))
