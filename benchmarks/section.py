"""A section of docs/benchmarks.md, and what all of them need."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .servers import SERVER_NAME

POMPROBE = (os.environ.get("POMPROBE") or str(Path(sys.executable).with_name("pomprobe")),)
"""The program to measure: `make bench` installs one as users do, without what development needs beside it."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What a number is to be at most. why: the reason of a goal that is known to be missed."""

    what: str
    measured: float
    most: float
    unit: str = ""
    why: str = ""

    @property
    def met(self) -> bool:
        return self.measured <= self.most

    def line(self) -> str:
        """A row of the table of goals."""
        verdict = "met" if self.met else f"**missed by {100 * (self.measured / self.most - 1):.0f} %**{': ' + self.why if self.why else ''}"
        return f"| {self.what} | {self.most:.3g}{self.unit} | {self.measured:.3g}{self.unit} | {verdict} |"


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, how it was measured, the lines of its table, and what its numbers were to be."""

    title: str
    method: str
    lines: Sequence[str]
    goals: Sequence[Goal] = ()

    def markdown(self) -> str:
        return f"## {self.title}\n\n{self.method}\n\n" + "\n".join(self.lines) + "\n"


def config(directory: Path, sockets: Sequence[tuple[str, int]], keys: str = "") -> Path:
    """A Pomerium config with one route to each TLS upstream of servers.nginx. keys: more YAML for every route."""
    trust = f"tls_upstream_server_name: {SERVER_NAME}, tls_custom_ca_file: {directory}/ca.pem"
    routes = (
        f"  - {{from: 'https://app{number}.example.com', to: 'https://{address}:{port}', {trust}{keys}}}\n"
        for number, (address, port) in enumerate(sockets)
    )
    path = directory / f"config-{len(sockets)}.yaml"
    path.write_text("routes:\n" + "".join(routes))
    return path
