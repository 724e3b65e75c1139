"""What a plan needs to know about the machine, as data (read by pomprobe.system_ca)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Bundle:
    """The system's bundle of certificate authorities: its PEM bytes and path, None where this machine has none."""

    system_ca: bytes | None = field(default=None, repr=False)
    system_ca_path: str | None = None
