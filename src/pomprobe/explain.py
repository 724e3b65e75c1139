"""From an error back to its causes (pure): a rule, a code of Pomerium's documentation, Envoy's words, a log line or an error page."""

from __future__ import annotations

import difflib
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from .catalog import Catalog, home, load
from .catalog.documents import CatalogError, document, texts
from .catalog.render import ENVOY_WORDS, plain, required
from .catalog.reverse import Cause, causes
from .model import Facts, Rule
from .record import Record, field
from .sighting import RESET, Sighting, sighted

OWN = re.compile(r"\bpomerium-(?:authorize|databroker|authenticate|control-plane-(?:grpc|http|connect|metrics))\b")
"""Envoy's clusters for Pomerium's own services (config/envoyconfig/clusters.go); a route's is called otherwise."""

WIDTH = 100
"""Columns of the rendered text."""

ROW = re.compile(r"[a-z ]{2,14}  +(?=\S)")
"""A setting's name, beside which its value stands."""

UNSEEN = "If `pomprobe check` finds nothing"
"""Heading of what one GET does not show."""

NEAR = 5
"""Words that are offered where nothing fits."""


class Code(Record, frozen=True):
    """One of Envoy's codes: the file probes/codes/NAME.yaml. also: further names of the same thing.

    unseen: words of the details, and what may be behind these that no probe sees.
    """

    name: str
    also: tuple[str, ...]
    title: str
    seen_as: str
    sections: tuple[tuple[str, str], ...]
    first: str
    see: tuple[str, ...]
    unseen: tuple[str, str] | None = None


class Explanation(Record, frozen=True):
    """What there is to say. sections: heading and text; rules: the causes that pomprobe tells apart; known: was anything found?

    narrowed: what of the causes is left out, in words.
    """

    title: str
    sections: tuple[tuple[str, str], ...] = ()
    rules: tuple[Rule, ...] = ()
    see: tuple[str, ...] = ()
    known: bool = True
    facts: Facts = field(default_factory=dict)
    narrowed: str = ""


def explain(what: str) -> Explanation:
    """Explain a rule's code or name, a code of Envoy's, a response flag, response code details, a log line or an error page."""
    catalog, text = load(), what.strip()
    if rule := catalog.get(text):
        return _rule(rule)
    if code := _code(text):
        return _of_code(code, catalog)
    if text.upper() in flags():
        return _of_flag(text.upper(), catalog)
    if len(several := text.upper().split(",")) > 1 and set(several) <= set(flags()):
        return Explanation(f"{text.upper()}: several flags", tuple((flag, flags()[flag]) for flag in several))
    if text.lower().replace(" ", "_") in ENVOY_WORDS:  # a reset reason by itself
        text = f"{RESET}{{{text.lower().replace(' ', '_')}}}"
    if OWN.search(text) and (code := _code("pomerium_service")):
        return _of_code(code, catalog)
    seen = sighted(text, tuple(heads()))
    if seen is not None:
        return _of_sighting(seen, catalog)
    return _unknown(text, catalog)


def render(explanation: Explanation) -> str:
    """The explanation as lines of plain text."""
    lines = [explanation.title, ""]
    for heading, text in explanation.sections:
        lines += [heading, *_wrapped(text), ""]
    if len(explanation.rules) > 1:
        lines.append("The causes that pomprobe tells apart")
        lines += [f"  {rule.code:<8}{plain(rule.title, explanation.facts)}" for rule in explanation.rules]
        lines += [f"  {explanation.narrowed}"] if explanation.narrowed else []
        lines += ["", "`pomprobe check` says which one it is; `pomprobe explain CODE` says more about one of them.", ""]
    lines += [f"See {link}" for link in explanation.see]
    return "\n".join(lines).rstrip()


def _wrapped(text: str) -> Iterator[str]:
    for paragraph in text.split("\n"):
        row = ROW.match(paragraph)
        hang = " " * (2 + row.end()) if row else "    " if paragraph.startswith("- ") else "  "
        yield from textwrap.wrap(
            paragraph, WIDTH, initial_indent="  ", subsequent_indent=hang, break_long_words=False, break_on_hyphens=False
        )


# ------------------------------------------------------------------------------------------------ what is known


@cache
def codes() -> tuple[Code, ...]:
    """The codes of Pomerium's documentation, and the others that Envoy uses under its configuration."""
    return tuple(_read(document(path, text)) for path, text in texts(home() / "codes"))


def _read(document: object) -> Code:
    if not isinstance(document, dict):
        raise CatalogError("probes/codes: a file is no mapping")
    sections = tuple((str(section["heading"]), str(section["text"]).strip()) for section in document["sections"])
    also, see = tuple(map(str, document.get("also", ()))), tuple(map(str, document["see"]))
    unseen = document.get("unseen")
    hidden = (str(unseen["words"]), str(unseen["text"])) if isinstance(unseen, dict) else None
    name, title, seen_as, first = (str(document[key]) for key in ("name", "title", "seen_as", "first"))
    return Code(name, also, title, seen_as, sections, first, see, hidden)


