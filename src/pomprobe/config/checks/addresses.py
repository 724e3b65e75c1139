"""Schemes, ports and hosts of `to`: what Pomerium makes of them is not always what they say (config/envoyconfig/clusters.go)."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address

from ...model import Fact, Failure, Route, RouteKind, Upstream
from .view import SECURE, UNIX, View, place_in

KNOWN_PORTS = {
    "postgres": 5432, "pgsql": 5432, "mysql": 3306, "mariadb": 3306, "redis": 6379, "mongo": 27017, "ssh": 22, "bastion": 22, "rdp": 3389,
    "mssql": 1433, "ldap": 389, "smtp": 25, "mqtt": 1883, "amqp": 5672, "rabbit": 5672, "kafka": 9092, "vnc": 5900,
}  # fmt: skip
SOUND_LIKE = {"ws": "http", "wss": "https", "grpc": "h2c", "grpcs": "https", "http2": "h2c", "h2": "https", "h2s": "https", "fcgi": "http"}
DOCKER_NAMES = (
    "host.docker.internal",
    "gateway.docker.internal",
    "docker.for.mac.localhost",
    "docker.for.win.localhost",
    "host.containers.internal",
)
OTHER_SCHEME = {("https", 80): "http", ("http", 443): "https", ("http", 8443): "https", ("h2c", 443): "https"}


def check(view: View) -> None:
    container = view.container or any(_like_a_service(one) for route in view.routes for one in route.upstreams)
    for route, mapping in view.proxied():
        service = mapping.place.path.startswith("Ingress ")  # the port of a Service says nothing about that of its pods
        seen: set[tuple[str, str, int, str]] = set()
        for one in route.upstreams:
            key = (one.scheme, one.host, one.port, one.path)
            if key in seen:
                view.on(route, Failure.DUPLICATE_UPSTREAM, one.place, f"{one.url} stands in `to` twice", key="to", upstream=one.url)
            seen.add(key)
            _scheme(view, route, one)
            if not service:
                _port(view, route, one)
            _host(view, route, one, container)
        _mixed(view, route)


def _scheme(view: View, route: Route, one: Upstream) -> None:
    tunnel = {RouteKind.TCP: "tcp", RouteKind.UDP: "udp", RouteKind.SSH: "ssh"}.get(route.kind)
    if tunnel is None and one.scheme not in ("http", "https", "h2c", *UNIX):
        secure = one.scheme in ("wss", "grpcs", "ftps", "h2", "h2s", "ldaps", "imaps", "smtps") or one.scheme.endswith("+tls")
        meant = SOUND_LIKE.get(one.scheme, "https" if secure else "http")
        write = f"to: {_with(one, meant)}"
        if one.scheme in ("tcp", "udp", "ssh"):
            from_scheme = "ssh" if one.scheme == "ssh" else f"{one.scheme}+https"
            write = f"from: {from_scheme}://{route.from_host}:{one.port if one.explicit_port else 'PORT'}"
        message = f"{one.scheme}:// is nothing that Pomerium knows: it speaks plain HTTP/1.1 to port {one.port}"
        facts: dict[str, Fact] = {"scheme": one.scheme, "upstream": one.url, "write": write, "tls": secure}
        view.on(route, Failure.SCHEME_IS_PLAIN_HTTP, one.place, message, key="to", **facts)
        return
    if tunnel is not None and one.scheme != tunnel and route.kind is RouteKind.TCP:
        write = f"to: tcp://{_host_text(one.host)}:{one.port}"
        message = f"the CONNECT request goes on to {one.url} as to a proxy, since its scheme is not tcp"
        view.on(route, Failure.CONNECT_FORWARDED, one.place, message, key="to", scheme=one.scheme, write=write)
    if one.scheme in ("tcp", "udp", "ssh") and not one.explicit_port:
        message = f"{one.url} has no port, and {one.scheme}:// means port 80"
        write = f"to: {one.scheme}://{_host_text(one.host)}:{_port_meant(route, one) or 'PORT'}"
        facts = {"scheme": one.scheme, "host": one.host, "upstream": one.url, "write": write}
        view.on(route, Failure.DEFAULT_PORT_80, one.place, message, key="to", **facts)


def _port(view: View, route: Route, one: Upstream) -> None:
    other = OTHER_SCHEME.get((one.scheme, one.port)) if one.explicit_port else None
    if other and not (one.scheme == "http" and one.port == 8443 and route.tls.skip_verify):
        message = f"{one.scheme}:// to port {one.port}, which usually speaks {other}"
        facts: dict[str, Fact] = {"scheme": one.scheme, "port": one.port, "upstream": one.url, "write": f"to: {_with(one, other)}"}
        view.on(route, Failure.SCHEME_PORT_MISMATCH, one.place, message, key="to", **facts)


def _port_meant(route: Route, one: Upstream) -> int | None:
    """The port in `from` of a tunnel, else that of a service with a well-known name."""
    if one.scheme == "ssh":
        return 22
    written = route.from_url.rpartition(":")[2].partition("/")[0]
    if written.isascii() and written.isdigit():
        return int(written)
    return next((port for word, port in KNOWN_PORTS.items() if word in one.host.lower()), None)


def _host(view: View, route: Route, one: Upstream, container: bool) -> None:
    if ":" in one.host and one.explicit_port and view.settings.dns.lookup_family == "V4_ONLY":
        message = f"[{one.host}] goes through the DNS cluster, where V4_ONLY finds no address"
        facts: dict[str, Fact] = {"host": one.host, "upstream": one.url, "write": "dns_lookup_family: V4_PREFERRED"}
        view.on(route, Failure.IPV6_WITH_V4_ONLY, one.place, message, key="to", **facts)
    docker = one.host.lower() in DOCKER_NAMES
    if docker or is_local(one.host):
        desktop = "the machine that Docker Desktop runs on; on Linux the name does not exist by itself"
        where = desktop if docker else "Pomerium's own machine"
        message = f"{one.host} is {where}" + (", here its container" if container and not docker else "")
        port = f":{one.port}" if one.explicit_port else ""
        write = 'extra_hosts: ["host.docker.internal:host-gateway"]' if docker else f"to: {one.scheme}://SERVICE{port}"
        facts = {"host": one.host, "upstream": one.url, "container": container, "docker_name": docker, "write": write}
        facts |= {"scheme": one.scheme} | ({"port": one.port} if one.explicit_port else {})
        view.on(route, Failure.LOCALHOST_UPSTREAM, one.place, message, key="to", **facts)


def _mixed(view: View, route: Route) -> None:
    schemes = tuple(dict.fromkeys(one.scheme for one in route.upstreams))
    plain = [scheme for scheme in schemes if scheme not in SECURE]
    place = place_in(route, "to")
    if plain and len(plain) < len(schemes):
        message = f"{' and '.join(schemes)} in one `to`: the members without TLS get TLS too"
        view.on(route, Failure.MIXED_TLS_SCHEMES, place, message, key="to", schemes=schemes, write=_everywhere(route, "https"))
    elif "h2c" in schemes and len(schemes) > 1:
        message = f"{' and '.join(schemes)} in one `to`: HTTP/1.1 is spoken to all of them"
        view.on(route, Failure.MIXED_H2C, place, message, key="to", schemes=schemes, write=_everywhere(route, "h2c"))
    if "h2c" in schemes and route.websockets:
        one = next(one for one in route.upstreams if one.scheme == "h2c")
        message = "websockets force HTTP/1.1, so h2c:// has no effect"
        view.on(route, Failure.H2C_WITH_WEBSOCKETS, one.place, message, key="to", upstream=one.url)


def _everywhere(route: Route, scheme: str) -> str:
    return "to: [" + ", ".join(_with(one, scheme) for one in route.upstreams[:4]) + (", …]" if len(route.upstreams) > 4 else "]")


def _with(one: Upstream, scheme: str) -> str:
    """The same upstream behind another scheme."""
    port = f":{one.port}" if one.explicit_port and (one.scheme, one.port) not in (("https", 80), ("http", 443), ("h2c", 443)) else ""
    return f"{scheme}://{_host_text(one.host)}{port}{one.path}"


def _host_text(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    if not host[-1:].isdigit() and ":" not in host:
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _like_a_service(one: Upstream) -> bool:
    """A name without a dot is one of a container network (or of a search domain)."""
    if one.scheme in UNIX or not one.host or one.host == "localhost" or "." in one.host or ":" in one.host:
        return False
    try:
        IPv4Address(one.host)
    except ValueError:
        return not one.host.isdigit()
    return False
