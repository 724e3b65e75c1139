"""The Nagios report, read back by the rules of the Monitoring Plugins' guidelines."""

from __future__ import annotations

import re

import pytest

from pomprobe.model import Report, Severity
from pomprobe.report.nagios import nagios_exit

from . import examples
from .conftest import Printed

DATUM = re.compile(r"'([^'=]+)'=(-?[0-9.]+)(s|%|)(?:;([0-9.:~@]*))?(?:;([0-9.:~@]*))?(?:;([0-9.]*))?(?:;([0-9.]*))?(?: |\n|$)")


def perfdata(text: str) -> dict[str, float]:
    """What a Nagios takes: after the bar of the first line, and after the first bar of the long text."""
    first, _, rest = text.partition("\n")
    parts = [first.partition("|")[2].strip(), rest.partition("|")[2].strip()]
    values: dict[str, float] = {}
    for part in filter(None, parts):
        assert part == "".join(m[0] for m in DATUM.finditer(part))
        values |= {m[1]: float(m[2]) for m in DATUM.finditer(part)}
    return values


@pytest.mark.parametrize(
    ("report", "code", "line"),
    [
        (examples.all_well(), 0, "POMPROBE OK - 3 routes well"),
        (examples.report(examples.expiring()), 1, "POMPROBE WARNING - 1/1 routes not well: vault certificate-expires-soon"),
        (examples.report(examples.nameless()), 2, "POMPROBE CRITICAL - 1/1 routes not well: grafana name-not-found"),
        (examples.report(examples.healthy(), examples.undetermined()), 3, "POMPROBE UNKNOWN - 1/2 routes not well: slow not-known"),
        (
            examples.report(examples.undetermined(), examples.expired()),
            2,
            "POMPROBE CRITICAL - 2/2 routes not well: billing certificate-expired",
        ),
        (examples.report(), 3, "POMPROBE UNKNOWN - no route was probed"),
        (examples.report(examples.redirect()), 0, "POMPROBE OK - 0 routes well, 1 skipped"),
        (examples.report(examples.healthy(), interrupted=True), 3, "POMPROBE UNKNOWN - the run ended early, 1 route well"),
        (
            examples.report(examples.healthy(), findings=[examples.finding(severity=Severity.WARNING)]),
            1,
            'POMPROBE WARNING - 1 problem in the config: time: missing unit in duration "30"',
        ),
    ],
)
def test_the_status_line_and_the_exit_code_agree(report: Report, code: int, line: str, printed: Printed) -> None:
    """A failed name or a timeout is CRITICAL; UNKNOWN is only what could not be judged."""
    assert code == nagios_exit(report)
    assert line == printed(report, "nagios").partition(" | ")[0]


@pytest.mark.parametrize("case", examples.CASES)
def test_performance_data_is_there_in_every_case(case: str, printed: Printed) -> None:
    """Also on failure, and whatever the routes are called."""
    report = examples.CASES[case]()
    text = printed(report, "nagios")
    values = perfdata(text)
    assert len(report.routes) == values["routes"]
    assert 1.234 == values["time"]
    assert len(text.partition(" | ")[0]) < 80


def test_each_route_has_its_time_and_its_share_of_failures(printed: Printed) -> None:
    """Two labels a route."""
    values = perfdata(printed(examples.one_failure(), "nagios"))
    assert (0.0854, 66.7) == (values["app"], values["app failing"])
    assert (0.0974, 0.0) == (values["wiki"], values["wiki failing"])


def test_the_long_text_names_what_is_not_well(printed: Printed) -> None:
    """One line each, without the bar that would begin performance data."""
    text = printed(examples.one_failure(), "nagios").splitlines()
    assert text[1].startswith("x app: 67 % 503 UF upstream_reset_before_response_started{remote_connection_failure/delayed")
    assert "|" not in text[1]
