"""resolv.conf, the hosts file and nsswitch.conf, as c-ares reads them."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from pomprobe.net import hosts
from pomprobe.net.resolv_conf import Machine, Nameserver, parse


@pytest.mark.parametrize(
    ("line", "nameservers"),
    [
        ("nameserver 10.0.0.2", [("10.0.0.2", 53)]),
        ("nameserver\t10.0.0.2:5353", [("10.0.0.2", 5353)]),
        ("nameserver ::1", [("::1", 53)]),
        ("nameserver [::1]:5353", [("::1", 5353)]),
        ("nameserver fe80::1%eth0", [("fe80::1%eth0", 53)]),
        ("nameserver fe80::1", []),  # which interface?
        ("nameserver 10.0.0.2, 10.0.0.3", [("10.0.0.2", 53), ("10.0.0.3", 53)]),
        ("nameserver dns.example.com", []),
        ("nameserver 10.0.0.2:0", []),
        ("nameserver", []),
        ("# nameserver 10.0.0.2", []),
        ("; nameserver 10.0.0.2", []),
        ("nameserver 10.0.0.2\nnameserver 10.0.0.2", [("10.0.0.2", 53)]),
    ],
)
def test_nameservers(line: str, nameservers: list[tuple[str, int]]) -> None:
    """Every form of address that c-ares takes; the rest of the line is passed over."""
    assert parse(line).nameservers == tuple(Nameserver(*pair) for pair in nameservers)


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("search one.test two.test", ("one.test", "two.test")),
        ("domain one.test", ("one.test",)),
        ("search one.test\ndomain two.test", ("one.test",)),
        ("domain one.test\nsearch two.test", ("two.test",)),
        ("search one.test\nsearch two.test", ("two.test",)),
        ("search", ()),
    ],
)
def test_search(text: str, search: tuple[str, ...]) -> None:
    """The last search line counts, and domain only without one."""
    assert parse(text).search == search


@pytest.mark.parametrize(
    ("text", "ndots", "use_tcp"),
    [
        ("", 1, False),
        ("options ndots:5", 5, False),
        ("options ndots:x use-vc", 1, True),
        ("options rotate timeout:1 attempts:9 ndots:0", 0, False),
    ],
)
def test_options(text: str, ndots: int, use_tcp: bool) -> None:
    """ndots and use-vc count; timeout, attempts and rotate do not, since Envoy sets its own."""
    machine = parse(text)
    assert (machine.ndots, machine.use_tcp) == (ndots, use_tcp)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1 a b # c\n", {"a": ("127.0.0.1",), "b": ("127.0.0.1",)}),
        ("127.0.0.1 App.Test", {"app.test": ("127.0.0.1",)}),
        ("10.0.0.1 a\n::1 a", {"a": ("10.0.0.1", "::1")}),
        ("010.0.0.1\ta", {"a": ("10.0.0.1",)}),
        ("FE80:0::1 a", {"a": ("fe80::1",)}),
        ("# 10.0.0.1 a\n10.0.0 a\na 10.0.0.1\n10.0.0.1\n\n", {}),
        ("10.0.0.1 ü a", {"a": ("10.0.0.1",)}),
        # Lines with a name in common become one entry, also for their other names.
        ("10.0.0.1 a\n10.0.0.2 a b", {"a": ("10.0.0.1", "10.0.0.2"), "b": ("10.0.0.1", "10.0.0.2")}),
        ("10.0.0.1 a\n10.0.0.2 b\n10.0.0.1 c b", {"a": ("10.0.0.1",), "b": ("10.0.0.2",), "c": ("10.0.0.1",)}),
    ],
)
def test_hosts(text: str, expected: dict[str, tuple[str, ...]]) -> None:
    """Names without regard to case, addresses in their usual form, bad lines passed over."""
    assert hosts.parse(text) == expected


@pytest.mark.parametrize(
    ("nsswitch", "lookups"),
    [
        (None, "fb"),
        ("hosts: files dns\n", "fb"),
        ("passwd: files\nhosts:  mymachines resolve [!UNAVAIL=return] files myhostname dns", "bf"),
        ("hosts: files", "f"),
        ("hosts: mdns4_minimal", "fb"),
    ],
)
def test_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nsswitch: str | None, lookups: str) -> None:
    """The files of a machine, together."""
    monkeypatch.setattr(socket, "gethostname", lambda: "runner")
    (tmp_path / "resolv.conf").write_text("nameserver 10.0.0.2\nsearch one.test\noptions ndots:2\n")
    (tmp_path / "hosts").write_text("10.0.0.9 app\n")
    if nsswitch is not None:
        (tmp_path / "nsswitch.conf").write_text(nsswitch)
    expected = Machine((Nameserver("10.0.0.2"),), ("one.test",), 2, lookups=lookups, hosts={"app": ("10.0.0.9",)})
    assert Machine.read(tmp_path) == expected


def test_nothing_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any of the files, or with unreadable ones, nothing is known; the search domain is that of the machine's name."""
    monkeypatch.setattr(socket, "gethostname", lambda: "runner.corp.test")
    (tmp_path / "hosts").mkdir()
    (tmp_path / "resolv.conf").write_bytes(b"\xff\xfe\x00\n")
    assert Machine.read(tmp_path) == Machine(search=("corp.test",))
