"""Writes docs/pomprobe.1 from the help of the commands; `--check` says whether it is the one that the program has now."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pomprobe import __version__
from pomprobe.cli.app import SUMMARY, command

PAGE = Path(__file__).parent.parent / "docs" / "pomprobe.1"

EXITS = (
    ("0", "Nothing at or above --fail-on (by default errors)."),
    ("1", "Findings."),
    ("2", "Wrong usage, or a config that cannot be read or that Pomerium would refuse."),
    ("3", "Nothing could be judged, or a report could not be written."),
    ("130, 141, 143", "Ended by SIGINT, SIGPIPE, SIGTERM."),
)
ENVIRONMENT = (
    (
        "POMPROBE_COMMAND_OPTION",
        "The default of an option: POMPROBE_CHECK_FAIL_ON=warning. Spaces part several values.",
    ),
    ("POMPROBE_SMTP_USER", "The user at the mail server."),
    ("POMPROBE_SMTP_PASSWORD", "The password at the mail server."),
    ("POMPROBE_SMTP_PASSWORD_FILE", "The file that holds it."),
    ("NO_COLOR", "No colours, unless --color always."),
    ("CLICOLOR_FORCE, CLICOLOR", "1: colours also in a pipe; CLICOLOR=0: none."),
    ("LC_ALL, LC_CTYPE, LANG", "In the locale C, marks are plain ASCII."),
    ("KUBERNETES_SERVICE_HOST", "Set in a pod, where --env is the default."),
)
FILES = (("pomprobe.toml", "In the working directory: a table for each command, with long names of options as keys."),)
EXAMPLES = (
    ("Probe everything:", "pomprobe check config.yaml"),
    ("A mail from cron when something is wrong:", "pomprobe check --quiet /etc/pomerium/config.yaml"),
    ("From an error back to its causes:", "pomprobe explain upstream_response_timeout"),
)


def page() -> str:
    """The whole page in the language of man(7)."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    made: Any = command()
    yield f'.TH POMPROBE 1 "" "pomprobe {__version__}" "User Commands"'
    yield from (".SH NAME", r"pomprobe \- forecast what Pomerium\(aqs users will see")
    yield ".SH SYNOPSIS"
    for number, (name, one) in enumerate(made.commands.items()):
        arguments = "".join(f" {_argument(p)}" for p in one.params if p.param_type_name == "argument")
        yield from ((".br",) if number else ())
        yield from (f".B pomprobe {name}", f"[\\fIOPTION\\fR]...{arguments}")
    yield from (".SH DESCRIPTION", _text(SUMMARY), ".SH OPTIONS")
    yield from _options(made)
    yield ".SH COMMANDS"
    for name, one in made.commands.items():
        yield from (f".SS {name}", *_paragraphs(inspect.cleandoc(one.help or "")))
        yield from _options(one)
    yield ".SH EXIT STATUS"
    yield from _list(EXITS)
    yield ".SH ENVIRONMENT"
    yield from _list(ENVIRONMENT)
    yield ".SH FILES"
    yield from _list(FILES)
    yield ".SH EXAMPLES"
    for number, (what, call) in enumerate(EXAMPLES):
        yield from ((".PP",) if number else ())
        yield from (_text(what), ".PP", ".RS", ".nf", _text(call), ".fi", ".RE")


def _argument(parameter: Any) -> str:
    repeated = "..." if parameter.nargs == -1 else ""
    shown = f"\\fI{_text((parameter.metavar or parameter.name).strip('[].').upper())}\\fR{repeated}"
    return shown if parameter.required else f"[{shown}]"


def _options(one: Any) -> Iterator[str]:
    for parameter in one.params:
        if parameter.param_type_name != "option" or parameter.hidden:
            continue
        value = "" if parameter.is_flag or not parameter.metavar else f" \\fI{_text(parameter.metavar)}\\fR"
        names = ", ".join(f"\\fB{_text(name)}\\fR" for name in sorted([*parameter.opts, *parameter.secondary_opts], key=_short_first))
        yield from (".TP", names + value, _text(" ".join((parameter.help or "").split())) + _default(parameter))


def _short_first(name: str) -> tuple[bool, bool]:
    return name.startswith("--"), name.startswith("--no-")


def _default(parameter: Any) -> str:
    if parameter.show_default is False or parameter.default is None:
        return ""
    if parameter.is_flag:
        return f" Default: {_text(parameter.opts[0])}." if parameter.default is True and parameter.secondary_opts else ""
    return f" Default: {_text(str(parameter.default))}."


def _list(rows: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for term, said in rows:
        yield from (".TP", f"\\fB{_text(term)}\\fR", _text(said))


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(text.split("\n\n")):
        yield from ((".PP",) if number else ())
        yield _text(" ".join(paragraph.split()))


def _text(text: str) -> str:
    """Text without meaning for roff: dashes that can be copied, and no line that looks like a request."""
    safe = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq").replace("`", r"\(ga")
    return rf"\&{safe}" if safe.startswith((".", r"\(aq")) else safe


def main(arguments: list[str]) -> int:
    if arguments != ["--check"]:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        print(f"{PAGE.name}: not what the help says now; make docs writes it", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
