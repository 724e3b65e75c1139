"""The one sentence that sums a run up."""

from __future__ import annotations

from collections import Counter

from ..model import Report, Severity, Status
from . import words
from .clean import clean
from .layout import Span


def summary(report: Report) -> str:
    """The sentence as plain text."""
    return "".join(text for text, _ in conclusion(report))


def conclusion(report: Report) -> list[Span]:
    """One sentence that sums the run up, also when all is well."""
    counted = words.counts(report)
    total = len(report.routes)
    took = f" ({words.duration(report.elapsed)})"
    early = " The run ended early: what is not listed is not known." if report.interrupted else ""
    aside = len(words.suppressed(report))
    took = (f"; {words.plural(aside, 'finding')} suppressed" if aside else "") + took
    config = _config(report)
    if not total:
        said = words.capital(config) if config else f"Nothing is wrong with {clean(report.config)} itself"
        return [(said, "warning" if config else "ok"), (f"; no route was probed{took}." + early, "")]
    if {status for status, _ in counted} <= {Status.OK, Status.SKIPPED}:
        fine = sum(count for status, count in counted if status is Status.OK)
        excused = sum(words.known(r) for r in report.routes)
        answering = f"{words.plural(fine - excused, 'route')} {'answers' if fine - excused == 1 else 'answer'}"
        parts = [
            *([answering] if fine > excused else []),
            *([f"{excused} with known failures"] if fine > excused and excused else []),
            *([f"{words.plural(excused, 'route')} with known failures"] if excused and fine == excused else []),
            *([f"{total - fine} skipped"] if total > fine else []),
        ]
        well = "Nothing new: " if excused else "All is well: "
        if any(finding.severity is Severity.ERROR for finding in report.findings):
            well = ""  # what is wrong with the config may be that every route fails
        said = f"{well}{', '.join(parts)}" if fine else f"Nothing to probe: {words.plural(total, 'route')} skipped"
        return [(said, "ok" if not config else ""), (f"; but {config}" if config else "", "warning"), (took + "." + early, "")]
    spans: list[Span] = [(f"{words.plural(total, 'route')}: ", "")]
    for number, (status, count) in enumerate(counted):
        spans += [(", " if number else "", ""), (f"{count} {_STANDINGS[status]}", status.value)]
    return [*spans, (f"; {config}" if config else "", "warning"), (took + "." + early, "")]


_STANDINGS = {
    Status.FAILING: "failing", Status.BUG: "not known through a defect of pomprobe", Status.WARNING: "with warnings",
    Status.UNDETERMINED: "not known", Status.SKIPPED: "skipped", Status.OK: "fine",
}  # fmt: skip


def _config(report: Report) -> str:
    """What is wrong with the config: "1 problem and 2 warnings in config.yaml", or nothing."""
    found = Counter(f.severity for f in report.findings)
    said = [words.plural(found[s], noun) for s, noun in ((Severity.ERROR, "problem"), (Severity.WARNING, "warning")) if found[s]]
    return f"{' and '.join(said)} in {clean(report.config)}" if said else ""
