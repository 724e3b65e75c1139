"""pomprobe rules: the catalogue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..model import Rule


def rules(
    stage: Annotated[
        str | None,
        typer.Option(help="Only the rules of one stage: config, dns, tcp, tls, http, health.", metavar="STAGE", show_default=False),
    ] = None,
    output: Annotated[str, typer.Option("--output", "-o", help="text or json.", metavar="FORMAT")] = "text",
) -> None:
    """List the catalogue: code, severity and title of every rule."""
    from ..catalog import load, plain
    from ..model import StageName
    from .common import usage

    if stage is not None and stage not in StageName.__members__.values():
        usage(f"--stage {stage}: one of {', '.join(StageName)}")
    if output not in ("text", "json"):
        usage(f"--output {output}: one of text, json")
    chosen = [rule for rule in load().rules if stage in (None, rule.stage.value) and not rule.retired]
    if output == "json":
        typer.echo(json.dumps([_document(rule) for rule in chosen], indent=2))
        return
    for rule in chosen:
        typer.echo(f"{rule.code:<8}{rule.severity.value:<9}{plain(rule.title)}")


def _document(rule: Rule) -> dict[str, Any]:
    """A rule as the JSON report names its parts; what a probe fills in stands in capitals."""
    from ..catalog import plain

    means = {key: plain(str(value)) for key, value in (rule.means or {}).items() if key != "evidence"}
    return {
        "rule": rule.code,
        "name": rule.name,
        "stage": rule.stage.value,
        "severity": rule.severity.value,
        "title": plain(rule.title),
        "why": plain(rule.why),
        "fixes": [plain(fix) for fix in rule.fixes],
        "see": list(rule.see),
        "means": means or None,
    }
