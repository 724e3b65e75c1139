"""The metrics, read back by prometheus_client's own parser."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pomprobe.report.clean import clean

from . import examples
from .conftest import Printed


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            assert sample.timestamp is None
            found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    return found


def labels(**values: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(values.items()))


@pytest.mark.parametrize("case", examples.CASES)
def test_every_case_can_be_scraped(case: str, printed: Printed) -> None:
    """Also with hostile names, and no series is there twice."""
    text = printed(examples.CASES[case](), "prometheus")
    series = [line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")]
    assert len(set(series)) == len(series) == len(samples(text))


def test_a_route_s_success_and_answer(printed: Printed) -> None:
    """blackbox's names where it has one, ours for the forecast and the finding."""
    found = samples(printed(examples.one_failure(), "prometheus"))
    assert (0.0, 1.0) == (found["probe_success", labels(route="app")], found["probe_success", labels(route="wiki")])
    details = {"response_flags": "UF", "status": "503", "response_code_details": examples.REFUSED.response_code_details}
    assert 2 / 3 == pytest.approx(found["pomprobe_route_forecast_share", labels(route="app", **details)])
    where = {"route": "app", "upstream": "http://app:8080", "endpoint": "10.0.0.2:8080"}
    info = labels(**where, stage="tcp", code="TCP101", name="connection-refused", severity="error")
    assert 1.0 == found["pomprobe_route_failure_info", info]


def test_phases_are_there_also_on_failure(printed: Printed) -> None:
    """Every endpoint has all five phases, zero where it did not come."""
    found = samples(printed(examples.report(examples.expired()), "prometheus"))
    where = {"route": "billing", "upstream": "https://billing.internal", "endpoint": "10.0.0.7:443"}
    phases = {
        phase: found["probe_http_duration_seconds", labels(**where, phase=phase)]
        for phase in ("resolve", "connect", "tls", "processing", "transfer")
    }
    assert {"resolve": 0.003, "connect": 0.0005, "tls": 0.011, "processing": 0.0, "transfer": 0.0} == phases
    assert 0.0 == found["probe_http_status_code", labels(**where)]


def test_the_certificate_s_end_is_there_although_it_was_rejected(printed: Printed) -> None:
    """2026-10-01 in Unix time."""
    found = samples(printed(examples.report(examples.expired()), "prometheus"))
    where = {"route": "billing", "upstream": "https://billing.internal", "endpoint": "10.0.0.7:443"}
    assert 1790812800.0 == found["probe_ssl_earliest_cert_expiry", labels(**where)]


def test_the_last_run_is_the_end_of_this_one(printed: Printed) -> None:
    """Start and duration; what is not known has no success and no failure."""
    found = samples(printed(examples.report(examples.undetermined()), "prometheus"))
    assert 1795330801.234 == pytest.approx(found["pomprobe_last_run_timestamp_seconds", ()])
    assert ("probe_success", labels(route="slow")) not in found
    assert 1.0 == found["pomprobe_route_status", labels(route="slow", status="undetermined")]


def test_hostile_labels_come_back(printed: Printed) -> None:
    """Quotes and backslashes are escaped by the library."""
    assert ("probe_success", labels(route=clean(examples.HOSTILE))) in samples(printed(examples.hostile(), "prometheus"))
