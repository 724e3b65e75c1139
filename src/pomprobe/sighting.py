"""Finds Envoy's words in a text (pure): response code details, status and flags in a log line, an error page, a JSON or plain body."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Sequence

from .record import Record

RESET = "upstream_reset_before_response_started"


class Sighting(Record, frozen=True):
    """What a text says. head: the details up to the brace; details: as today's Envoy writes them; cluster: of a route; None: not said."""

    head: str
    details: str
    status: int | None = None
    flags: str | None = None
    cluster: str | None = None


BODIES = (
    ("no healthy upstream", "no_healthy_upstream"),
    ("upstream request timeout", "response_timeout"),
    ("stream timeout", "stream_idle_timeout"),
    ("downstream duration timeout", "max_duration_timeout"),
    ("upstream max stream duration reached", "upstream_max_stream_duration_reached"),
)
"""Envoy's own bodies -> details (source/common/router/router.cc, source/common/http/conn_manager_impl.cc)."""

_BODY = re.compile(r"upstream connect error or disconnect/reset before headers\.(.*)", re.DOTALL)
_REASON = re.compile(r"reset reason: ([a-z ]+?)(?:, transport failure reason: ([^\"<]*?))?\.?\s*(?:[\"<]|$)", re.DOTALL)
_STATUS = (
    re.compile(r"[\"']?(?:response[-_ ]?code|status)[\"']?\s*[:=]\s*[\"']?(\d{3})\b", re.IGNORECASE),
    re.compile(r"(?:HTTP/[0-9.]+|\") (\d{3})\b"),
    re.compile(r"HTTP/[0-9.]+\" (\d{3})\b"),
    re.compile(r"^\s*(\d{3})\s"),
)
_FLAGS = (
    re.compile(r"[\"']?response[-_ ]?flags[\"']?\s*[:=]\s*[\"']?([A-Z][A-Z,]*|-)(?![a-z])", re.IGNORECASE),
    re.compile(r"\"? \d{3} ([A-Z]{2,5}(?:,[A-Z]{2,5})*)(?=\s)"),
    re.compile(r"^\s*\d{3} ([A-Z]{2,5}(?:,[A-Z]{2,5})*)\b"),
)
_CLUSTER = (re.compile(r"upstream[-_ ]cluster[\"']?\s*[:=]\s*[\"']?([\w.-]+-[0-9a-f]{16})\b", re.IGNORECASE),)
_ERRNO = re.compile(r"(connect_error:_)(\d{1,3})(?!\d)")


def sighted(text: str, heads: Sequence[str]) -> Sighting | None:
    """The first details in the text, with status and flags where it says them; without details a status with flags; else None.

    heads: the words with which details can begin.
    """
    text = re.sub(r"\\u00([0-9a-f]{2})", lambda match: chr(int(match[1], 16)), html.unescape(text))
    status, flags = _first(_STATUS, text), _first(_FLAGS, text)
    details = _details(text, heads) or _of_body(text)
    if details is None and flags in (None, "-"):
        return None
    details = _as_today(details or "")
    return Sighting(details.partition("{")[0], details, int(status) if status else None, flags, cluster(text))


def cluster(text: str) -> str | None:
    """The name of a route's cluster that an access log's line has."""
    return _first(_CLUSTER, text)


def _first(patterns: Sequence[re.Pattern[str]], text: str) -> str | None:
    return next((match[1] for pattern in patterns if (match := pattern.search(text))), None)


def _details(text: str, heads: Sequence[str]) -> str | None:
    known = "|".join(re.escape(head) for head in sorted(heads, key=len, reverse=True))
    match = re.search(rf"(?<![\w.])(?:{known})(?![\w])(?:\{{[^{{}}]*\}}?)?", text)
    return match[0] if match else None


def _of_body(text: str) -> str | None:
    if body := _BODY.search(text):
        reason = _REASON.search(body[1])
        if reason is None:
            return RESET
        transport = f"|{reason[2].strip()}" if reason[2] else ""
        return f"{RESET}{{{reason[1].strip()}{transport}}}"
    lower = text.lower()
    return next((details for words, details in BODIES if words in lower), None)


def _as_today(details: str) -> str:
    """The details as Envoy 1.37 writes them: older ones have spaces, commas, numbers of errors and `connection_failure`."""
    details = re.sub(r"\s+", "_", details.strip())
    details = details.replace("{connection_failure", "{remote_connection_failure")
    details = re.sub(r"(connection_failure),_?(?=delayed|immediate|TLS)", r"\1|", details).replace("TLS_error:_", "TLS_error:|")
    return _ERRNO.sub(lambda match: match[1] + os.strerror(int(match[2])).replace(" ", "_"), details)
