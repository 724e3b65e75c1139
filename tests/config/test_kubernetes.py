"""Kubernetes manifests: what the ingress controller (e78e756) makes of them, and what it refuses."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import trustme

from pomprobe.config import load
from pomprobe.model import CircuitBreakers, Config, ConfigError, Failure, Problem, Route, RouteKind

from .reading import found, read

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: apps}
spec:
  ports: [{name: http, port: 80, targetPort: 8080}, {name: grpc, port: 9000}]
"""
PATH = "      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}\n"


def ingress(*annotations: str, path: str = PATH, host: str = "web.example.com", name: str = "web", spec: str = "") -> str:
    lines = "".join(f"    ingress.pomerium.io/{line}\n" for line in annotations)
    return (
        f"\n---\napiVersion: networking.k8s.io/v1\nkind: Ingress\n"
        f"metadata:\n  name: {name}\n  namespace: apps\n  annotations:\n    a: b\n{lines}"
        f"spec:\n{spec}  rules:\n  - host: {host}\n    http:\n      paths:\n{path}"
    )


def path(text: str) -> str:
    return f"      - {{{text}, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}\n"


def only(text: str, **more: Any) -> Route:
    """The one route of these manifests."""
    (route,) = read(text, **more).routes
    return route


def note(config: Config, failure: Failure) -> Problem:
    (problem,) = found(config, failure)
    return problem


def test_ingress() -> None:
    """A path of a rule is a route to the Service, at its place in the manifest."""
    config = read(SERVICE + ingress('service_proxy_upstream: "true"'))
    (route,) = config.routes
    assert ("https://web.example.com", "/", ["http://web.apps.svc.cluster.local:80"]) == (
        route.from_url,
        route.prefix,
        [one.url for one in route.upstreams],
    )
    assert ("apps-web-web-example-com", "apps-web-web-example-com") == (route.name, route.key_name)
    assert ("Ingress apps/web spec.rules[0].http.paths[0]", 22) == (route.place.path, route.place.line)
    assert () == config.problems


def test_pods_by_default() -> None:
    """By default Pomerium connects to the pods: where their addresses are not known, the Service's name is probed, and that is told."""
    config = read(SERVICE + ingress('secure_upstream: "true"'))
    assert ["https://web.apps.svc.cluster.local:80"] == [one.url for one in config.routes[0].upstreams]
    assert "web.apps.svc.cluster.local" == config.routes[0].tls.server_name
    assert "apps/web" == note(config, Failure.POD_ADDRESSES).facts["service"]


ENDPOINTS = """
---
apiVersion: v1
kind: Endpoints
metadata: {name: web, namespace: apps}
subsets:
- addresses: [{ip: 10.0.0.2}, {ip: 10.0.0.1}]
  ports: [{name: http, port: 8080}, {name: grpc, port: 9001}]
"""
SLICE = """
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-x, namespace: apps, labels: {kubernetes.io/service-name: web}}
endpoints:
- {addresses: [10.0.0.1], conditions: {ready: true}}
- {addresses: [10.0.0.9], conditions: {ready: false}}
- {addresses: ['2001:db8::1']}
ports: [{name: http, port: 8080}]
"""


def test_endpoints() -> None:
    """Addresses among the manifests are the upstreams, by the Service's target port."""
    assert ["http://10.0.0.1:8080", "http://10.0.0.2:8080"] == [one.url for one in only(SERVICE + ENDPOINTS + ingress()).upstreams]
    assert ["http://10.0.0.1:8080", "http://[2001:db8::1]:8080"] == [one.url for one in only(SERVICE + SLICE + ingress()).upstreams]
    by_name = PATH.replace("number: 80", "name: grpc")
    assert ["http://10.0.0.1:9001", "http://10.0.0.2:9001"] == [
        one.url for one in only(SERVICE + ENDPOINTS + ingress(path=by_name)).upstreams
    ]


def test_tls_name_of_pods() -> None:
    """Pods have the Service's name in their certificate, unless an annotation says otherwise."""
    assert "web.apps.svc.cluster.local" == only(SERVICE + ENDPOINTS + ingress('secure_upstream: "true"')).tls.server_name
    assert "x" == only(SERVICE + ENDPOINTS + ingress('secure_upstream: "true"', "tls_server_name: x")).tls.server_name


