"""Several hosts behind one route: what shares of the requests get which answer. Root causes J, O, Q and W."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest

from pomprobe.model import Severity
from servers.dns import Zone, dns_server
from servers.health import closed_port, serve, tls

from .apps import App, Headers
from .playing import OK, REFUSED, Answer, Played, play, response
from .recorded import answers, known, recorded

CHECK = """health_checks:
  - timeout: 1s
    interval: 5s
    healthy_threshold: 1
    unhealthy_threshold: 1
    http_health_check: {path: /healthz}
"""


def member(status: int, check: int = 200, headers: str = "") -> App:
    """Answers requests with one status, and its health check with another."""

    def answer(path: str, sent: Headers) -> bytes:
        return response(check, headers) if path == "/healthz" else response(status)

    return App(answer)


def app(share: float, status: int) -> Answer:
    return share, status, "-", OK


async def members(*apps: App, keys: str = CHECK, weights: tuple[int, ...] = ()) -> Played:
    """A route to these apps, in their order."""
    async with contextlib.AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(serve(one)) for one in apps]
        to = [f"http://127.0.0.1:{port}" + (f",{weights[index]}" if weights else "") for index, port in enumerate(ports)]
        return await play(f"to: {to}\n{keys}")


@contextlib.asynccontextmanager
async def named(zone: Zone) -> AsyncIterator[str]:
    async with dns_server(zone) as server:
        yield f"dns_resolvers: [udp://127.0.0.1:{server.port}]"


# ------------------------------------------------------------------------------------------------ O: health checks


async def test_one_of_two_fails_its_check() -> None:
    """O: half of the hosts is no panic: users never meet the failing one (row hc-2hosts-1-failing)."""
    assert [app(1.0, 200)] == (await members(member(200), member(500, 503))).forecast


async def test_two_of_three_fail_their_check() -> None:
    """O: a third is below 50 %: Envoy panics, and sends requests to the failing ones too (row hc-3hosts-2-failing)."""
    played = await members(member(200), member(500, 503), member(500, 503))
    assert [app(0.667, 500), app(0.333, 200)] == played.forecast
    assert ("HC154", True) == (played.route.verdicts[0].rule.code, "HC101" in played.codes)
    assert "Only 1 of 3 hosts pass their check" in played.route.verdicts[0].title
    assert "`healthy_panic_threshold: 0`" in played.fix("HC154")
    assert "CFG603" not in played.codes  # the same advice, for what is seen here


async def test_two_of_three_fail_their_check_without_panic() -> None:
    """O: with a threshold of 0 the one that is left serves them all (row hc-3hosts-2-failing-panic0)."""
    played = await members(member(200), member(500, 503), member(500, 503), keys=CHECK + "healthy_panic_threshold: 0")
    assert [app(1.0, 200)] == played.forecast
    assert "HC154" not in played.codes
    assert ("warning", {Severity.WARNING}) == (played.route.status, {verdict.severity for verdict in played.route.verdicts})


async def test_a_host_that_outlier_detection_takes_out() -> None:
    """O: at first its own error, and no_healthy_upstream as soon as it is ejected (row od-5xx-1host-max100-panic0)."""
    keys = "healthy_panic_threshold: 0\noutlier_detection: {consecutive_5xx: 3, max_ejection_percent: 100}"
    played = await members(member(503), keys=keys)
    assert [app(1.0, 503)] == played.forecast
    assert "until Envoy ejects the host" == played.route.forecast[0].note
    (ejected,) = (verdict for verdict in played.route.verdicts if verdict.rule.code == "HC155")
    assert "no_healthy_upstream for 30s" in ejected.title and ejected.means is not None
    assert (503, "UH", "no_healthy_upstream") in known("od-5xx-1host-max100-panic0")
    assert "remove `outlier_detection`" in played.fix("HC155")
    assert "HC155" not in (await members(member(503), keys="outlier_detection: {consecutive_5xx: 3}")).codes  # 10 % of one is none


async def test_a_host_of_two_that_outlier_detection_takes_out() -> None:
    """O: the other one gets all requests then (row od-5xx-2hosts-max100-panic0)."""
    played = await members(member(503), member(200), keys="outlier_detection: {max_ejection_percent: 50}")
    assert [app(0.5, 503), app(0.5, 200)] == played.forecast
    assert ("HC156" in played.codes, "HC155" in played.codes) == (True, False)
    assert "A host that fails 5 times in a row is ejected for 30s" in {verdict.title.partition(":")[0] for verdict in played.route.verdicts}
    assert "add `health_checks`" in played.fix("HC156")


async def test_a_check_that_fails_although_requests_work() -> None:
    """O: it is the check that is wrong, and that is a finding of its own; without panic it takes the route down."""
    played = await members(member(200, 404), member(200, 404), keys=CHECK + "healthy_panic_threshold: 0")
    assert recorded("own-hc-fails-requests-work-2") == answers(played.forecast)
    assert "as the finding on it says" in played.fix("HC152")
    assert "Set `http_health_check.path: /` on this check: pomprobe tried it" in played.fix("HC103")
    assert "`no_traffic_interval: 5s`" in played.verdict("HC103").fixes[-1]
    hidden = await members(member(200, 404))
    assert ([app(1.0, 200)], "warning") == (hidden.forecast, hidden.route.status)
    assert ("HC152" in hidden.codes, "CFG603" in hidden.codes) == (True, False)  # its `healthy_panic_threshold: 0` would end all requests
    assert "no_traffic_interval" not in " ".join(hidden.verdict("HC103").fixes)


async def test_a_check_that_is_refused_for_its_host() -> None:
    """O: Envoy sends the cluster's name; the Host that requests have was tried, and passes."""

    def answer(path: str, sent: Headers) -> bytes:
        return response(200 if sent["host"].startswith("127.0.0.1:") else 404)

    played = await members(App(answer), keys=CHECK + "healthy_panic_threshold: 0")
    assert [(1.0, 503, "UH", "no_healthy_upstream")] == played.forecast
    facts = played.route.upstreams[0].endpoints[0].outcomes[-1].facts
    assert str(facts["works"]) == f"http_health_check.host: {str(facts['tried']).rpartition('Host: ')[2][:-3]}"
    assert "pomprobe tried it" in played.fix("HC103")


