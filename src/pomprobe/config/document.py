"""YAML text to nodes: events of libyaml, put together without recursion and within bounds.

Plain scalars are resolved as go.yaml.in/yaml/v3 does: YAML 1.2 with Go's extensions, so `yes` and `12:30` stay text.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator

import yaml

from .nodes import Kind, Node, plain_kind
from .problems import Unreadable, is_secret
from .tree import MAX_DEPTH, NO_CHILDREN, Expander, Raw, glimpse

_TAG = "tag:yaml.org,2002:"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def documents(data: bytes, file: str, *, lower: bool = True) -> Iterator[Node]:
    """Every document of a YAML stream, read as it is asked for. lower: keys are lower-cased, as viper does. Raises Unreadable."""
    try:
        parser = _LOADER(data)
        while (raw := _next_document(parser.get_event)) is not None:
            yield Expander(file, lower=lower).node(raw, "", 0)
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, data) from None
    except yaml.reader.ReaderError as error:
        line, column = _position(data, error.position)
        reason = "nul" if data[error.position : error.position + 1] == b"\0" else "encoding"
        raise Unreadable(reason, f"yaml: {error.reason}", line, column, write="the file in UTF-8") from None
    except UnicodeDecodeError as error:
        line, column = _position(data, error.start)
        raise Unreadable("encoding", f"yaml: {error.reason}", line, column, write="the file in UTF-8") from None


def _next_document(next_event: Callable[[], yaml.Event]) -> Raw | None:
    """Put the events of one document together; None at the end of the stream."""
    root: Raw | None = None
    stack: list[Raw] = []
    anchors: dict[str, Raw] = {}
    while True:
        event = next_event()
        if isinstance(event, yaml.NodeEvent):
            mark = event.start_mark
            if isinstance(event, yaml.ScalarEvent) and event.tag is None and event.anchor is None and stack and mark is not None:
                text, plain = event.value, not event.style  # nearly all of them, so without a call
                kind = plain_kind(text) if plain else Kind.STRING
                stack[-1].children.append(
                    Raw("scalar", mark.line + 1, mark.column + 1, text, kind, plain and text == "<<", NO_CHILDREN)
                )
                continue
            raw = _open(event, anchors, stack[-1] if stack else None)
            if stack:
                stack[-1].children.append(raw)
            else:
                root = raw
            if raw.open:
                stack.append(raw)
                if len(stack) > MAX_DEPTH:
                    raise Unreadable("too_deep", f"yaml: exceeded max depth of {MAX_DEPTH}", raw.line, raw.column)
        elif isinstance(event, yaml.CollectionEndEvent):
            stack.pop().open = False
        elif isinstance(event, yaml.DocumentEndEvent):
            return root
        elif isinstance(event, yaml.StreamEndEvent):
            return None


def _open(event: yaml.NodeEvent, anchors: dict[str, Raw], within: Raw | None) -> Raw:
    mark = event.start_mark
    assert mark is not None  # the parser gives every event one
    line, column = mark.line + 1, mark.column + 1
    if isinstance(event, yaml.AliasEvent):
        target = anchors.get(event.anchor or "")
        if target is None:
            key = within.children[-1].text.lower() if within is not None and within.shape == "mapping" and within.children else ""
            shown = "xxxxx" if is_secret(key) else event.anchor  # a secret that begins with * and has no quotes
            raise Unreadable("yaml", f"yaml: unknown anchor '{shown}' referenced", line, column)
        if target.open:
            raise Unreadable("yaml", f"yaml: anchor '{event.anchor}' value contains itself", line, column)
        return Raw("alias", line, column, target=target)
    if isinstance(event, yaml.ScalarEvent):
        raw = _scalar(event, line, column)
    else:
        shape = "sequence" if isinstance(event, yaml.SequenceStartEvent) else "mapping"
        raw = Raw(shape, line, column, open=True)
    if event.anchor is not None:
        anchors[event.anchor] = raw
    return raw


def _scalar(event: yaml.ScalarEvent, line: int, column: int) -> Raw:
    text, tag, plain = event.value, event.tag, not event.style and event.implicit[0]
    if tag is None or tag == "!":
        kind = plain_kind(text) if plain and tag is None else Kind.STRING
        return Raw("scalar", line, column, text, kind, plain and text == "<<", NO_CHILDREN)
    if tag == _TAG + "binary":
        try:
            text = base64.b64decode("".join(text.split()), validate=True).decode("utf-8", "surrogateescape")
        except ValueError:  # of binascii, or for what is not even ASCII
            raise Unreadable("yaml", "yaml: !!binary value contains invalid base64 data", line, column) from None
        return Raw("scalar", line, column, text)
    kind = plain_kind(text)
    wanted = {"int": Kind.INTEGER, "float": Kind.FLOAT, "bool": Kind.BOOLEAN, "null": Kind.NULL, "timestamp": Kind.TIME}
    name = tag.removeprefix(_TAG)
    if tag.startswith(_TAG) and name in wanted:
        if kind is not wanted[name] and (name, kind) != ("float", Kind.INTEGER):
            raise Unreadable("yaml", f"yaml: cannot decode !!str `{glimpse(text)}` as a !!{name}", line, column)
        return Raw("scalar", line, column, text, wanted[name])
    return Raw("scalar", line, column, text)


def _syntax(error: yaml.MarkedYAMLError, data: bytes) -> Unreadable:
    """The message of Go's port of libyaml (yaml.v3, decode.go: parser.fail), at the place of the problem."""
    told = 0
    for mark in (error.context_mark, error.problem_mark):
        if mark is not None and mark.line:
            told = mark.line + (1 if isinstance(error, yaml.scanner.ScannerError) else 0)
            break
    endless = error.problem == "found unexpected end of stream"  # a quote that is not closed: where it begins
    place = (error.context_mark if endless else None) or error.problem_mark or error.context_mark
    where = f"line {told}: " if told else ""
    line, column = (place.line + 1, place.column + 1) if place is not None else (1, 1)
    if "nesting depth" in (error.problem or ""):  # libyaml's own bound, which it may reach before we see the first event
        return Unreadable("too_deep", f"yaml: exceeded max depth of {MAX_DEPTH}", line, column)
    message = f"yaml: {where}{error.problem or 'unknown problem parsing YAML content'}"
    return Unreadable("yaml", message, line, column, write=_instead(error.problem or "", data.splitlines()[max(0, line - 2) : line]))


def _instead(problem: str, lines: list[bytes]) -> str:
    """What was probably meant by the line with the problem, and the one before it."""
    if any(b"{{" in line for line in lines):
        return "what the template gives (render it first, such as with helm template)"
    if any(b"\t" in line[: len(line) - len(line.lstrip())] for line in lines):
        return "spaces instead of the tab"
    if problem in ("did not find expected '-' indicator", "did not find expected key"):
        return "the same indentation as the entries above"
    return "a quote at the end" if problem == "found unexpected end of stream" else ""


def _position(data: bytes, offset: int) -> tuple[int, int]:
    before = data[:offset]
    return before.count(b"\n") + 1, offset - (before.rfind(b"\n") + 1) + 1