def test_external_name() -> None:
    """An ExternalName service is reached by that name."""
    service = SERVICE.replace("spec:", "spec:\n  type: ExternalName\n  externalName: app.example.net")
    assert ["http://app.example.net:80"] == [one.url for one in only(service + ingress()).upstreams]


def test_named_ports() -> None:
    """A port by name is looked up in the Service; without the Service well-known names are guessed, and that is told."""
    by_name = PATH.replace("number: 80", "name: grpc")
    assert 9000 == only(SERVICE + ingress('service_proxy_upstream: "true"', path=by_name)).upstreams[0].port
    config = read(ingress('service_proxy_upstream: "true"', path=PATH.replace("number: 80", "name: https")))
    assert 443 == config.routes[0].upstreams[0].port
    assert ("Service", "apps/web") == (
        note(config, Failure.MANIFEST_REFERENCE).facts["kind"],
        note(config, Failure.MANIFEST_REFERENCE).facts["name"],
    )
    assert () == read(ingress(path=PATH.replace("number: 80", "name: metrics"))).routes
    wrong = note(read(SERVICE + ingress(path=PATH.replace("number: 80", "name: nope"))), Failure.ANNOTATION_INVALID)
    assert wrong.message.endswith("backend: get service apps/web port by name nope: could not find port nope on service apps/web")


KINDS = {
    'tcp_upstream: "true"': (RouteKind.TCP, "tcp+https://web.example.com:80", "tcp"),
    'udp_upstream: "True"': (RouteKind.UDP, "udp+https://web.example.com:80", "udp"),
    'ssh_upstream: "true"': (RouteKind.SSH, "ssh://web.example.com", "ssh"),
}


@pytest.mark.parametrize(("annotation", "expected"), KINDS.items())
def test_tunnels(annotation: str, expected: tuple[RouteKind, str, str]) -> None:
    """Tunnels take their port from the Service and have no path."""
    route = only(SERVICE + ingress(annotation, path=path("pathType: ImplementationSpecific")))
    assert expected == (route.kind, route.from_url, route.upstreams[0].scheme)


def test_h2c() -> None:
    """Newer controllers know h2c_upstream."""
    assert "h2c" == only(SERVICE + ingress('h2c_upstream: "true"')).upstreams[0].scheme


PATHS = {
    "path: /a, pathType: Prefix": ("/a", "", ""),
    "path: /a, pathType: Exact": ("", "/a", ""),
    "path: /a, pathType: ImplementationSpecific": ("/a", "", ""),
}


@pytest.mark.parametrize(("written", "expected"), PATHS.items())
def test_paths(written: str, expected: tuple[str, str, str]) -> None:
    """The type of a path decides what it matches."""
    route = only(SERVICE + ingress(path=path(written)))
    assert expected == (route.prefix, route.path, route.regex)


def test_path_regex() -> None:
    """path_regex makes an expression of an implementation's own path."""
    route = only(SERVICE + ingress('path_regex: "true"', path=path("path: ^/a.*$, pathType: ImplementationSpecific")))
    assert ("^/a.*$", "") == (route.regex, route.prefix)


REJECTED = {
    path("path: /a"): "path: pathType is required",
    path("path: /a, pathType: Odd"): "path: unknown pathType Odd",
    "      - {path: /, pathType: Prefix, backend: {resource: {kind: x}}}\n": "backend: service must be specified",
}


@pytest.mark.parametrize(("written", "message"), REJECTED.items())
def test_rejected(written: str, message: str) -> None:
    """What the controller refuses makes no route, and is told in its words."""
    config = read(SERVICE + ingress(path=written))
    assert () == config.routes
    assert f"Ingress apps/web: {message}" == note(config, Failure.ANNOTATION_INVALID).message


def test_tunnels_rejected() -> None:
    """A tunnel with a path is refused."""
    assert note(read(SERVICE + ingress('tcp_upstream: "true"')), Failure.ANNOTATION_INVALID).message.endswith(
        "path: tcp services must have ImplementationSpecific path type"
    )
    other = ingress('tcp_upstream: "true"', path=path("path: /a, pathType: ImplementationSpecific"))
    assert note(read(SERVICE + other), Failure.ANNOTATION_INVALID).message.endswith("path: tcp services must not specify path, got /a")


def test_empty_host() -> None:
    """A rule without a host needs an annotation."""
    assert "empty host" in note(read(SERVICE + ingress(host='""')), Failure.ANNOTATION_INVALID).message
    assert "*" == only(SERVICE + ingress('subtle_allow_empty_host: "true"', host='""')).from_host
    assert (
        "rules.http is required"
        in note(read(ingress().replace("    http:\n      paths:\n" + PATH, "")), Failure.ANNOTATION_INVALID).message
    )


