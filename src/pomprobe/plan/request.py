"""The request that Envoy would send upstream: path, Host and headers after every rewrite (routes.go; Envoy's router/config_impl.cc)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from .. import __version__
from ..model import Request, Route, RouteKind, Timers, Upstream
from .example import Earlier, example
from .headers import CONSUMED, rendered
from .regex import substituted
from .transport import UNIX

CLIENT = "192.0.2.1"
"""The client's address in X-Forwarded-For: of the block for documentation (RFC 5737), so that no app takes it for a trusted one."""


def request(route: Route, earlier: Earlier, timers: Timers) -> Request:
    """The GET (CONNECT for a tunnel through an HTTP proxy) that reaches this route and none of its siblings."""
    headers = rendered(route)
    authority = headers.get("host", _authority(route))  # set before the router looks; a rewrite replaces it
    original = example(route, earlier)
    path = _path(route, original)
    rewritten = None if route.kind is RouteKind.KUBERNETES else _rewritten_host(route, headers, original)
    removed = {name.lower() for name in route.remove_request_headers}
    hosts = tuple(_host(route, upstream, rewritten, authority) for upstream in route.upstreams)
    sent = {"user-agent": f"pomprobe/{__version__}", "accept": "*/*"}
    sent |= {"x-forwarded-for": CLIENT, "x-forwarded-proto": route.from_url.partition(":")[0].rpartition("+")[2] or "https"}
    sent["x-envoy-external-address"] = CLIENT
    sent |= {name: value for name, value in headers.items() if name not in CONSUMED and name != "host"}
    if limit := timers.per_try or timers.route:
        sent["x-envoy-expected-rq-timeout-ms"] = str(round(limit * 1000))
    kept = {name: value for name, value in sent.items() if name not in removed}
    if path != original:
        kept["x-envoy-original-path"] = original
    if hosts[0] != authority:
        kept["x-envoy-original-host"] = authority
        if "x-forwarded-host" not in removed:
            kept["x-forwarded-host"] = authority
    method = "CONNECT" if route.kind is RouteKind.TCP else "GET"
    return Request(method, path, hosts[0], tuple(map(_shared, kept.items())), hosts, original_path=original, original_host=authority)


@lru_cache(maxsize=256)
def _shared(header: tuple[str, str]) -> tuple[str, str]:
    """The same object for what all requests have in common: most of a large config's memory is that."""
    return header


def _authority(route: Route) -> str:
    """The Host that a browser sends for this route; a wildcard gets a name that it covers."""
    scheme, _, rest = route.from_url.partition("://")  # it has no userinfo, query or fragment
    authority = rest.partition("/")[0] or route.from_host
    default = ":80" if scheme == "http" else ":443"
    return authority.removesuffix(default).replace("*", "pomprobe")


def _host(route: Route, upstream: Upstream, rewritten: str | None, authority: str) -> str:
    """The Host for one upstream: the rewritten one, else the `to` host with its port as written (row h1-host-header).

    A unix socket has no name to rewrite to, and an empty one leaves the client's.
    """
    if rewritten is not None:
        return rewritten
    if route.preserve_host_header and not _rewrites(route):
        return authority
    if _rewrites(route) or upstream.scheme in UNIX or route.kind is RouteKind.TCP:
        return authority
    name = f"[{upstream.host}]" if ":" in upstream.host else upstream.host
    return f"{name}:{upstream.port}" if upstream.explicit_port else name


def _rewrites(route: Route) -> bool:
    return bool(route.host_rewrite or route.host_rewrite_header or route.host_path_regex_rewrite_pattern)


def _rewritten_host(route: Route, headers: Mapping[str, str], path: str) -> str | None:
    """What a host_rewrite key makes of the Host, in Pomerium's order of precedence; None: nothing."""
    if route.host_rewrite:
        return route.host_rewrite
    if route.host_rewrite_header:
        return headers.get(route.host_rewrite_header.lower()) or None
    if route.host_path_regex_rewrite_pattern:
        return substituted(route.host_path_regex_rewrite_pattern, route.host_path_regex_rewrite_substitution, path) or None
    return None


def _path(route: Route, original: str) -> str:
    """The path after the rewrites: prefix_rewrite, else regex_rewrite_pattern, else the path of the first `to`.

    Envoy replaces the matched prefix without adding a slash, and the whole path of a `path` or `regex` route. For unix sockets the
    path of `to` is the socket's own, and goes upstream all the same (row unix-ok).
    """
    if route.prefix_rewrite:
        return _replaced(route, original, route.prefix_rewrite)
    if route.regex_rewrite_pattern:
        return substituted(route.regex_rewrite_pattern, route.regex_rewrite_substitution, original)
    first = route.upstreams[0].path
    return _replaced(route, original, first) if first else original


def _replaced(route: Route, original: str, replacement: str) -> str:
    if route.path or route.regex:
        return replacement
    return replacement + original[len(route.prefix or "/") :]
