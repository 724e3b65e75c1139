"""Keys that Pomerium does not know, does not know any more, or knows elsewhere (config/options_check.go)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import lru_cache

from ...model import Failure, Place
from ..keys import (
    ENVOY_CLUSTER_KEYS,
    GLOBAL_KEYS,
    GLOBAL_UNTIL,
    NESTED_ROUTE_KEYS,
    REMOVED_GLOBAL,
    REMOVED_MESSAGE,
    REMOVED_ROUTE,
    ROUTE_KEYS,
    RUNTIME_FLAGS,
    version,
)
from ..messages import HEALTH_CHECK, OUTLIER_DETECTION
from ..nodes import Mapping, Node, Sequence
from ..problems import is_secret
from ..protojson import Message, snake
from ..url import mask
from .view import View

UNKNOWN = "unknown config option"
_ALSO_GLOBAL = frozenset(key for key in ROUTE_KEYS if key in GLOBAL_KEYS)
_INSTEAD = {"default_upstream_timeout": "timeout", "timeout_idle": "idle_timeout", "timeout_read": "timeout", "timeout_write": "timeout"}
MEANT = {
    **dict.fromkeys(("policies", "routing", "routers"), "routes"),
    **dict.fromkeys(("upstream", "upstreams", "backend", "backends", "destination", "target", "url"), "to"),
    **dict.fromkeys(("host", "hostname", "source", "domain"), "from"),
    **dict.fromkeys(("websocket", "websockets", "enable_websockets", "websocket_enabled"), "allow_websockets"),
    **dict.fromkeys(("insecure_skip_verify", "skip_verify", "tls_insecure_skip_verify"), "tls_skip_verify"),
    **dict.fromkeys(("server_name", "sni", "tls_sni"), "tls_upstream_server_name"),
    **dict.fromkeys(("ca_file", "ca_cert", "ca", "tls_ca", "tls_ca_file"), "tls_custom_ca_file"),
    **dict.fromkeys(("upstream_timeout", "request_timeout", "response_timeout", "read_timeout", "proxy_read_timeout"), "timeout"),
    **dict.fromkeys(("pass_host_header", "keep_host", "preserve_host"), "preserve_host_header"),
    **dict.fromkeys(("host_header", "rewrite_host"), "host_rewrite"),
    **dict.fromkeys(("headers", "request_headers", "add_headers", "set_headers"), "set_request_headers"),
    **dict.fromkeys(("rewrite", "path_rewrite", "rewrite_target"), "prefix_rewrite"),
}
"""Names that other proxies and old texts have for a key -> Pomerium's."""
_OWN_MEANING = frozenset(("set_response_headers", "apiversion", "kind", "metadata", "x"))
Note = Callable[..., None]


def check(view: View) -> None:
    _top_level(view)
    for route, mapping in view.pairs():

        def note(failure: Failure, place: Place, message: str, name: str = route.name, **facts: str) -> None:
            view.problems.note(failure, place, message, route=name, **facts)

        _route(view, mapping, note)


def _top_level(view: View) -> None:
    for key in view.top:
        place = view.top.keys[key]
        if key in REMOVED_GLOBAL:
            view.problems.refuse("removed_key", place, f"{REMOVED_MESSAGE}: {key}", key=key, write=REMOVED_GLOBAL[key])
        elif key in GLOBAL_KEYS and not _dropped(view, key):
            continue
        elif key in ROUTE_KEYS:
            message = f"{UNKNOWN}: {key}"
            value = view.top.scalar(key)
            view.note(
                Failure.TOP_LEVEL_ROUTE_KEY, place, message, key=key, write=f"{key}: {mask(value)}" if value and not is_secret(key) else key
            )
        else:
            _unknown(view.top, key, GLOBAL_KEYS, view.note)
    flags = view.top.mapping("runtime_flags")
    for flag in flags or ():
        if flags is not None and flag not in RUNTIME_FLAGS:
            near = nearest(flag, RUNTIME_FLAGS)
            message = f"unknown runtime flag: {flag}"
            view.note(Failure.UNKNOWN_KEY, flags.keys[flag], message, key=f"runtime_flags.{flag}", nearest=near, write=near)


def _dropped(view: View, key: str) -> bool:
    return key in GLOBAL_UNTIL and view.version >= version(GLOBAL_UNTIL[key])