def test_default_backend() -> None:
    """The default backend takes its host from the TLS section."""
    backend = "  defaultBackend: {service: {name: web, port: {number: 80}}}\n"
    text = ingress(spec=backend + "  tls: [{hosts: [d.example.com]}]\n")
    assert ["d.example.com", "web.example.com"] == [route.from_host for route in read(SERVICE + text).routes]
    assert "expected one TLS spec, got 0" in note(read(SERVICE + ingress(spec=backend)), Failure.ANNOTATION_INVALID).message
    hosts = ingress(spec=backend + "  tls: [{hosts: [a, b]}]\n")
    assert "exactly one Host in the TLS spec, got 2" in note(read(SERVICE + hosts), Failure.ANNOTATION_INVALID).message


FIELDS: dict[str, tuple[str, Any]] = {
    "timeout: 5m": ("timeout", 300.0),
    'idle_timeout: "0s"': ("idle_timeout", 0.0),
    'allow_websockets: "true"': ("websockets", True),
    "allow_upgrades: '[websocket]'": ("websockets", True),
    'preserve_host_header: "true"': ("preserve_host_header", True),
    "host_rewrite: a.example.com": ("host_rewrite", "a.example.com"),
    "prefix_rewrite: /x": ("prefix_rewrite", "/x"),
    "load_balancing_policy: maglev": ("load_balancing_policy", "MAGLEV"),
    'healthy_panic_threshold: "0"': ("healthy_panic_threshold", 0),
    "set_request_headers: '{X-A: b}'": ("set_request_headers", {"x-a": "b"}),
    "remove_request_headers: '[a]'": ("remove_request_headers", ("a",)),
    "name: shop": ("key_name", "shop"),
    "mcp_server: 'true'": ("mcp_server", True),
    "mcp_client: 'true'": ("mcp_server", False),
    'allow_spdy: "true"': ("spdy", True),
    "host_rewrite_header: X-Host": ("host_rewrite_header", "X-Host"),
    "host_path_regex_rewrite_pattern: ^/(.+)$": ("host_path_regex_rewrite_pattern", "^/(.+)$"),
    r"host_path_regex_rewrite_substitution: \1": ("host_path_regex_rewrite_substitution", r"\1"),
    "regex_rewrite_pattern: ^/a": ("regex_rewrite_pattern", "^/a"),
    "regex_rewrite_substitution: /b": ("regex_rewrite_substitution", "/b"),
    "circuit_breaker_thresholds: '{max_connections: 3}'": ("circuit_breakers", CircuitBreakers(max_connections=3)),
    'enable_google_cloud_serverless_authentication: "true"': ("google_serverless", True),
    "outlier_detection: '{interval: 1m}'": ("outlier_detection", {"interval": "60s"}),
}


@pytest.mark.parametrize(("annotation", "expected"), FIELDS.items())
def test_annotations(annotation: str, expected: tuple[str, Any]) -> None:
    """An annotation is the YAML of the key of its name."""
    field, value = expected
    got = getattr(only(SERVICE + ingress(annotation)), field)
    assert value == ({key.lower(): text for key, text in got.items()} if isinstance(got, dict) else got)


def test_health_checks() -> None:
    """Go's durations are converted here, also within health checks."""
    config = read(
        SERVICE
        + ingress(
            "health_checks: '[{timeout: 1m, interval: 500ms, unhealthy_threshold: 1, healthy_threshold: 1, tcp_health_check: {}}]'",
            "outlier_detection: '{interval: 1m}'",
        )
    )
    (check,) = config.routes[0].health_checks
    assert (60.0, 0.5) == (check.timeout, check.interval)
    assert config.routes[0].outlier_detection == {"interval": "60s"}


INVALID = {
    "timeout: '30'": "annotations: proto: unexpected token 30",
    "timeout: 1d": 'annotations: proto: invalid google.protobuf.Duration value "1d"',
    "tls_skip_verify: 'yes'": 'annotations: proto: invalid value for bool field tlsSkipVerify: "yes"',
    "host_rewrite: '5'": "annotations: proto: invalid value for string field hostRewrite: 5",
    "remove_request_headers: a": "annotations: proto: unexpected token a",
    "health_checks: '{timeout: 1s}'": "annotations: proto: unexpected token {",
    "health_checks: '[{timeot: 1s}]'": 'annotations: proto: unknown field "timeot"',
    "set_request_headers: '{a: b'": "annotations: set_request_headers: yaml: line 1: did not find expected ',' or '}'",
}


