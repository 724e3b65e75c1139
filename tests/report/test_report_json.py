"""The JSON report: the contract of schema_version 1, word for word."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from pomprobe.model import ForecastEntry, Report, Status
from pomprobe.record import replace
from pomprobe.report.json import LARGE, document, fact, line, shares

from . import examples
from .conftest import Printed

SCHEMA: dict[str, Any] = json.loads(files("pomprobe.report").joinpath("schema/report.schema.json").read_text())


def strict(schema: Any) -> Any:
    """The schema with no key allowed that it does not name, so that every key is described."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(value) for key, value in schema.items()}
    return closed | ({"unevaluatedProperties": False} if "properties" in schema or "allOf" in schema else {})


def closed_schema() -> Any:
    schema = strict(SCHEMA)
    wholes = ("forecast", "suppressed_problem", "suppressed_verdict")
    parts = [schema["$defs"][name] for name in ("reply", "problem", "verdict")]
    for inside in (*parts, *(part for whole in wholes for part in schema["$defs"][whole]["allOf"])):
        inside.pop("unevaluatedProperties", None)  # a part of a whole is closed by the whole
    return schema


@pytest.mark.parametrize("case", examples.CASES)
def test_every_report_is_as_the_schema_says(case: str, printed: Printed) -> None:
    """Every case validates, and has no key that the schema does not describe."""
    text = printed(examples.CASES[case](), "json")
    Draft202012Validator.check_schema(SCHEMA)
    errors = [e.message for e in Draft202012Validator(closed_schema(), format_checker=FormatChecker()).iter_errors(json.loads(text))]
    assert [] == errors


def test_a_route_has_the_keys_of_the_contract() -> None:
    """The keys of a failing route and of everything below it are those that scripts rely on."""
    route = document(examples.report(examples.refusing()))["routes"][0]
    assert ["name", "from", "place", "status", "forecast", "verdicts", "upstreams"] == list(route)
    assert ["share", "status", "response_flags", "code", "response_code_details", "rule"] == list(route["forecast"][0])
    names = ["rule", "name", "severity", "title", "why", "fixes", "see", "stage", "upstream", "endpoint", "means", "place"]
    assert names == list(route["verdicts"][0])
    assert {"url", "weight", "endpoints", "outcomes"} == set(route["upstreams"][0])
    assert {"address", "port", "outcomes"} == set(route["upstreams"][0]["endpoints"][0])
    outcome = route["upstreams"][0]["endpoints"][0]["outcomes"][0]
    assert {"stage", "status", "failure", "timer", "elapsed", "facts", "error"} == set(outcome)
    assert ("tcp", "failing", "connection_refused", None) == (outcome["stage"], outcome["status"], outcome["failure"], outcome["timer"])


def test_details_are_verbatim() -> None:
    """Envoy's details are not shortened, wrapped or changed."""
    forecast = document(examples.report(examples.expired()))["routes"][0]["forecast"]
    assert examples.EXPIRED.response_code_details == forecast[0]["response_code_details"]


def test_the_order_is_the_config_s() -> None:
    """Routes stand as in the config, not worst first."""
    report = examples.everything()
    assert [r.route.name for r in report.routes] == [r["name"] for r in document(report)["routes"]]


def test_the_summary_counts_every_route() -> None:
    """The summary has every status, also those that did not come up."""
    expected = {"routes": 9, "ok": 2, "warning": 1, "failing": 3, "undetermined": 2, "skipped": 1}
    assert expected == document(examples.everything())["summary"]


def test_an_interrupted_run_says_so() -> None:
    """A run that ended early is told from one that did not."""
    assert document(examples.report(examples.healthy(), interrupted=True))["interrupted"] is True
    assert "interrupted" not in document(examples.report(examples.healthy()))


def test_every_failure_of_the_text_report_is_in_the_json(printed: Printed) -> None:
    """No rule that the text names is missing from the JSON, nor the other way round."""
    report = examples.everything()
    text = printed(report, "text", verbose=True)
    routes = document(report)
    codes = {v["rule"] for r in routes["routes"] for v in r["verdicts"]} | {p["code"] for p in routes["problems"]}
    assert codes == {code for code in codes | {"NONE1"} if code in text}


