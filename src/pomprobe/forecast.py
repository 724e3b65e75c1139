"""From what each host of a cluster answers to the shares of the requests that get each answer (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from . import attempts, balance, ejection, kubernetes
from .model import Cluster, ForecastEntry, Protocol, UpstreamOutcomes, Verdict
from .record import Record
from .retries import Answer, alternative


class Host(Record, frozen=True):
    """One host of the cluster: what it answers, each sample with its share, and whether its health check passes (None: not known)."""

    weight: int
    healthy: bool | None
    degraded: bool
    answers: tuple[Answer, ...]  # empty: not known
    check: Verdict | None


PER_CLIENT = "per client address: all or nothing"
IN_TURN = "hosts in turn: may be all or nothing"
UNTIL_EJECTED = "until Envoy ejects the host"
"""What ForecastEntry.note says of shares that one client may not see."""


def shared_out(cluster: Cluster, hosts: Sequence[Host], names: Sequence[Verdict], cut: attempts.Cut) -> list[ForecastEntry]:
    """Answers with their shares, most frequent first. Empty where nothing is known. cut: see `attempts`."""
    if not hosts:
        blamed = next((v for v in names if v.means), None)
        return [ForecastEntry(1.0, blamed.means, blamed.rule.code)] if blamed and blamed.means else []
    shares = _shares(cluster, hosts, True)
    if any(host.healthy is None for host in hosts) and shares != _shares(cluster, hosts, False):
        return []  # a check that our own limits kept from its end would decide
    if not any(shares):
        check = next((host.check for host in hosts if host.check and host.check.means), None)
        return [ForecastEntry(1.0, check.means, check.rule.code)] if check and check.means else []
    total, varies = _total(cluster, hosts, shares, cut)
    known = sum(total.values())
    note = IN_TURN if varies else PER_CLIENT if cluster.load_balancing_policy in balance.PER_CLIENT and len(total) > 1 else ""
    if ejected(cluster, hosts):
        note = UNTIL_EJECTED
    tunnel = "tunnel" if cluster.protocol is Protocol.RAW else ""
    entries = [
        ForecastEntry(share / known, reply, rule, note, tunnel if reply.response_flags == "-" else "")
        for (reply, rule), share in total.items()
        if known
    ]
    return sorted(entries, key=lambda entry: (-round(entry.share, 6), entry.rule is None))


def ejected(cluster: Cluster, hosts: Sequence[Host]) -> ejection.Ejection | None:
    """What outlier detection makes of these hosts."""
    return ejection.expected(cluster, _balanced(hosts, True), [host.answers for host in hosts])


def _total(cluster: Cluster, hosts: Sequence[Host], shares: Sequence[float], cut: attempts.Cut) -> tuple[attempts.Total, bool]:
    """The share of each answer, and whether requests one after the other may all get the same one."""
    answers = [host.answers for host in hosts]
    if cluster.retries.conditions:
        turns = balance.turns(_balanced(hosts, True), cluster.panic_threshold, cluster.load_balancing_policy)
        return attempts.shares(cluster, answers, shares, turns, cut)
    total: attempts.Total = {}
    for share, some in zip(shares, answers, strict=True):
        for answer in some if share else ():
            final = alternative(cluster, answer)
            total[final.reply, final.rule] = total.get((final.reply, final.rule), 0.0) + share * answer.share
    return total, False


def _shares(cluster: Cluster, hosts: Sequence[Host], unknown: bool) -> list[float]:
    """The share of each host. unknown: whether a check of which nothing is known passes."""
    return balance.shares(_balanced(hosts, unknown), cluster.panic_threshold, cluster.load_balancing_policy)


def _balanced(hosts: Sequence[Host], unknown: bool) -> list[balance.Host]:
    return [balance.Host(host.weight, unknown if host.healthy is None else host.healthy, host.degraded) for host in hosts]


def by_pomerium(
    upstreams: Sequence[UpstreamOutcomes], hosts: Sequence[Sequence[Host]], names: Sequence[Sequence[Verdict]]
) -> list[ForecastEntry]:
    """The same for a Kubernetes route, whose requests Pomerium itself sends."""
    found: list[kubernetes.Told | None] = []
    for upstream, some, broken in zip(upstreams, hosts, names, strict=True):
        chosen = kubernetes.reached(upstream)
        if chosen is None:
            why = next((kubernetes.reason(outcome) for outcome in upstream.outcomes), "")
            found.append((kubernetes.REPLY, broken[0].rule.code, why) if broken and broken[0].means else None)
            continue
        answer = next(iter(some[upstream.endpoints.index(chosen)].answers), None)
        found.append((answer.reply, answer.rule, kubernetes.reason(answer.outcome)) if answer else None)
    return kubernetes.forecast(found)
