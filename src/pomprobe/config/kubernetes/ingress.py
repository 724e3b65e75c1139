"""An Ingress to routes: one for each path of each rule (pomerium/ingress_to_route.go)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...model import Failure, Place
from ..nodes import Mapping, Node, Scalar, Sequence
from ..problems import Problems
from ..route_id import slug
from .annotations import Annotations, read_annotations
from .nodes import mapping, text
from .objects import Object, Objects

CONTROLLER = "pomerium.io/ingress-controller"
CLASSES = ("pomerium",)
TUNNELS = (("ssh_upstream", "ssh"), ("tcp_upstream", "tcp"), ("udp_upstream", "udp"))
WELL_KNOWN = {"http": 80, "https": 443}


class Rejected(Exception):
    """The controller refuses the Ingress; the message is its own. write: what to write instead, "" where that is not known."""

    def __init__(self, message: str, write: str = "") -> None:
        super().__init__(message)
        self.write = write


@dataclass(slots=True)
class _Backend:
    """The service behind a path: how Pomerium reaches it."""

    hosts: list[str]
    port: int
    names_pods: bool


class IngressReader:
    """Makes the routes of one Ingress."""

    def __init__(self, ingress: Object, objects: Objects, problems: Problems) -> None:
        self.ingress = ingress
        self.objects = objects
        self.problems = problems
        self.annotations: Annotations = read_annotations(ingress, objects, problems)

    def routes(self) -> list[Mapping]:
        """The routes, none where the controller refuses the Ingress; why is among the problems."""
        if self.annotations.refused:
            return []
        try:
            return list(self._routes())
        except Rejected as error:
            place = self.ingress.node.place
            message = f"{self.ingress}: {error}"
            facts = {"write": error.write} if error.write else {}
            self.problems.note(Failure.ANNOTATION_INVALID, place, message, key="spec.rules", name=self.ingress.name, **facts)
            return []

    def _routes(self) -> Iterator[Mapping]:
        spec = self.ingress.mapping("spec")
        if spec is None:
            return
        default = spec.mapping("defaultBackend")
        if default is not None:
            path: dict[str, Node] = {"path": text("/", default.place), "pathType": text("Prefix", default.place), "backend": default}
            yield from self._path(self._host_of_tls(spec), mapping(path, default.place), default.place)
        for rule in spec.items("rules"):
            if not isinstance(rule, Mapping):
                continue
            host = rule.scalar("host")
            if not host:
                if not self.annotations.on("subtle_allow_empty_host"):
                    name = "ingress.pomerium.io/subtle_allow_empty_host=true"
                    raise Rejected(f"ingress rule has empty host; if this is intentional, set the annotation '{name}'", "host: HOST")
                host = "*"
            http = rule.mapping("http")
            if http is None:
                raise Rejected("rules.http is required")
            for path_node in http.items("paths"):
                if isinstance(path_node, Mapping):
                    yield from self._path(host, path_node, rule.place_of("host"))

    def _host_of_tls(self, spec: Mapping) -> str:
        tls = spec.items("tls")
        hosts = tls[0].items("hosts") if len(tls) == 1 and isinstance(tls[0], Mapping) else ()
        if len(tls) != 1:
            raise Rejected(f"defaultBackend: deriving host: expected one TLS spec, got {len(tls)}")
        if len(hosts) != 1 or not isinstance(hosts[0], Scalar):
            raise Rejected(f"defaultBackend: deriving host: expected exactly one Host in the TLS spec, got {len(hosts)}")
        return hosts[0].text

    def _path(self, host: str, node: Mapping, host_place: Place) -> Iterator[Mapping]:
        backend = self._backend(node)
        if backend is None:
            return
        tunnel = next((scheme for name, scheme in TUNNELS if self.annotations.on(name)), "")
        path, kind = node.scalar("path"), node.scalar("pathType")
        entries: dict[str, Node] = dict(self.annotations.keys)
        entries["from"] = text(self._from(tunnel, host, backend.port), host_place)
        key = self._path_key(tunnel, path, kind)
        if key and path:
            entries[key] = text(path, node.place_of("path"))
        service = node.mapping("backend")
        place = service.place if service is not None else node.place
        entries["to"] = Sequence(tuple(text(f"{self._scheme(tunnel)}://{one}", place) for one in sorted(backend.hosts)), place)
        if "name" not in entries:
            entries["name"] = text(slug(self.ingress.namespace, self.ingress.name, host, path), node.place)
        if backend.names_pods and self.annotations.on("secure_upstream") and "tls_server_name" not in entries:
            name = self._service_name(node)
            entries["tls_server_name"] = text(f"{name}.{self.ingress.namespace}.svc.cluster.local", place)
        at = Place(node.place.file, node.place.line, node.place.column, f"{self.ingress} {node.place.path}")
        yield mapping(entries, at)

    def _from(self, tunnel: str, host: str, port: int) -> str:
        if tunnel == "ssh":
            return f"ssh://{host}"
        return f"{tunnel}+https://{host}:{port}" if tunnel else f"https://{host}"

    def _scheme(self, tunnel: str) -> str:
        if tunnel:
            return tunnel
        return "https" if self.annotations.on("secure_upstream") else "h2c" if self.annotations.on("h2c_upstream") else "http"

    def _path_key(self, tunnel: str, path: str, kind: str) -> str:
        if not kind:
            raise Rejected("path: pathType is required", "pathType: Prefix")
        if tunnel:
            if kind != "ImplementationSpecific":
                raise Rejected(f"path: {tunnel} services must have ImplementationSpecific path type")
            if path:
                raise Rejected(f"path: {tunnel} services must not specify path, got {path}")
            return ""
        keys = {"Exact": "path", "Prefix": "prefix", "ImplementationSpecific": "regex" if self.annotations.on("path_regex") else "prefix"}
        if kind not in keys:
            raise Rejected(f"path: unknown pathType {kind}")
        return keys[kind]

    def _service_name(self, node: Mapping) -> str:
        backend = node.mapping("backend")
        service = backend.mapping("service") if backend is not None else None
        return service.scalar("name") if service is not None else ""

    def _backend(self, node: Mapping) -> _Backend | None:
        """Where the path's Service is: its ExternalName, its own name, or the addresses of its pods."""
        backend = node.mapping("backend")
        wanted = backend.mapping("service") if backend is not None else None
        if wanted is None or backend is None:
            raise Rejected("backend: service must be specified", "backend: {service: {name: APP, port: {number: 80}}}")
        namespace, name = self.ingress.namespace, wanted.scalar("name")
        service = self.objects.get("Service", namespace, name)
        spec = service.mapping("spec") if service is not None else None
        port = self._port(wanted, spec, f"{namespace}/{name}")
        if port is None:
            return None
        own = f"{name}.{namespace}.svc.cluster.local:{port}"
        if spec is not None and spec.scalar("type") == "ExternalName":
            return _Backend([f"{spec.scalar('externalName')}:{port}"], port, False)
        if self.annotations.on("service_proxy_upstream"):
            return _Backend([own], port, False)
        pods = self._pods(namespace, name, wanted, spec)
        if pods:
            return _Backend(pods, port, True)
        message = f"Pomerium connects to the pods of Service {namespace}/{name}, whose addresses are not among the manifests"
        facts = {"service": f"{namespace}/{name}", "key": "backend"}
        self.problems.note(Failure.POD_ADDRESSES, backend.place, message, **facts)
        return _Backend([own], port, True)

    def _port(self, wanted: Mapping, spec: Mapping | None, shown: str) -> int | None:
        port = wanted.mapping("port")
        number, name = (port.scalar("number"), port.scalar("name")) if port is not None else ("", "")
        if not name:
            return int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 0
        for one in spec.items("ports") if spec is not None else ():
            if isinstance(one, Mapping) and one.scalar("name") == name and one.scalar("port").isdigit():
                return int(one.scalar("port"))
        if spec is not None:
            raise Rejected(f"backend: get service {shown} port by name {name}: could not find port {name} on service {shown}")
        guess = WELL_KNOWN.get(name)
        what = f", {guess} is taken for it" if guess else ", so this path cannot be probed"
        message = f"Service {shown} is not among the manifests, and only it says which number port {name} has{what}"
        place = wanted.place_of("port")
        self.problems.note(Failure.MANIFEST_REFERENCE, place, message, kind="Service", name=shown, key="backend.service.port.name")
        return guess

    def _pods(self, namespace: str, name: str, wanted: Mapping, spec: Mapping | None) -> list[str]:
        """Addresses of Endpoints or EndpointSlices, with the port that belongs to the Service's."""
        port = wanted.mapping("port")
        asked_name, asked = (port.scalar("name"), port.scalar("number")) if port is not None else ("", "")
        target = ""
        for one in spec.items("ports") if spec is not None else ():
            if isinstance(one, Mapping) and asked and one.scalar("port") == asked:
                target = one.scalar("targetPort") or asked
        hosts: list[str] = []
        for addresses, ports in self._subsets(namespace, name):
            for entry in ports:
                fits = entry.scalar("name") == asked_name if asked_name else entry.scalar("port") == target
                if fits and entry.scalar("port").isdigit():
                    hosts += [f"[{ip}]:{entry.scalar('port')}" if ":" in ip else f"{ip}:{entry.scalar('port')}" for ip in addresses]
        return hosts

    def _subsets(self, namespace: str, name: str) -> Iterator[tuple[list[str], list[Mapping]]]:
        endpoints = self.objects.get("Endpoints", namespace, name)
        for subset in endpoints.node.items("subsets") if endpoints is not None else ():
            if isinstance(subset, Mapping):
                addresses = [one.scalar("ip") for one in subset.items("addresses") if isinstance(one, Mapping) and one.scalar("ip")]
                yield addresses, [one for one in subset.items("ports") if isinstance(one, Mapping)]
        for piece in self.objects.of_kind("EndpointSlice") if endpoints is None else ():
            labels = piece.mapping("metadata", "labels")
            if piece.namespace == namespace and labels is not None and labels.scalar("kubernetes.io/service-name") == name:
                addresses = [
                    item.text
                    for one in piece.node.items("endpoints")
                    if isinstance(one, Mapping) and _ready(one)
                    for item in one.items("addresses")
                    if isinstance(item, Scalar)
                ]
                yield addresses, [one for one in piece.node.items("ports") if isinstance(one, Mapping)]


