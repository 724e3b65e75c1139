"""The words in which a recorded row describes its upstream, read back into servers. Nothing is guessed: unknown words raise."""

from __future__ import annotations

import ast
import re
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import Callable

from . import http1, http2
from .http1 import Answer, Handler
from .pki import Leaf

BYTES = r"`(?P<data>[^`]*)`(?: … \((?P<size>\d+) bytes\))?"
THEN = r"(?P<then>keeps the connection|closes|stays silent|resets the connection)"
VERBS = {
    "keeps the connection": "keeps",
    "closes": "closes",
    "stays silent": "silent",
    "resets the connection": "resets",
    "reads on": "reads",
}
STATES = {
    "NOT_SERVING": http2.grpc_health(2),
    "UNKNOWN": http2.grpc_health(0),
    "grpc-status 12": http2.grpc_health(None, "12"),
    "grpc-status 5": http2.grpc_health(None, "5"),
}
ISSUERS = {"the lab root": "root", "another root": "other", "the lab intermediate": "inter", "a special root (see title)": "nc"}


def text(match: re.Match[str]) -> bytes:
    """The bytes between backticks, as many as the words say."""
    data = ast.literal_eval('b"' + match["data"].replace('"', '\\"') + '"')
    assert isinstance(data, bytes)
    return data if match["size"] is None else elided(data, int(match["size"]))


def elided(begin: bytes, size: int) -> bytes:
    """A long response of which only the beginning and the size are told: many headers, large ones, or one large cookie."""
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n"
    candidates = [head + b"set-cookie: a=" + b"a" * 70_000 + b"\r\n\r\nok"]
    for value in (b"a", b"a" * 1000):
        candidates += [head + b"".join(b"x-h%d: %s\r\n" % (n, value) for n in range(count)) + b"\r\nok" for count in range(160)]
    return next(response for response in candidates if len(response) == size and response.startswith(begin))


def answer(words: str) -> Answer:
    """What an HTTP/1 server does with a request."""
    for pattern, make in ANSWERS:
        if match := re.fullmatch(pattern, words, re.DOTALL):
            return make(match)
    raise ValueError(f"unknown words: {words}")


def _status(match: re.Match[str]) -> Answer:
    status, headers = int(match["status"]), [match["header"]] if match["header"] else []
    if status == 204 or match["bare"]:
        return http1.writes(b"HTTP/1.1 %d X\r\n%s\r\n" % (status, b"content-length: 2\r\n" * bool(match["bare"])))
    body = b"x" * 20_000_000 if match["large"] else b"ok"
    return http1.writes(http1.plain(status, *headers, body=body), before=float(match["delay"] or 0))


ANSWERS: tuple[tuple[str, Callable[[re.Match[str]], Answer]], ...] = (
    (
        r"answers (?P<status>\d+)(?:, (?P<header>[^;]+))?(?P<large> with 20 MB)?(?P<bare> without a body)?(?: after (?P<delay>\d+) s)?",
        _status,
    ),
    (
        rf"answers {BYTES}, then (?:after (?P<after>[\d.]+) s )?{THEN}",
        lambda m: http1.writes(text(m), VERBS[m["then"]], float(m["after"] or 0)),
    ),
    (
        rf"answers {BYTES}, then (?P<times>\d+) times `(?P<piece>[^`]*)`, one each (?P<each>[\d.]+) s, then closes",
        lambda m: http1.drips(text(m), ast.literal_eval(f'b"{m["piece"]}"'), int(m["times"]), float(m["each"])),
    ),
    (rf"answers {BYTES}, one byte each (?P<each>[\d.]+) s", lambda m: http1.bytewise(text(m), float(m["each"]))),
    (r"reads the request and never answers", lambda m: http1.writes(b"", "silent")),
    (r"reads the request, then closes", lambda m: http1.writes(b"", "closes")),
    (
        r"health check: (?P<check>[^;]+); other requests: (?P<other>.+)",
        lambda m: http1.health(answer(m["check"]), answer(m["other"])),
    ),
)

