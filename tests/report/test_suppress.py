"""Suppressions and baselines: what is known moves aside, and a suppression that does nothing is said."""

from __future__ import annotations

import json

import pytest
from junitparser import JUnitXml

from pomprobe.config.load import suppressions
from pomprobe.exits import exit_code
from pomprobe.model import Config, Finding, Report, RouteReport, Settings, Severity, Status, Verdict
from pomprobe.record import replace
from pomprobe.report import baseline
from pomprobe.report.json import document
from pomprobe.report.suppress import Suppression, by_comments, suppress

from . import examples
from .conftest import Printed

RULES = ("TCP101", "TLS102", "DNS101", "TLS201", "CFG101", "HTTP301")


def route(report: Report, name: str) -> RouteReport:
    return next(r for r in report.routes if r.route.name == name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("TCP101", Suppression("TCP101")), ("tls102=billing*", Suppression("TLS102", "billing*")), ("X=a=b", Suppression("X", "a=b"))],
)
def test_a_suppression_is_a_rule_and_a_route(text: str, expected: Suppression) -> None:
    """RULE, or RULE=ROUTE with a pattern."""
    assert expected == Suppression.parse(text)


@pytest.mark.parametrize("text", ["", "=app", "TCP101="])
def test_half_a_suppression_is_refused(text: str) -> None:
    """The message says what to write."""
    with pytest.raises(ValueError, match="write a rule's code, or CODE=ROUTE"):
        Suppression.parse(text)


def test_a_suppressed_finding_no_longer_counts() -> None:
    """The route is fine for the exit code, its forecast stays what it is, and the finding is kept aside."""
    report = examples.one_failure()
    left, unused = suppress(report, [Suppression("TCP101", "app")], RULES)
    assert [] == unused
    assert (1, 0) == (exit_code(report), exit_code(left))
    app = route(left, "app")
    assert (Status.OK, (), 2) == (app.status, app.verdicts, len(app.suppressed))
    assert route(report, "app").forecast == app.forecast
    assert "--suppress TCP101=app" == app.suppressed[0].by


def test_other_findings_of_the_route_still_count() -> None:
    """Only what was named is set aside."""
    failing = examples.refusing()
    other = replace(examples.expired().verdicts[0], severity=Severity.WARNING)
    left, _ = suppress(examples.report(replace(failing, verdicts=(*failing.verdicts, other))), [Suppression("TCP101")])
    assert (Status.WARNING, ["TLS102"]) == (left.routes[0].status, [v.rule.code for v in left.routes[0].verdicts])


def test_an_answer_without_a_suppressed_rule_still_fails() -> None:
    """Half of the requests fail for another reason: the route is failing."""
    failing = examples.refusing()
    half = replace(failing, forecast=(replace(failing.forecast[0], share=0.5), replace(failing.forecast[0], share=0.5, rule="TLS102")))
    left, _ = suppress(examples.report(half), [Suppression("TCP101")])
    assert Status.FAILING == left.routes[0].status


def test_what_is_not_known_stays_not_known() -> None:
    """Suppressing the note about it does not make it fine."""
    left, unused = suppress(examples.report(examples.undetermined()), [Suppression("ANY901")])
    assert ([], Status.UNDETERMINED) == (unused, left.routes[0].status)


@pytest.mark.parametrize(
    ("suppression", "expected"),
    [
        (Suppression("TCP999"), "--suppress TCP999: there is no rule TCP999"),
        (Suppression("TCP101", "nowhere"), "--suppress TCP101=nowhere: no route is called nowhere"),
        (Suppression("TCP101", "wiki"), "--suppress TCP101=wiki: nothing to suppress"),
        (Suppression("TLS102"), "--suppress TLS102: nothing to suppress"),
    ],
)
def test_a_suppression_that_does_nothing_is_said(suppression: Suppression, expected: str) -> None:
    """A misspelt code or route must not look as if it worked."""
    report = examples.one_failure()
    assert (report, [expected]) == suppress(report, [suppression], RULES)


def test_problems_of_the_config_can_be_suppressed() -> None:
    """Everywhere, or those in the keys of a route."""
    report = examples.report(examples.healthy(), findings=[examples.finding()])
    for suppression in (Suppression("CFG101"), Suppression("CFG101", "wiki")):
        left, unused = suppress(report, [suppression], RULES)
        assert ([], (), 1) == (unused, left.findings, len(left.suppressed))


def config(*suppressions: tuple[int, str]) -> Config:
    routes = (examples.route("wiki", line=9), examples.route("app", line=3), examples.route("vault", line=40))
    return Config("pomerium.yaml", routes, Settings(), (), suppressions)


@pytest.mark.parametrize("line", [3, 4, 8])
def test_a_comment_counts_for_the_route_it_stands_in(line: int) -> None:
    """From the route's first line to the line before the next route."""
    left, unused = by_comments(examples.one_failure(), config((line, "TCP101")))
    assert ([], Status.OK) == (unused, route(left, "app").status)
    assert f"comment at pomerium.yaml:{line}" == route(left, "app").suppressed[0].by


@pytest.mark.parametrize("comment", [(9, "TCP101"), (1, "TCP101"), (4, "TLS102")])
def test_a_comment_that_does_nothing_is_said(comment: tuple[int, str]) -> None:
    """In another route, above all routes, or of another rule."""
    report = examples.one_failure()
    left, unused = by_comments(report, config(comment))
    assert (report, [f"pomerium.yaml:{comment[0]}: ignore {comment[1]}: nothing to suppress"]) == (left, unused)


