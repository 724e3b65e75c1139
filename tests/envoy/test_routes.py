"""Random routes, as `make fuzz-routes` draws them: a few beside a real Envoy, so that the tool does not rot."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.fuzz_routes import disagreements
from tools.fuzzing.routes import route, told

from pomprobe.envoy.find import Binary

SEED, QUICK = 8, (1, 5, 7, 23)
"""Routes whose upstreams answer at once."""


def test_a_route_is_drawn_by_its_number() -> None:
    """The same number, the same route; what is told of it is what is played."""
    assert told(route(1, 7)) == told(route(1, 7))
    assert 40 == len({told(route(1, number)) + route(1, number).upstream for number in range(40)})


@pytest.mark.envoy
@pytest.mark.slow
async def test_a_live_envoy_answers_what_is_forecast(envoy: Binary, tmp_path: Path) -> None:
    """For these routes, with all that they have at once."""
    assert {} == await disagreements([route(SEED, number) for number in QUICK], envoy, tmp_path)
