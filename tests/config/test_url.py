"""URLs as Go reads them, and what never gets into a message."""

from __future__ import annotations

import pytest

from pomprobe.config import url
from pomprobe.config.url import BadURL

PARTS = {
    "http://a": ("http", "a", "a", "", ""),
    "HTTP://A:80/x": ("http", "A:80", "A", "80", "/x"),
    "http://[::1]:80": ("http", "[::1]:80", "::1", "80", ""),
    "http://[fe80::1%25eth0]:80": ("http", "[fe80::1%eth0]:80", "fe80::1%eth0", "80", ""),
    "http://a:": ("http", "a:", "a", "", ""),
    "unix:///run/a.sock": ("unix", "", "", "", "/run/a.sock"),
    "http://a/%41b?x=1#y": ("http", "a", "a", "", "/Ab"),
    "tcp://a:1:2": ("tcp", "a:1:2", "a:1", "2", ""),
    "http://<a>": ("http", "<a>", "<a>", "", ""),
    "http://日本": ("http", "日本", "日本", "", ""),
}
REFUSED = {
    "": "url cannot be empty",
    "example.com": "example.com url does not contain a valid scheme",
    "/a b": "/a%20b url does not contain a valid scheme",
    "//a": "//a url does not contain a valid scheme",
    "localhost:8080": "localhost:8080 url does not contain a valid hostname",
    "http://": "http: url does not contain a valid hostname",
    "http:///x": "http:///x url does not contain a valid hostname",
    "http+unix:///a": "http+unix:///a url does not contain a valid hostname",
    "10.0.0.1:80": 'parse "10.0.0.1:80": first path segment in URL cannot contain colon, have you specified protocol (ex: https)',
    "://x": 'parse "://x": missing protocol scheme',
    "http://a:b": 'parse "http://a:b": invalid port ":b" after host',
    "http://a:80:90": 'parse "http://a:80:90": invalid port ":80:90" after host',
    "http://a b": 'parse "http://a b": invalid character " " in host name',
    "http://a%20b": 'parse "http://a%20b": invalid URL escape "%20"',
    "http://a/%zz": 'parse "http://a/%zz": invalid URL escape "%zz"',
    "http://a#%zz": 'parse "http://a#xxxxx": invalid URL escape "%zz"',
    "http://a\tb": r'parse "http://a\tb": net/url: invalid control character in URL',
    "http://[::1": "parse \"http://[::1\": missing ']' in host",
    "http://x[::1]": 'parse "http://x[::1]": invalid IP-literal',
    "http://[::1]x": 'parse "http://[::1]x": invalid port "x" after host',
    "http://[x]": 'parse "http://[x]": invalid host: ParseAddr("x"): unable to parse IP',
    "http://${HOST}": 'parse "http://${HOST}": invalid character "{" in host name',
}
SECRET = (
    "http://user:hunter2@a:b",
    "http://user:hunter2@a b",
    "http://hunter2@",
    "http:user:hunter2@x",
    "http://us<er:hunter2@a",
    "//x:hunter2@a",
)


@pytest.mark.parametrize(("text", "parts"), PARTS.items())
def test_parts(text: str, parts: tuple[str, ...]) -> None:
    """Scheme, host, host name, port and path are Go's."""
    parsed = url.parse(text)
    assert parts == (parsed.scheme, parsed.host, parsed.hostname, parsed.port, parsed.path)


@pytest.mark.parametrize(("text", "message"), REFUSED.items())
def test_refused(text: str, message: str) -> None:
    """What Go and Pomerium refuse is refused in their words."""
    with pytest.raises(BadURL) as caught:
        url.parse(text)
    assert message == str(caught.value)


@pytest.mark.parametrize("text", SECRET)
def test_userinfo_is_masked(text: str) -> None:
    """Passwords never get into a message."""
    with pytest.raises(BadURL) as caught:
        url.parse(text)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in url.mask(text)


def test_bare() -> None:
    """What is shown of a URL has neither userinfo nor query."""
    parsed = url.parse("https://user:hunter2@a:1/x?y=1#z")
    assert "https://a:1/x" == parsed.bare
    assert "https://xxxxx@a:1/x?xxxxx#xxxxx" == parsed.shown
    assert (True, True, True) == (parsed.has_user, parsed.has_query, parsed.has_fragment)
