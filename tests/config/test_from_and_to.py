"""`from` and `to`: kinds, shapes, weights, mixing, and Pomerium's words for what it refuses."""

from __future__ import annotations

import pytest

from pomprobe.model import RouteKind

from .reading import messages, read, refused, route, to

FROM = {
    "https://a.example.com": (RouteKind.HTTP, "a.example.com"),
    "http://a.example.com": (RouteKind.HTTP, "a.example.com"),
    "https://*.example.com": (RouteKind.HTTP, "*.example.com"),
    "https://a.example.com:8443/": (RouteKind.HTTP, "a.example.com"),
    "tcp+https://a.example.com:5432": (RouteKind.TCP, "a.example.com"),
    "udp+https://a.example.com:53": (RouteKind.UDP, "a.example.com"),
    "ssh://a": (RouteKind.SSH, "a"),
}


@pytest.mark.parametrize(("written", "expected"), FROM.items())
def test_kinds(written: str, expected: tuple[RouteKind, str]) -> None:
    """The scheme of `from` decides the kind of a route."""
    one = read(f"routes:\n- from: {written}\n  to: tcp://b:1\n").routes[0]
    assert expected == (one.kind, one.from_host)


FROM_REFUSED = {
    "": ("from_missing", "config: policy bad source url url cannot be empty"),
    "example.com": ("from_invalid", "config: policy bad source url example.com url does not contain a valid scheme"),
    "https://": ("from_invalid", "config: policy bad source url https: url does not contain a valid hostname"),
    "1.2.3.4:80": (
        "from_invalid",
        'config: policy bad source url parse "1.2.3.4:80": first path segment in URL cannot contain colon, '
        "have you specified protocol (ex: https)",
    ),
    "https://a.example.com/x": (
        "from_path",
        "config: policy source url (https://a.example.com/x) contains a path, but it should be set using the path field instead",
    ),
}


@pytest.mark.parametrize(("written", "expected"), FROM_REFUSED.items())
def test_from_refused(written: str, expected: tuple[str, str]) -> None:
    """What Pomerium refuses of `from` is refused in its words."""
    (problem,) = refused(f"routes:\n- from: '{written}'\n  to: http://b\n")
    assert expected == (problem.facts["refusal"], problem.message)


def test_path_of_a_tunnel() -> None:
    """Only http and https may have no path."""
    assert RouteKind.TCP is read("routes:\n- from: tcp+https://proxy.example.com/ssh.example.com:22\n  to: tcp://b:22\n").routes[0].kind


def test_advice_for_from() -> None:
    """What to write instead is said where it can be told."""
    (problem,) = refused("routes:\n- from: example.com\n  to: http://b\n")
    assert "from: https://example.com" == problem.facts["write"]


SHAPES = {
    "to: http://a": ["http://a"],
    "to: [http://a, http://b]": ["http://a", "http://b"],
    "to: {y: [http://c], x: http://a}": ["http://a", "http://c"],
    "to: [[http://a], [http://b]]": ["http://a", "http://b"],
    "to: [http://a, ~]": ["http://a"],
}


@pytest.mark.parametrize(("line", "urls"), SHAPES.items())
def test_shapes(line: str, urls: list[str]) -> None:
    """Every scalar below `to` is a URL."""
    assert urls == [one.url for one in read(to(line)).routes[0].upstreams]


