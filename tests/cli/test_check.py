"""pomprobe check from outside: exit codes, and what is said where."""

from __future__ import annotations

import html
import json
import os
import re
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from junitparser import JUnitXml
from prometheus_client.parser import text_string_to_metric_families

from pomprobe.envoy.find import EnvoyError, find
from pomprobe.report import FORMATS
from servers.app import app

from .program import PROGRAM, Ended, config, pomprobe

WARNED = "nosuchkey: 1\n"
"""A key that Pomerium does not know, which is a warning."""

WELL = "All is well: 1 route answers"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "c.yaml:1:1: the file is empty; routes:"),
        ("routes: [\n", "c.yaml:2:1: yaml: line 1: did not find expected node content"),
        (
            "- a\n- b\n",
            "c.yaml:1:1: line 1: cannot unmarshal !!seq into map[string]interface {}; routes: with the list under it",
        ),
        (
            "routes:\n- from: https://a.example.com\n",
            "c.yaml:2:3 routes[0]: policy should have either `to` or `redirect` or `response` defined; to: http://HOST:PORT",
        ),
        (
            "routes:\n- from: https://a.example.com\n  to: http://127.0.0.1:1\n  timeout: 1d\n",
            'c.yaml:4:12 routes[0].timeout: \'routes[0].timeout\' time: unknown unit "d" in duration "1d"; timeout: 24h',
        ),
        (
            "routes:\n- from: https://a.example.com\n  to: http://127.0.0.1:1\n  to: http://127.0.0.1:2\n",
            'c.yaml:4:3: line 4: mapping key "to" already defined at line 3',
        ),
    ],
    ids=["empty", "no YAML", "list at the top", "route without to", "duration of a day", "duplicate key"],
)
def test_a_config_that_pomerium_refuses_is_one_line(text: str, said: str) -> None:
    """What is wrong stands on one line of standard error, with its place; nothing on standard output, exit code 2."""
    Path("c.yaml").write_text(text)
    assert Ended(2, "", said + "\n") == pomprobe("check", "c.yaml")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "pomprobe: no config: pomprobe check config.yaml (- reads standard input)"),
        (["none.yaml"], "none.yaml:1:1: open none.yaml: no such file or directory"),
        (["empty"], "empty:1:1: read empty: is a directory, without manifests for Pomerium"),
        (["none.yaml", "--fail-on", "nothing"], "pomprobe: --fail-on nothing: one of error, warning, never"),
        (["none.yaml", "--on-change"], "pomprobe: --on-change and --confirm-failures need --state FILE, which remembers the runs before"),
        (["none.yaml", "--only", "dhcp"], "pomprobe: --only dhcp: one of dns, tcp, tls, http, health"),
        (["none.yaml", "-o", "jason"], "pomprobe: -o jason: no such format; did you mean json?"),
        (["none.yaml", "--max-wait", "0"], "pomprobe: --max-wait 0: must be more than 0; write for example 30s"),
        (["none.yaml", "--upload", "0"], "pomprobe: --upload 0: 1 to 10G bytes; write for example 20M"),
        (["none.yaml", "--upload", "20X"], "pomprobe: --upload 20X: 1 to 10G bytes; write for example 20M"),
        (["none.yaml", "--upload", "11G"], "pomprobe: --upload 11G: 1 to 10G bytes; write for example 20M"),
        (["none.yaml", "--mail-to", "a@b.example"],
         "pomprobe: --mail-to needs --mail-from and --smtp, for example --smtp smtp+starttls://mail.example.com:587"),
        (["none.yaml", "--pomerium-version", "9"],
         "pomprobe: --pomerium-version 9: '9' is no Pomerium version such as 0.33 or 0.30.5"),
        (["none.yaml", "--suppress", "=x"], "pomprobe: --suppress =x: write a rule's code, or CODE=ROUTE"),
        (["none.yaml", "--baseline", "none.json"], "pomprobe: --baseline none.json: No such file or directory"),
    ],
)  # fmt: skip
def test_a_wrong_call_is_one_line(arguments: list[str], said: str) -> None:
    """A call that cannot be meant says in one line what to write instead, exit code 2."""
    Path("empty").mkdir()
    assert Ended(2, "", said + "\n") == pomprobe("check", *arguments)


def test_an_unknown_option_is_wrong_usage() -> None:
    """An option that there is not is exit code 2, and its neighbours are named."""
    ended = pomprobe("check", "--rout", "x")
    assert (2, "") == (ended.code, ended.out)
    assert "No such option: --rout" in ended.err