HANDLERS: tuple[tuple[str, Callable[[re.Match[str]], Handler]], ...] = (
    (r"accepts, then closes at once without reading", lambda m: http1.raw(reads=False)),
    (r"accepts, then resets the connection at once without reading", lambda m: http1.raw(then="resets", reads=False)),
    (r"accepts, never reads, never answers", lambda m: http1.raw(then="silent", reads=False)),
    (rf"sends {BYTES} as soon as it accepts", lambda m: http1.raw(text(m), "reads", reads=False)),
    (
        rf"reads the first bytes, then (?:sends {BYTES}, then )?(?P<then>closes|stays silent|resets the connection|reads on)",
        lambda m: http1.raw(text(m) if m["data"] is not None else b"", VERBS[m["then"]]),
    ),
    (r"answers PONG to PING, HTTP 200 to anything else", lambda m: http1.ping_pong()),
    (r"answers 200 over HTTP/2|HTTP/2 only server, cleartext", lambda m: http2.serving(http2.OK)),
    (r"answers 200 over HTTP/2 without ever sending SETTINGS", lambda m: http2.serving(http2.OK, settings=False)),
    (r"answers 200 over HTTP/2 or HTTP/1, as selected by ALPN", lambda m: _as_selected),
    (r"gRPC health: (?P<state>.+)", lambda m: http2.serving(STATES[m["state"]])),
    (
        r"HTTP/2: GOAWAY\(error 0\) right after connect, then closes",
        lambda m: http2.serving(http2.OK, at_once=http2.goes_away(None, 0.3)),
    ),
    (
        r"HTTP/2: GOAWAY\(error 0, last stream 1\) when the request arrives, then closes",
        lambda m: http2.serving(http2.goes_away(1, 0.05)),
    ),
    (
        r"HTTP/2: (?P<started>HEADERS and part of the body, then )?RST_STREAM (?P<code>\w+)",
        lambda m: http2.serving(http2.resets(m["code"], started=bool(m["started"]))),
    ),
    (r"HTTP/2: reads the request and never answers", lambda m: http2.serving(http2.silent)),
    (r"HTTP/2: HEADERS \(content-length 100\) and 4 body bytes, then closes the connection", lambda m: http2.serving(http2.cut)),
    (r"HTTP/2: HEADERS, then 4 body bytes each 0.5 s for 10 s", lambda m: http2.serving(http2.trickles)),
    (
        r"HTTP/2: HEADERS (?P<headers>[^…]*?)(?:,? ?… \((?P<count>\d+) headers, (?P<size>\d+) bytes\))?, then body b'ok'",
        lambda m: http2.serving(http2.answers(_headers(m), b"ok")),
    ),
)


def handler(words: str) -> Handler:
    """What a server does with a connection."""
    for pattern, make in HANDLERS:
        if match := re.fullmatch(pattern, words, re.DOTALL):
            return make(match)
    return http1.serving(answer(words))


def _headers(match: re.Match[str]) -> http2.Headers:
    headers = [
        (":" * name.startswith(":") + name.strip(":"), value) for name, value in re.findall(r"(:?[^:, ]+): ([^,]*)", match["headers"])
    ]
    if match["count"] is None:
        return headers
    count, size = int(match["count"]) - 1, int(match["size"])
    names = [f"x-h{number}" for number in range(count)]
    length = (size - len(":status200") - sum(map(len, names))) // count
    return [(":status", "200"), *((name, "a" * length) for name in names)]


async def _as_selected(reader: Reader, writer: Writer) -> None:
    selected = writer.get_extra_info("ssl_object").selected_alpn_protocol()
    await (http2.serving(http2.OK) if selected == "h2" else handler("answers 200"))(reader, writer)


def certificate(words: str) -> Leaf:
    """The certificate that the words describe."""
    match = re.search(
        r"certificate: (?:SAN (?P<san>[^,;]+)|no SAN, CN (?P<cn>[^,;]+)), (?:issued by (?P<issuer>[^,;]+)|self-signed)"
        r"(?P<chain>, sent with its issuer)?(?P<expired>, expired)?(?:, EKU (?P<usage>\w+))?(?:, key (?P<key>\w+))?",
        words,
    )
    if match is None:
        raise ValueError(f"no certificate: {words}")
    return Leaf(
        names=(match["san"],) if match["san"] else (),
        issuer=ISSUERS[match["issuer"]] if match["issuer"] else "self",
        common_name=match["cn"] or "lab leaf",
        key=match["key"] or "p256",
        usage={"client": "client", "None": ""}.get(match["usage"] or "", "server"),
        expired=bool(match["expired"]),
        sent_with_issuer=bool(match["chain"]),
    )