@pytest.mark.parametrize(("annotation", "message"), INVALID.items())
def test_invalid(annotation: str, message: str) -> None:
    """An annotation that cannot be read makes the controller refuse the Ingress."""
    config = read(SERVICE + ingress(annotation))
    assert () == config.routes
    assert message == note(config, Failure.ANNOTATION_INVALID).message


UNKNOWN = {
    "lb_policy: MAGLEV": "ingress.pomerium.io/load_balancing_policy",
    "tls_upstream_server_name: x": "ingress.pomerium.io/tls_server_name",
    "secure_upsteam: 'true'": "ingress.pomerium.io/secure_upstream",
    "allowed_groups: '[a]'": "ingress.pomerium.io/policy",
    "zzz: a": "",
}


@pytest.mark.parametrize(("annotation", "write"), UNKNOWN.items())
def test_unknown(annotation: str, write: str) -> None:
    """An unknown annotation makes the controller refuse the Ingress; what was probably meant is said."""
    config = read(SERVICE + ingress(annotation) + ingress(name="good"))
    problem = note(config, Failure.ANNOTATION_UNKNOWN)
    assert ["apps-good-web-example-com"] == [route.name for route in config.routes]
    assert write == problem.facts["write"]
    assert f"ingress.pomerium.io/{annotation.partition(':')[0]}" in problem.message


def test_refused_route() -> None:
    """A route that Pomerium would refuse is left out, and the others stay."""
    bad = ingress("load_balancing_policy: nonsense", name="bad")
    config = read(SERVICE + bad + ingress())
    assert ["apps-web-web-example-com"] == [route.name for route in config.routes]
    assert "unsupported enum value nonsense" in note(config, Failure.ANNOTATION_INVALID).message


def secret(name: str, **data: bytes) -> str:
    entries = "".join(f"  {key.replace('_', '.')}: {base64.b64encode(value).decode()}\n" for key, value in data.items())
    return f"\n---\napiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: apps}}\ndata:\n{entries}"


def test_secrets() -> None:
    """Secrets among the manifests are read; those that are not are told of."""
    config = read(SERVICE + secret("ca", ca_crt=b"the ca") + ingress("tls_custom_ca_secret: ca", 'service_proxy_upstream: "true"'))
    assert b"the ca" == config.routes[0].tls.custom_ca
    config = read(SERVICE + ingress("tls_custom_ca_secret: ca", 'service_proxy_upstream: "true"'))
    assert "apps/ca" == note(config, Failure.MANIFEST_REFERENCE).facts["name"]
    token = "kubernetes_service_account_token_secret: t"
    assert RouteKind.KUBERNETES is only(SERVICE + ingress(token)).kind
    config = read(SERVICE + secret("t", token=b"hunter2") + ingress(token))
    assert "hunter2" not in repr(config)


def test_client_certificate_of_a_secret() -> None:
    """tls_client_secret is a Secret of the type kubernetes.io/tls."""
    leaf = trustme.CA().issue_cert("a")
    pair = secret("pair", tls_crt=leaf.cert_chain_pems[0].bytes(), tls_key=leaf.private_key_pem.bytes())
    options = only(SERVICE + pair + ingress("tls_client_secret: pair", 'secure_upstream: "true"')).tls
    assert (leaf.cert_chain_pems[0].bytes(), leaf.private_key_pem.bytes()) == (options.client_cert, options.client_key)


def test_broken_secret() -> None:
    """A Secret that is no base64 is as good as missing."""
    text = SERVICE + secret("ca", ca_crt=b"x").replace("eA==", "'*'") + ingress("tls_custom_ca_secret: ca")
    assert 1 == len(found(read(text), Failure.MANIFEST_REFERENCE))


def test_string_data() -> None:
    """stringData is taken as it is."""
    text = secret("ca").replace("\ndata:", "\nstringData: {ca.crt: plain}")
    assert b"plain" == only(SERVICE + text + ingress("tls_custom_ca_secret: ca", 'secure_upstream: "true"')).tls.custom_ca