def _route(view: View, mapping: Mapping, note: Note) -> None:
    for key in mapping:
        place = mapping.keys[key]
        if key in ROUTE_KEYS:
            if key in NESTED_ROUTE_KEYS or key in ("health_checks", "outlier_detection"):
                _nested(mapping, key, note)
        elif key in REMOVED_ROUTE and place.path.startswith("routes"):
            view.problems.refuse("removed_key", place, f"{REMOVED_MESSAGE}: routes.{key}", key=key, write=REMOVED_ROUTE[key])
        elif key in ENVOY_CLUSTER_KEYS:
            if view.version >= (0, 32, 0):
                note(Failure.PRE_032_KEY, place, f"{UNKNOWN}: {key}", key=key, since="0.32", write=_successor(mapping, key))
        elif key in GLOBAL_KEYS and key not in _ALSO_GLOBAL:
            note(Failure.GLOBAL_KEY_IN_ROUTE, place, f"{UNKNOWN}: {key}", key=key, write=_INSTEAD.get(key, ""))
        else:
            _unknown(mapping, key, ROUTE_KEYS, note)


def _successor(mapping: Mapping, key: str) -> str:
    """Today's key with the old value, where that can be told."""
    new = ENVOY_CLUSTER_KEYS[key]
    if key == "lb_policy" and mapping.scalar(key):
        return f"{new}: {mapping.scalar(key).lower()}"
    if key == "common_lb_config":
        inner = mapping.mapping(key)
        threshold = inner.mapping("healthy_panic_threshold") if inner else None
        return f"{new}: {threshold.scalar('value') or '0'}" if threshold else new
    return new


def _unknown(mapping: Mapping, key: str, known: Iterable[str], note: Note, silent: bool = False) -> None:
    """One key that is not known; `silent`: not even Pomerium's log says so."""
    written, place = mapping.written.get(key, key), mapping.keys[key]
    if key in _OWN_MEANING or key.startswith("x-"):  # YAML anchors are usually kept under such keys
        return
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match[1], written).lower().replace("-", "_")
    message = f"{key} is dropped without a word" if silent else f"{UNKNOWN}: {key}"
    if snake != key and snake in known:
        note(Failure.CAMEL_CASE_KEY, place, message, key=written[:100], nearest=snake, write=snake)
        return
    near = nearest(key, known) if len(mapping.keys) <= MANY else ""
    note(Failure.UNKNOWN_KEY, place, message, key=key[:100], nearest=near, write=near)


MANY = 500
"""Keys of one mapping beyond which an unknown one is no slip of the pen: looking for what was meant takes half a millisecond each."""


def nearest(key: str, known: Iterable[str]) -> str:
    """The known key that was probably meant, or ""."""
    if key in MEANT and MEANT[key] in known:
        return MEANT[key]
    return _nearest(key, tuple(known)) if len(key) < 100 else ""


@lru_cache(maxsize=1024)
def _nearest(key: str, known: tuple[str, ...]) -> str:
    return next(iter(get_close_matches(key, known, 1, 0.78)), "")


def _nested(mapping: Mapping, key: str, note: Note) -> None:
    node = mapping.get(key)
    if key == "health_checks":
        for entry in _mappings(node):
            _message(entry, HEALTH_CHECK, note)
    elif key == "outlier_detection":
        for entry in _mappings(node):
            _message(entry, OUTLIER_DETECTION, note)
    else:
        _struct(node, key, note)


def _struct(node: Node | None, name: str, note: Note) -> None:
    known = NESTED_ROUTE_KEYS[name].split()
    for entry in _mappings(node):
        for key in entry:
            if key not in known:
                _unknown(entry, key, known, note)
            elif f"{name}.{key}" in NESTED_ROUTE_KEYS:
                _struct(entry.get(key), f"{name}.{key}", note)


def _message(entry: Mapping, message: Message, note: Note) -> None:
    """Fields of a protobuf message: unknown ones are discarded and not logged."""
    for key in entry:
        field = message.fields.get(key) or message.fields.get(snake(key))  # within base64 keys keep their case
        if field is None:
            _unknown(entry, key, message.fields, note, silent=True)
        elif isinstance(field, Message):
            inner = entry.mapping(key)
            if inner is not None:
                _message(inner, field, note)


def _mappings(node: Node | None) -> tuple[Mapping, ...]:
    items = node.items if isinstance(node, Sequence) else (node,)
    return tuple(item for item in items if isinstance(item, Mapping))
