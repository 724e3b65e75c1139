"""YAML as Go's yaml.v3 reads it. Messages were seen with viper 1.21."""

from __future__ import annotations

import pytest

from pomprobe.config.document import documents
from pomprobe.config.nodes import Kind, Mapping, Node, Scalar, Sequence, integer, plain_kind
from pomprobe.config.problems import Unreadable


def parse(text: str | bytes) -> Mapping:
    node = next(documents(text.encode() if isinstance(text, str) else text, "c.yaml"))
    assert isinstance(node, Mapping)
    return node


def scalar(node: Node | None) -> Scalar:
    assert isinstance(node, Scalar)
    return node


KINDS = {
    "": Kind.NULL, "~": Kind.NULL, "null": Kind.NULL, "true": Kind.BOOLEAN, "FALSE": Kind.BOOLEAN, "yes": Kind.STRING, "on": Kind.STRING,
    "12:30": Kind.STRING, "30": Kind.INTEGER, "-1": Kind.INTEGER, "010": Kind.INTEGER, "0x1F": Kind.INTEGER, "0o17": Kind.INTEGER,
    "0b11": Kind.INTEGER, "1_000": Kind.INTEGER, "08": Kind.FLOAT, "1.5": Kind.FLOAT, ".5": Kind.FLOAT, "1e3": Kind.FLOAT,
    "50494E47": Kind.FLOAT, "1e400": Kind.STRING, ".inf": Kind.FLOAT, "2020-01-01": Kind.TIME, "2001-13-45": Kind.STRING,
    "2001-12-14t21:59:43.10-05:00": Kind.TIME, "30s": Kind.STRING, "1.2.3": Kind.STRING, "18446744073709551615": Kind.INTEGER,
    "18446744073709551616": Kind.FLOAT, "-": Kind.STRING, ".": Kind.STRING, "0xZZ": Kind.STRING,
}  # fmt: skip


@pytest.mark.parametrize(("text", "kind"), KINDS.items())
def test_kinds(text: str, kind: Kind) -> None:
    """Plain scalars are resolved as yaml.v3 does, not as YAML 1.1."""
    assert kind == plain_kind(text)


@pytest.mark.parametrize(("text", "number"), [("010", 8), ("0x_1F", 31), ("-0b11", -3), ("+5", 5), ("0", 0), ("1__0", 10)])
def test_integers(text: str, number: int) -> None:
    """A leading zero is octal, underscores do not count."""
    assert number == integer(text)


def test_places() -> None:
    """Every key and value knows its line, its column and its path."""
    root = parse("routes:\n- from: https://a\n  to:\n  - http://b\n  - http://c\n")
    route = root.items("routes")[0]
    assert isinstance(route, Mapping)
    second = route.items("to")[1]
    assert ("c.yaml", 5, 5, "routes[0].to[1]") == (second.place.file, second.place.line, second.place.column, second.place.path)
    assert "c.yaml:3:3 routes[0].to" == str(route.keys["to"])
    assert "c.yaml:2:9 routes[0].from" == str(route.place_of("from"))
    assert route.place == route.place_of("prefix")


def test_lower_case() -> None:
    """Keys are lower-cased as viper does, also within lists; how they were written is kept."""
    root = parse("Routes:\n- From: x\n  set_Request_Headers: {X-A: b}\n")
    route = root.items("routes")[0]
    assert isinstance(route, Mapping)
    assert ["from", "set_request_headers"] == list(route)
    assert "set_Request_Headers" == route.written["set_request_headers"]
    headers = route.mapping("set_request_headers")
    assert headers is not None and headers.scalar("x-a") == "b"


def test_anchors_and_merges() -> None:
    """Aliases and merge keys are expanded: own keys win, then the first mapping of a list."""
    root = parse("x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz:\n  <<: [*x, *y]\n  a: 9\nw: *x\n")
    merged, alias = root.mapping("z"), root.mapping("w")
    assert merged is not None and alias is not None
    assert {"a": "9", "b": "2", "c": "4"} == {key: scalar(merged.get(key)).text for key in merged}
    assert "w.a" == alias.place_of("a").path and alias.place_of("a").line == 1


def test_tags() -> None:
    """Explicit tags are followed."""
    root = parse("a: !!str 5\nb: !!int '5'\nc: !!binary aGk=\nd: !foo x\ne: !!float 5\nf: ! 5\n")
    assert [Kind.STRING, Kind.INTEGER, Kind.STRING, Kind.STRING, Kind.FLOAT, Kind.STRING] == [scalar(root.get(k)).kind for k in "abcdef"]
    assert "hi" == scalar(root.get("c")).text


def test_documents() -> None:
    """A stream holds several documents; a file without any has none."""
    assert 2 == len(list(documents(b"a: 1\n---\nb: 2\n", "x")))
    assert [] == list(documents(b"# only a comment\n", "x"))


def test_sequences_and_nulls() -> None:
    """Lists keep their order; null is told apart from text."""
    root = parse("a: [1, ~, '']\n")
    node = root.get("a")
    assert isinstance(node, Sequence)
    assert [False, True, False] == [scalar(item).is_null for item in node.items]


