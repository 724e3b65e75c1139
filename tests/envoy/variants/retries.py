"""x-envoy-retry-on and its relatives in set_request_headers, against one or two upstreams."""

from __future__ import annotations

from ..scenes import http2
from ..scenes.http1 import Handler, plain, raw, serving, writes
from ..scenes.scene import Scene
from ..scenes.sockets import closed_port
from .catalogue import Play, variant
from .timers import SECURE, ordered, secure, silent

BOTH = ["http://127.0.0.1:{port}", "http://127.0.0.1:{port2}"]
GOOD = serving(writes(plain(200)))
ANSWERS: dict[str, Handler] = {
    "409": serving(writes(plain(409))),
    "429": serving(writes(plain(429))),
    "500": serving(writes(plain(500))),
    "502": serving(writes(plain(502))),
    "503": serving(writes(plain(503))),
    "504": serving(writes(plain(504))),
    "ratelimited": serving(writes(plain(429, "x-envoy-ratelimited: true"))),
    "overloaded": serving(writes(plain(503, "x-envoy-overloaded: true"))),
    "closes": serving(writes(b"", "closes")),
    "garbage": serving(writes(b"garbage\r\n\r\n", "closes")),
    "cut": serving(writes(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok", "closes")),
    "grpc-14": serving(writes(plain(200, "grpc-status: 14", "content-type: application/grpc"))),
    "retriable-header": serving(writes(plain(200, "x-try-again: 1"))),
    "interim-closes": serving(writes(b"HTTP/1.1 100 Continue\r\n\r\n", "closes")),
    "rst-at-once": raw(then="resets", reads=False),
}
POLICIES = (
    "5xx",
    "gateway-error",
    "reset",
    "connect-failure",
    "retriable-4xx",
    "refused-stream",
    "retriable-status-codes",
    "retriable-headers",
    "envoy-ratelimited",
    "reset-before-request",
    "http3-post-connect-failure",
    "unknown-policy",
    "5xx,connect-failure",
)


def refused(handle: Handler | None = None) -> Play:
    """A closed port, and a good one beside it where given."""

    async def play(made: Scene) -> None:
        made.ports.append(made.stack.enter_context(closed_port()))
        if handle:
            await made.serve(handle)

    return play


for policy in POLICIES:
    headers = ordered(on=policy, codes="429,500", names="x-try-again")
    short = policy.replace(",", "-and-")
    for behaviour, handle in ANSWERS.items():
        loose = behaviour == "rst-at-once"
        variant(f"retry-{short}-{behaviour}", handle, any=loose, timeout="3s", set_request_headers=headers)
        if policy in ("5xx", "gateway-error", "reset", "retriable-4xx", "retriable-status-codes", "retriable-headers"):
            variant(f"retry-{short}-{behaviour}-then-good", handle, GOOD, to=BOTH, any=loose, timeout="3s", set_request_headers=headers)
    variant(f"retry-{short}-refused", play=refused(), timeout="3s", set_request_headers=headers)
    variant(f"retry-{short}-refused-then-good", play=refused(GOOD), to=BOTH, timeout="3s", set_request_headers=headers)
    for code in ("REFUSED_STREAM", "PROTOCOL_ERROR", "INTERNAL_ERROR", "CONNECT_ERROR"):
        variant(
            f"retry-{short}-h2-{code.lower()}",
            http2.serving(http2.resets(code)),
            to="h2c://127.0.0.1:{port}",
            timeout="3s",
            set_request_headers=headers,
        )
    variant(f"retry-{short}-not-tls", GOOD, **SECURE, timeout="3s", set_request_headers=headers)
    variant(f"retry-{short}-silent-per-try", silent, seconds=4.0, timeout="5s", set_request_headers=headers | ordered(per_try=500))
    variant(f"retry-{short}-silent", silent, seconds=4.0, timeout="1s", set_request_headers=headers)
for count in (0, 1, 2, 3):
    headers = ordered(on="5xx", max=count)
    three = [*BOTH, "http://127.0.0.1:{port3}"]
    variant(f"retry-max-{count}", ANSWERS["503"], timeout="3s", set_request_headers=headers)
    if count != 1:  # whose answers depend on what the request before has left of the rotation
        variant(f"retry-max-{count}-of-three", ANSWERS["503"], ANSWERS["503"], GOOD, to=three, timeout="3s", set_request_headers=headers)
variant("retry-no-policy", ANSWERS["503"], timeout="3s", set_request_headers=ordered(max=3))
variant("retry-bad-max", ANSWERS["503"], timeout="3s", set_request_headers=ordered(on="5xx", max="many"))
variant("retry-codes-without-policy", ANSWERS["429"], timeout="3s", set_request_headers=ordered(codes="429"))
variant("retry-grpc-on", ANSWERS["grpc-14"], timeout="3s", set_request_headers=ordered(grpc_on="unavailable"))
variant("retry-grpc-on-other", ANSWERS["grpc-14"], timeout="3s", set_request_headers=ordered(grpc_on="cancelled"))
variant("retry-grpc-on-503", ANSWERS["503"], timeout="3s", set_request_headers=ordered(grpc_on="unavailable"))
variant("retry-hedge", silent, seconds=5.0, timeout="3s", set_request_headers=ordered(on="5xx", per_try=500, hedge="true"))
variant("retry-spaces", ANSWERS["503"], timeout="3s", set_request_headers=ordered(on=" 5xx , reset "))
variant("retry-upper-case", ANSWERS["503"], timeout="3s", set_request_headers=ordered(on="5XX"))
variant(
    "retry-wrong-name",
    play=secure(GOOD),
    to="https://127.0.0.1:{port}",
    tls_custom_ca_file="{pki}/ca.pem",
    timeout="3s",
    set_request_headers=ordered(on="connect-failure"),
)
