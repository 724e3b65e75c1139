"""Many rows at once: those with the same global keys are routes of one config, which one Envoy, or one run of ours, sees whole."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from servers.dns import dns_server

from .pki import Authority
from .rows import Row
from .scene import HOME, finds_home, outside, scene

SIZE = 60
"""Routes of one config."""

SLOW = 3.0
"""Seconds from which on a row mostly waits."""

LONG = 30.0
"""Seconds from which on it waits for so long that nothing else should have to wait for it."""

SEVERAL, SEVERAL_SLOW = 12, 4
"""Requests to a route with several answers: whole shares for 1, 2, 3, 4 and 6 upstreams."""


@dataclass(frozen=True)
class Stage:
    """Where the config of a batch is, and the command line that must stand before a program that is to see it (a network namespace)."""

    config: Path
    prefix: tuple[str, ...]


def batches(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows that can share a config: the same global keys, and alike in how long they take and how often they are asked."""
    groups: dict[tuple[str, bool, bool, int], list[Row]] = defaultdict(list)
    for row in rows:
        keys = json.dumps(row.settings, sort_keys=True)
        alone = outside(row) or (re.search(r"\{\w+\}", keys) and not finds_home(row))  # ports of its own
        groups[keys + (f" of {row.id}" if alone else ""), row.seconds >= SLOW, row.seconds >= LONG, requests(row)].append(row)
    return [group[at : at + SIZE] for group in groups.values() for at in range(0, len(group), SIZE)]


def requests(row: Row) -> int:
    """How often an Envoy is asked, so that shares show; a slow one would wait for the connection of the one before."""
    slow = row.seconds >= SLOW
    if isinstance(row.route["to"], list) or (len(row.outcomes.get("1.37", ())) > 1 and not row.any):
        return SEVERAL_SLOW if slow else SEVERAL
    return 1 if slow else 2


def patience(rows: Sequence[Row]) -> float:
    """Seconds for each route, all of them at once."""
    return 1.2 * max(row.seconds for row in rows) + 20


@asynccontextmanager
async def staged(rows: Sequence[Row], folder: Path, authority: Authority) -> AsyncIterator[Stage]:
    """The upstreams of all these rows, and the config with a route for each, in their order."""
    folder.mkdir()  # noqa: ASYNC240
    async with AsyncExitStack() as stack:
        home = (await stack.enter_async_context(dns_server({"*": HOME}))).port
        prefix: tuple[str, ...] = ()
        routes, settings = [], {}
        for row in rows:
            played = await stack.enter_async_context(scene(row, folder / row.id, authority, home))
            prefix = tuple(played.prefix)
            settings = yaml.safe_load(played.config.read_text())
            (route,) = settings.pop("routes")
            routes.append(route | {"from": route["from"].replace("lab.example.com", f"{host(row)}.example.com")})
        config = folder / "config.yaml"
        config.write_text(yaml.safe_dump({**settings, "routes": routes}, sort_keys=False))
        yield Stage(config, prefix)


def host(row: Row) -> str:
    """The row's id as a label of a host name."""
    return re.sub(r"[^a-z0-9-]", "-", row.id.lower())[:60].strip("-")
