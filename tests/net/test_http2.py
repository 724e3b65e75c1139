"""The HTTP/2 codec against what a real Envoy made of the same frames, and against h2 as a server."""

from __future__ import annotations

from collections.abc import Iterator

import h2.config
import h2.connection
import h2.events
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomprobe.net.http2 import Http2Codec
from pomprobe.net.http_events import Closed, Data, End, Event, Head, Refused, Reset

from . import http2_cases as sent
from .envoy_words import families, family, recorded, words
from .http2_cases import ACK, CASES, OK, Case, S

ENVOY = recorded("http2_envoy.txt")

UNFINISHED = {"count-open-120", "size-open-70k", "endless-cont-same", "hpack-one-huge", "size1-200000"}
"""Envoy looks at headers while they come, we when they are complete: these never are, or are wrong in more than one way."""

TOGETHER = {f"err-{fault}-{end}" for fault in ("cl", "nobody", "clshort", "1xxdata") for end in ("rst7", "rst8", "goaway")}
TOGETHER |= {"too-many-rst", "too-many-goaway"}
"""Envoy acts on an error of the stream once it has read all there is: what comes in the same packet can overtake it."""

GET = ((b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"up.lab.test"), (b":path", b"/x"))


def play(case: Case, size: int = 65536) -> Iterator[Event]:
    """The events of a case, fed in pieces of this size."""
    codec = Http2Codec()
    codec.request(GET)
    for step in (case.first, *case.steps) if not case.on_connect else case.steps:
        if isinstance(step, bytes):
            for at in range(0, len(step), size):
                yield from codec.feed(step[at : at + size])
                codec.output()
    if case.end != "hold" and not codec.ended:
        yield codec.eof()


def read(data: bytes, method: str = "GET") -> list[Event]:
    codec = Http2Codec(method)
    codec.request(GET)
    return list(codec.feed(S + ACK + data))


def test_every_case_has_an_answer_of_envoy() -> None:
    """The table and the recordings name the same cases."""
    assert list(ENVOY) == list(CASES)


@pytest.mark.parametrize("names", families(set(CASES) - UNFINISHED), ids=family)
def test_agrees_with_envoy(names: list[str]) -> None:
    """Each hand-written answer gets status, flags and details of the real Envoy 1.37."""
    assert {name: ENVOY[name] for name in names} == {name: words(play(CASES[name])) for name in names}


@pytest.mark.parametrize("names", families(set(CASES) - UNFINISHED - TOGETHER), ids=family)
def test_agrees_with_envoy_whatever_the_packets(names: list[str]) -> None:
    """The answer does not depend on how the bytes are cut."""
    small = [name for name in names if sum(len(step) for step in CASES[name].steps if isinstance(step, bytes)) < 5000]
    assert {name: ENVOY[name] for name in small} == {name: words(play(CASES[name], 1)) for name in small}


def test_endless_headers_are_cut_off() -> None:
    """A block of headers that never ends is given up after 128 KiB."""
    piece = sent.frame(sent.CONTINUATION, 0, 1, sent.block([(b"x", b"a" * 16000)]))
    assert [Reset("", problem="headers larger than 60 KiB")] == read(sent.frame(sent.HEADERS, 0, 1) + piece * 100)


def test_header_bomb_is_cut_off() -> None:
    """A header that the table repeats a thousand times is not unpacked."""
    field = b"\x40" + sent.string(b"x") + sent.string(b"a" * 4000)
    assert [Reset("", problem="headers larger than 60 KiB")] == read(sent.frame(sent.HEADERS, 4, 1, b"\x88" + field + b"\xbe" * 10_000))


@given(st.binary(max_size=300), st.sampled_from([b"", S, S + ACK, S + ACK + OK, S + OK + b"\x00\x00"]))
def test_any_bytes_have_an_end(rest: bytes, start: bytes) -> None:
    """Whatever comes, nothing is raised, at most one final response is given, and the end is the last event."""
    codec = Http2Codec()
    codec.request(GET)
    events = list(codec.feed(start + rest))
    ends = [event for event in events if isinstance(event, End | Refused | Closed | Reset)]
    assert ends == ([events[-1]] if ends else [])
    assert sum(isinstance(event, Head) for event in events) <= 1


def test_trailers_are_kept() -> None:
    """gRPC's status stands in the trailers."""
    events = read(OK + sent.data(b"ab") + sent.headers([(b"grpc-status", b"0")], True))
    assert [Head(200, "HTTP/2", ()), Data(b"ab"), End(((b"grpc-status", b"0"),))] == events


def test_answer_to_head_has_no_body() -> None:
    """The Content-Length of an answer to HEAD is not waited for."""
    fields = [sent.ST, (b"content-length", b"5")]
    assert [Head(200, "HTTP/2", ((b"content-length", b"5"),)), End()] == read(sent.headers(fields, True), "HEAD")


def server() -> h2.connection.H2Connection:
    return h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="latin-1"))


def test_request_is_what_a_server_reads() -> None:
    """Another implementation reads the request as it was given; values beyond ASCII and long headers too."""
    peer, codec = server(), Http2Codec()
    peer.initiate_connection()
    fields = (*GET, (b"x-a", b"caf\xe9"), (b"x-long", b"v" * 40_000))
    events = peer.receive_data(codec.request(fields, b"body"))
    received = next(event for event in events if isinstance(event, h2.events.RequestReceived))
    assert [(name.decode(), value.decode("latin-1")) for name, value in fields] == [(str(n), str(v)) for n, v in received.headers]
    assert [b"body"] == [event.data for event in events if isinstance(event, h2.events.DataReceived)]
    assert any(isinstance(event, h2.events.StreamEnded) for event in events)


def test_window_is_given_back() -> None:
    """A server can send a body of any size: every byte that is read is given back."""
    peer, codec = server(), Http2Codec()
    peer.initiate_connection()
    peer.receive_data(codec.request(GET))
    peer.send_headers(1, [(":status", "200")])
    got, size = 0, 5_000_000
    while got < size:
        room = min(peer.local_flow_control_window(1), 16384, size - got)
        assert room > 0
        peer.send_data(1, b"x" * room, end_stream=got + room == size)
        got += sum(len(event.content) for event in codec.feed(peer.data_to_send()) if isinstance(event, Data))
        peer.receive_data(codec.output())
    assert codec.ended


def test_long_request_body_is_refused() -> None:
    """What does not fit the window of every server would have to wait for it: we send no such body."""
    with pytest.raises(ValueError, match="65535"):
        Http2Codec().request(GET, b"x" * 65536)


@pytest.mark.parametrize(
    ("cut", "whole"),
    [(bytes.fromhex("62043a6f64640178") + bytes(8), False), (bytes.fromhex("62043a6f64640f1301") + b"x", True), (b"\x88", True)],
)
def test_headers_without_the_end_of_their_padding(cut: bytes, whole: bool) -> None:
    """Padding is none of them (fuzzed, Envoy 1.37 and 1.40), and a field that does not end before it never will."""
    codec = Http2Codec()
    codec.request(GET)
    frame = (1 + len(cut) + 9).to_bytes(3) + b"\x01\x0d\0\0\0\x01\x09" + cut + b"\0\0\0"
    events = [*codec.feed(b"\0\0\0\x04\0\0\0\0\0" + frame)]
    ended = events[-1] if events else codec.eof()
    assert isinstance(ended, Closed if whole else Refused)
