"""One question to several servers, over UDP and TCP, with c-ares' tries and timeouts."""

from __future__ import annotations

import errno
import os
from collections.abc import Awaitable, Callable

import anyio

from ..model import Endpoint, Failure
from ..record import Record, field
from . import resolver_wire as wire
from . import tcp
from .resolv_conf import Nameserver
from .resolver_udp import Sockets

SECONDS = 5.0
"""What the first try of a server may take: Envoy's default for c-ares, and the most that c-ares takes (MAX_TIMEOUT_MS)."""

TRIES = 4
"""How often each server is tried: Envoy's default."""

JITTER = 0.75
"""From its second try on, c-ares takes a random half to whole of the doubled time; this is the mean (ares_calc_query_timeout)."""

OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN})
"""Errors that tell about this machine at this moment, not about the resolver (EAGAIN: no port or no buffer left)."""

RCODES = {"SERVFAIL": Failure.SERVER_FAILURE, "REFUSED": Failure.DNS_REFUSED, "NOTIMP": Failure.DNS_ERROR}
"""Answers after which c-ares asks the next server; every other answer is final."""

HEADER = 12
"""Bytes before the question of a message; its id are the first two."""

Exchange = Callable[[Nameserver, wire.Question], Awaitable[wire.Reply]]


class Plan(Record, frozen=True):
    """Whom to ask and how often. seconds: for the first try of a server; each further round doubles it."""

    servers: tuple[Nameserver, ...]
    tries: int = TRIES
    seconds: float = SECONDS
    use_tcp: bool = False
    edns: bool = True
    sockets: Sockets = field(default_factory=Sockets)

    def patience(self, attempt: int) -> float:
        """Seconds that the attempt (from 0, over all servers) waits for its answer."""
        rounds = attempt // len(self.servers)
        return max(self.seconds * (1 << rounds) * (JITTER if rounds else 1), self.seconds)


class Log:
    """What happened while asking. slow: set when a try has gone unanswered, for those who can prepare for the worst."""

    def __init__(self) -> None:
        self.servers: dict[str, None] = {}
        self.slow = anyio.Event()


class Missed(Record, frozen=True):
    """A question that no server answered for good. limit: what our own machine lacked to ask it (NOT_KNOWN)."""

    failure: Failure
    error: str
    rcode: str | None = None
    limit: str | None = None


async def ask(plan: Plan, name: str, record_type: wire.RecordType, log: Log) -> wire.Reply | Missed:
    """Ask until a server gives a final answer or the tries are used up (ares_requeue_query, process_answer)."""
    edns, stream = plan.edns, plan.use_tcp
    attempt, misses = 0, list[Missed]()
    while attempt < plan.tries * len(plan.servers):
        server = plan.servers[attempt % len(plan.servers)]
        log.servers[str(server)] = None
        asked = wire.question(name, record_type, edns=edns)
        async with plan.sockets.turn():
            answer = await _try(server, asked, _over_tcp if stream else plan.sockets.exchange, plan.patience(attempt))
        if isinstance(answer, wire.Reply):
            if answer.rcode == "FORMERR" and edns and not answer.edns:
                edns = False  # a server that does not know EDNS: the same one again, which is no try of its own
                continue
            if answer.truncated and not stream:
                stream = True
                continue
            if answer.rcode not in RCODES:
                return answer
            answer = Missed(RCODES[answer.rcode], f"{server}: {answer.rcode}", rcode=answer.rcode)
        if answer.failure is Failure.NOT_KNOWN:
            return answer
        if answer.failure is Failure.DNS_TIMEOUT:
            log.slow.set()
        misses.append(answer)
        attempt += 1
    last = next((miss for miss in reversed(misses) if miss.failure is not Failure.RESOLVER_UNREACHABLE), misses[-1])
    if stream and not plan.use_tcp and last.failure in (Failure.RESOLVER_UNREACHABLE, Failure.DNS_TIMEOUT):
        return Missed(Failure.DNS_TRUNCATED, f"truncated over UDP; over TCP {last.error}")
    return last


async def _try(server: Nameserver, asked: wire.Question, exchange: Exchange, seconds: float) -> wire.Reply | Missed:
    try:
        with anyio.move_on_after(seconds):
            return await exchange(server, asked)
    except wire.Malformed as error:
        return Missed(Failure.DNS_MALFORMED, f"{server}: {error}")
    except (OSError, tcp.ConnectFailed, tcp.SocketRefused) as error:
        if error.errno in OURS:
            return Missed(Failure.NOT_KNOWN, str(error), limit=tcp.name(error.errno))
        if error.errno != errno.ETIMEDOUT:
            return Missed(Failure.RESOLVER_UNREACHABLE, f"{server}: {os.strerror(error.errno or errno.EIO)}")
    return Missed(Failure.DNS_TIMEOUT, f"{server}: no answer")


async def _over_tcp(server: Nameserver, asked: wire.Question) -> wire.Reply:
    stream = await tcp.connect(Endpoint(server.address, server.port))
    try:
        await stream.send(len(asked.wire).to_bytes(2) + asked.wire)
        buffer = b""
        while data := await stream.receive():
            buffer += data
            start = 0
            while len(buffer) >= start + 2 and len(buffer) >= (end := start + 2 + int.from_bytes(buffer[start : start + 2])):
                message = buffer[start + 2 : end]
                start = end
                if len(message) >= HEADER and message[:2] != asked.wire[:2]:
                    continue  # the answer to another question: a flood of them is not read any further
                if (reply := wire.parse(asked, message)) is not None:
                    return reply
            buffer = buffer[start:]
        raise ConnectionResetError(errno.ECONNRESET, "closed without an answer")
    finally:
        stream.close()
