"""DER, as far as certificates need it, in the strictness of BoringSSL's CBS (bytestring/cbs.cc).

A tag is its first byte; of a number above 30, the number stands above that byte.
"""

from __future__ import annotations

from collections.abc import Iterator

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTF8_STRING, PRINTABLE_STRING, T61_STRING, IA5_STRING = 0x0C, 0x13, 0x14, 0x16
VISIBLE_STRING, UNIVERSAL_STRING, BMP_STRING = 0x1A, 0x1C, 0x1E
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31


class Malformed(ValueError):
    """Bytes that are not the DER that was expected."""


def element(data: bytes, start: int = 0, stop: int | None = None) -> tuple[int, int, int]:
    """The tag, and where the content of the element at `start` begins and ends, which has to be before `stop`. Raises Malformed."""
    stop = len(data) if stop is None else stop
    if start + 2 > stop:
        raise Malformed("truncated")
    tag, begin = data[start], start + 1
    if tag & 0x1F == 0x1F:
        tag, begin = _high_tag(data, start, stop)
    if tag in (0, 0x20) or begin >= stop:
        raise Malformed("the tag that ends indefinite lengths, or nothing behind a tag")
    length = data[begin]
    begin += 1
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4:
            raise Malformed("an indefinite or absurd length")
        if begin + count > stop:
            raise Malformed("truncated")
        length = int.from_bytes(data[begin : begin + count])
        begin += count
        if length < 0x80 or length < 1 << 8 * (count - 1):
            raise Malformed("a length that is not minimal")
    end = begin + length
    if end > stop:
        raise Malformed("truncated")
    return tag, begin, end


def _high_tag(data: bytes, start: int, stop: int) -> tuple[int, int]:
    number, at = 0, start + 1
    while True:
        if at >= stop or (not number and data[at] == 0x80):
            raise Malformed("a tag without end, or one that is not minimal")
        number = number << 7 | data[at] & 0x7F
        at += 1
        if number >= 1 << 29:
            raise Malformed("an absurd tag")
        if not data[at - 1] & 0x80:
            break
    if number < 0x1F:
        raise Malformed("a small tag written as a large one")
    return data[start] | number << 8, at


def number(tag: int) -> int:
    """The number of a tag, without its class."""
    return tag >> 8 or tag & 0x1F


def items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements of a content, one after the other: tag and content."""
    start = 0
    while start < len(data):
        tag, begin, end = element(data, start)
        yield tag, data[begin:end]
        start = end


def split(data: bytes) -> list[bytes]:
    """Elements that stand one after the other, each as it is encoded."""
    found, start = [], 0
    while start < len(data):
        end = element(data, start)[2]
        found.append(data[start:end])
        start = end
    return found


def content(data: bytes, expected: int) -> bytes:
    """The content of the only element that `data` holds."""
    tag, begin, end = element(data)
    if tag != expected or end != len(data):
        raise Malformed(f"not one element of tag {expected:#x}")
    return data[begin:end]


def integer(value: bytes) -> int:
    """The value of an INTEGER's content."""
    if not value or (len(value) > 1 and value[0] in (0, 0xFF) and (value[0] ^ value[1]) < 0x80):
        raise Malformed("an INTEGER that is empty or not minimal")
    return int.from_bytes(value, signed=True)


def boolean(value: bytes) -> bool:
    """The value of a BOOLEAN's content. As BER has it: anything but 0 is true, BoringSSL takes it in extensions."""
    if len(value) != 1:
        raise Malformed("a BOOLEAN of several bytes")
    return value != b"\x00"


def oid(value: bytes) -> str:
    """The dotted form of an OBJECT IDENTIFIER's content."""
    if not value or value[-1] & 0x80:
        raise Malformed("an OBJECT IDENTIFIER without end")
    numbers, number = [], 0
    for byte in value:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(str(n) for n in (first, numbers[0] - 40 * first, *numbers[1:]))


def encode(tag: int, value: bytes) -> bytes:
    """One element."""
    size = len(value)
    if size < 0x80:
        return bytes((tag, size)) + value
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + value
