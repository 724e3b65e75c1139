"""Random routes to a real Envoy and to pomprobe: where do the forecast and Envoy's answers disagree?

    python -m tools.fuzz_routes -n 1000 [--envoy PATH] [--seed N] [--only 17,42]

A route on which they disagree is played twice more, beside the others of its kind alone: it counts if they disagree each time. Which
family of addresses names have is drawn from the seed. Exit code 1 if there are disagreements.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import yaml

from pomprobe import load
from pomprobe.api import Session
from pomprobe.envoy.find import Binary, find
from pomprobe.envoy.reproduce import Options, Reproducer
from pomprobe.envoy.results import agrees

from .fuzzing.routes import ZONE, route, told

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from envoy.scenes.pki import Authority
from envoy.scenes.scene import scene
from servers.dns import dns_server

if TYPE_CHECKING:
    from envoy.scenes.rows import Row
    from pomprobe.model import EnvoyReply

SIZE = 50
"""Routes of one config."""

REQUESTS, PATIENCE = 12, 45.0
TURNS = 3


@asynccontextmanager
async def staged(rows: Sequence[Row], folder: Path) -> AsyncIterator[Path]:
    """The upstreams of all these routes, and the config that has them, in their order."""
    (folder / "pki").mkdir()
    authority = Authority(folder / "pki")
    async with AsyncExitStack() as stack:
        resolver = (await stack.enter_async_context(dns_server(ZONE))).port
        routes, config = [], {}
        for row in rows:
            config = yaml.safe_load((await stack.enter_async_context(scene(row, folder / row.id, authority, resolver))).config.read_text())
            (one,) = config.pop("routes")
            routes.append(one | {"from": f"https://{row.id}.example.com"})
        path = folder / "config.yaml"
        path.write_text(yaml.safe_dump({**config, "routes": routes}, sort_keys=False))
        yield path


async def disagreements(rows: Sequence[Row], envoy: Binary, folder: Path) -> dict[str, str]:
    """By route, what Envoy answered and what was forecast, where that is not the same."""
    async with staged(rows, folder) as path:
        session = Session(load(path))
        session.speak_as(envoy.version)
        await session.run()
        asked = Reproducer(session.config, session.chosen, Options(envoy, REQUESTS, PATIENCE))
        await asked.run()
    found = {}
    for row, seen, report in zip(rows, asked.seen(), session.report().routes, strict=True):
        ours = [(entry.reply, entry.share) for entry in report.forecast]
        if not (agrees(seen, report.forecast) or not (ours or seen.entries)):
            found[row.id] = f"    Envoy    {_words(seen.entries)}\n    pomprobe {_words(ours) or 'not known'}"
    return found


def _words(entries: Iterable[tuple[EnvoyReply, float]]) -> str:
    return ", ".join(f"{share:.0%} {reply.status} {reply.response_flags} {reply.response_code_details}" for reply, share in entries)


async def fuzz(options: argparse.Namespace) -> int:
    """Run, print, and say whether anything disagreed."""
    envoy, began = find(options.envoy), time.monotonic()
    rows = [route(options.seed, number) for number in options.only or range(options.n)]
    wrong: dict[str, str] = {}
    for at in range(0, len(rows), SIZE):
        left: Sequence[Row] = rows[at : at + SIZE]
        found: dict[str, str] = {}
        for _ in range(TURNS):
            with tempfile.TemporaryDirectory() as folder:
                found = await disagreements(left, envoy, Path(folder))
            left = [row for row in left if row.id in found]
            if not left:
                break
        wrong |= found
        sys.stderr.write(f"{min(at + SIZE, len(rows))} routes, {len(wrong)} disagree\n")
    for row in rows:
        if row.id in wrong:
            sys.stdout.write(f"{row.id}: {row.upstream}\n    {told(row)}\n{wrong[row.id]}\n")
    agreed, seconds = len(rows) - len(wrong), time.monotonic() - began
    told_of = f"Envoy {envoy.version}, seed {options.seed}, {seconds:.0f} s"
    sys.stdout.write(f"routes agreement: {agreed}/{len(rows)} ({agreed / len(rows):.2%}) word for word; {told_of}\n")
    return int(bool(wrong))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-n", type=int, default=1000, help="routes")
    parser.add_argument("--envoy", help="path of the Envoy")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=lambda text: [int(number) for number in text.split(",")], help="these numbers of the seed's")
    sys.exit(anyio.run(partial(fuzz, parser.parse_args())))


if __name__ == "__main__":
    main()
