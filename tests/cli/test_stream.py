"""-o jsonl: lines go out as routes finish, to a pipe and to a file, and a run that is killed leaves the finished ones."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pomprobe.cli.stream import Lines
from pomprobe.report.json import document
from pomprobe.report.output import Output
from report import examples
from servers.app import app

from .program import PROGRAM, Ended, config, pomprobe

SCHEMA = json.loads((Path(__file__).parents[2] / "src/pomprobe/report/schema/report.schema.json").read_text())


@contextmanager
def silent() -> Iterator[str]:
    """An upstream that takes connections and never answers; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """The program as its users call it, killed at the end if it still runs."""
    with subprocess.Popen([str(PROGRAM), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def read(process: subprocess.Popen[bytes]) -> Any:
    """The next line of standard output."""
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_killed_run_leaves_the_finished_lines() -> None:
    """The second route is done and out, in the pipe and in the file, while the first still waits."""
    with app() as up, silent() as waiting:
        name = config(f"to: {waiting}", f"to: {up.url}", "redirect: {host_redirect: b.example.com}")
        with running("check", name, "-o", "jsonl", "-o", "jsonl=lines.jsonl") as process:
            seen = [read(process), read(process)]
            while Path("lines.jsonl").read_text().count("\n") < len(seen):  # it has a writer of its own
                assert process.poll() is None
            process.kill()
    assert [("route", 2, "skipped"), ("route", 1, "ok")] == [(line["type"], line["index"], line["status"]) for line in seen]
    assert seen == lines(Path("lines.jsonl").read_text())


def test_a_run_that_is_told_to_end_says_the_rest() -> None:
    """SIGTERM: what is not finished is undetermined, and the summary says that the run was interrupted."""
    with app() as up, silent() as waiting, running("check", config(f"to: {waiting}", f"to: {up.url}"), "-o", "jsonl") as process:
        first = read(process)
        os.kill(process.pid, signal.SIGTERM)
        out, err = process.communicate()
    assert (128 + signal.SIGTERM, b"") == (process.returncode, err)
    (rest, summary) = lines(out.decode())
    assert [(1, "ok"), (0, "undetermined")] == [(line["index"], line["status"]) for line in (first, rest)]
    assert ("summary", True, 2) == (summary["type"], summary["interrupted"], summary["summary"]["routes"])


def test_the_lines_are_the_json_report() -> None:
    """Each route once, in any order, as the JSON report of the same run has it; then everything else in one line."""
    with app() as up, app(running=False) as down:
        name = config(f"to: {up.url}", f"to: {down.url}", "response: {status: 200, body: ok}")
        ended = pomprobe("check", name, "-o", "jsonl", "-o", "json=report.json")
    assert (1, "") == (ended.code, ended.err)
    *routes, summary = lines(ended.out)
    whole = json.loads(Path("report.json").read_text())
    assert {("route", 1)} == {(line.pop("type"), line.pop("schema_version")) for line in routes}
    assert whole.pop("routes") == [line for _, line in sorted((line.pop("index"), line) for line in routes)]
    assert {"type": "summary", **whole} == summary


def test_a_line_stands_by_itself() -> None:
    """A line has the schema of a route, and where in the config the route stands."""
    validator = Draft202012Validator({"$ref": "#/$defs/route", "$defs": SCHEMA["$defs"]})
    with app(running=False) as down:
        ended = pomprobe("check", config("redirect: {host_redirect: b.example.com}", f"to: {down.url}"), "--route", "b.*", "-o", "jsonl")
    route, _ = lines(ended.out)
    validator.validate(route)
    assert (1, 1, "routes[1]") == (route["schema_version"], route["index"], route["place"]["path"])


@pytest.mark.parametrize("how", ["option", "comment", "baseline"])
def test_a_line_lacks_what_is_known(how: str) -> None:
    """Findings that were set aside are so in the line too, although it is out before the run ends."""
    with app(running=False) as down:
        name = config(f"to: {down.url}" + ("  # pomprobe: ignore TCP102" if how == "comment" else ""))
        pomprobe("check", name, "-o", "jsonl=before.jsonl")
        more = {"option": ["--suppress", "TCP102"], "baseline": ["--baseline", "before.jsonl"], "comment": []}[how]
        ended = pomprobe("check", name, "-o", "jsonl", *more)
    assert (0, "") == (ended.code, ended.err)
    route, _ = lines(ended.out)
    assert ("ok", [], ["TCP102"]) == (route["status"], route["verdicts"], [verdict["rule"] for verdict in route["suppressed"]])


def test_the_lines_of_a_killed_run_are_a_baseline() -> None:
    """The findings of the routes that were finished are known."""
    with app(running=False) as down:
        name = config(f"to: {down.url}")
        pomprobe("check", name, "-o", "jsonl=before.jsonl")
        path = Path("before.jsonl")
        path.write_text(path.read_text().splitlines()[0] + "\n")
        assert 0 == pomprobe("check", name, "--suppress", "CFG321", "--baseline", "before.jsonl").code


def test_quiet_prints_lines_only_when_something_is_wrong() -> None:
    """On standard output nothing is known to be worth a line before the end; a file gets its lines at once."""
    with app() as one:
        name = config(f"to: {one.url}")
        assert Ended(0, "", "") == pomprobe("check", name, "--quiet", "-o", "jsonl", "-o", "jsonl=lines.jsonl")
        assert ["route", "summary"] == [line["type"] for line in lines(Path("lines.jsonl").read_text())]
        one.stop()
        assert ["route", "summary"] == [line["type"] for line in lines(pomprobe("check", name, "--quiet", "-o", "jsonl").out)]


def test_with_wait_the_lines_are_of_the_last_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """No route is told twice."""
    with app(running=False) as late:
        monkeypatch.setattr("pomprobe.cli.check.time.sleep", lambda _: late.start())
        ended = pomprobe("check", config(f"to: {late.url}"), "--wait", "1m", "-o", "jsonl")
    assert [("route", "ok"), ("summary", None)] == [(line["type"], line.get("status")) for line in lines(ended.out)]


def test_several_configs_are_one_stream() -> None:
    """The index begins anew with each config, the place says which; the summary is of all."""
    with app() as up:
        names = config(f"to: {up.url}", name="one.yaml"), config(f"to: {up.url}", name="two.yaml")
        *routes, summary = lines(pomprobe("check", *names, "-o", "jsonl").out)
    assert [(0, "one.yaml"), (0, "two.yaml")] == [(line["index"], line["place"]["file"]) for line in routes]
    assert ("one.yaml, two.yaml", 2) == (summary["config"], summary["summary"]["routes"])


def test_a_config_that_cannot_be_read_is_found_before_anything_is_sent() -> None:
    """The second config ends the run before the first is probed, and an older file stays."""
    Path("lines.jsonl").write_text("older\n")
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        ended = pomprobe("check", config(f"to: http://127.0.0.1:{upstream.getsockname()[1]}"), "none.yaml", "-o", "jsonl=lines.jsonl")
        upstream.setblocking(False)
        with pytest.raises(BlockingIOError):
            upstream.accept()
    assert (2, "") == (ended.code, ended.out)
    assert "older\n" == Path("lines.jsonl").read_text()


@pytest.mark.parametrize(
    ("name", "said"),
    [("none/x.jsonl", "No such file or directory"), ("/dev/full", "No space left on device"), (".", "Is a directory")],
)
def test_lines_that_cannot_be_written_are_said(name: str, said: str) -> None:
    """Exit code 3, one line on standard error; the other reports are there."""
    with app() as up:
        ended = pomprobe("check", config(f"to: {up.url}"), "-o", "short", "-o", f"jsonl={name}")
    assert (3, f"pomprobe: cannot write {name}: {said}\n") == (ended.code, ended.err)
    assert "1 route" in ended.out


def test_a_reader_that_has_enough_ends_the_run() -> None:
    """`| head -1`: nothing else comes of the run, so the route that still waits is not waited for."""
    with app() as up, silent() as waiting:
        name = config(f"to: {waiting}", f"to: {up.url}")
        with running("check", name, "-o", "jsonl") as process:
            assert process.stdout is not None and process.stderr is not None
            process.stdout.close()
            assert (b"", 128 + signal.SIGPIPE) == (process.stderr.read(), process.wait())


def test_a_slow_reader_holds_nothing_up(tmp_path: Path) -> None:
    """Lines are taken at once, though nobody reads them yet; none is lost."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    stream = Lines([Output("jsonl", pipe)], alone=True)
    stream.open()
    report = examples.many()
    for route in report.routes:
        stream.route(route)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    assert [] == stream.close(report)
    reader.join()
    *routes, _ = lines(read[0])
    assert [route["name"] for route in document(report)["routes"]] == [route["name"] for route in routes]
