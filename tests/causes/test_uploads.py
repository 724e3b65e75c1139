"""Large requests, where --upload asks for one: root cause X."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

import pytest

from servers.health import serve, tls

from .playing import OK, Played, play, response
from .recorded import answers, known
from .test_tls import OUR_CA

SIZE = 3 << 20
LIMIT = 1 << 20
"""Bytes: nginx's own client_max_body_size."""

CLOSED = (503, "UC", "upstream_reset_before_response_started{connection_termination}")


class Limited:
    """An app that refuses bodies longer than LIMIT, and any where `all` says so: it answers, or hangs up without a word."""

    def __init__(self, refusal: bytes, *, all: bool = False) -> None:
        self.refusal = refusal
        self.least = 0 if all else LIMIT
        self.lengths: list[int] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length:")[2].partition("\r\n")[0] or 0)
            self.lengths.append(length)
            if length > self.least and not self.refusal:
                writer.transport.abort()
                return
            writer.write(self.refusal if length > self.least else response(200))
            await writer.drain()
            left = length
            while left and (data := await reader.read(65536)):
                left -= len(data)


async def asked(app: Limited, context: ssl.SSLContext | None = None, size: int = SIZE) -> Played:
    scheme, keys = ("https", f"\n{OUR_CA}\ntls_upstream_server_name: app.lab.test") if context else ("http", "")
    async with serve(app, context) as port:
        return await play(f"to: {scheme}://127.0.0.1:{port}{keys}", upload=size)


@pytest.mark.parametrize("secure", [None, lambda: tls("app.lab.test")])
async def test_an_upstream_that_hangs_up_on_large_requests(secure: Callable[[], ssl.SSLContext] | None) -> None:
    """X: users get 503 UC on uploads alone; the fix has the size that was tried."""
    app = Limited(b"")
    played = await asked(app, secure and secure())
    assert [(1.0, 200, "-", OK)] == played.forecast
    found = played.route.verdicts[0]
    assert ("HTTP714", "warning") == (found.rule.code, found.severity)
    assert found.means is not None
    assert CLOSED == (found.means.status, found.means.response_flags, found.means.response_code_details)
    assert CLOSED in known("own-upload-closed")
    assert "`client_max_body_size 3M`" in played.fix("HTTP714")
    assert [0, SIZE, 1] == app.lengths
    assert "GET with a body of 3M at / of" in " ".join(played.tried())


async def test_an_upstream_that_says_413_to_large_requests() -> None:
    """X: the status is told, and whose limit it is."""
    played = await asked(Limited(response(413, "connection: close\r\n")))
    assert [(1.0, 200, "-", OK)] == played.forecast
    assert "3M with 413" in played.verdict("HTTP713").title  # type: ignore[union-attr]
    assert "`client_max_body_size 3M`" in played.fix("HTTP713")
    assert (413, "-", OK) in known("own-upload-413")


async def test_an_upload_that_only_fast_lines_bring_in_time() -> None:
    """M: what `timeout_read` asks of the users' lines for a body of this size, and the value at which 1 Mbit/s is enough."""
    app = Limited(b"")
    async with serve(app) as port:
        route = f"to: http://127.0.0.1:{port}"
        large, small = await play(route, upload=30 << 20), await play(route, upload=1 << 20)
        enough = await play(route, "timeout_read: 5m", upload=30 << 20)
    assert "less than 8.4 Mbit/s users get 408" in large.verdict("CFG503").message  # type: ignore[union-attr]
    assert "`timeout_read: 5m`" in large.fix("CFG503")
    assert [(1.0, 200, "-", OK)] == large.forecast
    assert ("CFG503" in small.codes, "CFG503" in enough.codes) == (False, False)


async def test_an_upstream_that_takes_them() -> None:
    """X: nothing is said where the body is taken, nor where the server takes none whatever its size; and without --upload none is sent."""
    large, never, unasked = Limited(b""), Limited(response(405), all=True), Limited(b"")
    found = [await asked(large, size=LIMIT), await asked(never), await asked(unasked, size=0)]
    assert [[LIMIT], [SIZE, 1], []] == [app.lengths[1:] for app in (large, never, unasked)]
    assert [set(), set(), set()] == [played.codes for played in found]
    assert {(200, "-", OK)} == answers([one for played in found for one in played.forecast])
