"""Faults near the recorded ones: the forecast is what Envoy 1.37 answered, and (make conformance) what a live one answers."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import anyio
import pytest

from pomprobe.envoy.find import Binary, find
from servers.certificates import Unable

from .scenes.pki import Authority
from .scenes.rows import Entry, Row, mismatch
from .variants import VARIANTS
from .variants.asking import answers, forecasts
from .variants.batches import SLOW, batches, staged
from .variants.catalogue import LIMITS

AT_ONCE, SLOW_AT_ONCE, AGAIN_AT_ONCE = 4, 40, 8
Play = Callable[[Sequence[Row], Path], Awaitable[list[list[Entry]]]]
Found = dict[str, list[Entry] | Exception]


def chosen(request: pytest.FixtureRequest, test: str) -> list[Row]:
    """The rows of the tests that were selected."""
    here = [item for item in request.session.items if item.path == request.node.path and hasattr(item, "callspec")]
    items = [item for item in here if getattr(item, "originalname", "") == test]
    return [VARIANTS[str(item.callspec.params["name"])] for item in items]


async def play(rows: Sequence[Row], folder: Path, ask: Play, slow_at_once: int = SLOW_AT_ONCE) -> Found:
    """What `ask` finds for each row; a batch that breaks, and a row without an answer (a busy machine), is played again: a few at once,
    then alone."""
    (folder / "pki").mkdir()
    authority = Authority(folder / "pki")
    found: Found = {}
    quick, slow = anyio.CapacityLimiter(AT_ONCE), anyio.CapacityLimiter(slow_at_once)
    taken = iter(range(10**6))

    async def one(batch: Sequence[Row], limiter: anyio.CapacityLimiter) -> None:
        async with limiter:
            try:
                async with staged(batch, folder / str(next(taken)), authority) as config:
                    entries = await ask(batch, config)
                found.update({row.id: answer for row, answer in zip(batch, entries, strict=True)})
            except Exception as error:  # raised again by the row's own test
                found.update({row.id: error for row in batch})

    async with anyio.create_task_group() as group:
        for batch in batches(rows):
            group.start_soon(one, batch, slow if batch[0].seconds >= SLOW else quick)
    for at_once in (AGAIN_AT_ONCE, 1):
        few = anyio.CapacityLimiter(at_once)
        async with anyio.create_task_group() as group:
            for row in rows:
                if isinstance(found[row.id], Exception) or not found[row.id]:
                    group.start_soon(one, [row], few)
    return found


@pytest.fixture(scope="module")
async def ours(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """Our forecasts, in the words of Envoy 1.37."""

    async def ask(batch: Sequence[Row], config: Path) -> list[list[Entry]]:
        return (await forecasts(config, ["1.37"]))["1.37"]

    return await play(chosen(request, "test_forecast"), tmp_path_factory.mktemp("variants"), ask)


@pytest.fixture(scope="module")
def envoy() -> Binary:
    """The Envoy to ask."""
    return find(os.environ.get("POMPROBE_ENVOY") or None)


@pytest.fixture(scope="module")
async def theirs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, envoy: Binary) -> Found:
    """What the live Envoy answers, and our forecast in its words, of the same upstreams at the same time."""

    async def ask(batch: Sequence[Row], config: Path) -> list[list[Entry]]:
        return await answers(config, batch, envoy)

    return await play(chosen(request, "test_live"), tmp_path_factory.mktemp("live"), ask, slow_at_once=AT_ONCE)


def compare(row: Row, found: Found, version: str) -> None:
    """Fail unless what was found is what was recorded."""
    entries = found[row.id]
    if isinstance(entries, Unable):
        pytest.skip(str(entries))
    if isinstance(entries, Exception):
        raise entries
    if wrong := mismatch(row, entries, version):
        pytest.fail(wrong)


CASES = [pytest.param(name, marks=[pytest.mark.xfail(reason=LIMITS[name])] if name in LIMITS else []) for name in VARIANTS]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", CASES)
async def test_forecast(name: str, ours: Found) -> None:
    """The forecast is the recorded answer of Envoy 1.37, with its shares."""
    compare(VARIANTS[name], ours, "1.37")


@pytest.mark.conformance
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", VARIANTS)
async def test_live(name: str, theirs: Found, envoy: Binary) -> None:
    """A live Envoy answers what was recorded, with its shares."""
    compare(VARIANTS[name], theirs, envoy.version.rpartition(".")[0])


def test_every_variant_is_recorded() -> None:
    """`make record` was run after the last one was added, and none is left of those that are gone."""
    assert {name: {"1.37", "1.40"} for name in VARIANTS} == {name: set(row.outcomes) for name, row in VARIANTS.items()}
