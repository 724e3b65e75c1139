"""Kubernetes manifests to the config that Pomerium gets from them: Ingresses, the Pomerium resource, configs within other objects.

Source: pomerium/ingress-controller at e78e756 (pomerium/ingress_to_route.go, ingress_annotations.go, config.go, proto.go).
"""

from __future__ import annotations

from ..nodes import Mapping
from .assemble import assemble
from .embedded import is_helm_values

__all__ = ["assemble", "is_manifest"]


def is_manifest(root: Mapping) -> bool:
    """Whether a document with lower-cased keys is a Kubernetes object or the values of Pomerium's Helm chart."""
    return bool(root.scalar("apiversion") and root.scalar("kind")) or is_helm_values(root)
