"""Markdown for tickets, chats and GitHub's step summary. What others wrote stands in code spans or is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TextIO

from ..model import Report, RouteReport, Status
from . import fold, words
from .clean import clean, prose
from .conclusion import summary
from .layout import MARKS
from .style import Style
from .timeline import timeline
from .unforeseen import unforeseen

LONGEST = 900_000
"""Characters; GitHub refuses a step summary of more than 1 MiB. What does not fit is counted."""

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&$])")
_MENTION = re.compile(r"(?<!\w)@(?=\w)")  # GitHub tells whoever is named with an @, unless something stands behind it
_SPAN = re.compile(r"`([^`]+)`")


def write(report: Report, out: TextIO, style: Style) -> None:
    """A heading, what is wrong with the config, a table of all that is not well, the details, and what is fine."""
    blocks = list(_blocks(report))
    used = 0
    for number, block in enumerate(blocks):
        used += len(block.encode()) + 1
        if used > LONGEST:
            out.write(f"\n… and {len(blocks) - number} more sections, too long for here: see the HTML or JSON report.\n")
            return
        out.write(block + "\n")


def _blocks(report: Report) -> Iterator[str]:
    yield f"## pomprobe: {text(clean(report.config))}\n\n{text(summary(report))}"
    if report.findings:
        lines = [line for problem in fold.problems(report.findings) for line in _problem(problem)]
        yield "\n### Config\n\n" + "\n".join(lines)
    worst = words.worst_first(report.routes)
    bad = [r for r in worst if words.standing(r) not in (Status.OK, Status.SKIPPED)]
    if bad:
        yield "\n| | route | users get | finding |\n|---|---|---|---|"
    for alike in fold.routes(bad):
        yield _row(alike)
    for alike in fold.routes(bad):
        yield _section(alike)
    for status, title in ((Status.OK, "fine"), (Status.SKIPPED, "skipped")):
        these = [r for r in worst if words.standing(r) is status]
        if these:
            rows = "\n".join(_glimpse(r) for r in these)
            yield f"\n<details><summary>{words.plural(len(these), 'route')} {title}</summary>\n\n{rows}\n\n</details>"


def _problem(problem: fold.Problem) -> Iterator[str]:
    finding = problem.first
    yield f"- **{finding.rule.code}** {finding.severity} at {code(clean(finding.place))}: {text(prose(finding.message))}"
    for fix in finding.fixes:
        yield f"  - {text(prose(fix))}"
    if problem.also:
        yield "  - also at " + ", ".join(map(text, problem.also))


def _row(alike: fold.Alike) -> str:
    report = alike.first
    more = f" and {words.plural(len(alike.others), 'more route')}" if alike.others else ""
    name = code(clean(report.route.name), cell=True) + more
    answers = "<br>".join(_answer(report, cell=True)) or text(prose(unforeseen(report)), cell=True)
    found = "<br>".join(f"{s.verdict.rule.code} {text(prose(s.title), cell=True)}" for s in fold.findings(report.verdicts))
    return f"| {MARKS[words.standing(report)]} | {name} | {answers} | {found} |"


def _section(alike: fold.Alike) -> str:
    report = alike.first
    targets = ", ".join(code(clean(u.url)) for u in report.route.upstreams)
    lines = [f"\n### {MARKS[words.standing(report)]} {text(clean(report.route.name))}\n"]
    lines.append(f"{code(clean(report.route.from_url))} → {targets} ({code(clean(report.route.place))})\n")
    if alike.others:
        lines.append("The same for " + ", ".join(map(code, alike.others)) + ".\n")
    lines += [f"- {said}" for said in _answer(report)]
    if not report.forecast:
        lines.append(f"- {text(prose(unforeseen(report)))}")
    if report.confirmed:
        lines.append(f"- {text(prose(report.confirmed))}")
    for line in timeline(report, unicode=True):
        lines.append("- " + text("".join(part for part, _ in line).strip()))
    for seen in fold.findings(report.verdicts):
        lines.append(f"\n**{seen.verdict.rule.code} {text(prose(seen.title))}**{text(seen.at)} {seen.verdict.severity}\n")
        if seen.why:
            lines.append(text(prose(seen.why)) + "\n")
        lines += [f"- {text(prose(fix))}" for fix in seen.fixes]
        lines.append(f"- at {code(clean(seen.place))}")
    return "\n".join(lines)


def _answer(report: RouteReport, *, cell: bool = False) -> Iterator[str]:
    for entry, share, count in fold.answers(report.forecast, fold.endpoint_names(report)):
        said = words.capital(f"{words.share(share)} {words.gets(share)} **{text(clean(words.answered(entry)), cell=cell)}**")
        details = "" if words.own(entry.reply) else " " + code(clean(entry.reply.response_code_details), cell=cell)
        more = f" (and {count - 1} more that differ in the address alone)" if count > 1 else ""
        yield said + details + more + (f" ({text(prose(entry.note), cell=cell)})" if entry.note else "")


def _glimpse(report: RouteReport) -> str:
    name = code(clean(report.route.name))
    if report.status is Status.SKIPPED:
        return f"- {name}: {text(prose(words.why_skipped(report)))}"
    answers = text(clean(words.glimpsed(report)))
    times = "; ".join("".join(part for part, _ in line).strip() for line in timeline(report, unicode=True))
    return f"- {name}: {answers} {text(times)}"


def code(string: str, *, cell: bool = False) -> str:
    """Cleaned text as a code span; the fence is longer than any run of backticks inside. cell: inside a table."""
    fence = "`" * (max((len(run) for run in re.findall(r"`+", string)), default=0) + 1)
    padding = " " if string.startswith("`") or string.endswith("`") or not string.strip() else ""
    span = f"{fence}{padding}{string}{padding}{fence}"
    return span.replace("|", "\\|") if cell else span


def text(string: str, *, cell: bool = False) -> str:
    """Cleaned text with everything escaped that Markdown or HTML would read; `code` spans of the catalogue stay."""
    parts = _SPAN.split(string)
    return "".join(code(part, cell=cell) if number % 2 else _escaped(part) for number, part in enumerate(parts))


def _escaped(string: str) -> str:
    return _MENTION.sub("@<!-- -->", _SPECIAL.sub(r"\\\1", string))
