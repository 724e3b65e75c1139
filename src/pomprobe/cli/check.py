"""pomprobe check: the main job. Probe (with --wait: until all is well), set aside what is known, print, tell."""

from __future__ import annotations

import gc
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from ..exits import GOOD, REFUSED, UNJUDGED, exit_code
from . import options as o
from .common import environment, loaded, say, say_error, seconds, usage
from .printing import outputs_of, severity, show
from .progress import bar

if TYPE_CHECKING:
    from ..model import ConfigError as Refusal
    from ..model import Report, StageName
    from ..runner import Options
    from .tell import Aside

AGAIN = 3.0
"""Seconds between two tries of --wait."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to probe and how; the same for every try of --wait."""

    configs: tuple[Path, ...]
    env: Mapping[str, str] | None
    routes: tuple[str, ...]
    options: Options
    pomerium_version: str
    warn_at: float
    progress: bool
    confirm: bool
    envoy: str | None


def check(
    configs: o.Configs = None,
    output: o.Outputs = None,
    route: o.Routes = None,
    only: o.Only = None,
    skip: o.Skip = None,
    fail_on: o.FailOn = "error",
    max_wait: o.MaxWait = None,
    deadline: o.Deadline = None,
    wait: o.Wait = None,
    concurrency: o.Concurrency = 100,
    per_host: o.PerHost = 20,
    samples: o.Samples = 1,
    warn_at: o.WarnAt = 0.8,
    idle_probe: o.IdleProbe = None,
    second_look: o.SecondLook = True,
    confirm: o.Confirm = False,
    envoy: o.Envoy = None,
    pomerium_version: o.Version = "0.33",
    env: o.Env = None,
    suppress: o.Suppress = None,
    baseline: o.Baseline = None,
    state: o.State = None,
    on_change: o.OnChange = False,
    confirm_failures: o.ConfirmFailures = 1,
    mail_to: o.MailTo = None,
    mail_from: o.MailFrom = None,
    smtp: o.Smtp = None,
    smtp_ca: o.SmtpCa = None,
    progress: o.Progress = True,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    color: o.Color = "auto",
) -> None:
    """Probe every upstream of the configs and say what Pomerium's users would see.

    Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 usage or a config that Pomerium would refuse, 3 nothing could be judged,
    130 or 143 ended by a signal. With -o nagios alone: Nagios' own 0 to 3.
    """
    if not configs:
        usage("no config: pomprobe check config.yaml (- reads standard input)")
    severity(fail_on)
    if (on_change or confirm_failures > 1) and state is None:
        usage("--on-change and --confirm-failures need --state FILE, which remembers the runs before")
    outputs = outputs_of(output)
    nagios = [one.format for one in outputs] == ["nagios"]
    from . import tell

    mail = tell.mail_options(mail_to, mail_from, smtp, smtp_ca)
    aside = tell.Aside.parse(suppress or [], baseline)
    stages = _stages(only, skip)
    from ..runner import Options

    caps = seconds(max_wait, "--max-wait"), seconds(deadline, "--deadline")
    options = Options(*caps, concurrency, per_host, samples, second_look, seconds(idle_probe, "--idle-probe"), stages)
    given = environment(env, quiet=quiet)
    asked = Asked(tuple(configs), given, tuple(route or ()), options, pomerium_version, warn_at, progress and not quiet, confirm, envoy)
    from ..model import ConfigError

    until = time.monotonic() + (seconds(wait, "--wait") or 0.0)
    while True:
        try:
            report, ended = _probe(asked, aside)
        except ConfigError as error:
            _refused(error, nagios)
        code = exit_code(report, fail_on)
        if code == GOOD or ended is not None or time.monotonic() + AGAIN > until:
            break
        time.sleep(AGAIN)
    teller = tell.Teller(state, on_change, confirm_failures, fail_on, mail)
    worth = not quiet or code != GOOD or ended is not None
    files, printed = [one for one in outputs if one.path], [one for one in outputs if not one.path]
    written = show(report, files, color, verbose)

    def shown(news: Sequence[str]) -> None:
        nonlocal written
        written = show(report, printed, color, verbose, news) and written

    teller.tell(report, shown, worth)
    if not report.routes:
        say_error("no route was probed" + (" (no name or `from` matches --route)" if route else ""))
    if ended is not None:
        raise typer.Exit(128 + ended)
    if nagios:
        from ..report.nagios import nagios_exit

        raise typer.Exit(nagios_exit(report) if written else UNJUDGED)
    raise typer.Exit(code if written else UNJUDGED)


def _probe(asked: Asked, aside: Aside) -> tuple[Report, signal.Signals | None]:
    """Read and probe every config; a signal ends it with what is known. Raises ConfigError."""
    import anyio

    from ..api import Session, merge
    from ..report.suppress import by_comments

    gc.freeze()  # what was imported stays: no need to look through it again and again
    gc.set_threshold(20_000, 50, 50)
    reports, ended = [], None
    for path in asked.configs:
        config = loaded(path, asked.pomerium_version, asked.env)
        session = Session(config, asked.options, routes=asked.routes, pomerium_version=asked.pomerium_version, warn_at=asked.warn_at)
        with bar(session, asked.progress) as tick:
            anyio.run(session.run, (signal.SIGINT, signal.SIGTERM), tick)
        report = session.report()
        if asked.confirm and session.signal is None:
            from .confirm import confirmed

            report = confirmed(session, report, asked.envoy)
        report, unused = by_comments(report, config)
        for message in unused:
            say_error(message)
        reports.append(report)
        ended = ended or session.signal
        if ended is not None:
            break
    return aside.without(merge(reports)), ended


def _refused(error: Refusal, nagios: bool) -> NoReturn:
    """Say what is wrong with a config and end: code 2, or Nagios' UNKNOWN with a status line of its own."""
    if not nagios:
        say(error.problems)
        raise typer.Exit(REFUSED)
    from ..report.nagios import UNKNOWN, refused

    typer.echo(refused(error.problems))
    raise typer.Exit(UNKNOWN)


def _stages(only: list[str] | None, skip: list[str] | None) -> tuple[StageName, ...]:
    """The stages of --only without those of --skip."""
    from ..model import StageName

    known = {stage.value: stage for stage in StageName if stage is not StageName.CONFIG}

    def named(texts: list[str], option: str) -> list[StageName]:
        wanted = [name.strip() for text in texts for name in text.split(",")]
        for name in wanted:
            if name not in known:
                usage(f"{option} {name}: one of {', '.join(known)}")
        return [known[name] for name in wanted]

    chosen = named(only, "--only") if only else list(known.values())
    left_out = named(skip, "--skip") if skip else []
    return tuple(stage for stage in chosen if stage not in left_out)
