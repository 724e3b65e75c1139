"""A report by mail: text and HTML in one message, a subject that says it all, one thread for one incident."""

from __future__ import annotations

import io
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from .changes import Change, Changes
from .model import Report, Severity, Status
from .record import Record
from .report import Style, words, write
from .report.clean import clean, prose
from .report.html import for_mail
from .smtp import MailError, MailOptions, deliver

__all__ = ["MailError", "MailOptions", "Sent", "message", "send", "subject"]

SUBJECT = 150
"""Characters of a subject; programs show less, the important words come first."""


class Sent(Record, frozen=True):
    """A mail that the server took. refused: recipients that it did not take, with its words."""

    message_id: str
    refused: tuple[str, ...] = ()


def send(report: Report, options: MailOptions, found: Changes | None = None) -> Sent:
    """Mail a report, with `found` as news about it in the thread of its incident. Raises MailError."""
    mail = message(report, options, found)
    return Sent(str(mail["Message-ID"]), deliver(mail, options))


def message(report: Report, options: MailOptions, found: Changes | None = None) -> EmailMessage:
    """The mail as it would be sent."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = options.sender
    mail["To"] = ", ".join(options.recipients)
    mail["Subject"] = subject(report, found)
    mail["Date"] = format_datetime(words.moment(report.started))
    mail["Message-ID"] = make_msgid("pomprobe", options.sender.rpartition("@")[2] or "localhost")
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies
    if found is not None and found.thread:
        mail["In-Reply-To"] = found.thread[-1]
        mail["References"] = " ".join(found.thread)
    news = "".join(f"{line}\n" for line in _news(found)) if found is not None else ""
    mail.set_content((news + "\n" if news else "") + _text(report), cte="quoted-printable")
    mail.add_alternative(for_mail(report), subtype="html", cte="quoted-printable")
    return mail


def subject(report: Report, found: Changes | None = None) -> str:
    """What a reader needs who sees nothing else: what failed or recovered, and how much of all."""
    if found is None or not found:
        said = _standing(report)
    else:
        parts = [
            (verb, changed) for verb, changed in (("failing", found.new), ("worse", found.worse), ("recovered", found.recovered)) if changed
        ]
        said = "; ".join(f"{verb}: {_named(changed)}" for verb, changed in parts) + f" ({_standing(report)})"
    return clean(f"[pomprobe] {said}")[:SUBJECT]


def _standing(report: Report) -> str:
    failing = [r for r in report.routes if r.status is Status.FAILING]
    warned = [r for r in report.routes if r.status is Status.WARNING]
    errors = [f for f in report.findings if f.severity is Severity.ERROR]
    of = f"of {words.plural(len(report.routes), 'route')}"
    if failing:
        worst = words.worst_first(failing)[0]
        rule = f" {worst.verdicts[0].rule.name}" if worst.verdicts else ""
        return f"{len(failing)} {of} failing, worst {worst.route.name}{rule}"
    if errors:
        return f"{words.plural(len(errors), 'problem')} in the config: {prose(errors[0].message)}"
    unknown = sum(r.status in words.UNKNOWN for r in report.routes)
    if warned or unknown:
        return ", ".join(f"{count} {of} {word}" for count, word in ((len(warned), "with warnings"), (unknown, "not known")) if count)
    if not report.routes:
        return "no route was probed"
    if any(words.known(r) for r in report.routes):
        return f"nothing new, {words.plural(len(report.routes), 'route')} with known failures among them"
    config = f"; {words.plural(len(report.findings), 'problem')} in the config" if report.findings else ""
    return (
        f"{words.plural(len(report.routes), 'route')} well{config}" if config else f"all well, {words.plural(len(report.routes), 'route')}"
    )


def _named(changed: Sequence[Change]) -> str:
    names = [f"{c.name} {'/'.join(c.rules)}".strip() for c in changed]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _news(found: Changes) -> list[str]:
    kinds = (
        ("New", "since", found.new), ("Worse", "since", found.worse), ("Recovered", "failing since", found.recovered),
        ("As before", "since", found.same),
    )  # fmt: skip
    return [
        f"{kind}: {c.name} {' '.join(c.rules)}".rstrip() + (f", {since} {c.since}" if c.since else "")
        for kind, since, changed in kinds
        for c in changed
    ]


def _text(report: Report) -> str:
    out = io.StringIO()
    write(report, "text", out, Style(width=78))
    return out.getvalue()
