"""Where a config comes from, and the one clear problem for everything that is none."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from pomprobe.config import load
from pomprobe.model import ConfigError, Failure, Problem

from .reading import ROUTE, read, refused


def unreadable(source: str | Path, text: bytes | None = None) -> Problem:
    with pytest.raises(ConfigError) as caught:
        load(source, text=text)
    (problem,) = caught.value.problems
    assert Failure.CONFIG_UNREADABLE is problem.failure and problem.fatal
    return problem


def test_file(tmp_path: Path) -> None:
    """A file is read by its path; places name it."""
    file = tmp_path / "config.yaml"
    file.write_text(ROUTE)
    config = load(file)
    assert (str(file), f"{file}:2:3 routes[0]") == (config.file, str(config.routes[0].place))


def test_standard_input() -> None:
    """Standard input is read by the caller; places call it <stdin>."""
    assert "<stdin>" == read(ROUTE).file


def test_missing(tmp_path: Path) -> None:
    """A missing file is told in Go's words."""
    problem = unreadable(tmp_path / "no.yaml")
    assert ("missing", f"open {tmp_path}/no.yaml: no such file or directory") == (problem.facts["reason"], problem.message)
    assert "missing" == unreadable(tmp_path / "no.yaml" / "deeper.yaml").facts["reason"]


def test_path_with_nul() -> None:
    """A path that cannot exist is missing."""
    assert "missing" == unreadable("a\0b.yaml").facts["reason"]


def test_directory(tmp_path: Path) -> None:
    """A directory without manifests is none."""
    problem = unreadable(tmp_path)
    assert ("directory", f"read {tmp_path}: is a directory, without manifests for Pomerium") == (problem.facts["reason"], problem.message)


def test_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be read is told so."""
    file = tmp_path / "config.yaml"
    file.write_text(ROUTE)

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", denied)
    problem = unreadable(file)
    assert ("permission", f"open {file}: permission denied") == (problem.facts["reason"], problem.message)


def test_pipe(tmp_path: Path) -> None:
    """A named pipe is read until its writer closes it, whatever its name."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    handle = os.open(pipe, os.O_RDWR)  # keeps the pipe open, so that neither side waits
    os.write(handle, ROUTE.encode())
    closer = threading.Timer(0.05, os.close, (handle,))
    closer.start()
    assert 1 == len(load(pipe).routes)
    closer.join()


def test_pipe_without_writer(tmp_path: Path) -> None:
    """A pipe that nobody writes into is empty at once."""
    os.mkfifo(tmp_path / "pipe")
    assert "empty" == unreadable(tmp_path / "pipe").facts["reason"]


def test_silent_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that says nothing is left after a while."""
    monkeypatch.setattr("pomprobe.config.files.PIPE_PATIENCE", 0.01)
    os.mkfifo(tmp_path / "pipe")
    handle = os.open(tmp_path / "pipe", os.O_RDWR)
    assert "not_a_file" == unreadable(tmp_path / "pipe").facts["reason"]
    os.close(handle)


def test_device() -> None:
    """A device is no config."""
    assert "not_a_file" == unreadable("/dev/zero").facts["reason"]


def test_too_big(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a limit to what is read."""
    monkeypatch.setattr("pomprobe.config.files.MAX_CONFIG", 1000)
    file = tmp_path / "config.yaml"
    file.write_bytes(b"x" * 1001)
    assert "too_big" == unreadable(file).facts["reason"]
    assert "too_big" == unreadable("-", b"x" * 1001).facts["reason"]


