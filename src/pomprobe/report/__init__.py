"""Reports: every format is one writer that prints a finished report and touches neither sockets nor clocks.

`FORMATS` names them all; a writer's module is imported when it is first called, so that `--help` stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TextIO

from ..model import Report
from ..record import Record
from .style import Style

__all__ = ["FORMATS", "Style", "Writer", "write"]


class Writer(Record, frozen=True):
    """A format: where its function stands ("module:function", below this package) and what it is for, in a few words."""

    target: str
    about: str

    def __call__(self, report: Report, out: TextIO, style: Style) -> None:
        module, _, function = self.target.partition(":")
        getattr(import_module(f".{module}", __name__), function)(report, out, style)


FORMATS: dict[str, Writer] = {
    "text": Writer("text:write", "for people: worst first, with the fix"),
    "short": Writer("short:write", "one line a route, to paste into a chat"),
    "json": Writer("json:write", "for scripts: one document, schema_version 1"),
    "jsonl": Writer("jsonl:write", "for streams: one line a route as it finishes, then a summary"),
    "junit": Writer("junit:write", "for CI systems: a suite a route, a case a stage"),
    "sarif": Writer("sarif:write", "for code scanning: SARIF 2.1.0 at the lines of the config"),
    "markdown": Writer("markdown:write", "for tickets and GitHub's step summary"),
    "html": Writer("html:write", "one page for the browser, the printer or a mail"),
    "github": Writer("github:write", "annotations in GitHub's workflow logs"),
    "nagios": Writer("nagios:write", "status line and performance data; exit codes 0 to 3"),
    "prometheus": Writer("prometheus:write", "metrics for the textfile collector"),
}


def write(report: Report, format: str, out: TextIO, style: Style) -> None:
    """Print a report in one of FORMATS. Raises KeyError for a name that is none."""
    FORMATS[format](report, out, style)
