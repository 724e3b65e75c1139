"""Many variants at once: those with the same global keys are routes of one config, which one Envoy, or one run of ours, sees whole."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import yaml

from ..scenes.pki import Authority
from ..scenes.rows import Row
from ..scenes.scene import scene

SIZE = 60
"""Routes of one config."""

SLOW = 3.0
"""Seconds from which on a variant mostly waits."""

SEVERAL = 12
"""Requests to a route with several upstreams: whole shares for 1, 2, 3, 4 and 6 of them."""


def batches(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows that can share a config: the same global keys, and alike in how long they take and how often they are asked."""
    groups: dict[tuple[str, bool, int], list[Row]] = defaultdict(list)
    for row in rows:
        keys = json.dumps(row.settings, sort_keys=True)
        own = f" of {row.id}" if re.search(r"\{\w+\}", keys) else ""  # ports of its own
        groups[keys + own, row.seconds >= SLOW, requests(row)].append(row)
    return [group[at : at + SIZE] for group in groups.values() for at in range(0, len(group), SIZE)]


def requests(row: Row) -> int:
    """How often an Envoy is asked, so that shares show; a slow one would wait for the connection of the one before."""
    return SEVERAL if isinstance(row.route["to"], list) else 1 if row.seconds >= SLOW else 2


@asynccontextmanager
async def staged(rows: Sequence[Row], folder: Path, authority: Authority) -> AsyncIterator[Path]:
    """The upstreams of all these rows, and the config with a route for each, in their order."""
    folder.mkdir()  # noqa: ASYNC240
    async with AsyncExitStack() as stack:
        routes, settings = [], {}
        for row in rows:
            played = await stack.enter_async_context(scene(row, folder / row.id, authority))
            settings = yaml.safe_load(played.config.read_text())
            (route,) = settings.pop("routes")
            routes.append(route | {"from": route["from"].replace("lab.example.com", f"{host(row)}.example.com")})
        config = folder / "config.yaml"
        config.write_text(yaml.safe_dump({**settings, "routes": routes}, sort_keys=False))
        yield config


def host(row: Row) -> str:
    """The row's id as a label of a host name."""
    return re.sub(r"[^a-z0-9-]", "-", row.id.lower())[:60].strip("-")
