"""Pomerium's name of a route's cluster, which users see in Envoy's logs and as the Host of a health check without one. The door to xxhash.

Source: config/policy.go (generateRouteID), internal/hashutil, config/envoyconfig/routes.go (GetClusterID); for an Ingress, whose routes
have an id of their own, the controller's pomerium/route_list.go. Tested against the ids in Pomerium's own tests.
"""

from __future__ import annotations

import json
import re
import struct
import unicodedata
from collections.abc import Sequence

import xxhash

from .keys import Version
from .url import URL, encoded, unescaped

EMPTY = struct.pack("<i", 0)
_PLAIN = re.compile(r"[A-Za-z0-9$&+,/:;=@_.~-]*\Z")
QUOTES = str.maketrans("", "", "\"'’")
WORDS = str.maketrans({"&": "and", "@": "at", **dict.fromkeys("‒–—―", "-")})


def cluster_name(name: str, match: tuple[str, str, str, str], to: bytes, version: Version) -> str:
    """`NAME-ID`, or `route-ID`. match: from, prefix, path and regex as written; to: of `upstreams`."""
    digest = xxhash.xxh3_64(b"".join(map(_text, match)) + to)
    identity = digest.hexdigest() if version >= (0, 30, 0) else f"{digest.intdigest():x}"
    return f"{name or 'route'}-{identity}"


def upstreams(parsed: Sequence[tuple[URL, int | None]]) -> bytes:
    """What is hashed of the URLs of `to` and their weights: userinfo and fragment too, the query not."""
    return b"\x01" + struct.pack("<i", len(parsed)) + b"".join(_upstream(url, weight or 0) for url, weight in parsed)


def ingress_cluster_name(namespace: str, name: str, host: str, path: str) -> str:
    """The name for one path of an Ingress: a slug, and the controller's id in JSON."""
    identity = json.dumps({"n": name, "ns": namespace, "h": host, "p": path}, ensure_ascii=False, separators=(",", ":"))
    identity = re.sub("[<>&\u2028\u2029]", lambda match: f"\\u{ord(match[0]):04x}", identity)
    return f"{slug(namespace, name, host, path)}-{identity}"


def slug(namespace: str, name: str, host: str, path: str) -> str:
    """The name that the controller gives a route without one: words of namespace, name, host and path (gosimple/slug)."""
    whole, behind = _slug(f"{namespace} {name} {host}"), _slug(path)
    return f"{whole}-{behind}" if behind else whole


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.strip().translate(QUOTES).translate(WORDS))
    lowered = "".join(char for char in plain if not unicodedata.combining(char)).lower()
    return re.sub("-{2,}", "-", re.sub("[^a-z0-9_-]", "-", lowered)).strip("-_")


def _text(text: str) -> bytes:
    return _bytes(text.encode("utf-8", "surrogatepass")) if text else EMPTY


def _bytes(data: bytes) -> bytes:
    return struct.pack("<i", len(data)) + data if data else EMPTY


def _upstream(one: URL, weight: int) -> bytes:
    user = b"\x00"
    if one.userinfo is not None:
        name, _, password = one.userinfo.partition(":")
        user = b"\x01" + _bytes(unescaped(name)) + _bytes(unescaped(password))
    parts = _text(one.scheme) + _text(one.opaque) + user + _text(one.host) + _decoded(one.written_path)
    return parts + bytes((one.omit_host, one.force_query)) + _decoded(one.fragment, "?!()*") + struct.pack("<I", weight)


def _decoded(written: str, more: str = "") -> bytes:
    """Go's Path and RawPath, or Fragment and RawFragment: the second is empty where Go would write the first the same way."""
    data = unescaped(written)
    if _PLAIN.match(written):
        return _bytes(data) + EMPTY
    return _bytes(data) + _text("" if encoded(data, more) == written else written)
