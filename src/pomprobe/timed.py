"""One stage under the clock: what comes of it, be it facts, a failure, a timer or a defect of ours, is an outcome."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from time import monotonic

from .defects import place_of
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

SHARE, LEAST = 0.25, 0.1
"""The same as a share of the timer, half a second being much of one second; and at least so many seconds."""

LITTLE = 0.02
"""The same as a share of a long timer, half a second being little of five minutes: an upstream is late by more, or was nearly not."""

GIVEN_UP = 2.0
"""Seconds of loop lag from which on a server that hung up may have waited for us in vain (the strictest limits are of a few seconds)."""

HUNG_UP = (Failure.HANDSHAKE_CLOSED, Failure.HANDSHAKE_RESET, Failure.CLOSED, Failure.BODY_CUT, Failure.STREAM_RESET)
HEALTH_HUNG_UP = (Failure.HEALTH_CONNECTION, Failure.HEALTH_PAYLOAD, Failure.HEALTH_PROTOCOL)


async def timed(
    name: StageName, stage: Callable[[], Awaitable[Facts]], clock: Clock, endpoint: Endpoint | None, known: Mapping[str, Facts], lag: Lag
) -> Outcome:
    """The outcome of one stage. known: facts of the stages so far, by name, to which the stage adds while it runs.

    A time that was measured while our loop was late is marked with the fact `late` (seconds, at most); a timeout on our own lateness
    is undetermined, and so is what came when a timer of Envoy's had ended unnoticed. A defect is told by its kind and place alone,
    since its message may hold what is secret.
    """
    began = monotonic()

    def outcome(
        status: Status, failure: Failure | None = None, timer: Timer | None = None, facts: Facts | None = None, error: str = ""
    ) -> Outcome:
        start, end = clock.measured or (began, None)
        end = end or monotonic()
        late = lag.worst(began)  # after the end, so that whatever held us up before it counts
        told = {**(facts or {}), "late": round(late, 4)} if late else facts or {}
        return Outcome(name, status, endpoint, failure, timer, told, end - max(start, began), error)

    def unknown(timer: Timer | None, limit: str, facts: Facts) -> Outcome:
        return outcome(Status.UNDETERMINED, Failure.NOT_KNOWN, timer, {**facts, "limit": limit})

    def overtaken(facts: Facts) -> Outcome:
        return unknown(clock.overtaken, _congestion(lag.worst(clock.armed)), facts)

    try:
        with clock.renew():
            facts = await stage()
            clock.over()
            return overtaken(facts) if clock.overtaken else outcome(Status.OK, facts=dict(facts))
    except StageFailed as failed:
        clock.over()
        seen = {**known.get(name.value, {}), **failed.facts}
        if clock.overtaken and failed.failure not in ABOUT_US:
            return overtaken(seen)
        late = lag.worst(clock.armed)
        if (failed.timer is not None and late > CONGESTED) or (_hung_up(failed) and late > GIVEN_UP):
            return unknown(failed.timer, _congestion(late), seen)
        status = Status.UNDETERMINED if failed.failure in ABOUT_US else Status.FAILING
        return outcome(status, failure=failed.failure, timer=failed.timer, facts=seen, error=failed.error)
    except Exception as defect:
        where = place_of(defect)
        return outcome(Status.BUG, failure=Failure.BUG, facts={"bug": where}, error=where)
    timer = clock.first()  # the scope swallowed its own cancellation: a timer fired
    facts = {**known.get(name.value, {}), "started": clock.started}
    if clock.overtaken:
        return overtaken(facts)
    late = lag.worst(clock.armed)
    if timer in OURS or timer is None:
        return unknown(timer, LIMITS[timer or Timer.DEADLINE], facts)
    if late > _tolerable(clock.length(timer)):
        return unknown(timer, _congestion(late), facts)
    return outcome(Status.FAILING, failure=TIMEOUTS.get(name, Failure.TIMED_OUT), timer=timer, facts=facts)


def bug(stage: StageName, endpoint: Endpoint | None, defect: Exception) -> Outcome:
    """The outcome of a stage that ended in a defect of ours."""
    where = place_of(defect)
    return Outcome(stage, Status.BUG, endpoint, Failure.BUG, None, {"bug": where}, 0.0, where)


def _tolerable(length: float) -> float:
    """The longest loop lag with which a timer of this length still tells of the upstream; all in seconds."""
    return min(max(LEAST, SHARE * length), max(CONGESTED, LITTLE * length))


def _hung_up(failed: StageFailed) -> bool:
    """Did the other side end the connection?"""
    return failed.failure in HUNG_UP or (failed.failure in HEALTH_HUNG_UP and "status" not in failed.facts)


def _congestion(late: float) -> str:
    return f"our own congestion ({late:.1f} s late)" if late >= LEAST else f"our own congestion ({1000 * late:.0f} ms late)"
