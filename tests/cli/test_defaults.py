"""Defaults of options: pomprobe.toml in the working directory, and the environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pomprobe.cli.app import command, options
from servers.app import app

from .program import Ended, config, pomprobe


def test_a_file_sets_options_of_a_command() -> None:
    """[check] of pomprobe.toml holds long names of options; lists where an option may be repeated."""
    Path("pomprobe.toml").write_text('[check]\nfail-on = "never"\noutput = ["short", "json=r.json"]\nconcurrency = 3\n')
    with app(running=False) as down:
        ended = pomprobe("check", config(f"to: {down.url}"))
    assert (0, "failing") == (ended.code, json.loads(Path("r.json").read_text())["routes"][0]["status"])
    assert "1 route: 1 failing" in ended.out


def test_the_command_line_wins_over_the_environment_and_that_over_the_file() -> None:
    """Each of the three may say the same thing; the nearest wins."""
    Path("pomprobe.toml").write_text('[check]\nfail-on = "never"\n')
    with app(running=False) as down:
        name = config(f"to: {down.url}")
        by_file = pomprobe("check", name)
        by_environment = pomprobe("check", name, environment={"POMPROBE_CHECK_FAIL_ON": "error"})
        by_call = pomprobe("check", name, "--fail-on", "never", environment={"POMPROBE_CHECK_FAIL_ON": "error"})
    assert [0, 1, 0] == [ended.code for ended in (by_file, by_environment, by_call)]


def test_a_variable_holds_several_values_with_spaces_between() -> None:
    """POMPROBE_CHECK_OUTPUT is split at spaces, as for every option that may be repeated."""
    with app() as up:
        name = config(f"to: {up.url}")
        pomprobe("check", name, environment={"POMPROBE_CHECK_OUTPUT": "json=one.json junit=two.xml"})
    assert Path("one.json").exists() and Path("two.xml").exists()


def test_a_variable_turns_a_switch() -> None:
    """A switch is on for 1 and off for 0."""
    with app() as up:
        name = config(f"to: {up.url}")
        assert Ended(0, "", "") == pomprobe("check", name, environment={"POMPROBE_CHECK_QUIET": "1"})
        assert "" != pomprobe("check", name, environment={"POMPROBE_CHECK_QUIET": "0"}).out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[chek]\n", "pomprobe.toml: chek is no table; did you mean check?"),
        ("[check]\nfailon = 1\n", "pomprobe.toml: failon is no option of check; did you mean fail-on?"),
        ("check = 1\n", "pomprobe.toml: check is to be a table; write [check] and the options below it"),
    ],
)
def test_a_mistake_in_the_file_is_one_line(text: str, said: str) -> None:
    """A table or an option that there is not is exit code 2, and what was probably meant is named."""
    Path("pomprobe.toml").write_text(text)
    assert Ended(2, "", f"pomprobe: {said}\n") == pomprobe("check", "config.yaml")


def test_a_file_that_is_no_toml_is_one_line() -> None:
    """The place of the mistake is said."""
    Path("pomprobe.toml").write_text("[check\n")
    ended = pomprobe("check", "config.yaml")
    assert (2, 1) == (ended.code, ended.err.count("\n"))
    assert "pomprobe.toml: " in ended.err and "line 1" in ended.err


def test_every_option_can_be_set() -> None:
    """What pomprobe.toml may set are the options of the commands, and no argument."""
    commands = command().commands  # type: ignore[attr-defined]
    for name, known in options().items():
        assert {p.name for p in commands[name].params if p.param_type_name == "option"} - {"help"} == known
