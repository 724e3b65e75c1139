"""Which keys Pomerium knows, how it decodes them, and since which version.

Taken from the mapstructure tags of Pomerium's config/ (options.go, options_dns.go, options_databroker.go, autocert.go, policy.go,
config.gen.go) at the tags v0.29.0 to v0.33.1; removed keys from config/options_check.go.
"""

from __future__ import annotations

Version = tuple[int, int, int]
NEXT: Version = (10**6, 0, 0)
"""The version after the newest release."""


def version(written: str) -> Version:
    """ "0.33", "v0.30.5": without a patch number the last one of that line; "next" is after all. Raises ValueError."""
    if written == "next":
        return NEXT
    parts = written.strip().removeprefix("v").split(".")
    if not 2 <= len(parts) <= 3 or not all(part.isascii() and part.isdigit() and len(part) < 7 for part in parts):
        raise ValueError(f"{written!r} is no Pomerium version such as 0.33 or 0.30.5")
    return (int(parts[0]), int(parts[1]), int(parts[2]) if len(parts) == 3 else 10**6)


def supported(written: str) -> Version:
    """A version whose keys are known. Raises ValueError."""
    chosen = version(written)
    if chosen != NEXT and not (0, 29, 0) <= chosen < (0, 34, 0):
        raise ValueError(f"{written!r} is none of 0.29 to 0.33, or next")
    return chosen


_TEXT_KEYS = """
installation_id log_level proxy_log_level shared_secret shared_secret_file services address certificate certificate_key
certificate_file certificate_key_file http_redirect_addr policy_file authenticate_service_url authenticate_internal_service_url
signout_redirect_url cookie_name cookie_secret cookie_secret_file cookie_domain cookie_same_site idp_client_id idp_client_secret
idp_client_secret_file idp_provider idp_provider_url authorize_service_url authorize_internal_service_url override_certificate_name
certificate_authority certificate_authority_file tls_derive signing_key signing_key_file metrics_address metrics_basic_auth
metrics_certificate metrics_certificate_key metrics_certificate_file metrics_certificate_key_file metrics_client_ca
metrics_client_ca_file grpc_address ssh_address ssh_user_ca_key_file ssh_user_ca_key
google_cloud_serverless_authentication_service_account envoy_admin_access_log_path envoy_admin_profile_path envoy_admin_address
envoy_bind_config_source_address health_check_addr dns_lookup_family databroker_internal_service_url databroker_service_url
databroker_storage_connection_string databroker_storage_connection_string_file databroker_storage_type autocert_ca autocert_email
autocert_eab_key_id autocert_eab_mac_key autocert_dir autocert_trusted_ca autocert_trusted_ca_file otel_traces_exporter otel_log_level
otel_exporter_otlp_endpoint otel_exporter_otlp_traces_endpoint otel_exporter_otlp_protocol otel_exporter_otlp_traces_protocol
headersenv
"""
_BOOL_KEYS = """
insecure_server cookie_http_only grpc_insecure ssh_rls_enabled use_proxy_protocol skip_xff_append pass_identity_headers
health_check_systemd_disabled autocert autocert_use_staging autocert_must_staple auto_apply_changesets merge_slashes normalize_path
pomerium_debug
"""
_DURATION_KEYS = """
timeout_read timeout_write timeout_idle cookie_expire default_upstream_timeout grpc_client_timeout dns_failure_refresh_rate
dns_query_timeout dns_refresh_rate
"""
_LIST_KEYS = """
idp_scopes idp_access_token_allowed_audiences authorize_service_urls ssh_host_key_files ssh_host_keys dns_resolvers
programmatic_redirect_domain_whitelist mcp_allowed_client_id_domains mcp_allowed_as_metadata_domains databroker_service_urls
otel_resource_attributes otel_exporter_otlp_headers otel_exporter_otlp_traces_headers allow_upgrades envoy_dynamic_extensions
"""
_OTHER_KEYS = """
access_log_fields authorize_log_fields certificates identity_providers jwt_claims_headers debug_address ssh_rls_additional_entries
downstream_mtls runtime_flags circuit_breaker_thresholds blob_storage databroker_cluster_leader_id databroker_cluster_node_id
databroker_cluster_nodes databroker_raft_bind_address xff_num_trusted_hops otel_traces_sampler_arg otel_attribute_value_length_limit
otel_exporter_otlp_timeout otel_exporter_otlp_traces_timeout otel_bsp_schedule_delay otel_bsp_max_export_batch_size
bearer_token_format codec_type headers_with_underscores_action jwt_issuer_format path_with_escaped_slashes_action
session_recording_concurrency dns_query_tries dns_udp_max_queries dns_use_tcp envoy_bind_config_freebind idp_request_params policy
routes set_response_headers setresponseheaders jwtgroupsfilter brandingoptions additionalpolicies certificatedata
authenticate_callback_path
"""

