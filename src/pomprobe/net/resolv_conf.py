"""What this machine says about names: resolv.conf, the hosts file and nsswitch.conf, as c-ares reads them."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from ..record import Record, field, replace
from . import hosts

PORT = 53

NAMESERVER = re.compile(
    r"(?:\[(?P<v6>[^\]]*)\](?::(?P<v6port>\d+))?|(?P<v4>[0-9.]+)(?::(?P<v4port>\d+))?|(?P<bare>[^%\[\]]*))(?P<zone>%\S+)?"
)
"""`1.2.3.4`, `1.2.3.4:53`, `::1`, `[::1]:53`, `[fe80::1]:53%eth0`."""


class Nameserver(Record, frozen=True):
    """One server that is asked; the same port over UDP and TCP."""

    address: str  # a link-local address has its interface: fe80::1%eth0
    port: int = PORT

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


class Machine(Record, frozen=True):
    """How this machine looks names up. hosts: names in lower case. lookups: "f" (hosts file) and "b" (DNS), in their order."""

    nameservers: tuple[Nameserver, ...] = ()
    search: tuple[str, ...] = ()
    ndots: int = 1
    use_tcp: bool = False  # options use-vc
    lookups: str = "fb"
    hosts: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def read(cls, etc: Path = Path("/etc")) -> Machine:
        """Read the files of this machine; one that is not there or cannot be read counts as empty.

        Without nameservers c-ares would ask 127.0.0.1:53. That is a guess about a machine that is not set up for DNS, so
        `nameservers` stays empty and the resolver says that it does not know.
        """
        machine = parse(_text(etc / "resolv.conf"))
        if not machine.search:
            # c-ares takes the domain of the machine's own name then (src/lib/ares_init.c, init_by_defaults).
            _, _, domain = socket.gethostname().partition(".")
            machine = replace(machine, search=(domain,) if domain else ())
        return replace(machine, lookups=_lookups(_text(etc / "nsswitch.conf")), hosts=hosts.parse(_text(etc / "hosts")))


def parse(text: str) -> Machine:
    """The lines of resolv.conf that matter (src/lib/ares_sysconfig_files.c).

    `options timeout`, `attempts` and `rotate` are left out: Envoy sets its own.
    """
    nameservers: list[Nameserver] = []
    search: tuple[str, ...] = ()
    ndots, use_tcp = 1, False
    for line in text.splitlines():
        key, _, value = line.strip().replace("\t", " ").partition(" ")
        words = re.split(r"[ ,]+", value.strip())
        if not value.strip():
            continue
        if key == "nameserver":
            nameservers += [server for word in words if (server := _nameserver(word)) is not None]
        elif key == "search":
            search = tuple(words)
        elif key == "domain":
            search = search or tuple(words[:1])
        elif key == "options":
            for option in words:
                name, _, number = option.partition(":")
                if name == "ndots" and number.isascii() and number.isdigit():
                    ndots = int(number)
                use_tcp = use_tcp or name in ("use-vc", "usevc")
    return Machine(tuple(dict.fromkeys(nameservers)), search, ndots, use_tcp)


def _nameserver(word: str) -> Nameserver | None:
    """The nameserver that a word of a `nameserver` line means; None where it is no address."""
    match = NAMESERVER.fullmatch(word)
    if match is None:
        return None
    try:
        address = ipaddress.ip_address(match["v6"] or match["v4"] or match["bare"] or "")
    except ValueError:
        return None
    port = int(match["v6port"] or match["v4port"] or PORT)
    if not 0 < port < 65536 or (isinstance(address, ipaddress.IPv6Address) and address.is_link_local and not match["zone"]):
        return None  # a link-local server without its interface cannot be asked; c-ares passes it over too
    return Nameserver(str(address) + (match["zone"] or ""), port)


def _lookups(nsswitch: str) -> str:
    """The order of hosts file and DNS in the `hosts:` line of nsswitch.conf (config_lookup in c-ares)."""
    kinds = {"dns": "b", "bind": "b", "resolv": "b", "resolve": "b", "files": "f", "file": "f", "local": "f"}
    lookups = ""
    for line in nsswitch.splitlines():
        database, _, services = line.strip().partition(":")
        if database.strip() == "hosts":
            lookups = "".join(dict.fromkeys(kinds[word.lower()] for word in services.split() if word.lower() in kinds)) or lookups
    return lookups or "fb"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
