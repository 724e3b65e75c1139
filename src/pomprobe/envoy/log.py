"""Envoy's access log as it grows: a line for each request, handed to whoever asked for that route."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

import anyio

from ..record import Record

EVERY = 0.02
"""Seconds between two looks at the file, which Envoy flushes as often."""


class Line(Record, frozen=True):
    """What Envoy answered to one request. seconds: from the request's first byte to the end of the answer."""

    status: int
    response_flags: str
    response_code_details: str
    seconds: float


class AccessLog:
    """Follows the file at `path`, and sorts its lines by route. choices: the header that chose a route -> its name."""

    def __init__(self, path: Path, choices: Mapping[str, str]) -> None:
        self._path = path
        self._choices = choices
        self._streams = {route: anyio.create_memory_object_stream[Line](math.inf) for route in choices.values()}

    async def follow(self) -> None:
        """Read on and on, until cancelled."""
        rest = b""
        with self._path.open("rb") as file:
            while True:
                *lines, rest = (rest + file.read()).split(b"\n")
                for line in lines:
                    entry = json.loads(line)
                    route = self._choices.get(entry["choice"] or "", entry["route"])
                    if route in self._streams:
                        self._streams[route][0].send_nowait(_read(entry))
                await anyio.sleep(EVERY)

    async def line(self, route: str) -> Line:
        """The next line of this route."""
        return await self._streams[route][1].receive()

    def close(self) -> None:
        """Give the streams back."""
        for sender, receiver in self._streams.values():
            sender.close()
            receiver.close()


def _read(entry: dict[str, object]) -> Line:
    status, duration = entry["status"], entry["duration_ms"]
    return Line(
        status=status if isinstance(status, int) else 0,
        response_flags=str(entry["response_flags"] or "-"),
        response_code_details=str(entry["response_code_details"] or ""),
        seconds=duration / 1000 if isinstance(duration, int) else 0.0,
    )