GLOBAL_KEYS: dict[str, str] = {
    key: kind
    for kind, keys in {"text": _TEXT_KEYS, "bool": _BOOL_KEYS, "duration": _DURATION_KEYS, "list": _LIST_KEYS, "other": _OTHER_KEYS}.items()
    for key in keys.split()
}
"""Key at the top level -> how it is decoded."""

_ROUTE_TEXT = """
name description logo_url from prefix path regex prefix_rewrite regex_rewrite_pattern regex_rewrite_substitution host_rewrite
host_rewrite_header host_path_regex_rewrite_pattern host_path_regex_rewrite_substitution tls_server_name tls_downstream_server_name
tls_upstream_server_name tls_custom_ca tls_custom_ca_file tls_client_cert tls_client_key tls_client_cert_file tls_client_key_file
tls_downstream_client_ca tls_downstream_client_ca_file kubernetes_service_account_token kubernetes_service_account_token_file
idp_client_id idp_client_secret
"""
_ROUTE_BOOL = """
cors_allow_preflight allow_public_unauthenticated_access allow_any_authenticated_user allow_websockets allow_spdy tls_skip_verify
tls_upstream_allow_renegotiation preserve_host_header pass_identity_headers enable_google_cloud_serverless_authentication
show_error_details
"""
_ROUTE_LIST = """
allowed_users allowed_domains remove_request_headers idp_access_token_allowed_audiences identity_providers depends_on allow_upgrades
"""
_ROUTE_OTHER = """
to redirect response allowed_idp_claims regex_priority_order set_request_headers sub_policies rewrite_response_headers
set_response_headers policy mcp circuit_breaker_thresholds upstream_tunnel outlier_detection health_checks healthy_panic_threshold
bearer_token_format jwt_issuer_format load_balancing_policy session_recording _to_weights jwtgroupsfilter clientcertificate
"""
ROUTE_KEYS: dict[str, str] = {
    key: kind
    for kind, keys in {
        "text": _ROUTE_TEXT,
        "bool": _ROUTE_BOOL,
        "duration": "timeout idle_timeout",
        "list": _ROUTE_LIST,
        "map": "set_request_headers set_response_headers",
        "other": _ROUTE_OTHER,
    }.items()
    for key in keys.split()
    if not (kind == "other" and key in ("set_request_headers", "set_response_headers"))
}
"""Key of a route -> how it is decoded."""

_GLOBAL_SINCE = {
    "0.30.0": "circuit_breaker_thresholds ssh_address ssh_host_key_files ssh_host_keys ssh_user_ca_key ssh_user_ca_key_file",
    "0.30.5": "dns_query_timeout dns_query_tries dns_udp_max_queries dns_use_tcp",
    "0.30.6": "dns_failure_refresh_rate dns_refresh_rate",
    "0.31.0": "databroker_cluster_leader_id databroker_cluster_node_id databroker_cluster_nodes databroker_raft_bind_address "
    "health_check_addr health_check_systemd_disabled",
    "0.32.0": "debug_address dns_resolvers mcp_allowed_client_id_domains ssh_rls_additional_entries ssh_rls_enabled",
    "0.33.0": "allow_upgrades auto_apply_changesets blob_storage envoy_dynamic_extensions headers_with_underscores_action "
    "mcp_allowed_as_metadata_domains merge_slashes normalize_path path_with_escaped_slashes_action session_recording_concurrency",
    "0.34.0": "identity_providers",
}
_ROUTE_SINCE = {
    "0.30.0": "circuit_breaker_thresholds depends_on mcp",
    "0.31.0": "upstream_tunnel",
    "0.32.0": "load_balancing_policy healthy_panic_threshold",
    "0.33.0": "allow_upgrades session_recording",
    "0.34.0": "identity_providers",
}
GLOBAL_SINCE = {key: since for since, keys in _GLOBAL_SINCE.items() for key in keys.split()}
ROUTE_SINCE = {key: since for since, keys in _ROUTE_SINCE.items() for key in keys.split()}
GLOBAL_UNTIL = {"authenticate_callback_path": "0.31.0", "pomerium_debug": "0.32.0"}
"""Key -> the version that dropped it (it is an unknown key since)."""

