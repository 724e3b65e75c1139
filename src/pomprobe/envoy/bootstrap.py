"""Config and clusters -> an Envoy configuration that answers as Pomerium's would, and writes down what it answered.

Clusters come through a file (`cds.json`), so that one whose name is not answered holds back neither the listener nor the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..model import Cluster, Settings
from .cluster import HTTP1_OPTIONS, cluster_message
from .route import CHOICE, MUTATION, route_message
from .values import Message, Store, duration, extension, typed

CLUSTERS = "cds.json"
ACCESS_LOG = "access.log"
ADMIN = "admin.sock"
LISTENER = "pomprobe"

RUNTIME = {"re2.max_program_size.error_level": 1 << 20, "re2.max_program_size.warn_level": 1024}

LOGGED = {
    "route": "%ROUTE_NAME%",
    "choice": f"%REQ({CHOICE})%",
    "status": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "response_code_details": "%RESPONSE_CODE_DETAILS%",
    "upstream_host": "%UPSTREAM_HOST%",
    "duration_ms": "%DURATION%",
}
"""A line of the access log: never a header that goes upstream. choice: our own header, still there where no route took the request."""


def bootstrap(clusters: Iterable[Cluster], settings: Settings, choices: Mapping[int, str], folder: Path | None, store: Store) -> Message:
    """The configuration that Envoy starts with.

    choices: a route's index -> the header value that chooses it. folder: where it writes; None is the working directory, with the
    access log on standard output.
    """
    routes = [route_message(cluster, settings, choices[cluster.route.index], store) for cluster in clusters]
    return {
        "node": {"id": "pomprobe", "cluster": "pomprobe"},
        "admin": {"address": {"pipe": {"path": str(folder / ADMIN) if folder else ADMIN, "mode": 0o600}}},
        "layered_runtime": {"layers": [{"name": "static", "static_layer": RUNTIME}]},
        "dynamic_resources": {
            "cds_config": {"path_config_source": {"path": str(folder / CLUSTERS) if folder else CLUSTERS}, "resource_api_version": "V3"}
        },
        "static_resources": {"listeners": [_listener(routes, settings, folder)]},
    }


def discovery(messages: Iterable[Message]) -> Message:
    """The content of CLUSTERS."""
    return {"version_info": "1", "resources": [typed("config.cluster.v3.Cluster", **message) for message in messages]}


def static(clusters: Sequence[Cluster], settings: Settings, choices: Mapping[int, str], folder: Path | None, store: Store) -> Message:
    """The same in one piece, clusters included: to validate, and to print."""
    message = bootstrap(clusters, settings, choices, folder, store)
    del message["dynamic_resources"]
    message["static_resources"]["clusters"] = [cluster_message(cluster, settings, store) for cluster in clusters]
    return message


def _listener(routes: list[Message], settings: Settings, folder: Path | None) -> Message:
    common: Message = {
        "headers_with_underscores_action": "REJECT_REQUEST",
        "idle_timeout": duration(settings.timeout_idle),
        "max_headers_count": 1000,
    }
    if settings.timeout_write > 0:
        common["max_stream_duration"] = duration(settings.timeout_write)
    manager = extension(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="ingress",
        codec_type="AUTO",
        common_http_protocol_options=common,
        http_protocol_options=HTTP1_OPTIONS,
        max_request_headers_kb=128,
        request_timeout=duration(settings.timeout_read),
        merge_slashes=True,
        normalize_path=True,
        path_with_escaped_slashes_action="REJECT_REQUEST",
        # The client names itself in X-Forwarded-For, as an outside one behind Pomerium's own TLS would appear.
        use_remote_address=True,
        skip_xff_append=True,
        xff_num_trusted_hops=1,
        access_log=[_access_log(folder)],
        local_reply_config={"body_format": _text("%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n")},
        http_filters=[
            extension(MUTATION, "extensions.filters.http.header_mutation.v3.HeaderMutation"),
            extension("envoy.filters.http.router", "extensions.filters.http.router.v3.Router"),
        ],
        route_config={
            "name": "main",
            "validate_clusters": False,
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}],
        },
    )
    return {
        "name": LISTENER,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": [{"filters": [manager]}],
    }


def _access_log(folder: Path | None) -> Message:
    if folder is None:
        return extension(
            "envoy.access_loggers.stdout",
            "extensions.access_loggers.stream.v3.StdoutAccessLog",
            log_format={"json_format": LOGGED},
        )
    return extension(
        "envoy.access_loggers.file",
        "extensions.access_loggers.file.v3.FileAccessLog",
        path=str(folder / ACCESS_LOG),
        log_format={"json_format": LOGGED},
    )


def _text(line: str) -> Message:
    return {"text_format_source": {"inline_string": line}}
