"""JSON lines: one line a route as it finishes, then one line that sums up. The objects are those of the JSON report plus `type`.

A line of a route stands by itself: it has the schema's version, and the route's `index` in the config, since routes end in any order.
"""

from __future__ import annotations

from typing import TextIO

from ..model import Report, RouteReport
from .json import SCHEMA_VERSION, head, line, problem, route
from .style import Style


def write(report: Report, out: TextIO, style: Style) -> None:
    """All lines of a finished report."""
    for r in report.routes:
        out.write(jsonl_route(r) + "\n")
    out.write(jsonl_summary(report) + "\n")


def jsonl_route(report: RouteReport) -> str:
    """The line of one route, without its end."""
    return line({"type": "route", "schema_version": SCHEMA_VERSION, "index": report.route.index} | route(report), spaced=False)


def jsonl_summary(report: Report) -> str:
    """The closing line, without its end: everything of the JSON report but the routes."""
    return line({"type": "summary"} | head(report) | {"problems": [problem(f) for f in report.findings]}, spaced=False)
