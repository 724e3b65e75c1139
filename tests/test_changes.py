"""What changed since the runs before: new, worse, recovered, the same; and nothing where it only flaps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomprobe.changes import Changes, Memory, changes
from pomprobe.model import Report, RouteReport, Severity, Status
from pomprobe.record import replace
from report import examples

GOOD, BAD = examples.healthy("app"), examples.refusing("app")
OTHER = replace(examples.expired("app"), route=BAD.route)
UNKNOWN = replace(examples.undetermined("app"), route=BAD.route)


def kinds(found: Changes) -> list[str]:
    return [kind for kind in ("new", "worse", "recovered", "same", "waiting") if getattr(found, kind)]


def story(*routes: RouteReport | None, confirm: int = 1, least: Severity = Severity.ERROR) -> list[str]:
    """What each run of one route tells ("" for nothing)."""
    memory: Memory | None = None
    told = []
    for route in routes:
        found = changes(memory, examples.report(*([route] if route else [])), confirm, least=least)
        memory = found.told
        told.append(" ".join(kinds(found)))
    return told


def test_a_failure_is_told_once_and_so_is_its_end() -> None:
    """New, then the same, then recovered, then nothing."""
    assert ["", "new", "same", "recovered", ""] == story(GOOD, BAD, BAD, GOOD, GOOD)


def test_a_first_run_that_fails_is_new() -> None:
    """Without memory everything bad is new, and nothing good is told."""
    assert ["new", "same"] == story(BAD, BAD)
    assert [""] == story(GOOD)


def test_what_flaps_stays_quiet() -> None:
    """With three runs to confirm, no failure of two runs is told, nor a recovery of two."""
    assert ["waiting", "waiting", "", "waiting", "", ""] == story(BAD, BAD, GOOD, BAD, GOOD, GOOD, confirm=3)
    expected = ["waiting", "waiting", "new", "same", "same", "same", "same", "same", "recovered"]
    assert expected == story(BAD, BAD, BAD, GOOD, GOOD, BAD, GOOD, GOOD, GOOD, confirm=3)


def test_another_finding_is_worse_but_only_once() -> None:
    """A new rule of the same severity is told; going back to the first one is not."""
    assert ["new", "worse", "same", "same"] == story(BAD, OTHER, BAD, OTHER)


def test_a_warning_that_becomes_an_error_is_worse() -> None:
    """And what becomes milder is not told."""
    warning = replace(examples.expiring("app"), route=BAD.route)
    assert ["new", "worse", "same", "same", "recovered"] == story(warning, BAD, warning, BAD, GOOD, least=Severity.WARNING)
    assert ["", "new", "recovered"] == story(warning, BAD, warning)


def test_what_is_not_known_changes_nothing() -> None:
    """A run that could not tell neither confirms nor ends a failure."""
    assert ["waiting", "", "new", "", "same"] == story(BAD, UNKNOWN, BAD, UNKNOWN, BAD, confirm=2)


def test_a_route_that_a_run_left_out_is_remembered() -> None:
    """--route selects others: no recovery, and no news when it is back."""
    assert ["new", "", "same"] == story(BAD, None, BAD)


def test_a_route_that_is_gone_for_a_month_is_forgotten() -> None:
    """The memory does not grow for ever."""
    first = changes(None, examples.report(BAD))
    later = changes(first.told, replace(examples.report(examples.healthy("wiki")), started="2026-12-31T07:00:00Z"))
    assert ["wiki"] == [r.name for r in later.told.subjects.values()]


def test_problems_of_the_config_count_too() -> None:
    """New when they come up, recovered when they no longer do, although a run does not name what is fine."""
    first = changes(None, examples.report(GOOD, findings=[examples.finding()]))
    assert [("routes[0].timeout", ("CFG101",))] == [(c.name, c.rules) for c in first.new]
    second = changes(first.told, examples.report(GOOD))
    assert ["routes[0].timeout"] == [c.name for c in second.recovered]
    assert ["app"] == [r.name for r in changes(second.told, examples.report(GOOD)).told.subjects.values()]


def test_a_change_says_since_when() -> None:
    """The first bad run, not the one that confirmed it."""
    first = changes(None, examples.report(BAD), 2)
    second = changes(first.told, replace(examples.report(BAD), started="2026-11-22T08:00:00Z"), 2)
    assert ["2026-11-22T07:00:00Z"] == [c.since for c in second.new]


def test_what_could_not_be_told_is_told_by_the_next_run() -> None:
    """The mail failed: `untold` is what to remember."""
    first = changes(None, examples.report(BAD))
    assert ["new"] == kinds(changes(first.untold, examples.report(BAD)))
    told = changes(first.untold, examples.report(BAD)).told
    lost = changes(told, examples.report(GOOD))
    assert ["recovered"] == kinds(lost) == kinds(changes(lost.untold, examples.report(GOOD)))


def test_mails_about_one_incident_are_one_thread() -> None:
    """The thread lasts until nothing is troubled; the next trouble begins another."""
    first = changes(None, examples.report(BAD))
    memory = first.told.mailed("<1@x>")
    second = changes(memory, examples.report(OTHER))
    assert ("<1@x>",) == second.thread
    memory = second.told.mailed("<2@x>")
    third = changes(memory, examples.report(GOOD))
    assert (("<1@x>", "<2@x>"), ()) == (third.thread, third.told.mailed("<3@x>").thread)


def test_a_long_thread_keeps_its_beginning() -> None:
    """References grow no further than a few lines."""
    memory = changes(None, examples.report(BAD)).told
    for number in range(30):
        memory = memory.mailed(f"<{number}@x>")
    assert ("<0@x>", "<29@x>", 10) == (memory.thread[0], memory.thread[-1], len(memory.thread))


@given(st.lists(st.sampled_from([GOOD, BAD, OTHER, UNKNOWN]), max_size=30), st.integers(1, 4))
def test_news_and_recoveries_alternate(routes: list[RouteReport], confirm: int) -> None:
    """Whatever happens: nothing recovers that was not told, and nothing is new twice in a row."""
    told = [kind for run in story(*routes, confirm=confirm) for kind in run.split() if kind in ("new", "recovered")]
    assert ["new", "recovered"] * (len(told) // 2) + ["new"] * (len(told) % 2) == told


@pytest.mark.parametrize("case", examples.CASES)
def test_the_same_report_twice_is_no_change(case: str) -> None:
    """Every case, hostile names included."""
    report: Report = examples.CASES[case]()
    assert not changes(changes(None, report).told, report)


def test_a_failing_route_without_finding_is_trouble() -> None:
    """The forecast alone is enough."""
    assert ["new"] == story(replace(BAD, verdicts=(), status=Status.FAILING))