def test_order() -> None:
    """Routes are in the controller's order: by host, then the longest path first."""
    paths = PATH + path("path: /api, pathType: Prefix") + path("path: /x, pathType: Exact")
    assert [("a.example.com", "/"), ("web.example.com", "/x"), ("web.example.com", "/api"), ("web.example.com", "/")] == [
        (route.from_host, route.path or route.prefix)
        for route in read(SERVICE + ingress(path=paths) + ingress(host="a.example.com", name="a")).routes
    ]


def test_classes() -> None:
    """Ingresses of other controllers are left alone."""
    nginx = ingress(spec="  ingressClassName: nginx\n", name="other")
    assert 1 == len(read(SERVICE + nginx + ingress(spec="  ingressClassName: pomerium\n")).routes)
    assert 2 == len(read(SERVICE + nginx.replace("annotations:", "annotations:\n    ingress.pomerium.io/name: x") + ingress()).routes)
    declared = "\n---\nkind: IngressClass\nmetadata: {name: nginx}\nspec: {controller: pomerium.io/ingress-controller}\n"
    assert 2 == len(read(SERVICE + nginx + declared + ingress()).routes)


CRD = """
apiVersion: ingress.pomerium.io/v1
kind: Pomerium
metadata: {name: global}
spec:
  timeouts: {read: 30m, write: 1h, idle: 10m}
  dns: {lookupFamily: v6_only, queryTimeout: 2s, queryTries: 3, useTcp: true, udpMaxQueries: 5, refreshRate: 2s, failureRefreshRate: 1s}
  circuitBreakerThresholds: {maxConnections: 5, maxRequests: 7}
  allowUpgrades: [websocket]
  authenticate: {url: 'https://auth.example.com'}
  runtimeFlags: {mcp: false}
  caSecrets: [apps/ca, apps/missing]
"""


def test_pomerium_resource() -> None:
    """The Pomerium resource sets the global keys."""
    config = read(CRD + secret("ca", ca_crt=b"one") + ingress())
    settings = config.settings
    assert (1800.0, 3600.0, 600.0) == (settings.timeout_read, settings.timeout_write, settings.timeout_idle)
    assert ("V6_ONLY", 2.0, 3, True, 5, 2.0, 1.0) == (
        settings.dns.lookup_family,
        settings.dns.query_timeout,
        settings.dns.query_tries,
        settings.dns.use_tcp,
        settings.dns.udp_max_queries,
        settings.dns.refresh_rate,
        settings.dns.failure_refresh_rate,
    )
    assert (5, 7) == (settings.circuit_breakers.max_connections, settings.circuit_breakers.max_requests)
    assert ("https://auth.example.com", b"one\n\n") == (settings.authenticate_service_url, settings.certificate_authority)
    assert config.routes[0].websockets
    assert "<stdin>:6:20 spec.timeouts.read" == str(settings.places["timeout_read"])
    assert "apps/missing" in [problem.facts["name"] for problem in found(config, Failure.MANIFEST_REFERENCE)]


REFUSED = {
    "timeouts: {read: 1h, write: 30m}": "timeouts: read timeout (1h0m0s) must be less than write timeout (30m0s)",
    "dns: {lookupFamily: V4_ONLY}": (
        'spec.dns.lookupFamily: Unsupported value: "V4_ONLY": supported values: "auto", "v4_only", "v6_only", "v4_preferred", "all"'
    ),
    "timeouts: {read: 5 minutes}": '\'spec.timeouts.read\' time: unknown unit " minutes" in duration "5 minutes"',
}


@pytest.mark.parametrize(("line", "message"), REFUSED.items())
def test_resource_refused(line: str, message: str) -> None:
    """What the resource may not say is refused."""
    with pytest.raises(ConfigError) as caught:
        read(f"apiVersion: ingress.pomerium.io/v1\nkind: Pomerium\nmetadata: {{name: g}}\nspec: {{{line}}}\n")
    assert [message] == [problem.message for problem in caught.value.problems]


def test_list() -> None:
    """kubectl prints lists of objects, in JSON, too."""
    inner = (SERVICE + ingress()).strip().split("---")
    text = "apiVersion: v1\nkind: List\nitems:\n" + "".join("- " + "\n  ".join(document.strip().split("\n")) + "\n" for document in inner)
    assert "routes" not in text
    assert 1 == len(read(text).routes)
    json_text = (
        '{"apiVersion": "v1", "kind": "IngressList", "items": [{"kind": "Ingress", "metadata": {"name": "a"}, "spec": {"rules": []}}]}'
    )
    assert () == load("c.json", text=json_text.encode()).routes


