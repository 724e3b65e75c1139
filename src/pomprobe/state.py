"""The file in which --state remembers the runs before.

Two runs at once never lose a result: the file is locked from reading to writing, and replaced in one step.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .changes import Memory, Remembered
from .record import asdict
from .report import words
from .report.clean import clean
from .report.output import OutputError, replace_file

SCHEMA_VERSION = 1


class StateError(Exception):
    """The memory cannot be written; the message is for people."""


@dataclass(slots=True)
class StateFile:
    """The open file. memory: None where there is none; problem: why there is none although there was a file; usable: can it be saved?

    It is saved at most once: the lock is on the file that was read.
    """

    path: Path
    memory: Memory | None
    problem: str = ""
    usable: bool = True

    def save(self, memory: Memory) -> None:
        """Put the memory in the file's place. Raises StateError."""
        if not self.usable:
            raise StateError(f"this run is not remembered: {self.problem}")
        document = {
            "schema_version": SCHEMA_VERSION,
            "thread": memory.thread,
            "subjects": {k: asdict(r) for k, r in memory.subjects.items()},
        }
        try:
            replace_file(self.path, json.dumps(document, indent=1) + "\n")
        except OutputError as error:
            raise StateError(f"this run is not remembered: {error}") from error


@contextmanager
def remembered(path: Path) -> Iterator[StateFile]:
    """The memory in this file, locked until the end of the block. A file that cannot be used is no memory, and says so."""
    path = Path(os.path.realpath(path))
    try:
        descriptor = _locked(path)
    except OSError as error:
        yield StateFile(path, None, f"no memory of earlier runs: cannot open {clean(path)}: {error.strerror or error}", False)
        return
    try:
        with open(descriptor, encoding="utf-8", errors="surrogateescape", closefd=False) as file:
            yield StateFile(path, *_read(path, file.read()))
    finally:
        os.close(descriptor)


def _locked(path: Path) -> int:
    """A descriptor of the file with a lock on it; made if it is not there. Another run may have replaced it while we waited."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, "not a regular file")
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _read(path: Path, text: str) -> tuple[Memory | None, str]:
    """The memory, or why there is none. An empty file is one that has just been made."""
    if not text:
        return None, ""
    try:
        document: dict[str, Any] = json.loads(text)
        version = document["schema_version"]
        if version != SCHEMA_VERSION:
            return (
                None,
                f"no memory of earlier runs: {clean(path)} is of version {clean(version)}, not {SCHEMA_VERSION}; it will be replaced",
            )
        subjects = {str(key): _subject(value) for key, value in document["subjects"].items()}
        return Memory(subjects, tuple(map(str, document["thread"]))), ""
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, f"no memory of earlier runs: {clean(path)} is broken; it will be replaced"


def _subject(value: dict[str, Any]) -> Remembered:
    words.moment(value["seen"])
    return Remembered(
        str(value["name"]),
        int(value["bad"]),
        int(value["good"]),
        bool(value["told"]),
        int(value["rank"]),
        tuple(map(str, value["rules"])),
        str(value["since"]),
        str(value["seen"]),
    )
