"""The annotations, read back as GitHub's runner reads a line of the log."""

from __future__ import annotations

from collections import Counter

import pytest

from pomprobe.report.clean import clean

from . import examples
from .conftest import Printed

COMMANDS = ("error", "warning", "notice")
Command = tuple[str, dict[str, str], str]


def command(line: str) -> Command | None:
    """actions/runner, ActionCommand.cs, TryParseV2."""
    line = line.lstrip()
    end = line.find("::", 2)
    if not line.startswith("::") or end < 0:
        return None
    name, _, properties = line[2:end].partition(" ")
    assert name in COMMANDS
    pairs = [pair.partition("=") for pair in properties.split(",")]
    return name, {key: unescaped(value, {"%3A": ":", "%2C": ","}) for key, _, value in pairs}, unescaped(line[end + 2 :], {})


def unescaped(text: str, more: dict[str, str]) -> str:
    for escape, character in {"%0D": "\r", "%0A": "\n", **more, "%25": "%"}.items():
        text = text.replace(escape, character)
    return text


def commands(text: str) -> list[Command]:
    return [found for line in text.split("\n") if (found := command(line)) is not None]


def test_an_annotation_stands_at_the_line_of_the_config(printed: Printed) -> None:
    """File, line, column, title, and a message with share, details and fix."""
    (found,) = commands(printed(examples.report(examples.refusing()), "github"))
    assert "error" == found[0]
    assert {"file": "pomerium.yaml", "line": "4", "col": "5", "title": "TCP101 app"} == found[1]
    assert found[2].startswith(
        "Nothing listens on 10.0.0.2:8080 and 10.0.0.3:8080\n"
        f"2 of 3 requests (67 %) get 503 UF {examples.REFUSED.response_code_details}\nFix: Start the app"
    )


@pytest.mark.parametrize("case", examples.CASES)
def test_there_are_at_most_ten_of_a_type(case: str, printed: Printed) -> None:
    """GitHub drops what is beyond ten a step, so nothing is beyond."""
    counts = Counter(name for name, _, _ in commands(printed(examples.CASES[case](), "github")))
    assert [] == [name for name, count in counts.items() if count > 10]


def test_the_rest_is_named_in_one_annotation(printed: Printed) -> None:
    """Forty failing routes: every route is named, every rule is among the first."""
    found = commands(printed(examples.many(), "github"))
    assert {"TCP101", "TLS102", "DNS101"} == {properties["title"].partition(" ")[0] for _, properties, _ in found[:3]}
    assert "12 more of this kind" == found[-1][1]["title"]
    everything = "\n".join(properties["title"] + "\n" + message for _, properties, message in found)
    failing = [r.route.name for r in examples.many().routes if r.verdicts]
    assert [] == [name for name in failing if name not in everything]


def test_hostile_text_is_data(printed: Printed) -> None:
    """Names with colons, commas, per cent signs and line ends come back as data of our own annotations."""
    text = printed(examples.hostile(), "github")
    found = commands(text)
    assert 2 == len(found) == sum("::" in line for line in text.splitlines() if line.startswith("::"))
    assert f"TLS102 {clean(examples.HOSTILE)}" == found[1][1]["title"]
    assert clean(f"dir/{examples.HOSTILE}.yaml") == found[1][1]["file"]


@pytest.mark.parametrize("format", ["text", "short", "markdown"])
def test_other_formats_in_the_log_are_no_commands(format: str, printed: Printed) -> None:
    """A certificate's name cannot annotate, mask or stop the log when the text report is printed to it."""
    assert [] == [line for line in printed(examples.hostile(), format, verbose=True).splitlines() if line.lstrip().startswith("::error")]
    assert "##[" not in printed(examples.hostile(), format)


def test_the_summary_is_an_ordinary_line(printed: Printed) -> None:
    """All well is said, and annotates nothing."""
    assert "pomprobe: All is well: 3 routes answer (1.2 s).\n" in printed(examples.all_well(), "github")
    assert ["notice"] == [name for name, _, _ in commands(printed(examples.all_well(), "github"))]
