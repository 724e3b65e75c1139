"""For Nagios and its kin: a status line below 80 characters with performance data, details below it, exit codes 0 to 3.

From the guidelines of the Monitoring Plugins: `'label'=value[UOM];warn;crit;min;max`;
a name that does not resolve and a timeout are CRITICAL, not UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO

from ..exits import GOOD, UNJUDGED, exit_code
from ..model import Problem, Report, RouteReport, Severity, Status
from . import fold, words
from .clean import ascii_only, clean, prose
from .short import line as short_line
from .short import problem_line
from .style import Style

OK, WARNING, CRITICAL, UNKNOWN = range(4)
NAMES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
WIDTH = 79
"""Columns of the status line before the performance data; pagers and text messages cut there."""


def nagios_exit(report: Report) -> int:
    """0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN (a route is not known and nothing is wrong, or nothing could be judged)."""
    if any(r.status is Status.FAILING for r in report.routes) or any(f.severity is Severity.ERROR for f in report.findings):
        return CRITICAL
    if any(r.status is Status.WARNING for r in report.routes) or any(f.severity is Severity.WARNING for f in report.findings):
        return WARNING
    unknown = any(r.status in (Status.UNDETERMINED, Status.BUG) for r in report.routes)
    return UNKNOWN if unknown or report.interrupted or exit_code(report) == UNJUDGED else GOOD


def refused(problems: Sequence[Problem]) -> str:
    """The status line where a config cannot be read: UNKNOWN, since no upstream was looked at."""
    first = f"{clean(problems[0].place)}: {prose(problems[0].message)}" + (f" (and {len(problems) - 1} more)" if problems[1:] else "")
    return _cut(f"POMPROBE {NAMES[UNKNOWN]} - {first}")


def write(report: Report, out: TextIO, style: Style) -> None:
    """The status line with totals, then one line for each route that is not well, then the routes' performance data."""
    bad = [r for r in words.worst_first(report.routes) if r.status not in (Status.OK, Status.SKIPPED)]
    out.write(f"{_status_line(report, bad)} | {' '.join(_totals(report))}\n")
    for problem in fold.problems(report.findings):
        out.write(_no_pipe(problem_line(problem)) + "\n")
    for route in bad:
        out.write(_no_pipe(short_line(route, unicode=False)) + "\n")
    details = list(_of_routes(report))
    out.write(
        f"{words.plural(len(report.routes), 'route')} of {_no_pipe(clean(report.config))}"
        + (" | " + "\n".join(details) if details else "")
        + "\n"
    )


def _status_line(report: Report, bad: list[RouteReport]) -> str:
    code = nagios_exit(report)
    said = f"POMPROBE {NAMES[code]} - "
    if bad:
        first = bad[0]
        why = first.verdicts[0].rule.name if first.verdicts else words.standing(first).value
        said += f"{len(bad)}/{len(report.routes)} routes not well: {clean(first.route.name)} {why}"
    elif report.findings:
        said += f"{words.plural(len(report.findings), 'problem')} in the config: {prose(report.findings[0].message)}"
    elif not report.routes:
        said += "no route was probed"
    else:
        skipped = sum(r.status is Status.SKIPPED for r in report.routes)
        said += "the run ended early, " if report.interrupted else ""
        said += f"{words.plural(len(report.routes) - skipped, 'route')} well" + (f", {skipped} skipped" if skipped else "")
    return _cut(said)


def _cut(said: str) -> str:
    said = _no_pipe(said)
    return said if len(said) <= WIDTH else said[: WIDTH - 3] + "..."


def _totals(report: Report) -> Iterator[str]:
    failing = sum(r.status is Status.FAILING for r in report.routes)
    warning = sum(r.status is Status.WARNING for r in report.routes)
    unknown = sum(r.status in (Status.UNDETERMINED, Status.BUG) for r in report.routes)
    total = len(report.routes)
    yield f"'routes'={total};;;0"
    yield f"'failing'={failing};;0;0;{total}"
    yield f"'warning'={warning};0;;0;{total}"
    yield f"'unknown'={unknown};;;0;{total}"
    yield f"'time'={report.elapsed:.3f}s;;;0"


def _of_routes(report: Report) -> Iterator[str]:
    for name, route in zip(words.unique_names(report), report.routes, strict=True):
        label = ascii_only(clean(name)).translate(_LABEL).strip() or f"route {route.route.index}"
        seconds = words.slowest(route)
        if seconds is not None:
            limit = words.limit(route.cluster)
            yield f"'{label}'={seconds:.6f}s;;{'' if limit is None else f'{limit:g}'};0"
        if route.forecast:
            yield f"'{label} failing'={100 * words.failing_share(route.forecast):.1f}%;;0;0;100"


_LABEL = str.maketrans({"'": "_", "=": "_", "|": "_"})


def _no_pipe(text: str) -> str:
    return ascii_only(text).replace("|", "/")
