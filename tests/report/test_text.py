"""The report for people."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from pomprobe.model import Endpoint, ForecastEntry, Report, Severity, Status
from pomprobe.record import replace
from pomprobe.report import FORMATS

from . import examples
from .conftest import Printed


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize("case", examples.CASES)
def test_no_line_is_wider_than_the_terminal(case: str, width: int, verbose: bool, printed: Printed) -> None:
    """In every case, also with hostile names."""
    text = printed(examples.CASES[case](), "text", width=width, verbose=verbose)
    assert [] == [line for line in text.splitlines() if cell_len(line) > width]


@pytest.mark.parametrize("format", ["text", "short", "nagios"])
@pytest.mark.parametrize("case", examples.CASES)
def test_ascii_style_prints_ascii(case: str, format: str, printed: Printed) -> None:
    """A terminal without Unicode gets none."""
    assert printed(examples.CASES[case](), format, unicode=False, verbose=True).isascii()


@pytest.mark.parametrize("format", ["text", "short"])
@pytest.mark.parametrize("case", examples.CASES)
def test_colors_are_there_only_when_asked_for(case: str, format: str, printed: Printed) -> None:
    """Without colours there is no escape at all, and colours change no letter."""
    import re

    plain, colored = (printed(examples.CASES[case](), format, color=color) for color in (False, True))
    assert "\x1b" not in plain
    assert plain == re.sub(r"\x1b\[[0-9;]*m", "", colored)


def test_a_finding_says_who_sees_what_why_and_what_to_do(printed: Printed) -> None:
    """The share in words, the details verbatim, the healthy rest, the reason, the fixes and the place."""
    text = printed(examples.report(examples.refusing()), "text", width=120)
    assert (
        """\
✗ app  https://app.example.com → http://app:8080  pomerium.yaml:3
  2 of 3 requests (67 %) get 503 UF
    upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}
  1 of 3 requests (33 %) gets the app's own 200
  10.0.0.2:8080  dns 3 ms · tcp 0.4 ms ✗ connection refused · http not reached
  TCP101 Nothing listens on 10.0.0.2:8080 and 10.0.0.3:8080  pomerium.yaml:4:5 routes[0].to[0]
    The machine answered at once that no process listens on port 8080. Envoy does not try the next address.
    → Start the app on 10.0.0.2:8080 and 10.0.0.3:8080, or let it listen on 0.0.0.0 instead of 127.0.0.1.
    → If the port is wrong, correct `to: http://app:8080`.

