"""What a config is said to be refused for, asked of a real Envoy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pomprobe.config.health import TWO_CHECKS, TWO_UNNAMED
from pomprobe.envoy.find import find
from pomprobe.envoy.validate import refusals
from pomprobe.envoy.values import Files
from pomprobe.plan import plan
from pomprobe.system_ca import read_bundle

from . import test_health_checks as tables
from .reading import read

CRASH = tables.check("http_health_check: {path: /, codec_client_type: HTTP3}")


def config_of(lines: list[str]) -> str:
    """One route for each of these lines."""
    return "routes:\n" + "".join(f"- from: https://a{i}.example.com\n  to: http://10.0.0.1:80\n  {line}\n" for i, line in enumerate(lines))


def with_addresses(addresses: list[str]) -> str:
    return "routes:\n" + "".join(f"- from: https://a{i}.example.com\n  to: '{one}'\n" for i, one in enumerate(addresses))


@pytest.mark.envoy
@pytest.mark.parametrize(
    "text", [config_of([*tables.REFUSED, *tables.ACCEPTED, CRASH]), with_addresses([*tables.ADDRESSES, "http://a:65535"])]
)
async def test_words(tmp_path: Path, text: str) -> None:
    """Envoy refuses exactly the clusters that are said to be refused, in the words that are said."""
    envoy = find(os.environ.get("POMPROBE_ENVOY"))
    config = read(text)
    clusters = [cluster for cluster in plan(config, read_bundle()) if cluster is not None]
    answered = await refusals(envoy, clusters, config.settings, tmp_path, Files(tmp_path))
    assert {route.index for route in config.routes if route.envoy_refusals} == set(answered)
    for index, words in answered.items():
        said = {TWO_UNNAMED if one == TWO_CHECKS and envoy.version >= "1.40" else one for one in config.routes[index].envoy_refusals}
        assert any(one in words for one in said), (config.routes[index].name, words, said)
