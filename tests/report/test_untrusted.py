"""Text that others wrote (names, headers, certificates, errors) breaks and forges nothing, in any format.

One report with attempts in every place, written in every format, and read back by the format's own consumers.
"""

from __future__ import annotations

import io
import json
import re
import unicodedata
from collections.abc import Callable
from email import message_from_bytes, policy
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from junitparser import JUnitXml
from markdown_it import MarkdownIt
from prometheus_client.parser import text_string_to_metric_families
from sarif_pydantic import Sarif  # type: ignore[import-untyped]

from pomprobe.changes import changes
from pomprobe.mail import MailOptions, message
from pomprobe.model import (
    Endpoint,
    EndpointOutcomes,
    Failure,
    ForecastEntry,
    Place,
    Report,
    RouteReport,
    StageName,
    Status,
    Suppressed,
    UpstreamOutcomes,
)
from pomprobe.record import replace
from pomprobe.report import FORMATS, Style, write

from . import examples
from .test_github import commands
from .test_markup import Page
from .test_nagios import perfdata
from .test_report_json import SCHEMA

FRAGMENTS = (
    "\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "\x00", "\r", "\n", "\r\n", "\t", "\x7f", "\x0b", "\x85", "\u2028", "\u2029",
    "\u202e", "\u2066", "\u200f", "\u200b", "\ufeff", "\ufffe", "\ud800", "\udfff", "\U000e0041", "\U0001f600", "e\u0301", "日本",
    "::error file=x,line=1::forged", "::add-mask::x", "##[error]", "##vso[task.complete]", "##teamcity[testFailed]", "%0A::error::x",
    "]]>", "<![CDATA[", "<!--", "-->", "<script>alert(1)</script>", "</style>", "<img src=x onerror=alert(1)>", "javascript:alert(1)",
    "&lt;", "&#0;", "{{ x }}", "{% x %}", "|", "||", "`", "``", "```\n", "*a*", "[x](javascript:x)", "![x](http://x/)", "<br>", "@someone",
    "#1", "# ", "> ", "- ", "\\", "'", '"', "';drop", "=", ",", "a=1;2;3;4", "| 'x'=1", "\n.\n", "From: x", "Bcc: all@example.com",
    "x" * 300,
)  # fmt: skip
"""What a terminal, a log, a page, a document or a mail might obey."""

INVISIBLE = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2028\u2029\u200b\u200e\u200f\ufeff"

TEXT = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=12)), min_size=1, max_size=6).map("".join)
PLACES = ("name", "from", "to", "file", "path", "title", "why", "fix", "details", "fact", "error", "by", "note", "key")
TEXTS = st.fixed_dictionaries(dict.fromkeys(PLACES, TEXT))
Texts = dict[str, str]


def report(text: Texts) -> Report:
    """Two routes, a problem of the config and findings set aside, all told in this text."""
    place = Place(text["file"], 3, 5, text["path"])
    to = replace(examples.upstream(), url=f"http://{text['to']}", host=text["to"], place=place)
    route = replace(examples.route(text["name"], upstreams=(to,)), from_url=f"https://{text['from']}", place=place)
    at = Endpoint("10.0.0.2", 8080)
    reply = replace(examples.EXPIRED, response_code_details=text["details"])
    tls = examples.failed(
        StageName.TLS, at, Failure.CERTIFICATE_REJECTED, 0.1, error=text["error"], subject=text["fact"], issuer=text["fact"],
        sans=(text["fact"], text["name"]), not_after="2026-10-01T00:00:00Z",
    )  # fmt: skip
    tls = replace(tls, facts={**tls.facts, text["key"]: text["fact"]})
    verdict = examples.verdict(
        replace(examples.CERTIFICATE_EXPIRED, see=(text["to"], f"https://example.com/{text['to']}")),
        text["title"], means=reply, upstream=to, endpoint=at, why=text["why"], fixes=(text["fix"],), at=place,
    )  # fmt: skip
    bad = RouteReport(
        route,
        examples.cluster(route),
        Status.FAILING,
        (ForecastEntry(0.5, reply, "TLS102", text["note"]), ForecastEntry(0.5, examples.OK)),
        (verdict,),
        (UpstreamOutcomes(to, (examples.dns((text["fact"],)),), (EndpointOutcomes(at, (tls,)),)),),
        confirmed=text["note"],
        suppressed=(Suppressed(verdict, text["by"]),),
    )
    unknown = replace(examples.undetermined(), route=replace(route, name=text["to"]), verdicts=())
    skipped = replace(examples.redirect(), route=replace(route, name=text["fix"], serves=text["why"], upstreams=()), outcomes=())
    finding = replace(examples.finding(text["error"]), place=place, fixes=(text["fix"],))
    made = examples.report(bad, unknown, skipped, examples.healthy(), findings=(finding,))
    return replace(made, config=text["file"], suppressed=(Suppressed(finding, text["by"]),))


def unseen(text: str) -> list[str]:
    """Characters that control something, or that nobody sees, beside line ends."""
    return [c for c in text if c != "\n" and (unicodedata.category(c) in ("Cc", "Cs") or c in INVISIBLE)]


def as_text(text: str) -> None:
    assert 0 == len(re.findall(r"^(?:::|##\[)", text, re.MULTILINE))


def as_short(text: str) -> None:
    as_text(text)
    assert 1 + 4 + 1 == len(text.splitlines())


