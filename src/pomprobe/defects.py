"""Defects of ours, told by their kind and place alone: the message may hold what is secret."""

from __future__ import annotations

import traceback


def place_of(defect: BaseException) -> str:
    """Such as `KeyError at http.py:71`; of a group the first one."""
    while isinstance(defect, BaseExceptionGroup):
        defect = defect.exceptions[0]
    frames = traceback.extract_tb(defect.__traceback__)
    at = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return f"{type(defect).__name__}{at}"
