"""Annotations of an Ingress to keys of a route (pomerium/ingress_annotations.go, proto.go): YAML, read strictly as protobuf."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

from ...model import Failure, Place
from .. import duration
from ..checks.keys import nearest
from ..document import documents
from ..keys import ENVOY_CLUSTER_KEYS
from ..messages import HEALTH_CHECK, OUTLIER_DETECTION
from ..nodes import Kind, Mapping, Node, Scalar, Sequence
from ..problems import Problems, Unreadable
from ..protojson import Message, a_bool, a_duration, a_string, camel, proto_text
from ..values import Refused
from .nodes import mapping, moved, text
from .objects import Object, Objects, secret_data

PREFIX = "ingress.pomerium.io/"
BOOLS = (
    "allow_any_authenticated_user allow_public_unauthenticated_access allow_spdy allow_websockets cors_allow_preflight "
    "enable_google_cloud_serverless_authentication pass_identity_headers preserve_host_header tls_skip_verify"
)
TEXTS = (
    "description host_path_regex_rewrite_pattern host_path_regex_rewrite_substitution host_rewrite_header host_rewrite "
    "load_balancing_policy logo_url name prefix_rewrite regex_rewrite_pattern regex_rewrite_substitution tls_server_name "
    "bearer_token_format"
)
LISTS = "allow_upgrades depends_on idp_access_token_allowed_audiences remove_request_headers"
OTHERS = (
    "circuit_breaker_thresholds health_checks healthy_panic_threshold idle_timeout outlier_detection rewrite_response_headers "
    "set_request_headers set_response_headers timeout"
)
POLICY = "allowed_domains allowed_idp_claims allowed_users policy"
ELSEWHERE = (
    "path_regex secure_upstream ssh_upstream tcp_upstream udp_upstream h2c_upstream service_proxy_upstream subtle_allow_empty_host "
    "tls_client_secret tls_custom_ca_secret tls_downstream_client_ca_secret kubernetes_service_account_token_secret "
    "set_request_headers_secret set_response_headers_secret identity_provider_secret mcp_server mcp_server_max_request_bytes "
    "mcp_server_upstream_oauth2_authorization_url_params mcp_server_upstream_oauth2_secret mcp_server_upstream_oauth2_token_url "
    "mcp_server_upstream_oauth2_auth_url mcp_server_upstream_oauth2_scopes mcp_server_upstream_oauth2_auth_style mcp_server_path "
    "mcp_server_authorization_server_url mcp_client upstream_tunnel upstream_tunnel_ssh_policy"
)
CONVERTED: dict[str, Callable[[Node, str], object] | None] = {
    **dict.fromkeys(BOOLS.split(), a_bool),
    **dict.fromkeys(TEXTS.split(), a_string),
    **dict.fromkeys((*LISTS.split(), *OTHERS.split())),
}
KNOWN = (*CONVERTED, *POLICY.split(), *ELSEWHERE.split())
UNSUPPORTED = {"allowed_groups": "https://docs.pomerium.com/docs/overview/upgrading#idp-directory-sync"}
INSTEAD = {"tls_upstream_server_name": "tls_server_name", "tls_custom_ca": "tls_custom_ca_secret", "to": "service_proxy_upstream"}


@dataclass(slots=True)
class Annotations:
    """The annotations of one Ingress: `keys` of every route of it, and whether the controller refuses the Ingress."""

    flags: dict[str, str]
    keys: dict[str, Node]
    refused: bool = False

    def on(self, name: str) -> bool:
        """A switch: "true" in any case (model.IsAnnotationSet)."""
        return self.flags.get(name, "").lower() == "true"


def read_annotations(ingress: Object, objects: Objects, problems: Problems) -> Annotations:
    written = ingress.mapping("metadata", "annotations")
    found = Annotations({}, {})
    for full_name, node in written.entries.items() if written is not None else ():
        if not full_name.startswith(PREFIX) or not isinstance(node, Scalar):
            continue
        name = full_name.removeprefix(PREFIX)
        assert written is not None
        if name not in KNOWN:
            found.refused = True
            _unknown(name, written.keys[full_name], problems)
            continue
        found.flags[name] = node.text
        if name not in CONVERTED:
            continue
        try:
            found.keys[name] = _converted(name, node)
        except Refused as refused:
            found.refused = True
            facts = {"key": full_name, "value": node.text[:200], "write": refused.write}
            problems.note(Failure.ANNOTATION_INVALID, node.place, f"annotations: {refused}", **facts)
    _mcp(found, written)
    _secrets(found, written, ingress, objects, problems)
    return found


def _unknown(name: str, place: Place, problems: Problems) -> None:
    if name in UNSUPPORTED:
        message = f"annotations: {PREFIX}{name} no longer supported, see {UNSUPPORTED[name]}"
        problems.note(Failure.ANNOTATION_UNKNOWN, place, message, key=PREFIX + name, nearest="policy", write=f"{PREFIX}policy")
        return
    near = INSTEAD.get(name) or ENVOY_CLUSTER_KEYS.get(name) or nearest(name.lower(), KNOWN)
    message = f"annotations: unknown {PREFIX}{name}"
    problems.note(
        Failure.ANNOTATION_UNKNOWN, place, message, key=PREFIX + name[:100], nearest=near, write=f"{PREFIX}{near}" if near else ""
    )


def _converted(name: str, annotation: Scalar) -> Node:
    """The annotation's YAML as a node at the annotation's place. Raises Refused with protojson's words."""
    try:
        inner = next(documents(annotation.text.encode("utf-8", "surrogateescape"), annotation.place.file, lower=False), None)
    except Unreadable as error:
        raise Refused(f"{name}: {error.message}", "yaml", annotation) from None
    node = moved(inner, annotation.place) if inner is not None else text("", annotation.place, Kind.NULL)
    if isinstance(node, Scalar) and node.is_null:
        return node
    check = CONVERTED[name]
    if check is not None:
        check(node, camel(name))
    elif name in ("timeout", "idle_timeout"):
        node = _in_protobuf(node)
        a_duration(node, name)
        return text(annotation.text.strip().strip("\"'"), annotation.place) if isinstance(node, Scalar) else node
    elif name == "health_checks":
        node = _strict_list(node, HEALTH_CHECK)
    elif name == "outlier_detection":
        node = _strict(node, OUTLIER_DETECTION)
    elif name in LISTS.split() and not isinstance(node, Sequence):
        raise Refused(f"proto: unexpected token {node.text if isinstance(node, Scalar) else '{'}", "type", node, write=f'{name}: "[…]"')
    return node


