"""What the fuzzer found, made small: the forecast is what real Envoys answered, and (make conformance) what a live one answers."""

from __future__ import annotations

import os

import pytest
from tools.fuzzing.kept import SCHEMES, answered, load, script, words
from tools.fuzzing.lab import Scheme, clusters
from tools.fuzzing.ours import Forecaster

from pomprobe.envoy.find import Binary, find

KEPT = load()
VERSIONS = ("1.36", "1.37", "1.40")


@pytest.mark.parametrize("name", KEPT)
async def test_forecast(name: str) -> None:
    """The same bytes, the same words as each Envoy, but for those that are known to differ."""
    one = KEPT[name]
    (cluster,) = clusters(SCHEMES[one["kind"]], [80])
    said = {version: words(await Forecaster(version).answer(cluster, script(one))) for version in VERSIONS}
    assert list(one.get("unlike", ())) == [version for version in VERSIONS if one["answers"][version] != said[version]]


@pytest.fixture(scope="module")
def envoy() -> Binary:
    """The Envoy to ask."""
    return find(os.environ.get("POMPROBE_ENVOY") or None)


@pytest.mark.conformance
@pytest.mark.parametrize("scheme", sorted(set(SCHEMES.values())))
async def test_live(scheme: Scheme, envoy: Binary) -> None:
    """A live Envoy answers what was recorded."""
    version = envoy.version.rpartition(".")[0]
    recorded = {name: one["answers"][version] for name, one in KEPT.items() if SCHEMES[one["kind"]] == scheme}
    assert recorded == await answered(envoy, scheme, KEPT)
