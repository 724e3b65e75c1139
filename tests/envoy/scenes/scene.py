"""A row on the stage: its upstreams run, its config.yaml is written, until the block ends."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from servers.dns import Zone, dns_server

from . import http1, tls
from .http1 import Handler
from .pki import Authority, Leaf
from .programs import nginx, s_server
from .rows import Row
from .sockets import closed_port, full_backlog, listening
from .words import answer as http1_answer
from .words import certificate, handler
from .zones import zone

BASE = {"address": "127.0.0.1:8443", "shared_secret": "A" * 43 + "=", "cookie_secret": "A" * 43 + "="}
"""The least that Pomerium itself wants to start."""

HOME = [("A", "127.0.0.1")]
BOTH = ("h2", "http/1.1")
NAMESPACE = "own network namespace: "


@dataclass
class Scene:
    """Where the config is, and the command line that must stand before a program that is to see the scene (a network namespace)."""

    folder: Path
    authority: Authority
    stack: AsyncExitStack
    prefix: list[str] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    resolvers: list[int] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    async def serve(self, handle: Handler, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        """One more upstream."""
        self.ports.append(await self.stack.enter_async_context(listening(handle, context, host=host)))

    async def resolve(self, zone: Zone, *, tcp: bool = True) -> None:
        """One more DNS server."""
        self.resolvers.append((await self.stack.enter_async_context(dns_server(zone, tcp=tcp))).port)

    def good(self, alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
        return tls.context(self.authority.leaf(Leaf()), tls.Terms(alpn=alpn))


@asynccontextmanager
async def scene(row: Row, folder: Path, authority: Authority, home: int) -> AsyncIterator[Scene]:
    """Play the row in this folder. home: the port of a DNS server that knows HOME, for a row that is not about DNS."""
    folder.mkdir()  # noqa: ASYNC240
    async with AsyncExitStack() as stack:
        made = Scene(folder, authority, stack)
        await _play(row, made)
        if not made.resolvers:
            made.resolvers.append(home)
        _write(row, made)
        yield made


def outside(row: Row) -> bool:
    """Is it seen from a network namespace of its own alone?"""
    return row.upstream.startswith(NAMESPACE)


def finds_home(row: Row) -> bool:
    """Does it ask a DNS server that knows HOME, as many others do?"""
    own = row.play is not None or row.category == "DNS" or row.upstream.startswith("DNS:")
    return not own and row.settings.get("dns_resolvers") == ["udp://127.0.0.1:{port}"]


def prepare(row: Row, authority: Authority) -> None:
    """Make the row's certificate, which the authority keeps."""
    if "certificate: " in row.upstream:
        authority.leaf(certificate(row.upstream))
    if "SHA1-RSA" in row.upstream:
        authority.sha1()


def _write(row: Row, made: Scene) -> None:
    """config.yaml with the ports and folders of this run in their places."""
    names = {"dir": made.folder, "pki": made.authority.folder}
    route = _filled(row.route, names | _numbered(made.ports))
    settings = _filled(row.settings, names | _numbered(made.resolvers))
    document = {**BASE, **settings, "routes": [{"from": "https://lab.example.com", **route, "allow_public_unauthenticated_access": True}]}
    made.config.write_text(yaml.safe_dump(document, sort_keys=False))


def _numbered(ports: list[int]) -> dict[str, object]:
    return {"port" + (str(number) if number > 1 else ""): port for number, port in enumerate(ports, 1)}


def _filled(value: Any, names: dict[str, object]) -> Any:
    if isinstance(value, str):
        return re.sub(r"\{(port\d?|dir|pki)\}", lambda match: str(names[match[1]]), value)
    if isinstance(value, dict):
        return {key: _filled(item, names) for key, item in value.items()}
    return [_filled(item, names) for item in value] if isinstance(value, list) else value


