"""The HTML and Markdown reports, read back by parsers of both."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pomprobe.model import Endpoint
from pomprobe.record import replace
from pomprobe.report import markdown
from pomprobe.report.clean import clean
from pomprobe.report.html import for_mail

from . import examples
from .conftest import Printed

VOID = {"meta", "br", "wbr"}

ATTRIBUTES = {
    "lang", "charset", "name", "content", "http-equiv", "style", "class", "id", "href", "rel", "role", "width", "height", "bgcolor",
    "cellpadding", "cellspacing", "colspan",
}  # fmt: skip
"""What elements of the page may have; none of it does anything."""


class Page(HTMLParser):
    """Collects elements, their attributes and the text between them; fails where they do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert [] == self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


def rendered(text: str) -> Page:
    """As GitHub would show it, but with raw HTML shown too, which is stricter."""
    return Page(MarkdownIt("commonmark").enable("table").render(text))


@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize("case", examples.CASES)
def test_the_page_is_whole_and_loads_nothing(case: str, verbose: bool, printed: Printed) -> None:
    """Elements nest, there is no script, no handler, and every link is a plain web page."""
    page = Page(printed(examples.CASES[case](), "html", verbose=verbose))
    assert set() == {tag for tag, _ in page.elements} & {"script", "iframe", "object", "embed", "link", "img", "form", "base", "svg"}
    attributes = [(name, value or "") for _, attributes in page.elements for name, value in attributes.items()]
    assert [] == [name for name, _ in attributes if name.startswith("on") or name in ("src", "srcset", "background")]
    links, ids = [value for name, value in attributes if name == "href"], [value for name, value in attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert [] == [link for link in links if not link.startswith(("https://", "http://")) and link.removeprefix("#") not in ids]
    styles = [value for name, value in attributes if name == "style"]
    assert [] == [style for style in styles if not re.fullmatch(r"[a-z0-9:;#%., '-]+", style, re.IGNORECASE)]
    assert {name for name, _ in attributes} <= ATTRIBUTES


def test_the_page_says_what_the_text_report_says(printed: Printed) -> None:
    """Every route, rule, title, fix, place and detail is on the page."""
    report = examples.everything()
    page = Page(printed(report, "html"))
    said = " ".join(page.text.split())
    assert "pomprobe · pomerium.yaml · 2026-11-22 07:00:00 UTC" in said
    assert "Macro" not in said
    for route in report.routes:
        assert route.route.name in said
        for verdict in route.verdicts:
            if route.status.value not in ("ok", "skipped"):
                assert verdict.rule.code in said
                assert str(verdict.place) in said
    for entry in (e for route in report.routes for e in route.forecast):
        assert entry.reply.response_code_details in said or entry.reply.response_code_details == "via_upstream"
    assert "Renew the certificate on 10.0.0.7:443; it expired on 2026-10-01." in said
    assert "Correct the name in to: http://grafana-svc:3000." in said
    assert ("code", {}) in page.elements


def test_many_failures_are_told_at_a_glance(printed: Printed) -> None:
    """Forty failing routes are three lines: the finding, how many routes have it, and which."""
    said = " ".join(Page(printed(examples.many(), "html")).text.split("Routes")[0].split())
    glance = said.partition("At a glance")[2]
    assert "TCP101: shop-0 and 19 more 20 routes503 UF" in glance
    assert "The upstream's certificate has expired (10.0.0.7:443) TLS102: billing-100, billing-105," in glance
    assert "Name not found DNS101: grafana-160," in glance and "8 routes503 UH" in glance
    assert "160 routes are fine: 160 × 200; the slowest is svc-199," in Page(printed(examples.many(), "html")).text


def test_the_same_finding_at_several_endpoints_keeps_its_words(printed: Printed) -> None:
    """At a glance it is said without the endpoints, and not by the rule's name."""
    routes = [examples.expired(f"route-{i}", line=10 * i) for i in range(1, 9)]
    routes[0] = replace(routes[0], verdicts=tuple(replace(v, endpoint=Endpoint("10.0.0.8", 443)) for v in routes[0].verdicts))
    glance = " ".join(Page(printed(examples.report(*routes), "html")).text.partition("At a glance")[2].split("Routes")[0].split())
    assert glance.startswith("✗The upstream's certificate has expired TLS102: route-1")


@pytest.mark.parametrize("count", [0, 30, 700])
def test_a_mail_s_page_is_below_what_mail_programs_cut(count: int) -> None:
    """Gmail cuts at 102 KB. What is left out is counted, and the glance has every finding."""
    routes = [examples.expired(f"route-{i}", line=i) for i in range(count)]
    page = for_mail(examples.report(*routes, *examples.many().routes))
    assert len(page.encode()) < 100_000
    said = " ".join(Page(page).text.split())
    assert f"{count + 200} routes: {count + 40} failing, 160 fine" in said
    assert {"TCP101", "TLS102", "DNS101"} <= set(re.findall(r"[A-Z]{3}\d{3}", said))


def test_a_mail_s_page_needs_no_style_sheet() -> None:
    """Some programs drop it: bars and edges have their colours, widths and heights as attributes."""
    page = Page(for_mail(examples.one_failure()))
    bars = [attributes for tag, attributes in page.elements if tag == "td" and "bgcolor" in attributes]
    assert bars and [] == [bar for bar in bars if not {"width", "height", "bgcolor"} <= set(bar)]
    cards = [attributes for tag, attributes in page.elements if tag == "section"]
    assert cards and [] == [card for card in cards if "border-left:4px solid #" not in (card["style"] or "")]
    assert "details" not in {tag for tag, _ in page.elements}


def test_hostile_text_is_text(printed: Printed) -> None:
    """What others wrote is on the page as they wrote it, cleaned."""
    page = Page(printed(examples.hostile(), "html", verbose=True))
    assert " ".join(clean(examples.HOSTILE).split()) in " ".join(page.text.split())


def test_bars_are_to_scale(printed: Printed) -> None:
    """The columns of a bar add up to its whole."""
    from pomprobe.report.waterfall import waterfall

    route = examples.expired()
    upstream = route.upstreams[0]
    drawn = waterfall((*upstream.outcomes, *upstream.endpoints[0].outcomes), route.cluster)
    bars = [*drawn["stages"], *drawn["limits"]]
    assert ["dns", "tcp", "tls", "http", "connect"] == [bar["name"] for bar in bars]
    assert [100.0] * 5 == [pytest.approx(float(bar["before"]) + float(bar["length"]) + float(bar["after"]), abs=0.02) for bar in bars]
    lengths = {bar["name"]: float(bar["length"]) for bar in bars}
    assert pytest.approx(100 * 0.011 / 0.0145, abs=0.01) == lengths["tls"]
    assert 0.4 == lengths["connect"]
    assert ["3 ms", "0.5 ms", "11 ms", "not reached"] == [bar["time"] for bar in drawn["stages"]]


@pytest.mark.parametrize("case", examples.CASES)
def test_markdown_has_no_html_of_others(case: str, printed: Printed) -> None:
    """The elements are those that the report makes."""
    page = rendered(printed(examples.CASES[case](), "markdown"))
    known = {"h2", "h3", "p", "ul", "li", "code", "strong", "table", "thead", "tbody", "tr", "th", "td", "br", "details", "summary"}
    assert set() == {tag for tag, _ in page.elements} - known
    assert [] == [attributes for tag, attributes in page.elements if attributes and tag not in ("th", "td")]


def test_markdown_has_a_row_for_each_route_that_is_not_well(printed: Printed) -> None:
    """The bars in Envoy's details do not split the cells."""
    page = rendered(printed(examples.everything(), "markdown"))
    cells = [tag for tag, _ in page.elements if tag == "td"]
    assert 6 * 4 == len(cells)
    assert examples.EXPIRED.response_code_details in page.text


def test_markdown_shows_hostile_text(printed: Printed) -> None:
    """Nothing is swallowed."""
    page = rendered(printed(examples.hostile(), "markdown"))
    assert page.text.count(clean(examples.HOSTILE)) >= 10


@given(st.text(max_size=80).map(clean))
def test_any_text_survives_markdown(text: str) -> None:
    """Code spans and escaped text give back what went in, spaces aside."""
    inside = rendered(f"x {markdown.code(text)} y" if text else "x y").text
    plain = rendered(f"x{markdown.text(text.replace('`', ''))}y").text
    assert "".join(f"x{text}y".split()) == "".join(inside.split())
    assert "".join(f"x{text.replace('`', '')}y".split()) == "".join(plain.split())


def test_markdown_stays_below_github_s_limit(printed: Printed) -> None:
    """A step summary of more than 1 MiB is refused as a whole; what does not fit is counted."""
    routes = [examples.expired(f"route-{i}", line=i) for i in range(1500)]
    text = printed(examples.report(*routes), "markdown")
    assert len(text.encode()) < 1_000_000
    assert "more sections, too long for here" in text.splitlines()[-1]