TO_REFUSED = {
    "to: example.com": (
        "to_no_scheme",
        "'routes[0]' example.com: example.com url does not contain a valid scheme",
        "to: http://example.com",
    ),
    "to: http:/app:80": ("to_no_host", "'routes[0]' http:/app:80: http:/app:80 url does not contain a valid hostname", "to: http://app:80"),
    "to: localhost:8080": (
        "to_no_host",
        "'routes[0]' localhost:8080: localhost:8080 url does not contain a valid hostname",
        "to: http://localhost:8080",
    ),
    "to: 10.0.0.1:80": (
        "to_no_scheme",
        "'routes[0]' 10.0.0.1:80: parse \"10.0.0.1:80\": first path segment in URL cannot contain colon, "
        "have you specified protocol (ex: https)",
        "to: http://10.0.0.1:80",
    ),
    "to: []": ("to_missing", "'routes[0]' url list is empty", "to: http://HOST:PORT"),
    "to: ~": ("to_missing", "'routes[0]' url list is empty", "to: http://HOST:PORT"),
    "to: ''": ("to_empty", "'routes[0]' : url cannot be empty", None),
    "to: 8080": ("to_no_scheme", "'routes[0]' 8080: 8080 url does not contain a valid scheme", "to: http://8080"),
    "to: 'http://:80'": ("to_no_host", "'routes[0]' endpoint hostname must be specified", None),
    "to: http+unix:///a": (
        "to_no_host",
        "'routes[0]' http+unix:///a: http+unix:///a url does not contain a valid hostname",
        "to: unix:///a",
    ),
    "to: 'http://a,0'": ("weight", "'routes[0]' zero load balancing weight not permitted", "to: http://a,1"),
    "to: 'http://a, 3'": ("weight", "'routes[0]' strconv.ParseUint: parsing \" 3\": invalid syntax", "to: http://a,3"),
    "to: 'http://a,4294967296'": (
        "weight",
        "'routes[0]' strconv.ParseUint: parsing \"4294967296\": value out of range",
        "to: http://a,1",
    ),
    "to: ['http://a,3', http://b]": (
        "weight",
        "'routes[0]' either no weights should be provided, or all endpoints must have non-zero weight specified",
        "to: http://b,1",
    ),
    "to: [tcp://a:1, http://b]": ("mixed_tcp", "config: cannot mix tcp and non-tcp To URLs", None),
    "to: [udp://a:1, http://b]": ("mixed_udp", "config: cannot mix udp and non-udp To URLs", None),
    "to: ['unix:///a', http://b]": ("mixed_unix", "config: cannot mix unix and non-unix To URLs", None),
    "to: ['https+unix:///a', 'unix:///b']": ("mixed_unix", "config: cannot mix unix and non-unix To URLs", None),
    "prefix: /": ("to_missing", "policy should have either `to` or `redirect` or `response` defined", "to: http://HOST:PORT"),
    "to: 'http://${HOST}'": (
        "template",
        '\'routes[0]\' http://${HOST}: parse "http://${HOST}": invalid character "{" in host name',
        "the value itself (Pomerium expands neither ${VAR} nor {{ }}: render the file first)",
    ),
}


@pytest.mark.parametrize(("line", "expected"), TO_REFUSED.items())
def test_to_refused(line: str, expected: tuple[str, str, str | None]) -> None:
    """What Pomerium refuses of `to` is refused in its words, with what to write instead."""
    (problem,) = refused(to(line))
    assert expected == (problem.facts["refusal"], problem.message, problem.facts.get("write"))


def test_every_entry_is_judged() -> None:
    """One run names all that is wrong, each at its place."""
    problems = refused("routes:\n- from: a\n  to: [b, http://c, 'd:1']\n- from: https://x\n")
    assert ["c.from", "c.to[0]", "c.to[2]", "c"] == [p.place.path.replace("routes[0]", "c").replace("routes[1]", "c") for p in problems]


def test_upstream() -> None:
    """An upstream knows scheme, host, port, path and weight, without its userinfo."""
    one = read(to("to: 'https://user:hunter2@[::1]/x?q=1,7'")).routes[0].upstreams[0]
    assert ("https://[::1]/x", "https", "::1", 443, False, "/x", 7) == (
        one.url, one.scheme, one.host, one.port, one.explicit_port, one.path, one.weight,
    )  # fmt: skip
    assert "routes[0].to" == one.place.path
    assert "hunter2" not in repr(read(to("to: 'https://user:hunter2@a'")))


PORTS = {
    "http://a": 80,
    "https://a": 443,
    "h2c://a": 80,
    "tcp://a": 80,
    "ssh://a": 80,
    "ws://a": 80,
    "wss://a": 80,
    "http://a:0080": 80,
    "http://a:4294967296": 80,
    "http://a:0": 0,
}


@pytest.mark.parametrize(("written", "port"), PORTS.items())
def test_default_ports(written: str, port: int) -> None:
    """Only TLS has a default port of its own."""
    assert port == read(to(f"to: {written}")).routes[0].upstreams[0].port