1 route: 1 failing (1.2 s).
"""
        == text
    )


def test_all_well_is_said(printed: Printed) -> None:
    """Healthy routes have a line each and the end says that all is well."""
    text = printed(examples.all_well(), "text", width=100)
    assert "✓ wiki  200  dns 3 ms · tcp 0.4 ms · tls 12 ms · http 85 ms of 30 s\n" in text
    assert text.endswith("\nAll is well: 3 routes answer (1.2 s).\n")


def test_worst_comes_first(printed: Printed) -> None:
    """Config problems, then what fails for everybody, for some, defects of ours, warnings, what is not known, what is fine."""
    text = printed(examples.everything(), "text")
    names = [
        "routes[0].timeout",
        "✗ billing",
        "✗ grafana",
        "✗ app",
        "‼ odd",
        "! vault",
        "? slow",
        "– old",
        "✓ wiki",
        "✓ login",
        "9 routes:",
    ]
    assert sorted(names, key=text.index) == names


def test_skipped_and_unknown_routes_say_why(printed: Printed) -> None:
    """Nothing is left out without a reason."""
    text = printed(examples.everything(), "text")
    assert "– old  skipped: answers with a redirect to https://new.example.com" in text
    assert "not known: --max-wait 2s ended it in the tcp stage" in text
    assert "not known: a defect of pomprobe in the tcp stage: ZeroDivisionError" in text


def test_the_same_finding_on_many_routes_is_told_once(printed: Printed) -> None:
    """Twenty routes to one dead host are one block that names them all."""
    text = printed(examples.many(), "text")
    assert 1 == text.count("\n  TCP101 Nothing listens on 10.0.0.2:8080")
    assert "shop-0 and 19 more routes → http://shop:8080" in text
    assert 20 == sum(f"shop-{i} " in " ".join(text.split()) for i in range(0, 100, 5))
    assert "✓ 160 routes are fine (160 × 200)" in text


def test_a_long_report_ends_with_what_it_said(printed: Printed) -> None:
    """Whoever sees the last screen alone sees every cause, with how many routes have it."""
    last = printed(examples.many(), "text", width=100).split("\n\n")[-3]
    assert [
        "✗ 20 routes  TCP101 Nothing listens on 10.0.0.2:8080  shop-0, shop-5, shop-10, shop-15 and 16 more",
        "✗ 12 routes  TLS102 The upstream's certificate has expired (10.0.0.7:443)  billing-100, billing-105,",
        "    billing-110, billing-115 and 8 more",
        "✗ 8 routes  DNS101 Name not found  grafana-160, grafana-165, grafana-170, grafana-175 and 4 more",
    ] == last.splitlines()


def test_what_was_explained_is_not_explained_again(printed: Printed) -> None:
    """The reason of a rule stands once; its fix stands with every route."""
    text = printed(examples.many(), "text")
    assert 1 == text.count("Envoy checks the dates of every certificate of the chain.")
    assert 12 == text.count("Renew the certificate on 10.0.0.7:443")


def test_answers_that_differ_in_the_address_alone_are_one(printed: Printed) -> None:
    """Two endpoints without a route are one answer with their share together."""
    route = examples.refusing()
    replies = [
        replace(examples.REFUSED, response_code_details=f"upstream_reset{{immediate|remote_address:{address}:8080}}")
        for address in ("10.0.0.2", "10.0.0.3")
    ]
    forecast = (*(ForecastEntry(1 / 3, reply, "TCP101") for reply in replies), route.forecast[1])
    text = printed(examples.report(replace(route, forecast=forecast)), "text", width=120)
    assert "  2 of 3 requests (67 %) get 503 UF\n" in text
    assert "    upstream_reset{immediate|remote_address:10.0.0.2:8080} (and 1 more that differ in the address alone)\n" in text


def test_many_endpoints_are_counted_unless_verbose(printed: Printed) -> None:
    """A finding on twenty endpoints lists a few, --verbose all."""
    route = examples.refusing(dead=[f"10.0.1.{i}" for i in range(20)], alive=())
    assert "10.0.1.0:8080, 10.0.1.1:8080 and 18 more" in printed(examples.report(route), "text")
    assert "10.0.1.19:8080" in printed(examples.report(route), "text", verbose=True)


def test_verbose_shows_facts_and_settings_but_no_secret(printed: Printed) -> None:
    """Every stage, fact and effective setting with its key; of request headers the names alone."""
    text = printed(examples.all_well(), "text", verbose=True, width=100)
    for said in (
        "route timer        30 s (default_upstream_timeout)",
        "SNI                wiki",
        "subject            CN=wiki",
        "host header        wiki:8443",
    ):
        assert said in text
    assert "request headers    authorization, accept" in text
    assert "SECRET" not in text


@pytest.mark.parametrize("format", ["json", "html", "markdown", "junit", "sarif", "prometheus", "short", "github", "nagios"])
def test_no_format_prints_a_request_header_s_value(format: str, printed: Printed) -> None:
    """Header values may be secrets."""
    assert "SECRET" not in printed(examples.everything(), format, verbose=True)


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (examples.report(), "Nothing is wrong with pomerium.yaml itself; no route was probed (1.2 s)."),
        (examples.report(findings=[examples.finding()]), "1 problem in pomerium.yaml; no route was probed (1.2 s)."),
        (examples.report(examples.redirect()), "Nothing to probe: 1 route skipped (1.2 s)."),
        (examples.report(examples.healthy(), examples.redirect()), "All is well: 1 route answers, 1 skipped (1.2 s)."),
        (
            examples.report(examples.healthy(), findings=[examples.finding()]),
            "1 route answers; but 1 problem in pomerium.yaml (1.2 s).",
        ),
        (
            examples.report(examples.expired(), interrupted=True),
            "1 route: 1 failing (1.2 s). The run ended early: what is not listed is not known.",
        ),
    ],
)
def test_the_last_sentence_sums_up(report: Report, expected: str, printed: Printed) -> None:
    """Whatever came out, the last line says it in one sentence."""
    assert expected == printed(report, "text", width=200).splitlines()[-1]


def test_a_unix_socket_is_named_by_its_path(printed: Printed) -> None:
    """An endpoint without a port is its path."""
    route = examples.expired()
    at = Endpoint("/run/app.sock", None)
    shown = replace(route, verdicts=(replace(route.verdicts[0], endpoint=at, fixes=()),))
    assert "at /run/app.sock" in printed(examples.report(shown), "text")


def test_a_route_that_envoy_refuses_is_told_without_stages(printed: Printed) -> None:
    """No outcome, only a verdict: still a block with answer and fix."""
    route = replace(examples.nameless(), upstreams=())
    text = printed(examples.report(route), "text")
    assert "Every request gets 503 UH" in text
    assert "DNS101 DNS knows no name grafana-svc" in text


@pytest.mark.parametrize("format", sorted(set(FORMATS) - {"prometheus"}))
@pytest.mark.parametrize("said", ["confirmed by a real Envoy", "differs: Envoy answered 200"])
def test_what_a_real_envoy_said_is_told(format: str, said: str, printed: Printed) -> None:
    """--confirm: beside the forecast that it is about, in every format; on one line without the answer."""
    text = printed(examples.report(replace(examples.expired(), confirmed=said)), format)
    assert (said.partition(":")[0] if format in ("short", "nagios") else said)[1:] in text
    assert said[1:] not in printed(examples.report(examples.expired()), format)


@pytest.mark.parametrize(("said", "value"), [("confirmed by a real Envoy", ["1.0"]), ("differs: x", ["0.0"]), ("not confirmed: x", [])])
def test_what_a_real_envoy_said_is_a_metric(said: str, value: list[str], printed: Printed) -> None:
    """1 where the forecast is confirmed, 0 where it differs, nothing where there was nothing to compare."""
    text = printed(examples.report(replace(examples.expired(), confirmed=said)), "prometheus")
    assert value == [line.split()[-1] for line in text.splitlines() if line.startswith("pomprobe_route_forecast_confirmed{")]


@pytest.mark.parametrize("status", Status)
def test_every_status_has_a_mark(status: Status, printed: Printed) -> None:
    """No status is unknown to the text report."""
    assert "wiki" in printed(examples.report(replace(examples.healthy(), status=status)), "text")


def warnings_of(count: int) -> Report:
    found = [
        replace(examples.finding(f"unknown key `a{i}`", severity=Severity.WARNING), place=examples.place(i + 1, f"routes[{i}].a{i}"))
        for i in range(count)
    ]
    return examples.report(examples.expired(), examples.healthy(), findings=[*found, examples.finding()])


def test_errors_of_the_config_come_first_and_its_warnings_last(printed: Printed) -> None:
    """What Pomerium refuses comes before the routes; what it only might regret stands behind those that fail."""
    text = printed(warnings_of(2), "text")
    told = ["✗ CFG101 pomerium.yaml:3:5 routes[0].timeout", "✗ billing", "! CFG101 pomerium.yaml:1:5 routes[0].a0", "✓ wiki"]
    assert sorted(told, key=text.index) == told
    assert text.endswith("2 routes: 1 failing, 1 fine; 1 problem and 2 warnings in pomerium.yaml (1.2 s).\n")


def test_warnings_of_one_rule_are_told_together(printed: Printed) -> None:
    """The first one in full, of the others the places; --verbose has each in full."""
    text = printed(warnings_of(12), "text", width=120)
    assert 1 == text.count("! CFG101")
    also = "    also at routes[1].a1 (line 2), routes[2].a2 (line 3), routes[3].a3 (line 4)"
    assert also in text
    assert "and 4 more" in text
    assert 12 == printed(warnings_of(12), "text", verbose=True).count("! CFG101")


def test_a_place_wider_than_the_line_ends_at_a_space(printed: Printed) -> None:
    """The file stays whole where it can."""
    problem = replace(examples.finding(), place=examples.place(3, "routes[0]." + "k" * 60, file="f" * 30 + ".yaml"))
    assert f" {'f' * 30}.yaml:3:5\n" in printed(examples.report(findings=[problem]), "text")
