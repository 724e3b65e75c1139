"""Templates to words: facts into titles, reasons, fixes and Envoy's response code details."""

from __future__ import annotations

import re

from ..model import EnvoyReply, Fact, Facts, Rule

DETAIL_FACTS = ("alert_code", "alert_name", "depth", "endpoint", "error_code", "reason", "sans", "source_address", "status")
"""The facts that Envoy's own words can hold. Any other {…} in response code details is Envoy's, such as {connection_termination}."""

_NAME = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_DETAIL = re.compile(r"\{(" + "|".join(DETAIL_FACTS) + r")\}")
_OPTIONAL = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)


def text(value: Fact) -> str | None:
    """A fact as people write it; None where there is nothing to say (None, "" and an empty tuple)."""
    if value is None or value == "" or value == ():
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def render(template: str, facts: Facts) -> str:
    """The template with `{name}` replaced for every known fact; `[[…]]` stays only if all its facts are known.

    What is not known is left as it stands: `placeholders` of the result tells.
    """

    def known(match: re.Match[str]) -> str:
        return text(facts.get(match[1])) or match[0]

    def optional(match: re.Match[str]) -> str:
        return match[1] if all(text(facts.get(name)) is not None for name in placeholders(match[1])) else ""

    return _NAME.sub(known, _OPTIONAL.sub(optional, template)) if "{" in template else template


def placeholders(template: str) -> tuple[str, ...]:
    """The names of the facts that a template asks for."""
    return tuple(match[1] for match in _NAME.finditer(template))


def required(template: str) -> tuple[str, ...]:
    """The names that it cannot do without: those outside of `[[…]]`."""
    return placeholders(_OPTIONAL.sub("", template))


def _complete(template: str, facts: Facts) -> bool:
    return all(text(facts.get(name)) is not None for name in required(template))


def derive(facts: Facts) -> Facts:
    """The facts with those that follow from them: `san`, a name of the certificate that `tls_upstream_server_name` could take."""
    sans = facts.get("sans")
    if not isinstance(sans, tuple) or "san" in facts:
        return facts
    names = [name for name in sans if "*" not in name and ":" not in name and not name.replace(".", "").isdigit()]
    return {**facts, "san": names[0]} if names else facts


def fixes(rule: Rule, facts: Facts) -> tuple[str, ...]:
    """The rule's fixes for these facts; one that names a fact nobody knows is left out, never printed with a hole."""
    facts = derive(facts)
    return tuple(render(fix, facts) for fix in rule.fixes if _complete(fix, facts))


def _version(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def reply(rule: Rule, facts: Facts, envoy: str = "1.37") -> EnvoyReply | None:
    """What Envoy of that version answers where the rule fires; None for a rule without `means` (it says nothing about the reply).

    Spaces become `_` and the members of a tuple are joined with commas, as Envoy writes its details.
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
        return ",".join(value).replace(" ", "_") if isinstance(value, tuple) else (text(value) or "?").replace(" ", "_")

    details = _DETAIL.sub(fact, str(means["response_code_details"]))
    status = facts.get("status") if means["status"] == "{status}" else means["status"]
    if not isinstance(status, int):
        raise ValueError(f"{rule.code} needs the fact `status`")
    return EnvoyReply(status, str(means["response_flags"]), details, str(means["code"]))
