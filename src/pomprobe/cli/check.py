"""pomprobe check: the main job. Probe (with --wait: until all is well), set aside what is known, print, tell."""

from __future__ import annotations

import errno
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

import typer

from ..exits import GOOD, REFUSED, UNJUDGED, exit_code
from . import options as o
from .common import environment, say, say_error, seconds, size, usage
from .printing import outputs_of, severity, show
from .probing import Asked, probe

if TYPE_CHECKING:
    from ..model import ConfigError as Refusal
    from ..model import StageName
    from ..report.output import Output
    from .stream import Lines

AGAIN = 3.0
"""Seconds between two tries of --wait."""


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
    concurrency: o.Concurrency = 8,
    per_host: o.PerHost = 20,
    samples: o.Samples = 1,
    warn_at: o.WarnAt = 0.8,
    idle_probe: o.IdleProbe = None,
    second_look: o.SecondLook = True,
    websocket: o.Websocket = None,
    upload: o.Upload = None,
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
    129, 130 or 143 ended by a signal. With -o nagios alone: Nagios' own 0 to 3.
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
    if websocket is not None and not websocket.startswith("/"):
        usage(f"--websocket {websocket}: a path begins with /")
    idle = seconds(idle_probe, "--idle-probe")
    options = Options(*caps, concurrency, per_host, samples, second_look, idle, stages, websocket or "", size(upload, "--upload"))
    given = environment(env, quiet=quiet)
    drawn = progress and not quiet
    lines = None
    if wait is None and not confirm:  # else a route's first report need not be its last
        lines, outputs = _streamed(outputs, discreet=quiet or on_change, alone=state is None and mail is None)
    asked = Asked(tuple(configs), given, tuple(route or ()), options, pomerium_version, warn_at, drawn, confirm, envoy)
    from ..model import ConfigError

    until = time.monotonic() + (seconds(wait, "--wait") or 0.0)
    while True:
        try:
            report, ended = probe(asked, aside, lines)
        except ConfigError as error:
            _refused(error, nagios)
        code = exit_code(report, fail_on)
        if code == GOOD or ended is not None or time.monotonic() + AGAIN > until:
            break
        time.sleep(AGAIN)
    teller = tell.Teller(state, on_change, confirm_failures, fail_on, mail)
    worth = not quiet or code != GOOD or ended is not None
    files, printed = [one for one in outputs if one.path], [one for one in outputs if not one.path]
    unwritten = [] if lines is None else lines.close(report)
    for problem in unwritten:
        say_error(problem)
    written = show(report, files, color, verbose) and not unwritten

    def shown(news: Sequence[str]) -> None:
        nonlocal written
        written = show(report, printed, color, verbose, news) and written

    teller.tell(report, shown, worth)
    if lines is not None and lines.unread:
        raise BrokenPipeError(errno.EPIPE, "nobody reads")
    if not report.routes:
        say_error("no route was probed" + (" (no name or `from` matches --route)" if route else ""))
    if ended is not None:
        raise typer.Exit(128 + ended)
    if nagios:
        from ..report.nagios import nagios_exit

        raise typer.Exit(nagios_exit(report) if written else UNJUDGED)
    raise typer.Exit(code if written else UNJUDGED)


def _streamed(outputs: list[Output], *, discreet: bool, alone: bool) -> tuple[Lines | None, list[Output]]:
    """What gets its lines while the run goes on, and the other outputs.

    discreet: may nothing be printed before the end? alone: does nothing but reports come of the run?
    """
    from ..report.output import STREAMED

    streamed = [one for one in outputs if one.format == STREAMED and (one.path is not None or not discreet)]
    if not streamed:
        return None, outputs
    from .stream import Lines

    others = [one for one in outputs if one not in streamed]
    return Lines(streamed, alone and not others), others


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
