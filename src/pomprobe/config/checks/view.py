"""What a check looks at: the config as read, and the nodes behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ...model import Fact, Failure, Place, Route, RouteKind, Settings
from ..keys import Version
from ..nodes import Mapping
from ..problems import Problems, Refusal

WITHOUT_UPSTREAM = (RouteKind.REDIRECT, RouteKind.RESPONSE, RouteKind.TUNNEL)
SECURE = ("https", "https+unix")
UNIX = ("unix", "https+unix")


@dataclass
class View:
    """Routes and their mappings, in the same order. blocked: Envoy's or Pomerium's messages that hit routes by their index."""

    file: str
    version: Version
    top: Mapping
    settings: Settings
    routes: tuple[Route, ...]
    mappings: tuple[Mapping, ...]
    refusals: tuple[tuple[Refusal, ...], ...]
    problems: Problems
    container: bool = False
    blocked: dict[int, list[str]] = field(default_factory=dict)

    def note(self, failure: Failure, place: Place, message: str, **facts: Fact) -> None:
        """Add a problem of the config as a whole."""
        self.problems.note(failure, place, message, **facts)

    def on(self, route: Route, failure: Failure, place: Place, message: str, **facts: Fact) -> None:
        """Add a problem of one route."""
        self.problems.note(failure, place, message, route=route.name, **facts)

    def block(self, index: int, message: str) -> None:
        """Envoy has no cluster for this route, and this is why."""
        self.blocked.setdefault(index, []).append(message)

    def pairs(self) -> Iterator[tuple[Route, Mapping]]:
        return zip(self.routes, self.mappings, strict=True)

    def proxied(self) -> Iterator[tuple[Route, Mapping]]:
        """The routes that send their requests to an upstream."""
        return ((route, mapping) for route, mapping in self.pairs() if route.kind not in WITHOUT_UPSTREAM and route.upstreams)


def place_in(route: Route, key: str) -> Place:
    """Where the value of the key stands, or the route where it has no such key."""
    return route.places.get(key, route.place)
