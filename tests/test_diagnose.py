"""Outcomes become verdicts and a forecast whose shares add up."""

from __future__ import annotations

import pytest

from factories import bad, cluster, endpoint, good, ok, place, resolved, upstream
from factories import route as a_route
from pomprobe.diagnose import Knowledge, diagnose, findings
from pomprobe.model import (
    CircuitBreakers,
    Endpoint,
    EndpointOutcomes,
    Failure,
    HealthCheck,
    Outcome,
    Problem,
    RouteKind,
    RouteReport,
    Severity,
    StageName,
    Status,
    Timer,
    Timers,
)

KNOWLEDGE = Knowledge()
ONE, TWO, THREE = (endpoint(f"10.0.0.{n}") for n in (1, 2, 3))
REFUSED = "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}"


def refused(at: Endpoint) -> EndpointOutcomes:
    return bad(
        at,
        Outcome(
            StageName.TCP,
            Status.FAILING,
            at,
            Failure.CONNECTION_REFUSED,
            facts={"errno": "ECONNREFUSED", "reason": "Connection_refused", "immediate": False},
        ),
    )


def shares(report: RouteReport) -> list[tuple[float, int, str, str]]:
    return [(round(f.share, 3), f.reply.status, f.reply.response_flags, f.reply.response_code_details) for f in report.forecast]


def test_each_dead_address_costs_its_share() -> None:
    """Row dns-multi-a-one-refuses: of three addresses two refuse, two thirds of the requests fail."""
    report = diagnose(cluster(), [resolved(upstream(), good(ONE), refused(TWO), refused(THREE))], KNOWLEDGE)
    assert [(0.667, 503, "UF", REFUSED), (0.333, 200, "-", "via_upstream")] == shares(report)
    assert Status.FAILING == report.status
    assert [TWO, THREE] == [v.endpoint for v in report.verdicts]


def test_weights_count() -> None:
    """Row lb-weight-mixed: the heavy one answers 503, three quarters of the users see it."""
    light, heavy = upstream(weight=1), upstream("http://b:80", "b", 80, 3, number=1)
    failing = bad(
        TWO,
        ok(StageName.TCP, TWO),
        Outcome(StageName.HTTP, Status.FAILING, TWO, Failure.APP_ERROR, facts={"status": 503, "protocol": "HTTP/1.1"}),
    )
    report = diagnose(cluster((light, heavy)), [resolved(light, good(ONE)), resolved(heavy, failing)], KNOWLEDGE)
    assert [(0.75, 503, "-", "via_upstream"), (0.25, 200, "-", "via_upstream")] == shares(report)
    assert Status.FAILING == report.status


def test_a_name_that_does_not_exist_is_no_healthy_upstream() -> None:
    """Row dns-nxdomain."""
    gone = Outcome(StageName.DNS, Status.FAILING, failure=Failure.NAME_NOT_FOUND, facts={"name": "app"})
    report = diagnose(cluster(), [resolved(upstream(), outcome=gone)], KNOWLEDGE)
    assert [(1.0, 503, "UH", "no_healthy_upstream")] == shares(report)


def test_a_dead_name_beside_a_live_one_warns_only() -> None:
    """Row dns-mixed-ip-and-name: the host is just not in the cluster, no request meets it."""
    live, dead = upstream(), upstream("http://gone", "gone", 80, number=1)
    gone = Outcome(StageName.DNS, Status.FAILING, failure=Failure.NAME_NOT_FOUND, facts={"name": "gone"})
    report = diagnose(cluster((live, dead)), [resolved(live, good(ONE)), resolved(dead, outcome=gone)], KNOWLEDGE)
    assert [(1.0, 200, "-", "via_upstream")] == shares(report)
    assert (Status.WARNING, [Severity.WARNING]) == (report.status, [v.severity for v in report.verdicts])


CHECK = HealthCheck("http", 1.0, 1.0, 1, 1, path="/healthz")
UNWELL = Outcome(
    StageName.HEALTH,
    Status.FAILING,
    ONE,
    Failure.HEALTH_STATUS,
    facts={"checker": "http", "path": "/healthz", "status": 503, "expected": "200"},
)


@pytest.mark.parametrize(
    ("panic", "expected", "status"),
    [(50, (1.0, 200, "-", "via_upstream"), Status.WARNING), (0, (1.0, 503, "UH", "no_healthy_upstream"), Status.FAILING)],
)
def test_the_panic_threshold_decides_whether_users_notice_a_failing_check(
    panic: int, expected: tuple[float, int, str, str], status: Status
) -> None:
    """Rows hc-503-default-panic and hc-503-panic0."""
    sick = EndpointOutcomes(ONE, (*good(ONE).outcomes, UNWELL))
    report = diagnose(cluster(health_checks=(CHECK,), panic_threshold=panic), [resolved(upstream(), sick)], KNOWLEDGE)
    assert ([expected], status) == (shares(report), report.status)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (CircuitBreakers(max_connection_pools=0), (1.0, 503, "UH", "no_healthy_upstream")),
        (CircuitBreakers(max_pending_requests=0), (1.0, 503, "UO", "upstream_reset_before_response_started{overflow}")),
    ],
)
def test_a_circuit_breaker_of_zero_lets_nothing_through(limits: CircuitBreakers, expected: tuple[float, int, str, str]) -> None:
    """Rows cb-max-pools-0 and cb-max-pending-0."""
    assert [expected] == shares(diagnose(cluster(circuit_breakers=limits), [resolved(upstream(), good(ONE))], KNOWLEDGE))


