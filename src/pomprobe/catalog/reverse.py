"""From Envoy's words back to the rules that forecast them (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..model import Fact, Facts, Rule
from ..record import Record
from .match import Catalog, compile_check
from .render import DETAIL_FACTS, VERIFY_FAILED

_SHAPES = {
    "alert_code": r"\d+",
    "alert_name": r"\w+",
    "before": r"(?:\d+:[^|]*\|)*",
    "depth": r"-?\d+",
    "reason": r"[^{}]+?",
    "sans": r"[^\]]*",
}
_NOTED = re.compile(rf"(?<=TLS_error:\|)(?:\d+:[^|]*\|)+{VERIFY_FAILED}")
"""What BoringSSL notes of odd certificates on its way to a verdict."""
_NUMBERS = ("alert_code", "depth")
_TELLING = ("reason", "alert_name")
"""The facts that tell causes apart: an example of the rule has to have the same."""


class Cause(Record, frozen=True):
    """A rule that may be behind Envoy's words, and the facts that these hold."""

    rule: Rule
    facts: Facts


def causes(catalog: Catalog, details: str, status: int | None = None, flags: str | None = None) -> tuple[Cause, ...]:
    """Every rule whose reply has these details (and status and flags, where given), in the order of the catalogue.

    Words that are cut short, as older Envoys and people write them, fit every reply that begins with them.
    """
    rules = [rule for rule in catalog.rules if rule.means is not None and not rule.retired and _agrees(rule.means, status, flags)]
    found = [cause for rule in rules if (cause := _cause(rule, details, status)) is not None]
    if not found and _NOTED.search(details):
        return causes(catalog, _NOTED.sub(VERIFY_FAILED, details), status, flags)
    if not found and "{" in details:
        begin = details.rstrip("}")
        found = [Cause(rule, {}) for rule in rules if any(literal.startswith(begin) for literal in _literals(rule))]
    if any(not set(cause.facts) - {"status"} for cause in found):  # who has these very words; not who fills them in for what is left
        found = [cause for cause in found if not _general(cause) or "reason" not in cause.facts]
    told = {_failure(cause) for cause in found if _exemplary(cause) and not _general(cause)}
    return tuple(cause for cause in found if (_literal(cause) or _failure(cause) not in told if _general(cause) else _exemplary(cause)))


def _failure(cause: Cause) -> str:
    return str(cause.rule.when["failure"])


def _general(cause: Cause) -> bool:
    """Does the rule stand for the whole failure?"""
    return len(cause.rule.when) == 1


def _literal(cause: Cause) -> bool:
    """Are its words its own, so that they say as much as any other rule's: closed without an answer, nothing listens?"""
    fallback = ("timed_out", "connect_timeout", "handshake_timeout")  # without the timer that every real one has
    return not set(cause.facts) - {"status"} and _failure(cause) not in (*fallback, "app_error", "app_refusal")


def _agrees(means: Mapping[str, object], status: int | None, flags: str | None) -> bool:
    """Could a reply like this have that status and those flags? A response that was cut had begun well."""
    if status is not None:
        cut = means["status"] == "{status}" and means["code"] != "via_upstream"
        if (cut and status >= 500) or (isinstance(means["status"], int) and means["status"] != status):
            return False
    return flags is None or means["response_flags"] in (flags, flags.removeprefix("URX,"), *(("-",) if flags == "URX" else ()))


def _templates(rule: Rule) -> Iterator[str]:
    means = rule.means or {}
    yield str(means["response_code_details"])
    versions = means.get("versions")
    for override in versions.values() if isinstance(versions, dict) else ():
        if "response_code_details" in override:
            yield str(override["response_code_details"])


def _pattern(template: str) -> str:
    parts = re.split(r"\{(" + "|".join(DETAIL_FACTS) + r")\}", template)
    return "".join(f"(?P<{part}>{_SHAPES.get(part, '.+?')})" if index % 2 else re.escape(part) for index, part in enumerate(parts))


def _literals(rule: Rule) -> Iterator[str]:
    """The beginnings of the rule's details, up to the first fact."""
    for template in _templates(rule):
        yield re.split(r"\{(?:" + "|".join(DETAIL_FACTS) + r")\}", template)[0]


def _cause(rule: Rule, details: str, status: int | None) -> Cause | None:
    for template in _templates(rule):
        if match := re.fullmatch(_pattern(template), details):
            facts: dict[str, Fact] = {name: int(value) if name in _NUMBERS else value for name, value in match.groupdict().items()}
            if "sans" in facts:
                facts["sans"] = tuple(part for part in str(facts["sans"]).split(",_") if part)
            if status is not None and rule.means is not None and rule.means["status"] == "{status}":
                facts["status"] = status
            checks = ((facts[key], compile_check(wanted)) for key, wanted in rule.when.items() if key in facts)
            return Cause(rule, facts) if all(check(value, facts) for value, check in checks) else None
    return None


def _exemplary(cause: Cause) -> bool:
    """Are the telling facts in its words those of one of the rule's examples?"""
    own = ("status",) if cause.rule.means is not None and cause.rule.means["code"] == "via_upstream" else ()
    telling = {name: value for name, value in cause.facts.items() if name in (*_TELLING, *own)}
    examples = cause.rule.examples.get("fires")
    some = examples if isinstance(examples, list) else []
    return not telling or any(all(example.get(name) == value for name, value in telling.items()) for example in some)
