"""The routes of a config through a real, private Envoy: what it answers, and in which shares."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import anyio

from ..model import Cluster, Config, Route, RouteKind
from ..record import Record, replace
from .admin import Admin, connected
from .bootstrap import ACCESS_LOG, ADMIN, CLUSTERS, LISTENER, bootstrap, discovery, static
from .client import ask
from .cluster import cluster_message
from .find import Binary, EnvoyError
from .log import AccessLog
from .process import START, check, private_folder, running, watch
from .results import Reproduction, Sample, folded
from .validate import refusals
from .values import Files, Message, Public

REQUESTS = 12
"""Requests for each route: whole shares for 1, 2, 3, 4 and 6 endpoints."""

PATIENCE = 50.0
"""Seconds for each route, all of them at once."""

HANGS = 5.0
"""Seconds after which nothing is learned from asking a host again that hangs."""

LOOK = 0.05
"""Seconds between two looks at which clusters are in use."""

Chosen = Sequence[tuple[Route, Cluster | None]]


class Options(Record, frozen=True):
    """requests: for each route. patience: seconds for each route, all at once.

    enough: where the only host has given one answer and no other, so many requests are enough, or fewer that took HANGS seconds.
    """

    binary: Binary
    requests: int = REQUESTS
    patience: float = PATIENCE
    enough: int | None = None


class Reproducer:
    """Asks a private Envoy for every route that is chosen; what is known by now can be seen at any moment."""

    def __init__(self, config: Config, chosen: Chosen, options: Options) -> None:
        self._config = config
        self._options = options
        self._results = {route.index: Reproduction(route, cluster, skipped=skipped(route, cluster)) for route, cluster in chosen}
        asked = (result.cluster for result in self._results.values() if not result.skipped)
        self._left = {cluster.route.index: cluster for cluster in asked if cluster is not None}

    def seen(self) -> tuple[Reproduction, ...]:
        """What is known, in the order given; a route that Envoy has not answered yet is skipped."""
        early = "the run ended before Envoy had answered"
        return tuple(replace(one, skipped=early) if index in self._left else one for index, one in self._results.items())

    async def run(self) -> None:
        """Start Envoy, ask, stop it. Runs in the main thread. Raises EnvoyError where it does not start, or ends too early."""
        asked = tuple(self._left.values())
        if not asked:
            return
        with private_folder() as folder:
            files = Files(folder)
            refused = await refusals(self._options.binary, asked, self._config.settings, folder, files) | doubles(asked)
            for index, words in refused.items():
                self._keep(replace(self._results[index], refusal=words))
            accepted = [cluster for cluster in asked if cluster.route.index not in refused]
            await _Envoy(self._config, self._options, folder, files).answers(accepted, self._keep)

    def _keep(self, found: Reproduction) -> None:
        self._results[found.route.index] = found
        self._left.pop(found.route.index, None)


def skipped(route: Route, cluster: Cluster | None) -> str:
    """Why a route is not asked of Envoy ("": it is)."""
    if cluster is None:
        return route.serves or f"a {route.kind} route has no upstream"
    if route.kind is RouteKind.UDP:
        return "UDP routes are not reproduced: Envoy opens the tunnel (200) once the name has an address, whatever is behind it"
    if route.kind is RouteKind.SSH:
        return "an ssh route goes through a filter that only Pomerium's own Envoy has"
    if route.kind is RouteKind.KUBERNETES:
        return "a Kubernetes route goes through Pomerium's own proxy, not through Envoy's"
    return ""


def doubles(clusters: Sequence[Cluster]) -> dict[int, str]:
    """Routes whose cluster has the name of an earlier one, in Pomerium's words (clusters.go, validateClusterNamesUnique)."""
    first: dict[str, int] = {}
    for cluster in clusters:
        first.setdefault(cluster.name, cluster.route.index)
    return {c.route.index: f"route {c.name} is not unique" for c in clusters if first[c.name] != c.route.index}


def printed(config: Config, chosen: Chosen) -> tuple[str, tuple[str, ...]]:
    """The configuration that would be run, as JSON that an Envoy accepts, and what its reader has to know.

    No private key and no header value is in it: those stand in files of the config, or in environment variables that the notes name.
    A route is chosen by its index. One that Envoy refuses is left out, as Envoy leaves it out.
    """
    asked = [cluster for route, cluster in chosen if cluster is not None and not skipped(route, cluster)]
    twice = doubles(asked)
    left_out = {route.index: skipped(route, cluster) for route, cluster in chosen}
    for cluster in asked:
        refused = twice.get(cluster.route.index) or next(iter(cluster.refusals), "")
        left_out[cluster.route.index] = f"refused: {refused}" if refused else ""
    store, accepted = Public(), [cluster for cluster in asked if not left_out[cluster.route.index]]
    choices = {cluster.route.index: str(cluster.route.index) for cluster in accepted}
    text = json.dumps(static(accepted, config.settings, choices, None, store), indent=2)
    notes = [f"left out: {route.name}: {left_out[route.index]}" for route, _ in chosen if left_out[route.index]]
    notes += [f"Envoy reads {variable} from its environment: {what}" for variable, what in store.variables.items()]
    return text, tuple(notes)


