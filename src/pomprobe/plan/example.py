"""A path that Envoy gives to one route and not to a route before it on the same host."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Route, RouteKind
from . import regex

MARK = "pomprobe"
TUNNELS = (RouteKind.TCP, RouteKind.UDP, RouteKind.SSH)


class Earlier:
    """The routes of one host so far, as Envoy goes through them, so that thousands of them are not tried one by one.

    Prefixes and paths are plain text; regular expressions are anchored at both ends.
    """

    def __init__(self) -> None:
        self._paths: set[str] = set()
        self._prefixes: set[str] = set()
        self._patterns: dict[str, list[str]] = {}  # by the plain text that they begin with

    def add(self, route: Route) -> None:
        """Add the next route."""
        if route.kind in TUNNELS:
            return
        if route.regex:
            self._patterns.setdefault(regex.literal_start(route.regex), []).append(route.regex)
        elif route.path:
            self._paths.add(route.path)
        else:
            self._prefixes.add(route.prefix or "/")

    def takes(self, path: str) -> bool:
        """Does Envoy give the path to one of them?"""
        if path in self._paths:
            return True
        for end in range(len(path) + 1) if self._prefixes or self._patterns else ():
            start = path[:end]
            if start in self._prefixes or any(regex.matches(pattern, path) for pattern in self._patterns.get(start, ())):
                return True
        return False


def example(route: Route, earlier: Earlier) -> str:
    """The shortest such path; where every candidate belongs to an earlier route, the first one."""
    first = next(_candidates(route))
    return next((path for path in _candidates(route) if not earlier.takes(path)), first)


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