def as_json(text: str) -> None:
    document = json.loads(text)
    Draft202012Validator(SCHEMA).validate(document)
    assert (4, 1, 1) == (len(document["routes"]), len(document["problems"]), len(document["suppressed"]))


def as_jsonl(text: str) -> None:
    assert ["route"] * 4 + ["summary"] == [json.loads(line)["type"] for line in text.split("\n") if line]


def as_junit(text: str) -> None:
    suites = JUnitXml.fromstring(text.encode())
    assert ("config", 5) == (next(iter(suites)).name, len(list(suites)))
    assert {"testsuites", "testsuite", "properties", "property", "testcase", "failure", "error", "skipped", "system-out"} >= {
        element.tag for element in ET.fromstring(text).iter()
    }


def as_sarif(text: str) -> None:
    run = Sarif.model_validate_json(text).runs[0]
    assert 4 == len(run.results or [])  # a finding of the config and of a route, each also set aside
    assert all(result.message.text for result in run.results or [])


def as_github(text: str) -> None:
    found = commands(text)
    assert ["error", "error", "warning"] == [name for name, _, _ in found]
    assert [{"file", "line", "col", "title"}] * 3 == [set(properties) for _, properties, _ in found]
    assert 4 == text.count("\n")


def as_nagios(text: str) -> None:
    assert text.isascii()
    assert re.match(r"POMPROBE CRITICAL - ", text) and len(text.partition(" | ")[0]) < 80
    values = perfdata(text)
    assert 4 == values["routes"] and len(values) <= 5 + 2 * 4


def as_prometheus(text: str) -> None:
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert 4 * len(Status) == len(families["pomprobe_route_status"].samples)
    assert 1 == len(families["pomprobe_route_failure_info"].samples)


def as_markdown(text: str) -> None:
    page = Page(MarkdownIt("commonmark").enable("table").render(text))
    known = {"h2", "h3", "p", "ul", "li", "code", "strong", "table", "thead", "tbody", "tr", "th", "td", "br", "details", "summary"}
    assert {tag for tag, _ in page.elements} <= known
    assert [] == [attributes for tag, attributes in page.elements if attributes and tag not in ("th", "td")]
    assert 2 * 4 == len([tag for tag, _ in page.elements if tag == "td"])


def as_html(text: str) -> None:
    page = Page(text)
    assert set() == {tag for tag, _ in page.elements} & {"script", "img", "iframe", "object", "form", "svg", "base", "link"}
    links = [str(value) for _, attributes in page.elements for name, value in attributes.items() if name in ("href", "src")]
    assert [] == [link for link in links if not link.startswith(("https://", "http://", "#route-"))]
    assert 1 + 2 + 1 + 1 + 1 + 1 == len([tag for tag, _ in page.elements if tag == "section"])


READERS: dict[str, Callable[[str], None]] = {
    "text": as_text, "short": as_short, "json": as_json, "jsonl": as_jsonl, "junit": as_junit, "sarif": as_sarif, "github": as_github,
    "nagios": as_nagios, "prometheus": as_prometheus, "markdown": as_markdown, "html": as_html,
}  # fmt: skip

ALL = "".join(FRAGMENTS)


def test_every_format_has_a_reader() -> None:
    """A new format needs a consumer that says what it makes of hostile text."""
    assert set(FORMATS) == set(READERS)


@settings(max_examples=60)
@given(TEXTS)
@example(dict.fromkeys(PLACES, ALL))
def test_no_text_breaks_or_forges_a_format(text: Texts) -> None:
    """Every format of one report, with and without --verbose, says what it should and no more, without a character that acts."""
    made = report(text)
    for format, reader in READERS.items():
        for verbose in (False, True):
            out = io.StringIO()
            write(made, format, out, Style(False, 80, True, verbose))
            printed = out.getvalue()
            printed.encode()
            assert [] == unseen(printed), format
            if not (verbose and format == "html"):  # where every route has a card
                reader(printed)


@settings(max_examples=30)
@given(TEXTS)
def test_no_text_forges_a_mail(text: Texts) -> None:
    """The headers are ours, the parts are two, and every line is short and of seven bits."""
    made = report(text)
    options = MailOptions("mail", 25, "smtp", "pomprobe@example.com", ("ops@example.com",))
    raw = message(made, options, changes(None, made)).as_bytes()
    assert raw.isascii() and max(map(len, raw.split(b"\r\n"))) <= 998
    mail: Any = message_from_bytes(raw, policy=policy.default)
    assert {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
    } == set(mail.keys())  # fmt: skip
    assert ["text/plain", "text/html"] == [part.get_content_type() for part in mail.iter_parts()]
    assert [] == unseen(str(mail["Subject"]))


@pytest.mark.parametrize("format", FORMATS)
def test_text_is_kept_as_far_as_it_is_harmless(format: str) -> None:
    """A name of an ordinary kind, in any script, comes through."""
    text = dict.fromkeys(PLACES, "Ünïcode-日本")
    out = io.StringIO()
    write(report(text), format, out, Style())
    said = json.dumps(json.loads(out.getvalue()), ensure_ascii=False) if format in ("json", "sarif") else out.getvalue()
    assert "Ünïcode-日本" in said or format in ("jsonl", "nagios")  # JSON lines and Nagios are ASCII
