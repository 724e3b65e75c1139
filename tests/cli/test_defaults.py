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
        ("[chek]\n", "pomprobe.toml:1: chek is no table; did you mean check?"),
        ("[check]\nfailon = 1\n", "pomprobe.toml:2: failon is no option of check; did you mean fail-on?"),
        ("check = 1\n", "pomprobe.toml:1: check is to be a table; write [check] and the options below it"),
        ('[lint]\n[check]\n\nconcurrency = "9"\n', "pomprobe.toml:4: concurrency is a number, without quotes"),
        ("[check]\nconcurrency = 0\n", "pomprobe.toml:2: concurrency: 0 is not in the range x>=1."),
        ("[check]\nwarn-at = 2.0\n", "pomprobe.toml:2: warn-at: 2.0 is not in the range 0.0<=x<=1.0."),
        ("[check]\nquiet = 1\n", "pomprobe.toml:2: quiet is a switch; write quiet = true or quiet = false"),
        ("[check]\noutput = 3\n", 'pomprobe.toml:2: output is a list of texts; write output = ["…"]'),
        ("[check]\nmax-wait = 5\n", 'pomprobe.toml:2: max-wait is a text; write max-wait = "5"'),
        ('[check]\nfail-on = ["error"]\n', "pomprobe.toml:2: fail-on cannot be a list; write one value"),
        ('[check]\nfail-on = "x"\n', "--fail-on x: one of error, warning, never (from pomprobe.toml)"),
        ('[check]\noutput = ["jason"]\n', "-o jason: no such format; did you mean json? (from pomprobe.toml)"),
    ],
)
def test_a_mistake_in_the_file_is_one_line(text: str, said: str) -> None:
    """A table, an option or a value that cannot be meant is exit code 2; where it stands and what to write are named."""
    Path("pomprobe.toml").write_text(text)
    assert Ended(2, "", f"pomprobe: {said}\n") == pomprobe("check", "config.yaml")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CONCURRENCY", "0", "POMPROBE_CHECK_CONCURRENCY: 0 is not in the range x>=1."),
        ("FAIL_ON", "x", "--fail-on x: one of error, warning, never (from POMPROBE_CHECK_FAIL_ON)"),
        ("OUTPUT", "jason", "-o jason: no such format; did you mean json? (from POMPROBE_CHECK_OUTPUT)"),
        ("MAX_WAIT", "soon", '--max-wait soon: time: invalid duration "soon"; write for example 30s (from POMPROBE_CHECK_MAX_WAIT)'),
    ],
)
def test_a_mistake_in_a_variable_is_one_line(name: str, value: str, said: str) -> None:
    """Exit code 2, and the variable is named."""
    ended = pomprobe("check", "config.yaml", environment={f"POMPROBE_CHECK_{name}": value})
    assert Ended(2, "", f"pomprobe: {said}\n") == ended


def test_what_the_command_line_says_is_not_blamed_on_the_file() -> None:
    """Where both are wrong, the command line counts."""
    Path("pomprobe.toml").write_text('[check]\nfail-on = "x"\n')
    assert "pomprobe: --fail-on y: one of error, warning, never\n" == pomprobe("check", "config.yaml", "--fail-on", "y").err


def test_a_misspelt_variable_is_said() -> None:
    """One that looks like an option's does nothing, and that is said; those that Kubernetes makes for a Service are none of ours."""
    with app() as up:
        name = config(f"to: {up.url}")
        misspelt = pomprobe("check", name, environment={"POMPROBE_CHECK_FAILON": "never"})
        service = pomprobe("check", name, environment={"POMPROBE_CHECK_PORT_80_TCP": "tcp://10.0.0.1:80"})
    assert (0, "pomprobe: POMPROBE_CHECK_FAILON: no such option of check; did you mean POMPROBE_CHECK_FAIL_ON?\n") == (
        misspelt.code,
        misspelt.err,
    )
    assert (0, "") == (service.code, service.err)


def test_one_text_will_do_where_several_may_stand() -> None:
    """output = "short" is a list of one."""
    Path("pomprobe.toml").write_text('[check]\noutput = "short"\n')
    with app() as up:
        assert "✓ a.example.com: 200" in pomprobe("check", config(f"to: {up.url}")).out


def test_a_file_that_is_no_toml_is_one_line() -> None:
    """The place of the mistake is said."""
    Path("pomprobe.toml").write_text("[check\n")
    ended = pomprobe("check", "config.yaml")
    assert (2, 1) == (ended.code, ended.err.count("\n"))
    assert "pomprobe.toml: " in ended.err and "line 1" in ended.err


def test_every_option_can_be_set() -> None:
    """What pomprobe.toml may set are the options of the commands, and no argument."""
    made = command()
    for name, known in options(made).items():
        assert {p.name for p in made.commands[name].params if p.param_type_name == "option"} - {"help"} == set(known)