class _Envoy:
    """One Envoy with all the routes that it accepts."""

    def __init__(self, config: Config, options: Options, folder: Path, files: Files) -> None:
        self.settings = config.settings
        self.options = options
        self.folder = folder
        self.files = files
        self.used: dict[str, anyio.Event] = {}  # by name of cluster: set once Envoy has resolved and checked it
        self.hosts: dict[str, int] = {}  # by name of cluster: how many it had then

    async def answers(self, clusters: Sequence[Cluster], keep: Callable[[Reproduction], None]) -> None:
        """Start, ask every route at once, stop. keep: called with what is known of a route, and again once its hosts are."""
        if not clusters:
            return
        self.used = {cluster.name: anyio.Event() for cluster in clusters}
        choices = {cluster.route.index: secrets.token_hex(16) for cluster in clusters}
        self._write(CLUSTERS, discovery(()))
        self._write("envoy.json", bootstrap(clusters, self.settings, choices, self.folder, self.files))
        found: list[Reproduction] = []
        async with (
            running(self.options.binary, self.folder, self.folder / "envoy.json") as process,
            connected(self.folder / ADMIN) as admin,
        ):
            with anyio.move_on_after(START) as waiting:
                while not await admin.ready():
                    check(process, self.folder)
                    await anyio.sleep(LOOK)
            if waiting.cancelled_caught:
                raise EnvoyError(f"Envoy was not ready after {START:.0f} s")
            (self.folder / "envoy.json").unlink()
            port = await admin.port(LISTENER)
            self._write(CLUSTERS, discovery(cluster_message(cluster, self.settings, self.files) for cluster in clusters))
            with closing(AccessLog(self.folder / ACCESS_LOG, {choice: str(index) for index, choice in choices.items()})) as log:
                async with anyio.create_task_group() as background:
                    background.start_soon(watch, process, self.folder)
                    background.start_soon(log.follow)
                    background.start_soon(self._watch, admin)
                    async with anyio.create_task_group() as group:

                        async def one(cluster: Cluster) -> None:
                            found.append(await self._route(cluster, choices[cluster.route.index], port, log))
                            keep(found[-1])

                        for cluster in clusters:
                            group.start_soon(one, cluster)
                    hosts = await admin.clusters()
                    background.cancel_scope.cancel()
        for result in found:
            if result.cluster is not None:
                keep(replace(result, hosts=hosts.get(result.cluster.name, ())))

    async def _route(self, cluster: Cluster, choice: str, port: int, log: AccessLog) -> Reproduction:
        """One request after the other, as long as there is time for another one like the slowest."""
        deadline = anyio.current_time() + self.options.patience
        with anyio.move_on_at(deadline) as waiting:
            await self.used[cluster.name].wait()
        pending = waiting.cancelled_caught
        samples: list[Sample] = []
        while len(samples) < (1 if pending else self.options.requests):
            left = deadline - anyio.current_time()
            if samples and left < max(sample.seconds for sample in samples):
                break
            try:
                ended = await ask(port, cluster, choice, max(left, 1.0))
            except OSError as error:
                raise EnvoyError(f"Envoy takes no more connections: {error}") from error
            line = await log.line(str(cluster.route.index))
            samples.append(Sample(line, ended))
            if not ended or (self.hosts.get(cluster.name) == 1 and _enough(samples, self.options.enough)):
                break
        return folded(cluster, samples, pending)

    async def _watch(self, admin: Admin) -> None:
        """Tell which clusters are in use; once all are, the files that hold keys and certificates can go."""
        while not all(event.is_set() for event in self.used.values()):
            for name, hosts in (await admin.clusters()).items():
                if name in self.used:
                    self.hosts.setdefault(name, len(hosts))
                    self.used[name].set()
            await anyio.sleep(LOOK)
        self.files.remove()
        (self.folder / CLUSTERS).unlink()

    def _write(self, name: str, message: Message) -> None:
        """Put a file in place in one step: Envoy looks at CLUSTERS again when it is moved there."""
        new = self.folder / f".{name}"
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(message, file)
        new.rename(self.folder / name)


def _enough(samples: Sequence[Sample], enough: int | None) -> bool:
    """Would one more request of the same host say the same again?"""
    if enough is None or len({sample.reply for sample in samples}) > 1:
        return False
    return len(samples) >= enough or sum(sample.seconds for sample in samples) >= HANGS
