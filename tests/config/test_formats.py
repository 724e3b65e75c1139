"""JSON, TOML and .env files: the same config, with places, and Go's words for what is none."""

from __future__ import annotations

import pytest

from pomprobe.config import load
from pomprobe.config.toml_text import places
from pomprobe.model import Config, ConfigError, Problem

JSON = """{
  "timeout_read": "1m",
  "routes": [
    {"from": "https://a.example.com", "to": ["http://a", "http://b\\u0041"],
     "timeout": 30, "Allow_Websockets": true, "prefix": null}
  ]
}"""
TOML = """timeout_read = "1m"
[[routes]]
from = "https://a.example.com"
to = ["http://a", "http://b"]
timeout = 30
[routes.set_request_headers]
x-a = "b"
[[routes]]
from = "https://b.example.com"
to = "http://b"
"""


def of(name: str, text: str | bytes) -> Config:
    return load(name, text=text.encode() if isinstance(text, str) else text)


def problem(name: str, text: str | bytes) -> Problem:
    with pytest.raises(ConfigError) as caught:
        of(name, text)
    (only,) = caught.value.problems
    return only


def test_json() -> None:
    """JSON is read with the places of its keys and values."""
    config = of("c.json", JSON)
    one = config.routes[0]
    assert (60.0, ["http://a", "http://bA"], True, "") == (
        config.settings.timeout_read, [u.url for u in one.upstreams], one.websockets, one.prefix,
    )  # fmt: skip
    assert "c.json:4:58 routes[0].to[1]" == str(one.upstreams[1].place)
    assert ["duration_nanoseconds", "no_health_check_multi"] == sorted(p.failure.value for p in config.problems)


def test_json_numbers() -> None:
    """Numbers are floats in Go, and print as short as they can."""
    config = of("c.json", '{"dns_query_tries": 2.0, "routes": [{"from": "https://a", "to": "http://a", "name": 1.50, "timeout": 1e9}]}')
    assert (2, "1.5", 1.0) == (config.settings.dns.query_tries, config.routes[0].key_name, config.routes[0].timeout)


def test_json_keys_twice() -> None:
    """Of a key given twice JSON takes the last."""
    assert "proxy" == of("c.json", '{"services": "all", "services": "proxy"}').settings.services


BAD_JSON = {
    "{": "unexpected end of JSON input",
    '{"a":1,}': "invalid character '}' looking for beginning of object key string",
    '{"a":1} x': "invalid character 'x' after top-level value",
    '{"services":"a': "unexpected end of JSON input",
    '{"a":tru}': "invalid character '}' in literal true (expecting 'e')",
    '{"a":nul': "unexpected end of JSON input",
    '{"a" 1}': "invalid character '1' after object key",
    '{"a":1 "b"}': "invalid character '\"' after object key:value pair",
    '{"a":[1 2]}': "invalid character '2' after array element",
    "{a:1}": "invalid character 'a' looking for beginning of object key string",
    "{'a':1}": r"invalid character '\'' looking for beginning of object key string",
    '{"a":01}': "invalid character '1' after object key:value pair",
    '{"a":1.}': "invalid character '}' after decimal point in numeric literal",
    '{"a":1e}': "invalid character '}' in exponent of numeric literal",
    '{"a":-}': "invalid character '}' in numeric literal",
    '{"a":"\\x"}': "invalid character 'x' in string escape code",
    '{"a":"\\u00g0"}': r"invalid character 'g' in \u hexadecimal character escape",
    '{"a":"\t"}': r"invalid character '\t' in string literal",
    '{"a":[1,]}': "invalid character ']' looking for beginning of value",
    "// c\n{}": "invalid character '/' looking for beginning of value",
    '{"a":1e999}': "json: cannot unmarshal number 1e999 into Go value of type float64",
    "[" * 200: "exceeded max depth",
    '{"a":\0}': r"invalid character '\x00' looking for beginning of value",
}


@pytest.mark.parametrize(("text", "message"), BAD_JSON.items())
def test_bad_json(text: str, message: str) -> None:
    """What encoding/json refuses is refused in its words."""
    assert message == problem("c.json", text).message


def test_place_of_bad_json() -> None:
    """An error has a place."""
    place = problem("c.json", '{\n  "a": 1,\n  "b": x\n}').place
    assert (3, 8) == (place.line, place.column)


def test_json_encoding() -> None:
    """JSON is UTF-8; half a surrogate pair becomes a mark, as in Go."""
    assert "encoding" == problem("c.json", b'{"a": "\xff"}').facts["reason"]
    assert "?" == of("c.json", '{"routes": [{"from": "https://a", "to": "http://a", "name": "\\ud800"}]}').routes[0].key_name


