"""Where a report goes: standard output, or a file that is replaced in one step."""

from __future__ import annotations

import codecs
import io
import os
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from typing import TextIO

from ..model import Report
from ..record import Record
from . import FORMATS
from .clean import clean
from .style import Style

MARKUP = ("html", "junit")
"""Formats in which a character that the terminal cannot show has an escape of its own."""


STREAMED = "jsonl"
"""The format that need not wait for the end of a run."""


class OutputError(Exception):
    """A report that cannot be written, or an -o that says nothing; the message is for people."""


class Output(Record, frozen=True):
    """One -o: a format, and the file (None: standard output)."""

    format: str
    path: Path | None = None

    @classmethod
    def parse(cls, text: str) -> Output:
        """Read FORMAT or FORMAT=FILE (a FILE of - is standard output). Raises OutputError."""
        format, equals, path = text.partition("=")
        if format not in FORMATS:
            near = get_close_matches(format, FORMATS, 1)
            raise OutputError(
                f"-o {clean(text)}: no such format; " + (f"did you mean {near[0]}?" if near else f"one of {', '.join(FORMATS)}")
            )
        if equals and not path:
            raise OutputError(f"-o {clean(text)}: the name of the file is missing; write for example {format}=report.{format}")
        return cls(format, Path(path).expanduser() if path and path != "-" else None)

    def write(self, report: Report, style: Style, stdout: TextIO) -> None:
        """Print the report, or put the file in place. Raises OutputError, and BrokenPipeError where nobody reads any more."""
        if self.path is not None:
            with replacing(self.path) as file:
                FORMATS[self.format](report, file, style)
            return
        try:
            if codecs.lookup(stdout.encoding or "utf-8").name == "utf-8":
                FORMATS[self.format](report, stdout, style)
            else:
                text = io.StringIO()
                FORMATS[self.format](report, text, style)
                stdout.write(_printable(text.getvalue(), stdout.encoding, self.format))
            stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"cannot write to standard output: {error.strerror}") from error


def replace_file(path: Path, text: str) -> None:
    """Write a file as `replacing` does."""
    with replacing(path) as file:
        file.write(text)


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """Write a file so that readers see the old one or the new one, never half of it. UTF-8; an old file's mode is kept.

    What is no regular file (a device, a pipe) is written to as it is. Raises OutputError.
    """
    try:
        target = Path(os.path.realpath(path))
    except ValueError as error:  # a NUL in the name; one of a writer's is a defect, and not caught
        raise OutputError(f"cannot write {clean(path)}: {error}") from error
    try:
        old = target.stat() if target.exists() else None
        if old is not None and not stat.S_ISREG(old.st_mode):
            with target.open("w", encoding="utf-8") as file:
                yield file
            return
        with _undisturbed(), _replacing(target, old) as file:
            yield file
    except OSError as error:
        said = error.strerror or str(error)
        why = " (its folder must be writable: the new file takes the old one's place)" if isinstance(error, PermissionError) else ""
        raise OutputError(f"cannot write {clean(path)}: {said}{why}") from error


@contextmanager
def _replacing(target: Path, old: os.stat_result | None) -> Iterator[TextIO]:
    temporary = target.with_name(f".pomprobe-{os.urandom(8).hex()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            if old is not None:
                with suppress(PermissionError):  # only root may give a file away; the mode matters more
                    os.fchown(descriptor, old.st_uid, old.st_gid)
                os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
            yield file
            file.flush()
            os.fsync(descriptor)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Signals that would end us wait until the file is in its place, or gone."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _printable(text: str, encoding: str | None, format: str) -> str:
    """The text with escapes for the characters that this stream's encoding has not."""
    name = encoding or "utf-8"
    return text.encode(name, "xmlcharrefreplace" if format in MARKUP else "backslashreplace").decode(name)