REMOVED_GLOBAL = {
    "client_ca": "downstream_mtls: {ca: …}",
    "client_ca_file": "downstream_mtls: {ca_file: …}",
    "idp_service_account": "",
    "idp_refresh_directory_timeout": "",
    "idp_refresh_directory_interval": "",
    "idp_qps": "",
    "tracing_datadog_address": "otel_exporter_otlp_endpoint: http://HOST:4318",
    "tracing_jaeger_collector_endpoint": "otel_exporter_otlp_endpoint: http://HOST:4318",
    "tracing_jaeger_agent_endpoint": "otel_exporter_otlp_endpoint: http://HOST:4318",
    "tracing_zipkin_endpoint": "otel_exporter_otlp_endpoint: http://HOST:4318",
    "tracing_provider": "otel_traces_exporter: otlp",
    "tracing_sample_rate": "otel_traces_sampler_arg: 1.0",
}
"""Removed keys with which Pomerium does not start -> what stands in their place."""
REMOVED_ROUTE = {
    "allowed_groups": "policy: [{allow: {or: [{groups: {has: GROUP}}]}}]",
    "set_authorization_header": "set_request_headers: {Authorization: 'Bearer ${pomerium.id_token}'}",
}
REMOVED_MESSAGE = "some configuration options are no longer supported, please check logs for details"

ENVOY_CLUSTER_KEYS: dict[str, str] = {
    "lb_policy": "load_balancing_policy",
    "common_lb_config": "healthy_panic_threshold",
    "round_robin_lb_config": "load_balancing_policy",
    "least_request_lb_config": "load_balancing_policy",
    "ring_hash_lb_config": "load_balancing_policy",
    "maglev_lb_config": "load_balancing_policy",
    "connect_timeout": "",
    "per_connection_buffer_limit_bytes": "",
    "max_requests_per_connection": "",
    "circuit_breakers": "circuit_breaker_thresholds",
    "upstream_http_protocol_options": "",
    "common_http_protocol_options": "",
    "http_protocol_options": "",
    "http2_protocol_options": "",
    "dns_refresh_rate": "",
    "dns_failure_refresh_rate": "",
    "respect_dns_ttl": "",
    "dns_lookup_family": "",
    "dns_resolvers": "",
    "use_tcp_for_dns_lookups": "",
    "cleanup_interval": "",
    "upstream_bind_config": "",
    "lb_subset_config": "",
    "ignore_health_on_host_removal": "",
    "upstream_connection_options": "",
    "close_connections_on_host_health_failure": "",
    "protocol_selection": "",
    "track_timeout_budgets": "",
    "alt_stat_name": "",
    "preconnect_policy": "",
    "connection_pool_per_downstream_connection": "",
}
"""Fields of Envoy's Cluster that a route could hold before 0.32 -> today's key, where there is one."""

NESTED_ROUTE_KEYS: dict[str, str] = {
    "redirect": "https_redirect scheme_redirect host_redirect port_redirect path_redirect prefix_rewrite response_code strip_query",
    "response": "status body",
    "mcp": "server client",
    "mcp.server": "upstream_oauth2 max_request_bytes path authorization_server_url",
    "circuit_breaker_thresholds": "max_connections max_pending_requests max_requests max_retries max_connection_pools",
    "upstream_tunnel": "ssh_policy ssh_policy_rego",
    "session_recording": "enabled",
    "rewrite_response_headers": "header prefix value",
    "sub_policies": "id name allowed_users allowed_domains allowed_idp_claims rego source_ppl explanation remediation",
}
"""Mapping (or list of mappings) within a route -> the keys it may hold."""

RUNTIME_FLAGS: dict[str, bool] = {
    "add_extra_metrics_labels": True,
    "allow_any_sign_out_redirect_uri": False,
    "authorize_use_synced_data": True,
    "config_hot_reload": True,
    "debug_admin_endpoints": False,
    "envoy_resource_manager": True,
    "grpc_databroker_keepalive": True,
    "match_any_incoming_port": True,
    "mcp": True,
    "mcp_dynamic_client_registration": False,
    "pomerium_jwt_endpoint": False,
    "refresh_session_at_id_token_expiration": True,
    "routes_portal": True,
    "set_envoy_concurrency_to_go_max_procs": True,
    "ssh_allow_direct_tcpip": False,
    "ssh_routes_portal": False,
    "ssh_upstream_tunnel": False,
}
