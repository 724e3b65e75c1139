"""Which routes, and several reports in one: what needs no packet, apart from what does, so that `lint` and `list` start at once (pure)."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from .model import Problem, Report, Route
from .record import Record, replace


class Selection(Record, frozen=True):
    """Which routes: patterns (as in a shell) on a route's name, `from` or cluster (as Envoy's log has it); none selects all."""

    patterns: tuple[str, ...] = ()

    def __contains__(self, route: Route) -> bool:
        names = (route.name, route.key_name, route.from_host, route.from_url, route.cluster_name)
        return not self.patterns or any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in self.patterns)


def concerning(problems: Sequence[Problem], routes: Sequence[Route], chosen: Sequence[Route]) -> tuple[Problem, ...]:
    """The problems without those of routes that are not chosen."""
    mine = {(route.place.file, route.place.path) for route in chosen}
    others = {(route.place.file, route.place.path) for route in routes} - mine
    return tuple(one for one in problems if (one.place.file, one.place.path.partition(".")[0]) not in others)


def merge(reports: Sequence[Report]) -> Report:
    """One report of several configs, in their order."""
    if len(reports) == 1:
        return reports[0]
    return replace(
        reports[0],
        config=", ".join(report.config for report in reports),
        elapsed=sum(report.elapsed for report in reports),
        findings=tuple(f for report in reports for f in report.findings),
        routes=tuple(r for report in reports for r in report.routes),
        interrupted=any(report.interrupted for report in reports),
        services=tuple(s for report in reports for s in report.services),
    )
