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


LEARNED = ("works", "in_vain", "other_family")
"""Facts of the second look, which is taken at the first request alone."""


def alike(walks: Sequence[Walked]) -> list[Walked]:
    """The walks, where those that ended as the first one did know what the second look at that one has taught."""
    return [walks[0], *(tuple(map(_taught, walks[0], walk)) if len(walk) == len(walks[0]) else walk for walk in walks[1:])] if walks else []


def _taught(first: Outcome, other: Outcome) -> Outcome:
    same = (first.stage, first.failure, first.facts.get("status")) == (other.stage, other.failure, other.facts.get("status"))
    learned = {name: first.facts[name] for name in LEARNED if name in first.facts}
    return replace(other, facts={**other.facts, **learned}) if same and learned else other


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
