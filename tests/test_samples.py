"""Several requests in figures."""

from __future__ import annotations

import pytest

from factories import cluster, endpoint, ok, resolved, upstream
from pomprobe.diagnose import Knowledge, diagnose
from pomprobe.model import EndpointOutcomes, Failure, Outcome, StageName, Status
from pomprobe.report.timeline import timeline
from pomprobe.samples import Walked, figures, summarised

AT = endpoint()


def walked(seconds: float, failure: Failure | None = None) -> Walked:
    status = Status.FAILING if failure else Status.OK
    return ok(StageName.TCP, AT, 0.0), Outcome(StageName.HTTP, status, AT, failure, elapsed=seconds)


REFUSED: Walked = (
    Outcome(StageName.TCP, Status.FAILING, AT, Failure.CONNECTION_REFUSED),
    Outcome(StageName.HTTP, Status.SKIPPED, AT),
)


def test_percentiles_are_times_that_were_measured() -> None:
    """Of 1 to 20 s: half take at most 10, 19 of 20 at most 19."""
    assert {"samples": 20, "failed": 0, "p50": 10.0, "p95": 19.0, "max": 20.0} == figures([walked(n) for n in range(20, 0, -1)])


@pytest.mark.parametrize(("failure", "failed"), [(Failure.CLOSED, 1), (Failure.APP_ERROR, 1), (Failure.APP_REFUSAL, 0)])
def test_an_app_that_asks_for_a_sign_in_has_answered(failure: Failure, failed: int) -> None:
    """What Envoy or the app fails with counts; a 401 or 404 does not."""
    assert failed == figures([walked(1.0), walked(2.0, failure)])["failed"]


def test_without_an_answer_there_are_no_times() -> None:
    """How many failed is all that there is to say; it stands where the first walk ended."""
    first, _ = summarised([REFUSED, REFUSED])
    assert {"samples": 2, "failed": 2} == first[0].facts
    assert {} == first[1].facts


def test_the_report_shows_the_figures() -> None:
    """On the line of times, after the stages."""
    first, *more = summarised([walked(0.01), walked(0.02), walked(0.03, Failure.CLOSED)])
    report = diagnose(cluster(), [resolved(upstream(), EndpointOutcomes(AT, first, tuple(more)))], Knowledge())
    (line,) = timeline(report, unicode=True)
    assert "3 requests: 1 failed, p50 10 ms, p95 20 ms, max 20 ms" == line[-1][0]


def test_one_request_has_no_figures() -> None:
    """As without --samples; nor has a walk that was not begun."""
    assert [walked(1.0)] == summarised([walked(1.0)])
    skipped: Walked = (Outcome(StageName.TCP, Status.SKIPPED, AT),)
    assert [skipped, skipped] == summarised([skipped, skipped])
