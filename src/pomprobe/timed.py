"""One stage under the clock: what comes of it, be it facts, a failure, a timer or a defect of ours, is an outcome."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic

from .limits import Lag
from .model import Endpoint, Facts, Failure, Outcome, StageFailed, StageName, Status, Timer
from .stages.walk import Clock

TIMEOUTS = {StageName.TCP: Failure.CONNECT_TIMEOUT, StageName.TLS: Failure.HANDSHAKE_TIMEOUT, StageName.HTTP: Failure.TIMED_OUT}
OURS = (Timer.MAX_WAIT, Timer.DEADLINE)
LIMITS = {Timer.MAX_WAIT: "--max-wait", Timer.DEADLINE: "--deadline"}
ABOUT_US = (Failure.NOT_KNOWN, Failure.NO_RESOLVER, Failure.TRUST_UNAVAILABLE)
"""Failures that tell about this machine: never blamed on the upstream."""

CONGESTED = 0.5
"""Seconds of loop lag during a walk from which on a timeout says nothing about the upstream."""


async def timed(
    name: StageName, stage: Callable[[], Awaitable[Facts]], clock: Clock, endpoint: Endpoint | None, known: Mapping[str, Facts], lag: Lag
) -> Outcome:
    """The outcome of one stage. known: facts of the stages so far, by name, to which the stage adds while it runs.

    A defect is told by its kind and place alone, since its message may hold what is secret.
    """
    began = monotonic()

    def outcome(
        status: Status, failure: Failure | None = None, timer: Timer | None = None, facts: Facts | None = None, error: str = ""
    ) -> Outcome:
        return Outcome(name, status, endpoint, failure, timer, facts or {}, monotonic() - began, error)

    try:
        with clock.renew():
            facts = await stage()
            return outcome(Status.OK, facts=dict(facts))
    except StageFailed as failed:
        status = Status.UNDETERMINED if failed.failure in ABOUT_US else Status.FAILING
        seen = {**known.get(name.value, {}), **failed.facts}
        return outcome(status, failure=failed.failure, timer=failed.timer, facts=seen, error=failed.error)
    except Exception as defect:
        at = traceback.extract_tb(defect.__traceback__)[-1]
        where = f"{type(defect).__name__} at {at.filename.rpartition('/')[2]}:{at.lineno}"
        return outcome(Status.BUG, failure=Failure.BUG, facts={"bug": where}, error=where)
    timer, _ = clock.first()  # the scope swallowed its own cancellation: a timer fired
    facts = {**known.get(name.value, {}), "started": clock.started}
    late = lag.worst(began)
    if timer in OURS or timer is None:
        limit = LIMITS[timer or Timer.DEADLINE]
    elif late > CONGESTED:
        limit = f"our own congestion ({late:.1f} s late)"
    else:
        return outcome(Status.FAILING, failure=TIMEOUTS.get(name, Failure.TIMED_OUT), timer=timer, facts=facts)
    return outcome(Status.UNDETERMINED, failure=Failure.NOT_KNOWN, timer=timer, facts={**facts, "limit": limit})
