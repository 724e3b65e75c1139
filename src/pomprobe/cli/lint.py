"""pomprobe lint: what can be said about a config without a packet."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import typer

from ..exits import FINDINGS, GOOD, UNJUDGED, fails
from . import options as o
from .common import environment, read, say_error, usage
from .printing import outputs_of, severity, show

if TYPE_CHECKING:
    from ..model import Config, Report


def lint(
    configs: o.Configs = None,
    output: o.Outputs = None,
    fail_on: o.FailOn = "error",
    pomerium_version: o.Version = "0.33",
    env: o.Env = None,
    suppress: o.Suppress = None,
    baseline: o.Baseline = None,
    quiet: o.Quiet = False,
    color: o.Color = "auto",
) -> None:
    """Say what is wrong with the configs themselves; sends no packet."""
    if not configs:
        usage("no config: pomprobe lint config.yaml (- reads standard input)")
    severity(fail_on)
    outputs = outputs_of(output)
    from ..catalog import load
    from ..model import StageName
    from ..record import replace
    from ..selection import merge
    from .tell import Aside

    probed = frozenset(rule.code for rule in load().rules if rule.stage is not StageName.CONFIG)
    aside = Aside.parse(suppress or [], baseline).apart_from(probed)
    given = environment(env, quiet=quiet)
    began = time.monotonic()
    report = merge([_judged(read(path, pomerium_version, given), probed) for path in configs])
    report = aside.without(replace(report, elapsed=time.monotonic() - began))
    code = FINDINGS if fails(report, fail_on) else GOOD
    written = show(report, [one for one in outputs if one.path or not quiet or code != GOOD], color, False)
    raise typer.Exit(code if written else UNJUDGED)


def _judged(config: Config, probed: frozenset[str]) -> Report:
    """The report on one config, without what its comments name. probed: rules that only `check` can need."""
    from ..lint import lint as judge
    from ..record import replace
    from ..report.suppress import by_comments

    comments = tuple((line, code) for line, code in config.suppressions if code not in probed)
    report, unused = by_comments(judge(config), replace(config, suppressions=comments))
    for message in unused:
        say_error(message)
    return report
