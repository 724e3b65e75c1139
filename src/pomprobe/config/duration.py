"""Durations as Go reads and prints them, and protobuf's JSON durations.

Whole numbers of nanoseconds are the currency here; seconds are made of them at the border of the model.
Source: Go's time/format.go (ParseDuration) and time/time.go (Duration.String); protobuf-go's encoding/protojson/well_known_types.go.
"""

from __future__ import annotations

import re
from functools import lru_cache

NANOSECOND, MICROSECOND, MILLISECOND = 1, 1_000, 1_000_000
SECOND = 1_000_000_000
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
LONGEST = 2**63 - 1
"""The longest Duration of Go, about 292 years."""

_UNITS = {
    "ns": NANOSECOND,
    "us": MICROSECOND,
    "\u00b5s": MICROSECOND,  # micro sign
    "\u03bcs": MICROSECOND,  # Greek letter mu
    "ms": MILLISECOND,
    "s": SECOND,
    "m": MINUTE,
    "h": HOUR,
}
_PIECE = re.compile(r"([0-9]*)(\.?)([0-9]*)([^.0-9]*)")
_PROTO = re.compile(r"([-+]?)(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))s\Z")
_PROTO_LIMIT = 315_576_000_000


class BadDuration(ValueError):
    """Text that Go does not take for a duration; the message is Go's."""


def quote(text: str) -> str:
    """`text` as Go's time.quote and strconv.Quote print it."""
    named = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\v": "\\v"}
    return '"' + "".join(named.get(c) or (c if c.isprintable() else _escape(c)) for c in text) + '"'


def _escape(char: str) -> str:
    number = ord(char)
    if number < 0x20 or number == 0x7F:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _quote_time(text: str) -> str:
    """Go's time.quote: every byte that is no printable ASCII in hexadecimal."""
    out = ""
    for char in text:
        if char in '"\\':
            out += "\\" + char
        elif " " <= char < "\x7f":
            out += char
        else:
            out += "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))
    return f'"{out}"'


@lru_cache(1024)
def parse(text: str) -> int:
    """Nanoseconds that Go's time.ParseDuration reads; raises BadDuration with Go's message."""
    rest, sign = text, 1
    if rest[:1] in ("+", "-") and rest:
        sign = -1 if rest[0] == "-" else 1
        rest = rest[1:]
    if rest == "0":
        return 0
    if not rest:
        raise BadDuration(f"time: invalid duration {_quote_time(text)}")
    total = 0
    while rest:
        if rest[0] not in ".0123456789":
            raise BadDuration(f"time: invalid duration {_quote_time(text)}")
        piece = _PIECE.match(rest)
        assert piece is not None
        whole, _, fraction, unit = piece.groups()
        whole = whole.lstrip("0") or whole[:1]
        if (not whole and not fraction) or len(whole) > 19 or int(whole or "0") > 2**63:
            raise BadDuration(f"time: invalid duration {_quote_time(text)}")
        if not unit:
            raise BadDuration(f"time: missing unit in duration {_quote_time(text)}")
        if unit not in _UNITS:
            raise BadDuration(f"time: unknown unit {_quote_time(unit)} in duration {_quote_time(text)}")
        total += int(whole or "0") * _UNITS[unit] + _fraction(fraction, _UNITS[unit])
        if total > 2**63:
            raise BadDuration(f"time: invalid duration {_quote_time(text)}")
        rest = rest[piece.end() :]
    if total == 2**63 and sign > 0:
        raise BadDuration(f"time: invalid duration {_quote_time(text)}")
    return sign * total


def _fraction(digits: str, unit: int) -> int:
    """The part after the point: Go keeps the digits that fit 63 bits and multiplies as float64."""
    number, scale = 0, 1.0
    for digit in digits:
        if number > (2**63 - 1) // 10 or number * 10 + int(digit) > 2**63:
            break
        number = number * 10 + int(digit)
        scale *= 10
    return int(float(number) * (float(unit) / scale)) if number else 0


def render(nanoseconds: int) -> str:
    """Go's Duration.String: 1m30s, 1.5s, 30ns, 0s."""
    if nanoseconds == 0:
        return "0s"
    sign, left = ("-" if nanoseconds < 0 else ""), abs(nanoseconds)
    if left < SECOND:
        unit, name = next((u, n) for u, n in ((MILLISECOND, "ms"), (MICROSECOND, "µs"), (NANOSECOND, "ns")) if left >= u)
        return f"{sign}{_decimal(left, unit)}{name}"
    minutes, seconds = divmod(left, MINUTE)
    hours, minutes = divmod(minutes, 60)
    out = f"{_decimal(seconds, SECOND)}s"
    if minutes or hours:
        out = f"{minutes}m{out}"
    if hours:
        out = f"{hours}h{out}"
    return sign + out


def _decimal(number: int, unit: int) -> str:
    whole, rest = divmod(number, unit)
    if not rest:
        return str(whole)
    return f"{whole}.{str(rest).rjust(len(str(unit)) - 1, '0').rstrip('0')}"


def parse_proto(text: str) -> int:
    """Nanoseconds of a google.protobuf.Duration in JSON ("10s", "0.5s"); raises BadDuration with protojson's message."""
    match = _PROTO.match(text)
    if match is None:
        raise BadDuration(f"invalid google.protobuf.Duration value {quote(text)}")
    sign, whole, fraction, bare = match.groups()
    digits = fraction or bare or ""
    if len(digits) > 9 or (whole and len(whole) > 1 and whole[0] == "0"):
        raise BadDuration(f"invalid google.protobuf.Duration value {quote(text)}")
    if len(whole or "") > 12 or int(whole or "0") > _PROTO_LIMIT:
        raise BadDuration(f"google.protobuf.Duration value out of range: {quote(text)}")
    total = int(whole or "0") * SECOND + int(digits.ljust(9, "0"))
    return -total if sign == "-" else total


def seconds(nanoseconds: int) -> float:
    return nanoseconds / SECOND


def parse_duration(text: str) -> float:
    """Seconds of a Go duration; raises BadDuration, a ValueError, with Go's message."""
    return seconds(parse(text))
