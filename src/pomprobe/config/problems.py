"""Collect what is wrong with a config, so that one run names everything at once."""

from __future__ import annotations

import re

from ..model import ConfigError, Fact, Facts, Failure, Place, Problem
from ..record import Record

SECRETS = ("secret", "token", "password", "credential", "_key", "auth", "connection_string", "headers", "params", "uri")


_TOKEN = re.compile(r"(?!(?<=-)[0-9a-f]{16}(?![\w+=]))(?=[A-Za-z+=]*[0-9])(?=[0-9+=]*[A-Za-z])[A-Za-z0-9+=]{16,}|[A-Z]{20,}")
_TOLD = ("message", "value", "write", "template", "error", "key", "path")
"""Facts that repeat what stands in the file."""


def veiled(text: str) -> str:
    """The text without what looks like a key or token: one that stands in the wrong place is quoted by Pomerium's words as well.

    The id in the name of a cluster stays.
    """
    return _TOKEN.sub("xxxxx", text)


def is_secret(key: str) -> bool:
    """Whether a key of a config may hold what nobody else is to read."""
    return any(word in key for word in SECRETS)


class Unreadable(Exception):
    """A text that is no config at all. `reason` is a slug of a closed list; line and column are from 1."""

    def __init__(self, reason: str, message: str, line: int = 1, column: int = 1, file: str = "", **facts: Fact) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.line = line
        self.column = column
        self.file = file  # where it is not the file that was asked for
        self.facts: Facts = facts

    def at(self, file: str) -> ConfigError:
        return ConfigError((unreadable(Place(self.file or file, self.line, self.column), self.reason, self.message, **self.facts),))


def unreadable(place: Place, reason: str, message: str, **facts: Fact) -> Problem:
    message = veiled(message)
    return Problem(Failure.CONFIG_UNREADABLE, place, message, {"message": message, "reason": reason, **_without_secrets(facts)}, fatal=True)


def _shown(place: Place) -> Place:
    return place._replace(path=veiled(place.path)) if _TOKEN.search(place.path) else place


def _without_secrets(facts: Facts) -> dict[str, Fact]:
    return {name: veiled(fact) if name in _TOLD and isinstance(fact, str) else fact for name, fact in facts.items()}


class Refusal(Record, frozen=True):
    """Why Envoy rejects the cluster of a route: its message, where, the key that it is about, and what to write instead."""

    message: str
    place: Place
    key: str
    write: str = ""
    failure: Failure = Failure.CLUSTER_REFUSED


class Problems:
    """The problems found so far, in the order found."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def note(self, failure: Failure, place: Place, message: str, **facts: Fact) -> None:
        """Add something that Pomerium accepts."""
        message = veiled(message)
        place = _shown(place)
        self.found.append(Problem(failure, place, message, {"message": message, "path": place.path, **_without_secrets(facts)}))

    def refuse(self, refusal: str, place: Place, message: str, **facts: Fact) -> None:
        """Add something that Pomerium does not start with; `message` is its own text, `refusal` a slug of a closed list."""
        failure = Failure.CLIENT_CERT_KEY_MISMATCH if refusal == "client_cert_key_mismatch" else Failure.CONFIG_REFUSED
        message = veiled(message)
        place = _shown(place)
        given = {name: fact for name, fact in _without_secrets(facts).items() if fact != ""}
        told = {"message": message, "path": place.path, "refusal": refusal, **given}
        problem = Problem(failure, place, message, told, fatal=True)
        if problem not in self.found[-40:]:  # a key may be read twice
            self.found.append(problem)

    def in_order(self) -> tuple[Problem, ...]:
        """All problems in the order of the file."""
        return tuple(sorted(self.found, key=lambda p: (p.place.file, p.place.line, p.place.column)))

    @property
    def has_fatal(self) -> bool:
        return any(problem.fatal for problem in self.found)

    def raise_fatal(self) -> None:
        """Raise ConfigError with all fatal problems, in the order of the file, if there are any."""
        if self.has_fatal:
            raise ConfigError(tuple(problem for problem in self.in_order() if problem.fatal))