REFUSED = {
    "a: 'x": ("yaml", "yaml: found unexpected end of stream"),
    "a: b: c": ("yaml", "yaml: mapping values are not allowed in this context"),
    "\ta: b": ("yaml", "yaml: found character that cannot start any token"),
    "a:\n\t- b": ("yaml", "yaml: line 2: found character that cannot start any token"),
    "x: 1\n  y: 2": ("yaml", "yaml: line 2: mapping values are not allowed in this context"),
    "a: &x [*x]": ("yaml", "yaml: anchor 'x' value contains itself"),
    "a: *x": ("yaml", "yaml: unknown anchor 'x' referenced"),
    "a: {<<: 5}": ("yaml", "yaml: map merge requires map or sequence of maps as the value"),
    "a: !!int x": ("yaml", "yaml: cannot decode !!str `x` as a !!int"),
    "a: !!binary '*'": ("yaml", "yaml: !!binary value contains invalid base64 data"),
    "? [a]\n: b": ("yaml", "yaml: unmarshal errors: line 1: cannot unmarshal !!seq into string"),
    "{a: b}: c": ("yaml", "yaml: unmarshal errors: line 1: cannot unmarshal !!map into string"),
    "a: 1\nb: 2\na: 3": ("duplicate_key", 'line 3: mapping key "a" already defined at line 1'),
    "a: {c: 1,\n c: 2}": ("duplicate_key", 'line 2: mapping key "c" already defined at line 1'),
    "a: b\0": ("nul", "yaml: control characters are not allowed"),
    "a: \x07": ("encoding", "yaml: control characters are not allowed"),
}


@pytest.mark.parametrize(("text", "expected"), REFUSED.items())
def test_refused(text: str, expected: tuple[str, str]) -> None:
    """What yaml.v3 refuses is refused in its words."""
    with pytest.raises(Unreadable) as caught:
        parse(text)
    assert expected == (caught.value.reason, caught.value.message)


def test_places_of_errors() -> None:
    """An error has a place."""
    with pytest.raises(Unreadable) as caught:
        parse("a: 1\nb: {\nc: ]\n")
    assert (3, 4) == (caught.value.line, caught.value.column)
    with pytest.raises(Unreadable) as caught:
        parse(b"a: 1\nb: \xff\n")
    assert ("encoding", 2, 4) == (caught.value.reason, caught.value.line, caught.value.column)


@pytest.mark.parametrize("text", ["[" * 200_000, "\n".join(" " * i + "a:" for i in range(3000)), "a: " + "[" * 10_000 + "]" * 10_000])
def test_depth(text: str) -> None:
    """Deep nesting is one problem, found at once."""
    with pytest.raises(Unreadable, match="exceeded max depth") as caught:
        list(documents(text.encode(), "x"))
    assert "too_deep" == caught.value.reason


def test_depth_by_aliases() -> None:
    """Depth that aliases add up to counts, too."""
    lines = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 300)]
    with pytest.raises(Unreadable, match="exceeded max depth"):
        parse("\n".join(lines))


def test_alias_bomb() -> None:
    """Aliases that multiply are refused by Go's own ratio."""
    lines = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"{new}: &{new} [{','.join(['*' + old] * 10)}]" for old, new in zip("abcdefghi", "bcdefghij", strict=True)]
    with pytest.raises(Unreadable, match="document contains excessive aliasing") as caught:
        parse("\n".join(lines))
    assert "aliases" == caught.value.reason


def test_merge_bomb() -> None:
    """Merge keys that multiply are refused, too."""
    lines = ["a: &a {x: 1}"] + [
        f"{new}: &{new} {{<<: [{','.join(['*' + old] * 10)}], k{new}: 1}}" for old, new in zip("abcdefghi", "bcdefghij", strict=True)
    ]
    with pytest.raises(Unreadable, match="excessive aliasing"):
        parse("\n".join(lines))


def test_big_scalars() -> None:
    """Megabytes in one value are read; megabytes in one key are refused by libyaml."""
    assert 5_000_000 == len(parse("a: " + "x" * 5_000_000).scalar("a"))
    with pytest.raises(Unreadable, match="mapping values are not allowed"):
        parse("x" * 5_000_000 + ": a")


INSTEAD = {
    "a: 'x\nb: 1\n": "a quote at the end",
    "a:\n\t- b": "spaces instead of the tab",
    "a:\n  - b: 1\n   c: 2\n": "the same indentation as the entries above",
    "a:\n  - b: 1\n    {{- if x }}\n    c: {{ y }}\n": "what the template gives (render it first, such as with helm template)",
    "a: ]": "",
}


@pytest.mark.parametrize(("text", "expected"), INSTEAD.items())
def test_what_to_write_instead(text: str, expected: str) -> None:
    """What was probably meant is said; a quote that is not closed is shown where it begins."""
    with pytest.raises(Unreadable) as caught:
        parse(text)
    assert expected == caught.value.facts.get("write", "")
    assert caught.value.line < 3 or "- b" in text
