"""Comparing answers with a forecast, and printing both."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from plan.builders import planned, route
from pomprobe.envoy.admin import HostView
from pomprobe.envoy.find import Binary
from pomprobe.envoy.log import Line
from pomprobe.envoy.report import document, write
from pomprobe.envoy.results import Reproduction, Sample, Share, agrees, folded, reply
from pomprobe.model import EnvoyReply, ForecastEntry, Route, RouteReport, Status
from pomprobe.record import replace
from pomprobe.report.style import Style

GOOD = reply(200, "-", "via_upstream")
REFUSED = reply(503, "UC", "upstream_reset_before_response_started{connection_termination}")
UNROUTED = "upstream_reset_before_response_started{remote_connection_failure|immediate_connect_error:_No_route_to_host|remote_address:%s}"
BINARY = Binary(Path("/usr/bin/envoy"), "1.37.0")


def seen(
    *shares: tuple[EnvoyReply, int], one: Route | None = None, pending: bool = False, policy: str = "ROUND_ROBIN", degraded: bool = False
) -> Reproduction:
    return Reproduction(
        one or route("http://a:80"),
        replace(planned("http://a:80"), load_balancing_policy=policy),
        tuple(Share(answer, count, 0.01) for answer, count in shares),
        (HostView("10.0.0.1:80", False, ("failed_active_degraded_check",)),) if degraded else (),
        pending=pending,
    )


def told(*shares: tuple[EnvoyReply, float], note: str = "") -> list[ForecastEntry]:
    return [ForecastEntry(share, answer, note=note) for answer, share in shares]


AGREE = {
    "the same": (seen((GOOD, 12)), told((GOOD, 1.0)), True),
    "another answer": (seen((REFUSED, 12)), told((GOOD, 1.0)), False),
    "near enough": (seen((GOOD, 5), (REFUSED, 7)), told((GOOD, 0.5), (REFUSED, 0.5)), True),
    "not near enough": (seen((GOOD, 8), (REFUSED, 4)), told((GOOD, 0.5), (REFUSED, 0.5)), False),
    "three requests to two hosts": (seen((GOOD, 2), (REFUSED, 1)), told((GOOD, 0.5), (REFUSED, 0.5)), True),
    "three to one of two hosts": (seen((GOOD, 3)), told((GOOD, 0.5), (REFUSED, 0.5)), False),
    "dice": (seen((GOOD, 10), (REFUSED, 2), policy="RANDOM"), told((GOOD, 0.5), (REFUSED, 0.5)), True),
    "no luck": (seen((GOOD, 12), policy="LEAST_REQUEST"), told((GOOD, 0.5), (REFUSED, 0.5)), False),
    "dice, often thrown": (seen((GOOD, 400), (REFUSED, 200), policy="RANDOM"), told((GOOD, 0.4), (REFUSED, 0.6)), False),
    "spilled to a degraded host": (seen((GOOD, 11), (REFUSED, 1), degraded=True), told((GOOD, 0.7), (REFUSED, 0.3)), True),
    "not spilled": (seen((GOOD, 11), (REFUSED, 1)), told((GOOD, 0.7), (REFUSED, 0.3)), False),
    "one answer too many": (seen((GOOD, 9), (REFUSED, 3)), told((GOOD, 1.0)), False),
    "addresses aside": (
        seen((reply(503, "UF", UNROUTED % "10.0.0.1:80"), 1)),
        told((reply(503, "UF", UNROUTED % "10.0.0.2:80"), 1.0)),
        True,
    ),
    "flags in any order": (seen((reply(503, "UC,URX", "x"), 1)), told((reply(503, "URX,UC", "x"), 1.0)), True),
    "ring hash: one of them": (seen((GOOD, 12)), told((GOOD, 0.5), (REFUSED, 0.5), note="per client address: all or nothing"), True),
    "no forecast": (seen((GOOD, 12)), [], None),
    "no answer": (seen(), told((GOOD, 1.0)), None),
    "still pending": (seen((reply(503, "NC", "cluster_not_found"), 1), pending=True), told((GOOD, 1.0)), None),
    "refused": (Reproduction(route("http://a"), None, refusal="no"), told((reply(503, "NC", "cluster_not_found"), 1.0)), True),
}


@pytest.mark.parametrize(("real", "forecast", "expected"), AGREE.values(), ids=AGREE)
def test_agreement(real: Reproduction, forecast: list[ForecastEntry], expected: bool | None) -> None:
    """A forecast agrees if it gives the same answers in shares that a few requests can give."""
    assert expected is agrees(real, forecast)


def test_folding() -> None:
    """Equal answers are counted; one that we gave up is the upstream's own if it had begun, and unanswered if not."""
    lines = [
        Line(503, "UF", "x", 0.1),
        Line(200, "DC", "downstream_remote_disconnect", 2.0),
        Line(0, "DC", "downstream_remote_disconnect", 3.0),
        Line(503, "UF", "x", 0.2),
    ]
    found = folded(planned("http://a:80"), [Sample(line, ended=line.response_flags != "DC") for line in lines], pending=False)
    assert ((Share(reply(503, "UF", "x"), 2, 0.2), Share(GOOD, 1, 2.0)), 1, 3) == (found.shares, found.unanswered, found.requests)


