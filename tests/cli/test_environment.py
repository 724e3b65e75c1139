"""Environment variables over the config: in a pod by themselves, elsewhere when asked for."""

from __future__ import annotations

import base64

import pytest

from .program import config, pomprobe

POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
SAID = "pomprobe: the environment wins over the config, as for Pomerium"
INSTEAD = {"ROUTES": base64.b64encode(b"- from: https://other.example.com\n  to: http://other.example.com\n").decode()}


def hosts(*arguments: str, environment: dict[str, str]) -> tuple[list[str], str]:
    """The routes that `list` names, and what it says beside."""
    ended = pomprobe("list", config("to: http://app.example.com"), *arguments, environment=environment)
    assert 0 == ended.code
    return [line.split()[1] for line in ended.out.splitlines() if not line.startswith(" ")], ended.err


def test_nothing_of_the_environment_counts_by_itself() -> None:
    """Outside of a pod it is not read, and not spoken of."""
    assert (["https://a.example.com"], "") == hosts(environment=INSTEAD)


def test_asked_for_it_wins() -> None:
    """--env puts the variables over the config's keys, and says so."""
    assert (["https://other.example.com"], f"{SAID}\n") == hosts("--env", environment=INSTEAD)


def test_in_a_pod_it_wins() -> None:
    """In a pod --env is the default, and the line on standard error says how to turn it off."""
    expected = f"{SAID}, since this is a pod; --no-env leaves it out\n"
    assert (["https://other.example.com"], expected) == hosts(environment=POD | INSTEAD)


def test_it_can_be_left_out_in_a_pod() -> None:
    """--no-env: as outside of a pod."""
    assert (["https://a.example.com"], "") == hosts("--no-env", environment=POD | INSTEAD)


@pytest.mark.parametrize("command", ["check", "lint", "list"])
def test_every_command_that_reads_a_config_has_it(command: str) -> None:
    """check, lint and list say the same."""
    ended = pomprobe(command, config("response:\n  status: 200\n  body: x"), "--env")
    assert f"{SAID}\n" == ended.err


def test_quiet_does_not_speak_of_it() -> None:
    """A cron job in a pod prints nothing when all is well."""
    assert "" == pomprobe("check", "--quiet", config("response:\n  status: 200\n  body: x"), environment=POD).err


def test_reproduce_has_it() -> None:
    """The Envoy that is configured has the upstreams of the environment."""
    ended = pomprobe("reproduce", config("to: http://app.example.com"), "--env", "--print-config", environment=INSTEAD)
    assert (0, f"{SAID}\n") == (ended.code, ended.err)
    assert "other.example.com" in ended.out and "app.example.com" not in ended.out
