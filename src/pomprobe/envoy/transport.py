"""UpstreamTLS -> Envoy's TLS transport socket, as Pomerium builds it (config/envoyconfig/clusters.go and tls.go)."""

from __future__ import annotations

import ipaddress
import re

from ..model import UpstreamTLS
from .values import Message, Store, extension

CIPHERS = (
    "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "AES128-GCM-SHA256",
    "AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA", "AES256-GCM-SHA384", "AES256-SHA",
)  # fmt: skip
CURVES = ("X25519", "P-256", "P-384", "P-521")


def transport_socket(context: UpstreamTLS, route: int, store: Store) -> Message:
    """The transport socket of one upstream of the route with this index."""
    validation: Message = {"match_typed_subject_alt_names": [_matcher(context.match_name)]}
    if context.trust is not None:
        validation["trusted_ca"] = store.source(context.trust, context.trust_file)
    if context.skip_verify:
        validation["trust_chain_verification"] = "ACCEPT_UNTRUSTED"
    common: Message = {
        "tls_params": {
            "cipher_suites": list(CIPHERS),
            "ecdh_curves": list(CURVES),
            "tls_minimum_protocol_version": "TLSv1_2",
            "tls_maximum_protocol_version": "TLSv1_3",
        },
        "alpn_protocols": list(context.alpn),
        "validation_context": validation,
    }
    if context.client_cert is not None and context.client_key is not None:
        common["tls_certificates"] = [
            {
                "certificate_chain": store.source(context.client_cert, context.client_cert_file),
                "private_key": store.key(route, context.client_key, context.client_key_file),
            }
        ]
    return extension(
        "tls",
        "extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        common_tls_context=common,
        sni=context.server_name,
        allow_renegotiation=context.allow_renegotiation,
    )


def _matcher(name: str) -> Message:
    try:
        return {"san_type": "IP_ADDRESS", "matcher": {"exact": str(ipaddress.ip_address(name))}}
    except ValueError:
        pass
    if "*" in name:
        return {"san_type": "DNS", "matcher": {"safe_regex": {"regex": re.escape(name).replace(r"\*", ".*")}}}
    return {"san_type": "DNS", "matcher": {"exact": name}}
