"""Faults near the recorded ones: the forecasts are what Envoy 1.37 and 1.40 answered, and (make conformance) what a live one answers."""

from __future__ import annotations

import pytest

from pomprobe.envoy.find import Binary

from .scenes.asking import NEXT, recording
from .scenes.playing import Found, agree, chosen, play, unless_broken
from .scenes.rows import mismatch
from .variants import VARIANTS
from .variants.catalogue import LIMITS, LIMITS_OF

ENVOY = "1.37"


@pytest.fixture(scope="module")
async def found(request: pytest.FixtureRequest, binary: Binary | None, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What came of each chosen variant; a live Envoy is asked only where a test wants that."""
    those, tests = chosen(request, VARIANTS)
    return await play(those, tmp_path_factory.mktemp("variants"), ENVOY, binary if "test_live" in tests else None)


CASES = [pytest.param(name, marks=[pytest.mark.xfail(reason=LIMITS[name])] if name in LIMITS else []) for name in VARIANTS]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", CASES)
async def test_forecast(name: str, found: Found) -> None:
    """The forecasts are the recorded answers of Envoy 1.37 and 1.40, with their shares."""
    row = VARIANTS[name]
    forecasts = unless_broken(row, found.forecasts)
    assert ["", ""] == [mismatch(row, forecasts[version], version) for version in (ENVOY, NEXT)]


@pytest.mark.conformance
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", VARIANTS)
async def test_live(name: str, found: Found, envoy: Binary, request: pytest.FixtureRequest) -> None:
    """A live Envoy answers what was recorded, and what is forecast for it, with the shares."""
    row = VARIANTS[name]
    if reason := (LIMITS | LIMITS_OF.get(recording(envoy), {})).get(name):
        request.applymarker(pytest.mark.xfail(reason=reason))
    assert "" == agree(row, found, envoy)


def test_every_variant_is_recorded() -> None:
    """`make record` was run after the last one was added, and none is left of those that are gone."""
    assert {name: {"1.37", "1.40"} for name in VARIANTS} == {name: set(row.outcomes) - {"1.36"} for name, row in VARIANTS.items()}