def test_a_cluster_that_envoy_refuses_is_not_found() -> None:
    """Row hc-two-checks: users get 503 NC."""
    report = diagnose(cluster(refusals=("Multiple health checks not supported",)), [], KNOWLEDGE)
    assert [(1.0, 503, "NC", "cluster_not_found")] == shares(report)


def test_our_own_limits_are_undetermined_and_in_no_forecast() -> None:
    """An upstream is blamed only for what it did."""
    unknown = bad(ONE, Outcome(StageName.TCP, Status.UNDETERMINED, ONE, Failure.NOT_KNOWN, facts={"limit": "--max-wait"}))
    report = diagnose(cluster(), [resolved(upstream(), unknown)], KNOWLEDGE)
    assert (Status.UNDETERMINED, []) == (report.status, shares(report))


@pytest.mark.parametrize(("panic", "known"), [(50, True), (0, False)])
def test_a_check_that_our_limits_cut_short_is_not_taken_for_healthy(panic: int, known: bool) -> None:
    """With panic routing the check decides nothing, and the answer is known all the same."""
    cut = Outcome(StageName.HEALTH, Status.UNDETERMINED, ONE, Failure.NOT_KNOWN, facts={"limit": "our own congestion (1.0 s late)"})
    some = EndpointOutcomes(ONE, (*good(ONE).outcomes, cut))
    report = diagnose(cluster(health_checks=(CHECK,), panic_threshold=panic), [resolved(upstream(), some)], KNOWLEDGE)
    assert (Status.UNDETERMINED, known) == (report.status, bool(shares(report)))


def test_a_defect_of_ours_is_no_verdict_on_the_upstream() -> None:
    """The report survives, and nothing is forecast from it."""
    defect = bad(ONE, Outcome(StageName.HTTP, Status.BUG, ONE, Failure.BUG, facts={"bug": "ValueError at http.py:1"}))
    report = diagnose(cluster(), [resolved(upstream(), defect)], KNOWLEDGE)
    assert (Status.UNDETERMINED, []) == (report.status, shares(report))


def test_a_refusal_of_the_app_is_information() -> None:
    """The probe carries no identity: a 401 says nothing against the route."""
    asked = bad(
        ONE,
        ok(StageName.TCP, ONE),
        Outcome(StageName.HTTP, Status.FAILING, ONE, Failure.APP_REFUSAL, facts={"status": 401, "protocol": "HTTP/1.1"}),
    )
    report = diagnose(cluster(), [resolved(upstream(), asked)], KNOWLEDGE)
    assert ([(1.0, 401, "-", "via_upstream")], Status.OK) == (shares(report), report.status)


def test_a_kubernetes_route_answers_502_through_pomeriums_own_proxy() -> None:
    """Its traffic does not go through Envoy: every failure is a 502 via_upstream."""
    made = a_route(kind=RouteKind.KUBERNETES)
    assert [(1.0, 502, "-", "via_upstream")] == shares(diagnose(cluster(route=made), [resolved(upstream(), refused(ONE))], KNOWLEDGE))


def test_ring_hash_says_that_a_client_sees_all_or_nothing() -> None:
    """Rows lb-ring_hash, lb-maglev."""
    report = diagnose(cluster(load_balancing_policy="RING_HASH"), [resolved(upstream(), good(ONE), refused(TWO))], KNOWLEDGE)
    assert ["per client address: all or nothing"] * 2 == [entry.note for entry in report.forecast]


def test_a_timeout_names_the_key_that_sets_it() -> None:
    """The fix says which key, with the value that fired."""
    late = Outcome(StageName.HTTP, Status.FAILING, ONE, Failure.TIMED_OUT, Timer.ROUTE, {"started": False})
    timers = Timers(route=3.0, keys={"route": "timeout"})
    report = diagnose(cluster(timers=timers), [resolved(upstream(), bad(ONE, ok(StageName.TCP, ONE), late))], KNOWLEDGE)
    assert [(1.0, 504, "UT", "response_timeout")] == shares(report)
    assert "timeout" in " ".join(report.verdicts[0].fixes)
    assert "upstream_response_timeout" == report.forecast[0].reply.code


def test_an_interim_response_counts_as_the_start() -> None:
    """A 100 and then garbage: 502, but reset *after* the response started (measured on Envoy 1.37)."""
    odd = Outcome(
        StageName.HTTP, Status.FAILING, ONE, Failure.PROTOCOL_ERROR, facts={"problem": "bad status line", "interim": True, "started": False}
    )
    report = diagnose(cluster(), [resolved(upstream(), bad(ONE, ok(StageName.TCP, ONE), odd))], KNOWLEDGE)
    assert [(1.0, 502, "UPE", "upstream_reset_after_response_started{protocol_error}")] == shares(report)


def test_samples_share_the_requests_of_their_endpoint() -> None:
    """Of two samples one failed: half of the requests are forecast to."""
    sampled = EndpointOutcomes(ONE, good(ONE).outcomes, (refused(ONE).outcomes,))
    assert {(0.5, 200, "-", "via_upstream"), (0.5, 503, "UF", REFUSED)} == set(
        shares(diagnose(cluster(), [resolved(upstream(), sampled)], KNOWLEDGE))
    )


def test_a_fatal_problem_is_an_error_with_its_place() -> None:
    """What Pomerium refuses is an error whatever its rule says."""
    problem = Problem(Failure.CONFIG_REFUSED, place("routes[0].timeout"), 'time: missing unit in duration "30"', fatal=True)
    (finding,) = findings([problem], KNOWLEDGE)
    assert (Severity.ERROR, problem.message, problem.place) == (finding.severity, finding.message, finding.place)
