"""--state in the whole program: a memory that cannot be kept hides no failure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pomprobe.report.output import OutputError
from servers.app import app
from servers.mail import Mailbox, mail_server

from .program import config, pomprobe

WAITING = ("--quiet", "--on-change", "--confirm-failures", "2")


def test_without_a_memory_nothing_waits_for_a_second_run() -> None:
    """A folder that is not there: each run would be the first of two, so the failure is told at once, and each time."""
    with app(running=False) as down:
        name = config(f"to: {down.url}")
        for _ in range(2):
            ended = pomprobe("check", name, *WAITING, "--state", "none/state.json")
            assert 1 == ended.code
            assert ended.out.startswith("new: a.example.com TCP102") and "1 route: 1 failing" in ended.out
            assert ended.err.startswith("pomprobe: no memory of earlier runs: cannot open ")


def test_a_memory_that_cannot_be_written_hides_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk: the run is not remembered, so a failure that would wait for the next one is told."""

    def full(path: Path, text: str) -> None:
        raise OutputError(f"cannot write {path}: No space left on device")

    with app() as one:
        name = config(f"to: {one.url}")
        pomprobe("check", name, *WAITING, "--state", "state.json")
        one.stop()
        monkeypatch.setattr("pomprobe.state.replace_file", full)
        for _ in range(2):
            ended = pomprobe("check", name, *WAITING, "--state", "state.json")
            assert 1 == ended.code
            assert ended.out.startswith("not confirmed: a.example.com TCP102") and "1 route: 1 failing" in ended.out
            assert "No space left on device" in ended.err


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"schema_version": 99, "subjects": {}})])
def test_a_broken_memory_is_replaced_and_hides_nothing(text: str) -> None:
    """It is said; the failure is new; and the next run remembers it."""
    Path("state.json").write_text(text)
    with app(running=False) as down:
        name = config(f"to: {down.url}")
        ended = pomprobe("check", name, "--quiet", "--on-change", "--state", "state.json")
        assert 1 == ended.code
        assert ended.out.startswith("new: a.example.com TCP102") and "it will be replaced" in ended.err
        again = pomprobe("check", name, "--quiet", "--on-change", "--state", "state.json")
    assert (1, "", "") == (again.code, again.out, again.err)


def test_a_mail_that_is_refused_keeps_report_and_exit_code() -> None:
    """The report is printed, the refusal said on standard error, and the next run mails what this one could not."""
    refusing, taking = Mailbox({"DATA": "554 no"}), Mailbox()
    with app(running=False) as down:
        name = config(f"to: {down.url}")

        def run(port: int) -> tuple[int, str, str]:
            address = ("--mail-to", "ops@example.com", "--mail-from", "pomprobe@example.com", "--smtp", f"smtp://127.0.0.1:{port}")
            ended = pomprobe("check", name, "--quiet", "--on-change", "--state", "state.json", *address)
            return ended.code, ended.out, ended.err

        with mail_server(refusing) as port:
            code, out, err = run(port)
        assert (1, True, f"pomprobe: mail to 127.0.0.1:{port} was not sent: the server said 554 no\n") == (code, "TCP102" in out, err)
        with mail_server(taking) as port:
            code, out, err = run(port)
        assert (1, True, "") == (code, out.startswith("new: "), err)
    assert ["[pomprobe] failing: a.example.com TCP102"] == [str(mail["Subject"]).split(" (")[0] for mail in taking.mails]
