"""JUnit XML for CI systems: a suite is a route, a case is a stage of an endpoint, a skipped case says what was not reached.

`failure` is a finding of severity error, `error` what could not be judged (a cap, or a defect of pomprobe).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO
from xml.etree import ElementTree as ET

from ..model import Endpoint, Finding, Outcome, Report, RouteReport, Severity, StageName, Status, Upstream, Verdict
from . import words
from .clean import clean, prose
from .style import Style


def write(report: Report, out: TextIO, style: Style) -> None:
    """The whole document."""
    root = ET.Element("testsuites", name="pomprobe")
    suites = [_config(report.findings)] if report.findings else []
    suites += [_suite(name, route, report.started) for name, route in zip(words.unique_names(report), report.routes, strict=True)]
    root.extend(suites)
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in suites)))
    root.set("time", _time(report.elapsed))
    ET.indent(root)
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n")


def _config(findings: tuple[Finding, ...]) -> ET.Element:
    suite = ET.Element("testsuite", name="config")
    for finding in findings:
        case = ET.SubElement(suite, "testcase", classname="config", name=clean(f"{finding.rule.code} {finding.place}"), time="0")
        text = "\n".join([prose(finding.message), *(f"fix: {prose(fix)}" for fix in finding.fixes), clean(finding.place)])
        if finding.severity is Severity.ERROR:
            ET.SubElement(case, "failure", type=finding.rule.code, message=prose(finding.message)).text = text
        else:
            ET.SubElement(case, "system-out").text = f"{finding.severity}: {text}"
    return _totals(suite)


def _suite(name: str, report: RouteReport, started: str) -> ET.Element:
    suite = ET.Element("testsuite", name=clean(name), timestamp=started.removesuffix("Z"))
    properties = ET.SubElement(suite, "properties")
    for key, value in _properties(report):
        ET.SubElement(properties, "property", name=key, value=value)
    left = list(report.verdicts)
    for upstream, endpoint, outcome in _stages(report):
        mine = [
            v for v in left if (v.stage, v.endpoint) == (outcome.stage, endpoint) and (upstream is None or v.upstream in (None, upstream))
        ]
        left = [v for v in left if v not in mine]
        suite.append(_case(report, outcome, upstream, endpoint, mine))
    for verdict in left:
        suite.append(_of_verdict(report, verdict))
    if report.status is Status.FAILING and suite.find("testcase/failure") is None:
        case = _new_case(report, "forecast")
        ET.SubElement(case, "failure", type="forecast", message=_forecast(report)).text = _forecast(report)
        suite.append(case)
    return _totals(suite)


def _stages(report: RouteReport) -> Iterator[tuple[Upstream | None, Endpoint | None, Outcome]]:
    for outcome in report.outcomes:
        yield None, outcome.endpoint, outcome
    for upstream in report.upstreams:
        for outcome in upstream.outcomes:
            yield upstream.upstream, None, outcome
        for probed in upstream.endpoints:
            for outcome in probed.outcomes:
                yield upstream.upstream, probed.endpoint, outcome


def _case(
    report: RouteReport, outcome: Outcome, upstream: Upstream | None, endpoint: Endpoint | None, verdicts: list[Verdict]
) -> ET.Element:
    case = _new_case(report, f"{outcome.stage} {_where(upstream, endpoint)}".strip(), outcome.elapsed)
    serious = [v for v in verdicts if v.severity is Severity.ERROR]
    if outcome.status in (Status.BUG, Status.UNDETERMINED):
        ET.SubElement(case, "error", type=outcome.status.value, message=prose(words.reason(outcome))).text = _explained(verdicts, report)
    elif outcome.status is Status.SKIPPED:
        reached = words.why_skipped(report) if upstream is None else words.not_reached(report, endpoint, outcome)
        ET.SubElement(case, "skipped", message=prose(reached))
    elif not serious and (aside := _aside(report, outcome.stage, endpoint)):
        ET.SubElement(case, "skipped", message=f"suppressed: {aside}")
    elif serious or (outcome.status is Status.FAILING and not verdicts):
        kind, title = (serious[0].rule.code, serious[0].title) if serious else (str(outcome.failure), words.reason(outcome))
        ET.SubElement(case, "failure", type=kind, message=prose(title)).text = _explained(verdicts, report) or clean(outcome.error)
    elif verdicts:
        ET.SubElement(case, "system-out").text = _explained(verdicts, report)
    return case


def _aside(report: RouteReport, stage: StageName, endpoint: Endpoint | None) -> str:
    here = [s for s in report.suppressed if isinstance(s.what, Verdict) and (s.what.stage, s.what.endpoint) == (stage, endpoint)]
    return ", ".join(f"{s.what.rule.code} ({clean(s.by)})" for s in here)


def _of_verdict(report: RouteReport, verdict: Verdict) -> ET.Element:
    where = _where(verdict.upstream, verdict.endpoint)
    case = _new_case(report, f"{verdict.stage} {where} {verdict.rule.code}".replace("  ", " "))
    if verdict.severity is Severity.ERROR:
        ET.SubElement(case, "failure", type=verdict.rule.code, message=prose(verdict.title)).text = _explained([verdict], report)
    else:
        ET.SubElement(case, "system-out").text = _explained([verdict], report)
    return case


def _new_case(report: RouteReport, name: str, seconds: float = 0.0) -> ET.Element:
    place = report.route.place
    case = ET.Element("testcase", classname=clean(report.route.name), name=name, time=_time(seconds))
    case.set("file", clean(place.file))
    case.set("line", str(place.line))
    return case


def _where(upstream: Upstream | None, endpoint: Endpoint | None) -> str:
    return clean(endpoint or (upstream.url if upstream else ""))


def _explained(verdicts: list[Verdict], report: RouteReport) -> str:
    lines: list[str] = []
    if not verdicts:
        return ""
    for verdict in verdicts:
        lines.append(f"{verdict.rule.code} {verdict.severity}: {prose(verdict.title)}")
        if verdict.means is not None:
            lines.append(f"users see: {clean(words.answer(verdict.means))} {clean(verdict.means.response_code_details)}")
        lines += [prose(verdict.why)] if verdict.why else []
        lines += [f"fix: {prose(fix)}" for fix in verdict.fixes]
        lines.append(f"at {clean(verdict.place)}")
    lines.append(f"of all requests: {_forecast(report)}")
    return "\n".join([*lines, prose(report.confirmed)] if report.confirmed else lines)


def _properties(report: RouteReport) -> Iterator[tuple[str, str]]:
    yield "from", clean(report.route.from_url)
    yield "place", clean(report.route.place)
    yield "status", report.status.value
    yield "forecast", _forecast(report)
    if report.confirmed:
        yield "confirmed", prose(report.confirmed)


def _forecast(report: RouteReport) -> str:
    return "; ".join(clean(words.foreseen(entry)) for entry in report.forecast) or "not known"


def _totals(suite: ET.Element) -> ET.Element:
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(key, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", _time(sum(float(case.get("time", "0")) for case in cases)))
    return suite


def _time(seconds: float) -> str:
    return f"{seconds:.6f}"
