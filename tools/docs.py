"""The catalogue as pages: `python tools/docs.py` writes docs/rules, `--check` finds pages that are stale, missing or left over."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pomprobe.catalog import load, plain
from pomprobe.catalog.render import required, sentence
from pomprobe.explain import UNSEEN, Code, codes
from pomprobe.model import Fact, Rule, Severity, StageName

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "rules"
STAGES = {
    StageName.CONFIG: "The config itself, seen without a packet",
    StageName.DNS: "Names",
    StageName.TCP: "Connections",
    StageName.TLS: "TLS and certificates",
    StageName.HTTP: "Requests and responses",
    StageName.HEALTH: "Health checks",
}
SEVERITIES = {
    Severity.ERROR: "error: requests fail",
    Severity.WARNING: "warning: works, but not for all or not for long",
    Severity.INFO: "info: worth knowing",
}
WRITTEN = "<!-- Written by tools/docs.py from {source}: change that and run `make docs`. -->"


def pages() -> dict[str, str]:
    """Every page of docs/rules: its name and its text."""
    rows = _rows()
    rules = load().rules
    made = {f"{rule.code}.md": _lines(_page(rule, rows)) for rule in rules}
    made |= {f"{code.name}.md": _lines(_code(code, rules)) for code in codes()}
    return made | {"README.md": _lines(_index(rules))}


def differences(directory: Path, made: Mapping[str, str]) -> list[str]:
    """What is wrong with the pages in this directory, one line each."""
    there = {path.name: path.read_text(encoding="utf-8") for path in sorted(directory.glob("*.md"))}
    wrong = [f"{name} is missing" for name in made if name not in there]
    wrong += [f"{name} is stale" for name, text in made.items() if name in there and there[name] != text]
    return wrong + [f"{name} is left over" for name in there if name not in made]


def write(directory: Path, made: Mapping[str, str]) -> None:
    """Write every page, and remove those of rules that are gone."""
    directory.mkdir(parents=True, exist_ok=True)
    for path in directory.glob("*.md"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (directory / name).write_text(text, encoding="utf-8")


def _rows() -> dict[str, str]:
    """The recorded rows that rules name as evidence: id -> title."""
    data = ROOT / "tests" / "data"
    truth = json.loads((data / "truth.json").read_text(encoding="utf-8"))
    measured = json.loads((data / "measured.json").read_text(encoding="utf-8"))["rows"]
    variants = json.loads((data / "variants.json").read_text(encoding="utf-8"))
    return dict.fromkeys(variants, "a variant of a recorded fault") | {row["id"]: row["title"] for row in (*truth, *measured)}


def _lines(lines: Iterator[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"


def _index(rules: Sequence[Rule]) -> Iterator[str]:
    yield "# The rules"
    yield ""
    yield WRITTEN.format(source="probes/")
    yield ""
    yield f"{sum(not rule.retired for rule in rules)} rules say what a failure means to Pomerium's users, why it happens and what helps."
    yield "A code is stable for ever: scripts may rely on it, and `# pomprobe: ignore CODE` in the config silences it."
    yield "Words in capitals, such as ENDPOINT, stand for what a probe finds."
    for stage, title in STAGES.items():
        yield from ("", f"## {title}", "", "| code | severity | title |", "|---|---|---|")
        for rule in rules:
            if rule.stage is stage:
                retired = " (retired)" if rule.retired else ""
                yield f"| [{rule.code}]({rule.code}.md) | {rule.severity} | {_cell(plain(rule.title))}{retired} |"
    yield from (
        "",
        "## Envoy's codes",
        "",
        "What the error page or the log says, and what can be behind it.",
        "",
        "| code | what it means |",
        "|---|---|",
    )
    for code in codes():
        yield f"| [{code.name}]({code.name}.md) | {_cell(code.title)} |"


def _page(rule: Rule, rows: Mapping[str, str]) -> Iterator[str]:
    source = f"probes/{rule.stage}/{rule.name}.yaml"
    yield from (f"# {rule.code}: {plain(rule.title)}", "", WRITTEN.format(source=source), "")
    yield f"`{rule.name}` · {SEVERITIES[rule.severity]} · stage {rule.stage}"
    if rule.retired:
        yield from ("", f"**Retired:** {rule.retired}")
    yield from _means(rule, rows)
    yield from ("", "## Why", "", plain(rule.why))
    if helps := [plain(fix) for fix in rule.fixes if "works" not in required(fix)]:
        yield from ("", "## What helps", "", *(f"- {fix}" for fix in helps))
    yield from _example(rule)
    yield from ("", "## When it fires", "", *(f"- {_condition(key, wanted)}" for key, wanted in rule.when.items()))
    if rule.see:
        yield from ("", "## See", "", *(f"- <{link}>" for link in rule.see))


def _means(rule: Rule, rows: Mapping[str, str]) -> Iterator[str]:
    if rule.means is None:
        return
    means = rule.means
    status = "the app's own" if means["status"] == "{status}" else means["status"]
    yield from ("", "## What users see", "", "| status | response flags | code |", "|---|---|---|")
    yield f"| {status} | `{means['response_flags']}` | [{means['code']}]({_known(str(means['code']))}) |"
    yield from ("", "```", plain(str(means["response_code_details"])), "```")
    versions = means.get("versions")
    for version, override in versions.items() if isinstance(versions, dict) else ():
        yield from ("", f"From Envoy {version} on:", "", "```", plain(str(override["response_code_details"])), "```")
    evidence = means["evidence"]
    names = evidence if isinstance(evidence, list) else [evidence]
    yield from ("", "A real Envoy answered so to:", "", *(f"- {_escaped(rows[str(name)])} (`{name}`)" for name in names))


def _known(name: str) -> str:
    return next(f"{code.name}.md" for code in codes() if name in (code.name, *code.also))


def _example(rule: Rule) -> Iterator[str]:
    """The words as a report prints them, for the first example whose facts fill the title."""
    fires = rule.examples.get("fires")
    for facts in fires if isinstance(fires, list) else ():
        words: dict[str, Fact] = dict(facts)
        if all(words.get(name) not in (None, "", ()) for name in required(rule.title)) and required(rule.title):
            yield from ("", "## Example", "", f"> {sentence(rule.title, words)}")
            return


def _condition(key: str, wanted: object) -> str:
    if isinstance(wanted, bool):
        return f"`{key}` is {'there' if wanted else 'not there, or false'}"
    if isinstance(wanted, list):
        return f"`{key}` is one of {_values(wanted)}"
    if isinstance(wanted, Mapping):
        return f"`{key}`: " + ", ".join(f"{test} {_values(value)}" for test, value in wanted.items())
    return f"`{key}` is `{wanted}`"


def _values(value: object) -> str:
    return ", ".join(f"`{one}`" for one in (value if isinstance(value, list) else [value]))


def _code(code: Code, rules: Sequence[Rule]) -> Iterator[str]:
    yield from (f"# {code.name}", "", WRITTEN.format(source=f"probes/codes/{code.name}.yaml"), "", f"{code.title}.", "")
    yield f"Seen as {code.seen_as}." + (f" Also called {', '.join(f'`{name}`' for name in code.also)}." if code.also else "")
    unseen = ((f"{UNSEEN}{f' (`{code.unseen[0]}`)' if code.unseen[0] else ''}", code.unseen[1]),) if code.unseen is not None else ()
    for heading, text in (*code.sections, *unseen, ("First", code.first)):
        yield from ("", f"## {heading}", "", text)
    behind = [rule for rule in rules if rule.means is not None and not rule.retired and rule.means["code"] in (code.name, *code.also)]
    if behind:
        yield from ("", "## What can be behind it", "", *(f"- [{rule.code}]({rule.code}.md) {plain(rule.title)}" for rule in behind))
    if code.see:
        yield from ("", "## See", "", *(f"- <{link}>" for link in code.see))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace("*", "\\*")


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or compare them with `--check`."""
    made = pages()
    if "--check" not in arguments:
        write(PAGES, made)
        return 0
    wrong = differences(PAGES, made)
    for line in wrong:
        print(f"docs/rules/{line}", file=sys.stderr)  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
