"""Outlier detection: after how many answers of which kind a live Envoy ejects a host, and who is left, beside what `check` says of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pomprobe import load
from pomprobe.api import Session
from pomprobe.envoy.find import Binary
from pomprobe.envoy.reproduce import Options, Reproducer
from pomprobe.envoy.results import NOBODY, agrees

from .scenes.batches import staged
from .scenes.http1 import Handler, plain, raw, serving, writes
from .scenes.pki import Authority
from .scenes.rows import Row
from .variants.balancing import several

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"
ANSWERS: dict[str, Handler | None] = {
    "200": serving(writes(plain(200))),
    "429": serving(writes(plain(429))),
    "500": serving(writes(plain(500))),
    "503": serving(writes(plain(503))),
    "refused": None,
    "closes": raw(),
    "resets": raw(then="resets"),
    "garbage": raw(b"x\r\n\r\n"),
    "cut": serving(writes(HEAD + b"ok", "closes")),
    "interim": serving(writes(b"HTTP/1.1 103 E\r\n\r\n", "closes")),
    "silent": serving(writes(b"", "silent")),
    "no-body": serving(writes(HEAD, "silent")),
}
ALL = {"interval": "0.5s", "base_ejection_time": "30s", "max_ejection_percent": 100}
TWICE = ALL | {"consecutive_5xx": 2}
SPLIT = TWICE | {"split_external_local_origin_errors": True, "consecutive_local_origin_failure": 2}
MORE: dict[str, tuple[tuple[str, ...], Mapping[str, Any]]] = {
    "default-count": (("500",), ALL),
    "gateway-not-enforced": (("503",), ALL | {"consecutive_gateway_failure": 2}),
    "gateway": (("503",), ALL | {"consecutive_gateway_failure": 2, "enforcing_consecutive_gateway_failure": 100}),
    "not-enforced": (("500",), TWICE | {"enforcing_consecutive_5xx": 0}),
    "always-one": (("500",), {"always_eject_one_host": True, "consecutive_5xx": 2}),
    "never": (("500",), {"consecutive_5xx": 2}),
    "half": (("500", "200"), TWICE | {"max_ejection_percent": 50}),
    "less-than-half": (("500", "200"), TWICE | {"max_ejection_percent": 49}),
}


def rows() -> list[Row]:
    cases = {f"{kind}-{name}": ((name,), settings) for kind, settings in (("all", TWICE), ("split", SPLIT)) for name in ANSWERS} | MORE
    return [
        Row(
            f"ejection-{name}", "", "", {
                "to": [f"http://127.0.0.1:{{port{number or ''}}}" for number in (0, 2)[: len(hosts)]],
                "timeout": "1s", "outlier_detection": dict(settings), **panic,
            }, {}, {}, (), 0.0, False, several(*(ANSWERS[host] for host in hosts)),
        )
        for name, (hosts, settings), panic in (
            *((name, case, {"healthy_panic_threshold": 0}) for name, case in cases.items()),
            ("panic", (("500",), TWICE), {}),
        )
    ]  # fmt: skip


@pytest.mark.envoy
@pytest.mark.slow
async def test_who_is_ejected(envoy: Binary, tmp_path: Path) -> None:
    """Twelve requests to each: as many as were said get the host's answer, and the rest what was said of them; the forecast agrees."""
    (tmp_path / "pki").mkdir()
    async with staged(rows(), tmp_path / "scene", Authority(tmp_path / "pki")) as stage:
        session = Session(load(stage.config))
        await session.run()
        asked = Reproducer(session.config, session.chosen, Options(envoy, 12, 40.0))
        await asked.run()
    told, real, differ = {}, {}, []
    for row, report, seen in zip(rows(), session.report().routes, asked.seen(), strict=True):
        told[row.id] = [(v.rule.code, v.facts["count"]) for v in report.verdicts if v.rule.code in ("HC155", "HC156")]
        counts = {(s.reply.status, s.reply.response_flags, s.reply.response_code_details): s.count for s in seen.shares}
        nobody = counts.pop(NOBODY, 0)
        if nobody:
            real[row.id] = [("HC155", sum(counts.values()))]
        else:
            good = counts.pop((200, "-", "via_upstream"), 0)
            real[row.id] = [("HC156", 12 - good)] if len(report.upstreams) > 1 and good > 6 else []
        differ += [] if agrees(seen, report.forecast) else [row.id]
    assert real == told
    assert [] == differ