TEXTS = {
    b"": ("empty", "the file is empty"),
    b" \n\n": ("empty", "the file is empty"),
    b"# only a comment\n": ("empty", "the file is empty"),
    b"---\n": ("empty", "the file is empty"),
    b"- a\n": ("not_a_mapping", "line 1: cannot unmarshal !!seq into map[string]interface {}"),
    b"\n\nhello\n": ("not_a_mapping", "line 3: cannot unmarshal !!str `xxxxx` into map[string]interface {}"),
    b"a: b: c\n": ("yaml", "yaml: mapping values are not allowed in this context"),
    b"a: 1\na: 2\n": ("duplicate_key", 'line 2: mapping key "a" already defined at line 1'),
    b"a: b\0\n": ("nul", "yaml: control characters are not allowed"),
    b"a: \xff\xfe\n": ("encoding", "yaml: invalid leading UTF-8 octet"),
    b"[" * 10_000: ("too_deep", "yaml: exceeded max depth of 100"),
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.items())
def test_texts(text: bytes, expected: tuple[str, str]) -> None:
    """Each text that is no config is one problem with a place."""
    problem = unreadable("-", text)
    assert expected == (problem.facts["reason"], problem.message)
    assert problem.place.line >= 1 and problem.place.column >= 1


def test_utf16() -> None:
    """libyaml reads UTF-16 with its mark, and so does Go's port of it."""
    assert 1 == len(load("-", text=ROUTE.encode("utf-16")).routes)


def test_crlf_and_mark() -> None:
    """Windows' line ends and the UTF-8 mark do not matter."""
    assert 1 == len(load("-", text=b"\xef\xbb\xbf" + ROUTE.replace("\n", "\r\n").encode()).routes)


def test_only_the_first_document() -> None:
    """Pomerium reads the first document of a file."""
    assert 1 == len(read(ROUTE + "---\nroutes: x\n").routes)


FORMATS = {
    "config.bak": 'Unsupported Config Type "bak"',
    "config": 'Unsupported Config Type ""',
    "config.YAML": 'Unsupported Config Type "YAML"',
    "config.hcl": "While parsing config: decoder not found for this format",
    "config.ini": "While parsing config: decoder not found for this format",
}


@pytest.mark.parametrize(("name", "message"), FORMATS.items())
def test_formats_by_name(tmp_path: Path, name: str, message: str) -> None:
    """viper goes by the extension alone."""
    (tmp_path / name).write_text(ROUTE)
    problem = unreadable(tmp_path / name)
    assert ("format", message, "config.yaml") == (problem.facts["reason"], problem.message, problem.facts["write"])


def test_format_given(tmp_path: Path) -> None:
    """A format that is named is believed."""
    (tmp_path / "pomerium.conf").write_text(ROUTE)
    assert 1 == len(load(tmp_path / "pomerium.conf", format="yaml").routes)
    with pytest.raises(ValueError, match="'xml' is none of yaml"):
        load("-", text=b"", format="xml")


def test_version_given() -> None:
    """A version that is none is the caller's mistake."""
    with pytest.raises(ValueError, match="no Pomerium version"):
        read(ROUTE, pomerium_version="33")


def test_text_by_name() -> None:
    """Bytes that the caller read are YAML unless the name says otherwise."""
    assert 1 == len(load("config", text=ROUTE.encode()).routes)
    assert "json" == unreadable("config.json", ROUTE.encode()).facts["reason"]


def test_suppressions() -> None:
    """Comments name rules that are not to be told of, with the line that they are about."""
    text = "# pomprobe: ignore CFG101\nroutes: # pomprobe:ignore CFG102, CFG103\n- from: https://a.example.com # pomprobe: ignored\n  to: http://a\n"
    assert ((2, "CFG101"), (2, "CFG102"), (2, "CFG103")) == read(text).suppressions


def test_several_problems_are_raised_together() -> None:
    """The error names every problem and its place."""
    with pytest.raises(ConfigError) as caught:
        read("routes:\n- from: a\n  to: b\n")
    assert "<stdin>:2:9 routes[0].from: config: policy bad source url" in str(caught.value)
    assert "; <stdin>:3:7 routes[0].to: 'routes[0]' b:" in str(caught.value)


def test_refused_has_no_findings_beside() -> None:
    """Only what keeps Pomerium from starting is raised."""
    assert 1 == len(refused(ROUTE + "  tiemout: 1\n  timeout: x\n"))
