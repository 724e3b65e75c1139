"""Headers that steer Envoy, and values that were meant to be filled in before."""

from __future__ import annotations

from ...model import Failure, Route
from ..nodes import Mapping
from ..upstreams import RENDER, TEMPLATE, leaves
from ..url import mask
from .view import View, place_in

EFFECTS = {
    "x-envoy-upstream-rq-timeout-ms": "replaces the route's timeout",
    "x-envoy-upstream-rq-per-try-timeout-ms": "sets a timeout for each try: 504 upstream_per_try_timeout",
    "x-envoy-upstream-stream-duration-ms": "limits the whole stream: 504 upstream_max_stream_duration_reached",
    "x-envoy-upstream-rq-timeout-alt-response": "turns the 504 of a timeout into a 204",
    "x-envoy-retry-on": "turns on retries, which Pomerium never does",
    "x-envoy-retry-grpc-on": "turns on retries, which Pomerium never does",
    "x-envoy-max-retries": "sets the number of retries",
    "x-envoy-hedge-on-per-try-timeout": "sends the request again beside a slow try",
}
IGNORED = ("x-envoy-expected-rq-timeout-ms",)
RENDERED = (
    "from",
    "prefix",
    "path",
    "prefix_rewrite",
    "host_rewrite",
    "tls_server_name",
    "tls_upstream_server_name",
    "tls_custom_ca_file",
    "tls_client_cert_file",
    "tls_client_key_file",
    "name",
)


def check(view: View) -> None:
    for route, mapping in view.pairs():
        for header in route.set_request_headers:
            if header.startswith("x-envoy-") and header not in IGNORED:
                node = mapping.mapping("set_request_headers")
                place = node.place_of(header) if node else place_in(route, "set_request_headers")
                effect = EFFECTS.get(header, "is read by Envoy itself")
                message = f"{header} {effect}"
                view.on(route, Failure.ENVOY_HEADERS, place, message, key="set_request_headers", header=header, effect=effect)
        _templates(view, route, mapping)


def _templates(view: View, route: Route, mapping: Mapping) -> None:
    texts = [(key, mapping.scalar(key), mapping.place_of(key)) for key in RENDERED if key in mapping.entries]
    to = mapping.get("to")
    texts += [("to", text, place) for text, place in leaves(to)] if to is not None else []
    for key, text, place in texts:
        match = TEMPLATE.search(text) if "$" in text or "{{" in text or "<%" in text else None
        if match:
            message = f"{key} holds {match[0][:80]}, which Pomerium does not expand"
            view.on(route, Failure.UNRENDERED_TEMPLATE, place, message, key=key, template=mask(match[0])[:80], write=RENDER)
