"""A path that Envoy gives to one route and not to a route before it on the same host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..model import Route, RouteKind
from . import regex

MARK = "pomprobe"
TUNNELS = (RouteKind.TCP, RouteKind.UDP, RouteKind.SSH)


def example(route: Route, routes: Sequence[Route]) -> str:
    """The shortest such path; where every candidate belongs to an earlier route, the first one."""
    before = [other for other in routes if other.index < route.index and other.from_host == route.from_host and other.kind not in TUNNELS]
    candidates = list(_candidates(route))
    return next((path for path in candidates if not any(matches(other, path) for other in before)), candidates[0])


def matches(route: Route, path: str) -> bool:
    """Does Envoy give this path to the route? Regular expressions are anchored at both ends, prefixes are plain text."""
    if route.regex:
        return regex.matches(route.regex, path)
    if route.path:
        return path == route.path
    return path.startswith(route.prefix or "/")


def _candidates(route: Route) -> Iterator[str]:
    if route.kind in TUNNELS:
        yield "/"
    elif route.regex:
        yield from (path for path in regex.examples(route.regex) if path.startswith("/"))
        yield "/"
    elif route.path:
        yield route.path
    else:
        prefix = route.prefix or "/"
        yield prefix
        yield from (f"{prefix.removesuffix('/')}/{rest}" for rest in (MARK, f"{MARK}/0", f"{MARK}.0"))
