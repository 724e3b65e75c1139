"""What pomprobe forecasts for the same bytes: its HTTP stage over a connection in memory, then its diagnosis."""

from __future__ import annotations

from pomprobe.diagnose import Knowledge, diagnose
from pomprobe.model import Cluster, Endpoint, EndpointOutcomes, EnvoyReply, Outcome, StageFailed, StageName, Status, UpstreamOutcomes
from pomprobe.net.stream import CHUNK
from pomprobe.stages import http
from pomprobe.stages.walk import Clock, Walk

from .lab import Script

ENDPOINT = Endpoint("127.0.0.1", 80)


class Memory:
    """A stream whose other end has said everything, and has hung up."""

    def __init__(self, script: Script) -> None:
        self._rest = script.data
        self._ending = script.ending

    async def receive(self) -> bytes:
        piece, self._rest = self._rest[:CHUNK], self._rest[CHUNK:]
        if not piece and self._ending == "rst":
            raise ConnectionResetError(104, "Connection reset by peer")
        return piece

    async def send(self, data: bytes) -> None:
        """Nobody reads it."""

    def close(self) -> None:
        """Nothing to close."""


class Forecaster:
    """Forecasts with the words of one Envoy version."""

    def __init__(self, envoy: str) -> None:
        self._knowledge = Knowledge(envoy)

    async def answer(self, cluster: Cluster, script: Script) -> EnvoyReply | None:
        """The forecast; None where there is none."""
        outcome = await _outcome(cluster, script)
        found = UpstreamOutcomes(cluster.upstreams[0], (), (EndpointOutcomes(ENDPOINT, (outcome,)),))
        forecast = diagnose(cluster, [found], self._knowledge).forecast
        return forecast[0].reply if forecast else None


async def _outcome(cluster: Cluster, script: Script) -> Outcome:
    walk = Walk(cluster, cluster.upstreams[0], ENDPOINT, None, Clock(), stream=Memory(script))
    try:
        return Outcome(StageName.HTTP, Status.OK, ENDPOINT, facts=dict(await http.exchange(walk)))
    except StageFailed as failed:
        facts = {**walk.facts.get("http", {}), **failed.facts}
        return Outcome(StageName.HTTP, Status.FAILING, ENDPOINT, failed.failure, failed.timer, facts, error=failed.error)
