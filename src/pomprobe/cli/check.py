"""pomprobe check: the main job."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..exits import UNJUDGED, exit_code
from .common import Configs, Routes, Version, read, seconds, style, usage
from .progress import bar

if TYPE_CHECKING:
    from ..api import Session
    from ..model import Report, StageName
    from ..runner import Options


def check(
    configs: Configs = None,
    output: Annotated[list[str] | None, typer.Option("--output", "-o", help="Format of the report, to standard output or to =FILE; may be repeated: text, short, json, jsonl, junit, sarif, github, nagios, prometheus, markdown, html.", metavar="FORMAT[=FILE]", show_default=False)] = None,
    route: Routes = None,
    only: Annotated[list[str] | None, typer.Option(help="Only these stages: dns, tcp, tls, http, health.", metavar="STAGE", show_default=False)] = None,
    skip: Annotated[list[str] | None, typer.Option(help="Not these stages.", metavar="STAGE", show_default=False)] = None,
    fail_on: Annotated[str, typer.Option(help="Lowest severity that makes the exit code 1: error, warning or never.", metavar="SEVERITY")] = "error",
    max_wait: Annotated[str | None, typer.Option(help="Cap every timer of Envoy at this: what is not known by then is undetermined.", metavar="DURATION", show_default=False)] = None,
    deadline: Annotated[str | None, typer.Option(help="End the whole run after this, and report what is known.", metavar="DURATION", show_default=False)] = None,
    concurrency: Annotated[int, typer.Option(help="Connections that are worked on at once.", min=1)] = 100,
    per_host: Annotated[int, typer.Option(help="Connections to one address and port at once.", min=1)] = 20,
    samples: Annotated[int, typer.Option(help="Requests to each endpoint, one after the other.", min=1)] = 1,
    warn_at: Annotated[float, typer.Option(help="Share of a timeout (0 to 1) from which on a slow answer is a warning.", min=0.0, max=1.0)] = 0.8,
    idle_probe: Annotated[str | None, typer.Option(help="Hold each connection this long after its answer, to see whether the server closes idle ones.", metavar="DURATION", show_default=False)] = None,
    second_look: Annotated[bool, typer.Option(help="Try what a failure suggests (other name, scheme, Host): at most 3 more connections to that endpoint.")] = True,
    pomerium_version: Version = "0.33",
    progress: Annotated[bool, typer.Option(help="A progress bar on standard error, if that is a terminal.")] = True,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing when all is well.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Every stage, fact and effective setting.")] = False,
    color: Annotated[str, typer.Option(help="auto, always or never.", metavar="WHEN")] = "auto",
) -> None:
    """Probe every upstream of the configs and say what Pomerium's users would see.

    Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 usage or a config that Pomerium would refuse, 3 nothing could be judged,
    130 or 143 ended by a signal. With -o nagios alone: Nagios' own 0 to 3.
    """
    if not configs:
        usage("no config: pomprobe check config.yaml (- reads standard input)")
    if fail_on not in ("error", "warning", "never"):
        usage(f"--fail-on {fail_on}: one of error, warning, never")
    from ..report.output import Output, OutputError

    try:
        outputs = [Output.parse(text) for text in output or ["text"]]
    except (ValueError, OutputError) as error:
        usage(str(error))
    options = _options(only, skip, max_wait, deadline, concurrency, per_host, samples, second_look, idle_probe)
    from ..api import merge

    reports = []
    ended: signal.Signals | None = None
    for path in configs:
        session = _probe(path, options, route or [], pomerium_version, warn_at, progress)
        reports.append(session.report())
        ended = ended or session.signal
    report = merge(reports)
    good = exit_code(report, fail_on) == 0
    if not (quiet and good and ended is None):
        _print(report, outputs, color, verbose)
    if not report.routes and not report.findings:
        typer.echo("pomprobe: no route was probed" + (" (no name or `from` matches --route)" if route else ""), err=True)
    if ended is not None:
        raise typer.Exit(128 + ended)
    if [o.format for o in outputs] == ["nagios"]:
        from ..report.nagios import nagios_exit

        raise typer.Exit(nagios_exit(report))
    raise typer.Exit(exit_code(report, fail_on))


def _probe(path: Path, options: Options, routes: list[str], pomerium_version: str, warn_at: float, progress: bool) -> Session:
    """Read and probe one config; a signal ends it with what is known."""
    import anyio

    from ..api import Session

    session = Session(read(path, pomerium_version), options, routes=routes, pomerium_version=pomerium_version, warn_at=warn_at)
    with bar(session, progress) as tick:
        anyio.run(session.run, (signal.SIGINT, signal.SIGTERM), tick)
    return session


def _print(report: Report, outputs: list[Output], color: str, verbose: bool) -> None:  # type: ignore[name-defined]  # noqa: F821
    from ..report.output import OutputError

    failed = False
    for output in outputs:
        try:
            output.write(report, style(color, verbose, file=output.path is not None), sys.stdout)
        except OutputError as error:
            typer.echo(f"pomprobe: {error}", err=True)
            failed = True
    if failed:
        raise typer.Exit(UNJUDGED)


def _options(
    only: list[str] | None, skip: list[str] | None, max_wait: str | None, deadline: str | None, concurrency: int, per_host: int, samples: int, second_look: bool,
    idle_probe: str | None,
) -> Options:
    from ..runner import Options

    stages = [s for s in _stages(only, "--only") or _stages(None, "") if s not in _stages(skip, "--skip")] if only or skip else _stages(None, "")
    return Options(seconds(max_wait, "--max-wait"), seconds(deadline, "--deadline"), concurrency, per_host, samples, second_look, seconds(idle_probe, "--idle-probe"), tuple(stages))


def _stages(names: list[str] | None, option: str) -> list[StageName]:
    """The stages of --only or --skip; without names: all for --only, none for --skip."""
    from ..model import StageName

    if names is None:
        return [] if option == "--skip" else list(StageName)
    known = {stage.value: stage for stage in StageName if stage is not StageName.CONFIG}
    wanted = [name.strip() for text in names for name in text.split(",")]
    for name in wanted:
        if name not in known:
            usage(f"{option} {name}: one of {', '.join(known)}")
    return [known[name] for name in wanted]
