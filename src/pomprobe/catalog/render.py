"""Templates to words: facts into titles, reasons, fixes and Envoy's response code details."""

from __future__ import annotations

import re
import sys
from functools import lru_cache

from ..model import EnvoyReply, Fact, Facts, Rule

VERIFY_FAILED = "268435581:"
"""BoringSSL's CERTIFICATE_VERIFY_FAILED, in Envoy's words behind all that it noted before."""
_ERRORS = "TLS_error:|"
DETAIL_FACTS = ("alert_code", "alert_name", "before", "depth", "endpoint", "reason", "sans", "source_address")
"""The facts that Envoy's own words can hold; `before` (entries of the TLS library's error queue) may be missing."""

ENVOY_WORDS = (
    "connection_termination",
    "connection_timeout",
    "overflow",
    "protocol_error",
    "remote_connection_failure",
    "remote_error_with_CONNECT_request",
    "remote_refused_stream_reset",
    "remote_reset",
)
"""What stands in braces in Envoy's words and is no fact."""

UNKNOWN = "?"
"""What a title or reason says where a fact is missing, which the rules' `[[…]]` should not let happen."""

_NAME = re.compile(rf"\{{(?!(?:{'|'.join(ENVOY_WORDS)})\}})([a-z][a-z0-9_]*)\}}")
_DETAIL = re.compile(r"\{(" + "|".join(DETAIL_FACTS) + r")\}")
_OPTIONAL = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d\+00:00")


def text(value: Fact) -> str | None:
    """A fact as people write it; None where there is nothing to say (None, "" and an empty tuple). An instant loses its seconds."""
    if value is None or value == "" or value == ():
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    if isinstance(value, tuple):
        return ", ".join(filter(None, value)) or None
    return _INSTANT.sub(r"\1 \2 UTC", value) if isinstance(value, str) else str(value)


def render(template: str, facts: Facts) -> str:
    """The template with `{name}` replaced for every known fact, and left as it is for any other.

    `[[…]]` stays only if all its facts are known; of `[[…|…]]` the second part stands in otherwise.
    """

    def fact(match: re.Match[str]) -> str:
        return text(facts.get(match[1])) or match[0]

    def optional(match: re.Match[str]) -> str:
        known, _, otherwise = match[1].partition("|")
        return known if all(text(facts.get(name)) is not None for name in placeholders(known)) else otherwise

    if "{" not in template:
        return template
    return sys.intern(_NAME.sub(fact, _OPTIONAL.sub(optional, template)))  # the addresses of a name mostly get the same words


def sentence(template: str, facts: Facts) -> str:
    """A title or a reason: as `render`, without braces left over."""
    facts = derive(facts)
    missing = [name for name in required(template) if text(facts.get(name)) is None]
    return render(template, {**facts, **dict.fromkeys(missing, UNKNOWN)})


def plain(template: str, facts: Facts | None = None) -> str:
    """The template for people who read the catalogue: the name of a fact in capitals where there is none, as in ENDPOINT."""
    known = facts or {}
    return render(template, {**{name: name.upper() for name in required(template)}, **known})


@lru_cache(maxsize=4096)
def placeholders(template: str) -> tuple[str, ...]:
    """The names of the facts that a template asks for."""
    return tuple(match[1] for match in _NAME.finditer(template))


@lru_cache(maxsize=4096)
def required(template: str) -> tuple[str, ...]:
    """The names that it cannot do without: those outside of `[[…]]`."""
    return placeholders(_OPTIONAL.sub("", template))


def derive(facts: Facts) -> Facts:
    """The facts with those that follow from them.

    san: another name of the certificate that `tls_upstream_server_name` could take. wildcard: one of its names whose domain the wanted
    name lies in, without being covered (a wildcard stands for one label).
    """
    sans, wanted = facts.get("sans"), str(facts.get("match_name") or "").lower()
    if not isinstance(sans, tuple) or "san" in facts:
        return facts
    others = [name for name in sans if name.lower() not in ("", wanted)]
    names = [name for name in others if "*" not in name and ":" not in name and not name.replace(".", "").isdigit()]
    above = [name for name in sans if name.startswith("*.") and f".{wanted}".endswith(name[1:].lower())]
    return {**facts, "san": next(iter(names), None), "wildcard": next(iter(above), None)}


def fixes(rule: Rule, facts: Facts) -> tuple[str, ...]:
    """The rule's fixes for these facts; one that names a fact nobody knows is left out, never printed with a hole.

    Where a fact `works` says what was tried with success, a fix that says the same without that proof is left out as well, and so is
    one that says what was tried in vain (fact `in_vain`) or to set what is set (fact `given`), unless nothing else is left.
    """
    facts = derive(facts)
    kept: list[str] = []
    works, vain = facts.get("works"), facts.get("in_vain")
    hopeless = [f"`{key}`" for key in vain] if isinstance(vain, tuple) else []
    for fix in rule.fixes:
        if all(text(facts.get(name)) is not None for name in required(fix)):
            words = render(fix, facts)
            if not works or "{works}" in fix or f"`{works}`" not in words:
                kept.append(words)
    given = facts.get("given")
    hopeless += [f"{verb} `{key}`" for key in (given if isinstance(given, tuple) else ()) for verb in ("Set", "set", "try")]
    left = [words for words in kept if not any(key in words for key in hopeless)] or kept
    return (left[0][3:4].upper() + left[0][4:], *left[1:]) if left and left[0].startswith("Or ") else tuple(left)


def _version(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def reply(rule: Rule, facts: Facts, envoy: str = "1.37") -> EnvoyReply | None:
    """What Envoy of that version answers where the rule fires; None for a rule without `means` (it says nothing about the reply).

    The members of a tuple are joined with a comma and a space, then spaces become `_`, as in Envoy (row own-tls-several-names).
    """
    if rule.means is None:
        return None
    means = dict(rule.means)
    versions = means.get("versions")
    if isinstance(versions, dict):
        for version in sorted(versions, key=_version):
            if _version(version) <= _version(envoy):
                means.update(versions[version])

    def fact(match: re.Match[str]) -> str:
        value = facts.get(match[1])
        missing = "" if match[1] == "before" else UNKNOWN
        words = ", ".join(value) if isinstance(value, tuple) else missing if value is None else str(value)
        return words.replace(" ", "_")

    details = _DETAIL.sub(fact, str(means["response_code_details"]))
    if before := facts.get("before"):  # whatever the verdict: BoringSSL has noted what it met on its way there
        details = details.replace(f"{_ERRORS}{VERIFY_FAILED}", f"{_ERRORS}{before}{VERIFY_FAILED}")
    status = facts.get("status") if means["status"] == "{status}" else means["status"]
    return EnvoyReply(status if isinstance(status, int) else 200, str(means["response_flags"]), details, str(means["code"]))
