"""Which route of a config a text is about, and which causes this route can have: what is known without a packet (pure)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from .catalog.match import compile_check, failures
from .model import Cluster, Discovery, Fact, Failure, Protocol, Route, Rule, StageName, Timer, Upstream, UpstreamTLS
from .plan.regex import matches
from .plan.timers import TUNNELS

_HOST = re.compile(r"[\"']?(?<![\w-])(?::?authority|host)[\"']?\s*[:=]\s*[\"']?([\w.*-]+)", re.IGNORECASE)
_URL = re.compile(r"https?://([\w.-]+)(?::\d+)?(/[^\s\"'<>?#]*)?", re.IGNORECASE)
_PATH = (
    re.compile(r"[\"']?(?<![\w-]):?path[\"']?\s*[:=]\s*[\"']?(/[^\s\"'?#,]*)", re.IGNORECASE),
    re.compile(r"\b[A-Z]{3,7} (/[^\s?#]*)[^\s]* HTTP/"),
)
_TRUST = (Failure.CERTIFICATE_REJECTED, Failure.NAME_MISMATCH)
_UPGRADES = (Failure.UPGRADE_REFUSED,)
_TOTAL = (Timer.ROUTE, Timer.IDLE, Timer.MAX_DURATION, Timer.REQUEST, Timer.PER_TRY, Timer.STREAM_DURATION)


def about(text: str, routes: Sequence[Route]) -> tuple[Route, ...]:
    """The routes that a text names: by Envoy's cluster, by the host and path of a request, or the text is a route's name or `from`.

    Of several with this host the one that takes the path first; without a path all of them.
    """
    if named := tuple(route for route in routes if route.cluster_name and _word(route.cluster_name, text)):
        return named
    if named := tuple(route for route in routes if text.strip() in (route.key_name, route.name, route.from_url)):
        return named
    host, path = _request(text)
    here = [route for route in routes if host and _takes_host(route, host)]
    if not here:
        here = [route for route in routes if route.from_host and "*" not in route.from_host and _word(route.from_host, text)]
        behind = here and re.search(rf"{re.escape(here[0].from_host)}(?::\d+)?(/[^\s\"'<>?#]*)", text, re.IGNORECASE)
        path = path or (behind[1] if behind else None)
    if path is None:
        return tuple(here)
    return tuple(next(([route] for route in here if _takes_path(route, path)), []))


def _word(word: str, text: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-]|\.\w)", text, re.IGNORECASE) is not None


def _request(text: str) -> tuple[str, str | None]:
    """Host and path of the request that a text tells of; "" and None where it does not say."""
    host, url = _HOST.search(text), _URL.search(text)
    path = next((match[1] for pattern in _PATH if (match := pattern.search(text))), None)
    if host is None and url is not None:
        return url[1], path or url[2]
    return host[1] if host else "", path


def _takes_host(route: Route, host: str) -> bool:
    pattern = ".*".join(map(re.escape, route.from_host.split("*")))
    return re.fullmatch(pattern, host, re.IGNORECASE) is not None


def _takes_path(route: Route, path: str) -> bool:
    if route.path:
        return path == route.path
    return matches(route.regex, path) if route.regex else path.startswith(route.prefix or "/")


def possible(rules: Sequence[Rule], cluster: Cluster, found: Collection[str]) -> tuple[Rule, ...]:
    """Those of the rules that the route's settings leave room for. found: codes of the rules that the config itself is told by."""
    left: set[str] = set()
    for upstream, context in zip(cluster.upstreams, cluster.tls, strict=True):
        some = [rule for rule in rules if _possible(rule, cluster, upstream, context, found)]
        left |= {rule.code for rule in some if not any(_beats(other, rule, cluster, upstream, context) for other in some)}
    return tuple(rule for rule in rules if rule.code in left)


