"""The HTTP/1 codec against what a real Envoy made of the same bytes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomprobe.net.http1 import MAX_HEAD, ResponseReader, request
from pomprobe.net.http_events import Data, End, Event, Head, Interim, Refused

from .envoy_words import families, family, recorded, words
from .http1_cases import CASES, Case

ENVOY = recorded("http1_envoy.txt")
TUNNELS = {name for name, case in CASES.items() if case.upgrade and ENVOY[name].startswith("101 UC")}
"""The handshake succeeded; what Envoy logs then is how the tunnel ended."""


def play(case: Case, size: int = 65536) -> Iterator[Event]:
    """The events of a case, fed in pieces of this size."""
    reader = ResponseReader(case.method, case.upgrade)
    for step in case.steps:
        if isinstance(step, bytes):
            for at in range(0, len(step), size):
                yield from reader.feed(step[at : at + size])
    if case.end != "hold" and not reader.ended:
        yield reader.eof()


def read(data: bytes, method: str = "GET", eof: bool = False) -> list[Event]:
    reader = ResponseReader(method)
    events = list(reader.feed(data))
    return [*events, reader.eof()] if eof else events


def test_every_case_has_an_answer_of_envoy() -> None:
    """The table and the recordings name the same cases."""
    assert list(ENVOY) == list(CASES)


@pytest.mark.parametrize("names", families(set(CASES) - TUNNELS), ids=family)
def test_agrees_with_envoy(names: list[str]) -> None:
    """Each hand-written answer gets status, flags and details of the real Envoy 1.37."""
    assert {name: ENVOY[name] for name in names} == {name: words(play(CASES[name]), CASES[name].upgrade) for name in names}


@pytest.mark.parametrize("names", families(set(CASES) - TUNNELS), ids=family)
def test_agrees_with_envoy_whatever_the_packets(names: list[str]) -> None:
    """The answer does not depend on how the bytes are cut."""
    small = [name for name in names if sum(len(step) for step in CASES[name].steps if isinstance(step, bytes)) < 5000]
    assert {name: ENVOY[name] for name in small} == {name: words(play(CASES[name], 1), CASES[name].upgrade) for name in small}


@pytest.mark.parametrize("name", sorted(TUNNELS))
def test_upgrade_is_over_with_its_headers(name: str) -> None:
    """A 101 ends the exchange: what follows is no HTTP."""
    events = list(play(CASES[name]))
    assert [Head, End] == [type(event) for event in events if not isinstance(event, Interim)]


STARTS = (b"", b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")


@given(st.binary(max_size=200), st.sampled_from(STARTS))
def test_any_bytes_have_an_end(rest: bytes, start: bytes) -> None:
    """Whatever comes, nothing is raised, at most one final response is given, and the end is the last event."""
    events = read(start + rest)
    ends = [event for event in events if isinstance(event, End | Refused)]
    assert ends == ([events[-1]] if ends else [])
    assert sum(isinstance(event, Head) for event in events) <= 1


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8), st.binary(max_size=20))
def test_chunked_body_is_put_together(pieces: list[bytes], rest: bytes) -> None:
    """The body is what the chunks hold, and what follows the last chunk is not looked at."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    events = read(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + body + b"0\r\n\r\n" + rest)
    assert b"".join(pieces) == b"".join(event.content for event in events if isinstance(event, Data))
    assert End() == events[-1]


def test_head_is_given_as_it_was_sent() -> None:
    """Status, version, reason and headers in their order; names in lower case, values without the blanks around them."""
    events = read(b"HTTP/1.0 203 Not quite\r\nX-A:  b \r\nSet-Cookie: 1\r\nset-cookie: 2\r\ncontent-length: 0\r\n\r\n")
    fields = ((b"x-a", b"b"), (b"set-cookie", b"1"), (b"set-cookie", b"2"), (b"content-length", b"0"))
    assert [Head(203, "HTTP/1.0", fields, "Not quite"), End()] == events


def test_endless_headers_are_cut_off() -> None:
    """Not more than 80 KiB of headers is kept, however much comes at once."""
    reader = ResponseReader()
    events = list(reader.feed(b"HTTP/1.1 200 OK\r\n" + b"x-a: b\r\n" * 1_000_000))
    assert [Refused("headers larger than 80 KiB")] == events
    assert MAX_HEAD >= len(reader._head)


def test_endless_interim_responses_leave_nothing_behind() -> None:
    """Envoy takes any number of 100s; none of them is kept."""
    reader = ResponseReader()
    piece = b"HTTP/1.1 100 Continue\r\n\r\n" * 1000
    assert 10_000 == sum(isinstance(event, Interim) for _ in range(10) for event in reader.feed(piece))
    assert 0 == len(reader._head)


def test_enormous_chunk_is_not_waited_for() -> None:
    """A chunk size is only a number: what comes of the chunk is passed on, nothing is set aside."""
    events = read(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nabc", eof=True)
    assert [Data(b"abc"), Refused("cut inside a chunked body")] == events[1:]


def test_compressed_body_stays_compressed() -> None:
    """A bomb is as small as it was sent."""
    events = read(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x8b\x08\x00")
    assert [Data(b"\x1f\x8b\x08\x00"), End()] == events[1:]


def test_request_is_written_as_given() -> None:
    """Names keep their case, headers their order, nothing is added."""
    assert b"GET /a?b=%20 HTTP/1.1\r\nHost: x\r\nX-B: 1\r\n\r\n" == request(b"GET", b"/a?b=%20", ((b"Host", b"x"), (b"X-B", b"1")))


@pytest.mark.parametrize(
    ("target", "name", "value"),
    [
        (b"/a\tb", b"x", b"y"),
        (b"/\r\n", b"x", b"y"),
        (b"/", b"x", b"y\r\nz: 1"),
        (b"/", b"x\n", b"y"),
        (b"/", b"x", b"\0"),
        (b"/", b"x", b"a\rb"),
    ],
)
def test_request_stays_one_request(target: bytes, name: bytes, value: bytes) -> None:
    """Line ends and control characters are refused rather than sent."""
    with pytest.raises(ValueError, match="control character"):
        request(b"GET", target, ((name, value),))


def test_request_with_a_space_in_its_path() -> None:
    """Envoy sends what a rewrite makes of the path, spaces and UTF-8 included: `to: http://app/a%20b` is rewritten to `/a b`."""
    assert b"GET /a b/\xc3\xa9 HTTP/1.1\r\n\r\n" == request(b"GET", "/a b/é".encode(), ())
