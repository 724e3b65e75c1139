"""The path of `to` is a raw prefix rewrite of the first entry, and nothing else of it is sent (config/envoyconfig/routes.go)."""

from __future__ import annotations

from ...model import Fact, Failure, Route, RouteKind
from .. import url
from ..nodes import Mapping
from ..upstreams import leaves
from .view import UNIX, View


def check(view: View) -> None:
    for route, mapping in view.proxied():
        if route.kind is RouteKind.HTTP:
            _path(view, route)
        _parts(view, route, mapping)


def _path(view: View, route: Route) -> None:
    first, *others = route.upstreams
    rewritten = next((key for key in ("prefix_rewrite", "regex_rewrite_pattern") if getattr(route, key)), "")
    if first.scheme in UNIX:
        if not rewritten:
            message = f"{first.path} is sent as the path of every request, too"
            facts: dict[str, Fact] = {"to_path": first.path, "upstream": first.url, "write": "prefix_rewrite: /"}
            view.on(route, Failure.UNIX_SOCKET_PATH, first.place, message, key="to", **facts)
        return
    if first.path not in ("", "/") and rewritten:
        message = f"the path of {first.url} has no effect beside {rewritten}"
        view.on(route, Failure.TO_PATH_IGNORED, first.place, message, key="to", upstream=first.url, to_path=first.path, because=rewritten)
    elif route.mcp_server:
        pass  # its clients ask for one path, which is that of `to`
    elif first.path and not first.path.endswith("/") and not route.path and not route.regex and (route.prefix or "/").endswith("/"):
        asked, sent = f"{route.prefix or '/'}foo", f"{first.path}foo"
        message = f"{asked} is sent as {sent}: the path of `to` replaces the prefix as it is"
        write = f"to: {first.url}/"
        facts = {"upstream": first.url, "to_path": first.path, "request": asked, "sent": sent, "write": write}
        view.on(route, Failure.TO_PATH_WITHOUT_SLASH, first.place, message, key="to", **facts)
    for one in others:
        if one.path not in ("", "/", first.path):
            message = f"the path of {one.url} has no effect, only that of the first `to` counts"
            facts = {"upstream": one.url, "to_path": one.path, "because": "not the first"}
            view.on(route, Failure.TO_PATH_IGNORED, one.place, message, key="to", **facts)


def _parts(view: View, route: Route, mapping: Mapping) -> None:
    node = mapping.get("to")
    for text, place in leaves(node) if node is not None else ():
        if not any(char in text for char in "@?#"):
            continue
        try:
            parsed = url.parse(text.partition(",")[0])
        except url.BadURL:
            continue
        for part, there in (("userinfo", parsed.has_user), ("query", parsed.has_query), ("fragment", parsed.has_fragment)):
            if there:
                message = f"the {part} of {parsed.bare} is not sent"
                view.on(route, Failure.TO_PART_IGNORED, place, message, key="to", part=part, upstream=parsed.bare)
