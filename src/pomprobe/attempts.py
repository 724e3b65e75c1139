"""One request's tries, one after the other: which hosts they meet, and what the client gets in the end (pure).

A load balancer that takes hosts in turn goes on from where the request before left it, so that the tries of one request move the
next one's: with two bad hosts and one retry each request begins with the same host, and every client gets the answer of the other one.

Sources: Envoy's source/common/router/router.cc (doRetry, onResponseTimeout), retry_state_impl.cc, backoff_strategy.cc; the variants
retry-tries-*.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from .balance import PER_CLIENT
from .model import Cluster, EnvoyReply, Timer
from .record import Record, replace
from .retries import OF_ALL_TRIES, Answer, alternative, marked, retriable, silent

BACKOFF, LONGEST = 0.025, 0.25
"""Before a retry Envoy waits a random part of 25 ms, then of 50, 100 … up to 250 ms: half of it on average. In seconds."""

MOST = 500
"""Tries of one request that are looked at: more take a minute of waiting between them."""

REQUESTS = 840
"""So many requests one after the other: a multiple of every short period."""

PLACES = 64
"""Places of a rotation up to which it is followed; the order of a longer one is no more than chance."""

Total = dict[tuple[EnvoyReply, str | None], float]
"""(reply, rule) -> share of the requests."""

Cut = Callable[[Timer], Answer]
"""The answer where this timer ends before the tries do."""


class _Ended(Record, frozen=True):
    """A request that begins at one place: its answers, and the chance that it took so many tries, from 1 on."""

    answers: Total
    tries: Mapping[int, float]


def shares(
    cluster: Cluster, hosts: Sequence[Sequence[Answer]], weights: Sequence[float], turns: Sequence[int], cut: Cut
) -> tuple[Total, bool]:
    """The share of each answer, and whether one after the other may all get the same of several.

    hosts: the answers of each, empty where they are not known. weights: the share of the first tries that each host gets. turns: one
    round of hosts in their order; empty where hosts are drawn.
    """
    attempts = min(cluster.retries.count + 1, MOST)
    if cluster.load_balancing_policy in PER_CLIENT:  # the hash of a request is that of its retries
        return _added((weight, _ended(cluster, [host] * attempts, cut).answers) for weight, host in zip(weights, hosts, strict=True)), False
    if not turns or len(turns) > PLACES:  # of the order of a long rotation no more than chance is left
        met = ((weight, host) for weight, host in zip(weights, hosts, strict=True) if weight)
        drawn = [replace(answer, share=answer.share * weight) for weight, host in met for answer in host]
        return _ended(cluster, [drawn] * attempts, cut).answers, False
    ended = [_ended(cluster, [hosts[turns[(place + n) % len(turns)]] for n in range(attempts)], cut) for place in range(len(turns))]
    beginnings = [_in_turn(ended, place) for place in range(len(set(turns)))]  # Envoy begins with any of them (seed_ % hosts)
    total = _added((1 / len(beginnings), one) for one in beginnings)
    return total, any(abs(one.get(key, 0.0) - share) > 0.01 for one in beginnings for key, share in total.items())


def _ended(cluster: Cluster, order: Sequence[Sequence[Answer]], cut: Cut) -> _Ended:
    """What comes of a request whose tries meet hosts with these answers."""
    answers: Total = {}
    tries: dict[int, float] = {}
    timer, limit = _limit(cluster)
    going, began = 1.0, 0.0
    hung: Answer | None = None  # a try that is still open, while others are made (hedging)

    def end(answer: Answer, chance: float, number: int) -> None:
        final = alternative(cluster, answer)
        key = (final.reply, final.rule)
        answers[key] = answers.get(key, 0.0) + chance
        tries[number] = tries.get(number, 0.0) + chance

    for number, host in enumerate(order, 1):
        if not host:
            tries[number] = going
            break
        on = ends = 0.0
        for answer in host:
            chance = going * answer.share
            open = silent(cluster, answer)
            until = began + (cluster.hedge if open and cluster.hedge else answer.seconds)
            over = number > 1 and until >= limit  # the first try's own end was seen
            if not retriable(cluster, answer):
                end(cut(timer) if over else answer, chance, number)
            elif number == len(order) and (open or not over):
                end(marked(hung or answer, "URX"), chance, number)
            elif cluster.circuit_breakers.max_retries == 0:
                end(marked(answer, "UO"), chance, number)
            elif until >= limit:
                end(hung or (answer if open else cut(timer)), chance, number)
            else:
                on, ends, hung = on + chance, ends + chance * until, answer if open else hung
        if not on:
            break
        going, began = on, ends / on + min(BACKOFF * 2 ** (number - 1), LONGEST) / 2
        if began >= limit:
            end(hung or cut(timer), going, number)
            break
    return _Ended(answers, tries)


def _limit(cluster: Cluster) -> tuple[Timer, float]:
    """The timer that ends all tries first, and its seconds."""
    timers = cluster.timers.by_name
    first = min(OF_ALL_TRIES, key=lambda timer: timers[timer] or math.inf)
    return first, timers[first] or math.inf


def _in_turn(ended: Sequence[_Ended], place: int) -> Total:
    """The share of each answer among requests one after the other, the first of which begins at this place."""
    here = {place: 1.0}
    visits = [0.0] * len(ended)
    for request in range(-len(ended), REQUESTS):  # the first ones lead to what repeats itself
        there: dict[int, float] = {}
        for at, chance in here.items():
            if request >= 0:
                visits[at] += chance / REQUESTS
            for number, part in ended[at].tries.items():
                next = (at + number) % len(ended)
                there[next] = there.get(next, 0.0) + chance * part
        here = there
    return _added((visit, one.answers) for visit, one in zip(visits, ended, strict=True))


def _added(parts: Iterable[tuple[float, Total]]) -> Total:
    """The sum of these, each times its weight."""
    total: Total = {}
    for weight, answers in parts:
        for key, share in answers.items() if weight else ():
            total[key] = total.get(key, 0.0) + weight * share
    return total
