"""What becomes of a report beyond printing it: findings set aside, the memory of earlier runs, mail."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..model import Report, Severity
from ..record import Record
from .common import say_error, usage

if TYPE_CHECKING:
    from ..changes import Changes
    from ..report.baseline import Known
    from ..report.suppress import Suppression
    from ..smtp import MailOptions


class Aside(Record, frozen=True):
    """Findings that are set aside: named by --suppress, or known from a --baseline."""

    suppressions: tuple[Suppression, ...]
    known: Known | None

    @classmethod
    def parse(cls, texts: Sequence[str], baseline: Path | None) -> Aside:
        """Read the options; what cannot be read ends the program with exit code 2."""
        from ..report import baseline as earlier
        from ..report.suppress import Suppression

        try:
            known = earlier.read(baseline.read_text(encoding="utf-8")) if baseline is not None else None
            return cls(tuple(Suppression.parse(text) for text in texts), known)
        except earlier.BaselineError as error:
            usage(f"--baseline {baseline}: {error}")
        except (OSError, UnicodeDecodeError) as error:
            usage(f"--baseline {baseline}: {getattr(error, 'strerror', None) or error}")
        except ValueError as error:
            usage(str(error))

    def apart_from(self, rules: Collection[str]) -> Aside:
        """The same, without what is said of these rules: they were not looked for."""
        known = self.known if self.known is None else {found: bad for found, bad in self.known.items() if found[0] not in rules}
        return Aside(tuple(s for s in self.suppressions if s.rule not in rules), known)

    def quietly(self, report: Report) -> Report:
        """The report without them, where it is one of some routes only: nothing is said of what fits none of those."""
        if self.suppressions:
            from ..report.suppress import suppress

            report, _ = suppress(report, self.suppressions)
        if self.known is not None:
            from ..report.baseline import without

            report, _ = without(report, self.known)
        return report

    def without(self, report: Report) -> Report:
        """The report without them; a suppression that fits nothing is said on standard error."""
        if self.suppressions:
            from ..catalog import load
            from ..report.suppress import suppress

            report, unused = suppress(report, self.suppressions, {rule.code for rule in load().rules})
            for message in unused:
                say_error(message)
        if self.known is not None:
            from ..report.baseline import only_new

            report, gone = only_new(report, self.known)
            if gone:
                say_error(f"{gone} of the baseline's findings are gone: write it anew with -o json=FILE")
        return report


def mail_options(to: Sequence[str] | None, sender: str | None, server: str | None, ca: Path | None) -> MailOptions | None:
    """Where mail goes; None where none is asked for. A half-told address ends the program with exit code 2."""
    if not to:
        if sender or server:
            usage("--mail-from and --smtp need --mail-to")
        return None
    if not sender or not server:
        usage("--mail-to needs --mail-from and --smtp, for example --smtp smtp+starttls://mail.example.com:587")
    from ..smtp import MailError, MailOptions

    try:
        return MailOptions.parse(server, sender, to, os.environ, ca=ca)
    except MailError as error:
        usage(str(error))


class Teller(Record, frozen=True):
    """Prints and mails a report: always, or with --on-change only what is news to the memory."""

    state: Path | None
    on_change: bool
    confirm_failures: int
    fail_on: str
    mail: MailOptions | None

    def tell(self, report: Report, show: Callable[[Sequence[str]], None], worth: bool) -> None:
        """show: prints the report behind some lines of news; worth: is it worth printing without news?"""
        if self.state is None:
            if worth:
                show(())
                self._post(report, None)
            return
        from ..changes import changes
        from ..state import StateError, remembered

        least = Severity.ERROR if self.fail_on == "never" else Severity(self.fail_on)
        with remembered(self.state) as memory:
            if memory.problem:
                say_error(memory.problem)
            confirm = self.confirm_failures if memory.usable else 1  # who cannot count runs must not wait for the next one
            found = changes(memory.memory, report, confirm, least=least)
            posted: str | None = ""
            if self.on_change:
                if found:
                    show(news(found))
                    posted = self._post(report, found)
            elif worth:
                show(())
                posted = self._post(report, found if found else None)
            try:
                memory.save(found.untold if posted is None else found.told.mailed(posted) if posted else found.told)
            except StateError as error:
                say_error(str(error))
                if self.on_change and found.waiting and not found:  # what nobody remembers would wait for ever
                    show(tuple(f"not confirmed: {change.name} {' '.join(change.rules)}".rstrip() for change in found.waiting))
                    self._post(report, None)

    def _post(self, report: Report, found: Changes | None) -> str | None:
        """Mail it, if mail is asked for: its Message-ID, "" for no mail, None if it could not be sent, which is said on standard error."""
        if self.mail is None:
            return ""
        from ..mail import send
        from ..smtp import MailError

        try:
            sent = send(report, self.mail, found)
        except MailError as error:
            say_error(str(error))
            return None
        for refused in sent.refused:
            say_error(f"mail: {refused}")
        return sent.message_id


def news(found: Changes) -> list[str]:
    """What changed since the run before, a line each."""
    kinds = (("new", "since", found.new), ("worse", "since", found.worse), ("recovered", "failing since", found.recovered))
    return [
        f"{kind}: {c.name} {' '.join(c.rules)}".rstrip() + (f", {since} {c.since}" if c.since else "")
        for kind, since, changed in kinds
        for c in changed
    ]