async def _play(row: Row, made: Scene) -> None:
    words = row.upstream
    if row.play is not None:
        await row.play(made)
        return
    if outside(row):
        made.prefix = ["unshare", "-n", "bash", "-c", f'{words.removeprefix(NAMESPACE)}; exec "$@"', "x"]
    elif row.category == "DNS" or words.startswith("DNS:"):
        await _names(words, made)
    elif words == "SYN is dropped: connect() hangs":
        made.ports.append(made.stack.enter_context(full_backlog()))
    elif re.match(r"nothing (listens|can listen)|Envoy refuses the cluster", words):
        made.ports.append(made.stack.enter_context(closed_port()))
    elif words == "socket file without a listener":
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(str(made.folder / "up.sock"))
    elif words.startswith("nginx"):
        (made.folder / "nginx").mkdir()
        made.ports.append(await made.stack.enter_async_context(nginx(words, made.authority, made.folder / "nginx")))
    elif words.startswith("openssl s_server"):
        made.ports.append(await made.stack.enter_async_context(s_server(words, made.authority)))
    elif "TLS server" in words or words.startswith("TLS 1.2 server"):
        await _tls(words, made)
    elif match := re.fullmatch(r"HTTP server(?: on (?P<host>[\d.:]+))?(?: answers 200| only)", words):
        await made.serve(handler("answers 200"), host=match["host"] or "127.0.0.1")
    elif "endpoint" in words:
        await _endpoints(words, row, made)
    else:
        to = str(row.route["to"])
        secure = to.startswith("https") and row.category in ("Health checks", "HTTP/2 upstream")
        alpn = BOTH if "HTTP/2" in words else ("http/1.1",)
        await made.serve(handler(words), made.good(alpn) if secure else None)


async def _endpoints(words: str, row: Row, made: Scene) -> None:
    """Several upstreams in one row."""
    if "refuses connections" in words:
        await made.serve(handler("answers 200"))
        made.ports.append(made.stack.enter_context(closed_port()))
        return
    parts = re.split(r";? ?(?:endpoint \d: |first endpoint:? |the other |second )", words)
    said = [part.strip(" ,;") for part in parts if part.strip(" ,;")]
    for part in said:
        await made.serve(http1.serving(http1_answer(part if not part.isdigit() else f"answers {part}")))


async def _names(words: str, made: Scene) -> None:
    """What DNS says, and the HTTP server behind the name."""
    if words == "no resolver on that port":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            made.resolvers.append(free.getsockname()[1])
        return
    tcp = "no TCP listener on the resolver" not in words and words != "DNS: never answers"
    for told in re.findall(r"DNS: (.*?)(?=; no TCP|; HTTP server|; nothing|; second DNS|$)", words):
        await made.resolve(zone(told), tcp=tcp)
    if match := re.search(r"HTTP server(?: on (?P<host>[\d.:]+))?(?: answers 200| only)", words):
        await made.serve(handler("answers 200"), host=match["host"] or "127.0.0.1")


async def _tls(words: str, made: Scene) -> None:
    pki = made.authority
    if "if SNI is that name" in words:
        other = tls.context(pki.leaf(Leaf(("other.lab.test",))))
        await made.serve(handler("answers 200"), tls.by_name({"up.lab.test": made.good()}, other))
    elif "SHA1-RSA" in words:
        await made.serve(handler("answers 200"), tls.context(pki.sha1(), tls.Terms(ciphers="ALL:@SECLEVEL=0")))
    elif "pyOpenSSL" in words:
        made.ports.append(made.stack.enter_context(tls.threaded(tls.selecting(pki.leaf(Leaf()), b"foo"))))
    elif "HelloRequest" in words:
        made.ports.append(made.stack.enter_context(tls.threaded(tls.renegotiating(pki.leaf(Leaf())))))
    elif "unix socket" in words:
        await made.stack.enter_async_context(listening(handler("answers 200"), made.good(), path=made.folder / "t.sock"))
    elif words.startswith("A: plaintext"):
        await made.serve(handler("answers 200"))
        await made.serve(handler("answers 200"), made.good())
    elif "closes silently on a plaintext request" in words:
        await made.serve(handler("answers 200"), made.good())
    elif "certificate for another name" in words:
        await made.serve(handler("answers 200"), tls.context(pki.leaf(Leaf(("other.lab.test",)))))
    else:
        _, *terms, last = words.split("; ")
        context = tls.context(pki.leaf(certificate(words)), _terms(terms, made))
        if last == "sends its alerts":
            made.ports.append(made.stack.enter_context(tls.threaded(tls.sending_alerts(context))))
        else:
            await made.serve(handler(last), context)


def _terms(words: list[str], made: Scene) -> tls.Terms:
    """`max_v=TLSv1_2`, `alpn=['h2']` …"""
    told = dict(word.split("=", 1) for word in words)
    return tls.Terms(
        lowest=told.get("min_v", ""),
        highest=told.get("max_v", ""),
        ciphers=told.get("ciphers", ""),
        curve=told.get("curve", ""),
        alpn=re.findall(r"'([^']+)'", told.get("alpn", "")),
        client_ca=made.authority.folder / "ca.pem" if "client_ca" in told else None,
    )
