"""`to`: every shape that Pomerium takes, weights, and the rules for mixing schemes (config/custom.go, policy.go)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from ..model import Place, Upstream
from . import route_id, url
from .duration import quote
from .nodes import Kind, Node, Scalar, Sequence, integer
from .problems import Problems
from .values import decimal, is_true

SECURE = ("https", "https+unix")
KNOWN_PORTS = {"ssh": 22}
MAX_WEIGHT = 2**32 - 1
MIXED_WEIGHTS = "either no weights should be provided, or all endpoints must have non-zero weight specified"
TEMPLATE = re.compile(r"\$\{[^}\n]*\}|\{\{.*?\}\}|<%.*?%>|\$\([A-Za-z_][A-Za-z0-9_]*\)")
"""What templates and shells leave behind; Pomerium expands none of it."""
RENDER = "the value itself (Pomerium expands neither ${VAR} nor {{ }}: render the file first)"
_LIKE_HOST = re.compile(r"[A-Za-z0-9_.*-]+(:[0-9]+)?(/.*)?\Z")


def read_upstreams(node: Node, route_path: str, problems: Problems) -> tuple[tuple[Upstream, ...], bytes]:
    """The entries of `to`, and what they add to the route's id; an entry that Pomerium refuses becomes a problem in its words."""
    found: list[Upstream] = []
    parsed: list[tuple[url.URL, int | None]] = []
    refused = False
    for text, place in leaves(node):
        try:
            one, weight = entry(text)
            found.append(upstream(one, weight, place))
            parsed.append((one, weight))
        except url.BadURL as error:
            refused = True
            slug, write = advice(text, str(error))
            write = f"to: {write}" if write and slug != "template" else write
            problems.refuse(slug, place, f"'{route_path}' {error}", key="to", value=url.mask(text)[:200], write=write)
    if refused:
        return tuple(found), b""
    if not found:
        problems.refuse("to_missing", node.place, f"'{route_path}' url list is empty", key="to", write="to: http://HOST:PORT")
    elif len({one.weight is None for one in found}) > 1:
        without = next(one for one in found if one.weight is None)
        problems.refuse("weight", without.place, f"'{route_path}' {MIXED_WEIGHTS}", key="to", write=f"to: {without.url},1")
    return tuple(found), route_id.upstreams(parsed)


def leaves(node: Node) -> Iterator[tuple[str, Place]]:
    """All scalars of nested lists and mappings, mappings in the order of their keys, as Pomerium's StringSlice collects them."""
    if isinstance(node, Scalar):
        if not node.is_null:
            yield _printed(node), node.place
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from leaves(item)
    else:
        for key in sorted(node.entries):
            yield from leaves(node.entries[key])


def _printed(node: Scalar) -> str:
    """fmt.Sprint of what JSON makes of the scalar."""
    match node.kind:
        case Kind.BOOLEAN:
            return "true" if is_true(node) else "false"
        case Kind.INTEGER:
            return decimal(str(integer(node.text)))
        case Kind.FLOAT:
            return decimal(node.text)
        case Kind.TIME:
            return _rfc3339(node.text)
    return node.text


def _rfc3339(text: str) -> str:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return text
    return parsed.replace(tzinfo=parsed.tzinfo or UTC).isoformat().replace("+00:00", "Z")


def entry(text: str) -> tuple[url.URL, int | None]:
    """One entry, `URL` or `URL,WEIGHT`. Raises BadURL with Pomerium's words."""
    written, comma, weight_text = text.partition(",")
    weight = _weight(weight_text, text) if comma else None
    whole = text if "@" in weight_text else ""  # a comma within a password
    try:
        parsed = url.parse(written, whole)
    except url.BadURL as error:
        raise url.BadURL(f"{url.mask(written, whole)}: {error}") from None
    if parsed.host[:1] in ("", ":") and parsed.scheme not in url.UNIX_SCHEMES:
        raise url.BadURL("endpoint hostname must be specified")
    return parsed, weight


def upstream(parsed: url.URL, weight: int | None, place: Place) -> Upstream:
    default = 443 if parsed.scheme in SECURE else 80
    return Upstream(
        url=parsed.bare,
        scheme=parsed.scheme,
        host=parsed.hostname,
        port=_port(parsed.port, default),
        explicit_port=bool(parsed.port),
        path=parsed.path,
        weight=weight,
        place=place,
    )


def _port(text: str, default: int) -> int:
    """The port; one that does not fit 32 bits is taken for the default (envoyconfig.go, buildListenAddresses)."""
    digits = text.lstrip("0") or text[:1]
    return int(digits) if digits and len(digits) <= 10 and int(digits) < 2**32 else default


def _weight(text: str, whole: str) -> int:
    """Go's strconv.ParseUint(text, 10, 32), zero refused. What may be part of a query or a password is not repeated."""
    if not (text.isascii() and text.isdigit()):
        shown = text[:80] if url.mask(whole) == whole else "xxxxx"
        raise url.BadURL(f"strconv.ParseUint: parsing {quote(shown)}: invalid syntax")
    digits = text.lstrip("0") or "0"
    if len(digits) > 10 or int(digits) > MAX_WEIGHT:
        raise url.BadURL(f"strconv.ParseUint: parsing {quote(text[:80])}: value out of range")
    if digits == "0":
        raise url.BadURL("zero load balancing weight not permitted")
    return int(digits)


def advice(text: str, message: str) -> tuple[str, str]:
    """The slug of what is wrong with an entry, and what to write instead where that can be told."""
    if TEMPLATE.search(text):
        return "template", RENDER
    written, comma, weight = text.partition(",")
    if "load balancing weight" in message or "strconv.ParseUint" in message:
        number = weight.strip()
        fine = number.isascii() and number.isdigit() and 0 < int(number[:10]) <= MAX_WEIGHT
        return "weight", f"{url.mask(written, text)},{number if fine else 1}"
    tail = f",{weight}" if comma and weight.isdigit() else ""
    if "does not contain a valid scheme" in message or "first path segment" in message:
        return "to_no_scheme", f"http://{url.mask(written)}{tail}" if _LIKE_HOST.match(written) else ""
    if "valid hostname" in message or "hostname must be specified" in message:
        scheme, _, rest = written.partition(":")
        if scheme == "http+unix":
            return "to_no_host", f"unix:{url.mask(rest)}{tail}"
        if rest[:1].isdigit():  # localhost:8080 is read as the scheme `localhost`
            return "to_no_host", f"http://{url.mask(written)}{tail}"
        if _LIKE_HOST.match(rest.lstrip("/")):  # http:/app
            return "to_no_host", f"{scheme}://{rest.lstrip('/')}{tail}"
        return "to_no_host", ""
    return ("to_empty" if "cannot be empty" in message else "to_invalid"), ""


def mixing_error(upstreams: tuple[Upstream, ...]) -> tuple[str, str] | None:
    """The slug and Pomerium's message where schemes are mixed that cannot be (policy.go, Validate)."""
    schemes = {one.scheme for one in upstreams}
    if len(schemes) < 2:
        return None
    for scheme, slug, message in (
        ("tcp", "mixed_tcp", "config: cannot mix tcp and non-tcp To URLs"),
        ("udp", "mixed_udp", "config: cannot mix udp and non-udp To URLs"),
        ("unix", "mixed_unix", "config: cannot mix unix and non-unix To URLs"),
        ("https+unix", "mixed_unix", "config: cannot mix unix and non-unix To URLs"),
    ):
        if scheme in schemes:
            return slug, message
    return None
