"""Which hosts outlier detection takes out, and who is left (tests/envoy/test_ejection.py asks a live Envoy the same)."""

from __future__ import annotations

from typing import Any

import pytest

from factories import cluster, endpoint, ok, route, upstream
from pomprobe.balance import Host
from pomprobe.ejection import Ejection, expected
from pomprobe.model import EnvoyReply, RouteKind, StageName
from pomprobe.retries import Answer


def answer(status: int, flags: str = "-") -> Answer:
    details = "via_upstream" if flags == "-" else "upstream_reset_before_response_started{x}"
    return Answer(EnvoyReply(status, flags, details, "c"), None, ok(StageName.HTTP, endpoint()))


FINE, BAD, REFUSED = answer(200), answer(500), answer(503, "UF")
ALL = {"max_ejection_percent": 100}


def told(settings: dict[str, Any] | None, *answers: list[Answer], threshold: int = 0, healthy: bool = True) -> Ejection | None:
    one = cluster(route=route(upstreams=(upstream(),), outlier_detection=settings), panic_threshold=threshold)
    return expected(one, [Host(1, healthy) for _ in answers], answers)


def test_nobody_without_the_key_or_a_host() -> None:
    """There is nothing to eject, or nobody who would."""
    assert told(None, [BAD]) is None
    assert told(ALL) is None
    assert told(ALL, []) is None


def test_a_kubernetes_route_knows_no_ejection() -> None:
    """Its requests do not go through Envoy's cluster."""
    one = cluster(route=route(kind=RouteKind.KUBERNETES, outlier_detection=ALL), panic_threshold=0)
    assert expected(one, [Host(1, True)], [[BAD]]) is None


def test_an_only_host() -> None:
    """The default count is 5, the default time 30 s."""
    assert Ejection(5, "30s", False) == told(ALL, [BAD])
    assert Ejection(2, "10s", False) == told(ALL | {"consecutive_5xx": 2, "base_ejection_time": "10s"}, [BAD])


def test_one_of_several() -> None:
    """The others get its requests, unless none of them is healthy."""
    assert Ejection(5, "30s", True) == told(ALL, [BAD], [FINE])
    assert Ejection(5, "30s", False) == told(ALL, [BAD], [FINE], healthy=False)


def test_a_panic_leaves_things_as_they_are() -> None:
    """Less than the threshold would be left."""
    assert told(ALL, [BAD], threshold=50) is None
    assert told(ALL, [BAD], [BAD], threshold=60) is None
    assert Ejection(5, "30s", True) == told(ALL, [BAD], [REFUSED], threshold=50), "after the first one half of them are left"
    assert told(ALL, [BAD], [FINE], [FINE], threshold=50) is not None


def test_an_answer_that_comes_and_goes_may_never_be_often_enough() -> None:
    """In a row is what counts."""
    assert told(ALL, [BAD, FINE]) is None
    assert Ejection(5, "30s", False) == told(ALL, [BAD, REFUSED])


@pytest.mark.parametrize(("percent", "ejects"), [(9, False), (10, True), (49, True), (0, False)])
def test_the_share_of_hosts_that_may_be_out(percent: int, ejects: bool) -> None:
    """Of ten hosts."""
    assert ejects == (told({"max_ejection_percent": percent}, [BAD], *[[FINE]] * 9) is not None)


def test_the_split_counts_failed_connections_alone_apart() -> None:
    """An error that Envoy makes of an answer counts for nothing then."""
    split = ALL | {"split_external_local_origin_errors": True, "consecutive_local_origin_failure": 3}
    assert Ejection(3, "30s", False) == told(split, [REFUSED])
    assert Ejection(5, "30s", False) == told(split, [BAD])
    assert told(split, [answer(503, "UC")]) is None
    assert told(split | {"enforcing_consecutive_local_origin_failure": 0}, [REFUSED]) is None
