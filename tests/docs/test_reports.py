"""docs/reports.md: every format and every metric that there is, and commands that work."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from pomprobe.model import Report
from pomprobe.record import replace
from pomprobe.report import FORMATS, Style, write
from report import examples

PAGE = (Path(__file__).parent.parent.parent / "docs" / "reports.md").read_text()


def rows(heading: str) -> dict[str, str]:
    """The table below the line that begins like this: code in the first cell -> the second cell."""
    table = PAGE[PAGE.index(heading) :].split("\n\n")[0].splitlines()[2:]
    found: dict[str, str] = {}
    for line in table:
        first, second = (cell.strip() for cell in line.strip("|").split("|")[:2])
        found |= dict.fromkeys(re.findall(r"`([^`]+)`", first), second)
    return found


def test_every_format_is_in_the_table() -> None:
    """No more and no fewer."""
    assert set(FORMATS) == set(rows("| `-o` | for |"))


def metrics(report: Report) -> dict[str, set[str]]:
    """Name -> labels of what the Prometheus report has."""
    import io

    out = io.StringIO()
    write(report, "prometheus", out, Style())
    families = text_string_to_metric_families(out.getvalue())
    return {family.name: {label for sample in family.samples for label in sample.labels} for family in families}


def test_every_metric_is_in_the_table() -> None:
    """With its labels."""
    documented = {name: set(re.findall(r"`([^`]+)`", labels)) for name, labels in rows("| metric | labels |").items()}
    report = examples.everything()
    asked = replace(report, routes=tuple(replace(route, confirmed="confirmed by a real Envoy") for route in report.routes))
    assert metrics(asked) == documented


def test_the_alerts_name_metrics_that_there_are() -> None:
    """Word for word."""
    (rules,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert set(re.findall(r"\b(?:probe|pomprobe)_[a-z_]+", rules)) <= set(metrics(examples.everything()))


def test_the_schema_is_printed() -> None:
    """The command of the page, run."""
    (script,) = re.findall(r"^```sh\npython3 -c '(.*?)'\n```", PAGE, re.DOTALL | re.MULTILINE)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "https://json-schema.org/draft/2020-12/schema" == json.loads(done.stdout)["$schema"]
