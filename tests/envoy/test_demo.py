"""The demo put to a real Envoy: each exhibit shows the error that it is there for."""

from __future__ import annotations

import pytest

import pomprobe
from pomprobe.api import Session
from pomprobe.demo import upstreams
from pomprobe.demo.exhibits import EXHIBITS
from pomprobe.envoy.find import Binary
from pomprobe.envoy.reproduce import Options, Reproducer

pytestmark = pytest.mark.envoy


async def test_every_exhibit(envoy: Binary) -> None:
    """Every route gets the code of its exhibit from Envoy; the pair with one dead address gets the app's answers, too."""
    async with upstreams() as path:
        config = pomprobe.load(path)
        asked = Reproducer(config, Session(config).chosen, Options(envoy, requests=4))
        await asked.run()
    expected = {exhibit.name: {exhibit.code} for exhibit in EXHIBITS}
    expected["pair"] = {"upstream_reset_before_response_started", "via_upstream"}
    assert expected == {one.route.name: {reply.code for reply, _ in one.entries} for one in asked.seen()}