def test_a_comment_at_a_global_key_counts_for_its_line() -> None:
    """A problem outside of the routes is named by the line alone."""
    problem = replace(examples.finding(), place=examples.place(1, "timeout_read"))
    for line, left_over in ((1, 0), (2, 1)):
        left, unused = by_comments(examples.report(findings=[problem]), config((line, "CFG101")))
        assert (left_over, left_over) == (len(left.findings), len(unused))


def test_a_baseline_leaves_only_what_is_new(printed: Printed) -> None:
    """The report of before knows two findings; the third is new; one of before has gone."""
    before = examples.report(examples.refusing(), examples.nameless(), findings=[examples.finding()])
    now = examples.report(examples.refusing(), examples.expired(), findings=[examples.finding()])
    for format in ("json", "jsonl"):
        left, gone = baseline.only_new(now, baseline.read(printed(before, format)))
        assert 1 == gone
        assert ["TLS102"] == [v.rule.code for v in left.problems]
        assert ((), Status.OK, Status.FAILING) == (left.findings, *(r.status for r in left.routes))


def test_a_finding_that_got_worse_is_new(printed: Printed) -> None:
    """A warning of before that is an error now."""
    warning = examples.expired()
    warning = replace(warning, verdicts=(replace(warning.verdicts[0], severity=Severity.WARNING),))
    left, _ = baseline.only_new(examples.report(examples.expired()), baseline.read(printed(examples.report(warning), "json")))
    assert 1 == len(left.problems)


@pytest.mark.parametrize("case", examples.CASES)
def test_a_report_is_its_own_baseline(case: str, printed: Printed) -> None:
    """Nothing of it is new, hostile names included."""
    report = examples.CASES[case]()
    left, gone = baseline.only_new(report, baseline.read(printed(report, "json")))
    assert ((), (), 0) == (left.problems, left.findings, gone)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "not JSON (line 1: Expecting value); write it with -o json=FILE"),
        ('{"schema_version": 2}', "schema_version 2, not 1; write it anew with -o json=FILE"),
        ("[]", "not a JSON report of pomprobe; write it with -o json=FILE"),
        ('{"schema_version": 1, "problems": [{}]}', "not a JSON report of pomprobe; write it with -o json=FILE"),
        ('{"schema_version": 1}', "not a JSON report of pomprobe; write it with -o json=FILE"),
        ('{"a": 1}', "not a JSON report of pomprobe; write it with -o json=FILE"),
        ('{"type": "route"}\n{"type": "route"}', "not a JSON report of pomprobe; write it with -o json=FILE"),
    ],
)
def test_what_is_no_baseline_is_refused(text: str, expected: str) -> None:
    """In a sentence that says how to make one."""
    with pytest.raises(baseline.BaselineError) as caught:
        baseline.read(text)
    assert expected == str(caught.value)


@pytest.fixture
def suppressed() -> Report:
    report = examples.report(examples.refusing(), findings=[examples.finding()])
    return suppress(report, [Suppression("TCP101"), Suppression("CFG101")])[0]


def test_suppressed_findings_are_in_the_json(suppressed: Report) -> None:
    """Aside from the verdicts, with where it was said."""
    plain = document(suppressed)
    assert ["--suppress CFG101"] == [p["by"] for p in plain["suppressed"]]
    assert ["--suppress TCP101"] * 2 == [v["by"] for v in plain["routes"][0]["suppressed"]]
    assert [] == plain["routes"][0]["verdicts"]
    kinds = {type(s.what) for s in (*suppressed.suppressed, *suppressed.routes[0].suppressed)}
    assert {Finding, Verdict} == kinds


def test_suppressed_findings_are_counted_and_shown_when_asked(suppressed: Report, printed: Printed) -> None:
    """The text report counts them, --verbose lists them."""
    assert "Nothing new: 1 route with known failures; 3 findings suppressed (1.2 s)." == printed(suppressed, "text").splitlines()[-1]
    assert "suppressed: TCP101 app: Nothing listens on 10.0.0.2:8080 (--suppress TCP101)" in printed(
        suppressed, "text", verbose=True, width=120
    )


def test_suppressed_findings_fail_no_build(suppressed: Report, printed: Printed) -> None:
    """JUnit skips them, SARIF carries them as suppressed, GitHub is not told."""
    xml = JUnitXml.fromstring(printed(suppressed, "junit").encode())
    assert (0, 4) == (xml.failures, xml.skipped)
    assert 'message="suppressed: TCP101 (--suppress TCP101)"' in printed(suppressed, "junit")
    results = json.loads(printed(suppressed, "sarif"))["runs"][0]["results"]
    said = [suppression["justification"] for result in results for suppression in result["suppressions"]]
    assert ["--suppress CFG101", "--suppress TCP101", "--suppress TCP101"] == said
    assert not printed(suppressed, "github").startswith("::")


@pytest.mark.parametrize("format", ["text", "short", "markdown", "html"])
def test_a_known_failure_is_not_shown_as_a_good_answer(format: str, suppressed: Report, printed: Printed) -> None:
    """It is no news; what users get stands there all the same."""
    said = printed(suppressed, format)
    assert "503 UF" in said and "(known)" in said
    assert "All is well" not in said


def test_a_comment_is_about_its_line_or_the_next() -> None:
    """Behind a value it is about that line; alone it is about the next line with something on it."""
    text = b"""\
# pomprobe: ignore CFG101
timeout_read: 5
routes:
  # pomprobe: ignore TCP101, TLS102

  # why: it is being moved
  - from: https://a.example.com
    to: http://a  # pomprobe: ignore DNS101
  - from: https://b.example.com
"""
    assert ((2, "CFG101"), (7, "TCP101"), (7, "TLS102"), (8, "DNS101")) == suppressions(text)
