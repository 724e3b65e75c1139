"""Every recorded fault played again, to pomprobe and to a live Envoy: forecast, live answer and recording are the same."""

from __future__ import annotations

import pytest

from pomprobe.envoy.find import Binary

from .scenes.playing import Found, agree, chosen, play, unless_broken
from .scenes.rows import mismatch, rows

ENVOY = "1.37"
"""The recording that a forecast for the newest released Pomerium is compared with."""


@pytest.fixture(scope="module")
async def found(request: pytest.FixtureRequest, binary: Binary | None, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What came of each chosen row."""
    those, tests = chosen(request, rows())
    return await play(those, tmp_path_factory.mktemp("scenes"), ENVOY, binary if "test_live" in tests else None)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", rows())
async def test_forecast(name: str, found: Found) -> None:
    """The forecast is the recorded answer of Envoy 1.37, with its shares."""
    row = rows()[name]
    assert "" == mismatch(row, unless_broken(row, found.forecasts)[ENVOY], ENVOY)


@pytest.mark.envoy
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", rows())
async def test_live(name: str, found: Found, envoy: Binary) -> None:
    """A live Envoy answers what was recorded, and what is forecast for it, with the shares."""
    row = rows()[name]
    assert "" == agree(row, found, envoy)
