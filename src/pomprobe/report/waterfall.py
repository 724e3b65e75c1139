"""The stages of a connection as bars: one beside the other to the scale of the whole, and against Envoy's timers (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..model import Cluster, Outcome, StageName, Status
from . import words

FAINTEST = 0.4
"""Per cent: a bar is never narrower, so that every stage is seen."""

Node = dict[str, Any]


def waterfall(outcomes: Sequence[Outcome], cluster: Cluster | None) -> Node:
    """Bars for a page: `stages` to the scale of their sum, `limits` to the scale of the timer. Lengths in per cent."""
    total = sum(o.elapsed for o in outcomes)
    return {"scale": words.duration(total), "stages": list(_stages(outcomes, total)), "limits": list(_limits(outcomes, cluster))}


def _stages(outcomes: Sequence[Outcome], total: float) -> Iterator[Node]:
    began = 0.0
    for outcome in outcomes:
        before, length = (100 * began / total, 100 * outcome.elapsed / total) if total else (0.0, 0.0)
        reached = outcome.status is not Status.SKIPPED
        yield {
            "name": outcome.stage.value,
            "status": outcome.status.value,
            "reached": reached,
            "time": words.took(outcome) if reached else "not reached",
            "said": words.failure(outcome.failure) if outcome.failure and outcome.status is not Status.OK else "",
            **_bar(before, length),
        }
        began += outcome.elapsed


def _limits(outcomes: Sequence[Outcome], cluster: Cluster | None) -> Iterator[Node]:
    if cluster is None:
        return
    connecting = [o for o in outcomes if o.stage in (StageName.TCP, StageName.TLS) and o.status is not Status.SKIPPED]
    asking = [o for o in outcomes if o.stage is StageName.HTTP and o.status is not Status.SKIPPED]
    for name, these, limit in (("connect", connecting, cluster.timers.connect), ("answer", asking, words.limit(cluster))):
        if not these or not limit:
            continue
        used = sum(o.elapsed for o in these)
        share = min(100.0, 100 * used / limit)
        state = Status.FAILING if share >= 100 else Status.WARNING if share >= 80 else Status.OK
        said = f"{words.duration(used)} of Envoy's {words.duration(limit)}" + (f" ({share:.0f} %)" if share >= 1 else "")
        yield {"name": name, "said": said, "status": state.value, **_bar(0.0, share)}


def _bar(before: float, length: float) -> Node:
    """Empty, filled and empty columns of a bar, which add up to 100."""
    length = max(length, FAINTEST)
    before = min(before, 100 - length)
    return {"before": f"{before:.2f}", "length": f"{length:.2f}", "after": f"{max(0.0, 100 - before - length):.2f}"}
