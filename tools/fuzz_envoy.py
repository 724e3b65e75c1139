"""Random upstream answers to a real Envoy and to pomprobe's own stages: where do they disagree?

    python -m tools.fuzz_envoy -n 10000 [--protocol http1|http2|tls|chains]... [--envoy PATH] [--seed N]

The last line of each says how many agreed, word for word and at a glance. Disagreements are made small and grouped by what the two say.
Exit code 1 if there are any.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Literal

import anyio

from pomprobe.envoy.find import Binary, find
from pomprobe.model import EnvoyReply

from .fuzzing import chains, http1, http2, tls
from .fuzzing.lab import Lab, Scheme, Script, Worker, lab
from .fuzzing.minimise import minimised
from .fuzzing.ours import Forecaster

GENERATORS: dict[str, tuple[Scheme, Callable[[Random], bytes]]] = {
    "http1": ("http", http1.response),
    "http2": ("h2c", http2.response),
    "tls": ("https", tls.response),
    "chains": ("https", chains.response),
}
ENDINGS: tuple[Literal["fin", "rst", "silence"], ...] = ("fin", "rst", "silence")
ODDS: dict[Scheme, tuple[int, int, int]] = {"http": (92, 5, 3), "h2c": (92, 5, 3), "https": (95, 5, 0)}
"""How likely each ending is. A silent handshake would keep its connection pending, and the next request would join it."""

WORKERS = 32
SHOWN = 3
"""Examples of each kind of disagreement that are printed."""

MADE_SMALL = 12
"""Kinds, the most frequent first, whose examples are made small."""


@dataclass(frozen=True)
class Disagreement:
    """The same bytes, two opinions."""

    script: Script
    envoy: EnvoyReply | None
    ours: EnvoyReply | None


class Fuzzer:
    """Counts agreements and keeps disagreements."""

    def __init__(self, lab: Lab, forecaster: Forecaster) -> None:
        self._lab = lab
        self._forecaster = forecaster
        self.agreed = 0
        self.disagreed: list[Disagreement] = []

    async def run(self, scripts: Iterator[Script]) -> None:
        async with anyio.create_task_group() as group:
            for worker in self._lab.workers:
                group.start_soon(self._work, worker, scripts)

    async def compare(self, worker: Worker, script: Script) -> Disagreement | None:
        envoy = await self._lab.answer(worker, script)
        ours = await self._forecaster.answer(worker.cluster, script)
        return None if _same(envoy, ours) else Disagreement(script, envoy, ours)

    async def smaller(self, found: Disagreement) -> Disagreement:
        """The same disagreement with fewer bytes; one that does not come again (a race) stays as it is."""
        worker = self._lab.workers[0]

        async def still(data: bytes) -> bool:
            again = await self.compare(worker, Script(data, found.script.ending))
            return again is not None and _same(again.envoy, found.envoy) and _same(again.ours, found.ours)

        return Disagreement(Script(await minimised(found.script.data, still), found.script.ending), found.envoy, found.ours)

    async def _work(self, worker: Worker, scripts: Iterator[Script]) -> None:
        for script in scripts:
            found = await self.compare(worker, script)
            if found is not None:  # a second time: not a race of the connection's end with the answer
                found = await self.compare(worker, script)
            if found is None:
                self.agreed += 1
            else:
                self.disagreed.append(found)


def _same(one: EnvoyReply | None, other: EnvoyReply | None) -> bool:
    return _words(one) == _words(other)


def _words(reply: EnvoyReply | None) -> str:
    return "nothing" if reply is None else f"{reply.status} {reply.response_flags} {reply.response_code_details}"


async def fuzz(options: argparse.Namespace, protocol: str) -> int:
    """Run, print, and say whether anything disagreed."""
    binary = find(options.envoy)
    scheme, generate = GENERATORS[protocol]
    random = Random(options.seed)
    began = time.monotonic()
    async with lab(binary, scheme, min(WORKERS, options.n)) as running:
        fuzzer = Fuzzer(running, Forecaster(binary.version))
        scripts = (Script(generate(random), random.choices(ENDINGS, ODDS[scheme])[0]) for _ in range(options.n))
        await fuzzer.run(scripts)
        kinds: dict[tuple[str, str], list[Disagreement]] = defaultdict(list)
        for found in fuzzer.disagreed:
            kinds[_words(found.envoy), _words(found.ours)].append(found)
        lines = [f"# {protocol}, Envoy {binary.version}, seed {options.seed}"]
        for number, ((envoy, ours), alike) in enumerate(sorted(kinds.items(), key=lambda item: -len(item[1]))):
            lines += ["", f"## {len(alike)} x", f"Envoy    {envoy}", f"pomprobe {ours}"]
            for found in sorted(alike, key=lambda one: len(one.script.data))[:SHOWN]:
                small = await fuzzer.smaller(found) if number < options.small else found
                lines.append(f"    {small.script.ending} {small.script.data!r}")
    sys.stdout.write("\n".join([*lines, "", _sum(fuzzer, protocol, binary, options.seed, time.monotonic() - began)]) + "\n")
    return 1 if fuzzer.disagreed else 0


def _sum(fuzzer: Fuzzer, protocol: str, binary: Binary, seed: int, seconds: float) -> str:
    total = fuzzer.agreed + len(fuzzer.disagreed)
    seen = _verdict if protocol == "chains" else _seen
    alike = fuzzer.agreed + sum(seen(found.envoy) == seen(found.ours) for found in fuzzer.disagreed)
    words, glance = (f"{count}/{total} ({count / total:.2%})" for count in (fuzzer.agreed, alike))
    told = f"Envoy {binary.version}, seed {seed}, {seconds:.0f} s"
    what = "accepted or refused" if protocol == "chains" else "in status, flags and code"
    return f"{protocol} agreement: {words} word for word, {glance} {what}; {told}"


def _seen(reply: EnvoyReply | None) -> tuple[object, ...]:
    """What a user sees at a glance."""
    return () if reply is None else (reply.status, reply.response_flags, reply.response_code_details.partition("{")[0])


def _verdict(reply: EnvoyReply | None) -> bool:
    """Was a chain accepted, so that what came behind it ended the handshake?"""
    return reply is not None and any(words in reply.response_code_details for words in chains.ACCEPTED)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-n", type=int, default=10_000, help="cases")
    parser.add_argument("--protocol", choices=GENERATORS, action="append", help="may be repeated; without it all")
    parser.add_argument("--envoy", help="path of the Envoy")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--small", type=int, default=MADE_SMALL, help="kinds of disagreement whose examples are made small")
    options = parser.parse_args()
    sys.exit(max(anyio.run(partial(fuzz, options, protocol)) for protocol in options.protocol or GENERATORS))


if __name__ == "__main__":
    main()
