"""Defaults of options from pomprobe.toml in the working directory: a table for each command, with the options' long names."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

FILE = "pomprobe.toml"


class BadDefaults(Exception):
    """A pomprobe.toml that cannot be used; the message is for people."""


def defaults(commands: Mapping[str, frozenset[str]], path: Path = Path(FILE)) -> dict[str, dict[str, Any]]:
    """Command -> option -> value. commands: what there is. Raises BadDefaults; without a file there are none."""
    import tomllib

    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BadDefaults(f"{path}: {error}") from error
    for command, table in tables.items():
        _known(path, command, commands, "table")
        if not isinstance(table, dict):
            raise BadDefaults(f"{path}: {command} is to be a table; write [{command}] and the options below it")
        for option in table:
            _known(path, option.replace("-", "_"), commands[command], f"option of {command}")
    return {command: {option.replace("-", "_"): value for option, value in table.items()} for command, table in tables.items()}


def _known(path: Path, name: str, known: Mapping[str, object] | frozenset[str], what: str) -> None:
    if name not in known:
        near = get_close_matches(name, known, 1)
        instead = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
        raise BadDefaults(f"{path}: {name} is no {what}; {instead.replace('_', '-')}")