def test_a_good_config_is_good() -> None:
    """Exit code 0 when every upstream answers."""
    with app() as up:
        ended = pomprobe("check", config(f"to: {up.url}"), "-o", "short")
    assert (0, "") == (ended.code, ended.err)
    assert WELL in ended.out


def test_findings_are_exit_code_1() -> None:
    """Exit code 1 for a failing upstream, whatever the format."""
    with app(running=False) as down:
        name = config(f"to: {down.url}")
        codes = {format: pomprobe("check", name, "-o", format).code for format in ("text", "json", "sarif", "junit", "github")}
    assert {"text": 1, "json": 1, "sarif": 1, "junit": 1, "github": 1} == codes


def test_a_dash_is_standard_input() -> None:
    """`-` reads the config from standard input, which places then name."""
    with app(running=False) as down:
        given = Path(config(f"to: {down.url}")).read_bytes()
        ended = pomprobe("check", "-", stdin=given)
    assert 1 == ended.code
    assert "1 route: 1 failing" in ended.out and "<stdin>:3:9 routes[0].to" in ended.out


def test_standard_input_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """--wait probes the config of standard input again, although it can be read only once."""
    with app(running=False) as late:
        given = Path(config(f"to: {late.url}")).read_bytes()
        monkeypatch.setattr("pomprobe.cli.check.time.sleep", lambda _: late.start())
        assert 0 == pomprobe("check", "-", "--wait", "1m", stdin=given).code


def test_a_route_that_nothing_matches_leaves_nothing_judged() -> None:
    """--route with a pattern that fits no route is exit code 3, and said."""
    ended = pomprobe("check", config("to: http://127.0.0.1:1"), "--route", "none*")
    assert (3, "pomprobe: no route was probed (no name or `from` matches --route)\n") == (ended.code, ended.err)


def test_only_the_chosen_routes_are_probed() -> None:
    """--route leaves the others out, and what is wrong with their keys; what is global stays."""
    with app() as up:
        name = config(f"to: {up.url}", "to: https://127.0.0.1:1\ntls_skip_verify: true", top="not_a_key: 1\n")
        ended = pomprobe("check", name, "--route", "a.*", "-o", "json")
    report = json.loads(ended.out)
    assert (0, ["https://a.example.com"]) == (ended.code, [route["from"] for route in report["routes"]])
    assert ["not_a_key"] == [problem["place"]["path"] for problem in report["problems"] if problem["code"] != "CFG320"]


@pytest.mark.parametrize(("fail_on", "code"), [("error", 0), ("warning", 1), ("never", 0)])
def test_fail_on_a_warning(fail_on: str, code: int) -> None:
    """A warning is a finding with --fail-on warning only."""
    with app() as up:
        name = config(f"to: {up.url}", top=WARNED)
        assert code == pomprobe("check", name, "--fail-on", fail_on).code


def test_never_fails_on_an_error_neither() -> None:
    """--fail-on never prints what is wrong and exits with 0."""
    with app(running=False) as down:
        ended = pomprobe("check", config(f"to: {down.url}"), "--fail-on", "never")
    assert 0 == ended.code
    assert "TCP102" in ended.out


def test_quiet_says_nothing_of_what_is_well() -> None:
    """--quiet prints the whole report or nothing at all; a file is written in any case."""
    with app() as one:
        name = config(f"to: {one.url}", top=WARNED)
        assert Ended(0, "", "") == pomprobe("check", "--quiet", name, "-o", "text", "-o", "json=report.json")
        assert "ok" == json.loads(Path("report.json").read_text())["routes"][0]["status"]
        one.stop()
        ended = pomprobe("check", "--quiet", name)
    assert (1, "") == (ended.code, ended.err)
    assert "TCP102" in ended.out


def test_nagios_has_its_own_exit_codes() -> None:
    """-o nagios alone exits with 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, and says it in its first line."""
    with app() as one:
        warned, good = config(f"to: {one.url}", name="warned.yaml", top=WARNED), config(f"to: {one.url}")
        seen = [pomprobe("check", name, "-o", "nagios") for name in (good, warned)]
        one.stop()
        seen.append(pomprobe("check", good, "-o", "nagios"))
    seen.append(pomprobe("check", "none.yaml", "-o", "nagios"))
    seen.append(pomprobe("check", good, "-o", "nagios", "--route", "none"))
    words = [(ended.code, ended.out.split()[1]) for ended in seen]
    assert [(0, "OK"), (1, "WARNING"), (2, "CRITICAL"), (3, "UNKNOWN"), (3, "UNKNOWN")] == words


