"""What a plan needs to know about the machine, as data (read by pomprobe.system_ca)."""

from __future__ import annotations

from typing import ClassVar

from ..record import Record


class Bundle(Record, frozen=True):
    """The system's bundle of certificate authorities: its PEM bytes and path, None where this machine has none."""

    HIDDEN: ClassVar = ("system_ca",)

    system_ca: bytes | None = None
    system_ca_path: str | None = None
