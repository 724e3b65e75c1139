"""A real Envoy and our own probes at the same routes: both at once, and where they do not agree once more, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio

from ..model import RouteReport, Status
from .reproduce import Options, Reproducer
from .results import Reproduction, agrees

if TYPE_CHECKING:
    from ..api import Session


class Comparison:
    """What both say of the routes of a session. `pairs` has what is known at any moment.

    At once, a silent upstream takes its timeout once. An upstream that serves one connection after the other, or a processor that Envoy
    keeps busy, can come between then, which is not what users see: hence the second turn.
    """

    def __init__(self, session: Session, options: Options) -> None:
        session.speak_as(options.binary.version)
        self._session = session
        self._options = options
        self._asked = [Reproducer(session.config, session.chosen, options)]
        self._told: dict[int, RouteReport] = {}

    async def run(self) -> None:
        """Ask and probe. Runs in the main thread. Raises EnvoyError."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._probe, self._session)
            await self._asked[0].run()
        verdicts = {seen.route.index: agrees(seen, told.forecast) for seen, told in self.pairs() if seen.entries and not seen.pending}
        if differ := [(route, cluster) for route, cluster in self._session.chosen if verdicts.get(route.index) is False]:
            self._asked.append(Reproducer(self._session.config, differ, self._options))
            await self._asked[-1].run()
        if unlike := [index for index, verdict in verdicts.items() if verdict is not True]:
            await self._probe(self._session.again(unlike))

    def pairs(self) -> Sequence[tuple[Reproduction, RouteReport]]:
        """Each route, in the order of the session; what was known first stands where the second turn has not come to it."""
        seen = {one.route.index: one for asked in self._asked for one in asked.seen() if asked is self._asked[0] or one.entries}
        told = {report.route.index: report for report in self._session.report().routes} | self._told
        return [(one, told[index]) for index, one in seen.items()]

    async def _probe(self, session: Session) -> None:
        try:
            await session.run()
        except Exception as defect:  # what Envoy answered is told all the same
            session.broke(defect)
        finally:
            if session is not self._session:
                news = session.report().routes
                self._told = {report.route.index: report for report in news if report.status is not Status.UNDETERMINED}
