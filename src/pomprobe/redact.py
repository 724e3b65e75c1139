"""What an upstream sends back of the secrets that it was sent: taken out of every outcome, wherever it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from .model import Cluster, Fact, Outcome
from .record import replace

MASK = "[redacted]"
LEAST = 4
"""Characters of a secret that are looked for at the end of a text, which may have been cut within it."""

_OPEN = re.compile(  # request headers whose value says where to go or what is wanted: `location` may well repeat it
    r"host|origin|referer|forwarded|via|user-agent|accept.*|content-.*|x-forwarded-(?!access).*|x-envoy-.*|x-real-.*|x-original-.*"
    r"|x-request-id|upgrade.*|connection|te|cache-control|pragma|range|if-.*"
)


def secrets(cluster: Cluster) -> tuple[str, ...]:
    """The values of set_request_headers that may be secret, and their parts of 8 and more characters, the longest first."""
    headers = [*cluster.route.set_request_headers.items(), *(h for check in cluster.health_checks for h in check.request_headers)]
    values = [value for name, value in headers if not _OPEN.fullmatch(name.lower())]
    parts = {part for value in values for part in (value, *re.split(r"[\s;,=:]+", value)) if len(part) >= 8}
    return tuple(sorted(parts, key=len, reverse=True))


def shown(path: str) -> str:
    """A request's path for people: `to: https://https://user:password@app` has a password in its path, which is sent like that."""
    return re.sub(r"/[^/]*:[^/]*@", "/xxxxx@", path)


def redacted(outcome: Outcome, hidden: Iterable[str]) -> Outcome:
    """The outcome without any of them."""
    for secret in hidden:
        outcome = replace(outcome, facts=_facts(outcome.facts, secret), error=_text(outcome.error, secret))
    return outcome


def _facts(facts: Mapping[str, Fact], secret: str) -> dict[str, Fact]:
    return {name: _fact(value, secret) for name, value in facts.items()}


def _fact(value: Fact, secret: str) -> Fact:
    if isinstance(value, str):
        return _text(value, secret)
    return tuple(_text(item, secret) for item in value) if isinstance(value, tuple) else value


def _text(text: str, secret: str) -> str:
    """In any case of letters: HTTP/2 and host names are lower case."""
    if not text:
        return text
    text = re.sub(re.escape(secret), MASK, text, flags=re.IGNORECASE)
    end = text.removesuffix("…")
    for length in range(min(len(secret) - 1, len(end)), LEAST - 1, -1):
        if end.lower().endswith(secret[:length].lower()):
            return end[:-length] + MASK + text[len(end) :]
    return text
