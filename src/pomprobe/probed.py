"""What is known of each cluster at any moment of a run, so that one that ends early can report it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .model import Cluster, UpstreamOutcomes


@dataclass(slots=True)
class Probed:
    """What is known of one cluster so far."""

    cluster: Cluster
    upstreams: list[UpstreamOutcomes] = field(default_factory=list)
    done: bool = False
    limit: str = "the run ended early"
    """Why something is missing, where it is not done."""


Observer = Callable[[Probed], None]


def unprobed(clusters: Sequence[Cluster]) -> list[Probed]:
    """Nothing is known yet."""
    return [Probed(cluster, [UpstreamOutcomes(upstream, (), ()) for upstream in cluster.upstreams]) for cluster in clusters]