def _ready(endpoint: Mapping) -> bool:
    conditions = endpoint.mapping("conditions")
    return conditions is None or conditions.scalar("ready") != "false"


def is_ours(ingress: Object, objects: Objects) -> bool:
    """Whether Pomerium's controller takes the Ingress: by its class, or where it is annotated for Pomerium."""
    annotations = ingress.mapping("metadata", "annotations")
    if annotations is not None and any(key.startswith("ingress.pomerium.io/") for key in annotations):
        return True
    spec = ingress.mapping("spec")
    chosen = spec.scalar("ingressClassName") if spec is not None else ""
    chosen = chosen or (annotations.scalar("kubernetes.io/ingress.class") if annotations is not None else "")
    if not chosen or chosen in CLASSES:
        return True
    declared = next((one for one in objects.of_kind("IngressClass") if one.name == chosen), None)
    own = declared.mapping("spec") if declared is not None else None
    return own is not None and own.scalar("controller") == CONTROLLER


def in_order(routes: list[Mapping]) -> list[Mapping]:
    """The controller's order (route_list.go): from, then exact paths, expressions and prefixes, the longest first."""
    ordered = sorted(routes, key=lambda route: route.scalar("name"))
    for key in ("prefix", "regex", "path"):
        ordered.sort(key=lambda route: route.scalar(key), reverse=True)
    ordered.sort(key=lambda route: route.scalar("from"))
    return ordered
