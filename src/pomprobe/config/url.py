"""URLs as Go's net/url and Pomerium's urlutil read them, with their messages; userinfo, query and fragment never get into a message.

Source: net/url of Go 1.26 (Parse, parseAuthority, parseHost, URL.String); Pomerium's internal/urlutil/url.go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Protocol
from urllib.parse import quote as percent

from .duration import quote

UNIX_SCHEMES = ("unix", "https+unix")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)\Z", re.S)
_PLAIN = re.compile(r"([a-z][a-z0-9+.-]*)://([A-Za-z0-9.-]+(?::[0-9]*)?)((?:/[A-Za-z0-9$&+,:;=@_.~/-]*)?)\Z")
"""URLs of which every part means itself."""
_PORT = re.compile(r"(:[0-9]*)?\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_BAD_IN_HOST = re.compile(r"%(?![0-9A-Fa-f]{2})|%(?=[0-7][0-9A-Fa-f])(?!25)|[\x00-\x20\\^`{|}#?/@\x7f]")
_USERINFO = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*\Z")
_ENCODED = re.compile(r"[A-Za-z0-9$&+,/:;=@\-_.~!'()*\[\]%]*\Z")
_NO_PORT = re.compile(
    r"(?:(?:[a-z0-9]+\+)?(?:https?|h2c|tcp|udp|ssh|unix):/*+|//)?+[^/?#:\[\]]*+:(?![${<])(?=[^/?#]*[^/?#0-9])([^/?#]{7,})"
)
"""What stands where a port belongs, and is much longer than one: the password of a userinfo whose @ is missing or behind a slash."""
_MASK = "xxxxx"  # what Go's URL.Redacted writes


class BadURL(ValueError):
    """Text that Pomerium does not take for a URL; the message is Go's or Pomerium's."""


@dataclass(slots=True)
class URL:
    """The parts of a URL. `host` is as written, with port and brackets; `path` is unescaped."""

    scheme: str
    host: str = ""
    path: str = ""
    opaque: str = ""
    userinfo: str | None = field(default=None, repr=False)  # as written
    has_query: bool = False
    fragment: str = field(default="", repr=False)  # as written
    shown: str = ""  # URL.String() with userinfo, query and fragment masked
    bare: str = ""  # scheme, host and path only
    written_path: str = ""
    omit_host: bool = False
    force_query: bool = False  # a bare `?` at the end

    @property
    def has_user(self) -> bool:
        return self.userinfo is not None

    @property
    def has_fragment(self) -> bool:
        return bool(self.fragment)

    @property
    def hostname(self) -> str:
        """The host without port and brackets (Go's splitHostPort)."""
        host = self._split()[0]
        return host[1:-1] if host.startswith("[") and host.endswith("]") else host

    @property
    def port(self) -> str:
        return self._split()[1]

    def _split(self) -> tuple[str, str]:
        host, colon, port = self.host.rpartition(":")
        return (host, port) if colon and (not port or (port.isascii() and port.isdigit())) else (self.host, "")


class _Refuse(Protocol):
    def __call__(self, reason: str, detail: str | None = None) -> BadURL: ...


def parse(text: str, whole: str = "") -> URL:
    """Pomerium's ParseAndValidateURL. whole: what the text is the beginning of, if a password may go on behind it. Raises BadURL."""
    plain = _PLAIN.match(text)
    if plain and not whole and "@" not in text:
        return URL(plain[1], plain[2], plain[3], shown=text, bare=text, written_path=plain[3])
    if not text:
        raise BadURL("url cannot be empty")
    url = _parse(text, whole)
    bad = _ESCAPE.search(text.partition("#")[2])
    if bad:
        raise BadURL(f"parse {quote(mask(text, whole))}: invalid URL escape {quote(bad.string[bad.start() : bad.start() + 3])}")
    if not url.scheme:
        raise BadURL(f"{url.shown} url does not contain a valid scheme")
    if not url.host and url.scheme not in UNIX_SCHEMES:
        raise BadURL(f"{url.shown} url does not contain a valid hostname")
    return url


def parse_any(text: str) -> URL:
    """Go's url.Parse alone: scheme and host may be missing. Raises BadURL."""
    return _parse(text)


def mask(text: str, whole: str = "") -> str:
    """`text` with what may be userinfo, query or fragment replaced; a password may hold any character, so up to the last @."""
    before, at, after = (whole or text).rpartition("@")
    if at:
        start = before.find("//")
        return f"{before[: start + 2] if start >= 0 else ''}{_MASK}@{_cut(after)}"
    text = _cut(text)
    password = _NO_PORT.match(text)
    return text if password is None else f"{text[: password.start(1)]}{_MASK}{text[password.end(1) :]}"


def _cut(text: str) -> str:
    end = re.search(r"[?#]", text)
    return text if end is None or end.end() == len(text) else text[: end.end()] + _MASK


def _parse(text: str, whole: str = "") -> URL:
    raw, _, fragment = text.partition("#")
    secret = "@" in (whole or text) or _NO_PORT.match(text) is not None

    def refuse(reason: str, detail: str | None = None) -> BadURL:
        if detail is not None:
            reason = reason % quote(_MASK if secret else detail)
        return BadURL(f"parse {quote(mask(text if secret else raw, whole))}: {reason}")

    if _CONTROL.search(raw):
        raise refuse("net/url: invalid control character in URL")
    if raw.startswith(":"):
        raise refuse("missing protocol scheme")
    match = _SCHEME.match(raw)
    scheme, rest = (match[1].lower(), match[2]) if match else ("", raw)
    rest, question, query = rest.partition("?")
    tail = (f"?{_MASK if query else ''}" if question else "") + (f"#{_MASK}" if fragment else "")
    opaque = host = authority = ""
    omit_host = False
    if not rest.startswith("/"):
        if scheme:
            return URL(scheme, opaque=rest, has_query=bool(query), fragment=fragment, shown=f"{mask(f'{scheme}:{rest}')}{tail}")
        if ":" in rest.partition("/")[0]:
            raise refuse("first path segment in URL cannot contain colon, have you specified protocol (ex: https)")
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        rest = slash + path
        host = _host(scheme, authority.rpartition("@")[2], refuse)
        if not _USERINFO.match(authority.rpartition("@")[0]):
            raise refuse("net/url: invalid userinfo")
    elif scheme:
        omit_host = True
    bad = _ESCAPE.search(rest)
    if bad:
        raise refuse("invalid URL escape %s", rest[bad.start() : bad.start() + 3])
    has_user = "@" in authority
    path = re.sub(r"/[^/]*:[^/]*@", f"/{_MASK}@", _escaped(rest))  # userinfo behind one slash too many
    slashes = "//" if not omit_host and (host or rest or has_user) else ""
    start = f"{scheme}:{slashes}" if scheme else slashes if host or has_user else ""
    bare = f"{start}{host}{path}"
    shown = f"{start}{f'{_MASK}@' if has_user else ''}{host}{path}{tail}" if has_user or not secret else mask(text, whole)
    return URL(
        scheme,
        host,
        _unescape(rest),
        opaque,
        authority.rpartition("@")[0] if has_user else None,
        bool(query),
        fragment,
        shown,
        bare,
        written_path=rest,
        omit_host=omit_host,
        force_query=bool(question) and not query,
    )


def _host(scheme: str, host: str, refuse: _Refuse) -> str:
    if host.rfind("[") > 0:
        raise refuse("invalid IP-literal")
    if host.startswith("["):
        end = host.rfind("]")
        if end < 0:
            raise refuse("missing ']' in host")
        port, inner = host[end + 1 :], host[1:end]
        if not _PORT.match(port):
            raise refuse("invalid port %s after host", port)
        address, _, zone = inner.partition("%25")
        try:
            IPv6Address(address)
        except ValueError:
            raise refuse("invalid host: ParseAddr(%s): unable to parse IP", inner) from None
        return f"[{address}{'%' + _unescape(zone) if zone else ''}]{port}"
    colon = host.find(":") if scheme in ("http", "https") else host.rfind(":")
    if colon >= 0 and not _PORT.match(host[colon:]):
        raise refuse("invalid port %s after host", host[colon:])
    bad = _BAD_IN_HOST.search(host)
    if bad and bad[0] == "%":
        raise refuse("invalid URL escape %s", host[bad.start() : bad.start() + 3])
    if bad:
        raise refuse("invalid character %s in host name", bad[0])
    return _unescape(host)


def _escaped(raw: str) -> str:
    """EscapedPath: as written where that is a valid encoding, else encoded anew."""
    return raw if _ENCODED.match(raw) else encoded(unescaped(raw))


def encoded(data: bytes, more: str = "") -> str:
    """Go's encoding of a path; of a fragment with `more` that stays as it is."""
    return percent(data, safe="/$&+,:;=@" + more)


def unescaped(text: str) -> bytes:
    """What the text stands for."""
    data = text.encode("utf-8", "surrogatepass")
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), data) if "%" in text else data


def _unescape(text: str) -> str:
    return unescaped(text).decode("utf-8", "replace") if "%" in text else text
