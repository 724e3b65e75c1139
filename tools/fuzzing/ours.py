"""What pomprobe forecasts for the same bytes: its HTTP stage over a connection in memory, then its diagnosis."""

from __future__ import annotations

from pomprobe.diagnose import Knowledge, diagnose
from pomprobe.model import Cluster, Endpoint, EndpointOutcomes, EnvoyReply, Outcome, StageFailed, StageName, Status, Timer, UpstreamOutcomes
from pomprobe.net.stream import CHUNK
from pomprobe.stages import http, tls
from pomprobe.stages.walk import Clock, Walk
from pomprobe.timed import TIMEOUTS

from .lab import Script, said

ENDPOINT = Endpoint("127.0.0.1", 80)


class Silence(Exception):
    """Nothing more comes: the route's timeout ends it."""


class Memory:
    """A stream whose other end has said everything, and has hung up or stays silent."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._rest = script.data
        self._ending = script.ending

    async def receive(self) -> bytes:
        piece, self._rest = self._rest[:CHUNK], self._rest[CHUNK:]
        if not piece and self._ending == "rst":
            raise ConnectionResetError(104, "Connection reset by peer")
        if not piece and self._ending == "silence":
            raise Silence
        return piece

    async def send(self, data: bytes) -> None:
        """Of what is sent, the script may repeat the first."""
        if self._rest is self._script.data:
            self._rest = said(self._script, data)

    def close(self) -> None:
        """Nothing to close."""


class Forecaster:
    """Forecasts with the words of one Envoy version."""

    def __init__(self, envoy: str) -> None:
        self._knowledge = Knowledge(".".join(envoy.split(".")[:2]))

    async def answer(self, cluster: Cluster, script: Script) -> EnvoyReply | None:
        """The forecast; None where there is none."""
        outcome = await _outcome(cluster, script)
        found = UpstreamOutcomes(cluster.upstreams[0], (), (EndpointOutcomes(ENDPOINT, (outcome,)),))
        forecast = diagnose(cluster, [found], self._knowledge).forecast
        return forecast[0].reply if forecast else None


async def _outcome(cluster: Cluster, script: Script) -> Outcome:
    context = cluster.tls[0]
    walk = Walk(cluster, cluster.upstreams[0], ENDPOINT, context, Clock(), stream=Memory(script))
    stage, act = (StageName.TLS, tls.handshake) if context else (StageName.HTTP, http.exchange)
    try:
        return Outcome(stage, Status.OK, ENDPOINT, facts=dict(await act(walk)))
    except Silence:
        facts = {**walk.facts.get(stage, {}), "started": walk.clock.started}
        return Outcome(stage, Status.FAILING, ENDPOINT, TIMEOUTS[stage], Timer.ROUTE, facts)
    except StageFailed as failed:
        facts = {**walk.facts.get(stage, {}), **failed.facts}
        return Outcome(stage, Status.FAILING, ENDPOINT, failed.failure, failed.timer, facts, error=failed.error)
