"""A wall clock that is set while we probe: no timer and no time that is reported moves with it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import yaml

from robust.running import spawn
from robust.test_times import OK, Upstream, to
from robust.threads import served

LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)


@pytest.mark.slow
@pytest.mark.skipif(LIBRARY is None, reason="no libfaketime here")
@pytest.mark.parametrize("jump", ["+30d", "-30d"])
def test_a_clock_that_is_set_in_the_middle_of_a_run(jump: str, tmp_path: Path) -> None:
    """By a month while two upstreams have their request: one answers in time, the other never."""
    clock = tmp_path / "clock"
    clock.write_text("+0")
    both = asyncio.Barrier(2)

    def play(answer: bytes) -> Upstream:
        async def one(self: Upstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            await both.wait()
            clock.write_text(jump)
            await asyncio.sleep(0.3)
            writer.write(answer)
            await reader.read()

        return Upstream(one)

    answers, silent = play(OK), play(b"")
    with served(answers.serve, silent.serve):
        config = tmp_path / "c.yaml"
        config.write_text(yaml.safe_dump({"routes": [to("a", answers.port, timeout="20s"), to("b", silent.port, timeout="2s")]}))
        faked = {"FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        ran = spawn("check", "-o", "json", str(config), env={"LD_PRELOAD": str(LIBRARY), **faked})
    report = json.loads(ran.out)
    in_time, too_late = (route["upstreams"][0]["endpoints"][0]["outcomes"][-1] for route in report["routes"])
    assert ["ok", "failing"] == [route["status"] for route in report["routes"]], ran.all
    assert "upstream_response_timeout" == report["routes"][1]["forecast"][0]["code"]
    assert 0.3 <= in_time["elapsed"] < 15
    assert 1.9 < too_late["elapsed"] <= report["elapsed"] < 60
