"""Which clusters Envoy refuses, and in which words: asked of Envoy itself, without starting it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import anyio

from ..model import Cluster, Settings
from .bootstrap import static
from .find import Binary, EnvoyError
from .process import output
from .values import Message, Store

AT_ONCE = 2

UNKNOWN = re.compile(r"no such field: '[^']*'|Protobuf message \(type [\w.]+[^)]*\) has unknown fields|INVALID_ARGUMENT:[^\n]*")


async def refusals(binary: Binary, clusters: Sequence[Cluster], settings: Settings, folder: Path, store: Store) -> dict[int, str]:
    """Index of a route -> why Envoy refuses it. One run asks about all; only if that fails is each asked about alone."""
    choices = {cluster.route.index: "x" for cluster in clusters}

    async def look(some: Sequence[Cluster], name: str) -> tuple[int, str]:
        return await _looked_at(binary, static(some, settings, choices, folder, store), folder / f"{name}.json")

    async def refusal(some: Sequence[Cluster], name: str) -> str | None:
        code, said = await look(some, name)
        if code < 0 and (alone := (await look((), f"{name}-none"))[0]) < 0:  # it gets no thread, say: no word about the clusters
            raise EnvoyError(f"Envoy could not look at the configuration: signal {-alone} ended it")
        return None if code == 0 else words(said)

    if await refusal(clusters, "all") is None:
        return {}
    found: dict[int, str] = {}
    limit = anyio.CapacityLimiter(AT_ONCE)

    async def ask(cluster: Cluster) -> None:
        async with limit:
            message = await refusal([cluster], f"route-{cluster.route.index}")
            if message is not None:
                found[cluster.route.index] = message

    async with anyio.create_task_group() as group:
        for cluster in clusters:
            group.start_soon(ask, cluster)
    return found


def words(output: str) -> str:
    """Envoy's reason out of its log, without the configuration that it may repeat, which holds secrets."""
    if constraint := re.search(r"Proto constraint validation failed \((.*)\)", output):
        parts = constraint[1].split(" | caused by ")
        return f"Proto constraint validation failed ({parts[-1]})"
    reason = re.search(r"error initializing configuration '[^']*': (.*)", output, re.DOTALL)
    text = reason[1] if reason else output
    if unknown := UNKNOWN.search(text):
        return unknown[0]
    return " ".join(re.sub(r"goo\.gle/debug\w+", "", text).split())[:300]


async def _looked_at(binary: Binary, message: Message, file: Path) -> tuple[int, str]:
    """Envoy's exit code, negative for a signal, and what it printed."""
    with _written(message, file):
        command = [str(binary.path), "--mode", "validate", "-c", str(file), "--log-level", "critical"]
        return await output(command, file.with_suffix(".out"))


@contextmanager
def _written(message: Message, file: Path) -> Iterator[None]:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(message, out)
    try:
        yield
    finally:
        file.unlink()
