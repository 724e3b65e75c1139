"""Probing for `check`: every config is read before the first packet is sent, and what is finished is handed on at once."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .common import loaded, say_error
from .progress import bar

if TYPE_CHECKING:
    import signal

    from ..model import Config, Report, RouteReport
    from ..runner import Options
    from .stream import Lines
    from .tell import Aside


class Asked(NamedTuple):
    """What to probe and how; the same for every try of --wait."""

    configs: tuple[Path, ...]
    env: Mapping[str, str] | None
    routes: tuple[str, ...]
    options: Options
    pomerium_version: str
    warn_at: float
    progress: bool
    confirm: bool
    envoy: str | None


def probe(asked: Asked, aside: Aside, lines: Lines | None) -> tuple[Report, signal.Signals | None]:
    """Read and probe every config; a signal ends it with what is known. lines: told of each route that is finished. Raises ConfigError."""
    from ..selection import merge

    configs = [loaded(path, asked.pomerium_version, asked.env) for path in asked.configs]
    gc.freeze()  # what was imported stays: no need to look through it again and again
    gc.set_threshold(20_000, 50, 50)
    reports, ended = [], None
    for config in configs:
        report, ended = _one(config, asked, aside, lines)
        reports.append(report)
        if ended is not None:
            break
    return aside.without(merge(reports)), ended


def _one(config: Config, asked: Asked, aside: Aside, lines: Lines | None) -> tuple[Report, signal.Signals | None]:
    """Probe one config. Its report lacks what its comments set aside; the other suppressions are for all configs together."""
    import anyio

    from ..api import Session
    from ..model import Report
    from ..record import replace
    from ..report.suppress import Comments
    from ..signals import heeded, noted

    comments = Comments(config)

    def finished(route: RouteReport) -> None:
        assert lines is not None
        (left,) = aside.quietly(comments.without(Report(config.file, "", 0.0, (), (route,)))).routes
        lines.route(left)

    session = Session(
        config,
        asked.options,
        routes=asked.routes,
        pomerium_version=asked.pomerium_version,
        warn_at=asked.warn_at,
        observer=finished if lines is not None else None,
        fork=True,
    )
    if lines is not None:
        lines.open()
    with noted(heeded()) as came:  # what is known is reported, whenever a signal comes
        with bar(session, asked.progress and (lines is None or not lines.on_terminal)) as draw:

            def tick() -> None:
                if lines is not None and lines.pointless:
                    session.stop()
                if draw is not None:
                    draw()

            try:
                anyio.run(session.run, heeded(), tick)
            except Exception as defect:
                session.broke(defect)
        report = session.report()
        if asked.confirm and session.signal is None and not came:
            from .confirm import confirmed

            report = confirmed(session, report, asked.envoy)
        if came and session.signal is None:
            session.signal, report = came[0], replace(report, interrupted=True)
    report = comments.without(report)
    for message in comments.unused():
        say_error(message)
    if lines is not None:
        lines.close_config(aside.quietly(report))
    return report, session.signal

