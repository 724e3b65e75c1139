"""Which host of a cluster gets which share of the requests, as Envoy's load balancers decide (pure).

Sources: source/extensions/load_balancing_policies/common/load_balancer_impl.cc (panic, over-provisioning factor 140 %),
docs "Weighted least request", "Ring hash", "Maglev"; recorded rows of the categories Health checks and Load balancing.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

from .record import Record

OVERPROVISIONING = 140
PER_CLIENT = ("RING_HASH", "MAGLEV")
"""Policies that bind a client address to one host: a client sees all or nothing of a dead host."""


class Host(Record, frozen=True):
    """One host as the load balancer sees it.

    healthy: the active health check passes (or there is none). degraded: it passes with the header x-envoy-degraded.
    """

    weight: int
    healthy: bool
    degraded: bool = False


def panics(hosts: Sequence[Host], threshold: int) -> bool:
    """Does Envoy send traffic to unhealthy hosts too? threshold: healthy_panic_threshold in per cent."""
    healthy = sum(host.healthy for host in hosts)
    available = min(100, OVERPROVISIONING * healthy // len(hosts))
    return available < 100 and 100.0 * healthy / len(hosts) < threshold


def groups(hosts: Sequence[Host], threshold: int) -> list[tuple[float, list[int]]]:
    """Which hosts share which part of the requests; nothing means `no_healthy_upstream`.

    Degraded hosts get what the others cannot take, at 140 % of their number (rows own-hc-degraded-1-of-2, own-hc-degraded-2-of-3).
    """
    if not hosts:
        return []
    if panics(hosts, threshold):
        return [(1.0, list(range(len(hosts))))]
    fine = [index for index, host in enumerate(hosts) if host.healthy and not host.degraded]
    degraded = [index for index, host in enumerate(hosts) if host.healthy and host.degraded]
    first = min(100, OVERPROVISIONING * len(fine) // len(hosts))
    second = min(100 - first, OVERPROVISIONING * len(degraded) // len(hosts))
    return [(load / (first + second), some) for load, some in ((first, fine), (second, degraded)) if load and some]


def shares(hosts: Sequence[Host], threshold: int, policy: str) -> list[float]:
    """The share of the requests (0 to 1) that each host gets; all 0 where no host is eligible.

    RANDOM does not look at weights. For RING_HASH and MAGLEV it is the share of the clients.
    """
    found = [0.0] * len(hosts)
    for part, some in groups(hosts, threshold):
        weights = {index: 1.0 if policy == "RANDOM" else float(hosts[index].weight) for index in some}
        for index, weight in weights.items():
            found[index] = part * weight / sum(weights.values())
    return found


def turns(hosts: Sequence[Host], threshold: int, policy: str) -> list[int]:
    """One round of hosts in the order in which they get requests; empty where Envoy draws them.

    Weights are served as Envoy's EdfScheduler does (edf_scheduler.h): the host whose deadline is next, the one that waits longer first.
    """
    found = groups(hosts, threshold)
    weights = {index: hosts[index].weight for _, some in found for index in some}
    if len(found) != 1 or not (policy == "ROUND_ROBIN" or (policy == "LEAST_REQUEST" and len(set(weights.values())) > 1)):
        return []
    queue = [(1 / weight, order, index) for order, (index, weight) in enumerate(weights.items())]
    heapq.heapify(queue)
    order = []
    for number in range(len(queue), len(queue) + sum(weights.values()) // math.gcd(*weights.values())):
        deadline, _, index = heapq.heappop(queue)
        heapq.heappush(queue, (deadline + 1 / weights[index], number, index))
        order.append(index)
    return order
