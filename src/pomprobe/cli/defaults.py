"""Defaults of options: pomprobe.toml in the working directory, and variables POMPROBE_COMMAND_OPTION.

The file has a table for each command, with the options' long names. What cannot be meant is said with its place before anything runs.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

FILE = "pomprobe.toml"
PREFIX = "POMPROBE_"
Commands = Mapping[str, Mapping[str, Any]]
"""Command -> name of an option in Python -> the parameter that typer made of it."""


class BadDefaults(Exception):
    """A pomprobe.toml or a variable that cannot be used; the message is for people."""


def defaults(commands: Commands, path: Path = Path(FILE)) -> dict[str, dict[str, Any]]:
    """Command -> option -> value. Raises BadDefaults; without a file there are none."""
    import tomllib

    try:
        text = path.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BadDefaults(f"{path}: {error}") from error
    found: dict[str, dict[str, Any]] = {}
    for command, table in tables.items():
        _known(f"{path}:{_line(text, command)}", command, commands, "table")
        if not isinstance(table, dict):
            raise BadDefaults(f"{path}:{_line(text, command)}: {command} is to be a table; write [{command}] and the options below it")
        found[command] = {}
        for option, value in table.items():
            place, name = f"{path}:{_line(text, command, option)}", option.replace("-", "_")
            _known(place, name, commands[command], f"option of {command}")
            found[command][name] = _meant(place, option, value, commands[command][name])
    return found


def check_environment(commands: Commands, environ: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the variables for a command's options: those that there are not. Raises BadDefaults for a bad value."""
    for name in environ:
        command, _, option = name.removeprefix(PREFIX).lower().partition("_")
        if not name.startswith(PREFIX) or command not in commands:
            continue
        if option not in commands[command]:
            near = get_close_matches(option, commands[command], 1)
            if near:  # others, such as those that Kubernetes makes for a Service, are none of ours
                yield f"{name}: no such option of {command}; did you mean {PREFIX}{command.upper()}_{near[0].upper()}?"
        elif environ[name] and not commands[command][option].multiple:
            _cast(name, environ[name], commands[command][option])


def source(message: str) -> str:
    """Where the value of an option came from, if a message begins with the option and the command line does not have it."""
    named = re.match(r"--([a-z-]+)|-(o)\b", message)
    command = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), "")
    if named is None:
        return ""
    option = named[1] or "output"
    for argument in sys.argv[1:]:
        if argument == f"--{option}" or argument.startswith((f"--{option}=", "-o") if option == "output" else f"--{option}="):
            return ""
    variable = f"{PREFIX}{command}_{option}".upper().replace("-", "_")
    if variable in os.environ:
        return variable
    return FILE if os.path.exists(FILE) else ""


def _known(place: str, name: str, known: Mapping[str, object], what: str) -> None:
    if name not in known:
        near = get_close_matches(name, known, 1)
        instead = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
        raise BadDefaults(f"{place}: {name} is no {what}; {instead.replace('_', '-')}")


def _meant(place: str, option: str, value: object, parameter: Any) -> object:
    """The value, if it is of the option's kind. A single text will do where a list may stand."""
    if parameter.multiple:
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(one, str) for one in values):
            raise BadDefaults(f'{place}: {option} is a list of texts; write {option} = ["…"]')
        return values
    if getattr(parameter, "is_flag", False):
        if not isinstance(value, bool):
            raise BadDefaults(f"{place}: {option} is a switch; write {option} = true or {option} = false")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadDefaults(f"{place}: {option} cannot be a {type(value).__name__}; write one value")
    number = parameter.type.name.startswith(("int", "float"))
    if number == isinstance(value, str):
        instead = "number, without quotes" if number else f'text; write {option} = "{value}"'
        raise BadDefaults(f"{place}: {option} is a {instead}")
    return _cast(f"{place}: {option}", value, parameter)


def _cast(place: str, value: object, parameter: Any) -> object:
    try:
        parameter.type.convert(value, parameter, None)
    except Exception as error:  # of click, which typer brings along under a name of its own
        message = getattr(error, "message", None)
        if message is None:
            raise
        raise BadDefaults(f"{place}: {message}") from None
    return value


def _line(text: str, command: str, option: str = "") -> int:
    """The line of a table, or of an option in it; the first line if it is written in another way."""
    lines = text.splitlines()
    start = next((n for n, line in enumerate(lines) if re.match(rf"\s*\[?\s*[\"']?{re.escape(command)}\b", line)), 0)
    if not option:
        return start + 1
    return next((n for n in range(start, len(lines)) if re.match(rf".*?[\"']?{re.escape(option)}[\"']?\s*=", lines[n])), start) + 1
