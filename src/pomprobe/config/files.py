"""The bytes behind a config and behind the files that it names: bounded in size and time, never a traceback.

Messages are Go's, as os.ReadFile gives them to Pomerium.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import sys
import time
from functools import lru_cache
from pathlib import Path

from .problems import Unreadable

MAX_CONFIG = 64 * 1024 * 1024
MAX_FILE = 8 * 1024 * 1024
PIPE_PATIENCE = 10.0
"""Seconds that the writer of a named pipe gets."""

_REASONS = {errno.ENOENT: "missing", errno.EACCES: "permission", errno.EISDIR: "directory", errno.ENOTDIR: "missing"}


class Unopened(Exception):
    """A file that Pomerium could not read; the message is Go's."""


def config_bytes(path: Path) -> bytes:
    """What a config file, or a pipe such as a shell's <(command), holds. Raises Unreadable."""
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise Unreadable("directory", f"read {path}: is a directory")
        if stat.S_ISFIFO(mode):
            return _pipe(path)
        if not stat.S_ISREG(mode):
            raise Unreadable("not_a_file", f"{path} is neither a file nor a pipe")
        with open(path, "rb") as file:
            data = file.read(MAX_CONFIG + 1)
    except OSError as error:
        raise Unreadable(_REASONS.get(error.errno or 0, "not_a_file"), f"open {path}: {_strerror(error)}") from None
    except ValueError as error:  # a NUL in the path
        raise Unreadable("missing", f"open {str(path)!r}: {error}") from None
    return bounded(data)


def standard_input() -> bytes:
    """All of it, up to a byte more than a config can be. Raises Unreadable."""
    try:
        return sys.stdin.buffer.read(MAX_CONFIG + 1)
    except OSError as error:  # opened for writing alone, or the terminal of another job
        raise Unreadable("not_a_file", f"read /dev/stdin: {_strerror(error)}") from None


def has_name(path: str) -> bool:
    """Does what the path ends in say what is in there? Not that of a pipe, nor of what is open already."""
    return not (path.startswith(("/dev/stdin", "/dev/fd/", "/proc/self/fd/")) or Path(path).is_fifo())


def bounded(data: bytes) -> bytes:
    """The data, or Unreadable where it is more than a config can be."""
    if len(data) > MAX_CONFIG:
        raise Unreadable("too_big", f"more than {MAX_CONFIG // 1024 // 1024} MiB: this is no Pomerium config")
    return data


def _pipe(path: Path) -> bytes:
    """Everything until the writer closes: a pipe without a writer is empty at once, a silent writer is left after a while."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        data, until = b"", time.monotonic() + PIPE_PATIENCE
        while len(data) <= MAX_CONFIG:
            try:
                piece = os.read(handle, 1 << 20)
            except BlockingIOError:
                if not select.select([handle], [], [], max(0.0, until - time.monotonic()))[0]:
                    raise Unreadable("not_a_file", f"read {path}: nothing was written into the pipe for {PIPE_PATIENCE:g} s") from None
                continue
            if not piece:
                return data
            data += piece
        return bounded(data)
    finally:
        os.close(handle)


def named(path: str) -> bytes:
    """A file that the config names, read as Pomerium reads it: relative to the working directory. Raises Unopened."""
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            raise Unopened(f"read {path}: is a directory" if os.path.isdir(path) else f"open {path}: not a regular file")
        data = _content(path, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns))
    except OSError as error:
        raise Unopened(f"open {path}: {_strerror(error)}") from None
    except ValueError:
        raise Unopened(f"open {path!r}: invalid argument") from None
    if len(data) > MAX_FILE:
        raise Unopened(f"read {path}: more than {MAX_FILE // 1024 // 1024} MiB")
    return data


@lru_cache(maxsize=64)
def _content(path: str, version: tuple[int, ...]) -> bytes:
    """What a file holds; the same bytes for all routes that name it. version: of which there is one at a time."""
    with open(path, "rb") as file:
        return file.read(MAX_FILE + 1)


def _strerror(error: OSError) -> str:
    """Go prints strerror in lower case."""
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]