@pytest.mark.parametrize("text", ["[1]", '"x"', "5"])
def test_json_without_mapping(text: str) -> None:
    """The top is an object."""
    assert "not_a_mapping" == problem("c.json", text).facts["reason"]


def test_json_null() -> None:
    """A config that is null is empty."""
    assert "empty" == problem("c.json", "null").facts["reason"] == problem("c.json", " ").facts["reason"]


def test_toml() -> None:
    """TOML is read, with the places of its tables and keys."""
    config = of("c.toml", TOML)
    first, second = config.routes
    assert (60.0, ["http://a", "http://b"], {"x-a": "b"}) == (
        config.settings.timeout_read, [u.url for u in first.upstreams], first.set_request_headers,
    )  # fmt: skip
    assert ("c.toml:2:1 routes[0]", "c.toml:5:11 routes[0].timeout") == (str(first.place), str(first.places["timeout"]))
    assert ("c.toml:9:8 routes[1].from", "c.toml:4:6 routes[0].to[1]") == (str(second.places["from"]), str(first.upstreams[1].place))


def test_toml_kinds() -> None:
    """Dates, numbers and booleans keep their kinds."""
    text = 'insecure_server = true\ndns_query_tries = 3\ndefault_upstream_timeout = 1.5\ncookie_name = 1.0\n[[routes]]\nfrom="https://a"\nto="http://a"\n'
    config = of("c.toml", text)
    assert (3, 1e-9) == (config.settings.dns.query_tries, config.settings.default_upstream_timeout)
    assert "'services' expected type 'string', got unconvertible type 'time.Time'" == problem("c.toml", "services = 2020-01-01").message


@pytest.mark.parametrize("text", ["a =\n", "services='all'\nservices='x'\n", "[a"])
def test_bad_toml(text: str) -> None:
    """What is no TOML is one problem with a place."""
    got = problem("c.toml", text)
    assert "toml" == got.facts["reason"] and got.message.startswith("toml: ")


def test_toml_bytes() -> None:
    """TOML is UTF-8 without NUL."""
    assert "encoding" == problem("c.toml", b"a = '\xff'").facts["reason"]
    assert "nul" == problem("c.toml", b"a = '\0'").facts["reason"]
    assert "too_deep" == problem("c.toml", "a = " + "[" * 150 + "]" * 150).facts["reason"]


def test_toml_places() -> None:
    """Dotted keys, quoted keys and tables within lists of tables are found."""
    found = places('a.b = 1\n"c d" = 2\n[[x]]\ny = 1\n[x.z]\nq = 2\n[[x]]\n[x.z]\nq = 3\n')
    assert (1, 7) == found["a", "b"]
    assert (2, 9) == found[("c d",)]
    assert [(6, 5), (9, 5)] == [found["x", 0, "z", "q"], found["x", 1, "z", "q"]]


ENV = """# comment
export SERVICES=proxy
DEFAULT_UPSTREAM_TIMEOUT = "10s"  # why
DNS_RESOLVERS: udp://1.1.1.1:53,udp://8.8.8.8:53
COOKIE_NAME='a # b'
ADDRESS="a\\tb"
ROUTES=LSBmcm9tOiBodHRwczovL2EuZXhhbXBsZS5jb20KICB0bzogaHR0cDovL2EK
"""


def test_env_file() -> None:
    """A .env file holds keys as variables, the routes in base64."""
    config = of(".env", ENV)
    assert ("proxy", 10.0, 2, "a\tb") == (
        config.settings.services, config.settings.default_upstream_timeout, len(config.settings.dns.resolvers), config.settings.address,
    )  # fmt: skip
    assert "https://a.example.com" == config.routes[0].from_url
    assert ".env:7 (routes, base64):1:3 routes[0]" == str(config.routes[0].place)
    assert ".env:3:28 default_upstream_timeout" == str(config.settings.places["default_upstream_timeout"])


BAD_ENV = {"A": "line `A` doesn't match format", 'A="x': "missing quotes", "A='x": "missing quotes", "A=b\0": "line holds a NUL byte"}


@pytest.mark.parametrize(("text", "message"), BAD_ENV.items())
def test_bad_env(text: str, message: str) -> None:
    """What gotenv refuses is refused in its words."""
    assert message == problem(".env", text).message


def test_env_encoding() -> None:
    """A .env file is UTF-8."""
    assert "encoding" == problem("a.env", b"A=\xff").facts["reason"]