def _possible(rule: Rule, cluster: Cluster, upstream: Upstream, context: UpstreamTLS | None, found: Collection[str]) -> bool:
    if rule.stage is StageName.CONFIG:
        return rule.code in found
    return _reached(rule, cluster, context) and _in_time(rule, cluster) and all(_holds(rule, cluster, upstream, context))


def _reached(rule: Rule, cluster: Cluster, context: UpstreamTLS | None) -> bool:
    """Does the route have the stage of the rule, and can it fail this way?"""
    failed = failures(rule)
    route = cluster.route
    if rule.stage is StageName.DNS:
        return cluster.discovery is Discovery.STRICT_DNS
    if rule.stage is StageName.TLS:
        return context is not None and not (context.skip_verify and any(kind in failed for kind in _TRUST))
    if rule.stage is StageName.HEALTH:
        return bool(cluster.health_checks)
    if rule.stage is StageName.HTTP and cluster.protocol is Protocol.RAW:
        return "connect" in rule.when or "tunnel" in rule.when
    if Failure.RETRIES_TIMED_OUT in failed:
        return bool(cluster.retries.conditions)
    if any(kind in failed for kind in _UPGRADES):
        return bool(route.websockets or route.spdy or route.upgrades)
    if Failure.UPGRADE_NOT_ALLOWED in failed:
        return not route.websockets
    return route.spdy if Failure.SPDY_OVER_HTTP2 in failed else True


def _in_time(rule: Rule, cluster: Cluster) -> bool:
    """Is the rule's timer the one that ends first?"""
    wanted = rule.when.get("timer")
    if wanted is None:
        return True
    timer, limits = Timer(str(wanted)), cluster.timers.by_name
    mine = limits.get(timer)
    opening = any(kind in failures(rule) for kind in (Failure.CONNECT_TIMEOUT, Failure.HANDSHAKE_TIMEOUT))
    others = [limits[other] for other in (*_TOTAL, *((Timer.CONNECT,) if opening else ())) if other is not timer]
    return mine is not None and all(other is None or mine <= other for other in others)


def _holds(rule: Rule, cluster: Cluster, upstream: Upstream, context: UpstreamTLS | None) -> Iterator[bool]:
    """Of each key of `when` that is known before a packet is sent: does it hold?"""
    facts = known(cluster, upstream, context)
    for key, wanted in rule.when.items():
        if key in facts:
            yield compile_check(wanted)(facts[key], facts)


def _beats(other: Rule, rule: Rule, cluster: Cluster, upstream: Upstream, context: UpstreamTLS | None) -> bool:
    """Does the other rule, all of whose keys are known to hold, always fire in place of this one?"""
    sure = {*known(cluster, upstream, context), "failure"}
    return failures(other) == failures(rule) and len(other.when) > len(rule.when) and other.when.keys() <= sure


def known(cluster: Cluster, upstream: Upstream, context: UpstreamTLS | None) -> dict[str, Fact]:
    """The facts of an upstream that no packet is needed for, named as the stages name them."""
    facts: dict[str, Fact] = {
        "scheme": upstream.scheme,
        "upstream": upstream.url,
        "host": upstream.host,
        "port": upstream.port,
        "kind": cluster.route.kind.value,
        "tunnel": cluster.route.kind in TUNNELS,
    }
    if cluster.discovery is Discovery.STRICT_DNS:
        facts["name"] = upstream.host
        if not cluster.dns.lookup_family.endswith("_ONLY"):  # else one of the other family may be there
            facts["other_family"] = None
    elif upstream.host:
        facts["address"] = upstream.host
    if cluster.protocol in (Protocol.HTTP1, Protocol.HTTP2):
        facts["protocol"] = "HTTP/2" if cluster.protocol is Protocol.HTTP2 else "HTTP/1.1"
    if context is not None:
        facts |= {"server_name": context.server_name, "match_name": context.match_name, "trust_source": context.trust_source}
        if context.client_cert is None:
            facts["client_certificate_sent"] = False
    return facts
