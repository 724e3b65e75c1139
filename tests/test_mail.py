"""Reports by mail, through a real mail server."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest
import trustme

from pomprobe.changes import changes
from pomprobe.mail import MailError, MailOptions, message, send, subject
from pomprobe.model import Report, Severity
from pomprobe.record import replace
from report import examples
from servers.mail import Mailbox, mail_server, silent_server

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # it is TLS from the first byte

USER, PASSWORD = "POMPROBE_SMTP_USER", "POMPROBE_SMTP_PASSWORD"
LOGIN = {USER: "robot", PASSWORD: "s3cret"}


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(ca: trustme.CA, tmp_path: Path) -> Path:
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path / "ca.pem"


@pytest.fixture(scope="module")
def context(ca: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    return context


def options(
    port: int,
    scheme: str = "smtp",
    *,
    to: tuple[str, ...] = ("ops@example.com",),
    environ: dict[str, str] | None = None,
    ca: Path | None = None,
) -> MailOptions:
    return MailOptions.parse(f"{scheme}://127.0.0.1:{port}", "pomprobe@example.com", to, environ or {}, ca=ca)


def test_a_report_arrives_as_text_and_html() -> None:
    """One message with both, from and to whom it should, that tells programs it is no person's."""
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        sent = send(examples.one_failure(), options(port, to=("ops@example.com", "me@example.com")))
    (mail,) = mailbox.mails
    assert ("pomprobe@example.com", ["ops@example.com", "me@example.com"]) == (
        mailbox.envelopes[0].mail_from,
        mailbox.envelopes[0].rcpt_tos,
    )
    assert (sent.message_id, ()) == (mail["Message-ID"], sent.refused)
    assert "[pomprobe] 1 of 2 routes failing, worst app connection-refused" == mail["Subject"]
    assert ("auto-generated", "Sun, 22 Nov 2026 07:00:00 +0000") == (mail["Auto-Submitted"], mail["Date"])
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None and html is not None
    assert "2 of 3 requests (67 %) get 503 UF" in text.get_content()
    assert html.get_content().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_tls_and_a_login(scheme: str, context: ssl.SSLContext, ca_file: Path) -> None:
    """The password goes out only after TLS."""
    mailbox = Mailbox()
    tls = {"implicit": context} if scheme == "smtps" else {"starttls": context}
    with mail_server(mailbox, **tls, auth=True) as port:
        send(examples.all_well(), options(port, scheme, environ=LOGIN, ca=ca_file))
    assert ([("robot", "s3cret")], [True], 1) == (mailbox.logins, mailbox.encrypted, len(mailbox.mails))


def test_a_password_from_a_file(context: ssl.SSLContext, ca_file: Path, tmp_path: Path) -> None:
    """As secrets are mounted: with a line end that does not count."""
    (tmp_path / "password").write_text("s3cret\n")
    environ = {"POMPROBE_SMTP_USER": "robot", "POMPROBE_SMTP_PASSWORD_FILE": str(tmp_path / "password")}
    mailbox = Mailbox()
    with mail_server(mailbox, implicit=context, auth=True) as port:
        send(examples.all_well(), options(port, "smtps", environ=environ, ca=ca_file))
    assert [("robot", "s3cret")] == mailbox.logins


def test_mails_of_one_incident_are_a_thread() -> None:
    """The first begins it, the others refer to it, the subject says what changed."""
    mailbox = Mailbox()
    failing, well = examples.report(examples.refusing("app")), examples.report(examples.healthy("app"))
    with mail_server(mailbox) as port:
        first = changes(None, failing)
        memory = first.told.mailed(send(failing, options(port), first).message_id)
        last = changes(memory, well)
        send(well, options(port), last)
    begin, end = mailbox.mails
    assert ([begin["Message-ID"]] * 2, None) == ([end["In-Reply-To"], end["References"]], begin["References"])
    assert "[pomprobe] failing: app TCP101 (1 of 1 route failing, worst app connection-refused)" == begin["Subject"]
    assert "[pomprobe] recovered: app (all well, 1 route)" == end["Subject"]
    text = begin.get_body(("plain",))
    assert text is not None
    assert text.get_content().replace("\r\n", "\n").startswith("New: app TCP101, since 2026-11-22T07:00:00Z\n\n✗ app")


def test_hostile_names_forge_no_header() -> None:
    """A route's name with line ends stays in the subject."""
    mailbox = Mailbox()
    report = examples.hostile()
    with mail_server(mailbox) as port:
        send(report, options(port), changes(None, report))
    (mail,) = mailbox.mails
    assert {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type", "X-Peer"} >= set(mail.keys())
    assert "\\r\\n" in mail["Subject"]
    assert len(mail["Subject"]) <= 150


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (examples.all_well(), "[pomprobe] all well, 3 routes"),
        (examples.report(examples.expiring(), examples.undetermined()), "[pomprobe] 1 of 2 routes with warnings, 1 of 2 routes not known"),
        (examples.report(findings=[examples.finding()]), '[pomprobe] 1 problem in the config: time: missing unit in duration "30"'),
        (
            examples.report(examples.healthy(), findings=[examples.finding(severity=Severity.WARNING)]),
            "[pomprobe] 1 route well; 1 problem in the config",
        ),
        (examples.report(), "[pomprobe] no route was probed"),
    ],
)
def test_the_subject_says_it_all(report: Report, expected: str) -> None:
    """Whoever sees only the subject knows how it stands."""
    assert expected == subject(report)


