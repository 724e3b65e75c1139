"""A request with a large body, where one is asked for (--upload): does the upstream take it? Question and answer (pure).

It is a GET, which changes nothing (RFC 9110, 9.2.1), of zeros: limits for bodies look at how long one is (nginx `client_max_body_size`).
What is refused is asked for again with one byte, so that a server that takes no body at all is not said to have a limit. HTTP/1.1 alone,
and no part of the forecast.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from .model import Cluster, Config, Facts, Failure, Outcome, Place, Problem, Protocol, StageName, Status
from .record import replace

PATIENCE = 30.0
"""Seconds for request and response together; Envoy's route timer begins when the request is complete."""

SMALL = 1

SLOW = 1.0
"""Mbit/s that every user's line has."""

ENDED = (Failure.CLOSED, Failure.STREAM_RESET)


def asking(cluster: Cluster, size: int) -> Cluster:
    """The cluster as it is where a request with so many bytes is sent over it."""
    sent, timers = cluster.request, cluster.timers
    headers = (*sent.headers, ("content-type", "application/octet-stream"), ("content-length", str(size)))
    contexts = tuple(context and replace(context, alpn=("http/1.1",)) for context in cluster.tls)
    limited = replace(timers, route=PATIENCE, per_try=None, stream_duration=None)
    return replace(cluster, protocol=Protocol.HTTP1, tls=contexts, timers=limited, request=replace(sent, headers=headers, body=size))


def answer(outcomes: Sequence[Outcome]) -> int | None:
    """The status that came, 0 where the server hung up instead; None where that is not known."""
    last = next((o for o in outcomes if o.status is not Status.OK), outcomes[-1] if outcomes else None)
    if last is None or last.stage is not StageName.HTTP:
        return None
    status = last.facts.get("status")
    if isinstance(status, int):
        return status
    return 0 if last.failure in ENDED else None


def refused(large: int | None) -> bool:
    """May a limit be behind this answer?"""
    return large == 0 or (large is not None and large >= 400)


def facts(size: int, large: int | None, small: int | None) -> Facts:
    """Facts `upload_size` (bytes) and `upload_answered` (a status, 0 for hung up) where the size is what is refused."""
    return {"upload_size": size, "upload_answered": large} if refused(large) and small not in (None, large) else {}


def limit(config: Config, size: int) -> tuple[Problem, ...]:
    """What the global `timeout_read` asks of the lines over which such a body comes (rows to-read-2s-upload, up-stall)."""
    seconds = config.settings.timeout_read
    speed = size * 8 / 1e6 / seconds if seconds > 0 else 0.0
    if speed <= SLOW or any(problem.failure is Failure.UPLOAD_LIMIT for problem in config.problems):
        return ()
    place = config.settings.places.get("timeout_read", Place(config.file, 1, 1, "timeout_read, not set"))
    message = f"a body of {shown(size)} has {seconds:g} s to come (timeout_read): over a line of less than {speed:.1f} Mbit/s users get 408"
    enough = max(60, math.ceil(size * 8 / 1e6 / SLOW / 60) * 60)
    facts: Facts = {"key": "timeout_read", "seconds": seconds, "write": f"timeout_read: {enough // 60}m"}
    return (Problem(Failure.UPLOAD_LIMIT, place, message, facts),)


def shown(size: int) -> str:
    """As people write it: 20M, 512k, 1 byte."""
    unit = next(((n, letter) for n, letter in ((1 << 30, "G"), (1 << 20, "M"), (1 << 10, "k")) if size >= n and not size % n), (1, ""))
    return f"{size // unit[0]}{unit[1]}" if unit[1] or size != 1 else "1 byte"
