"""What makes a finding the same finding in another run: rule, route and upstream, not the address, which DNS may change (pure)."""

from __future__ import annotations

from ..model import Finding, RouteReport, Verdict
from .clean import clean, prose

Identity = tuple[str, str, str, str]
"""(rule code, route name, from, upstream), as reports print them. For a problem of the config: (code, "", key path, message)."""


def of_verdict(report: RouteReport, verdict: Verdict) -> Identity:
    """A finding about a route."""
    return (
        verdict.rule.code,
        clean(report.route.name),
        clean(report.route.from_url),
        clean(verdict.upstream.url) if verdict.upstream else "",
    )


def of_finding(finding: Finding) -> Identity:
    """A problem of the config. Its line is left out: lines move."""
    return finding.rule.code, "", clean(finding.place.path), prose(finding.message)
