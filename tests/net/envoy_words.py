"""What Envoy says of an exchange: the events of our codecs in the words of its access log, and the recorded answers."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from pomprobe.net.http_events import Closed, End, Event, Head, Interim, Refused, Reset


def recorded(name: str) -> dict[str, str]:
    """The answers of the real Envoy, by case: status, flags and details of its access log."""
    lines = (Path(__file__).parent / name).read_text(encoding="ascii").splitlines()
    return dict(line.split(" ", 1) for line in lines)


def families(names: Iterable[str]) -> list[list[str]]:
    """The cases by the first word of their names, so that one test stands for one idea."""
    return [list(members) for _, members in groupby(sorted(names), key=family)]


def family(names: str | list[str]) -> str:
    return (names if isinstance(names, str) else names[0]).partition("-")[0]


def words(events: Iterable[Event], upgrade: bool = False) -> str:
    """The answer that Envoy would give, as it stands in the recordings."""
    head: Head | None = None
    interim = False
    last: Event | None = None
    for event in events:
        last = event
        head = event if isinstance(event, Head) else head
        interim = interim or isinstance(event, Interim)
    status = head.status if head else 0
    when = "upstream_reset_after_response_started" if head or interim else "upstream_reset_before_response_started"
    if upgrade and 200 <= status < 400:
        return f"{status} - websocket_handshake_unsuccessful"
    match last:
        case End():
            return f"{status} - via_upstream"
        case Refused() | Reset(error_code="PROTOCOL_ERROR", goaway=False):
            return f"{status if head else 502} UPE {when}{{protocol_error}}"
        case Closed():
            return f"{status if head else 503} UC {when}{{connection_termination}}"
        case Reset(goaway=True) | Reset(error_code="REFUSED_STREAM"):
            return f"{status if head else 503} UR {when}{{remote_refused_stream_reset}}"
        case Reset(error_code="CONNECT_ERROR"):
            return f"{status if head else 503} UR {when}{{remote_error_with_CONNECT_request}}"
        case Reset():
            return f"{status if head else 503} UR {when}{{remote_reset}}"
        case _:
            return f"{status if head else 504} UT response_timeout"
