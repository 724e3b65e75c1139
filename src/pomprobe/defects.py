"""What ends us: a machine that has no room, or a defect of ours, told by its kind and place alone: its message may hold what is secret."""

from __future__ import annotations

import errno
import re
import traceback

NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EAGAIN)
"""What the system says when it has no more files, memory or processes for us."""

NO_FILE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""What it says when it takes no more of a file."""

NO_THREAD = "can't start new thread"
"""Python's RuntimeError, which has no errno (Modules/_threadmodule.c)."""


def told(error: BaseException) -> str:
    """Why we cannot go on, for people; of a group the first one."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, MemoryError) or (isinstance(error, ImportError) and re.search("allocate memory|map segment", str(error))):
        return "this machine, or a limit of it (ulimit -v), leaves us no memory"
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return f"this machine, or a limit of it (ulimit), leaves us no room: {error.strerror}"
    if isinstance(error, OSError) and error.errno in NO_FILE:
        return f"a file for the time being cannot be written: {error.strerror}"
    if isinstance(error, FileNotFoundError) and "temporary directory" in str(error):  # Lib/tempfile.py, _get_default_tempdir
        return "no folder for temporary files can be written; TMPDIR names one"
    if isinstance(error, RuntimeError) and str(error) == NO_THREAD:
        return "this machine, or a limit of it (ulimit -u), leaves us no room for another thread"
    return f"a defect of pomprobe, please report it: {place_of(error)}"


def place_of(defect: BaseException) -> str:
    """Such as `KeyError at http.py:71`; of a group the first one."""
    while isinstance(defect, BaseExceptionGroup):
        defect = defect.exceptions[0]
    frames = traceback.extract_tb(defect.__traceback__)
    at = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return f"{type(defect).__name__}{at}"