@cache
def flags() -> Mapping[str, str]:
    """Envoy's response flags, each in one line."""
    path = home() / "flags.yaml"
    found = document(path, path.read_bytes())
    return {str(flag): str(text) for flag, text in found.items()} if isinstance(found, dict) else {}


def heads() -> Iterator[str]:
    """Every word with which response code details begin."""
    for code in codes():
        yield code.name
        yield from code.also


def _code(text: str) -> Code | None:
    name = text.lower()
    return next((code for code in codes() if name == code.name or name in code.also), None)


# ------------------------------------------------------------------------------------------------ the explanations


def _rule(rule: Rule) -> Explanation:
    sections = [("Why", plain(rule.why)), ("What helps", _helps(rule, {}))]
    if rule.means is not None:
        status = "the app's own status" if rule.means["status"] == "{status}" else rule.means["status"]
        seen = f"{status} {rule.means['response_flags']} {plain(str(rule.means['response_code_details']))}"
        sections.insert(0, ("What users see", seen))
    if rule.retired:
        sections.insert(0, ("Retired", rule.retired))
    title = f"{rule.code} {rule.name} ({rule.severity}): {plain(rule.title)}"
    return Explanation(title, tuple(section for section in sections if section[1]), (rule,), rule.see)


def _helps(rule: Rule, facts: Facts) -> str:
    """The fixes with what is known; those that tell what a probe has tried are left out."""
    return "\n".join(f"- {plain(fix, facts)}" for fix in rule.fixes if "works" not in required(fix))


def _of_code(code: Code, catalog: Catalog) -> Explanation:
    also = (("Also called", ", ".join(code.also)),) if code.also else ()
    hidden = ((UNSEEN, code.unseen[1]),) if code.unseen is not None and not code.unseen[0] else ()
    sections = (("Seen as", code.seen_as), *also, *code.sections, *hidden, ("First", code.first))
    return Explanation(f"{code.name}: {code.title}", sections, _rules_of(code, catalog), code.see)


def _rules_of(code: Code, catalog: Catalog) -> tuple[Rule, ...]:
    names = (code.name, *code.also)
    return tuple(rule for rule in catalog.rules if rule.means is not None and not rule.retired and rule.means["code"] in names)


def _of_flag(flag: str, catalog: Catalog) -> Explanation:
    if flag not in flags():
        return _unknown(flag, catalog)
    rules = tuple(rule for rule in catalog.rules if rule.means is not None and not rule.retired and rule.means["response_flags"] == flag)
    names = tuple(dict.fromkeys(str(rule.means["code"]) for rule in rules if rule.means is not None))
    sections = (("Response code details with this flag", ", ".join(names)),) if names else ()
    return Explanation(f"{flag}: {flags()[flag]}", sections, rules)


def _of_sighting(seen: Sighting, catalog: Catalog) -> Explanation:
    code = _code(seen.head)
    if code is None:  # a log line with flags and no details
        return _of_flag((seen.flags or "-").split(",")[0], catalog)
    found = causes(catalog, seen.details, seen.status, seen.flags)
    shown = " ".join(str(part) for part in (seen.status, seen.flags) if part is not None)
    sections = [("Found in the text", f"{shown} {seen.details}".strip())]
    if seen.cluster:
        sections.append(("Of which route", f"pomprobe check config.yaml --route {seen.cluster} finds it in your config, and probes it."))
    known = {flag: flags()[flag] for flag in (seen.flags or "").split(",") if flag in flags()}
    if known:
        sections.append(("Response flags", "\n".join(f"- {flag}: {text}" for flag, text in known.items())))
    sections.append(("What it means", code.sections[0][1]))
    facts = {name: value for cause in found for name, value in cause.facts.items()}
    if len(found) == 1:
        sections += of_cause(found[0])
    elif not found:
        sections += [*code.sections[1:], ("First", code.first)]
    if code.unseen is not None and code.unseen[0] in seen.details:
        sections.append((UNSEEN, code.unseen[1]))
    rules = tuple(cause.rule for cause in found) or _rules_of(code, catalog)
    see = tuple(dict.fromkeys((*code.see, *(found[0].rule.see if len(found) == 1 else ()))))
    return Explanation(f"{seen.head}: {code.title}", tuple(sections), rules, see, facts=facts)


def of_cause(cause: Cause) -> Sequence[tuple[str, str]]:
    """The sections about the one cause that is left."""
    rule = cause.rule
    title, why = plain(rule.title, cause.facts), plain(rule.why, cause.facts)
    return [(f"The cause: {rule.code}", title), ("Why", why), ("What helps", _helps(rule, cause.facts))]


def _unknown(text: str, catalog: Catalog) -> Explanation:
    words = [*heads(), *(rule.code.lower() for rule in catalog.rules), *(rule.name for rule in catalog.rules), *flags()]
    near = difflib.get_close_matches(text.lower()[:100], words, NEAR, 0.6)
    hint = f"The nearest words are {', '.join(near)}." if near else "It holds none of Envoy's codes."
    what = "What can be explained: a rule's code (TLS102), a code such as no_healthy_upstream, details, a log line, an error page."
    title = f"Nothing is known about {textwrap.shorten(text, 80, placeholder='…')!r}"
    return Explanation(title, (("Instead", f"{hint} {what}"),), known=False)
