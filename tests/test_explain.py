"""`pomprobe explain`: what is said about an error, and that it says so where it knows nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomprobe.explain import codes, explain, flags, heads, render

DOCUMENTED = (
    "no_healthy_upstream",
    "upstream_max_stream_duration_reached",
    "upstream_per_try_timeout",
    "upstream_reset_after_response_started",
    "upstream_reset_before_response_started",
    "upstream_response_timeout",
    "via_upstream",
)
"""The codes of Pomerium's page "Upstream connection errors"."""

DATA = Path(__file__).parent / "data"
RB = "upstream_reset_before_response_started"


@pytest.mark.parametrize("what", ["TLS102", "tls102", "certificate-expired"])
def test_a_rule_is_explained(what: str) -> None:
    """By code or by name: what users see, why, what helps."""
    found = explain(what)
    assert ["TLS102"] == [rule.code for rule in found.rules]
    assert ["What users see", "Why", "What helps"] == [heading for heading, _ in found.sections]
    assert found.known


@pytest.mark.parametrize("name", DOCUMENTED)
def test_each_code_of_pomeriums_page_is_explained(name: str) -> None:
    """With what it means, the config that can cause it, and the rules that tell its causes apart."""
    found = explain(name)
    assert found.title.startswith(f"{name}: ")
    assert found.rules
    assert "What it means" in [heading for heading, _ in found.sections]
    assert any("Pomerium" in text or "`" in text for _, text in found.sections)


def test_the_wrong_claims_of_pomeriums_page_are_corrected() -> None:
    """The timeout is 30 s, not 10; no timeout key leads to the stream duration; Envoy's word is response_timeout."""
    texts = {name: " ".join(text for _, text in explain(name).sections) for name in DOCUMENTED}
    assert "30 s (not 10 s" in texts["upstream_response_timeout"]
    assert "No timeout key does" in texts["upstream_max_stream_duration_reached"]
    assert "No timeout key does" in texts["upstream_per_try_timeout"]
    assert explain("response_timeout").title == explain("upstream_response_timeout").title


def test_every_recorded_code_is_known() -> None:
    """Whatever real Envoys answered in the recorded truth can be explained, and leads to rules or a text of its own."""
    rows = json.loads((DATA / "truth.json").read_text())
    details = {outcome["response_code_details"] for row in rows for outcomes in row["outcomes"].values() for outcome in outcomes}
    assert [] == sorted(words for words in details if not explain(words).known and words != "upstream_per_try_idle_timeout")


@pytest.mark.parametrize(
    "line",
    [
        "DNS refresh rate reset for pomerium-authorize-abc, (failure) refresh rate 5000 ms",
        '{"upstream-cluster":"pomerium-databroker","response-code-details":"upstream_reset_before_response_started{connection_termination}"}',
        "no such cluster pomerium-control-plane-grpc",
    ],
)
def test_pomeriums_own_services_are_no_upstream(line: str) -> None:
    """A line about one of its clusters is not explained as a fault of an app."""
    found = explain(line)
    assert found.title.startswith("pomerium_service: ")
    assert "authorize_service_url" in dict(found.sections)["First"]


def test_a_reset_reason_by_itself() -> None:
    """`overflow` is what people search for."""
    assert explain("overflow").title.startswith(RB)
    assert [f"503 UO {RB}{{overflow}}", "connection_termination"] == [
        dict(explain("CFG614").sections)["What users see"],
        explain("connection termination").sections[0][1].partition("{")[2].rstrip("}"),
    ]


def test_every_code_is_proven() -> None:
    """Each file of probes/codes names rows in which a real Envoy said it."""
    from pomprobe.catalog import home
    from pomprobe.catalog.documents import document, texts

    measured = json.loads((DATA / "measured.json").read_text())["rows"]
    rows = {row["id"]: row for row in (*json.loads((DATA / "truth.json").read_text()), *measured)}
    for path, text in texts(home() / "codes"):
        code = document(path, text)
        assert isinstance(code, dict)
        names = {code["name"], *code.get("also", [])}
        for row in code["evidence"]:
            said = {o["response_code_details"].partition("{")[0] for outcomes in rows[row]["outcomes"].values() for o in outcomes}
            assert names & said, f"{code['name']}: {row} says {said}"


