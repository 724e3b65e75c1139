"""The hosts file as c-ares reads it: which addresses stand for which name."""

from __future__ import annotations

import socket
import string
from collections.abc import Mapping
from types import MappingProxyType

HOSTNAME = frozenset(string.ascii_letters + string.digits + "-._/*")
"""The characters that c-ares allows in the name of a host (ares_is_hostnamech in src/lib/include/ares_str.h)."""


def address(text: str) -> str | None:
    """The address in its usual form, or None where c-ares would take `text` for a name.

    An IPv4 address is four decimal numbers, leading zeros allowed (row dns-leading-zero); everything else that inet_aton
    reads (127.1, 0x7f000001, 2130706433) is a name (row dns-decimal-ip).
    """
    parts = text.split(".")
    if len(parts) == 4 and all(part.isascii() and part.isdigit() and int(part) < 256 for part in parts):
        return ".".join(str(int(part)) for part in parts)
    try:
        return socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, text))
    except (OSError, ValueError):
        return None


def parse(text: str) -> Mapping[str, tuple[str, ...]]:
    """Every name of the file, in lower case, and its addresses.

    Lines that share an address or a name are one entry whose names all have all its addresses, as in c-ares 1.34
    (src/lib/ares_hosts_file.c, ares_hosts_file_add). Lines without a valid address or name are passed over.
    """
    by_address: dict[str, list[str]] = {}
    by_name: dict[str, list[str]] = {}
    for line in text.splitlines():
        fields = line.split()
        comment = next((i for i, part in enumerate(fields) if part.startswith("#")), len(fields))
        fields = fields[:comment]
        at = address(fields[0]) if fields else None
        names = [name.lower() for name in fields[1:] if HOSTNAME.issuperset(name)]
        if at is None or not names:
            continue
        entry = by_address.get(at)
        if entry is None:
            entry = next((by_name[name] for name in names if name in by_name), [])
            entry.append(at)
            by_address[at] = entry
        for name in names:
            by_name.setdefault(name, entry)
    return MappingProxyType({name: tuple(entry) for name, entry in by_name.items()})
