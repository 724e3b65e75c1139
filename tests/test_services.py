"""Pomerium's authorize service as one of the clusters of a run: what is told of it, and when nothing is."""

from __future__ import annotations

import pytest

import factories
from pomprobe.diagnose import Knowledge, diagnose
from pomprobe.model import Cluster, Config, EndpointOutcomes, Failure, Outcome, Place, Protocol, Settings, StageName, Status, Upstream
from pomprobe.plan import authorize
from pomprobe.plan.bundle import Bundle
from pomprobe.services import problems


def place(path: str) -> Place:
    return Place("config.yaml", 2, 3, path)


def cluster(*hosts: str) -> Cluster:
    ups = tuple(
        Upstream(f"http://{host}:5443", "http", host, 5443, True, "", None, place(f"authorize_service_urls[{number}]"))
        for number, host in enumerate(hosts)
    )
    found = authorize(Config("config.yaml", (), Settings(authorize=ups)), Bundle())
    assert found is not None
    return found


def told(made: Cluster, *seen: Status) -> list[str]:
    """The messages, where the hosts came out so."""
    upstreams = []
    for upstream, status in zip(made.upstreams, seen, strict=True):
        at = factories.endpoint(upstream.host, 5443)
        failure = Failure.CONNECTION_REFUSED if status is Status.FAILING else None
        limit = {"limit": "the run ended early"} if status is Status.UNDETERMINED else {"tunnel": True}
        failure = Failure.NOT_KNOWN if status is Status.UNDETERMINED else failure
        outcome = Outcome(StageName.TCP, status, at, failure, facts=limit)
        upstreams.append(factories.resolved(upstream, EndpointOutcomes(at, (outcome,))))
    return [problem.message for problem in problems([diagnose(made, upstreams, Knowledge())])]


def test_it_is_probed_as_envoy_uses_it() -> None:
    """As far as TLS, within the connect timeout, and with no request."""
    made = cluster("10.0.0.1")
    assert ("pomerium-authorize", Protocol.RAW, 10.0, None) == (made.name, made.protocol, made.timers.connect, made.timers.request)


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ([Status.OK], ""),
        ([Status.FAILING], "every request of every route"),
        ([Status.UNDETERMINED], ""),
        ([Status.FAILING, Status.OK], ""),
        ([Status.FAILING, Status.FAILING], "every request of every route"),
    ],
)
def test_what_is_told(seen: list[Status], said: str) -> None:
    """Of several URLs Envoy leaves those out that fail; what is not known is no fault."""
    messages = told(cluster(*(f"10.0.0.{number}" for number in range(len(seen)))), *seen)
    assert bool(said) == bool(messages)
    assert all(said in message for message in messages)
