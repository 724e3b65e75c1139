"""Durations as Go reads and prints them. The tables were made with Go 1.26."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomprobe.config import duration
from pomprobe.config.duration import BadDuration

READ = {
    "0": 0,
    "-0": 0,
    "+5s": 5_000_000_000,
    "30s": 30_000_000_000,
    "1m30s": 90_000_000_000,
    "1.5h": 5_400_000_000_000,
    ".5s": 500_000_000,
    "5.s": 5_000_000_000,
    "-1s": -1_000_000_000,
    "100ms": 100_000_000,
    "10us": 10_000,
    "10µs": 10_000,
    "10μs": 10_000,
    "1ns": 1,
    "1h1m1s1ms1us1ns": 3_661_001_001_001,
    "0.9999999999s": 999_999_999,
    "9223372036854775807ns": 2**63 - 1,
    "-9223372036854775808ns": -(2**63),
    "0.100000000000000000000h": 360_000_000_000,
}
REFUSED = {
    "": 'time: invalid duration ""',
    "30": 'time: missing unit in duration "30"',
    "1d": 'time: unknown unit "d" in duration "1d"',
    "1 s": 'time: unknown unit " s" in duration "1 s"',
    " 1s": 'time: invalid duration " 1s"',
    "s": 'time: invalid duration "s"',
    ".s": 'time: invalid duration ".s"',
    "-": 'time: invalid duration "-"',
    "3000000h": 'time: invalid duration "3000000h"',
    "9223372036854775808ns": 'time: invalid duration "9223372036854775808ns"',
    "1é": r'time: unknown unit "\xc3\xa9" in duration "1\xc3\xa9"',
    "09223372036854775808": 'time: missing unit in duration "09223372036854775808"',
    "1mm": 'time: unknown unit "mm" in duration "1mm"',
    "1s 2s": 'time: unknown unit "s " in duration "1s 2s"',
}
PRINTED = {
    0: "0s",
    1: "1ns",
    1100: "1.1µs",
    2_200_000: "2.2ms",
    3_300_000_000: "3.3s",
    245_000_000_000: "4m5s",
    245_001_000_000: "4m5.001s",
    3_600_000_000_000: "1h0m0s",
    -90_000_000_000: "-1m30s",
    2**63 - 1: "2562047h47m16.854775807s",
}


@pytest.mark.parametrize(("text", "nanoseconds"), READ.items())
def test_read(text: str, nanoseconds: int) -> None:
    """What time.ParseDuration reads is read."""
    assert nanoseconds == duration.parse(text)


@pytest.mark.parametrize(("text", "message"), REFUSED.items())
def test_refused(text: str, message: str) -> None:
    """What time.ParseDuration refuses is refused in its words."""
    with pytest.raises(BadDuration) as caught:
        duration.parse(text)
    assert message == str(caught.value)


@pytest.mark.parametrize(("nanoseconds", "text"), PRINTED.items())
def test_printed(nanoseconds: int, text: str) -> None:
    """Durations are printed as Go prints them."""
    assert text == duration.render(nanoseconds)


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_print_and_read(nanoseconds: int) -> None:
    """What Go prints, Go reads back."""
    assert nanoseconds == duration.parse(duration.render(nanoseconds))


@given(st.text(alphabet="0123456789.+-smhunµ d", max_size=12))
def test_any_text(text: str) -> None:
    """Any text is a duration within 64 bits, or refused."""
    try:
        assert -(2**63) <= duration.parse(text) < 2**63
    except BadDuration as error:
        assert str(error).startswith("time: ")


@given(st.text(max_size=20))
def test_quoted(text: str) -> None:
    """Quoted text has no control characters left."""
    assert all(char.isprintable() for char in duration.quote(text))


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [("10s", 10**10), ("0.5s", 5 * 10**8), ("-1.5s", -15 * 10**8), (".5s", 5 * 10**8), ("0s", 0), ("315576000000s", 315576 * 10**15)],
)
def test_protobuf(text: str, nanoseconds: int) -> None:
    """Health checks take protobuf's durations: seconds with an s."""
    assert nanoseconds == duration.parse_proto(text)


@pytest.mark.parametrize("text", ["1m", "500ms", "10", "", "s", "1e3s", "01s", "1.0000000001s", "1s ", "--1s"])
def test_protobuf_refused(text: str) -> None:
    """Go's durations are none of protobuf's."""
    with pytest.raises(BadDuration) as caught:
        duration.parse_proto(text)
    assert f'invalid google.protobuf.Duration value "{text}"' == str(caught.value)


def test_protobuf_range() -> None:
    """Ten thousand years are the limit."""
    with pytest.raises(BadDuration, match="out of range"):
        duration.parse_proto("315576000001s")


def test_seconds() -> None:
    """The command line asks for seconds."""
    assert duration.parse_duration("1m30s") == 90.0
