"""The catalogue has words for every problem of a config, and the facts that they need are there."""

from __future__ import annotations

import pytest

from pomprobe.diagnose import Knowledge, findings
from pomprobe.model import Config, ConfigError, Problem

from . import test_checks, test_from_and_to, test_health_checks, test_kubernetes, test_routes, test_settings, test_sources
from .reading import ROUTE, read, refused, to, with_keys

KNOWLEDGE = Knowledge()
REFUSED = [
    *map(to, test_from_and_to.TO_REFUSED),
    *(f"routes:\n- from: '{written}'\n  to: http://b\n" for written in test_from_and_to.FROM_REFUSED),
    *map(with_keys, test_routes.REFUSED),
    *(with_keys(*lines) for lines in test_routes.PAIRS),
    *(f"{line}\n{ROUTE}" for line in test_settings.REFUSED),
    *map(with_keys, test_health_checks.UNDECODABLE),
]
NOTED = [
    *(text for text, _, _ in test_checks.FIRES),
    *map(with_keys, test_health_checks.REFUSED),
    *(test_kubernetes.SERVICE + test_kubernetes.ingress(line) for line in (*test_kubernetes.INVALID, *test_kubernetes.UNKNOWN)),
]


def told(problems: tuple[Problem, ...]) -> None:
    """Every problem gets a rule of stage config, whose words have no gaps."""
    for finding, problem in zip(findings(problems, KNOWLEDGE), problems, strict=True):
        assert "config" == finding.rule.stage.value
        assert finding.fixes, problem
        for fix in finding.fixes:
            assert "{" not in fix.replace("{}", "").replace("{server: ", "").replace("{path: ", "") or "{" in repr(problem.facts), fix


@pytest.mark.parametrize("text", NOTED)
def test_noted(text: str) -> None:
    """What Pomerium accepts is told in the catalogue's words."""
    config: Config = read(text)
    assert config.problems
    told(config.problems)


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    """What Pomerium refuses is told in the catalogue's words."""
    told(refused(text))


@pytest.mark.parametrize("text", test_sources.TEXTS)
def test_unreadable(text: bytes) -> None:
    """What is no config is told in the catalogue's words."""
    with pytest.raises(ConfigError) as caught:
        read(text.decode("latin-1")) if text.isascii() else refused(text)
        raise ConfigError(refused(text))
    told(caught.value.problems)
