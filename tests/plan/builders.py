"""Routes and configs by hand: a URL is enough for an upstream, keywords for the rest."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pomprobe.model import Cluster, Config, Place, Route, RouteKind, Settings, Upstream
from pomprobe.plan import Bundle, plan

PLACE = Place("config.yaml", 1, 1)
SYSTEM = Bundle(system_ca=b"SYSTEM", system_ca_path="/etc/ssl/certs/ca-certificates.crt")
KINDS = {"https": RouteKind.HTTP, "http": RouteKind.HTTP, "tcp+https": RouteKind.TCP, "udp+https": RouteKind.UDP, "ssh": RouteKind.SSH}


def upstream(url: str) -> Upstream:
    """An upstream as the config reader makes it of a URL, with an optional weight behind a comma."""
    url, _, weight = url.partition(",")
    parts = urlsplit(url)
    netloc = parts.netloc.rpartition("@")[2]
    bracketed, _, port = netloc.rpartition(":") if ":" in netloc.rpartition("]")[2] else (netloc, "", "")
    return Upstream(
        url=url,
        scheme=parts.scheme,
        host=bracketed.strip("[]"),
        port=int(port) if port else (443 if parts.scheme.startswith("https") else 80),
        explicit_port=bool(port),
        path=parts.path,
        weight=int(weight) if weight else None,
        place=PLACE,
    )


def route(*to: str, from_url: str = "https://lab.example.com", index: int = 0, **keys: Any) -> Route:
    """A route to these URLs; keywords are the fields of Route, and their names count as keys that the config sets."""
    parts = urlsplit(from_url)
    defaults: dict[str, Any] = {"name": "lab", "kind": KINDS[parts.scheme], "from_host": parts.netloc.partition(":")[0]}
    defaults["cluster_name"] = f"{keys.get('key_name', 'route')}-{index}"
    defaults["places"] = dict.fromkeys(keys, PLACE)
    return Route(index=index, from_url=from_url, upstreams=tuple(map(upstream, to)), place=PLACE, **(defaults | keys))


def planned(*to: str, bundle: Bundle = SYSTEM, settings: Settings = Settings(), **keys: Any) -> Cluster:  # noqa: B008
    """The cluster of a config with this one route."""
    (cluster,) = plan(Config("config.yaml", (route(*to, **keys),), settings), bundle)
    assert cluster is not None
    return cluster
