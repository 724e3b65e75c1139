"""Read a Pomerium config as Pomerium reads it, and say what is wrong with it: `load` is the door."""

from __future__ import annotations

from .load import load

__all__ = ["load"]
