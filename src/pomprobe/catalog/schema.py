"""The shape of a rule file: every key, its type, and what else must hold; errors name file and key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ..model import Failure, Rule, Severity, StageName, Timer
from .documents import CatalogError
from .render import DETAIL_FACTS, ENVOY_WORDS

PREFIX = {
    StageName.CONFIG: "CFG",
    StageName.DNS: "DNS",
    StageName.TCP: "TCP",
    StageName.TLS: "TLS",
    StageName.HTTP: "HTTP",
    StageName.HEALTH: "HC",
}
"""How the codes of a stage begin."""

_FAILURES, _TIMERS, _SEVERITIES = frozenset(Failure), frozenset(Timer), frozenset(Severity)
_REQUIRED = {"code": str, "name": str, "title": str, "severity": str, "when": dict, "why": str, "fixes": list, "examples": dict}
_OPTIONAL = {"means": dict, "see": list, "retired": str}
_MEANS = {"code", "status", "response_flags", "response_code_details", "evidence", "versions"}
_TESTS = {"min", "max", "prefix", "suffix", "contains", "matches", "not"}
_ENVOY_WORD = re.compile(r"\{([A-Za-z_0-9]+)\}")


class _Reader:
    def __init__(self, path: Path) -> None:
        self.path = path

    def refuse(self, key: str, message: str) -> CatalogError:
        return CatalogError(f"{self.path}: {key}: {message}")

    def texts(self, key: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
            raise self.refuse(key, "must be a list of texts")
        return tuple(value)

    def mapping(self, key: str, value: object) -> dict[str, object]:
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value):
            raise self.refuse(key, "must be a mapping")
        return value

    def top(self, document: object) -> dict[str, object]:
        data = self.mapping("(top)", document)
        for key in data:
            if key not in _REQUIRED and key not in _OPTIONAL:
                raise self.refuse(key, "is no key of a rule")
        for key, kind in _REQUIRED.items():
            if not isinstance(data.get(key), kind):
                raise self.refuse(key, f"is required and must be a {kind.__name__}")
        for key, kind in _OPTIONAL.items():
            if key in data and not isinstance(data[key], kind):
                raise self.refuse(key, f"must be a {kind.__name__}")
        return data

    def when(self, value: dict[str, object]) -> None:
        failures = value.get("failure")
        for one in failures if isinstance(failures, list) else [failures]:
            if one not in _FAILURES:
                raise self.refuse("when.failure", f"{one!r} is no failure of the model")
        timers = value.get("timer", [])
        for one in timers if isinstance(timers, list) else [timers]:
            if not isinstance(one, bool) and one not in _TIMERS:
                raise self.refuse("when.timer", f"{one!r} is no timer of the model")
        for key, wanted in value.items():
            if isinstance(wanted, Mapping) and (not wanted or not set(wanted) <= _TESTS):
                raise self.refuse(f"when.{key}", f"knows only {', '.join(sorted(_TESTS))}")
            if wanted is None:
                raise self.refuse(f"when.{key}", "needs a value")

    def means(self, value: dict[str, object]) -> None:
        for key in sorted(_MEANS - {"versions"} - set(value)):
            raise self.refuse(f"means.{key}", "is required")
        for key in sorted(set(value) - _MEANS):
            raise self.refuse(f"means.{key}", "is no key of means")
        if not (value["status"] == "{status}" or isinstance(value["status"], int)):
            raise self.refuse("means.status", "must be a number or {status}")
        evidence = value["evidence"]
        self.texts("means.evidence", evidence if isinstance(evidence, list) else [evidence])
        versions = self.mapping("means.versions", value.get("versions", {}))
        details = [str(value["response_code_details"])]
        for version, override in versions.items():
            details.append(str(self.mapping(f"means.versions.{version}", override).get("response_code_details", "")))
        for name in (match[1] for detail in details for match in _ENVOY_WORD.finditer(detail)):
            if name not in DETAIL_FACTS and name not in ENVOY_WORDS:
                raise self.refuse("means.response_code_details", f"{{{name}}} is neither a fact that Envoy prints nor a word of Envoy's")

    def examples(self, value: dict[str, object]) -> None:
        for key, some in value.items():
            if key not in ("fires", "silent") or not isinstance(some, list) or not all(isinstance(one, dict) for one in some):
                raise self.refuse(f"examples.{key}", "must be `fires` or `silent`, a list of facts")
            for facts in some:
                for name, fact in facts.items():
                    if isinstance(fact, list):
                        facts[name] = tuple(map(str, fact))
                    elif fact is not None and not isinstance(fact, str | int | float | bool):
                        raise self.refuse(f"examples.{key}.{name}", f"{fact!r} is no fact (quote a date)")


def rule_from(path: Path, document: object, stage: StageName) -> Rule:
    """The rule of one file. Raises CatalogError with file and key where it breaks the schema."""
    reader = _Reader(path)
    data = reader.top(document)
    code, name = str(data["code"]), str(data["name"])
    if not re.fullmatch(PREFIX[stage] + r"\d{3}", code):
        raise reader.refuse("code", f"must be {PREFIX[stage]} and three digits")
    if name != path.stem:
        raise reader.refuse("name", "must be the file's name")
    if data["severity"] not in _SEVERITIES:
        raise reader.refuse("severity", f"must be one of {', '.join(Severity)}")
    when = reader.mapping("when", data["when"])
    reader.when(when)
    means = reader.mapping("means", data["means"]) if "means" in data else None
    if means is not None:
        reader.means(means)
    examples = reader.mapping("examples", data["examples"])
    reader.examples(examples)
    return Rule(
        code=code,
        name=name,
        stage=stage,
        title=str(data["title"]),
        severity=Severity(str(data["severity"])),
        when=when,
        means=means,
        why=str(data["why"]).strip(),
        fixes=reader.texts("fixes", data["fixes"]),
        see=reader.texts("see", data.get("see", [])),
        retired=str(data.get("retired", "")),
        examples=examples,
    )