def test_details_lead_to_the_cause() -> None:
    """Words that only one rule forecasts are explained as that rule, with the facts in them."""
    found = explain(f"{RB}{{remote_connection_failure|immediate_connect_error:_No_route_to_host|remote_address:10.9.9.9:80}}")
    assert ["TCP113"] == [rule.code for rule in found.rules]
    assert "10.9.9.9:80" == found.facts["endpoint"]
    assert ("The cause: TCP113", "There is no route to 10.9.9.9:80") in found.sections


def test_details_with_several_causes_list_them() -> None:
    """A closed connection can be many things: Envoy does not say which."""
    found = explain(f"503 UC {RB}{{connection_termination}}")
    assert {"HTTP101", "HTTP104"} <= {rule.code for rule in found.rules}
    text = render(found)
    assert "HTTP104 The server wants a client certificate, and the route has none" in text
    assert "- UC: the upstream closed the connection" in text


def test_details_without_a_rule_still_have_the_codes_text() -> None:
    """What no rule forecasts is explained by its first word."""
    found = explain(f"{RB}{{something_new}}")
    assert found.known
    assert "First" in [heading for heading, _ in found.sections]


def test_a_flag_is_explained() -> None:
    """Alone, or in a log line that has no details."""
    assert explain("uh").title.startswith("UH: ")
    assert explain('"GET / HTTP/1.1" 503 UC - "-"').title.startswith("UC: ")
    assert explain("NR").known
    assert not explain('"GET / HTTP/1.1" 503 XYZ - "-"').known


def test_several_flags_are_explained() -> None:
    """As a log line has them, with commas between."""
    said = render(explain("UF,URX"))
    assert flags()["UF"][:40] in said and "URX" in said
    assert explain("UF,URX").known


def test_what_is_not_known_is_said() -> None:
    """With the nearest words there are."""
    found = explain("no_helthy_upstream")
    assert not found.known
    assert "no_healthy_upstream" in render(found)
    assert "It holds none of Envoy's codes." in render(explain("xyzzy " * 50))


def test_a_retired_rule_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts that name its code learn what became of it."""
    from pomprobe.catalog import Catalog, load
    from pomprobe.record import replace

    old = replace(load().rules[0], retired="since 0.9.0: CFG102 to CFG106 say it better")
    monkeypatch.setattr("pomprobe.explain.load", lambda: Catalog((old,)))
    assert ("Retired", "since 0.9.0: CFG102 to CFG106 say it better") in explain(old.code).sections


def test_every_rule_and_code_renders() -> None:
    """As plain text without a hole, in lines that fit."""
    from pomprobe.catalog import load

    for what in (*(rule.code for rule in load().rules), *heads(), *flags()):
        text = render(explain(what))
        assert "[[" not in text
        wide = [line for line in text.splitlines() if len(line) > 120 and " " in line.strip()[:60] and "upstream_reset" not in line]
        assert [] == [line for line in wide if not line.startswith("See ") and not line.startswith(what)]


def test_a_broken_code_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A defect of the data is said as such."""
    from pomprobe.catalog import CatalogError

    (tmp_path / "codes").mkdir()
    (tmp_path / "codes" / "x.yaml").write_text("text")
    monkeypatch.setattr("pomprobe.explain.home", lambda: tmp_path)
    with pytest.raises(CatalogError, match="no mapping"):
        codes.__wrapped__()


def test_codes_have_one_name_each() -> None:
    """No word leads to two texts."""
    names = list(heads())
    assert len(names) == len(set(names))
    assert set(DOCUMENTED) <= {code.name for code in codes()}


@given(st.text())
def test_anything_can_be_asked(text: str) -> None:
    """Whatever is pasted is answered."""
    assert render(explain(text))


def test_a_log_line_leads_to_its_route() -> None:
    """The name of Envoy's cluster is one that --route takes."""
    found = explain('{"upstream-cluster":"app-0c3c49ee3957ee89","response-code":504,"response-code-details":"response_timeout"}')
    assert "--route app-0c3c49ee3957ee89 " in dict(found.sections)["Of which route"]


def test_what_one_get_does_not_show() -> None:
    """Idle connections, large bodies and slow uploads: what to look for, where no probe looks."""
    closed = dict(explain("503 UC upstream_reset_before_response_started{connection_termination}").sections)
    assert "--data-binary @FILE" in closed["If `pomprobe check` finds nothing"]
    refused = explain(f"{RB}{{remote_connection_failure|delayed_connect_error:_Connection_refused}}")
    assert "If `pomprobe check` finds nothing" not in dict(refused.sections)
    for text in ("request_overall_timeout", "408 request_overall_timeout"):
        assert "-T FILE" in dict(explain(text).sections)["If `pomprobe check` finds nothing"]
