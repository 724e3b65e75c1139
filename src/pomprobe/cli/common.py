"""What several commands need: reading a config or saying in one line why not, durations."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from ..exits import REFUSED

if TYPE_CHECKING:
    from ..model import Config, Problem

Configs = Annotated[
    list[Path] | None, typer.Argument(help="Pomerium configs; - reads standard input.", metavar="[CONFIG]...", show_default=False)
]
Version = Annotated[str, typer.Option(help="Pomerium release whose rules and Envoy apply (0.29 to 0.33, or next).", metavar="VERSION")]
Routes = Annotated[
    list[str] | None,
    typer.Option(
        "--route",
        help="Only routes whose name, `from` or cluster matches this pattern; may be repeated.",
        metavar="PATTERN",
        show_default=False,
    ),
]

Env = Annotated[
    bool | None,
    typer.Option(
        "--env/--no-env", show_default=False, help="Let environment variables win over the config, as for Pomerium; by default in a pod."
    ),
]
POD = "KUBERNETES_SERVICE_HOST"
"""The variable that Kubernetes sets in every container of a pod."""

MOST = 10 << 30
"""Bytes of a body that anybody asks for."""


def usage(message: str) -> NoReturn:
    """Say what is wrong with the call in one line; exit code 2. message: begins with the option that it is about.

    What looks like a key or token is left out: it is in the wrong place.
    """
    from ..config.problems import veiled
    from .defaults import source

    where = source(message)
    complain(f"pomprobe: {veiled(message)}" + (f" (from {where})" if where else ""))
    raise typer.Exit(REFUSED)


def say_error(message: str) -> None:
    """One line on standard error, without what could fool a terminal."""
    from ..report.clean import clean

    complain(f"pomprobe: {clean(message)}")


def complain(line: str) -> None:
    """A line on standard error. Where that takes none (`2>/dev/full`) the exit code still says what it has to."""
    try:
        typer.echo(line, err=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # else Python tries again in the end, and makes a 120 of the exit code


def read(path: Path, pomerium_version: str, env: Mapping[str, str] | None = None) -> Config:
    """Load a config; one line for each thing that is wrong with it, and exit code 2, where Pomerium would not start with it."""
    from ..model import ConfigError

    try:
        return loaded(path, pomerium_version, env)
    except ConfigError as error:
        say(error.problems)
        raise typer.Exit(REFUSED) from None


def loaded(path: Path, pomerium_version: str, env: Mapping[str, str] | None = None) -> Config:
    """Load a config. Raises ConfigError; a version that nobody knows ends the program with exit code 2."""
    from ..config import load
    from ..config.keys import supported

    try:
        supported(pomerium_version)
    except ValueError as error:
        usage(f"--pomerium-version {pomerium_version}: {error}")
    text = _standard_input() if str(path) == "-" else None
    return load(str(path), text=text, env=env, pomerium_version=pomerium_version)


@functools.cache
def _standard_input() -> bytes:
    """All of it; read once, for every try of --wait. Raises ConfigError."""
    from ..config import files
    from ..config.problems import Unreadable
    from ..config.sources import STDIN

    try:
        return files.standard_input()
    except Unreadable as error:
        raise error.at(STDIN) from None


def environment(wanted: bool | None, *, quiet: bool = False) -> Mapping[str, str] | None:
    """The variables that win over the config: none outside of a pod, unless they are asked for. When they do, that is said."""
    if wanted is False or (wanted is None and POD not in os.environ):
        return None
    if not quiet:
        why = "" if wanted else ", since this is a pod; --no-env leaves it out"
        say_error(f"the environment wins over the config, as for Pomerium{why}")
    return dict(os.environ)


def say(problems: Sequence[Problem]) -> None:
    """Problems on standard error, one line each: place, Pomerium's words, and what to write instead."""
    from ..report.clean import clean

    for problem in problems:
        instead = problem.facts.get("write")
        complain(clean(f"{problem.place}: {problem.message}" + (f"; {instead}" if instead else "")))


def seconds(text: str | None, option: str) -> float | None:
    """A Go duration (1m30s), or plain seconds."""
    if text is None:
        return None
    from ..config.duration import BadDuration, parse

    try:
        value = float(text) if text.replace(".", "", 1).isdigit() else parse(text) / 1e9
    except (BadDuration, ValueError) as error:
        usage(f"{option} {text}: {error}; write for example 30s")
    if value <= 0:
        usage(f"{option} {text}: must be more than 0; write for example 30s")
    return value


def size(text: str | None, option: str) -> int:
    """Bytes: a number with k, M or G behind it, as nginx writes them; 0 for none."""
    if text is None:
        return 0
    match = re.fullmatch(r"(\d{1,12})([kKmMgG]?)", text)
    found = int(match[1]) * {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}[match[2].lower()] if match else 0
    if not 1 <= found <= MOST:
        usage(f"{option} {text}: 1 to {MOST >> 30}G bytes; write for example 20M")
    return found