def _in_protobuf(node: Node) -> Node:
    """A Go duration as protobuf's JSON writes it; anything else stays (proto.go, goDurationStringToProtoJSONDurationString)."""
    if not isinstance(node, Scalar) or node.kind is not Kind.STRING:
        return node
    try:
        return Scalar(proto_text(duration.parse(node.text)), Kind.STRING, node.place)
    except duration.BadDuration:
        return node


def _strict_list(node: Node, message: Message) -> Node:
    if not isinstance(node, Sequence):
        raise Refused("proto: unexpected token " + ("{" if isinstance(node, Mapping) else node.text), "type", node)
    return Sequence(tuple(_strict(item, message) for item in node.items), node.place)


def _strict(node: Node, message: Message) -> Node:
    """Durations converted; a field that the message does not have is refused, other than in a config file."""
    if not isinstance(node, Mapping):
        return node
    entries: dict[str, Node] = {}
    for key, item in node.entries.items():
        field = message.fields.get(key)
        if field is None:
            raise Refused(f'proto: unknown field "{key}"', "type", node, write=nearest(key, message.fields))
        if isinstance(field, Message):
            entries[key] = _strict(item, field)
        else:
            entries[key] = _in_protobuf(item) if field is a_duration else item
    return Mapping(entries, node.written, node.keys, node.place)


def _mcp(found: Annotations, written: Mapping | None) -> None:
    for name, mode in (("mcp_server", "server"), ("mcp_client", "client")):
        names = [one for one in found.flags if one == name or (mode == "server" and one.startswith("mcp_server_"))]
        if names and written is not None:
            place = written.place_of(PREFIX + names[0])
            found.keys["mcp"] = mapping({mode: mapping({}, place)}, place)
    if "upstream_tunnel" in found.flags and written is not None:
        found.keys["upstream_tunnel"] = mapping({}, written.place_of(PREFIX + "upstream_tunnel"))


def _secrets(found: Annotations, written: Mapping | None, ingress: Object, objects: Objects, problems: Problems) -> None:
    """Annotations that name a Secret of the same namespace; its entries become base64 keys of the route."""
    wanted = {
        "tls_custom_ca_secret": {"ca.crt": "tls_custom_ca"},
        "tls_client_secret": {"tls.crt": "tls_client_cert", "tls.key": "tls_client_key"},
        "kubernetes_service_account_token_secret": {"token": "kubernetes_service_account_token"},
    }
    for name, entries in wanted.items():
        if name not in found.flags or written is None:
            continue
        place = written.place_of(PREFIX + name)
        secret = objects.get("Secret", ingress.namespace, found.flags[name])
        for entry, key in entries.items():
            data = secret_data(secret, entry) if secret is not None else None
            if data is not None:
                encoded = base64.b64encode(data).decode() if key.startswith("tls_") else data.decode("utf-8", "replace")
                found.keys[key] = text(encoded, place)
            elif key == "kubernetes_service_account_token":
                found.keys[key] = text("from a Secret", place)  # the kind of the route follows from it, not its token
        if secret is None or any(secret_data(secret, entry) is None for entry in entries):
            shown = f"{ingress.namespace}/{found.flags[name]}"
            message = f"Secret {shown} with {' and '.join(entries)} is not among the manifests"
            problems.note(Failure.MANIFEST_REFERENCE, place, message, kind="Secret", name=shown, key=PREFIX + name)