def test_unix() -> None:
    """A unix socket has a path and no host."""
    one = read(to("to: unix:///run/app.sock")).routes[0].upstreams[0]
    assert ("", "/run/app.sock", "unix") == (one.host, one.path, one.scheme)


NO_UPSTREAM = {
    "redirect: {https_redirect: true}": (RouteKind.REDIRECT, "redirects to https"),
    "redirect: {host_redirect: b.example.com, path_redirect: /x}": (RouteKind.REDIRECT, "redirects to b.example.com /x"),
    "response: {status: 404, body: no}": (RouteKind.RESPONSE, "answers 404 itself"),
}


@pytest.mark.parametrize(("line", "expected"), NO_UPSTREAM.items())
def test_without_upstream(line: str, expected: tuple[RouteKind, str]) -> None:
    """Redirects and responses have no upstream."""
    one = read(to(line)).routes[0]
    assert (expected, ()) == ((one.kind, one.serves), one.upstreams)


def test_redirect_wins() -> None:
    """A redirect wins over a response, and both over `to`."""
    assert RouteKind.REDIRECT is route("redirect: {}", "response: {status: 200}").kind
    assert RouteKind.RESPONSE is route("response: {status: 200}").kind


def test_kubernetes_and_tunnel() -> None:
    """A service account token makes a kubernetes route; a tunnel needs its runtime flag."""
    assert RouteKind.KUBERNETES is route("kubernetes_service_account_token: abc").kind
    assert RouteKind.KUBERNETES is route("kubernetes_service_account_token_file: /var/run/token").kind
    tunnel = to("to: ssh://a:22", "upstream_tunnel: {}")
    assert RouteKind.HTTP is read(tunnel).routes[0].kind
    assert RouteKind.TUNNEL is read("runtime_flags: {ssh_upstream_tunnel: true}\n" + tunnel).routes[0].kind


NAMES = {
    "name: shop": "shop",
    "prefix: /api": "app.example.com/api",
    "path: /x": "app.example.com/x",
    "regex: ^/x.*$": "app.example.com ^/x.*$",
    "preserve_host_header: true": "app.example.com",
}


@pytest.mark.parametrize(("line", "name"), NAMES.items())
def test_names(line: str, name: str) -> None:
    """A route is called by its name, else by the host of `from` and what else it matches."""
    assert name == route(line).name


def test_name_of_a_tunnel() -> None:
    """The port is part of a tunnel's name."""
    assert "db.example.com:5432" == read("routes:\n- from: tcp+https://db.example.com:5432\n  to: tcp://db:5432\n").routes[0].name


def test_policy_and_routes() -> None:
    """Both lists are read, policy first; places say where a route stands."""
    config = read("routes:\n- from: https://b.example.com\n  to: http://b\npolicy:\n- from: https://a.example.com\n  to: http://a\n")
    assert [("a.example.com", 0, "policy[0]"), ("b.example.com", 1, "routes[0]")] == [
        (r.name, r.index, r.place.path) for r in config.routes
    ]
    assert ["'policy[0]' b: b url does not contain a valid scheme"] == messages("policy:\n- from: https://a\n  to: b\n")


SHAPES_REFUSED = {
    "routes: [x]": "'routes[0]' cannot convert nested map: all keys must be strings",
    "routes: [[]]": "'routes[0]' cannot convert nested map: all keys must be strings",
    "routes: 5": "'routes' cannot convert nested map: all keys must be strings",
    "routes: x": "'routes' base64 decoding policy data: illegal base64 data at input byte 0",
    "routes: ''": "'routes' base64 policy data: expecting 1, got 0",
}


@pytest.mark.parametrize(("line", "message"), SHAPES_REFUSED.items())
def test_list_shapes(line: str, message: str) -> None:
    """A list that holds no mappings is refused."""
    assert [message] == messages(line)


def test_one_mapping_is_a_list() -> None:
    """mapstructure takes one mapping for a list of one."""
    assert 1 == len(read("routes: {from: 'https://a.example.com', to: 'http://a'}").routes)


def test_empty_routes() -> None:
    """A null route is a route without anything."""
    assert [
        "config: policy bad source url url cannot be empty",
        "policy should have either `to` or `redirect` or `response` defined",
    ] == messages("routes: [~]")
