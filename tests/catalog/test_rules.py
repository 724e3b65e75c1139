"""Every rule of the catalogue: its examples, its words, and its proof."""

from __future__ import annotations

from itertools import combinations

import pytest

from pomprobe.catalog import fixes, load, reply
from pomprobe.catalog.match import NoRuleError
from pomprobe.catalog.render import UNKNOWN, required, sentence
from pomprobe.model import Failure, Severity, StageName, Timer

from .examples import ACTIVE, CATALOG, ROWS, VERSIONS, Example, answers, evidence, examples

FIRES = [example for rule in ACTIVE for example in examples(rule, "fires")]
SILENT = [example for rule in ACTIVE for example in examples(rule, "silent")]
PROVEN = [rule for rule in ACTIVE if rule.means is not None]

OURS = (Failure.NOT_KNOWN, Failure.BUG)
"""Failures of pomprobe itself, which can happen at every stage."""


def test_the_catalogue_is_large_enough() -> None:
    """At least 120 rules over all six stages."""
    assert len(ACTIVE) >= 120
    assert set(StageName) == {rule.stage for rule in ACTIVE}


def test_every_failure_has_a_rule() -> None:
    """Whatever a stage raises is explained, even without any fact."""
    for failure in Failure:
        for stage in StageName if failure in OURS else [CATALOG.match(failure, {}).stage]:
            assert failure.value in str(CATALOG.match(failure, {}, stage).when["failure"])


def test_no_rule_is_an_error_of_its_own() -> None:
    """A catalogue without a rule for a failure says so, instead of taking another one."""
    with pytest.raises(NoRuleError, match="no rule for name_not_found"):
        type(CATALOG)(()).match(Failure.NAME_NOT_FOUND, {})


def test_rules_have_examples() -> None:
    """Each rule shows at least one outcome on which it fires, and one close by on which it does not."""
    assert [] == [rule.code for rule in ACTIVE if not list(examples(rule, "fires")) or not list(examples(rule, "silent"))]


def test_a_rule_fires_on_its_examples() -> None:
    """Its own rule wins, and no other one has as many keys."""
    wrong = []
    for example in FIRES:
        found = CATALOG.candidates(example.failure, example.facts, example.stage, example.timer)
        best = [rule.code for rule in found if len(rule.when) == len(found[0].when)]
        if best != [example.rule.code]:
            wrong.append(f"{example} is explained by {best}")
    assert [] == wrong


def test_a_rule_is_silent_on_its_counterexamples() -> None:
    """Another rule explains those outcomes."""
    assert [] == [str(e) for e in SILENT if e.rule == CATALOG.match(e.failure, e.facts, e.stage, e.timer)]


def test_no_two_rules_tie() -> None:
    """Where the facts of two rules come together, one of all the rules has more keys than any other."""
    by_failure: dict[Failure, list[Example]] = {}
    for example in FIRES:
        by_failure.setdefault(example.failure, []).append(example)
    ties = set()
    for some in by_failure.values():
        for one, other in combinations(some, 2):
            if len(one.rule.when) != len(other.rule.when) or (one.timer and other.timer and one.timer != other.timer):
                continue
            shared = one.rule.when.keys() & other.rule.when.keys()
            if any(key in one.facts and key in other.facts and one.facts[key] != other.facts[key] for key in shared):
                continue
            for facts in ({**one.facts, **other.facts}, {**other.facts, **one.facts}):
                found = CATALOG.candidates(one.failure, facts, one.stage, one.timer or other.timer)
                if len(found) > 1 and len(found[0].when) == len(found[1].when):
                    ties.add((found[0].code, found[1].code))
    assert set() == ties


def test_the_words_of_a_rule_have_no_holes() -> None:
    """Title, reason and fixes come out complete, and at least one fix is left."""
    wrong = []
    for example in FIRES:
        words = [
            sentence(example.rule.title, example.facts),
            sentence(example.rule.why, example.facts),
            *fixes(example.rule, example.facts),
        ]
        if len(words) < 3 or any(f" {UNKNOWN} " in f" {text} " or "[[" in text or "]]" in text for text in words):
            wrong.append(f"{example}: {words}")
    assert [] == wrong


def test_titles_stand_on_what_is_always_known() -> None:
    """What a title or a reason needs is in every example on which the rule fires; anything else stands in [[…]]."""
    missing = {
        f"{example.rule.code} {name}"
        for example in FIRES
        for name in (*required(example.rule.title), *required(example.rule.why))
        if example.facts.get(name) in (None, "", ())
    }
    assert set() == missing


def test_skipping_verification_never_comes_first() -> None:
    """`tls_skip_verify` also gives up the check of the name: there is always a better fix before it."""
    assert [] == [rule.code for rule in ACTIVE if rule.fixes and "tls_skip_verify: true" in rule.fixes[0]]


def test_links_are_to_documentation() -> None:
    """Pomerium's and Envoy's own pages, over https."""
    pages = ("https://www.pomerium.com/docs/", "https://www.envoyproxy.io/docs/")
    assert [] == [(rule.code, link) for rule in ACTIVE for link in rule.see if not link.startswith(pages)]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_reply_is_what_envoy_answered(version: str) -> None:
    """Each example's forecast is, word for word, an answer recorded in the rows that the rule names, and each row is forecast."""
    wrong = []
    for rule in PROVEN:
        forecast = {
            (r.status, r.response_flags, r.response_code_details) for e in examples(rule, "fires") if (r := reply(rule, e.facts, version))
        }
        seen = {row: answers(row, version) for row in evidence(rule)}
        wrong += [f"{rule.code}: no row shows {answer}" for answer in forecast - set().union(*seen.values())]
        wrong += [f"{rule.code}: no example forecasts {row}" for row, outcomes in seen.items() if not outcomes & forecast]
    assert [] == wrong


def test_the_code_is_the_documented_name() -> None:
    """The head of Envoy's details, or the older name that Pomerium's documentation still has for it."""
    older = {"response_timeout": "upstream_response_timeout"}
    for rule in PROVEN:
        assert rule.means is not None
        head = str(rule.means["response_code_details"]).partition("{")[0]
        assert older.get(head, head) == rule.means["code"], rule.code


def test_what_is_ours_forecasts_nothing() -> None:
    """Where pomprobe's own limits or defects kept it from knowing, no rule says what Envoy would answer, or blames anybody."""
    ours = (*OURS, Failure.NO_RESOLVER, Failure.TRUST_UNAVAILABLE)
    rules = [rule for rule in ACTIVE if rule.when["failure"] in [failure.value for failure in ours]]
    assert {(None, Severity.INFO)} == {(rule.means, rule.severity) for rule in rules}


def test_every_timer_of_a_request_is_told_apart() -> None:
    """For each timer that can end an exchange there is a rule, before and after the response has begun."""
    timers = (Timer.ROUTE, Timer.IDLE, Timer.MAX_DURATION, Timer.STREAM_DURATION)
    for timer in timers:
        codes = {CATALOG.match(Failure.TIMED_OUT, {"started": started}, StageName.HTTP, timer).code for started in (False, True)}
        assert 2 == len(codes)


def test_the_measured_rows_say_how() -> None:
    """Every row of our own has an answer of both Envoys, and a server that is described."""
    own = [row for name, row in ROWS.items() if name.startswith("own-")]
    assert own
    assert [] == [row["id"] for row in own if not row["upstream"] or set(VERSIONS) != set(row["outcomes"])]


def test_loading_twice_is_loading_once() -> None:
    """A run with a thousand routes reads the catalogue once."""
    assert load() is CATALOG
