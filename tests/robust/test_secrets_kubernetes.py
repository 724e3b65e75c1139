"""Secrets of Kubernetes: what a manifest's Secrets hold, as text or base64, is in no output, whether the Ingress is taken or refused."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import yaml

from pomprobe.report import FORMATS
from robust.canaries import Canaries
from robust.running import run
from robust.test_secrets import pair

REFERENCES = {
    "headers": {"set_request_headers_secret": "headers"},
    "token": {"kubernetes_service_account_token_secret": "token", "secure_upstream": "true"},
    "client": {"tls_client_secret": "client", "secure_upstream": "true"},
    "no certificate": {"tls_client_secret": "headers", "secure_upstream": "true"},
    "no CA": {"tls_custom_ca_secret": "token", "secure_upstream": "true"},
    "none": {"set_response_headers_secret": "missing"},
}
"""Annotations that name a Secret: of the right kind, of another one, and one that is not there."""


def manifests(canaries: Canaries, reference: str) -> str:
    """An Ingress with these annotations, and Secrets beside it."""
    certificate, key = pair(canaries)
    secrets: dict[str, dict[str, object]] = {
        "headers": {"stringData": {"Authorization": f"Bearer {canaries['header']}", "X-Key": canaries["key"]}},
        "token": {"data": {"token": base64.b64encode(canaries["token"].encode()).decode()}},
        "client": {"type": "kubernetes.io/tls", "data": {"tls.crt": certificate, "tls.key": key}},
        "bootstrap": {"stringData": {name: canaries[name] for name in ("shared_secret", "cookie_secret", "signing_key", "client_secret")}},
    }
    annotations = {f"ingress.pomerium.io/{name}": value for name, value in REFERENCES[reference].items()}
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "app", "port": {"number": 80}}}}
    documents = [
        *({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "a"}, **one} for name, one in secrets.items()),
        {
            "apiVersion": "ingress.pomerium.io/v1", "kind": "Pomerium", "metadata": {"name": "global"},
            "spec": {"secrets": "a/bootstrap", "identityProvider": {"provider": "google", "secret": "a/bootstrap"}},
        },
        {
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": "app", "namespace": "a", "annotations": annotations},
            "spec": {"ingressClassName": "pomerium", "rules": [{"host": "app.example.com", "http": {"paths": [path]}}]},
        },
    ]  # fmt: skip
    return yaml.safe_dump_all(documents)


@pytest.mark.parametrize("reference", REFERENCES)
def test_no_secret_of_a_manifest(reference: str, tmp_path: Path) -> None:
    """Every command and format."""
    canaries = Canaries()
    path = tmp_path / "m.yaml"
    path.write_text(manifests(canaries, reference))
    probing = ("check", "-v", "--only", "dns", "--max-wait", "100ms")
    commands = [("lint",), ("list", "-v"), ("list", "-v", "-o", "json"), ("reproduce", "--print-config")]
    for command in [*commands, *((*probing, "-o", format) for format in FORMATS)]:
        ran = run(*command, str(path))
        assert "Traceback" not in ran.err
        assert [] == canaries.found(ran.all), (command, ran.all)
