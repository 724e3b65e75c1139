"""Rule files: what is read from where, and what is refused, with file and key."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pomprobe.catalog import CatalogError, home, load, shelf
from pomprobe.catalog.documents import document, texts
from pomprobe.model import Failure

RULE = """\
code: TLS102
name: certificate-expired
title: Expired
severity: error
when: {failure: certificate_rejected, verify_code: 10}
means:
  code: c
  status: 503
  response_flags: UF
  response_code_details: "c{remote_connection_failure}"
  evidence: tls-expired
why: Because.
fixes: [Renew it.]
examples:
  fires: [{verify_code: 10}]
"""


def catalogue(top: Path, text: str = RULE, name: str = "certificate-expired", stage: str = "tls") -> Path:
    """A catalogue of one rule."""
    (top / stage).mkdir(parents=True, exist_ok=True)
    (top / stage / f"{name}.yaml").write_text(text)
    return top


def test_a_catalogue_is_read(tmp_path: Path) -> None:
    """One file, one rule; the stage is the directory."""
    rule = load(catalogue(tmp_path)).rules[0]
    assert ("TLS102", "tls", {"failure": "certificate_rejected", "verify_code": 10}) == (rule.code, rule.stage, rule.when)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("code: TLS102", "code: TCP102", "code: must be TLS and three digits"),
        ("name: certificate-expired", "name: renew", "name: must be the file's name"),
        ("severity: error", "severity: fatal", "severity: must be one of error, warning, info"),
        ("title: Expired\n", "", "title: is required and must be a str"),
        ("why: Because.", "why: 5", "why: is required and must be a str"),
        ("why: Because.", "why: Because.\nwho: me", "who: is no key of a rule"),
        ("fixes: [Renew it.]", "fixes: [5]", "fixes: must be a list of texts"),
        ("fixes: [Renew it.]", "fixes: [Renew it.]\nsee: x", "see: must be a list"),
        ("certificate_rejected", "certificate_stolen", "when.failure: 'certificate_stolen' is no failure of the model"),
        ("verify_code: 10}\nmeans", "timer: lunch}\nmeans", "when.timer: 'lunch' is no timer of the model"),
        ("verify_code: 10}\nmeans", "verify_code: {above: 3}}\nmeans", "when.verify_code: knows only contains, matches, max, min, not"),
        ("verify_code: 10}\nmeans", "verify_code: null}\nmeans", "when.verify_code: needs a value"),
        ("  evidence: tls-expired\n", "", "means.evidence: is required"),
        ("  status: 503", "  status: many", "means.status: must be a number or {status}"),
        ("  status: 503", "  status: 503\n  flag: UF", "means.flag: is no key of means"),
        ("{remote_connection_failure}", "{weather}", "means.response_code_details: {weather} is neither a fact that Envoy prints"),
        ("fires: [{verify_code: 10}]", "often: []", "examples.often: must be `fires` or `silent`"),
        ("fires: [{verify_code: 10}]", "fires: [{sans: {a: b}}]", "examples.fires.sans: {'a': 'b'} is no fact"),
        ("fires: [{verify_code: 10}]", "fires: [verify_code]", "examples.fires: must be `fires` or `silent`, a list of facts"),
        ("why: Because.", "why: [", "did not find expected"),
        ("why: Because.", "code: TLS103\nwhy: Because.", "the key 'code' is no text, or stands twice"),
        ("why: Because.", "? [a]\n: b\nwhy: Because.", "the key None is no text, or stands twice"),
        ("title: Expired", "title: *alias", "undefined alias|AliasEvent is not used"),
        (RULE, "just text", "(top): must be a mapping"),
        (RULE, "", "is not used in the catalogue"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    """The message names the file and the key."""
    assert old in RULE
    with pytest.raises(CatalogError) as refused:
        load(catalogue(tmp_path, RULE.replace(old, new, 1)))
    assert "certificate-expired.yaml" in str(refused.value)
    assert any(part in str(refused.value) for part in message.split("|")), str(refused.value)


@pytest.mark.parametrize(("old", "name", "what"), [("TLS102", "other", "TLS102"), ("", "certificate-expired", "certificate-expired")])
def test_codes_and_names_are_unique(tmp_path: Path, old: str, name: str, what: str) -> None:
    """Across all stages."""
    catalogue(tmp_path)
    stage = "tls" if old else "tcp"
    code = "TLS102" if old else "TCP102"
    catalogue(tmp_path, RULE.replace("certificate-expired", name).replace("TLS102", code), name, stage)
    with pytest.raises(CatalogError, match=f"{what} stands in two files"):
        load(tmp_path)


def test_scalars_are_read_as_yaml_12(tmp_path: Path) -> None:
    """Words that YAML 1.1 takes for booleans, times and dates stay words."""
    (tmp_path / "x.yaml").write_text("[no, on, 12:30, 2025-01-31, 010, -5, 1.5, true, null, ~, 'true', '5']")
    values = ["no", "on", "12:30", "2025-01-31", 10, -5, 1.5, True, None, None, "true", "5"]
    assert [(tmp_path / "x.yaml", values)] == [(path, document(path, text)) for path, text in texts(tmp_path)]


def test_the_catalogue_stands_in_the_source_tree() -> None:
    """The top-level `probes`, where there is none in the package."""
    assert Path(__file__).parents[2] / "probes" == home()


def test_the_catalogue_stands_in_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A wheel has it as pomprobe/probes; without any, that is said."""
    here = tmp_path / "site-packages" / "pomprobe" / "catalog" / "read.py"
    monkeypatch.setattr("pomprobe.catalog.read.__file__", str(here))
    with pytest.raises(CatalogError, match="no catalogue beside"):
        home()
    shutil.copytree(Path(__file__).parents[2] / "probes" / "dns", here.parent.parent / "probes" / "dns")
    assert here.parent.parent / "probes" == home()


def test_the_shelf_knows_the_same_rules() -> None:
    """What is read for one failure alone is what the whole catalogue holds of it, in its order."""
    whole, some = load(), shelf()
    for failure in Failure:
        assert list(whole.naming(failure.value)) == list(some.naming(failure.value))
