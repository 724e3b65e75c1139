"""Where Pomerium's proxy finds Pomerium's authorize service, in a split deployment (config/options.go, GetInternalAuthorizeURLs)."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..model import Place, Upstream
from . import url
from .reader import Reader
from .upstreams import upstream

INTERNAL, ONE, MANY = "authorize_internal_service_url", "authorize_service_url", "authorize_service_urls"
DEFAULT = "http://127.0.0.1:{}"


def authorize(reader: Reader, services: Collection[str]) -> tuple[Upstream, ...]:
    """The service's URLs, each with the place of its key; none where this Pomerium serves no routes, or is that service itself.

    Without any key it is a port of this machine (GetAlternativePort): 5443, or 5444 where the routes have that one.
    """
    if "proxy" not in services or {"all", "authorize"} & set(services):
        return ()
    port = 5444 if reader.text("address").endswith(":5443") else 5443
    return tuple(_parsed(_written(reader))) or (upstream(url.parse(DEFAULT.format(port)), None, reader.place("services")),)


def _written(reader: Reader) -> Iterator[tuple[str, Place]]:
    if internal := reader.text(INTERNAL):
        yield internal, reader.place(INTERNAL)
        return
    if one := reader.text(ONE):
        yield one, reader.place(ONE)
    nodes = reader.mapping.items(MANY)
    for number, text in enumerate(reader.texts(MANY)):
        if text:
            yield text, nodes[number].place if number < len(nodes) else reader.place(MANY)


def _parsed(written: Iterator[tuple[str, Place]]) -> Iterator[Upstream]:
    for text, place in written:
        try:
            yield upstream(url.parse(text), None, place)
        except url.BadURL:  # refused already (validation.py)
            continue
