"""Kubernetes manifests to the config that Pomerium gets from them: Ingresses, the Pomerium resource, configs within other objects.

Source: pomerium/ingress-controller at e78e756 (pomerium/ingress_to_route.go, ingress_annotations.go, config.go, proto.go).
"""

from __future__ import annotations

from ..nodes import Mapping, Node
from ..problems import Problems
from .embedded import is_helm_values

__all__ = ["config_of", "is_manifest"]


def config_of(documents: list[Node], texts: dict[str, bytes], problems: Problems) -> Mapping | None:
    """The config that the manifests make together; None where there is nothing for Pomerium among them (assemble.py)."""
    from .assemble import assemble  # the reader of Ingresses, which most configs do not need

    return assemble(documents, texts, problems)


def is_manifest(root: Mapping) -> bool:
    """Whether a document with lower-cased keys is a Kubernetes object or the values of Pomerium's Helm chart."""
    return bool(root.scalar("apiversion") and root.scalar("kind")) or is_helm_values(root)
