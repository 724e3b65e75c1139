"""Several tries of one request: which host's answer stays, for how many, and what ends them (variants retry-tries-*)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from factories import cluster, endpoint
from pomprobe import attempts
from pomprobe.model import CircuitBreakers, EnvoyReply, Outcome, Retries, StageName, Status, Timer, Timers
from pomprobe.retries import Answer


def answer(status: int, seconds: float = 0.0, timer: Timer | None = None, flags: str = "-", share: float = 1.0) -> Answer:
    outcome = Outcome(StageName.HTTP, Status.OK, endpoint(), timer=timer, elapsed=seconds)
    return Answer(EnvoyReply(status, flags, "via_upstream" if flags == "-" else "d", "c"), None, outcome, share)


A, B, C, GOOD = answer(500), answer(502), answer(503), answer(200)
SILENT = answer(504, 1.0, Timer.ROUTE, "UT")


def cut(timer: Timer) -> Answer:
    return answer(504, flags={Timer.ROUTE: "UT", Timer.IDLE: "SI"}[timer])


def told(
    hosts: Sequence[Answer | Sequence[Answer]], count: int, turns: Sequence[int] | None = None, weights: Sequence[float] = (), **more: Any
) -> tuple[dict[tuple[int, str], float], bool]:
    """(status, flags) -> share of the requests, and whether it varies."""
    one = cluster(retries=Retries(count, ("5xx",)), **more)
    lists = [[host] if isinstance(host, Answer) else host for host in hosts]
    shares = weights or [1 / len(hosts)] * len(hosts)
    total, varies = attempts.shares(one, lists, shares, range(len(hosts)) if turns is None else turns, cut)
    folded: dict[tuple[int, str], float] = {}
    for (reply, _), share in total.items():
        key = reply.status, reply.response_flags
        folded[key] = folded.get(key, 0.0) + round(share, 3)
    return folded, varies


ROTATIONS: dict[str, tuple[tuple[Any, ...], dict[tuple[int, str], float]]] = {
    "one host": (((A,), 3), {(500, "URX"): 1.0}),
    "none left": (((A,), 0), {(500, "URX"): 1.0}),
    "the other one": (((A, GOOD), 1), {(200, "-"): 1.0}),
    "one good of three": (((A, B, GOOD), 1), {(502, "URX"): 0.5, (200, "-"): 0.5}),
    "all three": (((A, B, GOOD), 2), {(200, "-"): 1.0}),
    "two good of three": (((A, GOOD, answer(404)), 1), {(200, "-"): 0.5, (404, "-"): 0.5}),
    "weights 2 and 1": (((A, GOOD), 1, (0, 1, 0)), {(200, "-"): 0.5, (500, "URX"): 0.5}),
    "drawn": (((A, GOOD), 1, ()), {(200, "-"): 0.75, (500, "URX"): 0.25}),
    "drawn by weight": (((A, GOOD), 1, (), (0.9, 0.1)), {(200, "-"): 0.19, (500, "URX"): 0.81}),
    "flaky": ((((answer(500, share=0.5), answer(200, share=0.5)),), 1), {(200, "-"): 0.75, (500, "URX"): 0.25}),
}


@pytest.mark.parametrize(("given", "expected"), ROTATIONS.values(), ids=ROTATIONS)
def test_the_next_request_goes_on_where_the_last_one_ended(given: tuple[Any, ...], expected: dict[tuple[int, str], float]) -> None:
    """The shares among requests one after the other, wherever the rotation begins."""
    assert (expected, False) == told(*given)


def test_it_may_depend_on_where_envoy_begins() -> None:
    """Two bad hosts and one retry: every request ends with the same one."""
    assert ({(500, "URX"): 0.5, (502, "URX"): 0.5}, True) == told((A, B), 1)
    assert ({(500, "URX"): 0.5, (502, "URX"): 0.5}, False) == told((A, B), 2)


def test_what_comes_once_has_no_share() -> None:
    """A host that only the first request of all meets first."""
    found, _ = told((SILENT, A), 1, timers=Timers(route=1.0))
    assert {(504, "UT"): 1.0} == found


def test_a_host_that_is_out_has_no_part_in_what_is_drawn() -> None:
    """Neither its answer nor its share of nothing."""
    assert ({(200, "-"): 1.0}, False) == told((A, GOOD), 1, (), (0.0, 1.0))
    assert ({(200, "-"): 1.0}, False) == told((A, GOOD), 1, (), (0.0, 1.0), load_balancing_policy="MAGLEV")


def test_a_hash_meets_the_same_host_again() -> None:
    """Retries have the hash of their request."""
    assert ({(500, "URX"): 0.5, (200, "-"): 0.5}, False) == told((A, GOOD), 3, load_balancing_policy="MAGLEV")


def test_the_order_of_a_long_rotation_is_chance() -> None:
    """Many hosts, as if each try drew one."""
    found, _ = told((A, *[GOOD] * 99), 1)
    assert pytest.approx(0.0001, abs=0.0002) == found[500, "URX"]


def test_a_host_that_is_not_known_has_no_share() -> None:
    """What its own part of the requests gets is left out; those who begin there move the rotation by one."""
    found, _ = told(([], A), 1)
    assert {(500, "URX")} >= set(found)
    assert sum(found.values()) < 1


def test_no_retry_where_the_breaker_allows_none() -> None:
    """max_retries: 0, the last try being none of the retries that it forbids."""
    closed = CircuitBreakers(max_retries=0)
    assert ({(500, "UO"): 0.5, (200, "-"): 0.5}, False) == told((A, GOOD), 1, circuit_breakers=closed)
    assert ({(500, "URX"): 1.0}, False) == told((A,), 0, circuit_breakers=closed)
    assert ({(500, "URX"): 1.0}, False) == told((A,), 2, circuit_breakers=CircuitBreakers(max_retries=1))


ENDED: dict[str, tuple[Answer, int, Timers, tuple[int, str]]] = {
    "in time": (answer(500, 0.4), 1, Timers(route=1.0), (500, "URX")),
    "too many": (answer(500, 0.4), 2, Timers(route=1.0), (504, "UT")),
    "idle first": (answer(500, 0.4), 2, Timers(route=2.0, idle=1.0), (504, "SI")),
    "one try is the request's": (answer(500, 1.4), 0, Timers(route=1.0), (500, "URX")),
    "waits alone": (answer(500, 0.0), 30, Timers(route=1.0), (504, "UT")),
    "no limit": (answer(500, 9.0), 400, Timers(route=None, idle=None), (500, "URX")),
}


@pytest.mark.parametrize(("given", "count", "timers", "expected"), ENDED.values(), ids=ENDED)
def test_a_timer_ends_all_tries(given: Answer, count: int, timers: Timers, expected: tuple[int, str]) -> None:
    """The request's timers go on through its tries and the waits between them."""
    assert ({expected: 1.0}, False) == told((given,), count, timers=timers)


HEDGED: dict[str, tuple[tuple[Answer, ...], int, tuple[int, str]]] = {
    "all made": ((SILENT,), 1, (504, "URX,UT")),
    "not all made": ((SILENT,), 4, (504, "UT")),
    "saved": ((SILENT, GOOD), 1, (200, "-")),
    "waits on for the first": ((SILENT, A), 1, (504, "URX,UT")),
}


@pytest.mark.parametrize(("hosts", "count", "expected"), HEDGED.values(), ids=HEDGED)
def test_a_hedged_request_leaves_its_tries_open(hosts: tuple[Answer, ...], count: int, expected: tuple[int, str]) -> None:
    """x-envoy-hedge-on-per-try-timeout."""
    assert ({expected: 1.0}, False) == told(hosts, count, hedge=0.4, timers=Timers(route=1.0))
