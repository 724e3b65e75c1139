"""check --confirm: what a real Envoy says of the routes that are not ok."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model import Report, Status
from ..record import replace
from .common import say_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..api import Session
    from ..envoy.results import Reproduction
    from ..model import ForecastEntry


ENOUGH = 3
"""Requests for a route with one host that answers each alike: there are no shares to compare."""


def confirmed(session: Session, report: Report, envoy: str | None) -> Report:
    """The report with `confirmed` on every route that is not ok: that its forecast is confirmed, or what Envoy answered instead.

    Whatever becomes of Envoy, or of us, the report is not lost; a signal ends the asking, and is the session's then.
    """
    import anyio

    from ..defects import told
    from ..envoy.find import EnvoyError, find
    from ..envoy.process import tidily
    from ..envoy.reproduce import Options, Reproducer

    doubtful = [r for r in report.routes if r.status in (Status.FAILING, Status.WARNING, Status.UNDETERMINED) and r.cluster is not None]
    if not doubtful:
        return report
    try:
        binary = find(envoy)
        asked = Reproducer(session.config, [(r.route, r.cluster) for r in doubtful], Options(binary, enough=ENOUGH))
        ended = anyio.run(tidily, asked.run)
    except EnvoyError as error:
        say_error(f"--confirm: {error}")
        return report
    except Exception as error:
        say_error(f"--confirm: {told(error)}")
        return report
    if ended is not None:
        session.signal, report = ended, replace(report, interrupted=True)
    said, words = {}, session.knowledge
    session.speak_as(binary.version)
    forecasts = {route.route.index: route.forecast for route in session.report().routes}
    session.knowledge = words
    for one in asked.seen():
        said[one.route.index] = _said(one, forecasts[one.route.index])
    return replace(report, routes=tuple(replace(r, confirmed=said.get(r.route.index, "")) for r in report.routes))


def _said(seen: Reproduction, forecast: Sequence[ForecastEntry]) -> str:
    """Begins with "confirmed" or "differs" where there is something to compare."""
    from ..envoy.results import agrees

    answers = ", ".join(f"{share:.0%} {reply.status} {reply.response_flags} {reply.response_code_details}" for reply, share in seen.entries)
    verdict = agrees(seen, forecast)
    if verdict is not None:
        return "confirmed by a real Envoy" if verdict else f"differs: Envoy answered {answers}"
    if seen.skipped:
        return f"not asked of a real Envoy: {seen.skipped}"
    if seen.pending:
        return f"not confirmed: a real Envoy still waits for DNS or a first health check; until then a new route gets {answers}"
    return f"not confirmed: a real Envoy answered {answers}" if answers else "not confirmed: a real Envoy gave no answer in time"
