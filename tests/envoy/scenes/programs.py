"""Upstreams that are programs of their own: nginx, openssl s_server."""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from .pki import Authority, Leaf
from .words import certificate


def missing(need: str) -> bool:
    """Does this machine lack the program, or for unshare the right to use it?"""
    if shutil.which(need) is None:
        return True
    return need == "unshare" and subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode != 0


@asynccontextmanager
async def nginx(words: str, pki: Authority, folder: Path) -> AsyncIterator[int]:
    """A real nginx with these server blocks."""
    port = free_port()
    if "TLS server, certificate" in words:
        extra = (re.match(r"nginx: (.*?;);", words) or [None, ""])[1]
        blocks = f"server {{ listen 127.0.0.1:PORT ssl; {_pair(pki.leaf(certificate(words)))} {extra} location / {{ return 200 ok; }} }}"
    else:
        blocks = words.removeprefix("nginx: ").replace("{ca}", str(pki.folder / "ca.pem"))
        blocks = blocks.replace("{good}", _pair(pki.leaf(Leaf()))).replace("{other}", _pair(pki.leaf(Leaf(("other.lab.test",)))))
    temp = " ".join(f"{name}_temp_path {folder};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    main = f"worker_processes 1; daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log; events {{}}"
    (folder / "nginx.conf").write_text(f"{main} http {{ access_log off; {temp} {blocks.replace('PORT', str(port))} }}")
    async with _program(port, "nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)):
        yield port


def _pair(path: Path) -> str:
    return f"ssl_certificate {path}; ssl_certificate_key {path.with_suffix('.key')};"


@asynccontextmanager
async def s_server(words: str, pki: Authority) -> AsyncIterator[int]:
    """A real `openssl s_server` with these options."""
    port = free_port()
    leaf = pki.leaf(Leaf())
    options = shlex.split(words.removeprefix("openssl s_server"))
    answering = [] if "-alpn" in options else ["-www"]
    files = ("-cert", str(leaf), "-key", str(leaf.with_suffix(".key")), "-CAfile", str(pki.folder / "ca.pem"))
    command = ("openssl", "s_server", "-accept", f"127.0.0.1:{port}", *files, *options, *answering)
    async with _program(port, *command):
        yield port


@asynccontextmanager
async def _program(port: int, *command: str) -> AsyncIterator[None]:
    """Another program, from when it listens on its port until the block ends."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: ASYNC220
    try:
        for _ in range(200):
            if _listens(port):
                break
            await asyncio.sleep(0.02)
        yield
    finally:
        process.kill()
        process.communicate()


def _listens(port: int) -> bool:
    """Asked of the kernel, since a connection of ours would be one that the program has to serve."""
    wanted = f":{port:04X} 00000000:0000 0A"
    return any(wanted in line for line in Path("/proc/net/tcp").read_text().splitlines())


def free_port() -> int:
    """A port for another program to bind."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
    return port
