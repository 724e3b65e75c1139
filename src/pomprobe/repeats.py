"""Problems of the config that what was probed has answered, or told with more knowledge: said once (pure)."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from .catalog.match import Catalog, failures
from .config import container
from .model import Endpoint, Failure, Place, Problem, RouteReport, StageName, Status, Verdict
from .record import replace

TOLD: Mapping[Failure, tuple[Failure, ...]] = {
    Failure.LOCALHOST_UPSTREAM: (Failure.CONNECTION_REFUSED, Failure.NAME_NOT_FOUND),
    Failure.PANIC_THRESHOLD_UNSET: (Failure.HEALTH_PANIC, Failure.HEALTH_WRONG),
    Failure.CLUSTER_REFUSED: (Failure.CLUSTER_REFUSED,),
    Failure.HEALTH_CHECK_CODEC: (Failure.HEALTH_PROTOCOL,),
}
"""A problem of the config -> failures whose rules give its advice, for what was really seen there."""


OF_A_ROUTE = (Failure.PANIC_THRESHOLD_UNSET, Failure.CLUSTER_REFUSED, Failure.HEALTH_CHECK_CODEC)
"""Problems that concern a route as a whole, wherever in it they stand."""


def at_their_keys(report: RouteReport, problems: Sequence[Problem], catalog: Catalog) -> RouteReport:
    """The report, with what Envoy refuses told where it stands in the config, with the value to write: once for each such place."""
    kind = Failure.CLUSTER_REFUSED
    refused = next((verdict for verdict in report.verdicts if kind in failures(verdict.rule)), None)
    route = report.route.place
    own = [one for one in problems if one.failure is kind and (one.place.file, _route(one.place)) == (route.file, route.path)]
    if refused is None or not own:
        return report
    told = []
    for problem in own:
        facts = {**refused.facts, **problem.facts, "message": problem.message}
        rule = catalog.match(kind, facts, StageName.CONFIG, None)
        words = {"title": catalog.render(rule.title, facts), "why": catalog.render(rule.why, facts), "fixes": catalog.fixes(rule, facts)}
        told.append(replace(refused, rule=rule, place=problem.place, facts=facts, **words))
    return replace(report, verdicts=(*told, *(verdict for verdict in report.verdicts if verdict is not refused)))


def of_members(verdicts: Sequence[Verdict], differing: Collection[Endpoint | None]) -> list[Verdict]:
    """The verdicts without what a member answers that is not the same app: that is told of all members together.

    What was tried and works there is told all the same.
    """
    return [
        one for one in verdicts if one.endpoint not in differing or "works" in one.facts or Failure.APP_REFUSAL not in failures(one.rule)
    ]


def left(problems: Sequence[Problem], routes: Sequence[RouteReport]) -> list[Problem]:
    """The problems that are still worth a word beside what is said of the routes."""
    gone = {problem.failure for problem in problems} & TOLD.keys()
    if not gone:
        return list(problems)
    answering = _places(routes) if os.path.exists(container.MARK) else frozenset[Place]()
    told = {kind: _said(kind, routes) for kind in gone}
    return [one for one in problems if not _shared(one, answering) and not told.get(one.failure, _never)(one.place)]


def _route(place: Place) -> str:
    """The path of the route in which this stands."""
    return place.path.partition(".")[0]


def _never(_: Place) -> bool:
    return False


def _said(kind: Failure, routes: Iterable[RouteReport]) -> Callable[[Place], bool]:
    """Does a verdict at this place (of an upstream, or of its route) say what a problem of this kind would?"""
    verdicts = [verdict for route in routes for verdict in route.verdicts if _about(verdict, TOLD[kind])]
    places = {verdict.place for verdict in verdicts if verdict.upstream is not None}
    whole = {(route.route.place.file, route.route.place.path) for route in routes if any(v in verdicts for v in route.verdicts)}
    if kind in OF_A_ROUTE:
        return lambda place: (place.file, _route(place)) in whole
    return lambda place: place in places


def _about(verdict: Verdict, kinds: Iterable[Failure]) -> bool:
    return any(kind in failures(verdict.rule) for kind in kinds)


def _places(routes: Iterable[RouteReport]) -> frozenset[Place]:
    """Where the upstreams stand to which a connection opened."""
    return frozenset(
        upstream.upstream.place
        for route in routes
        for upstream in route.upstreams
        if any(o.stage is StageName.TCP and o.status is Status.OK for endpoint in upstream.endpoints for o in endpoint.outcomes)
    )


def _shared(problem: Problem, answering: frozenset[Place]) -> bool:
    """Is it a localhost in a container, and we are in one ourselves and something listens there? Then it shares the network."""
    local = problem.failure is Failure.LOCALHOST_UPSTREAM and problem.facts.get("container")
    return bool(local) and problem.place in answering
