"""pomprobe lint from outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from .program import Ended, config, pomprobe

UPSTREAM = "to: http://app.example.com"
UNKNOWN = "nosuchkey: 1\n"


def found(*arguments: str) -> str:
    """The text report of lint."""
    ended = pomprobe("lint", *arguments)
    assert "" == ended.err
    return ended.out


def test_nothing_wrong_is_good() -> None:
    """A config without problems is exit code 0, and with --quiet nothing is printed."""
    assert "Nothing is wrong with config.yaml" in found(config(UPSTREAM))
    assert Ended(0, "", "") == pomprobe("lint", "--quiet", "config.yaml")


def test_fail_on() -> None:
    """A warning is exit code 1 with --fail-on warning."""
    assert [0, 1] == [pomprobe("lint", config(UPSTREAM, top=UNKNOWN), "--fail-on", on).code for on in ("error", "warning")]


def code_of(name: str) -> str:
    """The code of the only problem of this config."""
    (line,) = [line for line in found(name, "-o", "short").splitlines() if line.startswith("warning ")]
    return next(word for word in line.split() if word.startswith("CFG"))


def test_known_problems_are_set_aside() -> None:
    """--suppress, a comment and a --baseline, as for check."""
    code = code_of(config(UPSTREAM, top=UNKNOWN))
    found("config.yaml", "-o", "json=known.json")
    config(UPSTREAM, name="commented.yaml", top=f"nosuchkey: 1 # pomprobe: ignore {code}\n")
    for arguments in (["config.yaml", "--suppress", code], ["config.yaml", "--baseline", "known.json"], ["commented.yaml"]):
        ended = pomprobe("lint", *arguments, "--fail-on", "warning")
        assert (0, "") == (ended.code, ended.err)
        assert "1 finding suppressed" in ended.out


def test_what_only_check_can_need_is_not_unused() -> None:
    """A suppression of a rule of another stage, in an option or in a comment, is none of lint's business."""
    name = config(f"# pomprobe: ignore TCP102\n{UPSTREAM}")
    assert "Nothing is wrong" in found(name, "--suppress", "HTTP503")


def test_a_suppression_that_nothing_needs_is_said() -> None:
    """One of a rule that there is not, or of one of lint's that found nothing."""
    name = config(f"# pomprobe: ignore CFG000\n{UPSTREAM}")
    ended = pomprobe("lint", name, "--suppress", "CFG001")
    assert 0 == ended.code
    assert ["pomprobe: config.yaml:4: ignore CFG000: nothing to suppress", "pomprobe: --suppress CFG001: there is no rule CFG001"] == (
        ended.err.splitlines()
    )


def test_a_refused_config_is_exit_code_2() -> None:
    """What Pomerium would not start with is said on standard error."""
    Path("c.yaml").write_text("- a\n")
    ended = pomprobe("lint", "c.yaml")
    assert (2, "", 1) == (ended.code, ended.out, ended.err.count("\n"))


def test_a_file_is_written_even_if_all_is_well() -> None:
    """--quiet is about standard output."""
    assert Ended(0, "", "") == pomprobe("lint", "--quiet", config(UPSTREAM), "-o", "sarif=r.sarif")
    assert Path("r.sarif").exists()


def test_a_file_that_cannot_be_written_is_said() -> None:
    """Exit code 3 and one line."""
    said = "pomprobe: cannot write none/r.sarif: No such file or directory\n"
    assert Ended(3, "", said) == pomprobe("lint", config(UPSTREAM), "-o", "sarif=none/r.sarif")


@pytest.mark.parametrize(("arguments", "said"), [([], "no config: pomprobe lint"), (["c", "-o", "x"], "-o x: no such format")])
def test_a_wrong_call_is_one_line(arguments: list[str], said: str) -> None:
    """Exit code 2."""
    ended = pomprobe("lint", *arguments)
    assert (2, "", 1) == (ended.code, ended.out, ended.err.count("\n"))
    assert said in ended.err
