"""What is one thing is said once, where it can be mended, and with what to write there."""

from __future__ import annotations

import io

import pytest

from causes.apps import App
from causes.playing import play, response
from pomprobe.report import Style, write
from servers.health import serve

PAGE, NONE = response(200), response(404)
CHECK = "\n  - timeout: 1s\n    interval: 5s\n    http_health_check: {path: /}"
ONE = "Leave one entry in `health_checks`."
THRESHOLDS = "\n    healthy_threshold: 1\n    unhealthy_threshold: 1"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            f"health_checks:{CHECK}{THRESHOLDS}{CHECK}{THRESHOLDS}",
            [("CFG602", "routes[0].health_checks", "Leave one entry in `health_checks`.")],
        ),
        (
            f"health_checks:{CHECK}",
            [
                ("CFG601", "routes[0].health_checks[0]", "Write `unhealthy_threshold: 2`."),
                ("CFG601", "routes[0].health_checks[0]", "Write `healthy_threshold: 2`."),
            ],
        ),
    ],
)
async def test_what_envoy_refuses_is_told_of_the_route_where_it_stands(keys: str, said: list[tuple[str, str, str]]) -> None:
    """Not once as a problem of the config and once more of the route, without place and value."""
    played = await play(f"to: http://127.0.0.1:1\n{keys}")
    assert said == [(v.rule.code, v.place.path, v.fixes[0]) for v in played.route.verdicts]
    assert [(1.0, 503, "NC", "cluster_not_found")] == played.forecast
    assert not {"CFG601", "CFG602"} & {finding.rule.code for finding in played.report.findings}


async def test_a_route_that_stands_twice_is_explained_once() -> None:
    """At its second place, with both; the routes that get no cluster for it say where to look."""
    played = await play("- from: https://a.example.com\n  to: http://127.0.0.1:1\n" * 2)
    assert ["CFG304 says which two these are, and what to do."] == list(played.route.verdicts[0].fixes)
    assert ["Remove this route, or the one at config.yaml:3:3 routes[0]; or give each its own `name`."] == list(
        played.verdict("CFG304").fixes
    )


async def test_a_member_that_is_not_the_same_app() -> None:
    """Its 404 is told with the members, not by itself as well; what was tried and works there is told all the same."""
    by_host = App(lambda path, headers: PAGE if headers["host"] == "app.example.com" else NONE)
    async with serve(App(lambda path, headers: PAGE)) as fine, serve(App(lambda path, headers: NONE)) as bad, serve(by_host) as named:
        played = await play(f"to: [http://127.0.0.1:{fine}, http://127.0.0.1:{bad}]")
        works = await play(f"to: [http://127.0.0.1:{fine}, http://127.0.0.1:{named}]")
    assert ["HTTP712"] == [verdict.rule.code for verdict in played.route.verdicts]
    assert {"HTTP712", "HTTP410"} == {verdict.rule.code for verdict in works.route.verdicts}
    assert "`preserve_host_header: true`" in works.fix("HTTP410")


async def test_advice_stands_once_in_what_is_said_of_a_route() -> None:
    """Two members with the same trouble have two findings, and what to do is printed with the first."""
    failing = App(lambda path, headers: response(500))
    async with serve(failing) as one, serve(failing) as two:
        played = await play(f"to: [http://127.0.0.1:{one}, http://127.0.0.1:{two}]")
    out = io.StringIO()
    write(played.report, "text", out, Style(width=120))
    text = out.getvalue()
    assert 2 == text.count("HTTP500 The app itself answers 500")
    assert 1 == text.count("Read the app's log: a 500 is an exception in the app")
