"""A root cause played on loopback: a config's text in, what pomprobe says of its first route out."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import trustme

import pomprobe
from pomprobe.api import Session
from pomprobe.model import Finding, Report, RouteReport, Verdict

Answer = tuple[float, int, str, str]
"""Share, status, response flags, response code details."""

REFUSED = "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}"
BROKEN = "upstream_reset_before_response_started{remote_connection_failure|TLS_error:"
OK = "via_upstream"


@dataclass(frozen=True)
class Played:
    """The report, and what of it the tests look at."""

    report: Report

    @property
    def route(self) -> RouteReport:
        return self.report.routes[0]

    @property
    def forecast(self) -> list[Answer]:
        return [(round(e.share, 3), e.reply.status, e.reply.response_flags, e.reply.response_code_details) for e in self.route.forecast]

    @property
    def congested(self) -> bool:
        """Did a busy machine keep something from being known?"""
        verdicts = [verdict for route in self.report.routes for verdict in route.verdicts]
        return any("our own congestion" in str(verdict.facts.get("limit")) for verdict in verdicts)

    @property
    def codes(self) -> set[str]:
        """The rules that fired, on the route and on the config."""
        return {verdict.rule.code for verdict in self.route.verdicts} | {finding.rule.code for finding in self.report.findings}

    def verdict(self, code: str) -> Verdict | Finding:
        """What was said under this code. KeyError, with the codes that there are, if nothing was."""
        everything: tuple[Verdict | Finding, ...] = (*self.route.verdicts, *self.report.findings)
        for said in everything:
            if said.rule.code == code:
                return said
        raise KeyError(f"{code} is not among {sorted(self.codes)}: {self.forecast}")

    def fix(self, code: str) -> str:
        """The first fix under this code."""
        return self.verdict(code).fixes[0]

    def tried(self) -> tuple[str, ...]:
        """The further connections of the first endpoint, as --verbose prints them."""
        outcomes = self.route.upstreams[0].endpoints[0].outcomes
        found = [outcome.facts["tried"] for outcome in outcomes if "tried" in outcome.facts]
        return found[0] if found and isinstance(found[0], tuple) else ()


async def play(routes: str, settings: str = "", file: str | Path = "config.yaml", **options: float | str) -> Played:
    """Load a config with these routes (the keys of one, or a list of them) and global keys, and probe it."""
    if not routes.lstrip().startswith("-"):
        keys = "\n".join(f"    {line}" for line in routes.strip().splitlines())
        routes = f"  - from: https://app.example.com\n{keys}\n"
    text = f"{settings}\nroutes:\n{routes}".encode()
    warn_at = options.pop("warn_at", 0.8)
    given = pomprobe.Options(**options)  # type: ignore[arg-type]
    for _ in range(3):
        session = Session(pomprobe.load(file, text=text), given, warn_at=float(warn_at))
        await session.run()
        played = Played(session.report())
        if not played.congested:
            break
    return played


def base64_of(authority: trustme.CA) -> str:
    """A CA as `tls_custom_ca` takes it."""
    return base64.b64encode(authority.cert_pem.bytes()).decode()


def response(status: int, headers: str = "", body: str = "ok") -> bytes:
    """An HTTP/1.1 response; headers: lines that end in CRLF."""
    return f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n{headers}\r\n{body}".encode()