def test_nagios_is_told_of_a_config_that_cannot_be_read() -> None:
    """Nagios shows standard output only: the reason stands there, on one line."""
    said = "POMPROBE UNKNOWN - none.yaml:1:1: open none.yaml: no such file or directory\n"
    assert Ended(3, said, "") == pomprobe("check", "none.yaml", "-o", "nagios")


def test_nagios_among_others_changes_no_exit_code() -> None:
    """With a second -o the exit codes are ours."""
    with app(running=False) as down:
        assert 1 == pomprobe("check", config(f"to: {down.url}"), "-o", "nagios", "-o", "json=report.json").code


def test_wait_ends_when_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """--wait probes again until an upstream that was not up yet is up; only the last report is printed."""
    with app(running=False) as late:
        pauses: list[float] = []

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            late.start()

        monkeypatch.setattr("pomprobe.cli.check.time.sleep", pause)
        ended = pomprobe("check", config(f"to: {late.url}"), "--wait", "1m", "-o", "short")
    assert (0, 1) == (ended.code, len(pauses))
    assert WELL in ended.out
    assert "TCP102" not in ended.out


def test_wait_gives_up() -> None:
    """What is not well at the end of --wait is reported."""
    with app(running=False) as down:
        assert 1 == pomprobe("check", config(f"to: {down.url}"), "--wait", "1ms").code


def test_several_configs_are_one_report() -> None:
    """The routes of every config, in their order; a bad one of them ends the run."""
    with app() as up, app(running=False) as down:
        names = config(f"to: {up.url}", name="one.yaml"), config(f"to: {down.url}", name="two.yaml")
        ended = pomprobe("check", *names, "-o", "json")
    report = json.loads(ended.out)
    assert (1, ["ok", "failing"]) == (ended.code, [route["status"] for route in report["routes"]])
    assert "one.yaml, two.yaml" == report["config"]
    assert 2 == pomprobe("check", "one.yaml", "none.yaml").code


def test_several_reports_of_one_run() -> None:
    """Each -o goes where it says."""
    with app(running=False) as down:
        ended = pomprobe("check", config(f"to: {down.url}"), "-o", "short", "-o", "sarif=r.sarif", "-o", "junit=r.xml", "-o", "json=r.json")
    assert "1 route: 1 failing" in ended.out
    results = json.loads(Path("r.sarif").read_text())["runs"][0]["results"]
    assert ["TCP102"] == [result["ruleId"] for result in results if result["level"] == "error"]
    assert 1 == JUnitXml.fromfile("r.xml").failures
    assert "failing" == json.loads(Path("r.json").read_text())["routes"][0]["status"]


def test_one_command_writes_every_format() -> None:
    """One run, every format into a file of its own, each read back by its consumer: all tell the same of the same route."""
    with app() as up, app(running=False) as down:
        name = config(f"to: {up.url}", f"to: {down.url}")
        asked = [part for format in FORMATS for part in ("-o", f"{format}=report.{format}")]
        assert Ended(1, "", "") == pomprobe("check", name, *asked)
    text = {format: Path(f"report.{format}").read_text() for format in FORMATS}
    (failing,) = [route for route in json.loads(text["json"])["routes"] if route["status"] == "failing"]
    details = failing["forecast"][0]["response_code_details"]
    assert details.endswith("{remote_connection_failure|delayed_connect_error:_Connection_refused}")
    assert {"ok", "failing"} == {json.loads(line)["status"] for line in text["jsonl"].splitlines()[:-1]}
    assert 1 == JUnitXml.fromstring(text["junit"].encode()).failures
    (result,) = [r for r in json.loads(text["sarif"])["runs"][0]["results"] if r["level"] == "error"]
    assert details == result["properties"]["response_code_details"]
    metrics = {m.name: m for m in text_string_to_metric_families(text["prometheus"])}
    assert {"a.example.com": 1.0, "b.example.com": 0.0} == {s.labels["route"]: s.value for s in metrics["probe_success"].samples}
    assert text["nagios"].startswith("POMPROBE CRITICAL - 1/2 routes not well: b.example.com")
    assert text["github"].startswith("::error file=config.yaml,line=5,")
    for format in ("text", "short", "markdown", "html"):
        said = re.sub(r"<wbr>|[\s\\]", "", text[format])
        assert "TCP102" in said and html.escape(details, quote=False) in said, format


def test_a_report_that_cannot_be_written_is_said() -> None:
    """A file that cannot be written is exit code 3; the other reports are there."""
    with app() as up:
        ended = pomprobe("check", config(f"to: {up.url}"), "-o", "short", "-o", "json=none/r.json")
    assert (3, "pomprobe: cannot write none/r.json: No such file or directory\n") == (ended.code, ended.err)
    assert WELL in ended.out


