"""Templates with facts: holes, optional parts, Envoy's own braces, versions."""

from __future__ import annotations

import pytest

from pomprobe.catalog import Catalog, fixes, plain, render, reply
from pomprobe.catalog.render import derive, sentence
from pomprobe.model import EnvoyReply, Fact, Rule, Severity, StageName
from pomprobe.record import replace

RULE = Rule("TLS999", "x", StageName.TLS, "{endpoint}", Severity.ERROR, {"failure": "closed"}, None, "w", (), ())


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("app", "app"),
        (3, "3"),
        (3.0, "3"),
        (0.1234, "0.123"),
        (True, "yes"),
        (False, "no"),
        (("a", "b"), "a, b"),
        ("2025-01-31T10:20:30+00:00", "2025-01-31 10:20 UTC"),
    ],
)
def test_facts_are_written_for_people(value: Fact, words: str) -> None:
    """Numbers without noise, lists with commas, instants to the minute."""
    assert words == render("[[{fact}|it]]", {"fact": value})


@pytest.mark.parametrize("value", [None, "", ()])
def test_what_is_not_known_stays_open(value: Fact) -> None:
    """`render` leaves the name, a sentence says `?`, an optional part goes, or gives way to another."""
    assert "to {fact}" == render("to {fact}", {"fact": value})
    assert "to ?" == sentence("to {fact}", {"fact": value})
    assert "to" == sentence("to[[ {fact}]]", {"fact": value})
    assert "to it" == sentence("to [[{fact}|it]]", {"fact": value})


def test_envoys_braces_are_not_facts() -> None:
    """Its words in braces stay as they are, and so do braces with anything else in them."""
    text = "503 upstream_reset_before_response_started{connection_termination} and {} and {A b}"
    assert text == sentence(text, {"connection_termination": "no"})


def test_a_fact_is_not_a_template() -> None:
    """Names in what a server sent are not filled in."""
    assert "{host}" == render("{location}", {"location": "{host}", "host": "secret"})


def test_a_fix_without_its_fact_is_left_out() -> None:
    """It is never printed with a hole."""
    rule = replace(RULE, fixes=("Set `a: {san}`.", "Look[[ at {endpoint}]].", "Ask {nobody}."))
    assert ("Set `a: b.test`.", "Look.") == fixes(rule, {"sans": ("*.test", "b.test")})
    assert ("Look at here.",) == fixes(rule, {"endpoint": "here", "sans": ("*.test", "10.0.0.1", "::1")})


def test_what_was_tried_with_success_is_said_once() -> None:
    """A fix that gives the same advice without the proof goes."""
    rule = replace(RULE, fixes=("Set `{works}`: tried.", "Set `a: {san}`.", "Or else."))
    assert ("Set `a: b.test`: tried.", "Or else.") == fixes(rule, {"san": "b.test", "works": "a: b.test"})
    assert ("Set `a: b.test`.", "Or else.") == fixes(rule, {"san": "b.test"})


def test_facts_that_follow_from_others() -> None:
    """A name of the certificate that can be written into the config, and a wildcard that nearly fits."""
    facts = derive({"sans": ("10.0.0.1", "*.lab.test", "other.test"), "match_name": "a.b.lab.test"})
    assert ("other.test", "*.lab.test") == (facts["san"], facts["wildcard"])
    assert derive({"sans": ("*.lab.test",), "match_name": "lab.test"})["wildcard"] == "*.lab.test"
    assert derive({"sans": ("*.lab.test",), "match_name": "example.com"})["wildcard"] is None
    assert {} == derive({})


def test_a_catalogue_page_names_the_facts() -> None:
    """In capitals, where there are none."""
    assert "ENDPOINT closes" == plain("{endpoint} closes[[ after {seconds} s]]")
    assert "here closes" == plain("{endpoint} closes", {"endpoint": "here"})


def means(**more: object) -> dict[str, object]:
    """A `means` of 503 UF."""
    return {"code": "c", "status": 503, "response_flags": "UF", "response_code_details": "c{remote_reset}", "evidence": "r", **more}


def test_a_reply_is_filled_as_envoy_writes() -> None:
    """Names with a comma and a space between them, spaces as underscores, other braces untouched."""
    rule = replace(RULE, means=means(response_code_details="c{remote_reset|{reason}|[{sans}]|{depth}}"))
    answer = reply(rule, {"reason": "No route", "sans": ("a", "b"), "depth": 0})
    assert EnvoyReply(503, "UF", "c{remote_reset|No_route|[a,_b]|0}", "c") == answer


def test_a_reply_can_have_the_apps_status() -> None:
    """`{status}` is the fact; without one the response had begun all the same."""
    rule = replace(RULE, means=means(status="{status}"))
    assert [404, 200] == [answer.status for facts in ({"status": 404}, {}) if (answer := reply(rule, facts))]


def test_a_reply_depends_on_envoys_version() -> None:
    """The newest override that is not newer than this Envoy."""
    newer = {"1.40": {"response_code_details": "forty"}, "1.38": {"response_code_details": "thirty-eight"}}
    rule = replace(RULE, means=means(versions=newer))
    words = [
        answer.response_code_details for version in ("1.37.0", "1.38", "1.39", "1.40.0", "2.0") if (answer := reply(rule, {}, version))
    ]
    assert ["c{remote_reset}", "thirty-eight", "thirty-eight", "forty", "forty"] == words


def test_a_rule_without_means_has_no_reply() -> None:
    """It says nothing about what Envoy answers."""
    assert reply(RULE, {}) is None


def test_the_catalogue_offers_all_three() -> None:
    """Words, fixes and reply, as the diagnosis asks for them."""
    rule = replace(RULE, fixes=("Look at {endpoint}.",), means=means())
    catalog, facts = Catalog((rule,)), {"endpoint": "here"}
    answer = catalog.reply(rule, facts)
    assert ("here", ("Look at here.",), 503) == (catalog.render(rule.title, facts), catalog.fixes(rule, facts), answer and answer.status)