def test_some_recipients_refused_is_said() -> None:
    """The mail went to the others."""
    mailbox = Mailbox({"gone@example.com": "550 no such user"})
    with mail_server(mailbox) as port:
        sent = send(examples.all_well(), options(port, to=("gone@example.com", "ops@example.com")))
    assert (("gone@example.com: 550 no such user",), ["ops@example.com"]) == (sent.refused, mailbox.envelopes[0].rcpt_tos)


@pytest.mark.parametrize(
    ("refuse", "expected"),
    [
        ({"ops@example.com": "550 no such user"}, "no recipient was accepted: ops@example.com: 550 no such user"),
        ({"MAIL": "553 not you"}, "the sender pomprobe@example.com was refused: 553 not you"),
        ({"DATA": "554 spam\x1b[31m"}, "the server said 554 spam\\x1b[31m"),
    ],
)
def test_a_refusal_is_said_in_the_server_s_words(refuse: dict[str, str], expected: str) -> None:
    """Who refused what and why."""
    with mail_server(Mailbox(refuse)) as port, pytest.raises(MailError) as caught:
        send(examples.all_well(), options(port))
    assert f"mail to 127.0.0.1:{port} was not sent: {expected}" == str(caught.value)


def test_a_wrong_password_is_said_without_it(context: ssl.SSLContext, ca_file: Path) -> None:
    """Neither the message nor the options' repr hold it."""
    wrong = LOGIN | {"POMPROBE_SMTP_PASSWORD": "wr0ng"}
    with mail_server(Mailbox(), implicit=context, auth=True) as port:
        told = options(port, "smtps", environ=wrong, ca=ca_file)
        with pytest.raises(MailError, match="the server does not accept the user or the password: 535") as caught:
            send(examples.all_well(), told)
    assert "wr0ng" not in str(caught.value) + repr(told)


def test_a_server_without_starttls_gets_nothing() -> None:
    """No silent fall back to the clear."""
    mailbox = Mailbox()
    with mail_server(mailbox) as port, pytest.raises(MailError, match="STARTTLS extension not supported by server"):
        send(examples.all_well(), options(port, "smtp+starttls"))
    assert [] == mailbox.envelopes


def test_a_certificate_of_an_unknown_ca_is_refused(context: ssl.SSLContext) -> None:
    """The mail server's certificate is checked."""
    with (
        mail_server(Mailbox(), implicit=context) as port,
        pytest.raises(MailError, match="the mail server's certificate is not accepted: "),
    ):
        send(examples.all_well(), options(port, "smtps"))


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_server_that_hangs_is_given_up(scheme: str) -> None:
    """The socket's timeout ends the wait."""
    with silent_server() as port, pytest.raises(MailError, match="no answer within 50 ms"):
        send(examples.all_well(), replace(options(port, scheme), timeout=0.05))


def test_nobody_listening_is_said() -> None:
    """The system's reason."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(MailError, match=f"mail to 127.0.0.1:{port} was not sent: Connection refused"):
        send(examples.all_well(), options(port))


@pytest.mark.parametrize(
    ("server", "sender", "to", "environ", "expected"),
    [
        (
            "smtp://robot:pw@mail",
            "a@b.c",
            ["a@b.c"],
            {},
            f"mail server: no user or password in the URL, put them into {USER} and {PASSWORD}",
        ),
        (
            "mail",
            "a@b.c",
            ["a@b.c"],
            {},
            "mail server mail: write for example smtp+starttls://mail.example.com:587, smtps://… or smtp://…",
        ),
        ("smtp://mail:x", "a@b.c", ["a@b.c"], {}, "mail server smtp://mail:x: Port could not be cast to integer value as 'x'"),
        ("smtp://mail", "nobody", ["a@b.c"], {}, "mail: nobody is no address"),
        ("smtp://mail", "a@b.c", ["x@y.z\r\nBcc: all@y.z"], {}, "mail: x@y.z\\r\\nBcc: all@y.z is no address"),
        ("smtp://mail", "a@b.c", [], {}, "mail: no recipient"),
        (
            "smtp://mail",
            "a@b.c",
            ["a@b.c"],
            LOGIN,
            "mail: the password would go over the wire in the clear; write smtp+starttls:// or smtps://",
        ),
        (
            "smtps://mail",
            "a@b.c",
            ["a@b.c"],
            {"POMPROBE_SMTP_USER": "x"},
            f"mail: {USER} and a password ({PASSWORD} or {PASSWORD}_FILE) belong together; only one is set",
        ),
        (
            "smtps://mail",
            "a@b.c",
            ["a@b.c"],
            {"POMPROBE_SMTP_PASSWORD_FILE": "/missing"},
            "mail: cannot read the password from /missing: No such file or directory",
        ),
    ],
)
def test_options_that_cannot_work_are_refused(server: str, sender: str, to: list[str], environ: dict[str, str], expected: str) -> None:
    """Before anything is sent, in a sentence that says what to write."""
    with pytest.raises(MailError) as caught:
        MailOptions.parse(server, sender, to, environ)
    assert expected == str(caught.value)


@pytest.mark.parametrize("case", examples.CASES)
def test_every_report_makes_a_mail_of_plain_bytes(case: str) -> None:
    """Seven bits and short lines, whatever the names: every server takes it."""
    raw = message(examples.CASES[case](), options(25)).as_bytes()
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
