"""docs/cron.md: every command line in it is run, with an upstream that is well, fails, still fails and is well again."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import trustme

from servers.app import App, app
from servers.mail import Mailbox, mail_server

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "cron.md").read_text()
BIN = Path(sys.executable).parent
pytestmark = pytest.mark.slow  # every command line is a process or more

MAIL = "smtp+starttls://mail.example.com:587"


def blocks(language: str) -> list[str]:
    """The code blocks of the page in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def crontab() -> list[str]:
    """The commands of the crontab lines: what stands behind the five fields, which cron gives to sh."""
    lines = [line for block in blocks("crontab") for line in block.splitlines() if line[:1] in "*0123456789"]
    assert all(re.match(r"(\S+ ){5}pomprobe ", line) for line in lines)
    return [line.split(" ", 5)[5] for line in lines]


class Machine:
    """The files that the page names, below a directory of the test; and sh."""

    def __init__(self, directory: Path, upstream: App) -> None:
        self.directory = directory
        self.config, self.state = directory / "config.yaml", directory / "state.json"
        self.config.write_text(f"routes:\n- from: https://a.example.com\n  to: {upstream.url}\n")
        path = re.findall(r"^PATH=(.*)$", "".join(blocks("crontab")), re.MULTILINE)[0]
        self.environment = {"HOME": str(directory), "LOGNAME": "ops", "SHELL": "/bin/sh", "PATH": f"{BIN}:{path}"}  # as cron sets it

    def run(self, command: str, **environment: str) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        here = command.replace("/etc/pomerium/config.yaml", str(self.config)).replace("/var/lib/pomprobe/state.json", str(self.state))
        assert here != command
        done = subprocess.run(
            ["/bin/sh", "-c", here], env=self.environment | environment, cwd=self.directory, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def upstream() -> Iterator[App]:
    """An app that runs."""
    with app() as one:
        yield one


@pytest.fixture
def machine(tmp_path: Path, upstream: App) -> Machine:
    """The files, with a config that has this app behind its only route."""
    return Machine(tmp_path, upstream)


def test_cron_mails_the_problem_and_nothing_else(machine: Machine, upstream: App) -> None:
    """The first line: nothing is printed when all is well, the whole problem in each run when it is not."""
    command = crontab()[0]
    assert (0, "", "") == machine.run(command)
    upstream.stop()
    for _ in range(2):
        code, out, err = machine.run(command)
        assert (1, "") == (code, err)
        assert out.isascii() and "x a.example.com" in out and "TCP102" in out and "1 route: 1 failing" in out
    upstream.start()
    assert (0, "", "") == machine.run(command)


def test_cron_mails_changes_only(machine: Machine, upstream: App) -> None:
    """The second line without --confirm-failures: the trouble is told when it begins, and when it is over."""
    command = crontab()[1].replace(" --confirm-failures 2", "")
    assert (0, "", "") == machine.run(command)
    upstream.stop()
    code, out, err = machine.run(command)
    assert (1, "", "new: a.example.com TCP102") == (code, err, out.split(",")[0])
    assert "1 route: 1 failing" in out
    assert (1, "", "") == machine.run(command)
    upstream.start()
    code, out, err = machine.run(command)
    assert (0, "") == (code, err)
    assert out.startswith("recovered: a.example.com, failing since ")
    assert (0, "", "") == machine.run(command)


def test_cron_waits_for_a_second_bad_run(machine: Machine, upstream: App) -> None:
    """The second line as it stands: one bad run is no news, two are; one good run is no news, two are."""
    command = crontab()[1]
    machine.run(command)
    upstream.stop()
    told = [machine.run(command)[1].partition(":")[0] for _ in range(3)]
    upstream.start()
    told += [machine.run(command)[1].partition(":")[0] for _ in range(3)]
    assert ["", "new", "", "", "recovered", ""] == told


@contextmanager
def mailbox(directory: Path) -> Iterator[tuple[Mailbox, str, Path]]:
    """A mail server with STARTTLS and a login; what it took, its address, and its authority."""
    import ssl

    authority, box = trustme.CA(), Mailbox()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    trusted = directory / "ca.pem"
    authority.cert_pem.write_to_path(trusted)
    with mail_server(box, starttls=context, auth=True) as port:
        yield box, f"smtp+starttls://localhost:{port} --smtp-ca {trusted}", trusted


@pytest.mark.parametrize("source", ["sh", "systemd"])
def test_pomprobe_mails_by_itself(machine: Machine, upstream: App, source: str, tmp_path: Path) -> None:
    """The mail variant, as a command and as the systemd service: a mail for what begins and one for what is over, in one thread."""
    password = tmp_path / "smtp-password"
    password.write_text("s3cret\n")
    (tmp_path / "state").mkdir()
    if source == "sh":
        command = blocks("sh")[0]
        credentials = {"POMPROBE_SMTP_USER": "robot", "POMPROBE_SMTP_PASSWORD_FILE": str(password)}
    else:
        command = unit("service")["Service"]["ExecStart"].replace("/usr/local/bin/", "").replace("\\\n", " ")
        credentials = variables(str(tmp_path)) | {"POMPROBE_SMTP_USER": "robot", "STATE_DIRECTORY": str(tmp_path / "state")}
        assert {"POMPROBE_SMTP_USER", "POMPROBE_SMTP_PASSWORD_FILE", "STATE_DIRECTORY"} == set(credentials)
    with mailbox(tmp_path) as (box, server, _):
        assert MAIL in command
        here = command.replace(MAIL, server)
        assert (0, "", "") == machine.run(here, **credentials)
        upstream.stop()
        code, out, err = machine.run(here, **credentials)
        assert (1, "") == (code, err) and out.startswith("new: a.example.com TCP102")
        machine.run(here, **credentials)
        upstream.start()
        machine.run(here, **credentials)
    subjects = [str(mail["Subject"]) for mail in box.mails]
    assert ["[pomprobe] failing: a.example.com TCP102", "[pomprobe] recovered: a.example.com"] == [
        s.strip().split(" (")[0] for s in subjects
    ]
    assert [("robot", "s3cret")] * 2 == box.logins
    assert [True, True] == box.encrypted
    first, second = box.mails
    assert first["Message-ID"] == second["In-Reply-To"]
    body = first.get_body(("plain",))
    assert body is not None and "1 route: 1 failing" in body.get_content()


def test_a_mail_that_was_not_sent_is_told_again(machine: Machine, upstream: App, tmp_path: Path) -> None:
    """While the mail server is away that is said on standard error; the next run tells the news."""
    command = blocks("sh")[0]
    upstream.stop()
    with app(running=False) as nobody:
        code, _, err = machine.run(command.replace(MAIL, f"smtp://127.0.0.1:{nobody.port}"))
    assert (1, True) == (code, err.startswith("pomprobe: mail to 127.0.0.1:"))
    box = Mailbox()
    with mail_server(box) as port:
        machine.run(command.replace(MAIL, f"smtp://127.0.0.1:{port}"))
    assert 1 == len(box.mails)


def unit(kind: str) -> configparser.ConfigParser:
    """The systemd unit of this kind."""
    section = {"service": "[Service]", "timer": "[Timer]"}[kind]
    (text,) = [block for block in blocks("ini") if section in block]
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    parser.read_string(text)
    return parser


def variables(credentials: str) -> dict[str, str]:
    """The Environment= of the service; %d is the directory of its credentials."""
    (service,) = [block for block in blocks("ini") if "[Service]" in block]
    lines = re.findall(r"^Environment=(\w+)=(.*)$", service, re.MULTILINE)
    return {name: value.replace("%d", credentials) for name, value in lines}


def test_the_units_are_units(tmp_path: Path) -> None:
    """The timer starts the service of the same name, and systemd-analyze, where there is one, finds nothing."""
    assert "timers.target" == unit("timer")["Install"]["WantedBy"]
    assert "oneshot" == unit("service")["Service"]["Type"]
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze here")
    for block in blocks("ini"):
        name = "pomprobe.service" if "[Service]" in block else "pomprobe.timer"
        (tmp_path / name).write_text(block.replace("/usr/local/bin/pomprobe", str(BIN / "pomprobe")))
    done = subprocess.run(
        [program, "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))], capture_output=True, text=True, check=False
    )
    assert [] == [line for line in done.stderr.splitlines() if "pomprobe" in line]
    when = unit("timer")["Timer"]["OnCalendar"]
    assert 0 == subprocess.run([program, "calendar", when], capture_output=True, check=False).returncode


@contextmanager
def watchdog() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A server that takes pings; its address, and the path and body of each."""
    pings: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            pings.append((self.path, self.rfile.read(int(self.headers["Content-Length"])).decode()))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/uuid", pings
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_the_watchdog_hears_of_every_run(machine: Machine, upstream: App) -> None:
    """Each run is a ping with the exit code, and the report of a bad one is its body."""
    command = blocks("sh")[1]
    with watchdog() as (address, pings):
        machine.run(command, PING_URL=address)
        upstream.stop()
        machine.run(command, PING_URL=address)
    assert [("/uuid/0", ""), ("/uuid/1", True)] == [(pings[0][0], pings[0][1]), (pings[1][0], "TCP102" in pings[1][1])]
