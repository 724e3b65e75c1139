"""One route as Pomerium reads it: its kind, its upstreams, every key that changes the connection, and what Pomerium refuses.

Source: config/policy.go (Policy, Validate), config/custom.go (hooks), config/envoyconfig (what Envoy is told of it).
"""

from __future__ import annotations

import math

from ..model import Route, RouteKind, Settings, Upstream
from . import compound, health, route_id, upstreams, url, values
from .keys import Version
from .nodes import Kind, Mapping, Node, Scalar
from .problems import Problems, Refusal
from .route_rules import RouteRules
from .settings import circuit_breakers
from .tls_options import read_tls

POLICIES = ("ROUND_ROBIN", "MAGLEV", "RANDOM", "RING_HASH", "LEAST_REQUEST")
PERCENT = "Proto constraint validation failed (PercentValidationError.Value: value must be inside range [0, 100])"
PORT = "Proto constraint validation failed (SocketAddressValidationError.PortValue: value must be less than or equal to 65535)"
MALFORMED = "malformed IP address: [{}]. Consider setting resolver_name or setting cluster type to 'STRICT_DNS' or 'LOGICAL_DNS'"
NO_HTTP2 = "cluster must support HTTP/2 for gRPC healthchecking"


class RouteReader(RouteRules):
    """Reads one route; its Envoy refusals are collected with their places."""

    def __init__(
        self, mapping: Mapping, problems: Problems, index: int, settings: Settings, flags: dict[str, bool], version: Version
    ) -> None:
        super().__init__(mapping, problems)
        self.index = index
        self.settings = settings
        self.flags = flags
        self.version = version
        self.refusals: list[Refusal] = []

    def route(self) -> Route:
        """The route; whatever is wrong with it is among the problems."""
        source = self._from()
        to = self.mapping.get("to")
        found, identity = upstreams.read_upstreams(to, self.mapping.place.path, self.problems) if to is not None else ((), b"")
        websockets, spdy, upgrades = self._upgrades()
        checks, refusals = health.read_health_checks(self, names=self.version >= (0, 34, 0))
        outlier, more = health.read_outlier_detection(self)
        panic = self.read("healthy_panic_threshold", lambda n: values.json_int(n, values.MAX_INT32), self._old_panic())
        self.refusals += [*self._address_refusals(found), *refusals, *more]
        negative = [ns for ns in (self.nanoseconds("timeout"), self.nanoseconds("idle_timeout")) if ns is not None and ns < 0]
        if panic is not None and not 0 <= panic <= 100:
            place = self.place("healthy_panic_threshold")
            self.refusals.append(Refusal(PERCENT, place, "healthy_panic_threshold", "healthy_panic_threshold: 0"))
        if any(check.checker == "grpc" for check in checks) and not self._speaks_http2(found, websockets):
            place = self.place("health_checks")
            self.refusals.append(Refusal(NO_HTTP2, place, "grpc_health_check", "h2c:// or https:// for every `to`"))
        headers: dict[str, tuple[str, Node]] = self.read("set_request_headers", compound.text_map, {})
        kind = self._kind(source)
        mcp = self.mapping.mapping("mcp")
        route = Route(
            name=self.text("name") or _label(source, self.text("path") or self.text("prefix") or self.text("regex")),
            index=self.index,
            kind=kind,
            from_url=source.bare,
            from_host=source.hostname,
            upstreams=found,
            place=self.mapping.place,
            key_name=self.text("name"),
            cluster_name=self._cluster_name(source, identity),
            prefix=self.text("prefix"),
            path=self.text("path"),
            regex=self.text("regex"),
            timeout=self.seconds("timeout"),
            idle_timeout=self.seconds("idle_timeout"),
            websockets=websockets,
            spdy=spdy,
            upgrades=upgrades,
            mcp_server=mcp is not None and isinstance(mcp.get("server"), Mapping),
            tls=read_tls(self),
            preserve_host_header=self.boolean("preserve_host_header"),
            host_rewrite=self.text("host_rewrite"),
            host_rewrite_header=self.text("host_rewrite_header"),
            host_path_regex_rewrite_pattern=self.text("host_path_regex_rewrite_pattern"),
            host_path_regex_rewrite_substitution=self.text("host_path_regex_rewrite_substitution"),
            prefix_rewrite=self.text("prefix_rewrite"),
            regex_rewrite_pattern=self.text("regex_rewrite_pattern"),
            regex_rewrite_substitution=self.text("regex_rewrite_substitution"),
            set_request_headers={key: value for key, (value, _) in headers.items()},
            remove_request_headers=self.texts("remove_request_headers"),
            load_balancing_policy=self._balancing(),
            health_checks=checks,
            outlier_detection=outlier,
            healthy_panic_threshold=panic,
            circuit_breakers=circuit_breakers(self),
            google_serverless=self.boolean("enable_google_cloud_serverless_authentication"),
            serves=self._serves(kind),
            envoy_refusals=tuple(dict.fromkeys([*(refusal.message for refusal in self.refusals), *map(health.not_positive, negative)])),
            places=self.places,
        )
        self.decode_all()
        self.validate(route)
        return route

    def _from(self) -> url.URL:
        written = self.text("from")
        try:
            parsed = url.parse(written)
        except url.BadURL as error:
            slug, place = "from_invalid" if written else "from_missing", self.place("from")
            cause, advice = upstreams.advice(written, str(error))
            write = "" if written else "from: https://HOST"
            if advice:
                slug, write = ("template", advice) if cause == "template" else (slug, f"from: https://{url.mask(written)}")
            shown = url.mask(written)[:200]
            self.problems.refuse(slug, place, f"config: policy bad source url {error}", key="from", value=shown, write=write)
            return url.URL("https", host=url.mask(written)[:200], bare=url.mask(written)[:200])
        if parsed.scheme in ("http", "https") and parsed.path not in ("", "/"):
            message = f"config: policy source url ({parsed.shown}) contains a path, but it should be set using the path field instead"
            write = f"from: {parsed.scheme}://{parsed.host}, prefix: {parsed.path}"
            self.problems.refuse("from_path", self.place("from"), message, key="from", value=parsed.bare, write=write)
        return parsed

    def _cluster_name(self, source: url.URL, identity: bytes) -> str:
        prefix, path, regex = self.text("prefix"), self.text("path"), self.text("regex")
        where = self.mapping.place.path
        if where.startswith("Ingress "):
            namespace, _, name = where.split(" ")[1].partition("/")
            return route_id.ingress_cluster_name(namespace, name, source.hostname, prefix or path or regex)
        return route_id.cluster_name(self.text("name"), (self.text("from"), prefix, path, regex), identity, self.version)

    def _kind(self, source: url.URL) -> RouteKind:
        if self.has("redirect"):
            return RouteKind.REDIRECT
        if self.has("response"):
            return RouteKind.RESPONSE
        if self.has("upstream_tunnel") and self.flags.get("ssh_upstream_tunnel"):
            return RouteKind.TUNNEL
        if self.text("kubernetes_service_account_token") or self.text("kubernetes_service_account_token_file"):
            return RouteKind.KUBERNETES
        for prefix, kind in (("tcp", RouteKind.TCP), ("udp", RouteKind.UDP), ("ssh", RouteKind.SSH)):
            if source.scheme.startswith(prefix):
                return kind
        return RouteKind.HTTP

    def _serves(self, kind: RouteKind) -> str:
        node = self.mapping.mapping(kind.value)
        if kind is RouteKind.RESPONSE:
            return f"answers {node.scalar('status') or '200' if node else '200'} itself"
        if kind is not RouteKind.REDIRECT:
            return ""
        parts = (
            []
            if node is None
            else [node.scalar(key) for key in ("scheme_redirect", "host_redirect", "path_redirect", "prefix_rewrite") if node.scalar(key)]
        )
        return f"redirects to {' '.join(parts)}" if parts else "redirects to https"

    def _upgrades(self) -> tuple[bool, bool, tuple[str, ...]]:
        """Websockets, SPDY, others: the old keys, else the route's allow_upgrades, else the global one (policy.go, GetAllowWebsockets)."""
        upgrades = self.texts("allow_upgrades") if self.has("allow_upgrades") else self.settings.allow_upgrades
        lowered = {upgrade.lower() for upgrade in upgrades}
        others = tuple(sorted(lowered - {"websocket", "spdy/3.1"}))
        return self.boolean("allow_websockets") or "websocket" in lowered, self.boolean("allow_spdy") or "spdy/3.1" in lowered, others

    def _balancing(self) -> str:
        """An enum by name in any case, with or without its prefix (config/custom.go, decodeEnumHookFunc)."""
        if self.version < (0, 32, 0):
            old = self.mapping.scalar("lb_policy")
            return old if old in POLICIES else "ROUND_ROBIN"
        node = self.mapping.get("load_balancing_policy")
        if node is None or not self.has("load_balancing_policy"):
            return "ROUND_ROBIN"
        written = self.text("load_balancing_policy")
        name = written.upper().removeprefix("LOAD_BALANCING_POLICY_")
        if name in POLICIES:
            return name
        if name not in ("", "UNSPECIFIED"):
            near = next((policy for policy in POLICIES if policy.replace("_", "") == name.replace("_", "").replace("-", "")), "ROUND_ROBIN")
            message = f"'{node.place.path}' unsupported enum value {written} for LoadBalancingPolicy"
            write = f"load_balancing_policy: {near.lower()}"
            self.problems.refuse("enum", node.place, message, key="load_balancing_policy", value=written, write=write)
        return "ROUND_ROBIN"

    def _old_panic(self) -> int | None:
        """Until 0.31 a route could hold fields of Envoy's cluster: common_lb_config.healthy_panic_threshold.value."""
        common = self.mapping.mapping("common_lb_config") if self.version < (0, 32, 0) else None
        percent = common.mapping("healthy_panic_threshold") if common is not None else None
        return int(values.number(percent.scalar("value"))) if percent is not None and _is_number(percent.get("value")) else None

    def _speaks_http2(self, found: tuple[Upstream, ...], websockets: bool) -> bool:
        schemes = {one.scheme for one in found}
        return not websockets and (schemes == {"h2c"} or (bool(schemes) and schemes <= set(upstreams.SECURE)))

    def _address_refusals(self, found: tuple[Upstream, ...]) -> list[Refusal]:
        out: list[Refusal] = []
        for one in found:
            if one.port > 65535:
                out.append(Refusal(PORT, one.place, "to"))
            if ":" in one.host and not one.explicit_port:
                out.append(Refusal(MALFORMED.format(one.host), one.place, "to", f"to: {one.scheme}://[{one.host}]:{one.port}{one.path}"))
        return out


def _is_number(node: Node | None) -> bool:
    return isinstance(node, Scalar) and node.kind in (Kind.INTEGER, Kind.FLOAT) and math.isfinite(values.number(node.text))


def _label(source: url.URL, where: str) -> str:
    """A route's name for people, where it has none: the host of `from`, with what else the route matches."""
    host = source.host if source.scheme.startswith(("tcp", "udp", "ssh")) else source.hostname
    return f"{host}{where if where.startswith('/') or not where else ' ' + where}"