CONFIG_MAP = """apiVersion: v1
kind: ConfigMap
metadata: {name: pomerium}
data:
  readme.md: hello
  other.yaml: "- 1"
  config.yaml: |
    timeout_read: 5s
    routes:
    - from: https://a.example.com
      to: http://a
      timeout: 30
"""


def test_config_map() -> None:
    """A config in a ConfigMap is read, with the lines of the manifest."""
    config = read(CONFIG_MAP)
    assert 5.0 == config.settings.timeout_read
    assert "<stdin>:12:16 routes[0].timeout" == str(note(config, Failure.DURATION_NANOSECONDS).place)


def test_config_in_a_secret() -> None:
    """A config in a Secret is read from base64."""
    inner = base64.b64encode(b"routes:\n- from: https://a.example.com\n  to: http://a\n").decode()
    text = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: p}}\ndata:\n  config.yaml: {inner}\n"
    assert ["a.example.com"] == [route.name for route in read(text).routes]
    with pytest.raises(ConfigError, match=r"config\.yaml: illegal base64 data"):
        read(text.replace(inner, "'*'"))


def test_broken_config_map() -> None:
    """A config that cannot be read is told at its place in the manifest."""
    with pytest.raises(ConfigError) as caught:
        read(CONFIG_MAP.replace("to: http://a", "to: [http://a"))
    (problem,) = caught.value.problems
    assert problem.message.startswith("config.yaml: yaml: ") and 10 <= problem.place.line <= 13
    with pytest.raises(ConfigError) as caught:
        read('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: p}\ndata:\n  config.yaml: "a: b: c"\n')
    assert 5 == caught.value.problems[0].place.line


def test_two_configs() -> None:
    """Several configs are one after the other, with the first one's settings."""
    config = read(CONFIG_MAP + "---\n" + CONFIG_MAP.replace("a.example.com", "b.example.com").replace("5s", "7s"))
    assert (["a.example.com", "b.example.com"], 5.0) == ([route.name for route in config.routes], config.settings.timeout_read)


HELM = """config:
  rootDomain: example.com
  extraOpts: {timeout_read: 5s}
  routes:
  - from: https://a.example.com
    to: http://a
    timeout: 30
ingress: {enabled: false}
"""


def test_helm_values() -> None:
    """The values of Pomerium's chart hold the routes below `config`."""
    config = read(HELM)
    assert (["a.example.com"], 5.0) == ([route.name for route in config.routes], config.settings.timeout_read)
    assert "<stdin>:7:14 config.routes[0].timeout" == str(note(config, Failure.DURATION_NANOSECONDS).place)
    assert [] == found(config, Failure.UNKNOWN_KEY)


def test_directory(tmp_path: Path) -> None:
    """A directory of manifests is read as one, each place naming its file."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "service.yaml").write_text(SERVICE)
    (tmp_path / "ingress.yml").write_text(ingress())
    (tmp_path / "pomerium.yaml").write_text("timeout_read: 9s\nroutes:\n- from: https://c.example.com\n  to: http://c\n")
    (tmp_path / ".hidden.yaml").write_text("a: b: c")
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "kustomization.yaml").write_text("resources: [a]\n")
    config = load(tmp_path)
    assert ["c.example.com", "apps-web-web-example-com"] == [route.name for route in config.routes]
    assert 9.0 == config.settings.timeout_read
    assert str(tmp_path / "ingress.yml") == config.routes[1].place.file


def test_broken_directory(tmp_path: Path) -> None:
    """Every file that cannot be read is told of."""
    (tmp_path / "a.yaml").write_text("a: b: c")
    (tmp_path / "b.yaml").write_text("x: [")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert [str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")] == [problem.place.file for problem in caught.value.problems]


def test_manifests_without_pomerium() -> None:
    """Manifests that hold nothing for Pomerium are one clear problem."""
    with pytest.raises(ConfigError, match="no Ingress, Pomerium resource or Pomerium config") as caught:
        read(SERVICE)
    assert "no_config" == caught.value.problems[0].facts["reason"]


def test_format_kubernetes() -> None:
    """Manifests may be asked for by name."""
    assert 1 == len(read(SERVICE + ingress(), format="kubernetes").routes)
    with pytest.raises(ConfigError):
        read("", format="kubernetes")
