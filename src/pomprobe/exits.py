"""Exit codes: the same whatever the format (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .model import Outcome, Report, RouteReport

GOOD, FINDINGS, REFUSED, UNJUDGED = 0, 1, 2, 3

ORDER = ("info", "warning", "error")
"""Values of model.Severity; the nouns take longer to load than `--help` has, so they are named by value here."""


def exit_code(report: Report, fail_on: str = "error") -> int:
    """0: nothing at or above fail_on (error, warning, never); 1: findings; 3: nothing could be judged, or a defect of ours."""
    if fails(report, fail_on):
        return FINDINGS
    if any(outcome.status == "bug" for route in report.routes for outcome in _outcomes(route)):
        return UNJUDGED
    judged = [route for route in report.routes if route.status in ("ok", "warning", "failing")]
    passed_over = [route for route in report.routes if route.status == "skipped"]
    if not judged and (not passed_over or len(passed_over) < len(report.routes)):
        return UNJUDGED
    return GOOD


def _outcomes(route: RouteReport) -> Iterator[Outcome]:
    yield from route.outcomes
    for upstream in route.upstreams:
        yield from upstream.outcomes
        for endpoint in upstream.endpoints:
            yield from endpoint.outcomes


def fails(report: Report, fail_on: str) -> bool:
    """Is there anything at or above fail_on?"""
    return fail_on != "never" and _worst(report) >= ORDER.index(fail_on)


def _worst(report: Report) -> int:
    worst = -1
    for route in report.routes:
        if route.status == "failing":
            return ORDER.index("error")
        if route.status == "warning":
            worst = max(worst, ORDER.index("warning"))
    return max([worst, *(ORDER.index(f.severity) for f in report.findings), *(ORDER.index(v.severity) for v in report.problems)])
