"""What changed since the runs before, for --on-change (pure).

A route counts as troubled after so many bad runs in a row and as recovered after so many good ones: what flaps stays quiet.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from .model import Report, Severity, Status
from .record import Record, field, replace
from .report import words
from .report.clean import clean, prose

FORGOTTEN = timedelta(days=30)
"""After so long without being probed a route is no longer remembered: it is not in the config any more."""

THREAD = 8
"""Message-IDs kept of a thread, beside the first."""

RANKS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.ERROR: 2}


class Remembered(Record, frozen=True):
    """One route, or one problem of the config, over its last runs.

    bad, good: runs in a row; told: it was reported as troubled and not yet as recovered; rank, rules: the worst and everything that
    was reported since then; since: when the trouble began; seen: the last run that knew anything. Times are ISO 8601, UTC.
    """

    name: str
    bad: int = 0
    good: int = 0
    told: bool = False
    rank: int = 0
    rules: tuple[str, ...] = ()
    since: str = ""
    seen: str = ""


class Memory(Record, frozen=True):
    """Everything remembered. thread: Message-IDs of the mails about what is troubled now, the first one first."""

    subjects: Mapping[str, Remembered] = field(default_factory=dict)
    thread: tuple[str, ...] = ()

    def mailed(self, message_id: str) -> Memory:
        """The memory after a mail about it. When nothing is troubled any more the next trouble begins a new thread."""
        troubled = any(r.told for r in self.subjects.values())
        return replace(self, thread=(*self.thread[:1], *self.thread[1:][-THREAD:], message_id) if troubled else ())


class Change(Record, frozen=True):
    """A route or a problem of the config whose standing is worth telling. rules: codes of its findings now."""

    name: str
    rules: tuple[str, ...]
    since: str


class Changes(Record, frozen=True):
    """What is new, worse, recovered or the same as before; waiting: troubled, but not yet for as many runs as asked.

    told: what to remember once the changes were reported; untold: what to remember if that failed, so that they are changes again.
    """

    new: tuple[Change, ...]
    worse: tuple[Change, ...]
    recovered: tuple[Change, ...]
    same: tuple[Change, ...]
    waiting: tuple[Change, ...]
    told: Memory
    untold: Memory
    thread: tuple[str, ...] = ()  # of the mails so far

    def __bool__(self) -> bool:
        """Is there anything to tell?"""
        return bool(self.new or self.worse or self.recovered)


class _Seen(Record, frozen=True):
    """One subject in this run. rank: None where nothing is known about it now, -1 where it is well."""

    name: str
    rank: int | None
    rules: tuple[str, ...]


def changes(
    previous: Memory | None,
    report: Report,
    confirm_failures: int = 1,
    *,
    confirm_recoveries: int | None = None,
    least: Severity = Severity.ERROR,
) -> Changes:
    """Compare a run with the memory of those before (pure). Routes that this run left out stay as they are remembered.

    confirm_failures, confirm_recoveries: runs in a row that it takes (the second is the first unless given).
    least: severity from which on a finding is trouble.
    """
    old = previous or Memory()
    recoveries = confirm_recoveries or confirm_failures
    sorted_out: dict[str, list[Change]] = {kind: [] for kind in ("new", "worse", "recovered", "same", "waiting")}
    told, untold = dict(old.subjects), dict(old.subjects)
    for key, seen in {**_absent_problems(old), **_subjects(report)}.items():
        before = old.subjects.get(key, Remembered(seen.name))
        if seen.rank is None:
            continue
        counted = _count(before, seen, report.started, RANKS[least])
        kind, after = _judge(before, counted, seen, confirm_failures, recoveries)
        if kind:
            sorted_out[kind].append(Change(seen.name, seen.rules, after.since or counted.since))
        told[key], untold[key] = after, counted
    new, worse, recovered, same, waiting = (tuple(found) for found in sorted_out.values())
    thread = old.thread if any(r.told for r in told.values()) else ()
    remember, retry = Memory(_fresh(told, report), thread), Memory(_fresh(untold, report), old.thread)
    return Changes(new, worse, recovered, same, waiting, remember, retry, old.thread)


def _count(before: Remembered, seen: _Seen, now: str, least: int) -> Remembered:
    bad = seen.rank is not None and seen.rank >= least
    since = (before.since or now) if bad or before.told else ""
    return replace(before, bad=before.bad + 1 if bad else 0, good=0 if bad else before.good + 1, since=since, seen=now)


def _judge(before: Remembered, counted: Remembered, seen: _Seen, failures: int, recoveries: int) -> tuple[str, Remembered]:
    rank = seen.rank or 0
    reported = replace(counted, told=True, rank=max(rank, before.rank), rules=tuple(sorted({*before.rules, *seen.rules})))
    if not counted.bad:
        if before.told and counted.good >= recoveries:
            return "recovered", Remembered(counted.name, good=counted.good, seen=counted.seen)
        return ("same" if before.told else ""), counted
    if not before.told:
        return ("new", reported) if counted.bad >= failures else ("waiting", counted)
    worse = rank > before.rank or (rank == before.rank and not set(seen.rules) <= set(before.rules))
    return ("worse", reported) if worse and counted.bad >= failures else ("same", counted)


def _subjects(report: Report) -> dict[str, _Seen]:
    """Routes by name and `from`, problems of the config by rule, key and message."""
    seen = {}
    for route in report.routes:
        name = clean(route.route.name)
        worst = max((RANKS[v.severity] for v in route.verdicts), default=-1)
        rank: int | None = max(worst, RANKS[Severity.ERROR]) if route.status is Status.FAILING else worst
        if route.status in words.UNKNOWN:
            rank = None
        rules = tuple(sorted({v.rule.code for v in route.verdicts if RANKS[v.severity] == worst}))
        seen[f"route {name} {clean(route.route.from_url)}"] = _Seen(name, rank, rules)
    for finding in report.findings:
        name = clean(finding.place.path or finding.place.file)
        key = f"config {finding.rule.code} {name} {prose(finding.message)}"
        seen[key] = _Seen(name, RANKS[finding.severity], (finding.rule.code,))
    return seen


def _absent_problems(old: Memory) -> dict[str, _Seen]:
    """A problem of the config that no longer comes up is mended: unlike routes, a run always looks at all of them."""
    return {key: _Seen(r.name, -1, ()) for key, r in old.subjects.items() if key.startswith("config ")}


def _fresh(subjects: Mapping[str, Remembered], report: Report) -> dict[str, Remembered]:
    oldest = words.moment(report.started) - FORGOTTEN
    mended = {key for key, r in subjects.items() if key.startswith("config ") and not r.told and not r.bad}
    return {key: r for key, r in subjects.items() if words.moment(r.seen) >= oldest and key not in mended}
