"""The stage `config` alone: a report on what can be said without a packet (pure)."""

from __future__ import annotations

import datetime

from .diagnose import Knowledge, findings
from .model import Config, Report


def lint(config: Config) -> Report:
    """The report on the config's own problems; no route of it is judged."""
    started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return Report(config.file, started, 0.0, findings(config.problems, Knowledge()), ())
