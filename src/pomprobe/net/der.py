"""DER, as far as certificates need it: definite lengths, tags below 31, in the strictness of BoringSSL's CBS (bytestring/cbs.cc)."""

from __future__ import annotations

from collections.abc import Iterator

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OID = 0x01, 0x02, 0x03, 0x04, 0x06
UTF8_STRING, PRINTABLE_STRING, T61_STRING, IA5_STRING = 0x0C, 0x13, 0x14, 0x16
VISIBLE_STRING, UNIVERSAL_STRING, BMP_STRING = 0x1A, 0x1C, 0x1E
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31


class Malformed(ValueError):
    """Bytes that are not the DER that was expected."""


def element(data: bytes, start: int = 0) -> tuple[int, int, int]:
    """The tag, and where the content of the element at `start` begins and ends. Raises Malformed."""
    try:
        tag, length = data[start], data[start + 1]
    except IndexError:
        raise Malformed("truncated") from None
    begin = start + 2
    if tag & 0x1F == 0x1F:
        raise Malformed("a tag above 30")
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4:
            raise Malformed("an indefinite or absurd length")
        length = int.from_bytes(data[begin : begin + count])
        begin += count
        if length < 0x80 or length < 1 << 8 * (count - 1):
            raise Malformed("a length that is not minimal")
    end = begin + length
    if end > len(data):
        raise Malformed("truncated")
    return tag, begin, end


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
