"""The root causes that users hit as a page: `python tools/causes.py` writes docs/root-causes.md, `--check` finds it stale.

What a cause is stands in tests/causes/causes.yaml. Its tests are those in that folder whose docstring begins with its letter, and the
rules are those that they expect: a cause without a test, or a rule that is not there, is an error.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from pomprobe.catalog import load

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "tests" / "causes"
PAGE = ROOT / "docs" / "root-causes.md"
CODE = re.compile(r"\b(?:CFG|DNS|TCP|TLS|HTTP|HC)\d{3}\b")
FORECAST, FIX = re.compile(r"assert .*(?:forecast|answers\()"), re.compile(r"assert .*(?:\.fix\(|\.fixes|fixes\()")
"""What a test of a cause has to look at, beside the rule."""

LETTER = re.compile(r"([A-Z]): ")


class StaleError(Exception):
    """The data, the tests and the catalogue do not fit together."""


@dataclass(frozen=True)
class Test:
    """A test: its file and name, the codes of the rules in its source, and whether it looks at forecast and fix as well."""

    place: str
    codes: frozenset[str]
    whole: bool


def tests() -> dict[str, list[Test]]:
    """The tests of each cause, by its letter."""
    found: dict[str, list[Test]] = {}
    for path in sorted(FOLDER.glob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                letter = LETTER.match(ast.get_docstring(node) or "")
                if letter is None:
                    raise StaleError(f"{path.name}: {node.name} does not say which cause it plays")
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                source = "\n".join(lines[first - 1 : node.end_lineno])
                codes = frozenset(CODE.findall(source))
                whole = bool(codes and FORECAST.search(source) and FIX.search(source))
                found.setdefault(letter[1], []).append(Test(f"{path.name} {node.name}", codes, whole))
    return found


def page() -> str:
    """The whole page. Raises StaleError."""
    causes, played = yaml.safe_load((FOLDER / "causes.yaml").read_text(encoding="utf-8")), tests()
    known = {rule.code for rule in load().rules if not rule.retired}
    for letter in sorted(played.keys() - {cause["id"] for cause in causes}):
        raise StaleError(f"tests play {letter}, which is not in causes.yaml")
    for cause in causes:
        letter, some = cause["id"], played.get(cause["id"], [])
        if "unseen" in cause and "do" not in cause:
            raise StaleError(f"{letter} is said to be unseen, and not what its users can do")
        if bool(some) == ("unseen" in cause):
            raise StaleError(f"{letter} " + ("is said to be unseen, and has tests" if some else "has no test"))
        if some and not any(test.codes for test in some):
            raise StaleError(f"no test of {letter} names a rule")
        if some and not any(test.whole for test in some):
            raise StaleError(f"no test of {letter} asserts a rule, the forecast and a fix")
        for code in sorted({*cause.get("also", []), *(code for test in some for code in test.codes)} - known):
            raise StaleError(f"{letter} names {code}, which is no rule")
    return "\n".join(_lines(causes, played)).rstrip() + "\n"


def _lines(causes: list[dict[str, object]], played: dict[str, list[Test]]) -> Iterator[str]:
    unseen = [cause for cause in causes if "unseen" in cause]
    yield from ("# What users really hit", "")
    yield from ("<!-- Written by tools/causes.py from tests/causes: change that and run `make docs`. -->", "")
    reports, seen = sum(int(str(cause["cases"])) for cause in causes), len(causes) - len(unseen)
    yield f"The {len(causes)} root causes of {reports} failures that users reported, most in issues of Pomerium's and Envoy's repositories."
    tested = sum(map(len, played.values()))
    yield f"{seen if unseen else 'All'} of them can be seen from outside: {tested} tests play those on loopback,"
    yield "from a config's text to the forecast, the rule and its fix."
    yield from ("", "| | cause | reports | what users see | rules | what helps |", "|---|---|---|---|---|---|")
    for cause in causes:
        rules = sorted({code for test in played.get(str(cause["id"]), []) for code in test.codes})
        linked = " ".join(f"[{code}](rules/{code}.md)" for code in rules) or f"[not seen from outside](#{str(cause['id']).lower()})"
        cells = [f"[{cause['id']}](#{str(cause['id']).lower()})", cause["cause"], cause["cases"], cause["sees"], linked, cause["fix"]]
        yield f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in cells)} |"
    for cause in causes:
        yield from ("", f"## {cause['id']}", "", f"{cause['cause']}.", "")
        if "unseen" in cause:
            yield f"Not seen from outside. {cause['unseen']}"
            yield from ("", f"What you can do: {cause['do']}.")
            continue
        yield from (f"- `tests/causes/{test.place.replace(' ', '` ', 1)}" for test in played[str(cause["id"])])
        also = cause.get("also")
        if isinstance(also, list):
            yield from ("", "Its siblings: " + ", ".join(f"[{code}](rules/{code}.md)" for code in sorted(also)) + ".")
        if "limits" in cause:
            yield from ("", f"Not seen: {cause['limits']}.")


def main(arguments: list[str]) -> int:
    """Write the page, or say what is wrong with it."""
    try:
        made = page()
    except StaleError as stale:
        sys.stderr.write(f"{stale}\n")
        return 1
    if "--check" not in arguments:
        PAGE.write_text(made, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == made:
        return 0
    sys.stderr.write("docs/root-causes.md is stale: run `make docs`\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