async def test_a_check_whose_path_is_wrong_under_any_host() -> None:
    """O: then the Host is not what is proposed."""
    played = await members(member(404, 404))
    assert "`http_health_check.path`" in played.fix("HC103")
    assert "http_health_check.host" not in " ".join(played.verdict("HC103").fixes)


async def test_a_check_that_passes_although_requests_fail() -> None:
    """O: a check of the connection alone sees nothing of it."""
    many = "".join(f"x-{number}: 1\r\n" for number in range(101))
    tcp = CHECK.replace("http_health_check: {path: /healthz}", "tcp_health_check: {}")
    played = await members(App(lambda path, headers: response(200, many)), keys=tcp)
    assert (502, "UPE") == played.forecast[0][1:3]
    assert "`http_health_check`" in played.fix("HC151")


@pytest.mark.parametrize(
    ("row", "apps", "expected"),
    [
        ("own-hc-degraded-1-of-2", (True, False), [app(0.7, 200), app(0.3, 500)]),
        ("own-hc-degraded-2-of-3", (True, True, False), [app(0.54, 500), app(0.46, 200)]),
    ],
)
async def test_degraded_hosts(row: str, apps: tuple[bool, ...], expected: list[Answer]) -> None:
    """O: hosts that call themselves degraded get what the others are too few for."""
    made = [member(500, headers="x-envoy-degraded: 1\r\n") if degraded else member(200) for degraded in apps]
    played = await members(*made)
    assert expected == played.forecast
    assert recorded(row) == answers(played.forecast)


# ------------------------------------------------------------------------------------------------ W: shares


@pytest.mark.parametrize(
    ("policy", "expected", "note"),
    [
        ("round_robin", [app(0.75, 503), app(0.25, 200)], ""),
        ("least_request", [app(0.75, 503), app(0.25, 200)], ""),
        ("random", [app(0.5, 503), app(0.5, 200)], ""),
        ("ring_hash", [app(0.75, 503), app(0.25, 200)], "per client address: all or nothing"),
        ("maglev", [app(0.75, 503), app(0.25, 200)], "per client address: all or nothing"),
    ],
)
async def test_weights(policy: str, expected: list[Answer], note: str) -> None:
    """W: weights 1 and 3; RANDOM does not look at them, and the hashing policies bind each client to one host."""
    played = await members(member(200), member(503), keys=f"load_balancing_policy: {policy}", weights=(1, 3))
    assert sorted(expected) == sorted(played.forecast)
    assert {note} == {entry.note for entry in played.route.forecast}
    assert answers(played.forecast) >= recorded(f"own-lb-{policy}-weights")