def test_requests_that_join_a_connection() -> None:
    """A request that ends with the connection of an earlier one says nothing new; one that waited for all of it does."""
    begun = "upstream_reset_before_response_started{connection_timeout}"
    lines = [Line(504, "UT", "response_timeout", 4.0), Line(504, "UT", "response_timeout", 4.0), Line(503, "UF", begun, 2.0)]
    found = folded(planned("http://a:80"), [Sample(line, ended=True) for line in lines], pending=False)
    assert ((Share(reply(504, "UT", "response_timeout"), 2, 4.0),), 1, 2) == (found.shares, found.joined, found.requests)
    out = io.StringIO()
    write(BINARY, [(found, None)], out, Style(width=140))
    assert "1 request waited for a connection that an earlier one had begun, and ended with it: 503 UF after 10 s in all" in out.getvalue()
    alone = folded(planned("http://a:80"), [Sample(Line(503, "UF", begun, 10.0), ended=True)], pending=False)
    assert (1, 0) == (alone.requests, alone.joined)


def test_documented_names() -> None:
    """An answer carries the name of Pomerium's documentation."""
    assert ("upstream_response_timeout", "upstream_reset_before_response_started") == (
        reply(504, "UT", "response_timeout").code,
        REFUSED.code,
    )


def report(forecast: list[ForecastEntry], one: Route) -> RouteReport:
    return RouteReport(one, None, Status.FAILING, tuple(forecast), (), ())


def test_text() -> None:
    """The text says what Envoy answered, what we forecast, and how many agree."""
    one = route("http://a:80", name="app\x1b[2J")
    dead = Reproduction(
        one,
        None,
        (Share(reply(503, "UH", "no_healthy_upstream"), 1, 0.0),),
        (HostView("10.0.0.1:80", False, ("failed_active_health_check",)),),
    )
    pairs = [
        (seen((REFUSED, 12), one=one), report(told((REFUSED, 1.0)), one)),
        (seen((GOOD, 12), one=one), report(told((REFUSED, 1.0)), one)),
        (dead, None),
        (Reproduction(one, None, skipped="UDP routes are not reproduced"), None),
        (Reproduction(one, None, refusal="malformed IP address"), None),
        (Reproduction(one, None, unanswered=1), None),
    ]
    out = io.StringIO()
    write(BINARY, pairs, out, Style(width=100))
    expected = """\
✓ app\\x1b[2J  https://lab.example.com  config.yaml:1:1
  Envoy     every request: 503 UC upstream_reset_before_response_started{connection_termination} (12
            of 12, at most 10 ms)
  forecast  the same

✗ app\\x1b[2J  https://lab.example.com  config.yaml:1:1
  Envoy     every request: 200 - via_upstream (12 of 12, at most 10 ms)
  forecast  every request: 503 UC upstream_reset_before_response_started{connection_termination}

? app\\x1b[2J  https://lab.example.com  config.yaml:1:1
  Envoy     every request: 503 UH no_healthy_upstream (1 of 1, at most 0 ms)
  hosts     10.0.0.1:80 failed_active_health_check

– app\\x1b[2J  https://lab.example.com  config.yaml:1:1
  skipped: UDP routes are not reproduced

? app\\x1b[2J  https://lab.example.com  config.yaml:1:1
  Envoy     every request: 503 NC cluster_not_found
  because   it refuses the route: malformed IP address

? app\\x1b[2J  https://lab.example.com  config.yaml:1:1
  Envoy     no answer yet to 1 request when patience ran out

Envoy 1.37.0 (/usr/bin/envoy): 5 routes, 1 agrees, 1 differs, 3 without a forecast to compare
"""
    assert expected == out.getvalue()


def test_document() -> None:
    """Scripts get the same as plain data."""
    one = route("http://a:80")
    found = document(BINARY, [(seen((REFUSED, 3), (GOOD, 1), one=one), report(told((REFUSED, 0.75), (GOOD, 0.25)), one))])
    assert {"path": "/usr/bin/envoy", "version": "1.37.0"} == found["envoy"]
    assert {"agree": 1, "differ": 0} == found["summary"]
    (only,) = found["routes"]
    assert (4, True, [0.75, 0.25]) == (only["requests"], only["agrees"], [entry["share"] for entry in only["answers"]])
    assert only["answers"] == only["forecast"]
