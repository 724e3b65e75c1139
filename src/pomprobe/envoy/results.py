"""What came of asking a real Envoy, and whether a forecast agrees with it (pure)."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from ..forecast import UNTIL_EJECTED
from ..model import Cluster, EnvoyReply, ForecastEntry, Route
from ..record import Record
from .admin import HostView
from .log import Line

TOLERANCE = 0.15
"""By how much the share of an answer may differ between a forecast and a few requests."""

SIGMAS = 3.3
"""The same where Envoy throws dice, in standard deviations: one comparison in a thousand differs by chance."""

DICE = ("RANDOM", "LEAST_REQUEST")
"""Policies that draw hosts at random, as does the spill to degraded hosts (load_balancer_impl.cc, chooseHostSet)."""

REFUSED = EnvoyReply(503, "NC", "cluster_not_found", "cluster_not_found")
"""What users get whose route goes to a cluster that Envoy rejected, or does not have yet."""

NOBODY = (503, "UH", "no_healthy_upstream")

DOCUMENTED = {"response_timeout": "upstream_response_timeout"}
"""Heads of Envoy's details -> the name in Pomerium's documentation, where they differ."""

GONE = "downstream_remote_disconnect"
"""The details of a request that we gave up ourselves."""

Entries = Iterable[tuple[EnvoyReply, float]]


class Share(Record, frozen=True):
    """One answer, how many of the requests got it, and the longest time that one took, in seconds."""

    reply: EnvoyReply
    count: int
    seconds: float


class Reproduction(Record, frozen=True):
    """What Envoy answered for one route.

    hosts: the cluster's hosts as Envoy sees them. refusal: Envoy's words where it rejects the route or its cluster. skipped: why
    nothing was asked. pending: Envoy still waited for DNS or a first health check. unanswered: requests without an answer when
    patience ran out. joined: requests that ended with a connection which an earlier one had begun; they are in no share.
    """

    route: Route
    cluster: Cluster | None
    shares: tuple[Share, ...] = ()
    hosts: tuple[HostView, ...] = ()
    refusal: str = ""
    skipped: str = ""
    pending: bool = False
    unanswered: int = 0
    joined: int = 0

    @property
    def requests(self) -> int:
        """How many requests were answered."""
        return sum(share.count for share in self.shares)

    @property
    def entries(self) -> tuple[tuple[EnvoyReply, float], ...]:
        """The answers with their shares of the requests; a refused cluster has one for all."""
        if self.refusal:
            return ((REFUSED, 1.0),)
        return tuple((share.reply, share.count / self.requests) for share in self.shares)


class Sample(Record, frozen=True):
    """One request: its line in the access log, and whether Envoy ended the answer or our patience did."""

    line: Line
    ended: bool

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.line.seconds

    @property
    def reply(self) -> EnvoyReply | None:
        """Envoy's answer; an answer that still ran when we gave up is the upstream's own, and one that had not begun is None."""
        line = self.line
        if line.response_code_details != GONE:
            return reply(line.status, line.response_flags, line.response_code_details)
        return reply(line.status, "-", "via_upstream") if line.status else None


def folded(cluster: Cluster, samples: Sequence[Sample], pending: bool) -> Reproduction:
    """The answers to the requests of one route, the most frequent first."""
    joined = [sample for sample in samples[1:] if _joined(sample, cluster.timers.connect)]
    counts: dict[EnvoyReply, list[float]] = defaultdict(list)
    for sample in samples:
        if sample.reply is not None and sample not in joined:
            counts[sample.reply].append(sample.seconds)
    shares = [Share(answer, len(seconds), max(seconds)) for answer, seconds in counts.items()]
    return Reproduction(
        cluster.route,
        cluster,
        shares=tuple(sorted(shares, key=lambda share: -share.count)),
        pending=pending,
        unanswered=sum(sample.reply is None for sample in samples),
        joined=len(joined),
    )


def _joined(sample: Sample, connect: float) -> bool:
    """Did it wait for a connection that an earlier request, gone since, had begun? It has that one's end, and not one of its own."""
    return "{connection_timeout}" in sample.line.response_code_details and sample.seconds < 0.95 * connect


def reply(status: int, flags: str, details: str) -> EnvoyReply:
    """An answer as the access log has it, with its name in Pomerium's documentation."""
    head = details.partition("{")[0]
    return EnvoyReply(status, flags, details, DOCUMENTED.get(head, head))


def agrees(seen: Reproduction, forecast: Sequence[ForecastEntry]) -> bool | None:
    """Does the forecast agree, word for word apart from addresses, in shares that a few requests can give? None: nothing to compare."""
    if not seen.entries or not forecast or seen.pending:
        return None
    real, told = _comparable(seen.entries), _comparable((entry.reply, entry.share) for entry in forecast)
    if any(entry.note == UNTIL_EJECTED for entry in forecast):  # one of the requests may be the one after which nobody is left
        real.pop(NOBODY, None)
    if any(entry.note for entry in forecast):  # a few requests of one client may all get the same one
        return real.keys() <= told.keys()
    return all(abs(real.get(key, 0.0) - told.get(key, 0.0)) <= _tolerance(seen, told.get(key, 0.0)) for key in real.keys() | told.keys())


def _tolerance(seen: Reproduction, share: float) -> float:
    """By how much an answer's share may differ from this forecast of it. One that is not forecast at all may not come at all often."""
    if share == 0.0 or not seen.requests:
        return TOLERANCE
    allowed = max(TOLERANCE, 1 / seen.requests)  # three requests to two hosts are 2 : 1
    dice = seen.cluster is not None and seen.cluster.load_balancing_policy in DICE
    if dice or any("failed_active_degraded_check" in host.failing for host in seen.hosts):
        allowed = max(allowed, SIGMAS * math.sqrt(share * (1 - share) / seen.requests))
    return allowed


def _comparable(entries: Entries) -> dict[tuple[int, str, str], float]:
    folded: dict[tuple[int, str, str], float] = defaultdict(float)
    for reply, share in entries:
        details = re.sub(r"remote_address:[^|}]*", "remote_address:", reply.response_code_details)
        folded[reply.status, ",".join(sorted(reply.response_flags.split(","))), details] += share
    return folded