async def test_the_weight_of_a_name_is_that_of_each_of_its_addresses() -> None:
    """W: two addresses of weight 1 and one of weight 2 share the requests 1 : 1 : 2."""
    zone: Zone = {"up.lab.test": [("A", "127.0.0.1"), ("A", "127.0.0.2")], "other.lab.test": [("A", "127.0.0.3")]}
    async with serve(member(201)) as port, named(zone) as settings:
        played = await play(f"to: ['http://up.lab.test:{port},1', 'http://other.lab.test:{port},2']", settings)
    assert {(0.25, 201, "-", OK), (0.75, 503, "UF", REFUSED)} == set(played.forecast)


async def test_a_name_that_leads_nowhere_beside_one_that_does() -> None:
    """W: it has no host in the cluster, so users never notice; it is told all the same, as a warning."""
    zone: Zone = {"up.lab.test": [("A", "127.0.0.1")], "gone.lab.test": "NXDOMAIN"}
    async with serve(member(200)) as port, named(zone) as settings:
        played = await play(f"to: [http://up.lab.test:{port}, http://gone.lab.test:{port}]", settings)
    assert recorded("own-lb-dead-name") == answers(played.forecast)
    assert ("warning", True) == (played.route.status, "DNS101" in played.codes)


@pytest.mark.parametrize(("other", "differs"), [(404, True), (400, True), (401, False), (200, False), (500, False)])
async def test_members_that_are_not_the_same_app(other: int, differs: bool) -> None:
    """J: a Service with a metrics port, and both ports in `to`: every second request gets 404, and no check would see it."""
    played = await members(member(200), member(other), keys="")
    assert (differs, True) == ("HTTP712" in played.codes, app(0.5, other) in played.forecast or other == 200)
    if differs:
        assert "warning" == played.route.status
        assert str(played.route.upstreams[1].endpoints[0].endpoint) in played.fix("HTTP712") and "out of `to`" in played.fix("HTTP712")
        assert "`ingress.pomerium.io/service_proxy_upstream" in " ".join(played.verdict("HTTP712").fixes)


async def test_a_dead_family() -> None:
    """W: with ALL each record is a host, and the one that nobody listens on takes its half of the requests."""
    zone: Zone = {"up.lab.test": [("A", "127.0.0.1"), ("AAAA", "::1")]}
    async with serve(member(200)) as port, named(zone) as settings:
        played = await play(f"to: http://up.lab.test:{port}", settings + "\ndns_lookup_family: ALL")
    assert {app(0.5, 200), (0.5, 503, "UF", REFUSED)} == set(played.forecast)
    assert recorded("own-lb-all-family") == answers(played.forecast)


async def test_http_and_https_in_one_list() -> None:
    """W: the plain one gets the TLS of the other, and fails; the config says so without a packet (row tls-mixed-http-https)."""
    async with serve(member(200)) as plain, serve(member(200), tls("127.0.0.1")) as secure:
        played = await play(f"to: [http://127.0.0.1:{plain}, https://127.0.0.1:{secure}]\ntls_skip_verify: true")
    assert {(0.5, 503, "UF"), (0.5, 200, "-")} == {answer[:3] for answer in played.forecast}
    assert "two routes" in played.fix("TLS307")
    assert "`to: [https://" in played.fix("CFG317")
    assert () == played.tried()


async def test_a_circuit_breaker_decides_before_any_host() -> None:
    """Q: with a threshold of 0 it does not matter that one of two hosts is dead."""
    async with serve(member(200)) as port:
        with closed_port() as closed:
            keys = "circuit_breaker_thresholds: {max_connection_pools: 0}"
            played = await play(f"to: [http://127.0.0.1:{port}, http://127.0.0.1:{closed}]\n{keys}")
    assert [(1.0, 503, "UH", "no_healthy_upstream")] == played.forecast
    assert "max_connection_pools" in played.fix("CFG612")
