"""check --confirm: what a real Envoy says of the routes that are not ok."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model import Report, Status
from ..record import replace
from .common import say_error

if TYPE_CHECKING:
    from ..api import Session


def confirmed(session: Session, report: Report, envoy: str | None) -> Report:
    """The report with `confirmed` on every route that is failing or warned of: "confirmed", or what Envoy answered instead.

    Whatever becomes of Envoy, or of us, the report is not lost; a signal ends the asking, and is the session's then.
    """
    import anyio

    from ..defects import told
    from ..envoy.find import EnvoyError
    from ..envoy.process import Interrupted
    from ..envoy.reproduce import Options, reproduce
    from ..envoy.results import agrees

    doubtful = [r for r in report.routes if r.status in (Status.FAILING, Status.WARNING, Status.UNDETERMINED) and r.cluster is not None]
    if not doubtful:
        return report
    try:
        binary, seen = anyio.run(lambda: reproduce(session.config, [(r.route, r.cluster) for r in doubtful], Options(envoy)))
    except EnvoyError as error:
        say_error(f"--confirm: {error}")
        return report
    except Interrupted as interrupted:
        session.signal = interrupted.number
        return replace(report, interrupted=True)
    except Exception as error:
        say_error(f"--confirm: {told(error)}")
        return report
    said, words = {}, session.knowledge
    session.speak_as(binary.version)
    forecasts = {route.route.index: route.forecast for route in session.report().routes}
    session.knowledge = words
    for one in seen:
        verdict = agrees(one, forecasts[one.route.index])
        answers = ", ".join(
            f"{share:.0%} {reply.status} {reply.response_flags} {reply.response_code_details}" for reply, share in one.entries
        )
        said[one.route.index] = (
            "confirmed by a real Envoy" if verdict else f"differs: Envoy answered {answers}" if verdict is False else ""
        )
    return replace(report, routes=tuple(replace(r, confirmed=said.get(r.route.index, "")) for r in report.routes))
