"""An explanation beside a config: of which route the text tells, under which timers, and which causes this route can have (pure)."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from .catalog.reverse import Cause
from .diagnose import Knowledge, findings
from .explain import Explanation, of_cause
from .listing import describe
from .model import Cluster, Config, Endpoint, Facts, Route, Rule
from .narrow import about, known, possible
from .record import replace
from .sighting import cluster

ROWS = ("to", "tls", "protocol", "timeouts", "health check", "refused", "skipped")
"""The settings of a route that its answers hang on."""

MOST = 8
"""Routes that are named where a text fits several."""

WHICH = "Of which route"


def beside(explanation: Explanation, text: str, config: Config, planned: Sequence[tuple[Route, Cluster | None]]) -> Explanation:
    """The explanation of the text with what the config says of it. planned: each route of the config and its cluster."""
    routes = about(text, config.routes)
    sections = tuple(section for section in explanation.sections if section[0] != WHICH)
    if not routes:
        return replace(explanation, sections=(*sections, (WHICH, _none(text, config))))
    if len(routes) > 1:
        told = [f"- {_named(route)}" for route in routes[:MOST]]
        more = [f"- and {len(routes) - MOST} more"] if len(routes) > MOST else []
        return replace(explanation, sections=(*sections, ("One of these routes", "\n".join(told + more))), known=True)
    (route,) = routes
    (mine,) = (cluster for one, cluster in planned if one is route)
    rows = [(key, value) for key, value in describe(route, mine, config.settings) if key in ROWS]
    told = [f"{route.name}  {route.from_url}", str(route.place), *(f"{key:<14}{value}" for key, value in rows)]
    if not explanation.known:  # the text is the name of a route
        probe = f"pomprobe check {shlex.quote(config.file)} --route {shlex.quote(route.key_name or route.cluster_name)} probes it."
        return Explanation(f"{route.name}: a route", (("The route", "\n".join(told)), ("First", probe)))
    where = ("The route", "\n".join(told))
    if mine is None or not explanation.rules:
        return replace(explanation, sections=(sections[0], where, *sections[1:]))
    return _narrowed(replace(explanation, sections=sections), where, mine, _at(route, config))


def _narrowed(explanation: Explanation, where: tuple[str, str], mine: Cluster, found: Sequence[str]) -> Explanation:
    left = possible(explanation.rules, mine, found)
    facts = {**explanation.facts, **_facts(mine)}
    first, *rest = explanation.sections
    if not left:
        none = (
            "None of the causes that pomprobe knows fits what the config says of this route now. Has it changed since, or is it another "
            "Pomerium's config?"
        )
        return replace(explanation, sections=(first, where, *rest, ("The cause", none)), rules=())
    if len(left) == 1 and len(explanation.rules) > 1:
        rest += of_cause(Cause(left[0], facts))
    see = tuple(dict.fromkeys((*explanation.see, *(left[0].see if len(left) == 1 else ()))))
    return replace(explanation, sections=(first, where, *rest), rules=left, see=see, facts=facts, narrowed=_out(explanation.rules, left))


def _facts(mine: Cluster) -> Facts:
    """What is known of the upstream, where there is one."""
    if len(mine.upstreams) != 1:
        return {}
    (upstream,), (context,) = mine.upstreams, mine.tls
    facts = known(mine, upstream, context)
    if "address" in facts and upstream.port:
        facts["endpoint"] = str(Endpoint(upstream.host, upstream.port))
    return facts


def _out(rules: Sequence[Rule], left: Sequence[Rule]) -> str:
    gone = len(rules) - len(left)
    return f"{gone} more would fit the words, but not this route." if gone and len(left) > 1 else ""


def _at(route: Route, config: Config) -> list[str]:
    """Codes of the rules that the config itself is told by, at this route."""
    path = route.place.path
    here = [one for one in config.problems if path and (one.place.path == path or one.place.path.startswith((f"{path}.", f"{path}[")))]
    return [finding.rule.code for finding in findings(here, Knowledge())]


def _none(text: str, config: Config) -> str:
    if name := cluster(text):
        return (
            f"No route of {config.file} has the cluster {name}. The name hangs on `from`, the path and `to`: another config's, or these "
            "have changed since?"
        )
    return f"The text names no route of {config.file}: a line of the access log does, with its upstream-cluster, or its host and path."


def _named(route: Route) -> str:
    return f"{route.name}  {route.from_url}  {route.place}"
