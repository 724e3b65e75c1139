"""`pomprobe explain --config`: of which route a text tells, under which timers, and which causes it can have."""

from __future__ import annotations

from pathlib import Path

import pytest

import pomprobe
from pomprobe.explain import Explanation, explain, render
from pomprobe.explain_route import beside
from pomprobe.plan import plan
from pomprobe.system_ca import read_bundle
from robust.running import run

REFUSED = "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}"
CONFIG = """\
routes:
  - name: app
    from: https://app.example.com
    to: https://10.0.0.5:8443
    set_request_headers: {Authorization: Bearer s3cr3t-of-the-app}
  - from: https://wiki.example.com
    prefix: /api
    to: http://wiki-api.internal:8080
    timeout: 5s
  - from: https://wiki.example.com
    to: http://localhost:8081
  - from: https://*.apps.example.com
    to: http://apps.internal
    allow_websockets: true
  - from: https://old.example.com
    redirect: {host_redirect: new.example.com}
"""


def explained(text: str, config: str = CONFIG) -> Explanation:
    loaded = pomprobe.load("config.yaml", text=config.encode())
    return beside(explain(text), text, loaded, list(zip(loaded.routes, plan(loaded, read_bundle()), strict=True)))


def codes(found: Explanation) -> list[str]:
    return [rule.code for rule in found.rules]


def line(host: str, path: str, answer: str) -> str:
    """A line of Pomerium's access log."""
    return f'{{"upstream-cluster":"","authority":"{host}","path":"{path}","referer":"https://app.example.com/",{answer}}}'


NO_HOST = '"response-code":503,"response-code-details":"no_healthy_upstream"'


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (line("wiki.example.com", "/api/x?q=1", NO_HOST), "config.yaml:6"),
        (line("wiki.example.com", "/apix", NO_HOST), "config.yaml:6"),
        (line("wiki.example.com", "/", NO_HOST), "config.yaml:10"),
        (line("WIKI.example.com", "/", NO_HOST), "config.yaml:10"),
        ('"GET /api HTTP/2" 503 UH no_healthy_upstream - "-" 0 19 0 - "-" "curl" "id" "wiki.example.com" "-"', "config.yaml:6"),
        ("https://a.apps.example.com/x shows: no healthy upstream", "config.yaml:12"),
        ("503 UH no_healthy_upstream at app.example.com", "config.yaml:2"),
        ("app", "config.yaml:2"),
        ("https://app.example.com", "config.yaml:2"),
    ],
)
def test_a_text_leads_to_its_route(text: str, place: str) -> None:
    """By host and path of the request, in whatever form the line has them; by the route's name."""
    assert f"{place}:5 routes[" in dict(explained(text).sections)["The route"]


def test_a_cluster_leads_to_its_route() -> None:
    """Envoy's name of it, whatever host stands beside it; one that is of no route says why that may be."""
    cluster = pomprobe.load("config.yaml", text=CONFIG.encode()).routes[0].cluster_name
    text = f'{{"upstream-cluster":"{cluster}","authority":"wiki.example.com","response-code-details":"no_healthy_upstream"}}'
    found = explained(text)
    assert "config.yaml:2:5 routes[0]" in dict(found.sections)["The route"]
    assert "Of which route" not in dict(found.sections)
    gone = explained('{"upstream-cluster":"route-0123456789abcdef","response-code-details":"no_healthy_upstream"}')
    assert "has the cluster route-0123456789abcdef" in dict(gone.sections)["Of which route"]


def test_the_timers_with_their_keys() -> None:
    """What applied, and the key that set it."""
    told = " ".join(dict(explained(line("wiki.example.com", "/api", NO_HOST)).sections)["The route"].split())
    assert "connect 10s (fixed by Pomerium) · route 5s (timeout) · idle 300s (Envoy's default)" in told
    assert "route 30s (default_upstream_timeout, not set)" in dict(explained("app").sections)["The route"]


@pytest.mark.parametrize(
    ("text", "kept", "gone"),
    [
        (line("wiki.example.com", "/api", NO_HOST), ("DNS106", "DNS131"), ("DNS101", "DNS112", "DNS113", "DNS142", "HC101", "CFG612")),
        (f"{REFUSED} wiki.example.com/api", ("TCP101",), ("TCP103", "TCP104", "TCP106")),
        ("504 UT response_timeout https://wiki.example.com/api/", ("TCP132", "HTTP201"), ("TLS322", "HTTP211", "CFG616")),
        ("504 UT response_timeout https://app.example.com/", ("HTTP201",), ("TCP132", "TLS322", "HTTP211")),
    ],
)
def test_causes_that_the_route_cannot_have_are_left_out(text: str, kept: tuple[str, ...], gone: tuple[str, ...]) -> None:
    """No TLS without https, no DNS for an address, no timer that another one always ends before."""
    found = explained(text)
    assert set(kept) <= set(codes(found))
    assert set(gone) <= {rule.code for rule in explain(text).rules} | {"TCP132"}
    assert not set(gone) & set(codes(found))
    assert "more would fit the words, but not this route." in render(found) or codes(found) == list(kept)


def test_the_one_cause_that_is_left_is_told() -> None:
    """With its reason, and its fixes."""
    found = explained(f"{REFUSED} https://wiki.example.com/")
    assert ["TCP102"] == codes(found)
    sections = dict(found.sections)
    assert "Nothing listens on 127.0.0.1:8081, Pomerium's own loopback" == sections["The cause: TCP102"]
    assert "http://host.docker.internal:8081" in sections["What helps"]


def test_names_are_filled_in() -> None:
    """The upstream's own name stands where the catalogue has NAME."""
    assert "DNS131  No DNS server answers for wiki-api.internal" in render(explained(line("wiki.example.com", "/api", NO_HOST)))


def test_a_log_that_does_not_fit_the_config() -> None:
    """A timeout of a route that has none."""
    found = explained("504 UT response_timeout https://x.apps.example.com/")
    assert () == found.rules
    assert "None of the causes" in dict(found.sections)["The cause"]


def test_several_routes_are_named() -> None:
    """A host without a path."""
    told = dict(explained("wiki.example.com: no_healthy_upstream").sections)["One of these routes"]
    assert ["config.yaml:6:5 routes[1]", "config.yaml:10:5 routes[2]"] == [one.rpartition("  ")[2] for one in told.splitlines()]


def test_a_route_without_an_upstream() -> None:
    """A redirect says so."""
    assert "skipped" in dict(explained("https://old.example.com").sections)["The route"]


def test_no_secret_is_shown() -> None:
    """A header's value is not in it."""
    texts = ("app", f"app.example.com {REFUSED}", "app.example.com response_timeout")
    assert "s3cr3t" not in "".join(render(explained(text)) for text in texts)


def test_the_command(tmp_path: Path) -> None:
    """--config FILE; a name that is no route's, and a config that cannot be read, are told."""
    path = tmp_path / "c.yaml"
    path.write_text(CONFIG)
    ran = run("explain", "--config", str(path), "app")
    assert (0, "") == (ran.code, ran.err)
    assert f"pomprobe check {path} --route app probes it." in " ".join(ran.out.split())
    assert 3 == run("explain", "--config", str(path), "nothing at all").code
    path.write_text("routes: [{from: https://a.example.com, to: 5 s3cr3t}]")
    ran = run("explain", "--config", str(path), "app")
    assert (2, "", 1) == (ran.code, ran.out, len(ran.err.splitlines()))
    assert 2 == run("explain", "--config", "-", "-", stdin=b"x").code
