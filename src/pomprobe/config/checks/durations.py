"""Durations that Pomerium reads and that mean something else: bare numbers, less than Envoy's unit, less than nothing."""

from __future__ import annotations

from ...model import Fact, Failure
from .. import duration
from ..health import not_positive
from ..nodes import Kind, Mapping, Scalar
from ..values import Refused, nanoseconds
from .view import View

ROUTE_KEYS = {"timeout": "no timeout at all", "idle_timeout": "no idle timeout at all"}
GLOBAL_KEYS = {
    "default_upstream_timeout": "no timeout for every route without its own",
    "timeout_read": "no limit for requests that are uploaded",
    "timeout_write": "no limit",
    "timeout_idle": "no idle timeout for clients",
    "dns_query_timeout": "the resolver's own default",
    "dns_refresh_rate": "",
    "dns_failure_refresh_rate": "",
}


def check(view: View) -> None:
    for key, effect in GLOBAL_KEYS.items():
        _duration(view, view.top, key, effect, "")
    for route, mapping in view.pairs():
        for key, effect in ROUTE_KEYS.items():
            _duration(view, mapping, key, effect, route.name)


def _duration(view: View, mapping: Mapping, key: str, effect: str, route: str) -> None:
    node = mapping.get(key)
    if not isinstance(node, Scalar) or node.is_null:
        return
    try:
        value = nanoseconds(node)
    except Refused:
        return  # refused already
    facts: dict[str, Fact] = {"key": key, "value": node.text, **({"route": route} if route else {})}
    unit = duration.SECOND if key == "dns_query_timeout" else duration.MILLISECOND
    if value < 0:
        if not key.startswith("dns_"):
            view.note(Failure.NEGATIVE_DURATION, node.place, not_positive(value), write=f"{key}: 0s", **facts)
    elif node.kind is not Kind.STRING and 0 < value < duration.SECOND:
        read = effect if value < unit else duration.render(value)
        message = f"{key}: {node.text} is {duration.render(value)}: {read}"
        write = f"{key}: {node.text}s" if node.kind in (Kind.INTEGER, Kind.FLOAT) else f"{key}: 30s"
        view.note(Failure.DURATION_NANOSECONDS, node.place, message, write=write, effect=read, **facts)
    elif value > 0 and value % unit and (value < unit or unit == duration.SECOND):
        read = effect if value < unit else duration.render(value // unit * unit)
        message = f"{key}: {node.text} is cut to whole {'seconds' if unit == duration.SECOND else 'milliseconds'}: {read}"
        shown = duration.render(unit)
        view.note(Failure.DURATION_TRUNCATED, node.place, message, unit=shown, effect=read, write=f"{key}: {shown} or more", **facts)