def test_known_findings_are_set_aside() -> None:
    """--suppress, a comment at the route and a --baseline each take a finding out of the exit code, and it is counted."""
    with app(running=False) as down:
        name = config(f"to: {down.url}")
        pomprobe("check", name, "-o", "json=known.json")
        by_option = pomprobe("check", name, "--suppress", "TCP102")
        by_baseline = pomprobe("check", name, "--baseline", "known.json")
        commented = config(f"# pomprobe: ignore TCP102\nto: {down.url}", name="commented.yaml")
        by_comment = pomprobe("check", commented)
    for ended in (by_option, by_baseline, by_comment):
        assert (0, "") == (ended.code, ended.err)
        assert "1 finding suppressed" in ended.out


def test_a_suppression_that_nothing_needs_is_said() -> None:
    """A misspelt rule must not look as if it worked."""
    with app() as up:
        ended = pomprobe("check", config(f"to: {up.url}"), "--suppress", "TCP9999", "-o", "short")
    assert (0, "pomprobe: --suppress TCP9999: there is no rule TCP9999\n") == (ended.code, ended.err)


def test_a_reader_that_has_enough_ends_the_program() -> None:
    """`| head -1` is no error to speak of: no traceback, and the code of SIGPIPE."""
    routes = "".join(f"- from: https://{number}.example.com\n  to: http://127.0.0.1:1\n" for number in range(150))
    Path("many.yaml").write_text("routes:\n" + routes)  # more than a pipe holds
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}  # it hides half a write
    call = [str(PROGRAM), "check", "many.yaml", "-o", "json"]
    with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
    assert (b"", 128 + signal.SIGPIPE) == (said, process.returncode)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_with_what_is_known(number: signal.Signals) -> None:
    """SIGTERM and SIGINT end the run: the report is printed, and the exit code is the signal's."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        name = config(f"to: http://127.0.0.1:{silent.getsockname()[1]}")
        with subprocess.Popen([PROGRAM, "check", name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            connection, _ = silent.accept()
            with connection:
                connection.recv(10)  # the request is there: the program waits for the answer
                os.kill(process.pid, number)
                out, err = process.communicate()
    assert (128 + number, "") == (process.returncode, err)
    assert "a.example.com" in out


@pytest.mark.envoy
def test_confirm_asks_a_real_envoy() -> None:
    """--confirm puts the failing routes through a real Envoy, and says that its answer is the forecast."""
    try:
        find()
    except EnvoyError as error:
        pytest.skip(str(error))
    with app() as up, app(running=False) as down:
        ended = pomprobe("check", config(f"to: {up.url}", f"to: {down.url}"), "--confirm")
    assert (1, "") == (ended.code, ended.err)
    assert 1 == ended.out.count("confirmed by a real Envoy")


@pytest.mark.envoy
def test_confirm_says_what_differs() -> None:
    """An upstream that answers Envoy alone, by the x-request-id that only Envoy sends, is no forecast that a real Envoy confirms."""
    import socketserver

    class Choosy(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            head = b""
            while (line := self.rfile.readline()) not in (b"", b"\r\n"):
                head += line
            if b"x-request-id" in head:
                self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")

    try:
        find()
    except EnvoyError as error:
        pytest.skip(str(error))
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Choosy) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        ended = pomprobe("check", config(f"to: http://127.0.0.1:{server.server_address[1]}"), "--confirm")
        server.shutdown()
        thread.join()
    assert (1, "") == (ended.code, ended.err)
    assert "differs: Envoy answered 100% 200 - via_upstream" in ended.out


def test_confirm_without_an_envoy_says_so() -> None:
    """Where there is no Envoy the report stands as it is, with one line on standard error."""
    with app(running=False) as down:
        ended = pomprobe("check", config(f"to: {down.url}"), "--confirm", "--envoy", "/no/such/envoy")
    assert 1 == ended.code
    assert ended.err.startswith("pomprobe: --confirm: ") and 1 == ended.err.count("\n")


def test_a_route_is_chosen_by_the_cluster_of_a_log_line() -> None:
    """Envoy's name of the cluster selects its route."""
    config("to: http://127.0.0.1:1", "to: http://127.0.0.1:2")
    ended = pomprobe("list", "config.yaml", "--route", "route-c1422739bb18a4a2")
    assert ["a.example.com"] == [line.split()[0] for line in ended.out.splitlines() if line and not line.startswith(" ")]
