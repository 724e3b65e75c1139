"""What Envoy 1.40 makes of the same handshake where that differs from 1.37: facts that begin with `next_`.

A stage sees once what happened, and the forecast may be asked for in the words of either (`--pomerium-version next`).
"""

from __future__ import annotations

from .model import Fact, Facts, StageFailed

OWN = (
    "verify_code", "reason", "depth", "before", "missing_ca", "related_ca", "error", "alert", "alert_name", "alert_code", "on_client_hello",
    "wordless", "errno",
)  # fmt: skip
"""Facts of a failure, which say nothing where there is another one or none."""


def told(now: Facts | StageFailed, later: Facts | StageFailed) -> Facts:
    """The facts of what 1.37 makes of it, with `next_failure` ("" for none) and the facts of that where 1.40 differs."""
    facts, then = _facts(now), _facts(later)
    if _kind(now) == _kind(later) and facts == then:
        return facts
    more: dict[str, Fact] = {f"next_{key}": value for key, value in then.items() if key in OWN or facts.get(key) != value}
    return {**facts, "next_failure": later.failure.value if isinstance(later, StageFailed) else "", **more}


def _kind(one: Facts | StageFailed) -> str:
    return one.failure.value if isinstance(one, StageFailed) else ""


def _facts(one: Facts | StageFailed) -> Facts:
    return one.facts if isinstance(one, StageFailed) else one
