"""Several requests to one endpoint (--samples) in figures: how many failed, and how long the others took (pure)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .model import Facts, Failure, Outcome, StageName, Status
from .record import replace

Walked = tuple[Outcome, ...]
CONNECTION = (StageName.TCP, StageName.TLS, StageName.HTTP)
REFUSED = (Failure.APP_REFUSAL,)
"""What an app refuses to somebody without a name is an answer all the same."""


def summarised(walks: Sequence[Walked]) -> list[Walked]:
    """The walks with the figures on the first one's last outcome that was reached: facts `samples`, `failed`, `p50`, `p95`, `max`.

    Times in seconds, over connecting, handshake and answer, of the requests that were answered; left out where none was.
    """
    if len(walks) < 2:
        return list(walks)
    reached = [index for index, outcome in enumerate(walks[0]) if outcome.status is not Status.SKIPPED]
    if not reached:
        return list(walks)
    at, first = reached[-1], walks[0]
    figured = replace(first[at], facts={**first[at].facts, **figures(walks)})
    return [(*first[:at], figured, *first[at + 1 :]), *walks[1:]]


def figures(walks: Sequence[Walked]) -> Facts:
    """The figures of these walks. A percentile is the smallest time that so many per cent of the requests do not exceed."""
    times = sorted(sum(o.elapsed for o in walk if o.stage in CONNECTION) for walk in walks if not failed(walk))
    counted: Facts = {"samples": len(walks), "failed": len(walks) - len(times)}
    if not times:
        return counted
    return {**counted, "p50": _percentile(times, 50), "p95": _percentile(times, 95), "max": times[-1]}


def failed(walk: Walked) -> bool:
    """Did this request end in an error?"""
    return any(o.status not in (Status.OK, Status.SKIPPED) and o.failure not in REFUSED for o in walk)


def _percentile(ordered: Sequence[float], share: int) -> float:
    return ordered[math.ceil(share * len(ordered) / 100) - 1]
