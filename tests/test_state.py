"""The memory in a file: locked, replaced in one step, and honest when it cannot be used."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest

from pomprobe.changes import Memory, Remembered, changes
from pomprobe.record import replace
from pomprobe.state import StateError, remembered
from report import examples


def test_what_is_saved_is_remembered(tmp_path: Path) -> None:
    """A new file is no memory and no problem; the next run has what this one saved."""
    path = tmp_path / "state.json"
    with remembered(path) as file:
        assert (None, "") == (file.memory, file.problem)
        memory = changes(None, examples.everything()).told.mailed("<1@x>")
        file.save(memory)
    with remembered(path) as file:
        assert (memory, "") == (file.memory, file.problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "no memory of earlier runs: PATH is broken; it will be replaced"),
        ("[]", "no memory of earlier runs: PATH is broken; it will be replaced"),
        ('{"schema_version": 1}', "no memory of earlier runs: PATH is broken; it will be replaced"),
        (
            '{"schema_version": 1, "thread": [], "subjects": {"a": {"bad": "x"}}}',
            "no memory of earlier runs: PATH is broken; it will be replaced",
        ),
        ('{"schema_version": 7}', "no memory of earlier runs: PATH is of version 7, not 1; it will be replaced"),
        ("\udcff\x00", "no memory of earlier runs: PATH is broken; it will be replaced"),
    ],
)
def test_a_file_that_cannot_be_read_is_no_memory_and_says_so(text: str, problem: str, tmp_path: Path) -> None:
    """Half a file, another program's, another version's: everything bad is new again, and the next save mends it."""
    path = tmp_path / "state.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with remembered(path) as file:
        assert (None, problem.replace("PATH", str(path))) == (file.memory, file.problem)
        file.save(Memory())
    with remembered(path) as file:
        assert (Memory(), "") == (file.memory, file.problem)


@pytest.mark.parametrize(("name", "reason"), [("missing/state.json", "No such file or directory"), (".", "Is a directory")])
def test_a_file_that_cannot_be_opened_is_said(name: str, reason: str, tmp_path: Path) -> None:
    """The run goes on without memory; saving says that it is not remembered."""
    with remembered(tmp_path / name) as file:
        assert None is file.memory
        assert file.problem.startswith("no memory of earlier runs: cannot open ") and file.problem.endswith(reason)
        with pytest.raises(StateError, match="this run is not remembered: no memory of earlier runs"):
            file.save(Memory())


def test_a_read_only_file_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not replaced behind its owner's back."""
    path = tmp_path / "state.json"
    path.write_text("mine")

    def refuse(*args: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pomprobe.state._locked", refuse)
    with remembered(path) as file:
        assert f"no memory of earlier runs: cannot open {path}: Permission denied" == file.problem
        with pytest.raises(StateError):
            file.save(Memory())
    assert "mine" == path.read_text()


def test_a_pipe_is_no_memory(tmp_path: Path) -> None:
    """It would wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    with remembered(tmp_path / "pipe") as file:
        assert file.problem.endswith("not a regular file")


def test_a_full_disk_keeps_the_old_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was remembered before is still there."""
    path = tmp_path / "state.json"
    before = Memory({"route app": Remembered("app", bad=1, seen="2026-11-22T07:00:00Z")})
    with remembered(path) as file:
        file.save(before)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with remembered(path) as file, pytest.raises(StateError, match="No space left on device"):
            file.save(Memory())
    with remembered(path) as file:
        assert before == file.memory


def count_up(path: Path, times: int) -> None:
    for _ in range(times):
        with remembered(path) as file:
            subjects = dict(file.memory.subjects) if file.memory else {}
            counted = subjects.get("route app", Remembered("app", seen="2026-11-22T07:00:00Z"))
            file.save(Memory({"route app": replace(counted, bad=counted.bad + 1)}))


def test_runs_at_once_lose_no_result(tmp_path: Path) -> None:
    """Four processes count to 25 each in one file: 100."""
    path = tmp_path / "state.json"
    processes = [multiprocessing.get_context("spawn").Process(target=count_up, args=(path, 25)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [0, 0, 0, 0] == [process.exitcode for process in processes]
    with remembered(path) as file:
        assert file.memory is not None
        assert 100 == file.memory.subjects["route app"].bad
