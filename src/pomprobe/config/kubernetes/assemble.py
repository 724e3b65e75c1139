"""All manifests together as one config."""

from __future__ import annotations

from ...model import Place
from ..nodes import Mapping, Node, Sequence
from ..problems import Problems
from .embedded import LISTS, configs, helm_config, is_helm_values, merged
from .ingress import IngressReader, in_order, is_ours
from .nodes import mapping
from .objects import Objects
from .pomerium import settings

HOLDERS = ("ConfigMap", "Secret")


def assemble(documents: list[Node], texts: dict[str, bytes], problems: Problems) -> Mapping | None:
    """The config that the manifests make together; None where there is nothing for Pomerium among them.

    documents: with their keys as written. texts: file -> its bytes. Raises Unreadable for a config in a ConfigMap that is none.
    """
    objects = Objects.of(documents)
    whole = [helm_config(one) for one in documents if isinstance(one, Mapping) and is_helm_values(one)]
    whole += [one for one in documents if isinstance(one, Mapping) and "kind" not in one and any(key in one for key in LISTS)]
    for one in objects.of_kind(*HOLDERS):
        whole += configs(one, texts)
    entries: dict[str, Node] = {}
    for one in objects.of_kind("Pomerium"):
        entries |= settings(one, objects, problems)
    ingresses = [one for one in objects.of_kind("Ingress") if is_ours(one, objects)]
    routes = in_order([route for one in ingresses for route in IngressReader(one, objects, problems).routes()])
    if routes or ingresses:
        entries["routes"] = Sequence(tuple(routes), ingresses[0].node.place)
    if entries:
        place = next((one.node.place for one in objects.found), Place("", 1, 1))
        whole.append(mapping(entries, place))
    return merged(whole) if whole else None
