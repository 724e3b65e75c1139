"""The table of commands."""

from __future__ import annotations

from typing import Any

import typer

from . import version
from .check import check
from .demo import demo
from .explain import explain
from .lint import lint
from .listing import list_routes
from .reproduce import reproduce
from .rules import rules

SUMMARY = "Says what Pomerium's users will see: probes every upstream of a Pomerium config and forecasts Envoy's answer, word for word."

app = typer.Typer(
    name="pomprobe",
    help=SUMMARY,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(version())
        raise typer.Exit


@app.callback(help=SUMMARY)
def root(
    show: bool = typer.Option(False, "--version", "-V", callback=_show_version, is_eager=True, help="Show the version and exit."),
) -> None:
    """Options of pomprobe itself."""


app.command("check")(check)
app.command("list")(list_routes)
app.command("lint")(lint)
app.command("reproduce")(reproduce)
app.command("explain")(explain)
app.command("rules")(rules)
app.command("demo")(demo)


def command() -> Any:
    """The whole program; its help does not repeat POMPROBE_COMMAND_OPTION for every option."""
    made: Any = typer.main.get_command(app)
    for one in (made, *made.commands.values()):
        for parameter in one.params:
            parameter.show_envvar = False
    return made


def options(made: Any) -> dict[str, dict[str, Any]]:
    """Command -> the names of its options, as pomprobe.toml may set them -> the options."""
    return {
        name: {one.name: one for one in command.params if one.param_type_name == "option" and one.name != "help"}
        for name, command in made.commands.items()
    }
