"""The JUnit report, read back by junitparser."""

from __future__ import annotations

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from pomprobe.model import Report
from pomprobe.report.clean import clean

from . import examples
from .conftest import Printed


def parsed(text: str) -> dict[str, TestSuite]:
    return {str(suite.name): suite for suite in JUnitXml.fromstring(text.encode())}


def cases(suite: TestSuite) -> dict[str, TestCase]:
    return {str(case.name): case for case in suite if isinstance(case, TestCase)}


@pytest.fixture
def suites(printed: Printed) -> dict[str, TestSuite]:
    return parsed(printed(examples.everything(), "junit"))


def test_a_suite_is_a_route_and_a_case_a_stage(suites: dict[str, TestSuite]) -> None:
    """In the order of the config, with the config's own problems before."""
    assert ["config", *(r.route.name for r in examples.everything().routes)] == list(suites)
    assert ["dns https://wiki:8443", "tcp 10.0.0.9:8443", "tls 10.0.0.9:8443", "http 10.0.0.9:8443"] == list(cases(suites["wiki"]))


def test_a_failing_stage_is_a_failure_with_its_rule(suites: dict[str, TestSuite]) -> None:
    """The type is our code, the message the title, the text has the answer, the fix and the place."""
    (failure,) = cases(suites["billing"])["tls 10.0.0.7:443"].result
    assert isinstance(failure, Failure)
    assert ("TLS102", "The upstream's certificate has expired") == (failure.type, failure.message)
    for said in (examples.EXPIRED.response_code_details, "fix: Renew the certificate", "pomerium.yaml:21:5"):
        assert said in str(failure.text)


def test_what_was_not_reached_is_skipped_and_says_why(suites: dict[str, TestSuite]) -> None:
    """The stage after the failed one names it."""
    (skipped,) = cases(suites["billing"])["http 10.0.0.7:443"].result
    assert isinstance(skipped, Skipped)
    assert "not reached: tls failed" == skipped.message
    (skipped,) = cases(suites["old"])["config"].result
    assert "answers with a redirect to https://new.example.com" == skipped.message


def test_what_could_not_be_judged_is_an_error(suites: dict[str, TestSuite]) -> None:
    """A cap and a defect of ours are neither failures nor passes."""
    for route, case, type in (("slow", "tcp 10.0.0.66:80", "undetermined"), ("odd", "tcp 10.0.0.67:80", "bug")):
        (error,) = cases(suites[route])[case].result
        assert isinstance(error, Error)
        assert type == error.type


def test_warnings_pass_and_are_printed(suites: dict[str, TestSuite]) -> None:
    """A certificate near its end does not fail the build, but it is in the output."""
    case = cases(suites["vault"])["tls 10.0.0.9:8443"]
    assert case.is_passed
    assert "TLS201 warning: The certificate expires in 9 days" in str(case.system_out)


def test_the_totals_are_those_of_the_cases(printed: Printed) -> None:
    """Sums at the top and at each suite."""
    xml = JUnitXml.fromstring(printed(examples.everything(), "junit").encode())
    of_cases = [case.result[0].__class__ if case.result else None for suite in xml for case in suite if isinstance(case, TestCase)]
    counted = (len(of_cases), of_cases.count(Failure), of_cases.count(Error), of_cases.count(Skipped))
    assert counted == (xml.tests, xml.failures, xml.errors, xml.skipped)
    for key, total in zip(("tests", "failures", "errors", "skipped"), counted, strict=True):
        assert total == sum(getattr(suite, key) for suite in xml)


def test_a_failing_route_never_passes(printed: Printed) -> None:
    """A forecast that no stage explains has a case of its own."""
    from pomprobe.record import replace

    route = replace(examples.nameless(), verdicts=(), upstreams=())
    (case,) = cases(parsed(printed(examples.report(route), "junit"))["grafana"]).values()
    assert "forecast" == case.name
    assert isinstance(case.result[0], Failure)
    route = replace(examples.nameless(), upstreams=())
    (case,) = cases(parsed(printed(examples.report(route), "junit"))["grafana"]).values()
    assert "dns http://grafana-svc:3000 DNS101" == case.name


@pytest.mark.parametrize("case", examples.CASES)
def test_every_case_is_xml(case: str, printed: Printed) -> None:
    """Also with names that XML forbids or would read."""
    report: Report = examples.CASES[case]()
    suites = parsed(printed(report, "junit"))
    assert len(report.routes) + bool(report.findings) == len(suites)


def test_hostile_names_come_back_as_they_were_cleaned(printed: Printed) -> None:
    """Nothing is lost or read as markup."""
    suites = parsed(printed(examples.hostile(), "junit"))
    assert clean(examples.HOSTILE) in suites
