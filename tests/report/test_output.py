"""Where reports go."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

import pytest

from pomprobe.report import FORMATS, Style
from pomprobe.report.output import Output, OutputError, replace_file, replacing

from . import examples


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("text", Output("text")),
        ("json=-", Output("json")),
        ("html=report.html", Output("html", Path("report.html"))),
        ("junit=a=b.xml", Output("junit", Path("a=b.xml"))),
    ],
)
def test_an_output_is_a_format_and_a_file(text: str, expected: Output) -> None:
    """FORMAT, FORMAT=FILE, and - for standard output."""
    assert expected == Output.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("htm", "-o htm: no such format; did you mean html?"),
        ("zzz=x", f"-o zzz=x: no such format; one of {', '.join(FORMATS)}"),
        ("json=", "-o json=: the name of the file is missing; write for example json=report.json"),
    ],
)
def test_a_wrong_output_says_what_would_be_right(text: str, expected: str) -> None:
    """The message names what to write instead."""
    with pytest.raises(OutputError) as caught:
        Output.parse(text)
    assert expected == str(caught.value)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("case", examples.CASES)
def test_every_format_goes_to_a_file(format: str, case: str, tmp_path: Path) -> None:
    """UTF-8, whole, and nothing else is left in the folder."""
    target = tmp_path / "report"
    Output(format, target).write(examples.CASES[case](), Style(), io.StringIO())
    assert target.read_text(encoding="utf-8")
    assert [target] == list(tmp_path.iterdir())


@pytest.mark.parametrize("format", FORMATS)
def test_a_terminal_without_unicode_gets_escapes(format: str) -> None:
    """An ASCII standard output is no reason to fail."""
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    Output(format).write(examples.hostile(), Style(unicode=False), out)
    out.flush()
    assert raw.getvalue().isascii()


def test_a_new_file_has_the_mode_that_the_umask_says(tmp_path: Path) -> None:
    """A metrics file must be readable by the collector."""
    old = os.umask(0o022)
    try:
        replace_file(tmp_path / "new", "text")
    finally:
        os.umask(old)
    assert 0o644 == stat.S_IMODE((tmp_path / "new").stat().st_mode)


def test_an_old_file_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    """A link stays a link; the file behind it is replaced."""
    target, link = tmp_path / "old", tmp_path / "link"
    target.write_text("before")
    target.chmod(0o640)
    link.symlink_to(target)
    replace_file(link, "after")
    assert ("after", 0o640) == (target.read_text(), stat.S_IMODE(target.stat().st_mode))
    assert link.is_symlink()


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk: the old report stays, nothing half-written lies around, and it is said plainly."""

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    target = tmp_path / "report.json"
    target.write_text("before")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError) as caught:
        replace_file(target, "after")
    assert f"cannot write {target}: No space left on device" == str(caught.value)
    assert ("before", [target]) == (target.read_text(), list(tmp_path.iterdir()))


def test_devices_are_written_to_as_they_are() -> None:
    """/dev/null stays a device; /dev/full says that it is full."""
    replace_file(Path("/dev/null"), "text")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    with pytest.raises(OutputError, match="cannot write /dev/full: No space left on device"):
        replace_file(Path("/dev/full"), "text")


@pytest.mark.parametrize(("name", "reason"), [("missing/report", "No such file or directory"), (".", "Is a directory")])
def test_a_path_that_cannot_be_written_is_said(name: str, reason: str, tmp_path: Path) -> None:
    """The path and the system's reason."""
    with pytest.raises(OutputError) as caught:
        replace_file(tmp_path / name, "text")
    assert f"cannot write {tmp_path / name}: {reason}" == str(caught.value)


def test_a_full_standard_output_is_said() -> None:
    """`> /dev/full`."""
    with open("/dev/full", "w") as full, pytest.raises(OutputError, match="cannot write to standard output: No space left on device"):
        try:
            Output("text").write(examples.all_well(), Style(), full)
        finally:
            os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())  # closing flushes once more


def test_a_reader_who_left_is_the_caller_s_business() -> None:
    """`| head` is no error of the report."""
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as out, pytest.raises(BrokenPipeError):
        try:
            Output("json").write(examples.many(), Style(), out)
        finally:
            os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


def test_a_defect_of_a_writer_is_no_fault_of_the_file(tmp_path: Path) -> None:
    """Only the name of the file is told as a file that cannot be written; the old one stays."""
    target = tmp_path / "report.json"
    target.write_text("old")
    with pytest.raises(ValueError, match="defect"), replacing(target):
        raise ValueError("a defect")
    assert "old" == target.read_text()
    with pytest.raises(OutputError, match="cannot write"), replacing(tmp_path / "a\0b"):
        pass
    assert [target] == list(tmp_path.iterdir())
