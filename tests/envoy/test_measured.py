"""Faults measured for the catalogue, played again (make conformance): the forecast and a live Envoy say what was recorded."""

from __future__ import annotations

import pytest

from pomprobe.envoy.find import Binary

from .scenes.asking import recording
from .scenes.playing import Found, agree, chosen, play
from .scenes.rows import measured


@pytest.fixture(scope="module")
async def found(request: pytest.FixtureRequest, binary: Binary | None, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What came of each chosen one."""
    those, _ = chosen(request, measured())
    return await play(those, tmp_path_factory.mktemp("measured"), "1.37", binary)


@pytest.mark.conformance
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", measured())
async def test_live(name: str, found: Found, envoy: Binary) -> None:
    """A live Envoy answers what was recorded, and what is forecast for it, with the shares."""
    if recording(envoy) == "1.36":
        pytest.skip("measured with 1.37 and 1.40 alone")
    assert "" == agree(measured()[name], found, envoy)
