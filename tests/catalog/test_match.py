"""How a rule's `when` is compared with facts."""

from __future__ import annotations

import pytest

from pomprobe.catalog import Catalog
from pomprobe.catalog.match import compile_check
from pomprobe.model import Facts, Failure, Rule, Severity, StageName, Timer


@pytest.mark.parametrize(
    ("wanted", "value", "holds"),
    [
        (10, 10, True),
        (10, 9, False),
        (1, True, False),
        (10, None, False),
        ("h2", "h2", True),
        ("h2", "H2", False),
        ("10", 10, False),
        ([9, 10], 10, True),
        ([9, 10], 11, False),
        (["SSH", "SMTP"], "SMTP", True),
        (["SSH", "SMTP"], None, False),
        ({"not": "h2"}, "http/1.1", True),
        ({"not": "h2"}, "h2", False),
        ({"not": "h2"}, None, False),
        ({"min": 500}, 503, True),
        ({"min": 500}, 404, False),
        ({"min": 400, "max": 499}, 499, True),
        ({"min": 400, "max": 499}, 500, False),
        ({"max": 5}, 4.5, True),
        ({"min": 0}, True, False),
        ({"min": 0}, None, False),
        ({"prefix": "127."}, "127.0.0.1", True),
        ({"prefix": "127."}, "10.127.0.1", False),
        ({"prefix": ["127.0.0.53:", "127.0.0.54:"]}, ("10.0.0.1:53", "127.0.0.54:53"), True),
        ({"suffix": ".onion"}, "abc.ONION", True),
        ({"contains": ["Let's Encrypt", "DigiCert"]}, "CN=R11,O=let's encrypt", True),
        ({"contains": "tls_custom_ca"}, None, False),
        ({"contains": "x"}, 5, False),
        ({"matches": "^[^.]+$"}, "app", True),
        ({"matches": "^[^.]+$"}, "app.test", False),
        (True, True, True),
        (True, "text", True),
        (True, None, False),
        (True, 0, False),
        (True, (), False),
        (False, False, True),
        (False, None, True),
        (False, (), True),
        (False, "text", False),
    ],
)
def test_one_key(wanted: object, value: object, holds: bool) -> None:
    """A scalar, any of a list, a bound, a look into text, or truthiness where a missing fact is false."""
    facts: Facts = {"fact": value}  # type: ignore[dict-item]
    assert holds is compile_check(wanted)(facts["fact"], facts)


def test_a_value_may_name_another_fact() -> None:
    """`address: "{host}"` holds where `to` is the address itself; a name that is not known never holds."""
    check = compile_check("{host}")
    assert check("10.0.0.5", {"host": "10.0.0.5"})
    assert not check("10.0.0.5", {"host": "app.test"})
    assert not check("10.0.0.5", {})
    within = compile_check({"contains": "//{host}"})
    assert within("http://app.test/login", {"host": "app.test"})
    assert not within("http://app.test/login", {})


def rule(code: str, failure: object, retired: str = "", **when: object) -> Rule:
    """A rule of the http stage with nothing but a condition."""
    return Rule(code, code.lower(), StageName.HTTP, "t", Severity.ERROR, {"failure": failure, **when}, None, "w", ("f",), (), retired)


def test_the_rule_with_most_keys_wins() -> None:
    """A special rule goes before a general one, whatever their order."""
    catalog = Catalog((rule("A", "closed"), rule("B", "closed", reset=True, port=443), rule("C", "closed", reset=True)))
    assert "B" == catalog.match(Failure.CLOSED, {"reset": True, "port": 443}).code
    assert "C" == catalog.match(Failure.CLOSED, {"reset": True}).code
    assert "A" == catalog.match(Failure.CLOSED, {}).code


def test_stage_and_timer_are_keys_like_others() -> None:
    """What the outcome says beside its facts can be asked for, and wins over facts of the same name."""
    catalog = Catalog((rule("A", "timed_out", timer="route"), rule("B", "timed_out", timer=["idle", "max_duration"], stage="http")))
    assert "A" == catalog.match(Failure.TIMED_OUT, {"timer": "idle"}, StageName.HTTP, Timer.ROUTE).code
    assert "B" == catalog.match(Failure.TIMED_OUT, {}, StageName.HTTP, Timer.MAX_DURATION).code


def test_a_rule_may_stand_for_several_failures() -> None:
    """`failure` may be a list."""
    catalog = Catalog((rule("A", ["closed", "timed_out"]),))
    assert ["A", "A"] == [catalog.match(failure, {}).code for failure in (Failure.CLOSED, Failure.TIMED_OUT)]


def test_a_retired_rule_is_kept_and_never_fires() -> None:
    """Its code stays known."""
    catalog = Catalog((rule("A", "closed"), rule("B", "closed", retired="since 0.2: too vague", reset=True)))
    assert "A" == catalog.match(Failure.CLOSED, {"reset": True}).code
    assert "since 0.2: too vague" == getattr(catalog.get("b"), "retired", None)


def test_rules_are_found_by_code_and_name() -> None:
    """In any case, and by nothing else."""
    catalog = Catalog((rule("HTTP1", "closed"),))
    assert catalog.rules[0] == catalog.get(" http1 ")
    assert catalog.get("HTTP") is None
