"""What outcomes give away although no stage failed."""

from __future__ import annotations

from typing import Any

import pytest

from factories import cluster, good, route, upstream
from factories import ok as fine
from pomprobe.insights import notices, redirected
from pomprobe.model import Cluster, Endpoint, Failure, StageName

APP = upstream("http://10.0.0.1:8080", "10.0.0.1", 8080)


def seen(made: Cluster, *outcomes: object) -> list[Failure | None]:
    return [notice.failure for notice in notices(made, APP, outcomes, 0.8)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "failures"),
    [
        ("10.0.0.1", []),
        ("0.0.0.0", [Failure.SINKHOLE]),
        ("::", [Failure.SINKHOLE]),
        ("169.254.169.254", [Failure.METADATA_ADDRESS]),
        ("fd00:ec2::254", [Failure.METADATA_ADDRESS]),
    ],
)
def test_addresses_at_which_no_app_is(address: str, failures: list[Failure]) -> None:
    """What filters answer for a blocked name, and where clouds keep credentials."""
    assert failures == seen(cluster((APP,)), fine(StageName.TCP, Endpoint(address, 80)))


@pytest.mark.parametrize(
    ("location", "origin"),
    [
        ("/login", ""),
        ("https://app.example.com/login", ""),
        ("https://login.example.com/", ""),
        ("http://10.0.0.1:8080/login", "http://10.0.0.1:8080/"),
        ("http://wiki.corp.internal/", "http://wiki.corp.internal/"),
        ("//nas.local/", "https://nas.local/"),
        ("http://[broken/", ""),
    ],
)
def test_a_redirect_to_where_users_cannot_go(location: str, origin: str) -> None:
    """The upstream's own address, or a name that only a private network has."""
    assert origin == redirected({"location": location}, APP, cluster((APP,)))


@pytest.mark.parametrize(
    ("facts", "failures"),
    [
        ({"upgrade_status": 101}, []),
        ({"upgrade_status": 200}, [Failure.UPGRADE_REFUSED]),
        ({"upgrade_failure": "closed"}, [Failure.UPGRADE_REFUSED]),
        ({"upgrade_failure": "timed_out"}, []),
        ({"pomerium_header": "x-pomerium-intercepted-response"}, [Failure.LOOP_SEEN]),
        ({"location": "https://auth.example.com/.pomerium/sign_in"}, [Failure.LOOP_SEEN]),
        ({"samples": 3, "failed": 1}, [Failure.INTERMITTENT]),
        ({"samples": 3, "failed": 3}, []),
        ({"samples": 3, "failed": 0, "max": 25.0}, [Failure.LITTLE_HEADROOM]),
    ],
)
def test_what_an_answer_gives_away(facts: dict[str, Any], failures: list[Failure]) -> None:
    """Each fact with the note that it deserves."""
    answer = fine(StageName.HTTP, Endpoint("10.0.0.1", 8080), status=200, **facts)
    assert failures == seen(cluster(route=route(upstreams=(APP,), websockets=True)), answer)


def test_an_app_that_refuses_everything_says_nothing_about_websockets() -> None:
    """401 to the plain request and to the upgrade: nobody is signed in."""
    (_, answer) = good(Endpoint("10.0.0.1", 8080), 401, upgrade_status=401).outcomes
    assert [] == seen(cluster((APP,)), answer)