def test_nothing_printed_can_steer_a_terminal(printed: Printed) -> None:
    """Even decoded, no value holds a control character, a bidirectional override or a lone surrogate."""

    def strings(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [s for k, v in value.items() for s in (k, *strings(v))]
        return [s for v in value for s in strings(v)] if isinstance(value, list) else [value] if isinstance(value, str) else []

    found = strings(json.loads(printed(examples.hostile(), "json")))
    assert [] == [
        s for s in found if any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066" or 0xD800 <= ord(c) < 0xE000 for c in s)
    ]


def test_json_lines_are_the_routes_and_a_summary(printed: Printed) -> None:
    """Each line is a document; without `type` the lines are the JSON report."""
    report = examples.everything()
    *routes, last = [json.loads(line) for line in printed(report, "jsonl").splitlines()]
    assert ["route"] * 9 + ["summary"] == [line.pop("type") for line in (*routes, last)]
    assert {(1, 0)} == {(line.pop("schema_version"), line.pop("index")) for line in routes}
    assert document(report) == last | {"routes": routes}


@pytest.mark.parametrize("status", Status)
def test_every_status_can_be_printed(status: Status) -> None:
    """Each status of a route is one of the schema's."""
    route = replace(examples.healthy(), status=status)
    assert Draft202012Validator(SCHEMA).is_valid(document(examples.report(route)))


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=40))
def test_rounded_shares_add_up_to_one(weights: list[int]) -> None:
    """Whatever the weights, the printed shares add up to 1 and none is off by more than a millionth."""
    exact = [w / sum(weights) for w in weights]
    rounded = shares(exact)
    assert 1_000_000 == sum(round(s * 1_000_000) for s in rounded)
    assert all(abs(a - b) <= 1.1e-6 for a, b in zip(exact, rounded, strict=True))


def test_a_note_is_there_only_where_there_is_one() -> None:
    """`note` is a key of the entries that have one."""
    route = examples.refusing()
    noted = replace(route, forecast=(ForecastEntry(1.0, examples.REFUSED, "TCP101", "per client address: all or nothing"),))
    assert "per client address: all or nothing" == document(examples.report(noted))["routes"][0]["forecast"][0]["note"]
    assert all("note" not in entry for entry in document(examples.report(route))["routes"][0]["forecast"])


@pytest.mark.parametrize(
    ("value", "expected"), [(float("inf"), "inf"), (("a", "b\n"), ["a", "b\\n"]), (True, True), (None, None), (0.5, 0.5)]
)
def test_facts_are_plain_json(value: Any, expected: object) -> None:
    """Tuples are lists, what JSON has no number for is text."""
    assert expected == fact(value)


def test_an_empty_report_is_a_document(printed: Printed) -> None:
    """A run without routes still prints the whole frame."""
    empty: Report = examples.report()
    assert [] == json.loads(printed(empty, "json"))["routes"]


@pytest.mark.parametrize("count", [LARGE - 1, LARGE, 4000])
def test_a_route_of_thousands_of_endpoints_is_written_as_any_other(count: int, printed: Printed) -> None:
    """Its text is made piece by piece, and is the same."""
    addresses = [f"10.1.{number // 250}.{number % 250 + 1}" for number in range(count)]
    report = examples.report(examples.refusing(dead=addresses[: count // 2], alive=addresses[count // 2 :]), examples.healthy())
    assert document(report) == json.loads(printed(report, "json"))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters()),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=3), inside, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=3), PLAIN, max_size=3), st.booleans())
@example(meant={"a": [2**64, "é", "\udcff", 1e-7]}, spaced=True)
def test_a_line_is_ascii_and_says_what_was_meant(meant: dict[str, Any], spaced: bool) -> None:
    """Also where the faster writer cannot: a number of more than 64 bits, half a surrogate pair."""
    said = line(meant, spaced=spaced)
    assert meant == json.loads(said)
    assert said.isascii() and "\n" not in said
