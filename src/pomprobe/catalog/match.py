"""Which rule fires: the one whose `when` holds with most keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from ..model import EnvoyReply, Fact, Facts, Failure, Rule, StageName, Timer
from ..record import Record
from .render import derive, fixes, render, reply, sentence

Check = Callable[[Fact, Facts], bool]
"""One key of `when`: does the fact's value hold, beside the other facts?"""


class NoRuleError(LookupError):
    """No rule matches a failure: a gap of the catalogue, which the tests forbid."""


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _equal(wanted: object, value: object, facts: Facts) -> bool:
    if isinstance(wanted, str):
        return isinstance(value, str) and value == render(wanted, facts)
    return value == wanted and not isinstance(value, bool)


def _parts(value: Fact) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,) if isinstance(value, str) else ()


def _between(low: float, high: float) -> Check:
    def check(value: Fact, facts: Facts) -> bool:
        number = _number(value)
        return number is not None and low <= number <= high

    return check


def _text(test: Callable[[str, str], bool], wanted: tuple[str, ...]) -> Check:
    def check(value: Fact, facts: Facts) -> bool:
        needles = [needle for needle in (render(one, facts) for one in wanted) if "{" not in needle]
        return any(test(part.lower(), needle.lower()) for part in _parts(value) for needle in needles)

    return check


def _strings(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else (str(value),)


def compile_check(wanted: object) -> Check:
    """One value of `when` as a predicate.

    A scalar must equal the fact; of a list any one; `{not:}` wants another value than this (a missing fact does not hold);
    `{min:, max:}` bound a number, both inclusive; `{prefix:}`, `{suffix:}`, `{contains:}` (of a list any one) and the pattern
    `{matches:}` look into text and into the members of a tuple, whatever the case; true and false ask for truthiness, where a
    missing fact is false, and a tuple without any text in it. Text may name other facts as `{fact}`; one that is not known never holds.
    """
    if isinstance(wanted, bool):
        return lambda value, facts: (any(value) if isinstance(value, tuple) else bool(value)) is wanted
    if isinstance(wanted, list):
        return lambda value, facts: any(_equal(one, value, facts) for one in wanted)
    if isinstance(wanted, Mapping):
        if "not" in wanted:
            return lambda value, facts: value is not None and not _equal(wanted["not"], value, facts)
        if "matches" in wanted:
            pattern = re.compile(str(wanted["matches"]), re.IGNORECASE)
            return lambda value, facts: any(pattern.search(part) for part in _parts(value))
        if "prefix" in wanted:
            return _text(str.startswith, _strings(wanted["prefix"]))
        if "suffix" in wanted:
            return _text(str.endswith, _strings(wanted["suffix"]))
        if "contains" in wanted:
            return _text(str.__contains__, _strings(wanted["contains"]))
        return _between(float(wanted.get("min", "-inf")), float(wanted.get("max", "inf")))
    return lambda value, facts: _equal(wanted, value, facts)


class _Compiled(Record, frozen=True):
    rule: Rule
    checks: tuple[tuple[str, Check], ...]

    def holds(self, facts: Facts) -> bool:
        return all(check(facts.get(key), facts) for key, check in self.checks)


def failures(rule: Rule) -> tuple[str, ...]:
    """The failures that a rule is about."""
    wanted = rule.when.get("failure")
    return tuple(wanted) if isinstance(wanted, list) else (str(wanted),)


class Catalog:
    """Rules in the order of stage and code; retired ones are kept, but never fire."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self._about: dict[str, tuple[_Compiled, ...]] = {}

    def naming(self, failure: str) -> Iterable[Rule]:
        """The rules that have this failure in their `when`."""
        return (rule for rule in self.rules if failure in failures(rule))

    def _compiled(self, failure: str) -> tuple[_Compiled, ...]:
        """What is to be looked through for a failure, most keys first."""
        about = self._about.get(failure)
        if about is None:
            some = [
                _Compiled(rule, tuple((key, compile_check(value)) for key, value in rule.when.items() if key != "failure"))
                for rule in self.naming(failure)
                if not rule.retired
            ]
            about = self._about[failure] = tuple(sorted(some, key=lambda one: -len(one.checks)))
        return about

    def candidates(self, failure: Failure, facts: Facts, stage: StageName | None = None, timer: Timer | None = None) -> tuple[Rule, ...]:
        """Every rule that holds, the one with most keys first."""
        known = dict(derive(facts))
        known["stage"] = stage.value if stage else None
        known["timer"] = timer.value if timer else None
        return tuple(one.rule for one in self._compiled(failure.value) if one.holds(known))

    def match(self, failure: Failure, facts: Facts, stage: StageName | None = None, timer: Timer | None = None) -> Rule:
        """The rule of a failed outcome (or of a config problem, with stage CONFIG).

        Raises NoRuleError where no rule matches, which the tests rule out for every failure of the model.
        """
        rules = self.candidates(failure, facts, stage, timer)
        if not rules:
            raise NoRuleError(f"no rule for {failure.value}")
        return rules[0]

    def get(self, what: str) -> Rule | None:
        """The rule of this code or name, of any case."""
        wanted = what.strip().lower()
        return next((rule for rule in self.rules if wanted in (rule.code.lower(), rule.name)), None)

    def render(self, template: str, facts: Facts) -> str:
        """A title or reason with the facts filled in."""
        return sentence(template, facts)

    def fixes(self, rule: Rule, facts: Facts) -> tuple[str, ...]:
        """The rule's fixes with the facts filled in, without those that name a fact nobody knows."""
        return fixes(rule, facts)

    def reply(self, rule: Rule, facts: Facts, envoy: str = "1.37") -> EnvoyReply | None:
        """What Envoy of that version answers where the rule fires; None for a rule that says nothing about it."""
        return reply(rule, facts, envoy)
