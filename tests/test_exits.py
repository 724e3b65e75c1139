"""Exit codes, the same whatever the format."""

from __future__ import annotations

import pytest

from factories import place, route
from pomprobe.exits import exit_code
from pomprobe.model import Finding, Report, RouteReport, Rule, Severity, StageName, Status

RULE = Rule("CFG101", "x", StageName.CONFIG, "x", Severity.WARNING, {}, None, "", (), ())


def report(*statuses: Status, finding: Severity | None = None) -> Report:
    found = (Finding(RULE, finding, "x", (), place()),) if finding else ()
    return Report("c", "", 0.0, found, tuple(RouteReport(route(), None, status, (), (), ()) for status in statuses))


@pytest.mark.parametrize(
    ("of", "fail_on", "expected"),
    [
        (report(Status.OK, Status.SKIPPED), "error", 0),
        (report(Status.WARNING), "error", 0),
        (report(Status.WARNING), "warning", 1),
        (report(Status.OK, Status.FAILING), "error", 1),
        (report(Status.FAILING), "never", 0),
        (report(Status.OK, finding=Severity.ERROR), "error", 1),
        (report(Status.OK, finding=Severity.WARNING), "error", 0),
        (report(Status.OK, finding=Severity.WARNING), "warning", 1),
        (report(Status.UNDETERMINED), "error", 3),
        (report(Status.UNDETERMINED, Status.OK), "error", 0),
        (report(Status.UNDETERMINED, Status.SKIPPED), "error", 3),
        (report(Status.BUG), "error", 3),
        (report(Status.SKIPPED), "error", 0),
        (report(), "error", 3),
    ],
)
def test_the_exit_code_says_what_was_found(of: Report, fail_on: str, expected: int) -> None:
    """0 nothing at or above --fail-on, 1 findings, 3 nothing could be judged."""
    assert expected == exit_code(of, fail_on)
